/* The load generator of `make bench`: many simulated users on one thread.
 *
 * It knows sockets, windows, clocks and what to count. It refuses to know what the texts say (dialects.c)
 * and what a result means (run.py). One JSON object on standard output is the result; anything that is not
 * as it should be ends the program with a sentence on standard error and status 1.
 *
 * It polls without sleeping, because waking a sleeping reader would cost the server time (--sleep sleeps
 * instead, for runs where the server needs this core too). `busy` is the share of time in rounds that found
 * work: near 1.0 the generator, not the server, would be what is measured.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "dialects.h"
#include "frames.h"

#define SECOND 1000000000ull
#define MILLISECOND 1000000ull

enum { READ_BYTES = 256 * 1024, REST_BYTES = 1024 * 1024, WINDOW_MAX = 64, ROUND = 128, BURST = WINDOW_MAX * 1024 };

static void die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

static void die(const char *format, ...) {
    va_list args;
    va_start(args, format);
    fputs("load: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
}

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

static uint64_t cpu_time(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

/* --- a histogram of nanoseconds, exact to 1/128 ----------------------------------------------- */

enum { SUB_BITS = 7, SUBS = 1 << SUB_BITS };

struct histogram {
    uint64_t counts[(64 - SUB_BITS + 1) * SUBS];
    uint64_t total, greatest;
};

static void note(struct histogram *h, uint64_t ns) {
    unsigned shift = ns < SUBS ? 0 : (unsigned)(63 - __builtin_clzll(ns)) - SUB_BITS + 1;
    h->counts[shift * SUBS + (ns >> shift)]++;
    h->total++;
    if (ns > h->greatest) h->greatest = ns;
}

static double quantile_ms(const struct histogram *h, double q) {
    uint64_t wanted = (uint64_t)(q * (double)h->total), seen = 0;
    if (h->total == 0) return 0;
    for (size_t i = 0; i < sizeof h->counts / sizeof *h->counts; i++) {
        seen += h->counts[i];
        if (seen > wanted || seen == h->total)
            return (double)((uint64_t)(i % SUBS) << (i / SUBS)) / (double)MILLISECOND;
    }
    return (double)h->greatest / (double)MILLISECOND;
}

static void print_histogram(const char *name, const struct histogram *h) {
    printf(", \"%s\": {\"count\": %llu, \"p50\": %.3f, \"p90\": %.3f, \"p99\": %.3f, \"max\": %.3f}", name,
           (unsigned long long)h->total, quantile_ms(h, .5), quantile_ms(h, .9), quantile_ms(h, .99),
           (double)h->greatest / (double)MILLISECOND);
}

#define SERVERS_MAX 16

/* --- options ---------------------------------------------------------------------------------- */

static struct {
    const struct dialect *dialect;
    const char *users;      /* file of lines "ACCOUNT TOKEN" */
    const char *app;        /* App ID */
    int ports[SERVERS_MAX]; /* of the servers on loopback: connection i goes to the i-th, and so on in turn */
    unsigned port_count;
    unsigned people;        /* members of the channel, connections in pairs, or idle sessions */
    unsigned window;        /* messages in flight of each sender */
    unsigned rate;          /* messages a second of all senders; 0: as fast as the window lets */
    unsigned probes;        /* fan-out: messages a second from one bystander to another */
    unsigned ack_every;     /* pairs: acknowledge after so many messages … */
    unsigned ack_ms;        /* … or so long after the last acknowledgement */
    unsigned at_once;       /* connections being set up at the same time */
    double seconds, warmup; /* measured, and before that */
    bool sleep;             /* wait in epoll_wait in place of polling */
    int core;               /* to run on; -1: any */
    int servers[SERVERS_MAX]; /* process ids, to read the CPU time of them and their children */
    unsigned server_count;
} options = {.app = "bench", .people = 1000, .window = 16, .ack_every = 64, .ack_ms = 1000, .at_once = 64,
             .seconds = 3, .warmup = 1, .core = -1};

/* --- links: a person and a connection --------------------------------------------------------- */

enum stage { CONNECTING, HANDSHAKING, SETTING_UP, USABLE };

