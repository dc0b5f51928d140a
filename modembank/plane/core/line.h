/* A line of the plane: one modem's audio port and, while one is attached, its far side. */

#ifndef MODEMBANK_LINE_H
#define MODEMBANK_LINE_H

#include "plane.h"

#include <pthread.h>
#include <sys/socket.h>

enum { MAX_LINES = 4096, MAX_SOCKETS = 16, MAX_NOTES = 2048 };

enum { PHASE_DIALING, PHASE_ALERTING, PHASE_TALKING, PHASE_HELD };

/* What the plane tells Python; `plane_next` copies one at a time. */
enum { NOTE_DATAGRAM = 1, NOTE_RTCP, NOTE_EVENT, NOTE_EARLY, NOTE_PORT_LOST, NOTE_RELAY, NOTE_FRAME };

typedef struct {
    int32_t line, kind, socket, length;
    uint32_t value;    /* an event's timestamp, a lost port's errno */
    uint32_t port;     /* of a datagram's sender */
    char host[48];
    uint8_t data[MAX_PACKET];
} note;

typedef struct {
    int (*protect)(void *, void *, int *);
    int (*unprotect)(void *, void *, int *);
    int (*protect_rtcp)(void *, void *, int *);
    int (*unprotect_rtcp)(void *, void *, int *);
} srtp_functions;

/* One direction of sound that repeats: ringback, comfort noise. */
typedef struct {
    const int16_t *frames;
    int count, at;
} loop;

/* Read in place by Python (binding.py has the same fields in the same order). */
typedef struct {
    double last_read_s;
    int64_t frames_read, frames_written, frames_refused, stalls, stalled;
    int64_t sent_packets, sent_octets, unsent, rejected;
    int64_t out_timestamp;
    int64_t levels; /* how many pairs of levels were made */
    int64_t rms_to_far, rms_from_far;
} facts;

typedef struct plane plane;

typedef struct {
    facts facts;
    playout playout;
    stream stream;
    plane *plane;
    int id, tty;
    int samples, phase, muted, ringback_on, early, loud_frames, paused;
    loop ringback, comfort;
    int rest_in, rest_out;
    uint8_t in[MAX_FRAME], out[MAX_FRAME];
    int64_t metered, peak_to_far, peak_from_far;
    /* the far side */
    int attached, by_frames; /* by_frames: Python makes and reads the packets */
    codec codec;
    uint8_t events[128];
    void *rx, *tx;
    int sockets[MAX_SOCKETS], socket_count;
    int target; /* index of the socket to send by; -1 when a relay carries the packets */
    struct sockaddr_storage address;
    socklen_t address_length;
    uint32_t ssrc, timestamp;
    uint16_t sequence;
    int marker;
} line;

struct plane {
    int epoll, wake, note_fd, stopping;
    pthread_t thread;
    pthread_mutex_t lock;
    srtp_functions srtp;
    line *lines[MAX_LINES];
    uint32_t generations[MAX_LINES];
    int line_count;   /* one more than the highest number in use */
    int waiting;      /* lines whose modem gave nothing at the last look */
    double check_due, stand_in_due;
    note *notes;
    int note_first, note_count;
    int64_t notes_lost;
};

double now_s(void);
void tell(plane *p, int line_id, int kind, int socket_index, uint32_t value, const void *data, int length,
          const struct sockaddr *from);

/* plane.c; the lock is held in those that take a line or its number. */
enum { SOURCE_TTY = 255 }; /* else the index of a socket */

void *run(void *context);
void wake(plane *p);
int watch(plane *p, int fd, int id, int source);
void close_sockets(line *l);
void close_line(plane *p, int id);

/* line.c: what happens on one line; the plane's lock is held. */
void line_readable(line *l);
void line_datagram(line *l, int socket_index, uint8_t *packet, int length, const struct sockaddr *from);
void line_stand_in(line *l);
int line_check(line *l, double now); /* whether the modem stands still */
void line_far_frame(line *l, int64_t position, const int16_t *pcm);
int line_send_rtcp(line *l, const uint8_t *packet, int length);
void line_drop_port(line *l, int error);

#endif
