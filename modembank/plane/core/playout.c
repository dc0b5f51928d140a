/* The far side's frames, put in order and balanced against the modem's clock.
 *
 * The rules, and why they are so, stand in media/playout.py: this is the same machine in C, and both run under
 * the same tests. What it returns are frames to be written now, in `out` (room for MAX_PUT frames).
 */

#include "plane.h"

#include <math.h>
#include <string.h>

enum {
    FLOOR_FRAMES = 1,
    EXTRA_FRAMES = 3,
    HOLD_FRAMES = 4,
    RESYNC_FRAMES = 250,
    PATIENCE_TICKS = 250,
    PATIENCE_MAX_TICKS = 2000,
    SHED_WAIT_FRAMES = 25,
    SILENT_RMS = 100,
    FADES = 3,
    NEVER = 1 << 30,
};

static const double FADE[FADES] = {0.6, 0.4, 0.2};

static int put_samples(playout *p, const int16_t *pcm, int16_t *out, int count)
{
    if (count >= MAX_PUT)
        return count;
    memcpy(out + count * p->samples, pcm, 2 * (size_t)p->samples);
    return count + 1;
}

void playout_prepare(playout *p, int samples)
{
    memset(p, 0, sizeof *p);
    p->samples = samples;
    p->burst = p->window_burst = 1;
    p->window_min = NEVER;
    p->patience = PATIENCE_TICKS;
    p->since_shed = NEVER;
}

void playout_new_source(playout *p, conceal_fn conceal, void *context)
{
    p->conceal = conceal;
    p->context = context;
    p->has_newest = 0;
    p->held_count = 0;
}

static int held_at(const playout *p, int64_t position)
{
    for (int i = 0; i < p->held_count; i++)
        if (p->held[i].position == position)
            return i;
    return -1;
}

int playout_missing(const playout *p, int64_t position)
{
    if (!p->has_newest)
        return 0;
    int64_t gap = position - p->newest;
    return gap > 0 && gap <= HOLD_FRAMES && gap > p->filled && held_at(p, position) < 0;
}

static int room(const playout *p)
{
    return p->level < FLOOR_FRAMES + EXTRA_FRAMES + p->burst - 1;
}

static void late(playout *p)
{
    p->late++;
    p->filled = 0;
    if (p->since_shed < p->patience) {
        p->patience = 2 * p->patience < PATIENCE_MAX_TICKS ? 2 * p->patience : PATIENCE_MAX_TICKS;
        p->since_shed = NEVER;
    }
}

static int shed_now(playout *p, const int16_t *pcm)
{
    if (!p->shed_due)
        return 0;
    p->shed_due--;
    if (p->shed_due && rms(pcm, p->samples) > SILENT_RMS)
        return 0;
    p->shed_due = 0;
    p->since_shed = 0;
    return 1;
}

static int put_real(playout *p, int64_t position, const int16_t *pcm, int16_t *out, int count)
{
    int64_t skipped = position - p->newest - 1 - p->filled;
    if (skipped < 0)
        late(p);
    p->newest = position;
    p->filled = 0;
    if (p->shed_due && skipped > 0) {
        p->shed_due = 0; /* the network left one out for us */
        p->since_shed = 0;
    } else if (!room(p) || shed_now(p, pcm)) {
        p->dropped++;
        return count;
    }
    p->level++;
    p->written++;
    memcpy(p->last, pcm, 2 * (size_t)p->samples);
    return put_samples(p, pcm, out, count);
}

static void forget_held(playout *p, int index)
{
    p->held_count--;
    memmove(&p->held[index], &p->held[index + 1], (size_t)(p->held_count - index) * sizeof p->held[0]);
}

static void hold(playout *p, int64_t position, const int16_t *pcm)
{
    int at = held_at(p, position);
    if (at < 0) {
        if (p->held_count == MAX_PUT)
            return;
        for (at = p->held_count; at > 0 && p->held[at - 1].position > position; at--)
            p->held[at] = p->held[at - 1];
        p->held_count++;
    }
    p->held[at].position = position;
    memcpy(p->held[at].pcm, pcm, 2 * (size_t)p->samples);
}

