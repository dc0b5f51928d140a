/* G.711 by table, and the level of a frame. Equal to Python's audioop in every value, which the tests check. */

#include "plane.h"

#include <math.h>

static uint8_t alaw_of[8192];   /* by the upper 13 bits of a sample */
static uint8_t ulaw_of[16384];  /* by the upper 14 bits of a sample */
static int16_t of_alaw[256], of_ulaw[256];

static uint8_t to_alaw(int value)
{
    /* 13 bits in; the sign bit is 1 for positive values, even bits are inverted on the line. */
    int mask = 0xD5;
    if (value < 0) {
        mask = 0x55;
        value = -value - 1;
    }
    int segment = 0;
    while (segment < 8 && value > (0x20 << segment) - 1)
        segment++;
    if (segment >= 8)
        return (uint8_t)(0x7F ^ mask);
    int step = segment < 2 ? value >> 1 : value >> segment;
    return (uint8_t)(((segment << 4) | (step & 0x0F)) ^ mask);
}

static uint8_t to_ulaw(int value)
{
    /* 14 bits in; biased by 33 so that the segment is the position of the highest bit. */
    enum { BIAS = 33, CLIP = 8159 };
    int mask = 0xFF;
    if (value < 0) {
        value = -value;
        mask = 0x7F;
    }
    if (value > CLIP)
        value = CLIP;
    value += BIAS;
    int segment = 0;
    while (segment < 8 && value > (0x40 << segment) - 1)
        segment++;
    if (segment >= 8)
        return (uint8_t)(0x7F ^ mask);
    return (uint8_t)(((segment << 4) | ((value >> (segment + 1)) & 0x0F)) ^ mask);
}

static int16_t from_alaw(uint8_t code)
{
    code ^= 0x55;
    int value = (code & 0x0F) << 4;
    int segment = (code & 0x70) >> 4;
    value += segment ? 0x108 : 8;
    if (segment > 1)
        value <<= segment - 1;
    return (int16_t)(code & 0x80 ? value : -value);
}

static int16_t from_ulaw(uint8_t code)
{
    code = (uint8_t)~code;
    int value = (((code & 0x0F) << 3) + 0x84) << ((code & 0x70) >> 4);
    return (int16_t)(code & 0x80 ? 0x84 - value : value - 0x84);
}

void g711_prepare(void)
{
    for (int i = 0; i < 8192; i++)
        alaw_of[i] = to_alaw(i < 4096 ? i : i - 8192);
    for (int i = 0; i < 16384; i++)
        ulaw_of[i] = to_ulaw(i < 8192 ? i : i - 16384);
    for (int i = 0; i < 256; i++) {
        of_alaw[i] = from_alaw((uint8_t)i);
        of_ulaw[i] = from_ulaw((uint8_t)i);
    }
}

void alaw_encode(const int16_t *pcm, int samples, uint8_t *out)
{
    for (int i = 0; i < samples; i++)
        out[i] = alaw_of[(uint16_t)pcm[i] >> 3];
}

void ulaw_encode(const int16_t *pcm, int samples, uint8_t *out)
{
    for (int i = 0; i < samples; i++)
        out[i] = ulaw_of[(uint16_t)pcm[i] >> 2];
}

void alaw_decode(const uint8_t *in, int samples, int16_t *pcm)
{
    for (int i = 0; i < samples; i++)
        pcm[i] = of_alaw[in[i]];
}

void ulaw_decode(const uint8_t *in, int samples, int16_t *pcm)
{
    for (int i = 0; i < samples; i++)
        pcm[i] = of_ulaw[in[i]];
}

unsigned rms(const int16_t *pcm, int samples)
{
    int64_t squares = 0;
    for (int i = 0; i < samples; i++)
        squares += (int64_t)pcm[i] * pcm[i];
    return (unsigned)sqrt((double)squares / samples);
}
