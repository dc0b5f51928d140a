/* What happens on one line: 20 ms from the tty to the far side, a packet of the far side to the tty.
 *
 * Its reference is call/bridge.py with tty/audio.py. The plane's lock is held in every function here.
 */

#include "line.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum {
    READ_BYTES = 8192,    /* more than any driver hands out at once, so that one read empties it */
    LOUD_RMS = 150,       /* about -47 dBFS: above the idle noise of GSM codecs, below any announcement */
    LOUD_FRAMES = 3,      /* 60 ms of sound are early media; a click is not */
    METER_EVERY = 5,
    REPORT_EVERY = 10,
    HEADER = 12,
};

static const double STALL_S = 0.2; /* a modem that gave nothing for so long has no clock */

static const int16_t SILENCE[MAX_SAMPLES];

static int64_t max64(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

void line_drop_port(line *l, int error)
{
    if (l->tty < 0)
        return;
    epoll_ctl(l->plane->epoll, EPOLL_CTL_DEL, l->tty, NULL);
    l->tty = -1; /* Python owns the descriptor and closes it */
    l->facts.stalled = 1;
    tell(l->plane, l->id, NOTE_PORT_LOST, -1, (uint32_t)error, NULL, 0, NULL);
}

/* Hand whole frames to the driver now; how many it took. What it does not take is dropped, but a frame that was
 * begun is made whole before the next one, so that samples stay aligned. */
static int write_frames(line *l, const int16_t *pcm, int frames)
{
    int frame = 2 * l->samples;
    if (l->paused || l->tty < 0) {
        l->facts.frames_refused += frames;
        return 0;
    }
    uint8_t joined[MAX_FRAME * (MAX_PUT + 1)];
    const uint8_t *data = (const uint8_t *)pcm;
    int length = frames * frame;
    if (l->rest_out) {
        memcpy(joined, l->out, (size_t)l->rest_out);
        memcpy(joined + l->rest_out, pcm, (size_t)length);
        length += l->rest_out;
        data = joined;
    }
    ssize_t sent = write(l->tty, data, (size_t)length);
    if (sent < 0) {
        if (errno != EAGAIN && errno != EINTR) {
            line_drop_port(l, errno);
            return 0;
        }
        sent = 0;
    }
    int left = length - (int)sent;
    int dropped = left / frame < frames ? left / frame : frames;
    if (sent) {
        l->rest_out = left % frame;
        memmove(l->out, data + sent, (size_t)l->rest_out);
    }
    l->facts.frames_refused += dropped;
    l->facts.frames_written += frames - dropped;
    return frames - dropped;
}

static void write_out(line *l, const int16_t *pcm, int frames)
{
    int taken = frames ? write_frames(l, pcm, frames) : 0;
    if (taken < frames)
        playout_refused(&l->playout, frames - taken);
}

/* ---- towards the far side ---- */

static void send_packet(line *l, const uint8_t *packet, int length)
{
    if (l->target < 0) {
        tell(l->plane, l->id, NOTE_RELAY, -1, 0, packet, length, NULL);
        return;
    }
    ssize_t sent = sendto(l->sockets[l->target], packet, (size_t)length, MSG_DONTWAIT | MSG_NOSIGNAL,
                          (struct sockaddr *)&l->address, l->address_length);
    if (sent < 0) /* a full buffer or a passing ICMP error: lost as on any network; ICE consent decides */
        l->facts.unsent++;
}

static void put32(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 24);
    at[1] = (uint8_t)(value >> 16);
    at[2] = (uint8_t)(value >> 8);
    at[3] = (uint8_t)value;
}

static void send_frame(line *l, const int16_t *pcm)
{
    l->timestamp += (uint32_t)l->codec.step; /* time goes on between two far sides, too */
    l->facts.out_timestamp = l->timestamp;
    if (l->by_frames)
        tell(l->plane, l->id, NOTE_FRAME, -1, 0, pcm, 2 * l->samples, NULL);
    if (!l->attached)
        return;
    uint8_t packet[MAX_PACKET];
    int size = codec_encode(&l->codec, pcm, packet + HEADER);
    if (size <= 0)
        return;
    packet[0] = 0x80;
    packet[1] = (uint8_t)(l->codec.number | (l->marker ? 0x80 : 0));
    packet[2] = (uint8_t)(l->sequence >> 8);
    packet[3] = (uint8_t)l->sequence;
    put32(packet + 4, l->timestamp);
    put32(packet + 8, l->ssrc);
    int length = HEADER + size;
    l->marker = 0;
    l->sequence++;
    l->facts.sent_packets++;
    l->facts.sent_octets += size;
    if (l->plane->srtp.protect(l->tx, packet, &length) == 0)
        send_packet(l, packet, length);
    else
        l->facts.unsent++;
}

int line_send_rtcp(line *l, const uint8_t *packet, int length)
{
    uint8_t copy[MAX_PACKET];
    if (!l->attached)
        return 0;
    if (length > MAX_PACKET - 256)
        return -EMSGSIZE;
    memcpy(copy, packet, (size_t)length);
    if (l->plane->srtp.protect_rtcp(l->tx, copy, &length) != 0)
        return -EIO;
    send_packet(l, copy, length);
    return 0;
}

