/* Slices of bytes that somebody else owns, and a growable text buffer. */
#ifndef TG_BASE_STR_H
#define TG_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Not NUL-terminated; valid as long as its owner says. */
struct str {
    const char *p;
    size_t n;
};

#define STR(literal) ((struct str){(literal), sizeof(literal) - 1})
#define STR_NULL     ((struct str){NULL, 0})
/* For printf's "%.*s". */
#define STR_ARG(s) (int)(s).n, (s).p

static inline struct str str_make(const char *p, size_t n)
{
    return (struct str){p, n};
}

static inline struct str str_of(const char *z)
{
    return (struct str){z, z ? strlen(z) : 0};
}

static inline char ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static inline bool ascii_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool ascii_is_alpha(char c)
{
    return ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z';
}

/* Value of a hexadecimal digit, -1 if it is none. */
static inline int ascii_hex(char c)
{
    if (ascii_is_digit(c))
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static inline bool str_eq(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool str_starts(struct str s, struct str prefix)
{
    return s.n >= prefix.n && (prefix.n == 0 || memcmp(s.p, prefix.p, prefix.n) == 0);
}

/* ASCII case is ignored, as for field names and hosts. */
bool str_eq_ci(struct str a, struct str b);

/* White space of RFC 9110 §5.6.3 (SP, HTAB) cut off both ends. */
struct str str_trim_ows(struct str s);

/* Cuts the text up to `sep` off `*rest` into `*part`; false when nothing is left. */
bool str_split(struct str *rest, char sep, struct str *part);

/* Decimal digits only, no sign, no overflow: false otherwise. */
bool str_to_u64(struct str s, uint64_t *out) __attribute__((warn_unused_result));

/* Writes `s` as the inside of a JSON string: quotes, controls and bytes that are not UTF-8 escaped.
 * At `out` there is room for STR_JSON_MAX bytes per byte of `s`. Returns the end. */
enum { STR_JSON_MAX = 6 };
char *str_put_json(char *out, struct str s);

/* Text that grows. Zero-initialised is empty; buf_free ends it. */
struct buf {
    char *p;
    size_t n, cap;
};

void buf_reserve(struct buf *b, size_t more);
void buf_add(struct buf *b, const void *p, size_t n);
void buf_add_str(struct buf *b, struct str s);
void buf_add_char(struct buf *b, char c);
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Adds `s` as the inside of a JSON string: quotes, controls and bytes that are not UTF-8
 * escaped. */
void buf_add_json(struct buf *b, struct str s);
/* NUL-terminated text; valid until the next change. */
const char *buf_text(struct buf *b);
void buf_free(struct buf *b);

#endif
