/*
 * nullmarlin - a fast stand-in for a Marlin-style 3D printer firmware.
 *
 * Opens a pseudo terminal and speaks the Marlin serial protocol on it: line
 * numbers and checksums, ok / ADVANCED_OK, resend requests, temperature and
 * capability reports, the busy keepalive.  It is meant for measuring and
 * testing host programs, so by default it is "infinitely fast"; link latency,
 * link speed, command service time, a motion planner that drains in real time
 * and several kinds of line noise can be switched on one by one.
 *
 *   cc -O2 -Wall -Wextra -o nullmarlin nullmarlin.c -lm
 *   ./nullmarlin --link /tmp/ttyNULL --once --stats stats.json
 *
 * The measurement window runs from the command "M117 NULLMARLIN_BEGIN" to the
 * command "M117 NULLMARLIN_END" in the streamed G-code, so that connection
 * set-up and start scripts of the host stay out of the numbers.  Without the
 * markers it runs from the first to the last move.
 *
 * Model (everything is simulated in one thread against CLOCK_MONOTONIC):
 *
 *   host -> pty -> [wire: latency, baud] -> RX buffer -> command queue
 *        -> execution (service time) -> planner (N-1 blocks, drains) -> ok
 *        -> [wire: latency, baud] -> pty -> host
 *
 * As in Marlin, number and checksum are verified when a line moves from the
 * RX buffer to the command queue, "ok" is sent when a command has been
 * executed, a move counts as executed once it is in the planner, and a line
 * error discards whatever is in the RX buffer before the resend is requested.
 *
 * Linux only (inotify, /proc).
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S 1000000000ull
#define NS_PER_MS 1000000ull
#define NS_PER_US 1000ull
#define NEVER UINT64_MAX

#define LINE_MAX_LEN 512  /* storage per command; --max-cmd is the limit   */
#define RX_HIGH_WATER 4096 /* stop reading the pty above this (flow control) */
#define USB_PACKET_LEN 62 /* a full-speed packet without its two status bytes */
#define GAPS_MAX 64        /* starvations that are told one by one */
#define HIST_MAX_US 100000 /* turnaround histogram: 1 us steps up to 100 ms */

/* ------------------------------------------------------------- options -- */

struct injection {
    uint64_t at_line;
    const char *text;
};

static struct {
    const char *link;
    const char *stats;
    const char *dump;
    const char *watch;     /* file with pids to sample at BEGIN and END     */
    bool once;
    bool verbose;
    bool advanced_ok;
    bool banner;
    bool reset_on_open;
    bool resend_ok;        /* send "ok" after a resend request               */
    bool reconnect_keeps_state;
    int resend_style;      /* 0 "Resend: N", 1 "rs N", 2 "Resend:N"          */
    uint64_t rtt_ns;
    double byte_ns;        /* 0 = no baud limit                              */
    uint64_t latency_timer_ns; /* a USB-serial chip delivers only so often   */
    long rx_buf;           /* 0 = flow controlled, else drop on overflow     */
    long cmd_buf;
    long max_cmd;
    long planner;          /* blocks, one of which stays unused as in Marlin */
    double drain;          /* moves/s; 0 = no planner; <0 = from geometry    */
    double feed_scale;
    long prime;            /* moves queued before motion starts ...          */
    uint64_t prime_ns;     /* ... or this much time has passed               */
    uint64_t service_ns;
    uint64_t boot_ns;
    uint64_t heat_ns;
    uint64_t home_ns;
    uint64_t busy_ns;
    uint64_t wait_ns;      /* say "wait" after this much idle time, 0 = never */
    double corrupt_rx, corrupt_tx, drop_ok;
    uint64_t disconnect_at;
    uint64_t reconnect_ns;
    uint64_t seed;
    struct injection inject[32];
    int n_inject;
} opt = {
    .banner = true,
    .reset_on_open = true,
    .resend_ok = true,
    .cmd_buf = 4,
    .max_cmd = 96,
    .planner = 16,
    .feed_scale = 1.0,
    .prime = 3,
    .prime_ns = 100 * NS_PER_MS,
    .boot_ns = 20 * NS_PER_MS,
    .busy_ns = 2 * NS_PER_S,
    .seed = 1,
};

/* ------------------------------------------------------------- helpers -- */

static volatile sig_atomic_t quit_flag;

static void on_signal(int sig) { (void)sig; quit_flag = 1; }

static uint64_t clock_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

