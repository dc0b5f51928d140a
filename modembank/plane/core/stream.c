/* Codecs, and one received RTP stream: order, positions, loss, jitter.
 *
 * Its reference is webrtc/stream.py with media/rtp.py. Source: RFC 3550 sections 5.1, 6.4.1, A.1, A.3, A.8.
 */

#include "plane.h"

#include <math.h>
#include <string.h>

enum { MAX_DROPOUT = 3000, MAX_MISORDER = 100, HEADER = 12 };

int codec_encode(codec *c, const int16_t *pcm, uint8_t *out)
{
    if (c->kind == CODEC_OPUS)
        return c->opus_encode(c->encoder, pcm, c->samples, out, MAX_PACKET / 2);
    if (c->kind == CODEC_PCMA)
        alaw_encode(pcm, c->samples, out);
    else
        ulaw_encode(pcm, c->samples, out);
    return c->samples;
}

int codec_decode(codec *c, const uint8_t *in, int length, int16_t *pcm)
{
    if (length == 0)
        return 0; /* libopus would make up 120 ms for it */
    if (c->kind == CODEC_OPUS) {
        int samples = c->opus_decode(c->decoder, in, length, pcm, MAX_DECODED_SAMPLES, 0);
        return samples > 0 ? samples : 0;
    }
    if (length > MAX_DECODED_SAMPLES)
        length = MAX_DECODED_SAMPLES;
    if (c->kind == CODEC_PCMA)
        alaw_decode(in, length, pcm);
    else
        ulaw_decode(in, length, pcm);
    return length;
}

int codec_conceal(void *context, int16_t *pcm)
{
    codec *c = context;
    return c->opus_decode(c->decoder, NULL, 0, pcm, c->samples, 0) == c->samples;
}

static uint32_t be32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static int64_t floor_div(int64_t a, int64_t b)
{
    int64_t q = a / b;
    return a % b < 0 ? q - 1 : q;
}

void stream_prepare(stream *s)
{
    memset(s, 0, sizeof *s);
    s->base = -1;
    s->ssrc = -1;
}

static void counter_restart(stream *s, int sequence, double transit)
{
    s->base = s->highest = sequence;
    s->cycles = 0;
    s->received = 1;
    s->transit = transit;
}

/* Count one packet; how many sequence numbers it is ahead of the highest (1: in order). */
static int arrived(stream *s, const codec *c, int sequence, uint32_t timestamp, double now_s)
{
    double transit = now_s * c->clock_hz - timestamp;
    if (s->base < 0) {
        counter_restart(s, sequence, transit);
        return 1;
    }
    s->received++;
    int ahead = (sequence - (int)s->highest) & 0xFFFF;
    if (ahead == 0 || ahead > 0xFFFF - MAX_MISORDER)
        return ahead ? ahead - 0x10000 : 0;
    if (ahead > MAX_DROPOUT) { /* the sender restarted */
        counter_restart(s, sequence, transit);
        return 1;
    }
    if (sequence < s->highest)
        s->cycles += 0x10000;
    s->highest = sequence;
    double moved = fabs(transit - s->transit);
    s->transit = transit;
    if (moved < c->clock_hz) /* a timestamp that wrapped or jumped is no jitter */
        s->jitter += (moved - s->jitter) / 16.0;
    return ahead;
}

static void new_source(stream *s, const codec *c, const stream_user *user, uint32_t ssrc, uint32_t timestamp)
{
    s->ssrc = ssrc;
    s->base = -1;
    s->received = s->cycles = s->highest = 0;
    s->jitter = 0;
    s->at = 0;
    s->expected = timestamp + (uint32_t)c->step;
    s->rest_samples = 0;
    user->new_source(user->line);
}

/* The timestamp relative to the stream's first: it neither wraps nor starts at random. */
static int64_t extend(stream *s, const codec *c, uint32_t timestamp)
{
    uint32_t last = s->expected - (uint32_t)c->step;
    s->at += (int32_t)(timestamp - last);
    s->expected = timestamp + (uint32_t)c->step;
    return s->at;
}

/* Cut packets of another length than 20 ms (RFC 3551 section 4.2 allows any) into frames. */
static void cut(stream *s, const codec *c, const stream_user *user, int64_t at, const int16_t *decoded, int samples)
{
    int16_t pcm[2 * MAX_DECODED_SAMPLES];
    int units = c->step / c->samples;
    int whole = 0;
    if (s->rest_samples && at == s->rest_at + (int64_t)s->rest_samples * units) {
        memcpy(pcm, s->rest, 2 * (size_t)s->rest_samples);
        whole = s->rest_samples;
        at = s->rest_at;
    }
    memcpy(pcm + whole, decoded, 2 * (size_t)samples);
    whole += samples;
    int64_t position = floor_div(at + c->step / 2, c->step);
    int done = 0;
    for (; whole - done >= c->samples; done += c->samples)
        user->frame(user->line, position++, pcm + done);
    s->rest_samples = whole - done;
    s->rest_at = at + (int64_t)done * units;
    memcpy(s->rest, pcm + done, 2 * (size_t)s->rest_samples);
}

static void recover(const codec *c, const stream_user *user, int64_t at, const uint8_t *payload, int length)
{
    int64_t position = floor_div(at + c->step / 2, c->step) - 1;
    int16_t pcm[MAX_SAMPLES];
    if (user->missing(user->line, position)
        && c->opus_decode(c->decoder, payload, length, pcm, c->samples, 1) == c->samples)
        user->frame(user->line, position, pcm);
}

void stream_take(stream *s, codec *c, const uint8_t *events, const stream_user *user,
                 const uint8_t *packet, int length, double now_s)
{
    if (length < HEADER || packet[0] >> 6 != 2)
        return;
    int start = HEADER, end = length;
    if (packet[0] & 0x3F) {
        start += 4 * (packet[0] & 0x0F);
        if (packet[0] & 0x10) {
            if (start + 4 > end)
                return;
            start += 4 + 4 * (packet[start + 2] << 8 | packet[start + 3]);
        }
        if (packet[0] & 0x20) {
            if (packet[length - 1] == 0)
                return;
            end -= packet[length - 1];
        }
        if (start > end)
            return;
    }
    int type = packet[1] & 0x7F, sequence = packet[2] << 8 | packet[3];
    uint32_t timestamp = be32(packet + 4), ssrc = be32(packet + 8);
    int same = s->has_source && s->ssrc == (int64_t)ssrc;
    if (events[type]) {
        user->event(user->line, timestamp, packet + start, end - start);
        if (!same)
            return; /* some senders give events a stream of their own */
    }
    if (!same) {
        new_source(s, c, user, ssrc, timestamp);
        s->has_source = 1;
    }
    int ahead = arrived(s, c, sequence, timestamp, now_s);
    s->octets += end - start;
    if (type == c->number) {
        int64_t at = extend(s, c, timestamp);
        if (ahead == 2 && c->kind == CODEC_OPUS)
            recover(c, user, at, packet + start, end - start);
        int16_t pcm[MAX_DECODED_SAMPLES];
        int samples = codec_decode(c, packet + start, end - start, pcm);
        if (samples == c->samples)
            /* Rounded, because after an event some senders go on at a fraction of a frame. */
            user->frame(user->line, floor_div(at + c->step / 2, c->step), pcm);
        else
            cut(s, c, user, at, pcm, samples);
    } else if (!events[type]) {
        s->unknown++;
    }
}