struct link {
    int fd;
    enum stage stage;
    struct person person;
    uint64_t started;    /* when connecting began */
    char *rest;          /* begin of a frame whose end has not come yet; NULL until first needed */
    size_t rest_length;
    char *unsent;        /* what the socket did not take; NULL until first needed */
    size_t unsent_length;
    char *frame;         /* the message that this person sends, masked; NULL for those who send none */
    size_t frame_length, id_at, stamp_at, rid_at; /* places inside the frame's payload … */
    size_t payload_at;                            /* … which begins here */
    uint32_t next_id;                     /* of a message */
    unsigned in_flight;                   /* messages that are not done */
    uint64_t sent, done, got, repeated;   /* messages: given to the socket, done, received, received again */
    uint64_t sent_at[WINDOW_MAX];         /* by id, while in flight */
    uint64_t acked_at;                    /* when the inbox was last acknowledged */
    unsigned unacked;                     /* messages taken since */
    bool fetching;                        /* a fetch is not answered yet */
    bool fetch_again;                     /* there was a reason for another one meanwhile */
};

static struct link *links;
static unsigned link_count;
static unsigned usable;          /* links that are set up */
static int poller;               /* the epoll instance */
static char *read_buffer;        /* REST_BYTES for a rest, then READ_BYTES */
static uint64_t heard;           /* when bytes last arrived from anybody */
static uint64_t clock_now;       /* of the current round; refreshed after each read */
static uint64_t busy_ns;         /* spent in rounds that found work */
static uint64_t bytes_in;        /* from all servers' sockets */
static struct histogram set_ups; /* from connecting to usable */
static size_t marker_tail;       /* distance of a text's marker from the end of its frame; 0: none seen yet */

/* What a scenario does with what a usable link hears, and after a read of it. */
static void (*on_news)(struct link *, const struct news *, const char *payload, size_t length);
static void (*after_read)(struct link *);

static void watch(struct link *l, uint32_t events, int operation) {
    struct epoll_event e = {.events = events, .data.ptr = l};
    if (epoll_ctl(poller, operation, l->fd, &e) < 0) die("epoll_ctl: %s", strerror(errno));
}

static void send_bytes(struct link *l, const char *data, size_t length) {
    if (l->unsent_length == 0) {
        ssize_t n = send(l->fd, data, length, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN) die("%s: send: %s", l->person.account, strerror(errno));
        if (n == (ssize_t)length) return;
        if (n > 0) data += n, length -= (size_t)n;
        watch(l, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
    }
    if (l->unsent == NULL) l->unsent = malloc(REST_BYTES);
    if (l->unsent == NULL || l->unsent_length + length > REST_BYTES) die("%s: the server does not read", l->person.account);
    memcpy(l->unsent + l->unsent_length, data, length);
    l->unsent_length += length;
}

static void send_rest(struct link *l) {
    ssize_t n = send(l->fd, l->unsent, l->unsent_length, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN) die("%s: send: %s", l->person.account, strerror(errno));
    if (n <= 0) return;
    l->unsent_length -= (size_t)n;
    memmove(l->unsent, l->unsent + n, l->unsent_length);
    if (l->unsent_length == 0) watch(l, EPOLLIN, EPOLL_CTL_MOD);
}

static void say(struct link *l, enum opcode opcode, const char *text, size_t length) {
    char frame[SAY_BYTES + FRAME_OVERHEAD];
    size_t payload_at;
    if (length > SAY_BYTES) die("too long to say");
    send_bytes(l, frame, put_masked(frame, opcode, text, length, &payload_at));
}

static int port_of(const struct link *l) { return options.ports[(unsigned)(l - links) % options.port_count]; }

static void connect_link(struct link *l) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port_of(l))};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int one = 1;
    l->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (l->fd < 0) die("socket: %s", strerror(errno));
    setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(l->fd, (struct sockaddr *)&to, sizeof to) < 0 && errno != EINPROGRESS)
        die("connect: %s", strerror(errno));
    l->started = now();
    l->stage = CONNECTING;
    watch(l, EPOLLOUT, EPOLL_CTL_ADD);
}

/* The sample key of RFC 6455 §1.3: its right answer is known without SHA-1. */
static void ask_upgrade(struct link *l) {
    char head[512];
    int n = snprintf(head, sizeof head,
                     "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
                     options.dialect->path, port_of(l));
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(l->fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) die("connect: %s", strerror(error));
    watch(l, EPOLLIN, EPOLL_CTL_MOD);
    l->stage = HANDSHAKING;
    send_bytes(l, head, (size_t)n);
}