static void die(const char *what)
{
    fprintf(stderr, "nullmarlin: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint64_t rng_state;

static uint64_t rng(void) /* splitmix64 */
{
    uint64_t z = (rng_state += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}

static bool chance(double p)
{
    return p > 0 && (double)(rng() >> 11) * 0x1p-53 < p;
}

static void flip_a_bit(char *buf, size_t len)
{
    if (len > 0) /* never touch bit 7, and keep the line structure alive */
        buf[rng() % len] ^= (char)(1u << (rng() % 7));
    for (size_t i = 0; i < len; i++)
        if (buf[i] == '\n' || buf[i] == '\r' || buf[i] == 0)
            buf[i] = '?';
}

/* a growable byte fifo */
struct fifo {
    char *buf;
    size_t head, len, cap;
};

static void fifo_put(struct fifo *f, const char *data, size_t n)
{
    if (f->head + f->len + n > f->cap) {
        memmove(f->buf, f->buf + f->head, f->len);
        f->head = 0;
        if (f->len + n > f->cap) {
            f->cap = (f->len + n) * 2 + 65536;
            f->buf = realloc(f->buf, f->cap);
            if (!f->buf)
                die("realloc");
        }
    }
    memcpy(f->buf + f->head + f->len, data, n);
    f->len += n;
}

static char *fifo_data(struct fifo *f) { return f->buf + f->head; }

static void fifo_drop(struct fifo *f, size_t n)
{
    f->head += n;
    f->len -= n;
    if (f->len == 0)
        f->head = 0;
}

/* ---------------------------------------------------------------- wire -- */

/* One direction of the link.  Bytes travel in segments that end at a newline
 * (or where a read ended); a segment arrives as a whole when its last byte
 * would have. */
struct segment {
    uint64_t ready;
    size_t len;
};

struct wire {
    struct fifo bytes;
    struct segment *seg;
    size_t head, count, cap;
    uint64_t line_free; /* when the wire has finished the previous byte */
};

static void wire_push_segment(struct wire *w, uint64_t ready, size_t len)
{
    if (w->count == w->cap) {
        size_t cap = w->cap ? w->cap * 2 : 256;
        struct segment *s = malloc(cap * sizeof *s);
        if (!s)
            die("malloc");
        for (size_t i = 0; i < w->count; i++)
            s[i] = w->seg[(w->head + i) % w->cap];
        free(w->seg);
        w->seg = s;
        w->cap = cap;
        w->head = 0;
    }
    w->seg[(w->head + w->count++) % w->cap] = (struct segment){ready, len};
}

static void wire_put(struct wire *w, uint64_t now, const char *data, size_t n)
{
    fifo_put(&w->bytes, data, n);
    while (n > 0) {
        const char *nl = memchr(data, '\n', n);
        size_t len = nl ? (size_t)(nl - data) + 1 : n;
        uint64_t start = now;
        if (opt.byte_ns > 0) {
            if (w->line_free > start)
                start = w->line_free;
            start += (uint64_t)(opt.byte_ns * (double)len);
            w->line_free = start;
        }
        wire_push_segment(w, start + opt.rtt_ns / 2, len);
        data += len;
        n -= len;
    }
}

static uint64_t wire_next(const struct wire *w)
{
    return w->count ? w->seg[w->head].ready : NEVER;
}

/* length of the segment that has arrived by `now`, 0 if there is none */
static size_t wire_arrived(struct wire *w, uint64_t now)
{
    return w->count && w->seg[w->head].ready <= now ? w->seg[w->head].len : 0;
}

static void wire_pop(struct wire *w)
{
    fifo_drop(&w->bytes, w->seg[w->head].len);
    w->head = (w->head + 1) % w->cap;
    w->count--;
}

static void wire_clear(struct wire *w)
{
    w->count = w->head = 0;
    w->bytes.len = w->bytes.head = 0;
    w->line_free = 0;
}

/* --------------------------------------------------------------- stats -- */

struct usage {
    double cpu_s;
    long rss_kb, hwm_kb, threads;
    int pids;
};

static struct {
    uint64_t lines;        /* commands accepted in the window               */
    uint64_t moves;        /* of those, moves                                */
    uint64_t bytes;        /* bytes received in the window                   */
    uint64_t resends;
    uint64_t checksum_errors, number_errors, nochecksum_errors;
    uint64_t corrupted_rx, corrupted_tx, dropped_oks;
    uint64_t overflow_bytes;
    uint64_t unnumbered;   /* accepted without a line number                 */
    uint64_t polls;        /* M105 in the window                             */
    uint64_t starvations, starved_ns, starved_max_ns;
    struct {
        uint64_t moves;    /* that were executed when it ended               */
        uint64_t at, ns;
    } gaps[GAPS_MAX];      /* the first starvations                          */
    uint64_t low_water;    /* moves that found at most one block queued      */
    uint64_t fill_sum;     /* sum of planner fill found by moves             */
    double ideal_s;        /* sum of the move durations                      */
    uint64_t begin, end;
    uint64_t first_move, last_move, motion_end;
    uint64_t opens, disconnects;
    uint64_t turnarounds;
    bool begun, ended;
    struct usage use0, use1;
    struct rusage self0;
} st;

static uint32_t hist[HIST_MAX_US + 1];

/* Memory and threads of one process, added to `u`. */
static void sample_status(struct usage *u, int pid)
{
    char path[64], line[1024];
    snprintf(path, sizeof path, "/proc/%d/status", pid);
    FILE *f = fopen(path, "r");
    if (!f)
        return;
    long v;
    while (fgets(line, sizeof line, f)) {
        if (sscanf(line, "VmRSS: %ld", &v) == 1)
            u->rss_kb += v;
        else if (sscanf(line, "VmHWM: %ld", &v) == 1)
            u->hwm_kb += v;
        else if (sscanf(line, "Threads: %ld", &v) == 1)
            u->threads += v;
    }
    fclose(f);
}

static void sample_tree(struct usage *u, int pid);

/* A host may leave its work to child processes: they count as well. */
static void sample_children(struct usage *u, int pid)
{
    char path[320];
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    DIR *tasks = opendir(path);
    if (!tasks)
        return;
    struct dirent *task;
    while ((task = readdir(tasks)) != NULL) {
        if (task->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "/proc/%d/task/%s/children", pid, task->d_name);
        FILE *f = fopen(path, "r");
        if (!f)
            continue;
        int child;
        while (fscanf(f, "%d", &child) == 1)
            sample_tree(u, child);
        fclose(f);
    }
    closedir(tasks);
}

static void sample_tree(struct usage *u, int pid)
{
    clockid_t clock;
    struct timespec ts;
    if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &ts))
        return; /* it has ended */
    u->cpu_s += (double)ts.tv_sec + 1e-9 * (double)ts.tv_nsec;
    u->pids++;
    sample_status(u, pid);
    sample_children(u, pid);
}

static struct usage sample_pids(void)
{
    struct usage u = {0};
    FILE *list = opt.watch ? fopen(opt.watch, "r") : NULL;
    if (!list)
        return u;
    int pid;
    while (fscanf(list, "%d", &pid) == 1)
        sample_tree(&u, pid);
    fclose(list);
    return u;
}

static double percentile_us(double p)
{
    uint64_t want = (uint64_t)ceil(p * (double)st.turnarounds), seen = 0;
    if (!want)
        return 0;
    for (int i = 0; i <= HIST_MAX_US; i++)
        if ((seen += hist[i]) >= want)
            return i;
    return HIST_MAX_US;
}

static double tv(struct timeval t) { return (double)t.tv_sec + 1e-6 * (double)t.tv_usec; }

static void write_stats(void)
{
    FILE *f = opt.stats ? fopen(opt.stats, "w") : stdout;
    if (!f)
        die(opt.stats);
    uint64_t t0 = st.begun ? st.begin : st.first_move;
    uint64_t t1 = st.ended ? st.end : st.last_move;
    double el = t1 > t0 ? (double)(t1 - t0) / 1e9 : 0;
    double motion = st.motion_end > st.first_move
                        ? (double)(st.motion_end - st.first_move) / 1e9 : 0;
    struct rusage ru;
    getrusage(RUSAGE_SELF, &ru);
    double self = tv(ru.ru_utime) + tv(ru.ru_stime) -
                  tv(st.self0.ru_utime) - tv(st.self0.ru_stime);
    double cpu = st.use1.cpu_s - st.use0.cpu_s;
    fprintf(f, "{\n");
    fprintf(f, "  \"complete\": %s,\n", st.ended ? "true" : "false");
    fprintf(f, "  \"lines\": %llu,\n", (unsigned long long)st.lines);
    fprintf(f, "  \"moves\": %llu,\n", (unsigned long long)st.moves);
    fprintf(f, "  \"bytes\": %llu,\n", (unsigned long long)st.bytes);
    fprintf(f, "  \"elapsed_s\": %.6f,\n", el);
    fprintf(f, "  \"lines_per_s\": %.1f,\n", el > 0 ? (double)st.lines / el : 0);
    fprintf(f, "  \"unnumbered\": %llu,\n", (unsigned long long)st.unnumbered);
    fprintf(f, "  \"m105_polls\": %llu,\n", (unsigned long long)st.polls);
    fprintf(f, "  \"resends\": %llu,\n", (unsigned long long)st.resends);
    fprintf(f, "  \"checksum_errors\": %llu,\n", (unsigned long long)st.checksum_errors);
    fprintf(f, "  \"line_number_errors\": %llu,\n", (unsigned long long)st.number_errors);
    fprintf(f, "  \"no_checksum_errors\": %llu,\n", (unsigned long long)st.nochecksum_errors);
    fprintf(f, "  \"corrupted_rx\": %llu,\n", (unsigned long long)st.corrupted_rx);
    fprintf(f, "  \"corrupted_tx\": %llu,\n", (unsigned long long)st.corrupted_tx);
    fprintf(f, "  \"dropped_oks\": %llu,\n", (unsigned long long)st.dropped_oks);
    fprintf(f, "  \"rx_overflow_bytes\": %llu,\n", (unsigned long long)st.overflow_bytes);
    fprintf(f, "  \"starvations\": %llu,\n", (unsigned long long)st.starvations);
    fprintf(f, "  \"starved_s\": %.6f,\n", (double)st.starved_ns / 1e9);
    fprintf(f, "  \"starved_max_ms\": %.3f,\n", (double)st.starved_max_ns / 1e6);
    fprintf(f, "  \"gaps\": [");
    for (uint64_t i = 0; i < st.starvations && i < GAPS_MAX; i++)
        fprintf(f, "%s[%llu, %.6f, %.3f]", i ? ", " : "", (unsigned long long)st.gaps[i].moves,
                ((double)st.gaps[i].at - (double)t0) / 1e9, (double)st.gaps[i].ns / 1e6);
    fprintf(f, "],\n");
    fprintf(f, "  \"low_water_moves\": %llu,\n", (unsigned long long)st.low_water);
    fprintf(f, "  \"mean_planner_fill\": %.2f,\n",
            st.moves ? (double)st.fill_sum / (double)st.moves : 0);
    fprintf(f, "  \"ideal_motion_s\": %.6f,\n", st.ideal_s);
    fprintf(f, "  \"motion_s\": %.6f,\n", motion);
    fprintf(f, "  \"turnarounds\": %llu,\n", (unsigned long long)st.turnarounds);
    fprintf(f, "  \"turnaround_us_p50\": %.0f,\n", percentile_us(0.50));
    fprintf(f, "  \"turnaround_us_p95\": %.0f,\n", percentile_us(0.95));
    fprintf(f, "  \"turnaround_us_p99\": %.0f,\n", percentile_us(0.99));
    fprintf(f, "  \"turnaround_us_p999\": %.0f,\n", percentile_us(0.999));
    fprintf(f, "  \"host_pids\": %d,\n", st.use1.pids);
    fprintf(f, "  \"host_cpu_s\": %.6f,\n", cpu);
    fprintf(f, "  \"host_cpu_begin_s\": %.6f,\n", st.use0.cpu_s);
    fprintf(f, "  \"host_cpu_end_s\": %.6f,\n", st.use1.cpu_s);
    fprintf(f, "  \"begin_s\": %.6f,\n", (double)t0 / 1e9);
    fprintf(f, "  \"end_s\": %.6f,\n", (double)t1 / 1e9);
    fprintf(f, "  \"host_rss_kb\": %ld,\n", st.use1.rss_kb);
    fprintf(f, "  \"host_hwm_kb\": %ld,\n", st.use1.hwm_kb);
    fprintf(f, "  \"host_threads\": %ld,\n", st.use1.threads);
    fprintf(f, "  \"opens\": %llu,\n", (unsigned long long)st.opens);
    fprintf(f, "  \"disconnects\": %llu,\n", (unsigned long long)st.disconnects);
    fprintf(f, "  \"sim_cpu_s\": %.3f\n", self);
    fprintf(f, "}\n");
    if (f != stdout)
        fclose(f);
    else
        fflush(f);
}

/* ------------------------------------------------------ firmware state -- */

struct command {
    char text[LINE_MAX_LEN]; /* without number, checksum and comment */
    size_t len;
    bool numbered;
    bool acked;              /* the reply already contained the ok */
    long number;
};

enum wait_kind { EXEC_NONE, EXEC_SERVICE, EXEC_PLANNER, EXEC_DRAIN, EXEC_TIMER };

static int master = -1, slave = -1, ino = -1;
static char slave_name[128];
static struct fifo rx, out;          /* RX buffer; bytes ready for the pty  */
static struct fifo chip;             /* what a USB-serial chip holds back    */
static uint64_t chip_due = NEVER;    /* when its latency timer runs out      */
static struct wire wire_in, wire_out;
static struct command *queue_;       /* command queue, opt.cmd_buf entries  */
static long q_head, q_len;
static enum wait_kind exec_state;
static uint64_t exec_until;          /* end of service time or timed wait    */
static uint64_t busy_next;           /* next "echo:busy: processing"         */
static long last_n;
static bool halted, booting;
static int host_opens;               /* how many open files hosts have now   */
static uint64_t boot_until = NEVER;
static uint64_t reconnect_at = NEVER;
static double target_tool, target_bed;
static uint64_t report_every, report_next = NEVER;
static FILE *dump_file;
static struct fifo dump;             /* kept in memory: a disk may stall us  */
static bool awaiting_host;           /* for the turnaround histogram         */
static uint64_t awaiting_since;
static uint64_t total_lines;         /* since start, for injections          */
static uint64_t wait_next = NEVER;   /* when to say "wait"                   */
static bool stats_due, stats_written;

/* planner */
static double *blk;                  /* durations in ns                      */
static long blk_head, blk_len, blk_cap;
static bool moving;                  /* the head block is being executed     */
static double head_start;            /* when the head block began            */
static double empty_since = -1;      /* when the planner last ran dry        */
static bool synced = true;           /* a gap now would be legitimate        */
static uint64_t prime_deadline = NEVER;

/* position, for --drain feed */
static double pos[4], feed_mm_s = 60;
static bool relative, relative_e;

/* -------------------------------------------------------------- output -- */

static void out_bytes(uint64_t now, const char *s, size_t n)
{
    if (opt.rtt_ns || opt.byte_ns > 0 || opt.latency_timer_ns)
        wire_put(&wire_out, now, s, n);
    else
        fifo_put(&out, s, n);
}

static void say(uint64_t now, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void say(uint64_t now, const char *fmt, ...)
{
    char buf[1024];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(buf, sizeof buf - 1, fmt, ap);
    va_end(ap);
    if (n < 0)
        return;
    if (n > (int)sizeof buf - 2)
        n = (int)sizeof buf - 2;
    if (chance(opt.corrupt_tx)) {
        flip_a_bit(buf, (size_t)n);
        st.corrupted_tx++;
    }
    if (opt.verbose)
        fprintf(stderr, "< %.*s\n", n, buf);
    buf[n++] = '\n';
    out_bytes(now, buf, (size_t)n);
}

static long planner_free(void) { return opt.planner - 1 - blk_len; }

static void send_ok(uint64_t now, const struct command *c)
{
    if (chance(opt.drop_ok)) {
        st.dropped_oks++;
        return;
    }
    if (opt.advanced_ok) {
        /* Marlin answers before it frees the slot of the command itself */
        long b = opt.cmd_buf - q_len - (c ? 1 : 0);
        if (c && c->numbered)
            say(now, "ok N%ld P%ld B%ld", c->number, planner_free(), b);
        else
            say(now, "ok P%ld B%ld", planner_free(), b);
    } else if (!opt.verbose && opt.corrupt_tx == 0) {
        out_bytes(now, "ok\n", 3); /* the common case, kept cheap */
    } else {
        say(now, "ok");
    }
}

static void temps(char *buf, size_t n)
{
    snprintf(buf, n, "T:%.2f /%.2f B:%.2f /%.2f @:%d B@:%d",
             target_tool > 0 ? target_tool : 21.4, target_tool,
             target_bed > 0 ? target_bed : 20.9, target_bed,
             target_tool > 0 ? 64 : 0, target_bed > 0 ? 32 : 0);
}

static void say_banner(uint64_t now)
{
    say(now, "start");
    say(now, "echo:Marlin nullmarlin 1.0");
    say(now, "echo: Last Updated: 2025-01-01 | Author: (none, simulated)");
    say(now, "echo: Free Memory: 11071  PlannerBufferBytes: %ld", opt.planner * 88);
}

/* ------------------------------------------------------------- planner -- */

static void planner_begin(uint64_t start)
{
    moving = true;
    head_start = (double)start;
    prime_deadline = NEVER;
    if (empty_since >= 0 && !synced) {
        double gap = head_start - empty_since;
        if (gap > 0) {
            if (st.starvations < GAPS_MAX) {
                st.gaps[st.starvations].moves = st.moves;
                st.gaps[st.starvations].at = (uint64_t)empty_since;
                st.gaps[st.starvations].ns = (uint64_t)gap;
            }
            st.starvations++;
            st.starved_ns += (uint64_t)gap;
            if ((uint64_t)gap > st.starved_max_ns)
                st.starved_max_ns = (uint64_t)gap;
        }
    }
    synced = false;
}

/* bring the planner to `now`: finish blocks, start a primed planner */
static void planner_advance(uint64_t now)
{
    if (!moving && blk_len > 0 && now >= prime_deadline)
        planner_begin(prime_deadline);
    while (moving && head_start + blk[blk_head] <= (double)now) {
        head_start += blk[blk_head];
        blk_head = (blk_head + 1) % blk_cap;
        if (--blk_len == 0) {
            moving = false;
            empty_since = head_start;
            st.motion_end = (uint64_t)head_start;
        }
    }
}

static void planner_push(uint64_t now, double dur_ns)
{
    st.fill_sum += (uint64_t)blk_len;
    if (blk_len <= 1)
        st.low_water++;
    st.ideal_s += dur_ns / 1e9;
    blk[(blk_head + blk_len++) % blk_cap] = dur_ns;
    if (!moving) {
        if (blk_len == 1)
            prime_deadline = now + opt.prime_ns;
        if (blk_len >= opt.prime)
            planner_begin(now);
    }
}

/* when the planner next changes state by itself */
static uint64_t planner_next(void)
{
    if (moving)
        return (uint64_t)(head_start + blk[blk_head]) + 1;
    return blk_len > 0 ? prime_deadline : NEVER;
}

/* ----------------------------------------------------- G-code handling -- */

static bool word(const char *s, char letter, double *value)
{
    for (s++; *s; s++) /* skip the command letter itself */
        if (toupper((unsigned char)*s) == letter) {
            char *end;
            double v = strtod(s + 1, &end);
            *value = end == s + 1 ? 0 : v;
            return true;
        }
    return false;
}

/* duration of a move in ns; negative if the line moves nothing */
static double move_duration(const char *s, int g)
{
    static const char axes[4] = {'X', 'Y', 'Z', 'E'};
    bool any = false;
    if (opt.drain > 0) {
        for (const char *p = s + 2; *p; p++)
            if (*p == 'X' || *p == 'Y' || *p == 'Z' || *p == 'E')
                return 1e9 / opt.drain;
        return -1;
    }
    double d[4] = {0}, v;
    if (word(s, 'F', &v) && v > 0)
        feed_mm_s = v / 60;
    for (int i = 0; i < 4; i++)
        if (word(s, axes[i], &v)) {
            bool rel = i == 3 ? relative_e : relative;
            d[i] = rel ? v : v - pos[i];
            pos[i] = rel ? pos[i] + v : v;
            any = true;
        }
    if (!any)
        return -1;
    double dist = sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2]);
    double ci = 0, cj = 0;
    if (g >= 2 && (word(s, 'I', &ci) | word(s, 'J', &cj))) {
        double a0 = atan2(-cj, -ci), a1 = atan2(d[1] - cj, d[0] - ci);
        double a = g == 2 ? a0 - a1 : a1 - a0;
        if (a <= 0)
            a += 2 * M_PI;
        dist = a * hypot(ci, cj);
    }
    if (dist == 0)
        dist = fabs(d[3]);
    return dist / (feed_mm_s * opt.feed_scale) * 1e9;
}

