/* RFC 6455 frames in memory, for the load generator and the ceiling server.
 * It knows headers, lengths and masks. It refuses to know sockets, and what a text says. */
#ifndef BENCH_FRAMES_H
#define BENCH_FRAMES_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum opcode { OP_CONTINUATION = 0, OP_TEXT = 1, OP_BINARY = 2, OP_CLOSE = 8, OP_PING = 9, OP_PONG = 10 };

/* Any non-zero key serves: a server has to unmask all the same, and one key lets frames be made beforehand. */
static const unsigned char MASK[4] = {0x37, 0xfa, 0x21, 0x3d};

enum { FRAME_OVERHEAD = 14 }; /* longest header, RFC 6455 §5.2 */

struct frame {
    enum opcode opcode;
    bool whole; /* FIN */
    bool masked;
    unsigned char mask[4];
    char *payload;
    size_t length;
};

/* Takes the frame that begins at *at and moves *at behind it; false: its end is not there yet. */
static inline bool take_frame(char **at, const char *end, struct frame *out) {
    const unsigned char *p = (const unsigned char *)*at;
    size_t there = (size_t)(end - *at);
    if (there < 2) return false;
    size_t head = 2;
    uint64_t length = p[1] & 0x7f;
    if (length == 126) {
        if (there < 4) return false;
        length = (uint64_t)p[2] << 8 | p[3];
        head = 4;
    } else if (length == 127) {
        if (there < 10) return false;
        length = 0;
        for (int i = 2; i < 10; i++) length = length << 8 | p[i];
        head = 10;
    }
    out->masked = p[1] & 0x80;
    if (out->masked) {
        if (there < head + 4) return false;
        memcpy(out->mask, p + head, 4);
        head += 4;
    }
    if (there - head < length) return false;
    out->opcode = p[0] & 0x0f;
    out->whole = p[0] & 0x80;
    out->payload = *at + head;
    out->length = length;
    *at += head + length;
    return true;
}

static inline void unmask(struct frame *f) {
    if (!f->masked) return;
    for (size_t i = 0; i < f->length; i++) f->payload[i] ^= (char)f->mask[i & 3];
}

static inline size_t put_head(char *out, enum opcode opcode, size_t length, bool masked) {
    unsigned char *p = (unsigned char *)out;
    size_t n = 2;
    p[0] = 0x80 | opcode;
    p[1] = masked ? 0x80 : 0;
    if (length < 126) {
        p[1] |= (unsigned char)length;
    } else if (length < 65536) {
        p[1] |= 126;
        p[2] = (unsigned char)(length >> 8);
        p[3] = (unsigned char)length;
        n = 4;
    } else {
        p[1] |= 127;
        for (int i = 0; i < 8; i++) p[2 + i] = (unsigned char)((uint64_t)length >> (56 - 8 * i));
        n = 10;
    }
    if (!masked) return n;
    memcpy(out + n, MASK, 4);
    return n + 4;
}

/* A server's frame: not masked. Returns its size. */
static inline size_t put_plain(char *out, enum opcode opcode, const char *payload, size_t length) {
    size_t head = put_head(out, opcode, length, false);
    memcpy(out + head, payload, length);
    return head + length;
}

/* A client's frame: masked. Returns its size; *payload_at gets the place of its first payload byte. */
static inline size_t put_masked(char *out, enum opcode opcode, const char *payload, size_t length, size_t *payload_at) {
    size_t head = put_head(out, opcode, length, true);
    for (size_t i = 0; i < length; i++) out[head + i] = payload[i] ^ (char)MASK[i & 3];
    *payload_at = head;
    return head + length;
}

#endif
