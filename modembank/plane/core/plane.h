/* The audio plane: what its files share. Every length is in bytes unless its name says otherwise. */

#ifndef MODEMBANK_PLANE_H
#define MODEMBANK_PLANE_H

#include <netinet/in.h>
#include <stdint.h>

#define API __attribute__((visibility("default")))

enum {
    PLANE_VERSION = 2,
    MAX_SAMPLES = 320,                /* 20 ms at 16 kHz */
    MAX_FRAME = 2 * MAX_SAMPLES,
    MAX_PACKET = 2048,                /* more than an MTU of 1500 with an SRTP trailer */
    MAX_PUT = 8,                      /* frames that one step of the playout puts out at most */
    MAX_DECODED_SAMPLES = 6 * MAX_SAMPLES, /* Opus packets hold at most 120 ms (RFC 6716 section 2.1.4) */
};

/* ---- G.711 (ITU-T G.711 tables 1 and 2) ---- */

void g711_prepare(void);
void alaw_encode(const int16_t *pcm, int samples, uint8_t *out);
void ulaw_encode(const int16_t *pcm, int samples, uint8_t *out);
void alaw_decode(const uint8_t *in, int samples, int16_t *pcm);
void ulaw_decode(const uint8_t *in, int samples, int16_t *pcm);

/* ---- levels ---- */

unsigned rms(const int16_t *pcm, int samples);

/* ---- playout: see playout.c and media/playout.py, its reference ---- */

typedef int (*conceal_fn)(void *context, int16_t *pcm); /* writes one frame; 0 when it cannot */

typedef struct {
    int64_t position;
    int16_t pcm[MAX_SAMPLES];
} held_frame;

typedef struct {
    /* counters first: Python reads them in place */
    int64_t written, concealed, late, dropped, underruns, level;
    int samples;
    conceal_fn conceal;
    void *context;
    int16_t last[MAX_SAMPLES];
    int has_newest, ticking;
    int64_t newest, filled;
    held_frame held[MAX_PUT];
    int held_count;
    int64_t burst, window_burst, window_ticks, window_min, patience, shed_due, since_shed;
} playout;

void playout_prepare(playout *p, int samples);
void playout_new_source(playout *p, conceal_fn conceal, void *context);
int playout_missing(const playout *p, int64_t position);
int playout_frame(playout *p, int64_t position, const int16_t *pcm, int16_t *out);
int playout_tick(playout *p, int64_t count, int16_t *out);
void playout_refused(playout *p, int64_t frames);
void playout_restart(playout *p);

/* ---- one received stream: see stream.c and webrtc/stream.py, its reference ---- */

enum { CODEC_PCMA = 0, CODEC_PCMU = 1, CODEC_OPUS = 2 };

typedef int (*opus_encode_fn)(void *encoder, const int16_t *pcm, int samples, uint8_t *out, int32_t size);
typedef int (*opus_decode_fn)(void *decoder, const uint8_t *in, int32_t length, int16_t *pcm, int samples, int fec);

typedef struct {
    int kind;             /* CODEC_… */
    int number;           /* RTP payload type */
    int samples;          /* per frame */
    int step;             /* RTP clock units per frame */
    int clock_hz;
    void *encoder, *decoder; /* of Opus */
    opus_encode_fn opus_encode;
    opus_decode_fn opus_decode;
} codec;

int codec_encode(codec *c, const int16_t *pcm, uint8_t *out);                 /* bytes; <= 0 when it failed */
int codec_decode(codec *c, const uint8_t *in, int length, int16_t *pcm);      /* samples */
int codec_conceal(void *c, int16_t *pcm);

typedef struct {
    /* read in place by Python */
    int64_t received, octets, cycles, base, highest, ssrc;
    double jitter;
    int64_t unknown;
    /* private */
    double transit;
    int64_t at, rest_at;
    uint32_t expected;
    int rest_samples;
    int16_t rest[MAX_DECODED_SAMPLES];
    int has_source;
} stream;

/* Who gets what a stream brings. */
typedef struct {
    void *line;
    void (*frame)(void *line, int64_t position, const int16_t *pcm);
    int (*missing)(void *line, int64_t position);
    void (*event)(void *line, uint32_t timestamp, const uint8_t *payload, int length);
    void (*new_source)(void *line);
} stream_user;

void stream_prepare(stream *s);
void stream_take(stream *s, codec *c, const uint8_t *events, const stream_user *user,
                 const uint8_t *packet, int length, double now_s);

#endif
