/* The plane: one thread and one epoll for all lines of the process.
 *
 * One lock guards everything. The thread holds it for one batch of events at most, a caller for one call; a batch
 * is a few dozen packets of some microseconds each. Whatever Python must decide goes up as a note, through a ring
 * with a bound and a descriptor that can be waited for.
 */

#include "line.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

enum {
    BATCH = 32,
    FRAME_MS = 20,
    CHECK_MS = 50,    /* how often stalled modems are looked for */
};

double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void tell(plane *p, int line_id, int kind, int socket_index, uint32_t value, const void *data, int length,
          const struct sockaddr *from)
{
    if (p->note_count == MAX_NOTES || length > MAX_PACKET) {
        p->notes_lost++;
        return;
    }
    note *n = &p->notes[(p->note_first + p->note_count++) % MAX_NOTES];
    n->line = line_id;
    n->kind = kind;
    n->socket = socket_index;
    n->value = value;
    n->length = length;
    n->port = 0;
    n->host[0] = 0;
    if (length)
        memcpy(n->data, data, (size_t)length);
    if (from && from->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)from;
        inet_ntop(AF_INET, &in->sin_addr, n->host, sizeof n->host);
        n->port = ntohs(in->sin_port);
    } else if (from && from->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)from;
        inet_ntop(AF_INET6, &in6->sin6_addr, n->host, sizeof n->host);
        n->port = ntohs(in6->sin6_port);
    }
    if (p->note_count == 1) {
        uint64_t one = 1;
        ssize_t ignored = write(p->note_fd, &one, sizeof one);
        (void)ignored; /* a counter that cannot overflow */
    }
}

/* What epoll gives back: which line, which generation of its number, which descriptor of it. */
static uint64_t tag(const plane *p, int id, int source)
{
    return (uint64_t)p->generations[id] << 32 | (uint64_t)id << 8 | (uint64_t)source;
}

int watch(plane *p, int fd, int id, int source)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = tag(p, id, source)};
    return epoll_ctl(p->epoll, EPOLL_CTL_ADD, fd, &event);
}

static void serve(plane *p, uint64_t where)
{
    if (where == UINT64_MAX) {
        uint64_t ignored;
        ssize_t got = read(p->wake, &ignored, sizeof ignored);
        (void)got;
        return;
    }
    int id = (int)(where >> 8 & 0xFFFFFF), source = (int)(where & 0xFF);
    line *l = p->lines[id];
    if (!l || p->generations[id] != (uint32_t)(where >> 32))
        return; /* closed by an earlier event of the same batch */
    if (source == SOURCE_TTY) {
        if (l->tty >= 0)
            line_readable(l);
        return;
    }
    if (source >= l->socket_count)
        return;
    uint8_t packet[MAX_PACKET];
    struct sockaddr_storage from;
    socklen_t size = sizeof from;
    ssize_t got = recvfrom(l->sockets[source], packet, sizeof packet, MSG_DONTWAIT, (struct sockaddr *)&from, &size);
    if (got > 0)
        line_datagram(l, source, packet, (int)got, (struct sockaddr *)&from);
}

/* Find the modems without a clock, and stand in for them. How many milliseconds until the next time. */
static int keep_time(plane *p)
{
    double now = now_s();
    if (now >= p->check_due) {
        p->waiting = 0;
        for (int i = 0; i < p->line_count; i++)
            if (p->lines[i])
                p->waiting += line_check(p->lines[i], now);
        p->check_due = now + CHECK_MS / 1000.0;
    }
    if (!p->waiting) {
        p->stand_in_due = now + FRAME_MS / 1000.0;
    } else if (now >= p->stand_in_due) {
        for (int i = 0; i < p->line_count; i++)
            if (p->lines[i] && p->lines[i]->facts.stalled)
                line_stand_in(p->lines[i]);
        p->stand_in_due += FRAME_MS / 1000.0;
        if (p->stand_in_due < now - 5 * FRAME_MS / 1000.0) /* a stopped thread is not made up for */
            p->stand_in_due = now;
    }
    double next = p->waiting && p->stand_in_due < p->check_due ? p->stand_in_due : p->check_due;
    int ms = (int)((next - now) * 1000.0 + 0.999);
    return ms > 0 ? ms : 0;
}

void *run(void *context)
{
    plane *p = context;
    struct epoll_event events[BATCH];
    int wait_ms = -1;
    for (;;) {
        int count = epoll_wait(p->epoll, events, BATCH, wait_ms);
        pthread_mutex_lock(&p->lock);
        if (p->stopping) {
            pthread_mutex_unlock(&p->lock);
            return NULL;
        }
        for (int i = 0; i < count; i++)
            serve(p, events[i].data.u64);
        wait_ms = p->line_count ? keep_time(p) : -1;
        pthread_mutex_unlock(&p->lock);
    }
}

void wake(plane *p)
{
    uint64_t one = 1;
    ssize_t ignored = write(p->wake, &one, sizeof one);
    (void)ignored;
}

void close_sockets(line *l)
{
    for (int i = 0; i < l->socket_count; i++) {
        epoll_ctl(l->plane->epoll, EPOLL_CTL_DEL, l->sockets[i], NULL);
        close(l->sockets[i]);
    }
    l->socket_count = 0;
}

void close_line(plane *p, int id)
{
    line *l = p->lines[id];
    close_sockets(l);
    if (l->tty >= 0)
        epoll_ctl(p->epoll, EPOLL_CTL_DEL, l->tty, NULL);
    free(l);
    p->lines[id] = NULL;
    p->generations[id]++;
    while (p->line_count && !p->lines[p->line_count - 1])
        p->line_count--;
}