static const int16_t *loop_next(loop *o, int samples)
{
    if (!o->count)
        return SILENCE;
    const int16_t *frame = o->frames + (int64_t)o->at * samples;
    o->at = (o->at + 1) % o->count;
    return frame;
}

/* Pass early media on; where the network sends none, ring for it. */
static const int16_t *before_answer(line *l, const int16_t *modem)
{
    if (l->early)
        return modem;
    if (rms(modem, l->samples) >= LOUD_RMS) {
        if (++l->loud_frames >= LOUD_FRAMES) {
            l->early = 1;
            tell(l->plane, l->id, NOTE_EARLY, -1, 0, NULL, 0, NULL);
        }
        return modem;
    }
    l->loud_frames = 0;
    return l->phase == PHASE_ALERTING && l->ringback_on ? loop_next(&l->ringback, l->samples) : modem;
}

static void meter(line *l, const int16_t *heard)
{
    l->peak_to_far = max64(l->peak_to_far, rms(heard, l->samples));
    l->peak_from_far = max64(l->peak_from_far, rms(l->playout.last, l->samples));
    if (l->metered % REPORT_EVERY == 0) {
        l->facts.rms_to_far = l->peak_to_far;
        l->facts.rms_from_far = l->peak_from_far;
        l->facts.levels++;
        l->peak_to_far = l->peak_from_far = 0;
    }
}

static void to_far(line *l, const int16_t *pcm)
{
    if (l->phase == PHASE_HELD)
        pcm = loop_next(&l->comfort, l->samples);
    else if (l->phase != PHASE_TALKING)
        pcm = before_answer(l, pcm);
    send_frame(l, pcm);
    if (++l->metered % METER_EVERY == 0)
        meter(l, pcm);
}

void line_readable(line *l)
{
    /* What was left of a frame stands in front of what is read now. */
    _Alignas(int16_t) uint8_t data[MAX_FRAME + READ_BYTES];
    int frame = 2 * l->samples;
    memcpy(data, l->in, (size_t)l->rest_in);
    ssize_t got = read(l->tty, data + l->rest_in, READ_BYTES);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        line_drop_port(l, got ? errno : 0);
        return;
    }
    int length = l->rest_in + (int)got, count = length / frame;
    l->rest_in = length % frame;
    memcpy(l->in, data + count * frame, (size_t)l->rest_in);
    if (!count)
        return;
    l->facts.frames_read += count;
    l->facts.last_read_s = now_s();
    if (l->facts.stalled) {
        l->facts.stalled = 0;
        playout_restart(&l->playout);
    }
    for (int i = 0; i < count; i++)
        to_far(l, (const int16_t *)(data + i * frame));
    int16_t out[MAX_PUT * MAX_SAMPLES];
    write_out(l, out, playout_tick(&l->playout, count, out));
}

/* Tick for a modem that does not. */
void line_stand_in(line *l)
{
    if (l->attached || l->by_frames)
        to_far(l, SILENCE);
}

int line_check(line *l, double now)
{
    if (!l->facts.stalled && now - l->facts.last_read_s >= STALL_S) {
        l->facts.stalled = 1;
        l->facts.stalls++;
    }
    return (int)l->facts.stalled;
}

/* ---- from the far side ---- */

void line_far_frame(line *l, int64_t position, const int16_t *pcm)
{
    int16_t out[MAX_PUT * MAX_SAMPLES];
    if (l->muted || l->phase == PHASE_HELD)
        pcm = SILENCE;
    write_out(l, out, playout_frame(&l->playout, position, pcm, out));
}

static void far_frame(void *context, int64_t position, const int16_t *pcm)
{
    line_far_frame(context, position, pcm);
}

static int far_missing(void *context, int64_t position)
{
    return playout_missing(&((line *)context)->playout, position);
}

static void far_event(void *context, uint32_t timestamp, const uint8_t *payload, int length)
{
    line *l = context;
    tell(l->plane, l->id, NOTE_EVENT, -1, timestamp, payload, length, NULL);
}

static void far_source(void *context)
{
    line *l = context;
    playout_new_source(&l->playout, l->codec.kind == CODEC_OPUS ? codec_conceal : NULL, &l->codec);
}

void line_datagram(line *l, int socket_index, uint8_t *packet, int length, const struct sockaddr *from)
{
    if (length < HEADER || packet[0] < 128 || packet[0] > 191) {
        /* STUN and DTLS, by their first byte. Source: RFC 7983 section 7. */
        tell(l->plane, l->id, NOTE_DATAGRAM, socket_index, 0, packet, length, from);
        return;
    }
    if (!l->attached)
        return;
    if (packet[1] >= 192 && packet[1] <= 223) { /* RFC 5761 section 4 */
        if (l->plane->srtp.unprotect_rtcp(l->rx, packet, &length) == 0)
            tell(l->plane, l->id, NOTE_RTCP, socket_index, 0, packet, length, NULL);
        else
            l->facts.rejected++;
        return;
    }
    if (l->plane->srtp.unprotect(l->rx, packet, &length) != 0) {
        l->facts.rejected++;
        return;
    }
    const stream_user user = {l, far_frame, far_missing, far_event, far_source};
    stream_take(&l->stream, &l->codec, l->events, &user, packet, length, now_s());
}
