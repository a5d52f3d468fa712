/* The ceiling: a server in C that sends the frames that Signalpost would send, and does nothing else.
 *
 * It knows one dialect's happy path (PROTOCOL §2-§7) and joins what one round has for one connection. It
 * refuses to know tokens, rules, rates, inboxes, several apps or a store. What the load generator reaches
 * against it is the most that the generator can show on this machine.
 *
 * usage: ceiling CORE     (-1: any core); prints "listening on http://127.0.0.1:PORT"
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "frames.h"

enum { FILES = 1 << 16, READ_BYTES = 256 * 1024, OUT_BYTES = 32 * 1024, ROUND = 512, PEOPLE = 1 << 15 };

struct client {
    int fd;
    int person;       /* digits of the account's name; -1 before login */
    int upgraded;
    unsigned version; /* last one of the inbox */
    char *rest;       /* begin of what has not fully come */
    size_t rest_length;
    char *out;        /* what this round has for this client, and what its socket did not take */
    size_t out_length, out_size;
    int dirty;        /* in `dirty_clients` */
    int waiting;      /* for its socket to take more */
};

static struct client *by_file[FILES], *by_person[PEOPLE];
static struct client *dirty_clients[FILES], *members[FILES];
static size_t dirty_count, member_count;
static char *room_batch; /* the room's frames of this round */
static size_t room_length, room_size;
static unsigned long sequence;
static int poller;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void append(char **to, size_t *length, size_t *size, const char *data, size_t n) {
    if (*length + n > *size) {
        *size = (*length + n) * 2;
        *to = realloc(*to, *size);
        if (*to == NULL) fail("realloc");
    }
    memcpy(*to + *length, data, n);
    *length += n;
}

static void watch(struct client *c, uint32_t events, int operation) {
    struct epoll_event e = {.events = events, .data.ptr = c};
    if (epoll_ctl(poller, operation, c->fd, &e) < 0) fail("epoll_ctl");
}

static void queue(struct client *c, const char *data, size_t n) {
    append(&c->out, &c->out_length, &c->out_size, data, n);
    if (!c->dirty) dirty_clients[dirty_count++] = c;
    c->dirty = 1;
}

static void answer(struct client *c, const char *text, size_t n) {
    char frame[2048 + FRAME_OVERHEAD];
    queue(c, frame, put_plain(frame, OP_TEXT, text, n));
}

/* The text between `before` and the next quote. */
static size_t field(const char *in, size_t n, const char *before, const char **out) {
    const char *at = memmem(in, n, before, strlen(before));
    if (at == NULL) return 0;
    at += strlen(before);
    const char *end = memchr(at, '"', (size_t)(in + n - at));
    *out = at;
    return end == NULL ? 0 : (size_t)(end - at);
}

static void share(struct client *c, const char *in, size_t n) {
    char text[2048], frame[2048 + FRAME_OVERHEAD];
    const char *message = "", *room = "";
    int room_bytes = (int)field(in, n, "\"name\":\"", &room);
    int bytes = (int)field(in, n, "\"msg\":\"", &message);
    sequence++;
    int length = snprintf(text, sizeof text,
                          "[\"notify\",[\"channel2\",\"%.*s\",%lu,\"msg-v3 %016lx u%05d %.*s v1:E:86400 channel_msg 1700000000 "
                          "{\\\"channel\\\":\\\"%.*s\\\",\\\"account\\\":\\\"u%05d\\\",\\\"uid\\\":0,\\\"msg\\\":\\\"%.*s\\\"}\"]]",
                          room_bytes, room, sequence, sequence, c->person, room_bytes, room, room_bytes, room, c->person,
                          bytes, message);
    append(&room_batch, &room_length, &room_size, frame, put_plain(frame, OP_TEXT, text, (size_t)length));
}

static void whisper(struct client *c, const char *in, size_t n) {
    char text[2048];
    const char *message = "", *peer = "";
    int peer_bytes = (int)field(in, n, "\"peer\":\"", &peer);
    int bytes = (int)field(in, n, "\"content\":\"", &message);
    struct client *to = peer_bytes > 1 ? by_person[atoi(peer + 1) % PEOPLE] : NULL;
    if (to == NULL) return;
    sequence++;
    int length = snprintf(text, sizeof text,
                          "[\"notify\",[\"recvmsg\",\"[%u, \\\"msg-v3 %016lx u%05d %.*s v1:E:86400 instant 1700000000 %.*s\\\"]\"]]",
                          ++to->version, sequence, c->person, peer_bytes, peer, bytes, message);
    answer(to, text, (size_t)length);
}

static void request(struct client *c, const char *in, size_t n) {
    static const char call[] = "[\"call2\",[\"";
    char text[512];
    int length = 0;
    if (n > 8 && memcmp(in, "[\"login\"", 8) == 0) {
        const char *account = "u0";
        field(in, n, "\"account\":\"", &account);
        c->person = atoi(account + 1) % PEOPLE;
        by_person[c->person] = c;
        length = snprintf(text, sizeof text,
                          "[\"login_ret\",[\"\",\"{\\\"result\\\":\\\"ok\\\",\\\"uid\\\":0,\\\"line\\\":\\\"8d1bc8f0%024x\\\"}\"]]",
                          (unsigned)c->person);
        answer(c, text, (size_t)length);
        return;
    }
    if (n < sizeof call || memcmp(in, call, sizeof call - 1) != 0) return;
    const char *name = in + sizeof call - 1;
    const char *id = memchr(name, ',', (size_t)(in + n - name));
    if (id == NULL) return;
    const char *extra = "";
    if (memcmp(name, "channel_sendmsg", 15) == 0) share(c, in, n);
    if (memcmp(name, "user_sendmsg", 12) == 0) whisper(c, in, n);
    if (memcmp(name, "channel_join", 12) == 0) {
        members[member_count++] = c;
        extra = ",\\\"list\\\":[],\\\"attrs\\\":{}";
    }
    if (memcmp(name, "user_getmsg", 11) == 0) extra = ",\\\"ver_clear\\\":0,\\\"msgs\\\":[]";
    length = snprintf(text, sizeof text, "[\"call2-ret\",[%d,\"\",\"{\\\"result\\\":\\\"ok\\\"%s}\"]]", atoi(id + 1), extra);
    answer(c, text, (size_t)length);
}

