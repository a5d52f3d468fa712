/* The dialects: Signalpost (PROTOCOL §2-§7, §12), the `ws` peer, the socket.io peer, Centrifugo.
 * It knows texts. It refuses to know sockets, frames, windows and clocks. */
#define _GNU_SOURCE
#include "dialects.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

const char MARKER[3] = "#~";

static bool says(const char *in, size_t n, const char *what) {
    return memmem(in, n, what, strlen(what)) != NULL;
}

static bool begins(const char *in, size_t n, const char *with) {
    size_t length = strlen(with);
    return n >= length && memcmp(in, with, length) == 0;
}

static uint64_t number_at(const char *in, const char *end) {
    uint64_t value = 0;
    while (in < end && *in >= '0' && *in <= '9') value = value * 10 + (uint64_t)(*in++ - '0');
    return value;
}

/* The number behind the first `name`, past colons, quotes and blanks; `missing` if there is none. */
static uint64_t number_after(const char *in, size_t n, const char *name, uint64_t missing) {
    const char *end = in + n;
    const char *at = memmem(in, n, name, strlen(name));
    if (at == NULL) return missing;
    at += strlen(name);
    while (at < end && strchr("\\\":[ ", *at) != NULL) at++;
    return number_at(at, end);
}

/* As our SDKs name a request: a seed of the session's, and a number. */
#define RID "\"rid\":\"1f6e0d52-"

/* Writes head, id, middle, text, tail, and keeps the places of id, rid and stamp. */
static void draft(struct draft *out, const char *head, const char *middle, const char *tail) {
    char text[TEXT_BYTES + 1];
    memset(text, 'x', TEXT_BYTES);
    memcpy(text, MARKER, 2);
    memset(text + 2, '0', STAMP_DIGITS);
    text[TEXT_BYTES] = 0;
    out->id_at = strlen(head);
    out->stamp_at = out->id_at + ID_DIGITS + strlen(middle) + 2;
    int n = snprintf(out->text, sizeof out->text, "%s%08d%s%s%s", head, FIRST_ID, middle, text, tail);
    if (n < 0 || (size_t)n >= sizeof out->text) abort();
    out->length = (size_t)n;
    const char *rid = strstr(out->text, RID);
    out->rid_at = rid == NULL ? 0 : (size_t)(rid - out->text) + sizeof RID - 1;
}

/* --- Signalpost ----------------------------------------------------------------------------- */

static size_t post_fetch(struct person *who, char *out) {
    return (size_t)snprintf(out, SAY_BYTES,
                            "[\"call2\",[\"user_getmsg\",%u,{\"ver_clear\":%llu,\"max\":30,\"line\":\"%s\"}]]",
                            who->other++, (unsigned long long)who->cursor, who->line);
}

static size_t post_acknowledge(struct person *who, char *out) {
    return (size_t)snprintf(out, SAY_BYTES, "[\"call2\",[\"user_ack\",%u,{\"ver_clear\":%llu,\"line\":\"%s\"}]]",
                            who->other++, (unsigned long long)who->cursor, who->line);
}

/* Counts the lines of a poll's answer that are above the cursor, and finds the last of their versions. */
static void post_fetched(const struct person *who, const char *in, size_t n, struct news *out) {
    static const char line[] = "\\\"msg-v"; /* a line begins; before it: [VERSION, */
    const char *end = in + n;
    unsigned all = 0;
    out->kind = FETCHED;
    out->version = number_after(in, n, "ver_clear", 0);
    for (const char *at = in; (at = memmem(at, (size_t)(end - at), line, sizeof line - 1)) != NULL; at++) {
        const char *digit = at;
        while (digit > in && digit[-1] != '[') digit--;
        uint64_t version = number_at(digit, end);
        all++;
        if (version > who->cursor) out->count++;
        if (version > out->version) out->version = version;
    }
    out->more = all >= 30;
}

static void post_read(struct person *who, const char *in, size_t n, struct news *out) {
    const char *end = in + n;
    out->kind = NOTHING;
    if (n < 20) return;
    if (in[2] == 'n') { /* ["notify",["KIND",… */
        if (in[12] == 'c') {
            out->kind = SHARED;
        } else if (in[12] == 'r') { /* ["notify",["recvmsg","[VERSION, … */
            out->kind = WHISPERED;
            out->version = number_at(in + 23, end);
        } else if (in[12] == 'm') { /* ["notify",["msg",VERSION]] */
            out->kind = ANNOUNCED;
            out->version = number_at(in + 17, end);
        }
        return;
    }
    if (begins(in, n, "[\"call2-ret\",[")) {
        out->id = (uint32_t)number_at(in + 14, end);
        out->kind = says(in, n, "\"ok\\\"") ? DONE : REFUSED;
        out->count = 0;
        if (out->kind == DONE && out->id >= FIRST_OTHER && says(in, n, "msgs")) post_fetched(who, in, n, out);
        return;
    }
    if (begins(in, n, "[\"kick\"") || begins(in, n, "[\"close\"")) out->kind = ENDED;
}

