/*
 * writers - the least a host can do: the limit that other hosts are measured by.
 *
 *   writers --window 1 PORT FILE   one line in flight: write, wait for "ok", write
 *   writers --window 4 PORT FILE   up to four lines in flight
 *
 * It numbers and checksums every line, goes back to the number that a resend request names, and
 * repairs a lost line or a lost "ok" after a second of silence; it measures nothing and shows
 * nothing.  It ends when the port does: only the firmware knows that all lines have arrived.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <termios.h>
#include <unistd.h>

#define WINDOW_MAX 64
#define LINE_MAX_LEN 256
#define SILENCE_DS 10 /* tenths of a second without any reply before a line is repeated */

struct line {
    const char *text;
    size_t len;
};

static struct line *lines;
static long count;         /* lines of the file; they are numbered from 1 */
static long acked, next = 1; /* lines known to be executed; the next number to send */
static long window = 1;
static int quiet_ms = 5;   /* silence that ends the complaints about one bad line */
static int port;

static char in[8192];
static size_t in_len;

static void die(const char *what)
{
    fprintf(stderr, "writers: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* ---------------------------------------------------------------- file -- */

static void add_line(char *text, size_t len)
{
    char *comment = memchr(text, ';', len);
    if (comment)
        len = (size_t)(comment - text);
    while (len && (text[len - 1] == ' ' || text[len - 1] == '\r'))
        len--;
    if (!len)
        return;
    if (len > LINE_MAX_LEN - 32) {
        fputs("writers: a line is too long\n", stderr);
        exit(2);
    }
    if (count % 4096 == 0 && !(lines = realloc(lines, (size_t)(count + 4096) * sizeof *lines)))
        die("realloc");
    lines[count++] = (struct line){text, len};
}

static void load(const char *path)
{
    FILE *f = fopen(path, "r");
    if (!f || fseek(f, 0, SEEK_END))
        die(path);
    size_t size = (size_t)ftell(f);
    rewind(f);
    char *text = malloc(size + 1);
    if (!text || fread(text, 1, size, f) != size)
        die(path);
    fclose(f);
    text[size] = '\n';
    for (char *p = text; p < text + size;) {
        char *end = strchr(p, '\n');
        add_line(p, (size_t)(end - p));
        p = end + 1;
    }
}

/* ---------------------------------------------------------------- port -- */

static void open_port(const char *path)
{
    struct termios t;
    port = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (port < 0 || tcgetattr(port, &t))
        die(path);
    cfmakeraw(&t);
    cfsetspeed(&t, B115200);
    t.c_cc[VMIN] = 0;
    t.c_cc[VTIME] = SILENCE_DS;
    if (tcsetattr(port, TCSANOW, &t))
        die(path);
}

static void put(const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(port, data, len);
        if (n < 0 && errno == EIO)
            exit(0);
        if (n < 0)
            die("write");
        data += n;
        len -= (size_t)n;
    }
}

/* Append what the firmware said; false after a second of silence. */
static bool get(void)
{
    if (in_len == sizeof in)
        in_len = 0; /* no firmware says a line of that length */
    ssize_t n = read(port, in + in_len, sizeof in - in_len);
    if (n > 0) {
        in_len += (size_t)n;
        return true;
    }
    struct pollfd p = {.fd = port, .events = 0};
    if (n < 0 || (poll(&p, 1, 0) > 0 && (p.revents & POLLHUP)))
        exit(0); /* the firmware is gone */
    return false;
}

static bool audible(int patience_ms)
{
    struct pollfd p = {.fd = port, .events = POLLIN};
    return poll(&p, 1, patience_ms) > 0;
}

/* ------------------------------------------------------------ protocol -- */

static size_t frame(char *out, long number, const char *text, size_t len)
{
    size_t n = (size_t)sprintf(out, "N%ld %.*s", number, (int)len, text);
    unsigned char sum = 0;
    for (size_t i = 0; i < n; i++)
        sum ^= (unsigned char)out[i];
    return n + (size_t)sprintf(out + n, "*%d\n", sum);
}

static void fill_window(void)
{
    char out[WINDOW_MAX * LINE_MAX_LEN];
    size_t n = 0;
    for (; next <= count && next - 1 - acked < window; next++)
        n += frame(out + n, next, lines[next - 1].text, lines[next - 1].len);
    if (n)
        put(out, n);
}

/* The number that a resend request names, 0 if the line is none. */
static long resend_number(const char *s)
{
    if (strncasecmp(s, "resend", 6) && strncmp(s, "rs ", 3))
        return 0;
    s += strcspn(s, "0123456789");
    return strtol(s, NULL, 10);
}

/* Take whole lines out of the input.  Counts the acknowledged ones, and returns the last number
 * that was asked for again, 0 if none was. */
static long take_replies(long *oks)
{
    char *start = in, *end;
    long wanted = 0, n;
    while ((end = memchr(start, '\n', in_len - (size_t)(start - in)))) {
        *end = 0;
        if (start[0] == 'o' && start[1] == 'k')
            ++*oks;
        else if ((n = resend_number(start)) > 0)
            wanted = n;
        start = end + 1;
    }
    in_len -= (size_t)(start - in);
    memmove(in, start, in_len);
    return wanted;
}

/* Lines behind a bad one are refused one by one or swallowed, which nobody can tell from outside:
 * so all replies to the old flight are heard out before the new one begins. */
static void go_back(long wanted)
{
    long ignored = 0, later;
    while (audible(quiet_ms) && get())
        if ((later = take_replies(&ignored)) > 0)
            wanted = later;
    if (wanted <= count + 1) {
        next = wanted;
        acked = wanted - 1;
    }
}

/* Nothing was heard for a second.  The oldest open line goes out again; where all seem to be
 * acknowledged, a numbered question makes the firmware ask for what it misses. */
static void break_silence(void)
{
    char out[LINE_MAX_LEN];
    if (acked < count)
        next = acked + 1;
    else
        put(out, frame(out, count + 1, "M105", 4));
}

static void greet(void)
{
    static const char hello[] = "N0 M110 N0*125\n";
    long oks = 0;
    get(); /* a board that was reset by the opening says so before it listens */
    while (!oks) {
        put(hello, sizeof hello - 1);
        while (!oks && get())
            take_replies(&oks);
    }
    while (audible(quiet_ms) && get())
        take_replies(&oks);
}

static void stream(void)
{
    for (;;) {
        fill_window();
        if (!get()) {
            break_silence();
            continue;
        }
        long oks = 0, wanted = take_replies(&oks);
        acked += oks;
        if (acked > next - 1)
            acked = next - 1;
        if (wanted)
            go_back(wanted);
    }
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"window", 1, 0, 'w'}, {"quiet-ms", 1, 0, 'q'}, {0, 0, 0, 0}};
    int o;
    while ((o = getopt_long(argc, argv, "", options, NULL)) != -1)
        switch (o) {
        case 'w': window = atol(optarg); break;
        case 'q': quiet_ms = atoi(optarg); break;
        default: return 2;
        }
    if (argc - optind != 2 || window < 1 || window > WINDOW_MAX) {
        fputs("usage: writers [--window 1..64] [--quiet-ms N] PORT FILE\n", stderr);
        return 2;
    }
    load(argv[optind + 1]);
    open_port(argv[optind]);
    greet();
    stream();
}
