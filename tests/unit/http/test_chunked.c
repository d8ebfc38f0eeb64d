#include "http/chunked.h"

#include "base/xmem.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>

static const struct h1_limits limits = {.head_bytes = 200, .fields = 3};

struct decoded {
    enum chunked_result result;
    struct buf body, trailers;
    size_t rest; /* bytes behind the message */
};

static enum chunked_result feed(struct chunked *c, struct str *in, struct headers *trailers,
                                struct decoded *out)
{
    for (;;) {
        struct str data;
        enum chunked_result r = chunked_decode(c, in, &data, &limits, trailers);
        if (r != CHUNKED_DATA)
            return r;
        cr_assert(data.n > 0);
        buf_add_str(&out->body, data);
    }
}

/* The message in pieces of `piece` bytes, each in memory of exactly its size. */
static struct decoded decode(const char *p, size_t n, size_t piece)
{
    struct decoded out = {.result = CHUNKED_MORE};
    struct arena arena = {0};
    struct headers trailers;
    struct chunked c;
    headers_init(&trailers, &arena, 0);
    chunked_init(&c);
    for (size_t at = 0; at < n && out.result == CHUNKED_MORE; at += piece) {
        size_t have = n - at < piece ? n - at : piece;
        char *copy = xmalloc(have);
        memcpy(copy, p + at, have);
        struct str in = str_make(copy, have);
        out.result = feed(&c, &in, &trailers, &out);
        out.rest = n - at - have + in.n;
        free(copy);
    }
    for (size_t i = 0; i < trailers.n; i++)
        buf_printf(&out.trailers, "%.*s=%.*s;", trailers.v[i].name_len, trailers.v[i].name,
                   STR_ARG(field_value(&trailers.v[i])));
    chunked_fini(&c);
    arena_free(&arena);
    return out;
}

static void decoded_free(struct decoded *d)
{
    buf_free(&d->body);
    buf_free(&d->trailers);
}

static void expect(const char *text, enum chunked_result want, const char *body,
                   const char *trailers, const char *rest)
{
    for (size_t piece = 1; piece <= strlen(text); piece++) {
        struct decoded d = decode(text, strlen(text), piece);
        cr_expect(eq(int, (int)d.result, (int)want), "%s in pieces of %zu", text, piece);
        if (body)
            cr_expect(str_eq(str_make(d.body.p, d.body.n), str_of(body)), "%s", text);
        if (trailers)
            cr_expect(str_eq(str_make(d.trailers.p, d.trailers.n), str_of(trailers)), "%s", text);
        if (rest)
            cr_expect(eq(sz, d.rest, strlen(rest)), "%s in pieces of %zu", text, piece);
        decoded_free(&d);
    }
}

static void expect_all(const char *const *texts, size_t count, enum chunked_result want)
{
    for (size_t i = 0; i < count; i++)
        expect(texts[i], want, NULL, NULL, NULL);
}

#define EXPECT_ALL(want, ...)                                                                      \
    expect_all((const char *const[]){__VA_ARGS__},                                                 \
               sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *), want)

Test(chunked, chunks_are_joined_and_what_follows_is_left)
{
    expect("5\r\nhello\r\n0\r\n\r\n", CHUNKED_DONE, "hello", "", "");
    expect("1\r\na\r\nA\r\n0123456789\r\n0\r\n\r\nGET /", CHUNKED_DONE, "a0123456789", "", "GET /");
    expect("0\r\n\r\n\r\n", CHUNKED_DONE, "", "", "\r\n");
    expect("00000000000000a\r\n0123456789\r\n000\r\n\r\n", CHUNKED_DONE, "0123456789", "", "");
}

Test(chunked, an_incomplete_message_wants_more)
{
    EXPECT_ALL(CHUNKED_MORE, "5", "5\r", "5\r\n", "5\r\nhell", "5\r\nhello", "5\r\nhello\r",
               "5\r\nhello\r\n", "5\r\nhello\r\n0", "0\r", "0\r\n", "0\r\n\r", "0\r\nX",
               "0\r\nX: y\r\n", "0\r\nX: y\r\n\r", "5;a", "5;a=\"\\\"");
}

Test(chunked, sizes_are_hexadecimal_digits_and_nothing_else)
{
    EXPECT_ALL(CHUNKED_BAD, "\r\n", "g\r\n", "-1\r\n", "+1\r\n", " 1\r\n", "1 \r\n", "1\t\r\n",
               "0x1\r\n", ";a\r\n", "1,\r\n", "1_0\r\n", "\n", "1g\r\n");
}