static enum progress post_set_up(struct person *who, const char *in, size_t n, char *out, size_t *length) {
    enum { LOGIN, POLL, JOIN, LAST };
    struct news news = {0};
    if (in == NULL) {
        *length = (size_t)snprintf(out, SAY_BYTES,
                                   "[\"login\",{\"vid\":\"%s\",\"account\":\"%s\",\"uid\":0,\"token\":\"%s\","
                                   "\"device\":\"signalpost-web\",\"ver\":1,\"ip\":\"\"}]",
                                   who->app, who->account, who->token);
        who->step = LOGIN;
        who->other = FIRST_OTHER;
        return SAYING;
    }
    if (who->step == LOGIN) {
        static const char name[] = "\\\"line\\\":";
        if (!begins(in, n, "[\"login_ret\",[\"\",")) return BROKEN;
        const char *at = memmem(in, n, name, sizeof name - 1);
        if (at == NULL) return BROKEN;
        at += sizeof name - 1;
        while (*at == ' ' || *at == '\\' || *at == '"') at++;
        size_t size = strcspn(at, "\\");
        if (size >= sizeof who->line) return BROKEN;
        memcpy(who->line, at, size);
        who->line[size] = 0;
        who->step = POLL;
        *length = post_fetch(who, out);
        return SAYING;
    }
    post_read(who, in, n, &news);
    if (news.kind == REFUSED || news.kind == ENDED) return BROKEN;
    if (who->step == POLL && news.kind == FETCHED) {
        who->cursor = news.version;
        if (who->room == NULL) return READY;
        who->step = JOIN;
        *length = (size_t)snprintf(out, SAY_BYTES, "[\"call2\",[\"channel_join\",%u,{\"name\":\"%s\",\"line\":\"%s\"}]]",
                                   who->other++, who->room, who->line);
        return SAYING;
    }
    return who->step == JOIN && news.kind == DONE ? READY : WAITING;
}

static void post_share(const struct person *who, struct draft *out) {
    char middle[256];
    snprintf(middle, sizeof middle, ",{\"line\":\"%s\"," RID "%08d\",\"name\":\"%s\",\"msg\":\"", who->line, FIRST_ID,
             who->room);
    draft(out, "[\"call2\",[\"channel_sendmsg\",", middle, "\"}]]");
}

static void post_whisper(const struct person *who, struct draft *out) {
    char middle[256];
    snprintf(middle, sizeof middle,
             ",{\"line\":\"%s\"," RID "%08d\",\"peer\":\"%s\",\"flag\":\"v1:E:3600\",\"t\":\"instant\",\"content\":\"",
             who->line, FIRST_ID, who->peer);
    draft(out, "[\"call2\",[\"user_sendmsg\",", middle, "\"}]]");
}

/* --- the `ws` peer: ["request",id,…] -> ["done",id]; ["shared",…], ["whispered",…] ------------- */

static void ws_read(struct person *who, const char *in, size_t n, struct news *out) {
    (void)who;
    out->kind = NOTHING;
    out->version = 0;
    if (n < 4) return;
    if (in[2] == 's') out->kind = SHARED;
    if (in[2] == 'w') out->kind = WHISPERED;
    if (in[2] != 'd') return;
    out->kind = DONE;
    out->id = (uint32_t)number_at(in + 8, in + n);
}

/* Both peers: log in, then join. */
static enum progress peer_set_up(struct person *who, enum kind kind, const char *login, const char *join, char *out,
                                 size_t *length) {
    enum { START, LOGIN, JOIN };
    if (who->step == START) {
        *length = (size_t)snprintf(out, SAY_BYTES, login, who->other++, who->account);
        who->step = LOGIN;
        return SAYING;
    }
    if (kind != DONE) return WAITING;
    if (who->step == JOIN || who->room == NULL) return READY;
    *length = (size_t)snprintf(out, SAY_BYTES, join, who->other++, who->room);
    who->step = JOIN;
    return SAYING;
}

static enum progress ws_set_up(struct person *who, const char *in, size_t n, char *out, size_t *length) {
    struct news news = {0};
    if (in == NULL) who->other = FIRST_OTHER;
    if (in != NULL) ws_read(who, in, n, &news);
    return peer_set_up(who, news.kind, "[\"login\",%u,\"%s\"]", "[\"join\",%u,\"%s\"]", out, length);
}

static void ws_share(const struct person *who, struct draft *out) {
    char middle[128];
    snprintf(middle, sizeof middle, ",\"%s\",\"", who->room);
    draft(out, "[\"share\",", middle, "\"]");
}

static void ws_whisper(const struct person *who, struct draft *out) {
    char middle[128];
    snprintf(middle, sizeof middle, ",\"%s\",\"", who->peer);
    draft(out, "[\"whisper\",", middle, "\"]");
}

/* --- the socket.io peer: Engine.IO 4 over WebSocket only; 42ID[…] -> 43ID[]; 42["shared",…] ----- */