static const char *const m115_reply[] = {
    "FIRMWARE_NAME:Marlin nullmarlin 1.0 (simulated) SOURCE_CODE_URL:none "
    "PROTOCOL_VERSION:1.0 MACHINE_TYPE:nullmarlin EXTRUDER_COUNT:1 "
    "UUID:00000000-0000-0000-0000-000000000000",
    "Cap:SERIAL_XON_XOFF:0", "Cap:BINARY_FILE_TRANSFER:0", "Cap:EEPROM:0",
    "Cap:VOLUMETRIC:1", "Cap:AUTOREPORT_POS:0", "Cap:AUTOREPORT_TEMP:1",
    "Cap:PROGRESS:0", "Cap:PRINT_JOB:1", "Cap:AUTOLEVEL:0", "Cap:RUNOUT:0",
    "Cap:Z_PROBE:0", "Cap:LEVELING_DATA:0", "Cap:BUILD_PERCENT:0",
    "Cap:SOFTWARE_POWER:0", "Cap:TOGGLE_LIGHTS:0", "Cap:CASE_LIGHT_BRIGHTNESS:0",
    "Cap:EMERGENCY_PARSER:0", "Cap:HOST_ACTION_COMMANDS:1",
    "Cap:PROMPT_SUPPORT:0", "Cap:SDCARD:0", "Cap:AUTOREPORT_SD_STATUS:0",
    "Cap:THERMAL_PROTECTION:1", "Cap:MOTION_MODES:0", "Cap:ARCS:1",
    "Cap:BABYSTEPPING:0", "Cap:CHAMBER_TEMPERATURE:0",
};