static void drop(struct client *c) {
    if (c->person >= 0 && by_person[c->person] == c) by_person[c->person] = NULL;
    for (size_t i = 0; i < member_count; i++)
        if (members[i] == c) members[i--] = members[--member_count];
    for (size_t i = 0; i < dirty_count; i++)
        if (dirty_clients[i] == c) dirty_clients[i--] = dirty_clients[--dirty_count];
    by_file[c->fd] = NULL;
    close(c->fd);
    free(c->rest);
    free(c->out);
    free(c);
}

static void flush(struct client *c) {
    if (c->out_length == 0) return;
    ssize_t n = send(c->fd, c->out, c->out_length, MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN) return; /* the next read tells */
    if (n > 0) c->out_length -= (size_t)n;
    if (n > 0 && c->out_length > 0) memmove(c->out, c->out + n, c->out_length);
    int waiting = c->out_length > 0;
    if (waiting != c->waiting) watch(c, EPOLLIN | (waiting ? EPOLLOUT : 0), EPOLL_CTL_MOD);
    c->waiting = waiting;
}

/* Every member gets the same bytes in one send, behind what it has waiting. */
static void flush_room(void) {
    for (size_t i = 0; i < member_count && room_length > 0; i++) {
        struct client *c = members[i];
        if (c->out_length > 0) {
            queue(c, room_batch, room_length);
            continue;
        }
        ssize_t n = send(c->fd, room_batch, room_length, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN) n = 0;
        if (n >= 0 && n < (ssize_t)room_length) queue(c, room_batch + n, room_length - (size_t)n);
    }
    room_length = 0;
}

static void upgrade(struct client *c) {
    static const char yes[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                              "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"; /* RFC 6455 §1.3 */
    queue(c, yes, sizeof yes - 1);
    c->upgraded = 1;
}

static void hear(struct client *c) {
    static char buffer[READ_BYTES * 2];
    if (c->rest_length > 0) memcpy(buffer, c->rest, c->rest_length);
    ssize_t n = recv(c->fd, buffer + c->rest_length, READ_BYTES, 0);
    if (n < 0 && errno == EAGAIN) return;
    if (n <= 0) {
        drop(c);
        return;
    }
    char *at = buffer, *end = buffer + c->rest_length + n;
    struct frame f;
    if (!c->upgraded) {
        char *head = memmem(at, (size_t)(end - at), "\r\n\r\n", 4);
        if (head != NULL) at = head + 4, upgrade(c);
    }
    while (c->upgraded && take_frame(&at, end, &f)) {
        unmask(&f);
        if (f.opcode == OP_TEXT) request(c, f.payload, f.length);
    }
    c->rest_length = (size_t)(end - at);
    if (c->rest_length == 0) return;
    if (c->rest == NULL) c->rest = malloc(READ_BYTES);
    if (c->rest == NULL || c->rest_length > READ_BYTES) fail("a frame that does not end");
    memcpy(c->rest, at, c->rest_length);
}

static void welcome(int listener) {
    int fd, one = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct client *c = calloc(1, sizeof *c);
        if (c == NULL || fd >= FILES) fail("a new client");
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        c->fd = fd;
        c->person = -1;
        by_file[fd] = c;
        watch(c, EPOLLIN, EPOLL_CTL_ADD);
    }
}

static int listen_on_loopback(void) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) < 0 || listen(fd, 4096) < 0) fail("listen");
    getsockname(fd, (struct sockaddr *)&address, &size);
    printf("listening on http://127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

int main(int argc, char **argv) {
    struct epoll_event events[ROUND], first = {.events = EPOLLIN};
    struct rlimit files;
    cpu_set_t set;
    int core = argc > 1 ? atoi(argv[1]) : -1;
    CPU_ZERO(&set);
    if (core >= 0) CPU_SET((unsigned)core, &set);
    if (core >= 0 && sched_setaffinity(0, sizeof set, &set) < 0) fail("core");
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    poller = epoll_create1(EPOLL_CLOEXEC);
    int listener = listen_on_loopback();
    if (poller < 0 || epoll_ctl(poller, EPOLL_CTL_ADD, listener, &first) < 0) fail("epoll");
    for (;;) {
        int n = epoll_wait(poller, events, ROUND, -1);
        for (int i = 0; i < n; i++) {
            struct client *c = events[i].data.ptr;
            if (c == NULL) welcome(listener);
            if (c != NULL && events[i].events & EPOLLOUT && !c->dirty) c->dirty = 1, dirty_clients[dirty_count++] = c;
            if (c != NULL && events[i].events & ~(uint32_t)EPOLLOUT) hear(c);
        }
        flush_room();
        size_t count = dirty_count;
        dirty_count = 0;
        for (size_t i = 0; i < count; i++) dirty_clients[i]->dirty = 0;
        for (size_t i = 0; i < count; i++) flush(dirty_clients[i]);
    }
}
