/* What the load generator says to a server and how it understands the answers, one `struct dialect` a server.
 * A dialect knows texts. It refuses to know sockets, frames, windows and clocks. */
#ifndef BENCH_DIALECTS_H
#define BENCH_DIALECTS_H

#include <stdint.h>
#include <stdlib.h>

enum {
    TEXT_BYTES = 128,        /* a message's text, the same for every server */
    STAMP_DIGITS = 16,       /* hexadecimal nanoseconds behind the marker in the text */
    ID_DIGITS = 8,           /* so that an id can be changed in a finished frame */
    FIRST_ID = 10000000,     /* ids of messages: [FIRST_ID, FIRST_OTHER) */
    FIRST_OTHER = 50000000,  /* ids of all other requests */
    SAY_BYTES = 2048,        /* room that a dialect may fill with one text */
};

extern const char MARKER[3]; /* begins every message's text */

/* One simulated user. */
struct person {
    const char *app, *account, *token;
    const char *room; /* the channel to join while setting up, or NULL */
    const char *peer; /* the account that `whisper` writes to, or NULL */
    char line[80];    /* Signalpost: what login_ret called the session; empty before */
    int step;         /* how far setting up has come */
    uint32_t other;   /* the next id of a request that is no message */
    uint64_t cursor;  /* Signalpost: the last inbox version that was taken */
};

/* A message's text with the places of what differs from one message to the next. */
struct draft {
    char text[SAY_BYTES];
    size_t length, id_at, stamp_at;
    size_t rid_at; /* the same digits as the id once more, as part of the request's id; 0: it has none */
};

enum kind {
    NOTHING,   /* joins, pongs and the like */
    DONE,      /* the answer to request `id` */
    REFUSED,   /* the same, but the server said no */
    SHARED,    /* something from the channel */
    WHISPERED, /* a message for this person, `version` of the inbox (0: the server numbers none) */
    ANNOUNCED, /* the inbox has reached `version`: fetch */
    FETCHED,   /* the answer to a fetch: `count` new messages up to `version`; `more` may wait */
    HEARTBEAT, /* the server asks whether we live: answer with `heartbeat` */
    ENDED,     /* the server ends the session */
};

struct news {
    enum kind kind;
    uint32_t id;
    uint64_t version;
    unsigned count;
    int more;
};

enum progress { WAITING, SAYING, READY, BROKEN };

struct dialect {
    const char *name;
    const char *path;      /* of the WebSocket handshake */
    const char *heartbeat; /* the answer to HEARTBEAT */
    int lines;             /* whether a text may hold several, one a line */

    /* Setting up, told every text (NULL: the handshake is through). SAYING: *length bytes of `out` are to be sent. */
    enum progress (*set_up)(struct person *who, const char *in, size_t n, char *out, size_t *length);

    void (*share)(const struct person *who, struct draft *out);   /* a message to the room */
    void (*whisper)(const struct person *who, struct draft *out); /* a message to the peer */
    void (*read)(struct person *who, const char *in, size_t n, struct news *out);

    /* Where an inbox is kept, else NULL: acknowledge up to the cursor; fetch what is behind it. */
    size_t (*acknowledge)(struct person *who, char *out);
    size_t (*fetch)(struct person *who, char *out);
};

/* NULL: there is none of that name. */
const struct dialect *find_dialect(const char *name);

#endif
