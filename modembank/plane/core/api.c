/* What Python calls. Unless it says otherwise, a negative answer is -errno. */

#include "line.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

API int plane_version(void)
{
    return PLANE_VERSION;
}

API plane *plane_open(const srtp_functions *srtp)
{
    g711_prepare();
    plane *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->srtp = *srtp;
    p->notes = malloc(sizeof(note) * MAX_NOTES);
    p->epoll = epoll_create1(EPOLL_CLOEXEC);
    p->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    p->note_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_mutex_init(&p->lock, NULL);
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = UINT64_MAX};
    if (!p->notes || p->epoll < 0 || p->wake < 0 || p->note_fd < 0
        || epoll_ctl(p->epoll, EPOLL_CTL_ADD, p->wake, &event) < 0
        || pthread_create(&p->thread, NULL, run, p) != 0) {
        free(p->notes);
        free(p);
        return NULL;
    }
    return p;
}

API int plane_note_fd(const plane *p)
{
    return p->note_fd;
}

API void plane_close(plane *p)
{
    pthread_mutex_lock(&p->lock);
    p->stopping = 1;
    pthread_mutex_unlock(&p->lock);
    wake(p);
    pthread_join(p->thread, NULL);
    for (int id = 0; id < MAX_LINES; id++)
        if (p->lines[id])
            close_line(p, id);
    close(p->epoll);
    close(p->wake);
    close(p->note_fd);
    free(p->notes);
    free(p);
}

/* The oldest note, if there is one. */
API int plane_next(plane *p, note *into)
{
    pthread_mutex_lock(&p->lock);
    int there = p->note_count > 0;
    if (there) {
        const note *n = &p->notes[p->note_first];
        memcpy(into, n, sizeof *n - MAX_PACKET + (size_t)n->length);
        p->note_first = (p->note_first + 1) % MAX_NOTES;
        p->note_count--;
    } else {
        uint64_t ignored;
        ssize_t got = read(p->note_fd, &ignored, sizeof ignored);
        (void)got;
    }
    pthread_mutex_unlock(&p->lock);
    return there;
}

/* How many notes found the ring full, since the plane was opened. */
API int64_t plane_notes_lost(plane *p)
{
    pthread_mutex_lock(&p->lock);
    int64_t lost = p->notes_lost;
    pthread_mutex_unlock(&p->lock);
    return lost;
}

/* Take a tty that is open, raw and non-blocking; Python closes it after `plane_line_close`. */
API int plane_line_open(plane *p, int tty, int samples, const int16_t *ringback, int ringback_frames,
                        const int16_t *comfort, int comfort_frames, int ringback_on, uint32_t ssrc,
                        uint32_t timestamp)
{
    if (samples < 1 || samples > MAX_SAMPLES)
        return -EINVAL;
    line *l = calloc(1, sizeof *l);
    if (!l)
        return -ENOMEM;
    pthread_mutex_lock(&p->lock);
    int id = 0;
    while (id < MAX_LINES && p->lines[id])
        id++;
    if (id == MAX_LINES) {
        pthread_mutex_unlock(&p->lock);
        free(l);
        return -EMFILE;
    }
    l->plane = p;
    l->id = id;
    l->tty = tty;
    l->samples = samples;
    l->ringback = (loop){ringback, ringback_frames, 0};
    l->comfort = (loop){comfort, comfort_frames, 0};
    l->ringback_on = ringback_on;
    l->target = -1;
    l->ssrc = ssrc;
    l->timestamp = timestamp;
    l->facts.stalled = 1;
    l->facts.last_read_s = now_s();
    playout_prepare(&l->playout, samples);
    stream_prepare(&l->stream);
    p->lines[id] = l;
    if (id >= p->line_count)
        p->line_count = id + 1;
    int failed = watch(p, tty, id, SOURCE_TTY) < 0 ? -errno : 0;
    if (failed)
        close_line(p, id);
    pthread_mutex_unlock(&p->lock);
    wake(p);
    return failed ? failed : id;
}

/* The next functions share one frame: find the line, do one thing under the lock. */
#define ON_LINE(p, id, l)                                                                         \
    line *l = NULL;                                                                               \
    pthread_mutex_lock(&(p)->lock);                                                               \
    if ((id) >= 0 && (id) < MAX_LINES)                                                            \
        l = (p)->lines[id];                                                                       \
    if (!l) {                                                                                     \
        pthread_mutex_unlock(&(p)->lock);                                                         \
        return -ENOENT;                                                                           \
    }

#define DONE(p, result)                                                                           \
    do {                                                                                          \
        int result_ = (result);                                                                   \
        pthread_mutex_unlock(&(p)->lock);                                                         \
        return result_;                                                                           \
    } while (0)

API int plane_line_close(plane *p, int id)
{
    ON_LINE(p, id, l)
    close_line(p, l->id);
    DONE(p, 0);
}

