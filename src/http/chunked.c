/* See chunked.h. */
#include "http/chunked.h"

#include "base/check.h"

enum state {
    SIZE_FIRST, /* at least one digit must come */
    SIZE,
    EXT_NAME_FIRST, /* behind ';' */
    EXT_NAME,
    EXT_VALUE_FIRST, /* behind '=' */
    EXT_VALUE,
    EXT_QUOTED,
    EXT_QUOTED_PAIR,
    EXT_QUOTED_END,
    SIZE_LF,
    DATA,
    DATA_CR,
    DATA_LF,
    TRAILER,
    DONE,
    BAD,
};

enum {
    SIZE_BITS = 62,
    SIZE_DIGITS_MAX = 16,
    EXTENSION_MAX = 1024, /* bytes in one chunk's line */
};

void chunked_init(struct chunked *c)
{
    *c = (struct chunked){.state = SIZE_FIRST};
}

void chunked_fini(struct chunked *c)
{
    buf_free(&c->trailer);
}

static enum state size_digit(struct chunked *c, char byte)
{
    int digit = ascii_hex(byte);
    if (digit < 0 || ++c->digits > SIZE_DIGITS_MAX || c->left >> (SIZE_BITS - 4))
        return BAD;
    c->left = c->left << 4 | (unsigned)digit;
    return SIZE;
}

/* Where an extension's name or unquoted value ends. */
static enum state extension_end(char byte)
{
    return byte == ';' ? EXT_NAME_FIRST : byte == '\r' ? SIZE_LF : BAD;
}

/* chunk-ext = *( ";" token [ "=" ( token / quoted-string ) ] ), no white space outside quotes. */
static enum state extension_byte(struct chunked *c, char byte)
{
    bool token = scan_is(SCAN_TOKEN, byte);
    if (++c->extension > EXTENSION_MAX)
        return BAD;
    switch (c->state) {
    case EXT_NAME_FIRST: return token ? EXT_NAME : BAD;
    case EXT_NAME: return token ? EXT_NAME : byte == '=' ? EXT_VALUE_FIRST : extension_end(byte);
    case EXT_VALUE_FIRST: return token ? EXT_VALUE : byte == '"' ? EXT_QUOTED : BAD;
    case EXT_VALUE: return token ? EXT_VALUE : extension_end(byte);
    case EXT_QUOTED:
        if (byte == '"')
            return EXT_QUOTED_END;
        if (byte == '\\')
            return EXT_QUOTED_PAIR;
        return scan_is(SCAN_VALUE, byte) ? EXT_QUOTED : BAD;
    case EXT_QUOTED_PAIR: return scan_is(SCAN_VALUE, byte) ? EXT_QUOTED : BAD;
    default: return extension_end(byte);
    }
}

static enum state after_size_line(struct chunked *c)
{
    c->digits = 0;
    c->extension = 0;
    return c->left ? DATA : TRAILER;
}

/* The state after one byte of a chunk's line or of the line end behind its data. */
static enum state line_byte(struct chunked *c, char byte)
{
    switch (c->state) {
    case SIZE_FIRST: return size_digit(c, byte);
    case SIZE: return byte == ';' ? EXT_NAME_FIRST : byte == '\r' ? SIZE_LF : size_digit(c, byte);
    case SIZE_LF: return byte == '\n' ? after_size_line(c) : BAD;
    case DATA_CR: return byte == '\r' ? DATA_LF : BAD;
    case DATA_LF: return byte == '\n' ? SIZE_FIRST : BAD;
    default: return extension_byte(c, byte);
    }
}

static void take_data(struct chunked *c, struct str *in, struct str *data)
{
    size_t n = in->n < c->left ? in->n : (size_t)c->left;
    *data = str_make(in->p, n);
    *in = str_make(in->p + n, in->n - n);
    c->left -= n;
    if (c->left == 0)
        c->state = DATA_CR;
}

/* Parses the section when its empty line has come. */
static enum chunked_result trailer_done(struct chunked *c, const struct h1_limits *limits,
                                        struct headers *trailers)
{
    size_t n = c->trailer.n, used;
    const char *bytes = arena_dup(trailers->arena, c->trailer.p, n);
    chunked_fini(c);
    c->state = DONE;
    return h1_parse_fields(trailers, bytes, n, limits, &used) == H1_DONE ? CHUNKED_DONE
                                                                         : CHUNKED_BAD;
}

static bool is_empty_section(const struct chunked *c, struct str in)
{
    return c->trailer.n == 0 && str_starts(in, STR("\r\n"));
}

/* Keeps the bytes up to a LF or the end of input: false if they are too many or a line ends with
 * anything but CRLF. */
static bool keep_trailer_bytes(struct chunked *c, struct str *in, const struct h1_limits *limits)
{
    const char *lf = memchr(in->p, '\n', in->n);
    size_t n = lf ? (size_t)(lf - in->p) + 1 : in->n;
    size_t from = c->trailer.n ? c->trailer.n - 1 : 0; /* this may have been a CR */
    if (n > limits->head_bytes || c->trailer.n > limits->head_bytes - n)
        return false;
    buf_add(&c->trailer, in->p, n);
    *in = str_make(in->p + n, in->n - n);
    const char *end = c->trailer.p + c->trailer.n;
    const char *cr = memchr(c->trailer.p + from, '\r', c->trailer.n - from);
    return cr ? cr + 1 == end || cr[1] == '\n' : !lf;
}

static bool is_whole_section(struct str s)
{
    return str_eq(s, STR("\r\n")) || (s.n >= 4 && memcmp(s.p + s.n - 4, "\r\n\r\n", 4) == 0);
}

static enum chunked_result take_trailer(struct chunked *c, struct str *in,
                                        const struct h1_limits *limits, struct headers *trailers)
{
    if (is_empty_section(c, *in)) {
        *in = str_make(in->p + 2, in->n - 2);
        c->state = DONE;
        return CHUNKED_DONE;
    }
    while (in->n) {
        if (!keep_trailer_bytes(c, in, limits))
            return CHUNKED_BAD;
        if (is_whole_section(str_make(c->trailer.p, c->trailer.n)))
            return trailer_done(c, limits, trailers);
    }
    return CHUNKED_MORE;
}

static enum chunked_result decode(struct chunked *c, struct str *in, struct str *data,
                                  const struct h1_limits *limits, struct headers *trailers)
{
    while (in->n && c->state != BAD) {
        if (c->state == DATA) {
            take_data(c, in, data);
            return CHUNKED_DATA;
        }
        if (c->state == TRAILER)
            return take_trailer(c, in, limits, trailers);
        c->state = (uint8_t)line_byte(c, *in->p);
        *in = str_make(in->p + 1, in->n - 1);
    }
    return c->state == BAD ? CHUNKED_BAD : CHUNKED_MORE;
}

enum chunked_result chunked_decode(struct chunked *c, struct str *in, struct str *data,
                                   const struct h1_limits *limits, struct headers *trailers)
{
    ensure(c->state != DONE);
    enum chunked_result r = decode(c, in, data, limits, trailers);
    if (r == CHUNKED_BAD)
        c->state = BAD;
    return r;
}

size_t chunked_write_head(char out[CHUNKED_HEAD_MAX], uint64_t n)
{
    static const char hex[] = "0123456789abcdef";
    unsigned digits = 1;
    while (digits < SIZE_DIGITS_MAX && n >> (4 * digits))
        digits++;
    for (unsigned i = 0; i < digits; i++)
        out[i] = hex[n >> (4 * (digits - 1 - i)) & 15];
    out[digits] = '\r';
    out[digits + 1] = '\n';
    return digits + 2;
}
