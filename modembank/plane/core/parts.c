/* What only the tests call: the parts of the core without a line, beside their Python references. */

#include "plane.h"

#include <stdlib.h>

API playout *plane_playout_new(int samples)
{
    playout *p = malloc(sizeof *p);
    if (p)
        playout_prepare(p, samples);
    return p;
}

API void plane_playout_free(playout *p)
{
    free(p);
}

API int plane_playout_frame(playout *p, int64_t position, const int16_t *pcm, int16_t *out)
{
    return playout_frame(p, position, pcm, out);
}

API int plane_playout_tick(playout *p, int64_t count, int16_t *out)
{
    return playout_tick(p, count, out);
}

API void plane_playout_refused(playout *p, int64_t frames)
{
    playout_refused(p, frames);
}

API void plane_playout_restart(playout *p)
{
    playout_restart(p);
}

API void plane_playout_new_source(playout *p)
{
    playout_new_source(p, NULL, NULL);
}

API int plane_playout_missing(const playout *p, int64_t position)
{
    return playout_missing(p, position);
}

API void plane_g711(int kind, int decode, const void *in, int samples, void *out)
{
    g711_prepare();
    if (decode)
        (kind == CODEC_PCMA ? alaw_decode : ulaw_decode)(in, samples, out);
    else
        (kind == CODEC_PCMA ? alaw_encode : ulaw_encode)(in, samples, out);
}

API stream *plane_stream_new(void)
{
    g711_prepare();
    stream *s = malloc(sizeof *s);
    if (s)
        stream_prepare(s);
    return s;
}

API void plane_stream_free(stream *s)
{
    free(s);
}

API void plane_stream_take(stream *s, codec *c, const uint8_t *events, const stream_user *user,
                           const uint8_t *packet, int length, double now_s)
{
    stream_take(s, c, events, user, packet, length, now_s);
}
