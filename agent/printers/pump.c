/*
 * pump - the short way of a print's lines, in C: bare oks come in, the next lines go out.
 *
 * The theory is in protocols/gcode/flow.py, and its rules are these: this does nothing that the
 * long way would not do, and leaves untouched whatever is out of the ordinary.  A line is lent by
 * its owner (pump.py) with what may be written next; it is given back with what was written and
 * what was accepted.  Nothing is allocated here, and no other thread looks at a lent line.
 *
 * While the firmware has lines enough a line may rest, so that several oks are answered in one go;
 * for how long is found out as resting.py does, where the theory is.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define LINES_MAX 160    /* under way and ready, of one serial line */
#define HEARD_MAX 4096   /* bytes of one read */
#define NOTES_MAX 160    /* exchanges before a line is given back */
#define NOTED_MAX 4096   /* bytes that were heard in them */
#define EVENTS_MAX 32

/* As in resting.py. */
#define STEP_S 0.001
#define WAIT_S_MIN 0.001
#define FIRST_SHARE 0.5
#define LONGER 1.05
#define LONGER_S 0.0001
#define SHORTER 0.85

/* As in line_loop.py. */
#define TOGETHER_S 0.001
#define ROUNDED_S 0.0001

enum { LENT = 1 };

struct note {
    double at_s;
    int32_t heard, said; /* bytes */
};

struct line {
    int32_t descriptor;
    int32_t lent;
    /* What the owner tells. */
    int32_t lines_max, bytes_max;   /* the window */
    int32_t under_way;              /* so many of `sizes` are on the wire */
    int32_t count;                  /* of `sizes` */
    int32_t number;                 /* of the oldest line, under way or not */
    double rest_s_max;              /* for so long nobody need look, as long as all is well */
    int32_t sizes[LINES_MAX];       /* bytes of each line, oldest first */
    const char *ready;              /* the bytes of those not written yet, end to end */
    /* What comes of it. */
    int32_t accepted, written;      /* lines */
    int32_t unwritten;              /* bytes of the lines written that the port did not take */
    int32_t heard_count;            /* bytes in `heard`, which nobody has answered: lent, a piece of an ok */
    int32_t notes_count;
    char heard[HEARD_MAX];
    char noted[NOTED_MAX];          /* the bytes heard of each exchange, end to end */
    struct note notes[NOTES_MAX];
    /* Its own. */
    int32_t noted_count, bytes_under_way, said;
    double rests_until_s;           /* monotonic; 0: it does not rest */
    /* Its own, kept from one lending to the next. */
    int32_t met, sample, emptied;
    double sampled_s, way_s, waits_s, rest_s;
};

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Count the oks that `data` begins with; *whole becomes their bytes. */
static int count_oks(const char *data, int size, int *whole)
{
    int oks = 0, at = 0;
    for (;;) {
        if (size - at >= 3 && !memcmp(data + at, "ok\n", 3))
            at += 3;
        else if (size - at >= 4 && !memcmp(data + at, "ok\r\n", 4))
            at += 4;
        else
            break;
        oks++;
    }
    *whole = at;
    return oks;
}

static int begins_ok(const char *data, int size)
{
    return size < 4 && !memcmp(data, "ok\r", (size_t)size);
}

/* Write what the window has room for.  False: the port did not take all of it. */
static int say(struct line *l, int *said)
{
    int next = l->accepted + l->under_way, size = 0;
    while (l->under_way < l->lines_max && l->bytes_under_way < l->bytes_max && next < l->count) {
        if (l->under_way && l->bytes_under_way + l->sizes[next] > l->bytes_max)
            break;
        l->bytes_under_way += l->sizes[next];
        size += l->sizes[next++];
        l->under_way++;
        l->written++;
    }
    *said = size;
    if (!size)
        return 1;
    ssize_t done = write(l->descriptor, l->ready + l->said, (size_t)size);
    l->said += size;
    l->unwritten = size - (done > 0 ? (int)done : 0);
    return !l->unwritten;
}

/* Return for how long the line may rest after an answer; `left`: under way before it. */
double pump_rest(struct line *l, double at_s, int left)
{
    int accepted = l->number - 1 + l->accepted, written = accepted + l->under_way;
    if (!l->met) {
        l->met = 1;
        l->sample = -1;
        l->way_s = INFINITY;
    }
    if (accepted >= l->sample || written < l->sample) {
        if (l->sample >= 0 && l->sample <= written) {
            double took_s = at_s - l->sampled_s;
            if (took_s < l->way_s)
                l->way_s = took_s;
            l->waits_s = took_s - l->way_s;
        }
        l->sample = written;
        l->sampled_s = at_s;
    }
    if (l->waits_s < WAIT_S_MIN)
        return 0;
    if (!left) {
        l->rest_s *= SHORTER;
        if (l->emptied) {
            l->sample = written;
            l->sampled_s = at_s;
            l->waits_s = 0;
        }
        l->emptied = !l->emptied;
        if (!l->emptied)
            return 0;
    } else {
        l->emptied = 0;
        if (l->rest_s == 0)
            l->rest_s = l->waits_s * FIRST_SHARE;
        else if (l->rest_s < l->rest_s_max)
            l->rest_s = l->rest_s * LONGER + LONGER_S;
    }
    return fmin(floor(l->rest_s / STEP_S) * STEP_S, l->rest_s_max);
}