static void io_read(struct person *who, const char *in, size_t n, struct news *out) {
    (void)who;
    out->kind = NOTHING;
    out->version = 0;
    if (n == 1 && in[0] == '2') out->kind = HEARTBEAT;
    if (n < 5 || in[0] != '4') return;
    if (in[1] == '1' || in[1] == '4') out->kind = ENDED;
    if (in[1] == '2') out->kind = in[4] == 's' ? SHARED : WHISPERED;
    if (in[1] != '3') return;
    out->kind = DONE;
    out->id = (uint32_t)number_at(in + 2, in + n);
}

static enum progress io_set_up(struct person *who, const char *in, size_t n, char *out, size_t *length) {
    struct news news = {0};
    if (in == NULL) {
        who->other = FIRST_OTHER;
        return WAITING;
    }
    if (in[0] == '0') { /* the transport is open: connect to the namespace */
        memcpy(out, "40", 2);
        *length = 2;
        return SAYING;
    }
    if (!begins(in, n, "40")) io_read(who, in, n, &news);
    if (news.kind == ENDED) return BROKEN;
    return peer_set_up(who, news.kind, "42%u[\"login\",\"%s\"]", "42%u[\"join\",\"%s\"]", out, length);
}

static void io_share(const struct person *who, struct draft *out) {
    char middle[128];
    snprintf(middle, sizeof middle, "[\"share\",\"%s\",\"", who->room);
    draft(out, "42", middle, "\"]");
}

static void io_whisper(const struct person *who, struct draft *out) {
    char middle[128];
    snprintf(middle, sizeof middle, "[\"whisper\",\"%s\",\"", who->peer);
    draft(out, "42", middle, "\"]");
}

/* --- Centrifugo: {"id":N,"publish":{…}} -> {"id":N,"publish":{}}; {"push":{"channel":…,"pub":{"data":…}}}
 * A person is a channel of its own, "uu:ACCOUNT", to which all may publish. */

static void cf_read(struct person *who, const char *in, size_t n, struct news *out) {
    (void)who;
    out->kind = NOTHING;
    out->version = 0;
    if (n == 2) out->kind = HEARTBEAT;
    if (begins(in, n, "{\"push\":{\"channel\":\"uu:")) out->kind = WHISPERED;
    else if (begins(in, n, "{\"push\":{\"channel\":\"rr:")) out->kind = SHARED;
    else if (begins(in, n, "{\"disconnect\"") || begins(in, n, "{\"push\":{\"disconnect\"")) out->kind = ENDED;
    if (!begins(in, n, "{\"id\":")) return;
    out->id = (uint32_t)number_at(in + 6, in + n);
    out->kind = says(in, n, "\"error\"") ? REFUSED : DONE;
}

static enum progress cf_set_up(struct person *who, const char *in, size_t n, char *out, size_t *length) {
    enum { CONNECT, OWN, ROOM, LAST };
    struct news news = {0};
    if (in == NULL) {
        who->other = FIRST_OTHER;
        who->step = CONNECT;
        *length = (size_t)snprintf(out, SAY_BYTES, "{\"id\":%u,\"connect\":{}}", who->other++);
        return SAYING;
    }
    cf_read(who, in, n, &news);
    if (news.kind == REFUSED || news.kind == ENDED) return BROKEN;
    if (news.kind != DONE) return WAITING;
    who->step++;
    if (who->step == ROOM && who->room == NULL) who->step = LAST;
    if (who->step >= LAST) return READY;
    *length = (size_t)snprintf(out, SAY_BYTES, "{\"id\":%u,\"subscribe\":{\"channel\":\"%s:%s\"}}", who->other++,
                               who->step == OWN ? "uu" : "rr", who->step == OWN ? who->account : who->room);
    return SAYING;
}

static void cf_publish(const char *kind, const char *name, struct draft *out) {
    char middle[256];
    snprintf(middle, sizeof middle, ",\"publish\":{\"channel\":\"%s:%s\",\"data\":\"", kind, name);
    draft(out, "{\"id\":", middle, "\"}}");
}

static void cf_share(const struct person *who, struct draft *out) { cf_publish("rr", who->room, out); }

static void cf_whisper(const struct person *who, struct draft *out) { cf_publish("uu", who->peer, out); }

/* --- the table ------------------------------------------------------------------------------ */

static const struct dialect DIALECTS[] = {
    {"signalpost", "/", "", 0, post_set_up, post_share, post_whisper, post_read, post_acknowledge, post_fetch},
    {"ws", "/", "", 0, ws_set_up, ws_share, ws_whisper, ws_read, NULL, NULL},
    {"socketio", "/socket.io/?EIO=4&transport=websocket", "3", 0, io_set_up, io_share, io_whisper, io_read, NULL, NULL},
    {"centrifugo", "/connection/websocket", "{}", 1, cf_set_up, cf_share, cf_whisper, cf_read, NULL, NULL},
};

const struct dialect *find_dialect(const char *name) {
    for (size_t i = 0; i < sizeof DIALECTS / sizeof *DIALECTS; i++)
        if (strcmp(DIALECTS[i].name, name) == 0) return &DIALECTS[i];
    return NULL;
}