static int release(playout *p, int16_t *out, int count)
{
    while (p->held_count) {
        held_frame *first = &p->held[0];
        if (first->position <= p->newest)
            p->late++;
        else if (first->position - p->newest - 1 <= p->filled)
            count = put_real(p, first->position, first->pcm, out, count);
        else
            break;
        forget_held(p, 0);
    }
    return count;
}

static int unusual(playout *p, int64_t position, int64_t gap, const int16_t *pcm, int16_t *out)
{
    if (gap < 0) {
        if (gap > -RESYNC_FRAMES) {
            p->late++;
            return 0;
        }
        p->held_count = 0;
    } else if (gap > p->filled) {
        if (gap - p->filled <= HOLD_FRAMES && !p->shed_due) {
            hold(p, position, pcm);
            return 0;
        }
        if (gap - p->filled > HOLD_FRAMES) {
            p->dropped += p->held_count;
            p->held_count = 0;
        }
    }
    int count = put_real(p, position, pcm, out, 0);
    return p->held_count ? release(p, out, count) : count;
}

int playout_frame(playout *p, int64_t position, const int16_t *pcm, int16_t *out)
{
    if (!p->has_newest) {
        p->has_newest = 1;
        p->newest = position - 1;
        p->filled = 0;
    }
    int64_t gap = position - p->newest - 1;
    if (gap == 0 && !p->held_count && !p->shed_due && room(p)) {
        if (p->filled)
            late(p);
        p->newest = position;
        p->level++;
        p->written++;
        memcpy(p->last, pcm, 2 * (size_t)p->samples);
        return put_samples(p, pcm, out, 0);
    }
    return unusual(p, position, gap, pcm, out);
}

static void make_filler(playout *p)
{
    if (!p->has_newest || p->filled >= FADES) {
        memset(p->last, 0, sizeof p->last);
        return;
    }
    p->concealed++;
    if (p->conceal) {
        if (!p->conceal(p->context, p->last))
            memset(p->last, 0, sizeof p->last);
        return;
    }
    double factor = FADE[p->filled];
    for (int i = 0; i < p->samples; i++)
        p->last[i] = (int16_t)floor(p->last[i] * factor);
}

static int fill(playout *p, int16_t *out)
{
    int count = 0;
    if (p->level < 0) {
        p->level = 0; /* what the modem did not have it cannot have played */
        p->underruns += p->ticking;
    }
    if (!p->ticking) {
        static const int16_t silence[MAX_SAMPLES];
        for (; p->level < FLOOR_FRAMES; p->level++)
            count = put_samples(p, silence, out, count);
        return count;
    }
    while (p->level < FLOOR_FRAMES) {
        make_filler(p);
        p->filled++;
        p->level++;
        count = put_samples(p, p->last, out, count);
        if (p->held_count)
            count = release(p, out, count);
    }
    return count;
}

static void window_ends(playout *p)
{
    if (p->window_min > FLOOR_FRAMES) {
        if (!p->shed_due)
            p->shed_due = SHED_WAIT_FRAMES;
    } else if (p->since_shed > 4 * p->patience) {
        p->patience = p->patience / 2 > PATIENCE_TICKS ? p->patience / 2 : PATIENCE_TICKS;
    }
    p->burst = p->window_burst;
    p->window_burst = 1;
    p->window_ticks = 0;
    p->window_min = NEVER;
}

int playout_tick(playout *p, int64_t count, int16_t *out)
{
    int put = 0;
    p->level -= count;
    if (count > p->window_burst) {
        p->window_burst = count;
        if (count > p->burst)
            p->burst = count;
    }
    if (p->level < FLOOR_FRAMES)
        put = fill(p, out);
    p->ticking = 1;
    if (p->level < p->window_min)
        p->window_min = p->level;
    p->since_shed += count;
    p->window_ticks += count;
    if (p->window_ticks >= p->patience)
        window_ends(p);
    return put;
}

void playout_refused(playout *p, int64_t frames)
{
    p->level = p->level > frames ? p->level - frames : 0;
    p->dropped += frames;
    p->written -= frames;
}

void playout_restart(playout *p)
{
    p->level = 0;
    p->ticking = 0;
    p->window_min = NEVER;
    p->window_ticks = 0;
}