/* Where Python reads a line's counters; valid until the line is closed. */
API int plane_line_counters(plane *p, int id, facts **f, playout **o, stream **s)
{
    ON_LINE(p, id, l)
    *f = &l->facts;
    *o = &l->playout;
    *s = &l->stream;
    DONE(p, 0);
}

API int plane_line_phase(plane *p, int id, int phase)
{
    ON_LINE(p, id, l)
    if (l->phase == PHASE_HELD && phase != PHASE_HELD)
        l->marker = 1;
    l->phase = phase;
    l->ringback.at = 0;
    DONE(p, 0);
}

API int plane_line_mute(plane *p, int id, int on)
{
    ON_LINE(p, id, l)
    l->muted = on;
    DONE(p, 0);
}

API int plane_line_flow(plane *p, int id, int ready)
{
    ON_LINE(p, id, l)
    l->paused = !ready;
    if (ready)
        playout_restart(&l->playout);
    DONE(p, 0);
}

/* A far side begins: from now on the timestamp goes on with each frame, and packets of it are understood. */
API int plane_far_attach(plane *p, int id, const codec *c, const uint8_t *events, void *rx, void *tx,
                         uint16_t sequence)
{
    ON_LINE(p, id, l)
    close_sockets(l);
    l->codec = *c;
    memcpy(l->events, events, sizeof l->events);
    l->rx = rx;
    l->tx = tx;
    l->sequence = sequence;
    l->marker = 1;
    l->target = -1;
    stream_prepare(&l->stream);
    l->attached = 1;
    l->by_frames = 0;
    DONE(p, 0);
}

/* A far side whose packets Python makes and reads: it gets frames as notes and gives frames. */
API int plane_far_by_frames(plane *p, int id)
{
    ON_LINE(p, id, l)
    close_sockets(l);
    l->attached = 0;
    l->by_frames = 1;
    DONE(p, 0);
}

/* One frame of its voice, and the frame's place in its stream. */
API int plane_far_frame(plane *p, int id, int64_t position, const int16_t *pcm)
{
    ON_LINE(p, id, l)
    line_far_frame(l, position, pcm);
    DONE(p, 0);
}

/* It begins a new stream. */
API int plane_far_source(plane *p, int id)
{
    ON_LINE(p, id, l)
    playout_new_source(&l->playout, NULL, NULL);
    DONE(p, 0);
}

/* Whether a frame that it recovered would still be of use. */
API int plane_far_missing(plane *p, int id, int64_t position)
{
    ON_LINE(p, id, l)
    DONE(p, playout_missing(&l->playout, position));
}

/* One of its sockets; the plane reads and closes a duplicate of its own. */
API int plane_far_socket(plane *p, int id, int fd)
{
    ON_LINE(p, id, l)
    if (l->socket_count == MAX_SOCKETS)
        DONE(p, -EMFILE);
    int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (own < 0)
        DONE(p, -errno);
    if (watch(p, own, id, l->socket_count) < 0) {
        int error = -errno;
        close(own);
        DONE(p, error);
    }
    l->sockets[l->socket_count] = own;
    DONE(p, l->socket_count++);
}

/* By which socket and to whom packets go; index -1: as notes, for a relay. */
API int plane_far_target(plane *p, int id, int index, const char *host, int port)
{
    ON_LINE(p, id, l)
    if (index >= l->socket_count)
        DONE(p, -EINVAL);
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
    if (index >= 0) {
        if (inet_pton(AF_INET, host, &in.sin_addr) == 1) {
            memcpy(&l->address, &in, sizeof in);
            l->address_length = sizeof in;
        } else if (inet_pton(AF_INET6, host, &in6.sin6_addr) == 1) {
            memcpy(&l->address, &in6, sizeof in6);
            l->address_length = sizeof in6;
        } else {
            DONE(p, -EINVAL);
        }
    }
    l->target = index;
    DONE(p, 0);
}

/* A datagram that something else has read for this line. */
API int plane_far_datagram(plane *p, int id, const uint8_t *data, int length)
{
    uint8_t packet[MAX_PACKET];
    if (length < 0 || length > MAX_PACKET)
        return -EMSGSIZE;
    memcpy(packet, data, (size_t)length);
    ON_LINE(p, id, l)
    line_datagram(l, -1, packet, length, NULL);
    DONE(p, 0);
}

API int plane_far_rtcp(plane *p, int id, const uint8_t *packet, int length)
{
    ON_LINE(p, id, l)
    DONE(p, line_send_rtcp(l, packet, length));
}

/* Nothing is sent any more, the timestamp goes on; the SRTP sessions are not touched again. */
API int plane_far_detach(plane *p, int id)
{
    ON_LINE(p, id, l)
    close_sockets(l);
    l->attached = l->by_frames = 0;
    l->rx = l->tx = NULL;
    l->target = -1;
    l->playout.conceal = NULL; /* the codec's state goes with the far side */
    DONE(p, 0);
}