static void watch(int epoll, struct line *l, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.fd = l->descriptor};
    epoll_ctl(epoll, EPOLL_CTL_MOD, l->descriptor, &event);
}

static void wake(int epoll, struct line *l)
{
    if (l->rests_until_s > 0)
        watch(epoll, l, EPOLLIN);
    l->rests_until_s = 0;
}

/* Read and answer; false where the owner has to look at the line. */
static int serve(int epoll, struct line *l, int ready)
{
    ssize_t n = read(l->descriptor, l->heard + l->heard_count, (size_t)(HEARD_MAX - l->heard_count));
    if (n <= 0) {
        wake(epoll, l);
        return !ready; /* an end or an error: the owner finds out by itself */
    }
    double at_s = now_s();
    l->heard_count += (int)n;
    int whole, oks = count_oks(l->heard, l->heard_count, &whole), tail = l->heard_count - whole;
    if (tail && !begins_ok(l->heard + whole, tail))
        return 0;
    if (!oks) {
        wake(epoll, l);
        return 1; /* more of it is on its way */
    }
    if (oks > l->under_way || l->noted_count + whole > NOTED_MAX)
        return 0;
    for (int i = 0; i < oks; i++)
        l->bytes_under_way -= l->sizes[l->accepted++];
    int left = l->under_way -= oks;
    memcpy(l->noted + l->noted_count, l->heard, (size_t)whole);
    l->noted_count += whole;
    memmove(l->heard, l->heard + whole, (size_t)tail);
    l->heard_count = tail;
    struct note *note = &l->notes[l->notes_count++];
    note->at_s = at_s;
    note->heard = whole;
    int went = say(l, &note->said), ready_lines = l->count - l->accepted - l->under_way;
    double rest_s = pump_rest(l, at_s, left);
    if (!went || ready_lines < l->lines_max || l->notes_count == NOTES_MAX)
        return 0;
    if (rest_s > 0) {
        if (l->rests_until_s == 0)
            watch(epoll, l, 0);
        l->rests_until_s = at_s + rest_s;
    } else
        wake(epoll, l);
    return 1;
}

/* Begin with a line whose owner has told all that is to be told. */
void pump_lend(struct line *l)
{
    l->accepted = l->written = l->unwritten = 0;
    l->notes_count = l->noted_count = l->said = l->bytes_under_way = 0;
    for (int i = 0; i < l->under_way; i++)
        l->bytes_under_way += l->sizes[i];
    l->rests_until_s = 0;
    l->lent = LENT;
}

/* End the lending. */
void pump_take_back(int epoll, struct line *l)
{
    wake(epoll, l);
    l->lent = 0;
}

/*
 * Serve lent lines until something else is ready, a lent line needs its owner, or the time comes.
 *
 * until_s: monotonic; negative: never.  found: takes the descriptors that need somebody.
 * Returns how many there are; a line's owner has to take the line back.
 */
int pump_wait(int epoll, struct line **lines, int count, double until_s, int32_t *found)
{
    struct epoll_event events[EVENTS_MAX];
    for (;;) {
        int need = 0;
        double at_s = until_s < 0 ? INFINITY : until_s;
        for (int k = 0; k < count; k++)
            if (lines[k]->lent && lines[k]->rests_until_s > 0)
                at_s = fmin(at_s, lines[k]->rests_until_s - ROUNDED_S);
        double wait_ms = fmin(ceil(fmax(at_s - now_s(), 0) * 1e3), INT_MAX);
        int n = epoll_wait(epoll, events, EVENTS_MAX, at_s == INFINITY ? -1 : (int)wait_ms);
        if (n < 0)
            return 0; /* a signal: the caller sees to it */
        double now = now_s();
        for (int i = 0; i < n; i++) {
            struct line *its = 0;
            for (int k = 0; k < count && !its; k++)
                if (lines[k]->descriptor == events[i].data.fd && lines[k]->lent)
                    its = lines[k];
            if (!its || events[i].events & ~(uint32_t)EPOLLIN || !serve(epoll, its, 1))
                found[need++] = events[i].data.fd;
        }
        for (int k = 0; k < count && need < EVENTS_MAX; k++) {
            struct line *l = lines[k];
            if (l->lent && l->rests_until_s > 0 && l->rests_until_s <= now + TOGETHER_S &&
                !serve(epoll, l, 0))
                found[need++] = l->descriptor;
        }
        if (need || (until_s >= 0 && now >= until_s))
            return need;
    }
}

/* So that whoever loads this finds out whether it means the same by a line. */
int pump_line_bytes(void)
{
    return (int)sizeof(struct line);
}