Test(chunked, sizes_from_2_62_on_and_longer_than_16_digits_are_refused)
{
    EXPECT_ALL(CHUNKED_BAD, "4000000000000000\r\n", "ffffffffffffffff\r\n", "10000000000000000\r\n",
               "00000000000000001\r\n", "ffffffffffffffffffff\r\n");
    EXPECT_ALL(CHUNKED_MORE, "3fffffffffffffff\r\nx", "0000000000000001\r\n");
}

Test(chunked, only_crlf_ends_a_line)
{
    EXPECT_ALL(CHUNKED_BAD, "5\n", "5\rh", "5\r\nhello\n", "5\r\nhello\rx", "5\r\nhellox",
               "5\r\nhello0\r\n", "0\n", "0\r\n\n", "0\r\n\r0", "0\r\nX: y\n", "0\r\nX: y\r\n\n",
               "5;a\n", "5;a\rb", "5\r\nhello\r\r\n");
}

Test(chunked, extensions_are_parsed_and_dropped)
{
    expect("5;a;b=c;d=\"e;\\\"\r\"\r\nhello\r\n0\r\n\r\n", CHUNKED_BAD, NULL, NULL, NULL);
    expect("5;a;b=c;d=\"e; \t\\\"\xff\";f=\"\"\r\nhello\r\n0;x\r\n\r\n", CHUNKED_DONE, "hello", "",
           "");
    EXPECT_ALL(CHUNKED_BAD, "5;\r\n", "5;;a\r\n", "5;=a\r\n", "5;a=\r\n", "5;a=b=c\r\n",
               "5;a b\r\n", "5; a\r\n", "5;a =b\r\n", "5;a=\"b\"c\r\n", "5;a=\"\x01\"\r\n",
               "5;a=\"\n", "5;a=\"\\\n", "5;a=\"\\\r\n", "5;\x80\r\n");
}

Test(chunked, extensions_of_a_line_are_bounded)
{
    char text[1200] = "5;";
    memset(text + 2, 'a', 1023);
    struct decoded d = decode(text, 1025, 100);
    cr_expect(d.result == CHUNKED_MORE);
    decoded_free(&d);
    memset(text + 2, 'a', 1100);
    d = decode(text, 1102, 100);
    cr_expect(d.result == CHUNKED_BAD);
    decoded_free(&d);
}

Test(chunked, trailer_fields_are_given_at_the_end)
{
    expect("1\r\na\r\n0\r\nX-Sum: 1\r\nY:\r\n\r\nrest", CHUNKED_DONE, "a", "X-Sum=1;Y=;", "rest");
}

Test(chunked, bad_trailer_fields_are_refused)
{
    EXPECT_ALL(CHUNKED_BAD, "0\r\nX : y\r\n\r\n", "0\r\n y\r\n\r\n", "0\r\nX\r\n\r\n",
               "0\r\nContent-Length: 5\r\n\r\n", "0\r\nTransfer-Encoding: chunked\r\n\r\n",
               "0\r\nHost: a\r\n\r\n", "0\r\nA: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\n\r\n",
               "0\r\nX: a\rb\r\n\r\n");
}

Test(chunked, a_trailer_section_over_the_limit_is_refused_while_it_is_incomplete)
{
    char text[400] = "0\r\nX: ";
    memset(text + 6, 'a', 300);
    for (size_t piece = 1; piece < 400; piece += 13) {
        struct decoded d = decode(text, 306, piece);
        cr_expect(d.result == CHUNKED_BAD);
        decoded_free(&d);
    }
}

Test(chunked, nothing_is_accepted_after_a_fault)
{
    struct chunked c;
    struct arena arena = {0};
    struct headers trailers;
    struct str in = STR("x"), data;
    headers_init(&trailers, &arena, 0);
    chunked_init(&c);
    cr_expect(chunked_decode(&c, &in, &data, &limits, &trailers) == CHUNKED_BAD);
    in = STR("0\r\n\r\n");
    cr_expect(chunked_decode(&c, &in, &data, &limits, &trailers) == CHUNKED_BAD);
    chunked_fini(&c);
    arena_free(&arena);
}

Test(chunked, written_heads_are_read_back)
{
    static const uint64_t sizes[] = {1,   9,     10,    15,         16,        255,
                                     256, 65535, 65536, UINT32_MAX, UINT64_MAX};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char head[CHUNKED_HEAD_MAX + 1], want[32];
        size_t n = chunked_write_head(head, sizes[i]);
        head[n] = 0;
        snprintf(want, sizeof want, "%llx\r\n", (unsigned long long)sizes[i]);
        cr_expect(eq(str, head, want));
    }
}