static void set_up(struct link *l, const char *in, size_t n) {
    char out[SAY_BYTES];
    size_t length = 0;
    switch (options.dialect->set_up(&l->person, in, n, out, &length)) {
    case WAITING: return;
    case SAYING: say(l, OP_TEXT, out, length); return;
    case READY: break;
    case BROKEN: die("%s: setting up failed: %.*s", l->person.account, (int)(n > 300 ? 300 : n), in);
    }
    l->stage = USABLE;
    usable++;
    note(&set_ups, now() - l->started);
}

/* Returns how many bytes the head of the 101 took; 0: not all there. */
static size_t take_upgrade(struct link *l, const char *data, size_t length) {
    const char *end = memmem(data, length, "\r\n\r\n", 4);
    if (end == NULL) return 0;
    size_t head = (size_t)(end - data) + 4;
    if (memmem(data, head, " 101 ", 5) == NULL || memmem(data, head, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", 28) == NULL)
        die("%s: no upgrade: %.*s", l->person.account, (int)(head > 300 ? 300 : head), data);
    l->stage = SETTING_UP;
    set_up(l, NULL, 0);
    return head;
}

static void take_one(struct link *l, const char *text, size_t length) {
    struct news news;
    if (l->stage == SETTING_UP) {
        set_up(l, text, length);
        return;
    }
    options.dialect->read(&l->person, text, length, &news);
    switch (news.kind) {
    case NOTHING: return;
    case HEARTBEAT: say(l, OP_TEXT, options.dialect->heartbeat, strlen(options.dialect->heartbeat)); return;
    case REFUSED: die("%s: refused: %.*s", l->person.account, (int)(length > 300 ? 300 : length), text);
    case ENDED: die("%s: ended: %.*s", l->person.account, (int)(length > 300 ? 300 : length), text);
    default: on_news(l, &news, text, length);
    }
}

static void take_text(struct link *l, const char *text, size_t length) {
    const char *end = text + length, *line;
    while (options.dialect->lines && (line = memchr(text, '\n', (size_t)(end - text))) != NULL) {
        take_one(l, text, (size_t)(line - text));
        text = line + 1;
    }
    if (text < end) take_one(l, text, (size_t)(end - text));
}

static void take_control(struct link *l, const struct frame *f) {
    switch (f->opcode) {
    case OP_TEXT: die("%s: a fragmented text: no server here sends one", l->person.account);
    case OP_PING: say(l, OP_PONG, f->payload, f->length); return;
    case OP_PONG: return;
    case OP_CLOSE: {
        unsigned code = f->length < 2 ? 0 : (unsigned)(unsigned char)f->payload[0] << 8 | (unsigned char)f->payload[1];
        die("%s: closed by the server: %u %.*s", l->person.account, code, (int)(f->length < 2 ? 0 : f->length - 2),
            f->payload + 2);
    }
    default: die("%s: unexpected opcode %d", l->person.account, f->opcode);
    }
}

static void read_link(struct link *l) {
    char *at = read_buffer + REST_BYTES;
    ssize_t n = recv(l->fd, at, READ_BYTES, 0);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) die("%s: connection lost: %s", l->person.account, n == 0 ? "end of stream" : strerror(errno));
    char *end = at + n;
    clock_now = heard = now();
    bytes_in += (uint64_t)n;
    if (l->rest_length > 0) {
        at -= l->rest_length;
        memcpy(at, l->rest, l->rest_length);
        l->rest_length = 0;
    }
    if (l->stage == HANDSHAKING) at += take_upgrade(l, at, (size_t)(end - at));
    struct frame f;
    while (l->stage != HANDSHAKING && take_frame(&at, end, &f)) {
        if (f.opcode == OP_TEXT && f.whole)
            take_text(l, f.payload, f.length);
        else
            take_control(l, &f);
    }
    if (at < end) {
        size_t rest = (size_t)(end - at);
        if (l->rest == NULL) l->rest = malloc(REST_BYTES);
        if (l->rest == NULL || rest > REST_BYTES) die("%s: a frame that does not end", l->person.account);
        memcpy(l->rest, at, rest);
        l->rest_length = rest;
    }
    if (l->stage == USABLE && after_read != NULL) after_read(l);
}

/* One round of the poller. */
static void turn(void) {
    struct epoll_event events[ROUND];
    uint64_t before = now();
    int n = epoll_wait(poller, events, ROUND, options.sleep ? 1 : 0);
    clock_now = now();
    if (n <= 0) return;
    if (options.sleep) before = clock_now;
    for (int i = 0; i < n; i++) {
        struct link *l = events[i].data.ptr;
        if (l->stage == CONNECTING) {
            ask_upgrade(l);
            continue;
        }
        if (events[i].events & EPOLLOUT && l->unsent_length > 0) send_rest(l);
        if (events[i].events & ~(uint32_t)EPOLLOUT) read_link(l);
    }
    clock_now = now();
    busy_ns += clock_now - before;
}

/* --- users and links -------------------------------------------------------------------------- */

static void make_links(unsigned count) {
    char account[160], token[256];
    FILE *file = fopen(options.users, "r");
    if (file == NULL) die("%s: %s", options.users, strerror(errno));
    links = calloc(count, sizeof *links);
    if (links == NULL) die("no memory");
    for (link_count = 0; link_count < count; link_count++) {
        struct link *l = &links[link_count];
        if (fscanf(file, "%159s %255s", account, token) != 2) die("%s: fewer than %u users", options.users, count);
        l->person.app = options.app;
        l->person.account = strdup(account);
        l->person.token = strdup(token);
        l->next_id = FIRST_ID;
    }
    fclose(file);
}

static void connect_all(void) {
    unsigned begun = 0;
    uint64_t deadline = now() + 60 * SECOND;
    while (usable < link_count) {
        while (begun < link_count && begun - usable < options.at_once) connect_link(&links[begun++]);
        turn();
        if (clock_now > deadline) die("only %u of %u users came in within 60 s", usable, link_count);
    }
}

/* Until nobody has heard anything for a while: the joins' events are all delivered. */
static void settle(void) {
    heard = now();
    while (now() < heard + 300 * MILLISECOND) turn();
}

/* --- messages --------------------------------------------------------------------------------- */

typedef void draft_maker(const struct person *, struct draft *);

static void prepare(struct link *l, draft_maker *make) {
    struct draft d;
    make(&l->person, &d);
    l->frame = malloc(d.length + FRAME_OVERHEAD);
    if (l->frame == NULL) die("no memory");
    l->frame_length = put_masked(l->frame, OP_TEXT, d.text, d.length, &l->payload_at);
    l->id_at = d.id_at;
    l->stamp_at = d.stamp_at;
    l->rid_at = d.rid_at;
    if (l->frame_length * WINDOW_MAX > BURST) die("the message is too long");
}

static void patch(struct link *l, size_t at, const char *text, size_t length) {
    for (size_t i = 0; i < length; i++) l->frame[l->payload_at + at + i] = text[i] ^ (char)MASK[(at + i) & 3];
}

/* Puts the next message of `l` at `out`. */
static size_t next_message(struct link *l, char *out, uint64_t stamp) {
    char digits[STAMP_DIGITS];
    uint32_t id = l->next_id;
    l->sent_at[id % WINDOW_MAX] = stamp;
    l->next_id = id + 1 < FIRST_OTHER ? id + 1 : FIRST_ID;
    for (int i = ID_DIGITS - 1; i >= 0; i--, id /= 10) digits[i] = (char)('0' + id % 10);
    patch(l, l->id_at, digits, ID_DIGITS);
    if (l->rid_at > 0) patch(l, l->rid_at, digits, ID_DIGITS);
    for (int i = 0; i < STAMP_DIGITS; i++) digits[i] = "0123456789abcdef"[stamp >> (60 - 4 * i) & 15];
    patch(l, l->stamp_at, digits, STAMP_DIGITS);
    memcpy(out, l->frame, l->frame_length);
    l->sent++;
    l->in_flight++;
    return l->frame_length;
}

static void send_message(struct link *l, uint64_t stamp) {
    char out[SAY_BYTES + FRAME_OVERHEAD];
    send_bytes(l, out, next_message(l, out, stamp));
}

static void fill_window(struct link *l) {
    static char burst[BURST];
    size_t length = 0;
    while (l->in_flight < options.window) length += next_message(l, burst + length, clock_now);
    if (length > 0) send_bytes(l, burst, length);
}

/* The marker of the text inside a received frame; NULL: it is no message. All messages have it at one place. */
static const char *find_marker(const char *payload, size_t length) {
    if (marker_tail != 0 && marker_tail <= length) {
        const char *at = payload + length - marker_tail;
        if (at[0] == MARKER[0] && at[1] == MARKER[1]) return at;
    }
    const char *at = memmem(payload, length, MARKER, 2);
    if (at != NULL) marker_tail = length - (size_t)(at - payload);
    return at;
}

static uint64_t stamp_of(const char *marker) {
    uint64_t stamp = 0;
    for (int i = 2; i < 2 + STAMP_DIGITS; i++)
        stamp = stamp << 4 | (uint64_t)(marker[i] <= '9' ? marker[i] - '0' : marker[i] - 'a' + 10);
    return stamp;
}

static uint64_t age(const char *marker) {
    uint64_t stamp = stamp_of(marker);
    return clock_now > stamp ? clock_now - stamp : 0;
}

static void take_answer(struct link *l, const struct news *news, struct histogram *latency, bool counted) {
    if (news->id >= FIRST_OTHER) return;
    l->done++;
    l->in_flight--;
    uint64_t sent = l->sent_at[news->id % WINDOW_MAX];
    if (counted) note(latency, clock_now - sent);
}

/* --- measuring -------------------------------------------------------------------------------- */

static uint64_t begun, ended;                          /* of the measured time; ended = 0: it has not begun */
static uint64_t begun_cpu, begun_busy, begun_bytes;    /* at its begin */
static double begun_server[SERVERS_MAX], begun_all;    /* CPU seconds of the servers and of everybody at its begin */
static double server_shares[SERVERS_MAX];              /* results, in the order of the options */
static double cpu_share, busy_share, server_share, others_share, span; /* results */

static bool measuring(void) { return clock_now < ended; }

/* Of one process, from the text of its /proc/PID/stat; `ended`: with those of its children that have ended. */
static double seconds_of(const char *stat, int *parent, bool ended) {
    unsigned long long user = 0, system = 0, waited_user = 0, waited_system = 0;
    const char *behind = strrchr(stat, ')');
    if (behind == NULL) return 0;
    sscanf(behind + 2, "%*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %llu %llu", parent, &user, &system,
           &waited_user, &waited_system);
    if (ended) user += waited_user, system += waited_system;
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

/* CPU seconds of each server: the process, its children, and those that it had. Returns their sum. */
static double server_seconds(double each[]) {
    double sum = 0;
    for (unsigned i = 0; i < options.server_count; i++) each[i] = 0;
    DIR *processes = options.server_count > 0 ? opendir("/proc") : NULL;
    if (processes == NULL) return 0;
    for (struct dirent *entry; (entry = readdir(processes)) != NULL;) {
        int pid = atoi(entry->d_name), parent = 0;
        char path[64], line[1024];
        if (pid == 0) continue;
        snprintf(path, sizeof path, "/proc/%d/stat", pid);
        FILE *file = fopen(path, "r");
        if (file == NULL) continue;
        bool read = fgets(line, sizeof line, file) != NULL;
        fclose(file);
        if (!read) continue;
        double own = seconds_of(line, &parent, false);
        for (unsigned i = 0; i < options.server_count; i++) {
            if (pid == options.servers[i]) each[i] += seconds_of(line, &parent, true);
            else if (parent == options.servers[i]) each[i] += own;
        }
    }
    closedir(processes);
    for (unsigned i = 0; i < options.server_count; i++) sum += each[i];
    return sum;
}

/* CPU seconds of all processes, and what the host took (user, nice, system, steal of /proc/stat). */
static double everybodys_seconds(void) {
    unsigned long long user = 0, nice = 0, system = 0, steal = 0;
    FILE *file = fopen("/proc/stat", "r");
    if (file == NULL) return 0;
    if (fscanf(file, "cpu %llu %llu %llu %*u %*u %*u %*u %llu", &user, &nice, &system, &steal) != 4) user = 0;
    fclose(file);
    return (double)(user + nice + system + steal) / (double)sysconf(_SC_CLK_TCK);
}

static void begin_measuring(void) {
    begun = clock_now = now();
    begun_cpu = cpu_time();
    begun_busy = busy_ns;
    begun_bytes = bytes_in;
    server_seconds(begun_server);
    begun_all = everybodys_seconds();
    ended = begun + (uint64_t)(options.seconds * (double)SECOND);
}

static void end_measuring(void) {
    uint64_t at = now();
    span = (double)(at - begun) / (double)SECOND;
    cpu_share = (double)(cpu_time() - begun_cpu) / (double)(at - begun);
    busy_share = (double)(busy_ns - begun_busy) / (double)(at - begun);
    server_seconds(server_shares);
    server_share = 0;
    for (unsigned i = 0; i < options.server_count; i++) {
        server_shares[i] = (server_shares[i] - begun_server[i]) / span;
        server_share += server_shares[i];
    }
    others_share = (everybodys_seconds() - begun_all) / span - server_share - cpu_share;
    if (others_share < 0) others_share = 0; /* clock ticks are coarse */
    begun_bytes = bytes_in - begun_bytes;
    ended = begun;
}

static void print_measured(void) {
    printf(", \"seconds\": %.3f, \"load_busy\": %.3f, \"load_cpu\": %.3f, \"server_cpu\": %.3f, \"others_cpu\": %.3f, "
           "\"mib_per_s\": %.1f",
           span, busy_share, cpu_share, server_share, others_share, (double)begun_bytes / span / 1048576.0);
    printf(", \"cpu_of\": {");
    for (unsigned i = 0; i < options.server_count; i++) printf("%s\"%u\": %.3f", i ? ", " : "", i, server_shares[i]);
    printf("}");
}

/* --- fan-out: members of one channel, one more of them sends ---------------------------------- */

static struct link *sender, *prober;
static uint64_t deliveries, echoes; /* in the measured time: at the members, at the sender */
static struct histogram delivered, probed;
static bool stopped;                /* no new messages */

static void fanout_news(struct link *l, const struct news *news, const char *payload, size_t length) {
    if (news->kind == DONE) {
        if (l == prober) take_answer(l, news, &probed, measuring());
        return;
    }
    if (news->kind == WHISPERED) l->got++;
    if (news->kind != SHARED) return;
    const char *marker = find_marker(payload, length);
    if (marker == NULL) return;
    l->got++;
    if (l == sender) {
        l->in_flight--;
        l->done++;
        if (measuring()) echoes++;
    } else if (measuring()) {
        deliveries++;
        if (options.rate > 0) note(&delivered, age(marker));
        return;
    } else {
        return;
    }
    if (options.rate == 0 && measuring()) note(&delivered, age(marker));
}

static void fanout_after(struct link *l) {
    if (l == sender && options.rate == 0 && !stopped) fill_window(l);
}

/* Runs until `until`, sending what falls due. */
static void fanout_run(uint64_t until, uint64_t *due, uint64_t *probe_due) {
    while (clock_now < until) {
        turn();
        if (options.rate > 0 && clock_now >= *due) {
            send_message(sender, *due);
            *due += SECOND / options.rate;
        }
        if (prober != NULL && clock_now >= *probe_due) {
            if (prober->in_flight < WINDOW_MAX) send_message(prober, clock_now);
            *probe_due += SECOND / options.probes;
        }
    }
}

static void fanout(void) {
    unsigned members = options.people + 1;
    make_links(members + (options.probes > 0 ? 2 : 0));
    for (unsigned i = 0; i < members; i++) links[i].person.room = "bench";
    on_news = fanout_news;
    connect_all();
    settle();
    sender = &links[members - 1];
    prepare(sender, options.dialect->share);
    if (options.probes > 0) {
        prober = &links[members];
        prober->person.peer = links[members + 1].person.account;
        prepare(prober, options.dialect->whisper);
    }
    after_read = fanout_after;
    uint64_t due = now(), probe_due = due;
    clock_now = due;
    if (options.rate == 0) fill_window(sender);
    fanout_run(due + (uint64_t)(options.warmup * (double)SECOND), &due, &probe_due);
    begin_measuring();
    uint64_t sent_before = sender->sent;
    fanout_run(ended, &due, &probe_due);
    end_measuring();
    uint64_t sent_measured = sender->sent - sent_before;
    stopped = true;
    uint64_t wanted = sender->sent, missing = 0, deadline = now() + 15 * SECOND;
    do {
        turn();
        missing = 0;
        for (unsigned i = 0; i < members; i++) missing += wanted - links[i].got;
    } while (missing > 0 && clock_now < deadline);
    printf("{\"deliveries_per_s\": %.0f, \"messages_per_s\": %.1f, \"offered_per_s\": %.1f, \"missing\": %llu",
           (double)deliveries / span, (double)echoes / span, (double)sent_measured / span, (unsigned long long)missing);
    print_histogram(options.rate > 0 ? "delivery_ms" : "echo_ms", &delivered);
    if (prober != NULL) print_histogram("probe_ms", &probed);
    print_measured();
    puts("}");
}

/* --- pairs: everybody writes to a partner ------------------------------------------------------ */

static uint64_t confirmed, received; /* in the measured time */
static struct histogram answers, whispers;

static void ask(struct link *l, size_t (*what)(struct person *, char *)) {
    char out[SAY_BYTES];
    say(l, OP_TEXT, out, what(&l->person, out));
}

static void fetch(struct link *l) {
    if (l->fetching) {
        l->fetch_again = true;
        return;
    }
    l->fetching = true;
    l->fetch_again = false;
    ask(l, options.dialect->fetch);
    l->unacked = 0; /* a fetch acknowledges, too */
    l->acked_at = clock_now;
}

static void acknowledge(struct link *l) {
    ask(l, options.dialect->acknowledge);
    l->unacked = 0;
    l->acked_at = clock_now;
}

static void take_whisper(struct link *l, uint64_t version, const char *payload, size_t length) {
    struct person *p = &l->person;
    if (version != 0 && version != p->cursor + 1) {
        if (version <= p->cursor)
            l->repeated++;
        else
            fetch(l);
        return;
    }
    p->cursor = version;
    l->got++;
    l->unacked++;
    if (!measuring()) return;
    received++;
    const char *marker = find_marker(payload, length);
    if (marker != NULL) note(&whispers, age(marker));
}

static void take_fetched(struct link *l, const struct news *news) {
    l->fetching = false;
    if (news->version > l->person.cursor) l->person.cursor = news->version;
    l->got += news->count;
    l->unacked += news->count;
    if (measuring()) received += news->count;
    if (news->more || l->fetch_again) fetch(l);
}

static void pairs_news(struct link *l, const struct news *news, const char *payload, size_t length) {
    switch (news->kind) {
    case DONE:
        if (news->id < FIRST_OTHER && measuring()) confirmed++;
        take_answer(l, news, &answers, measuring());
        return;
    case WHISPERED: take_whisper(l, news->version, payload, length); return;
    case ANNOUNCED:
        if (news->version > l->person.cursor) fetch(l);
        return;
    case FETCHED: take_fetched(l, news); return;
    default: return;
    }
}

static void pairs_after(struct link *l) {
    if (!stopped && options.rate == 0) fill_window(l);
    if (l->unacked >= options.ack_every && options.dialect->acknowledge != NULL) acknowledge(l);
}

/* Sends what is due, of one after the other. */
static void pairs_pace(void) {
    static uint64_t due;
    static unsigned next;
    if (due == 0) due = clock_now;
    for (; due <= clock_now; due += SECOND / options.rate) {
        struct link *l = &links[next++ % link_count];
        if (l->in_flight < WINDOW_MAX) send_message(l, due);
    }
}

static void pairs_run(uint64_t until) {
    uint64_t look = clock_now;
    while (clock_now < until) {
        turn();
        if (options.rate > 0) pairs_pace();
        if (options.dialect->acknowledge == NULL || clock_now < look) continue;
        look = clock_now + 20 * MILLISECOND;
        for (unsigned i = 0; i < link_count; i++)
            if (links[i].unacked > 0 && clock_now > links[i].acked_at + options.ack_ms * MILLISECOND) acknowledge(&links[i]);
    }
}

static void pairs(void) {
    uint64_t lost = 0, repeated = 0, unanswered = 0;
    options.people &= ~1u;
    make_links(options.people);
    for (unsigned i = 0; i < link_count; i++) links[i].person.peer = links[i ^ 1].person.account;
    on_news = pairs_news;
    connect_all();
    settle();
    after_read = pairs_after;
    clock_now = now();
    for (unsigned i = 0; i < link_count; i++) {
        prepare(&links[i], options.dialect->whisper);
        links[i].acked_at = clock_now;
        if (options.rate == 0) fill_window(&links[i]);
    }
    pairs_run(clock_now + (uint64_t)(options.warmup * (double)SECOND));
    begin_measuring();
    pairs_run(ended);
    end_measuring();
    stopped = true;
    settle();
    for (unsigned i = 0; i < link_count; i++) {
        lost += links[i].done - links[i ^ 1].got;
        repeated += links[i].repeated;
        unanswered += links[i].in_flight;
    }
    printf("{\"messages_per_s\": %.0f, \"confirmed_per_s\": %.0f, \"received_per_s\": %.0f, \"lost\": %lld, "
           "\"repeated\": %llu, \"unanswered\": %llu",
           (double)(confirmed < received ? confirmed : received) / span, (double)confirmed / span,
           (double)received / span, (long long)lost, (unsigned long long)repeated, (unsigned long long)unanswered);
    print_histogram("answer_ms", &answers);
    print_histogram("delivery_ms", &whispers);
    print_measured();
    puts("}");
}

/* --- idle: log in and stay until standard input ends ------------------------------------------- */

static void idle_news(struct link *l, const struct news *news, const char *payload, size_t length) {
    (void)l, (void)news, (void)payload, (void)length;
}

static void idle(void) {
    char byte;
    make_links(options.people);
    on_news = idle_news;
    begin_measuring();
    connect_all();
    end_measuring();
    printf("{\"sessions\": %u, \"logins_per_s\": %.0f", usable, (double)usable / span);
    print_histogram("login_ms", &set_ups);
    print_measured();
    puts("}");
    fflush(stdout);
    options.sleep = true;
    fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
    while (read(STDIN_FILENO, &byte, 1) != 0) turn();
}

/* --- the command line ------------------------------------------------------------------------- */

static const char USAGE[] =
    "usage: load fanout|pairs|idle --dialect signalpost|ws|socketio|centrifugo --port N --users FILE [--app ID] [--people N]\n"
    "            [--window N] [--rate N] [--probes N] [--ack-every N] [--ack-ms N] [--at-once N]\n"
    "            [--seconds S] [--warmup S] [--core N] [--server PID] [--sleep]\n"
    "--port and --server may be repeated: connections are spread over the ports, CPU time is told of each.\n";

static void read_options(int argc, char **argv) {
    static const struct option names[] = {
        {"dialect", 1, 0, 'd'},   {"port", 1, 0, 'p'},    {"users", 1, 0, 'u'},  {"app", 1, 0, 'a'},
        {"people", 1, 0, 'n'},    {"window", 1, 0, 'w'},  {"rate", 1, 0, 'r'},   {"probes", 1, 0, 'q'},
        {"ack-every", 1, 0, 'e'}, {"ack-ms", 1, 0, 'm'},  {"at-once", 1, 0, 'o'}, {"seconds", 1, 0, 's'},
        {"warmup", 1, 0, 'b'},    {"core", 1, 0, 'c'},    {"server", 1, 0, 'i'}, {"sleep", 0, 0, 'z'},
        {0, 0, 0, 0},
    };
    for (int c; (c = getopt_long(argc, argv, "", names, NULL)) != -1;) {
        unsigned number = optarg == NULL ? 0 : (unsigned)strtoul(optarg, NULL, 10);
        switch (c) {
        case 'd': options.dialect = find_dialect(optarg); break;
        case 'p':
            if (options.port_count < SERVERS_MAX) options.ports[options.port_count++] = (int)number;
            break;
        case 'u': options.users = optarg; break;
        case 'a': options.app = optarg; break;
        case 'n': options.people = number; break;
        case 'w': options.window = number; break;
        case 'r': options.rate = number; break;
        case 'q': options.probes = number; break;
        case 'e': options.ack_every = number; break;
        case 'm': options.ack_ms = number; break;
        case 'o': options.at_once = number; break;
        case 's': options.seconds = strtod(optarg, NULL); break;
        case 'b': options.warmup = strtod(optarg, NULL); break;
        case 'c': options.core = (int)number; break;
        case 'i':
            if (options.server_count < SERVERS_MAX) options.servers[options.server_count++] = (int)number;
            break;
        case 'z': options.sleep = true; break;
        default: fputs(USAGE, stderr); exit(2);
        }
    }
    bool complete = optind + 1 == argc && options.dialect != NULL && options.port_count > 0 && options.users != NULL;
    if (!complete || options.window == 0 || options.window > WINDOW_MAX || options.people < 2) {
        fputs(USAGE, stderr);
        exit(2);
    }
}

static void stay_on(int core) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((unsigned)core, &set);
    if (sched_setaffinity(0, sizeof set, &set) < 0) die("core %d: %s", core, strerror(errno));
}

static void raise_files(void) {
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int argc, char **argv) {
    read_options(argc, argv);
    raise_files();
    if (options.core >= 0) stay_on(options.core);
    poller = epoll_create1(EPOLL_CLOEXEC);
    read_buffer = malloc(REST_BYTES + READ_BYTES);
    if (poller < 0 || read_buffer == NULL) die("no resources");
    const char *scenario = argv[optind];
    if (strcmp(scenario, "fanout") == 0)
        fanout();
    else if (strcmp(scenario, "pairs") == 0)
        pairs();
    else if (strcmp(scenario, "idle") == 0)
        idle();
    else
        die("no scenario %s", scenario);
    return 0;
}
