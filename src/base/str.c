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

void buf_add_json(struct buf *b, struct str s)
{
    size_t i = 0;
    while (i < s.n) {
        unsigned char c = (unsigned char)s.p[i];
        if (c == '"' || c == '\\') {
            char two[2] = {'\\', (char)c};
            buf_add(b, two, 2);
            i++;
        } else if (c < 0x20 || c == 0x7f) {
            buf_printf(b, "\\u%04x", c);
            i++;
        } else {
            size_t len = utf8_sequence((const unsigned char *)s.p + i, s.n - i);
            if (len)
                buf_add(b, s.p + i, len);
            else
                buf_add(b, "\\ufffd", 6);
            i += len ? len : 1;
        }
    }
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