static bool starts(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

/* Begin to execute a command whose service time is over.  Returns true when
 * it is done (ok is due), false when it has to wait (exec_state says why). */
static bool execute(uint64_t now, struct command *c)
{
    char *s = c->text;
    char temp[128];
    double v;
    int code = isdigit((unsigned char)s[1]) ? atoi(s + 1) : -1;

    if (s[0] == 'G' && code >= 0 && code <= 3) {
        if (opt.drain != 0 && planner_free() <= 0) {
            exec_state = EXEC_PLANNER;
            return false;
        }
        double dur = opt.drain != 0 ? move_duration(s, code) : 0;
        if (dur >= 0) {
            if (opt.drain != 0)
                planner_push(now, dur);
            st.moves++;
            if (!st.first_move)
                st.first_move = now;
            st.last_move = now;
        }
        return true;
    }
    if (s[0] == 'G') {
        switch (code) {
        case 4: case 28: case 29:
            synced = true;
            if (blk_len > 0) {
                exec_state = EXEC_DRAIN;
                return false;
            }
            if (code == 4) {
                if (word(s, 'P', &v) || (word(s, 'S', &v) && ((v *= 1000), 1)))
                    exec_until = now + (uint64_t)(v * 1e6);
            } else {
                exec_until = now + opt.home_ns;
                memset(pos, 0, sizeof pos);
            }
            if (exec_until > now) {
                exec_state = EXEC_TIMER;
                busy_next = now + opt.busy_ns;
                return false;
            }
            return true;
        case 90: relative = false; relative_e = false; return true;
        case 91: relative = true; relative_e = true; return true;
        case 92:
            for (int i = 0; i < 4; i++)
                if (word(s, "XYZE"[i], &v))
                    pos[i] = v;
            return true;
        }
        return true;
    }
    if (s[0] == 'M') {
        switch (code) {
        case 82: relative_e = false; break;
        case 83: relative_e = true; break;
        case 104: case 109:
            if (word(s, 'S', &v) || word(s, 'R', &v))
                target_tool = v;
            if (code == 109)
                goto heat;
            break;
        case 140: case 190:
            if (word(s, 'S', &v) || word(s, 'R', &v))
                target_bed = v;
            if (code == 190)
                goto heat;
            break;
        heat:
            synced = true;
            if (opt.heat_ns) {
                exec_state = EXEC_TIMER;
                exec_until = now + opt.heat_ns;
                busy_next = now + opt.busy_ns;
                return false;
            }
            break;
        case 105:
            st.polls++;
            temps(temp, sizeof temp);
            if (chance(opt.drop_ok))
                st.dropped_oks++;
            else
                say(now, "ok %s", temp);
            c->acked = true;
            break;
        case 110:
            if (!c->numbered && word(s, 'N', &v))
                last_n = (long)v;
            break;
        case 113:
            if (word(s, 'S', &v))
                opt.busy_ns = (uint64_t)(v * 1e9);
            break;
        case 114:
            say(now, "X:%.2f Y:%.2f Z:%.2f E:%.2f Count X:0 Y:0 Z:0",
                pos[0], pos[1], pos[2], pos[3]);
            break;
        case 115:
            for (size_t i = 0; i < sizeof m115_reply / sizeof *m115_reply; i++)
                say(now, "%s", m115_reply[i]);
            break;
        case 117:
            if (strstr(s, "NULLMARLIN_BEGIN")) {
                struct usage u = sample_pids();
                uint64_t opens = st.opens, disc = st.disconnects;
                memset(&st, 0, sizeof st);
                memset(hist, 0, sizeof hist);
                st.opens = opens;
                st.disconnects = disc;
                st.use0 = u;
                getrusage(RUSAGE_SELF, &st.self0);
                st.begun = true;
                st.begin = clock_ns();
                synced = true;
            } else if (strstr(s, "NULLMARLIN_END") && !st.ended) {
                st.end = now;
                st.ended = true;
                st.use1 = sample_pids();
                stats_due = true;
            }
            break;
        case 118:
            say(now, "%s", s + 4 + (s[4] == ' '));
            break;
        case 155:
            if (word(s, 'S', &v)) {
                report_every = (uint64_t)(v * 1e9);
                report_next = report_every ? now + report_every : NEVER;
            }
            break;
        case 400:
            synced = true;
            if (blk_len > 0) {
                exec_state = EXEC_DRAIN;
                return false;
            }
            break;
        case 20:
            say(now, "Begin file list");
            say(now, "End file list");
            break;
        case 21:
            say(now, "echo:No media");
            break;
        case 27:
            say(now, "Not SD printing");
            break;
        case 220:
            if (word(s, 'S', &v) && v > 0)
                opt.feed_scale = v / 100;
            break;
        }
        return true;
    }
    if (s[0] == 'T' && code >= 0)
        return true;
    say(now, "echo:Unknown command: \"%s\"", s);
    return true;
}

static void request_resend(uint64_t now, const char *why)
{
    say(now, "Error:%s, Last Line: %ld", why, last_n);
    fifo_drop(&rx, rx.len); /* as Marlin does: flush what has been received */
    switch (opt.resend_style) {
    case 1: say(now, "rs %ld", last_n + 1); break;
    case 2: say(now, "Resend:%ld", last_n + 1); break;
    default: say(now, "Resend: %ld", last_n + 1); break;
    }
    if (opt.resend_ok)
        send_ok(now, NULL);
    st.resends++;
}

/* Take one line out of the RX buffer into the command queue. */
static void accept_line(uint64_t now, char *s, size_t len)
{
    if (len > (size_t)opt.max_cmd - 1) /* Marlin ignores the excess bytes */
        len = (size_t)opt.max_cmd - 1;
    if (len > LINE_MAX_LEN - 1)
        len = LINE_MAX_LEN - 1;
    while (len && (*s == ' ' || *s == '\r'))
        s++, len--;
    while (len && (s[len - 1] == '\r' || s[len - 1] == ' '))
        len--;
    if (!len)
        return;
    if (chance(opt.corrupt_rx)) {
        flip_a_bit(s, len);
        st.corrupted_rx++;
    }
    char *semi = memchr(s, ';', len);
    if (semi)
        len = (size_t)(semi - s);
    if (!len)
        return;
    if (opt.verbose)
        fprintf(stderr, "> %.*s\n", (int)len, s);

    struct command *c = &queue_[(q_head + q_len) % opt.cmd_buf];
    memcpy(c->text, s, len);
    c->text[len] = 0;
    c->numbered = c->acked = false;

    char *t = c->text;
    if (*t == 'N') {
        char *body;
        long n = strtol(t + 1, &body, 10);
        char *star = memrchr(t, '*', len);
        bool m110 = strstr(body, "M110") != NULL;
        if (m110) {
            char *n2 = strchr(strstr(body, "M110") + 4, 'N');
            if (n2)
                n = strtol(n2 + 1, NULL, 10);
        }
        if (n != last_n + 1 && !m110) {
            st.number_errors++;
            request_resend(now, "Line Number is not Last Line Number+1");
            return;
        }
        if (!star) {
            st.nochecksum_errors++;
            request_resend(now, "No Checksum with line number");
            return;
        }
        unsigned char sum = 0;
        for (const char *p = t; p < star; p++)
            sum ^= (unsigned char)*p;
        if (strtol(star + 1, NULL, 10) != sum) {
            st.checksum_errors++;
            request_resend(now, "checksum mismatch");
            return;
        }
        last_n = n;
        c->numbered = true;
        c->number = n;
        *star = 0;
        while (*body == ' ')
            body++;
        c->len = (size_t)(star - body);
        memmove(c->text, body, c->len + 1);
    } else {
        char *star = memrchr(t, '*', len);
        if (star && !starts(t, "M117") && !starts(t, "M118"))
            *star = 0;
        c->len = strlen(t);
        st.unnumbered++;
    }
    /* Marlin looks for these before they get a turn in the queue */
    if (!strcmp(c->text, "M112")) {
        say(now, "Error:Printer halted. kill() called!");
        halted = true;
    } else if (!strcmp(c->text, "M108") && exec_state == EXEC_TIMER) {
        exec_until = now;
    }
    if (halted)
        return; /* a killed Marlin answers nothing any more */
    if (dump_file) {
        fifo_put(&dump, c->text, c->len);
        fifo_put(&dump, "\n", 1);
    }
    q_len++;
    st.lines++;
    total_lines++;
    for (int i = 0; i < opt.n_inject; i++)
        if (opt.inject[i].at_line == total_lines)
            say(now, "%s", opt.inject[i].text);
}

/* Run the firmware as far as it gets at time `now`. */
static void firmware(uint64_t now)
{
    for (;;) {
        bool progress = false;

        if (opt.drain != 0)
            planner_advance(now);

        /* fill the command queue (Marlin does so even while it waits) */
        while (q_len < opt.cmd_buf && rx.len > 0) {
            char *s = fifo_data(&rx);
            char *nl = memchr(s, '\n', rx.len);
            if (!nl)
                break;
            size_t n = (size_t)(nl - s) + 1;
            char line[LINE_MAX_LEN];
            size_t keep = n - 1 < sizeof line ? n - 1 : sizeof line;
            memcpy(line, s, keep);
            fifo_drop(&rx, n); /* first, because an error flushes the rest */
            accept_line(now, line, keep);
            progress = true;
        }

        if (q_len > 0) {
            struct command *c = &queue_[q_head];
            bool done = false;
            switch (exec_state) {
            case EXEC_NONE:
                if (opt.service_ns) {
                    exec_state = EXEC_SERVICE;
                    exec_until = now + opt.service_ns;
                    break;
                }
                done = execute(now, c);
                break;
            case EXEC_SERVICE:
                if (now >= exec_until) {
                    exec_state = EXEC_NONE;
                    done = execute(now, c);
                }
                break;
            case EXEC_PLANNER:
                if (planner_free() > 0) {
                    exec_state = EXEC_NONE;
                    done = execute(now, c);
                }
                break;
            case EXEC_DRAIN:
                if (blk_len > 0 && !moving)
                    planner_begin(now); /* no more moves will come */
                if (blk_len == 0) {
                    exec_state = EXEC_NONE;
                    done = execute(now, c);
                }
                break;
            case EXEC_TIMER:
                if (now >= exec_until) {
                    exec_state = EXEC_NONE;
                    done = true;
                } else if (opt.busy_ns && now >= busy_next) {
                    say(now, "echo:busy: processing");
                    busy_next = now + opt.busy_ns;
                }
                break;
            }
            if (done) {
                exec_state = EXEC_NONE;
                exec_until = 0;
                q_head = (q_head + 1) % opt.cmd_buf;
                q_len--;
                if (!c->acked)
                    send_ok(now, c);
                progress = true;
            }
        }
        if (!progress)
            break;
    }

    if (opt.wait_ns) {
        if (q_len || rx.len)
            wait_next = NEVER;
        else if (wait_next == NEVER)
            wait_next = now + opt.wait_ns;
        else if (now >= wait_next) {
            say(now, "wait");
            wait_next = now + opt.wait_ns;
        }
    }

    if (now >= report_next) {
        char t[128];
        temps(t, sizeof t);
        say(now, " %s", t);
        report_next = now + report_every;
    }
}

/* ----------------------------------------------------------------- pty -- */

static void reset_firmware(void)
{
    fifo_drop(&rx, rx.len);
    fifo_drop(&out, out.len);
    fifo_drop(&chip, chip.len);
    wire_clear(&wire_in);
    wire_clear(&wire_out);
    q_len = 0;
    exec_state = EXEC_NONE;
    last_n = 0;
    halted = false;
    blk_len = 0;
    moving = false;
    synced = true;
    empty_since = -1;
    target_tool = target_bed = 0;
    report_next = NEVER;
    awaiting_host = false;
}

static void open_pty(void)
{
    master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (master < 0 || grantpt(master) || unlockpt(master) ||
        ptsname_r(master, slave_name, sizeof slave_name))
        die("pty");
    /* Holding the slave open keeps the terminal settings and spares us EIO
     * while no host is connected; opens are noticed through inotify. */
    slave = open(slave_name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (slave < 0)
        die(slave_name);
    struct termios t;
    tcgetattr(slave, &t);
    cfmakeraw(&t);
    tcsetattr(slave, TCSANOW, &t);
    chmod(slave_name, 0666);
    if (opt.link) {
        unlink(opt.link);
        if (symlink(slave_name, opt.link))
            die(opt.link);
    }
    ino = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (ino < 0 || inotify_add_watch(ino, slave_name, IN_OPEN | IN_CLOSE) < 0)
        die("inotify");
    fprintf(stderr, "nullmarlin: %s%s%s\n", slave_name, opt.link ? " as " : "",
            opt.link ? opt.link : "");
}

static void close_pty(void)
{
    close(ino);
    close(slave);
    close(master);
    ino = slave = master = -1;
    if (opt.link)
        unlink(opt.link);
}

static void read_inotify(uint64_t now)
{
    char buf[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
    ssize_t n;
    while ((n = read(ino, buf, sizeof buf)) > 0)
        for (char *p = buf; p < buf + n;) {
            struct inotify_event *e = (struct inotify_event *)p;
            p += sizeof *e + e->len;
            if (e->mask & IN_OPEN) {
                st.opens++;
                host_opens++;
                if (opt.reset_on_open) { /* DTR toggles, the board resets */
                    reset_firmware();
                    booting = true;
                    boot_until = now + opt.boot_ns;
                }
            } else {
                awaiting_host = false;
                if (--host_opens <= 0) /* unread replies are lost */
                    tcflush(slave, TCIFLUSH);
            }
        }
}

/* Read what the host wrote.  Returns false if nothing was there. */
static bool read_host(uint64_t now)
{
    static char buf[RX_HIGH_WATER];
    size_t held = rx.len + wire_in.bytes.len;
    if (held >= sizeof buf)
        return false;
    ssize_t n = read(master, buf, sizeof buf - held);
    if (n <= 0)
        return false;
    if (booting)
        return true; /* the boot loader eats it */
    st.bytes += (uint64_t)n;
    if (awaiting_host) {
        uint64_t us = (now - awaiting_since) / NS_PER_US;
        hist[us < HIST_MAX_US ? us : HIST_MAX_US]++;
        st.turnarounds++;
        awaiting_host = false;
    }
    if (opt.rtt_ns || opt.byte_ns > 0)
        wire_put(&wire_in, now, buf, (size_t)n);
    else
        fifo_put(&rx, buf, (size_t)n);
    return true;
}

static void wire_to_rx(uint64_t now)
{
    size_t n;
    while ((n = wire_arrived(&wire_in, now)) > 0) {
        size_t keep = n;
        if (opt.rx_buf && rx.len + n > (size_t)opt.rx_buf) {
            keep = rx.len < (size_t)opt.rx_buf ? (size_t)opt.rx_buf - rx.len : 0;
            st.overflow_bytes += n - keep;
        }
        fifo_put(&rx, fifo_data(&wire_in.bytes), keep);
        wire_pop(&wire_in);
        if (opt.rx_buf)
            firmware(now); /* the queue takes lines as they come in */
    }
}

/* The chip hands over what it holds when a USB packet is full or its timer,
 * which runs all the time, comes round. */
static void pass_chip(uint64_t now, const char *data, size_t n)
{
    fifo_put(&chip, data, n);
    if (chip_due == NEVER)
        chip_due = (now / opt.latency_timer_ns + 1) * opt.latency_timer_ns;
}

static void flush_chip(uint64_t now)
{
    size_t n = chip.len - chip.len % USB_PACKET_LEN;
    if (now >= chip_due)
        n = chip.len;
    fifo_put(&out, fifo_data(&chip), n);
    fifo_drop(&chip, n);
    if (!chip.len)
        chip_due = NEVER;
}

static void flush_out(uint64_t now)
{
    size_t n;
    while ((n = wire_arrived(&wire_out, now)) > 0) {
        if (opt.latency_timer_ns)
            pass_chip(now, fifo_data(&wire_out.bytes), n);
        else
            fifo_put(&out, fifo_data(&wire_out.bytes), n);
        wire_pop(&wire_out);
    }
    if (chip.len)
        flush_chip(now);
    if (!out.len || master < 0)
        return;
    ssize_t w = write(master, fifo_data(&out), out.len);
    if (w <= 0)
        return;
    fifo_drop(&out, (size_t)w);
    if (!out.len && !rx.len && !q_len && !wire_in.count && !wire_out.count && !chip.len) {
        awaiting_host = true;
        awaiting_since = clock_ns();
    }
}

static uint64_t min64(uint64_t a, uint64_t b) { return a < b ? a : b; }

static uint64_t next_event(void)
{
    uint64_t t = min64(wire_next(&wire_in), wire_next(&wire_out));
    if (booting)
        t = min64(t, boot_until);
    t = min64(t, min64(report_next, wait_next));
    t = min64(t, reconnect_at);
    t = min64(t, chip_due);
    if (q_len > 0) {
        if (exec_state == EXEC_SERVICE)
            t = min64(t, exec_until);
        else if (exec_state == EXEC_TIMER)
            t = min64(t, opt.busy_ns ? min64(exec_until, busy_next) : exec_until);
        else if (exec_state == EXEC_PLANNER || exec_state == EXEC_DRAIN)
            t = min64(t, planner_next());
    }
    if (opt.drain != 0)
        t = min64(t, min64(prime_deadline, stats_due ? planner_next() : NEVER));
    return t;
}

static void loop(void)
{
    while (!quit_flag) {
        struct pollfd p[2] = {{.fd = master, .events = 0}, {.fd = ino, .events = POLLIN}};
        if (rx.len + wire_in.bytes.len < RX_HIGH_WATER)
            p[0].events |= POLLIN;
        if (out.len)
            p[0].events |= POLLOUT;
        uint64_t t = next_event(), now = clock_ns();
        struct timespec ts = {1, 0};
        if (t != NEVER) {
            uint64_t d = t > now ? t - now : 0;
            if (d < NS_PER_S)
                ts = (struct timespec){0, (long)d};
        }
        if (ppoll(p, 2, &ts, NULL) < 0 && errno != EINTR)
            die("ppoll");
        now = clock_ns();

        if (master >= 0) {
            if (p[1].revents & POLLIN)
                read_inotify(now);
            if (booting && now >= boot_until) {
                booting = false;
                boot_until = NEVER;
                while (read(master, (char[4096]){0}, 4096) > 0)
                    ;
                if (opt.banner)
                    say_banner(now);
            }
            if (p[0].revents & POLLIN)
                read_host(now);
            wire_to_rx(now);
        }
        firmware(now);
        flush_out(now);

        if (opt.disconnect_at && total_lines >= opt.disconnect_at && master >= 0) {
            opt.disconnect_at = 0;
            st.disconnects++;
            fprintf(stderr, "nullmarlin: unplugged after %llu lines\n",
                    (unsigned long long)total_lines);
            close_pty();
            awaiting_host = false;
            host_opens = 0;
            fifo_drop(&out, out.len);
            fifo_drop(&chip, chip.len);
            wire_clear(&wire_in);
            wire_clear(&wire_out);
            if (!opt.reconnect_keeps_state)
                reset_firmware();
            reconnect_at = now + opt.reconnect_ns;
        }
        if (master < 0 && now >= reconnect_at) {
            reconnect_at = NEVER;
            open_pty();
        }

        if (stats_due && (opt.drain == 0 || blk_len == 0)) {
            stats_due = false;
            stats_written = true;
            write_stats();
            if (opt.once)
                break;
        }
    }
}

/* ---------------------------------------------------------------- main -- */

static void usage(void)
{
    puts("usage: nullmarlin [options]\n"
         "  --link PATH          symlink to the pty (e.g. /tmp/ttyNULL0)\n"
         "  --stats FILE         JSON totals, written at the END marker and at exit\n"
         "  --dump FILE          every accepted command, in order, without number/checksum\n"
         "  --watch-pidfile FILE pids whose CPU and RSS are sampled at BEGIN and END\n"
         "  --once               exit after the END marker\n"
         "  --verbose            trace the conversation on stderr\n"
         "link\n"
         "  --rtt-us N           round trip latency, half of it each way\n"
         "  --baud N             limit both directions to N baud (10 bits per byte)\n"
         "  --latency-timer-ms N a USB-serial chip that delivers every N ms, or 62 bytes\n"
         "  --rx-buf N           UART receive buffer; overflow loses bytes\n"
         "                       (default 0: flow controlled like native USB; with\n"
         "                       --rx-buf set --baud or --rtt-us as well)\n"
         "firmware\n"
         "  --cmd-buf N          command queue, Marlin's BUFSIZE (4)\n"
         "  --max-cmd N          longest command, Marlin's MAX_CMD_SIZE (96)\n"
         "  --service-us N       time to process one command (0)\n"
         "  --advanced-ok        ok N<line> P<planner free> B<queue free>\n"
         "  --drain R            planner executes R moves/s; 'feed' = from F and length\n"
         "  --planner N          planner blocks, N-1 usable (16)\n"
         "  --prime N            moves needed before motion starts, or 100 ms (3)\n"
         "  --feed-scale X       speed factor for --drain feed (1.0)\n"
         "  --heat-ms N          M109/M190 take this long   (0)\n"
         "  --home-ms N          G28/G29 take this long     (0)\n"
         "  --busy-ms N          busy keepalive interval    (2000)\n"
         "  --wait-ms N          say 'wait' when idle for so long (never)\n"
         "  --boot-ms N          time from open to banner   (20)\n"
         "  --no-banner          no start banner\n"
         "  --no-reset-on-open   opening the port does not reset the board\n"
         "trouble\n"
         "  --corrupt-rx P       probability per line of a flipped bit, host to printer\n"
         "  --corrupt-tx P       the same, printer to host\n"
         "  --drop-ok P          probability that an ok is lost\n"
         "  --resend-no-ok       no ok after a resend request\n"
         "  --resend-style S     marlin | rs | tight  ('Resend: N', 'rs N', 'Resend:N')\n"
         "  --inject N:TEXT      say TEXT after N accepted lines (repeatable)\n"
         "  --disconnect-at N    unplug after N accepted lines ...\n"
         "  --reconnect-ms M     ... and plug in again M ms later (1000)\n"
         "  --reconnect-keeps-state  the board was not reset by it\n"
         "  --seed N             for the random events");
}

int main(int argc, char **argv)
{
    enum { O_LINK = 256, O_STATS, O_DUMP, O_WATCH, O_ONCE, O_VERBOSE, O_RTT,
           O_BAUD, O_RXBUF, O_CMDBUF, O_MAXCMD, O_SERVICE, O_ADVOK, O_DRAIN,
           O_PLANNER, O_PRIME, O_FEEDSCALE, O_HEAT, O_HOME, O_BUSY, O_WAIT, O_BOOT,
           O_NOBANNER, O_NORESET, O_LATENCY, O_CRX, O_CTX, O_DROPOK, O_RSNOOK, O_RSSTYLE,
           O_INJECT, O_DISC, O_RECON, O_RECONKEEP, O_SEED, O_HELP };
    static const struct option opts[] = {
        {"link", 1, 0, O_LINK}, {"stats", 1, 0, O_STATS}, {"dump", 1, 0, O_DUMP},
        {"watch-pidfile", 1, 0, O_WATCH}, {"once", 0, 0, O_ONCE},
        {"verbose", 0, 0, O_VERBOSE}, {"rtt-us", 1, 0, O_RTT},
        {"baud", 1, 0, O_BAUD}, {"latency-timer-ms", 1, 0, O_LATENCY}, {"rx-buf", 1, 0, O_RXBUF},
        {"cmd-buf", 1, 0, O_CMDBUF}, {"max-cmd", 1, 0, O_MAXCMD},
        {"service-us", 1, 0, O_SERVICE}, {"advanced-ok", 0, 0, O_ADVOK},
        {"drain", 1, 0, O_DRAIN}, {"planner", 1, 0, O_PLANNER},
        {"prime", 1, 0, O_PRIME}, {"feed-scale", 1, 0, O_FEEDSCALE},
        {"heat-ms", 1, 0, O_HEAT}, {"home-ms", 1, 0, O_HOME},
        {"busy-ms", 1, 0, O_BUSY}, {"wait-ms", 1, 0, O_WAIT},
        {"boot-ms", 1, 0, O_BOOT},
        {"no-banner", 0, 0, O_NOBANNER}, {"no-reset-on-open", 0, 0, O_NORESET},
        {"corrupt-rx", 1, 0, O_CRX}, {"corrupt-tx", 1, 0, O_CTX},
        {"drop-ok", 1, 0, O_DROPOK}, {"resend-no-ok", 0, 0, O_RSNOOK},
        {"resend-style", 1, 0, O_RSSTYLE}, {"inject", 1, 0, O_INJECT},
        {"disconnect-at", 1, 0, O_DISC}, {"reconnect-ms", 1, 0, O_RECON},
        {"reconnect-keeps-state", 0, 0, O_RECONKEEP}, {"seed", 1, 0, O_SEED},
        {"help", 0, 0, O_HELP}, {0, 0, 0, 0}};
    opt.reconnect_ns = NS_PER_S;
    int o;
    while ((o = getopt_long(argc, argv, "h", opts, NULL)) != -1)
        switch (o) {
        case O_LINK: opt.link = optarg; break;
        case O_STATS: opt.stats = optarg; break;
        case O_DUMP: opt.dump = optarg; break;
        case O_WATCH: opt.watch = optarg; break;
        case O_ONCE: opt.once = true; break;
        case O_VERBOSE: opt.verbose = true; break;
        case O_RTT: opt.rtt_ns = (uint64_t)(atof(optarg) * 1e3); break;
        case O_BAUD: opt.byte_ns = atof(optarg) > 0 ? 1e10 / atof(optarg) : 0; break;
        case O_LATENCY: opt.latency_timer_ns = (uint64_t)(atof(optarg) * 1e6); break;
        case O_RXBUF: opt.rx_buf = atol(optarg); break;
        case O_CMDBUF: opt.cmd_buf = atol(optarg); break;
        case O_MAXCMD: opt.max_cmd = atol(optarg); break;
        case O_SERVICE: opt.service_ns = (uint64_t)(atof(optarg) * 1e3); break;
        case O_ADVOK: opt.advanced_ok = true; break;
        case O_DRAIN: opt.drain = strcmp(optarg, "feed") ? atof(optarg) : -1; break;
        case O_PLANNER: opt.planner = atol(optarg); break;
        case O_PRIME: opt.prime = atol(optarg); break;
        case O_FEEDSCALE: opt.feed_scale = atof(optarg); break;
        case O_HEAT: opt.heat_ns = (uint64_t)(atof(optarg) * 1e6); break;
        case O_HOME: opt.home_ns = (uint64_t)(atof(optarg) * 1e6); break;
        case O_BUSY: opt.busy_ns = (uint64_t)(atof(optarg) * 1e6); break;
        case O_WAIT: opt.wait_ns = (uint64_t)(atof(optarg) * 1e6); break;
        case O_BOOT: opt.boot_ns = (uint64_t)(atof(optarg) * 1e6); break;
        case O_NOBANNER: opt.banner = false; break;
        case O_NORESET: opt.reset_on_open = false; break;
        case O_CRX: opt.corrupt_rx = atof(optarg); break;
        case O_CTX: opt.corrupt_tx = atof(optarg); break;
        case O_DROPOK: opt.drop_ok = atof(optarg); break;
        case O_RSNOOK: opt.resend_ok = false; break;
        case O_RSSTYLE:
            opt.resend_style = !strcmp(optarg, "rs") ? 1 : !strcmp(optarg, "tight") ? 2 : 0;
            break;
        case O_INJECT: {
            char *colon = strchr(optarg, ':');
            if (!colon || opt.n_inject == 32) {
                fputs("nullmarlin: --inject N:TEXT\n", stderr);
                return 2;
            }
            opt.inject[opt.n_inject++] =
                (struct injection){strtoull(optarg, NULL, 10), colon + 1};
            break;
        }
        case O_DISC: opt.disconnect_at = strtoull(optarg, NULL, 10); break;
        case O_RECON: opt.reconnect_ns = (uint64_t)(atof(optarg) * 1e6); break;
        case O_RECONKEEP: opt.reconnect_keeps_state = true; break;
        case O_SEED: opt.seed = strtoull(optarg, NULL, 10); break;
        case O_HELP: case 'h': usage(); return 0;
        default: usage(); return 2;
        }
    if (opt.cmd_buf < 1 || opt.planner < 2 || opt.max_cmd < 16) {
        fputs("nullmarlin: --cmd-buf >= 1, --planner >= 2, --max-cmd >= 16\n", stderr);
        return 2;
    }

    rng_state = opt.seed;
    queue_ = calloc((size_t)opt.cmd_buf, sizeof *queue_);
    blk_cap = opt.planner;
    blk = calloc((size_t)blk_cap, sizeof *blk);
    if (!queue_ || !blk)
        die("calloc");
    if (opt.dump && !(dump_file = fopen(opt.dump, "w")))
        die(opt.dump);

    struct sigaction sa = {.sa_handler = on_signal};
    sigaction(SIGINT, &sa, NULL);
    sigaction(SIGTERM, &sa, NULL);
    signal(SIGPIPE, SIG_IGN);
    prctl(PR_SET_TIMERSLACK, 1); /* wake up on time */
    getrusage(RUSAGE_SELF, &st.self0);

    open_pty();
    loop();
    if (!stats_written || !st.ended) {
        st.use1 = sample_pids();
        write_stats();
    }
    if (opt.once && !quit_flag) { /* keep the port up while the host closes it */
        uint64_t until = clock_ns() + 300 * NS_PER_MS;
        while (clock_ns() < until && !quit_flag) {
            uint64_t now = clock_ns();
            read_host(now);
            wire_to_rx(now);
            firmware(now);
            flush_out(now);
            struct timespec ts = {0, 200000};
            nanosleep(&ts, NULL);
        }
    }
    if (dump_file) {
        if (dump.len && fwrite(fifo_data(&dump), dump.len, 1, dump_file) != 1)
            die(opt.dump);
        fclose(dump_file);
    }
    if (master >= 0)
        close_pty();
    return 0;
}
