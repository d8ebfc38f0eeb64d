/* See str.h. */
#include "base/str.h"

#include "base/check.h"
#include "base/xmem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

bool str_eq_ci(struct str a, struct str b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (ascii_lower(a.p[i]) != ascii_lower(b.p[i]))
            return false;
    return true;
}

struct str str_trim_ows(struct str s)
{
    while (s.n && (s.p[0] == ' ' || s.p[0] == '\t'))
        s.p++, s.n--;
    while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
        s.n--;
    return s;
}

bool str_split(struct str *rest, char sep, struct str *part)
{
    if (!rest->p)
        return false;
    const char *at = rest->n ? memchr(rest->p, sep, rest->n) : NULL;
    if (!at) {
        *part = *rest;
        *rest = STR_NULL;
        return true;
    }
    *part = str_make(rest->p, (size_t)(at - rest->p));
    *rest = str_make(at + 1, rest->n - part->n - 1);
    return true;
}

bool str_to_u64(struct str s, uint64_t *out)
{
    uint64_t v = 0;
    if (s.n == 0)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (!ascii_is_digit(s.p[i]))
            return false;
        if (__builtin_mul_overflow(v, 10u, &v) ||
            __builtin_add_overflow(v, (uint64_t)(s.p[i] - '0'), &v))
            return false;
    }
    *out = v;
    return true;
}

void buf_reserve(struct buf *b, size_t more)
{
    if (b->cap - b->n >= more)
        return;
    size_t cap = b->cap ? b->cap : 64;
    while (cap - b->n < more) {
        ensure(cap < SIZE_MAX / 2);
        cap *= 2;
    }
    b->p = xrealloc(b->p, cap);
    b->cap = cap;
}

void buf_add(struct buf *b, const void *p, size_t n)
{
    if (n == 0)
        return;
    buf_reserve(b, n);
    memcpy(b->p + b->n, p, n);
    b->n += n;
}

void buf_add_str(struct buf *b, struct str s)
{
    buf_add(b, s.p, s.n);
}

void buf_add_char(struct buf *b, char c)
{
    buf_add(b, &c, 1);
}

void buf_printf(struct buf *b, const char *format, ...)
{
    va_list ap;
    buf_reserve(b, 64);
    for (;;) {
        size_t room = b->cap - b->n;
        va_start(ap, format);
        int n = vsnprintf(b->p + b->n, room, format, ap);
        va_end(ap);
        ensure(n >= 0);
        if ((size_t)n < room) {
            b->n += (size_t)n;
            return;
        }
        buf_reserve(b, (size_t)n + 1);
    }
}

/* Length of the well-formed UTF-8 sequence at the start of `s`, 0 if there is none (RFC 3629). */
static size_t utf8_sequence(const unsigned char *s, size_t n)
{
    unsigned c = s[0];
    size_t len = c < 0x80 ? 1 : c < 0xc2 ? 0 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : c < 0xf5 ? 4 : 0;
    if (len > n)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    if ((c == 0xe0 && s[1] < 0xa0) || (c == 0xed && s[1] > 0x9f) || (c == 0xf0 && s[1] < 0x90) ||
        (c == 0xf4 && s[1] > 0x8f))
        return 0;
    return len;
}

/* True if one of the 8 bytes is a control, a quote, a backslash, DEL or not ASCII. */
static bool json_special8(uint64_t w)
{
    const uint64_t ones = 0x0101010101010101u, high = 0x8080808080808080u;
    uint64_t quote = w ^ (ones * '"'), backslash = w ^ (ones * '\\'), del = w ^ (ones * 0x7f);

    return ((w | (w - ones * 0x20) | (quote - ones) | (backslash - ones) | (del - ones)) & high) !=
           0;
}

/* One character that may need escaping, at s.p[0]; returns the bytes it takes there. */
static size_t json_put_one(char **out, struct str s)
{
    unsigned char c = (unsigned char)s.p[0];
    size_t len = utf8_sequence((const unsigned char *)s.p, s.n);
    char *o = *out;

    if (c == '"' || c == '\\') {
        *o++ = '\\';
        *o++ = (char)c;
    } else if (c < 0x20 || c == 0x7f || !len) {
        memcpy(o, len ? "\\u0000" : "\\ufffd", 6);
        if (len) {
            o[4] = "0123456789abcdef"[c >> 4];
            o[5] = "0123456789abcdef"[c & 15];
        }
        o += 6;
    } else {
        memcpy(o, s.p, len);
        o += len;
        *out = o;
        return len;
    }
    *out = o;
    return 1;
}

static uint64_t load(const char *p, size_t n)
{
    uint64_t w = 0;
    memcpy(&w, p, n);
    return w;
}

/* Copies a text of less than 8 bytes, as two pieces that may overlap; false if it may need
 * escaping. */
static bool json_put_short(char *out, struct str s)
{
    const uint64_t filler = 0x6161616161616161u;
    if (s.n >= 4) {
        uint64_t a = load(s.p, 4), b = load(s.p + s.n - 4, 4);
        memcpy(out, &a, 4);
        memcpy(out + s.n - 4, &b, 4);
        return !json_special8(a | b << 32);
    }
    if (s.n >= 2) {
        uint64_t a = load(s.p, 2), b = load(s.p + s.n - 2, 2);
        memcpy(out, &a, 2);
        memcpy(out + s.n - 2, &b, 2);
        return !json_special8(a | b << 16 | filler << 32);
    }
    out[0] = s.p[0];
    return !json_special8(load(s.p, 1) | filler << 8);
}

/* Copies what needs no escaping, 8 bytes at a time, up to the first word that may; returns how
 * many. */
static size_t json_put_plain(char *out, struct str s)
{
    size_t i = 0;
    for (; s.n - i >= 8; i += 8) {
        if (unlikely(json_special8(load(s.p + i, 8))))
            return i;
        memcpy(out + i, s.p + i, 8);
    }
    if (s.n >= 8) { /* the last word, again for the most part */
        if (unlikely(json_special8(load(s.p + s.n - 8, 8))))
            return i;
        memcpy(out + s.n - 8, s.p + s.n - 8, 8);
        return s.n;
    }
    return s.n > 0 && json_put_short(out, s) ? s.n : 0;
}

char *str_put_json(char *out, struct str s)
{
    while (s.n) {
        size_t plain = json_put_plain(out, s);
        out += plain;
        s = str_make(s.p + plain, s.n - plain);
        if (likely(s.n == 0))
            break;
        size_t used = json_put_one(&out, s);
        s = str_make(s.p + used, s.n - used);
    }
    return out;
}

void buf_add_json(struct buf *b, struct str s)
{
    buf_reserve(b, s.n * STR_JSON_MAX + 1);
    b->n = (size_t)(str_put_json(b->p + b->n, s) - b->p);
}

const char *buf_text(struct buf *b)
{
    buf_reserve(b, 1);
    b->p[b->n] = 0;
    return b->p;
}

void buf_free(struct buf *b)
{
    free(b->p);
    *b = (struct buf){0};
}
