#include "http/h1_body.h"

#include <criterion/criterion.h>
#include <stdio.h>

static const struct h1_limits limits = {.head_bytes = 1000, .fields = 10};

struct result {
    char body[256];
    size_t n, rest, shown;
    bool last, bad;
};

/* The bytes in pieces of `piece`. */
static struct result decode(enum h1_framing framing, uint64_t length, const char *text,
                            size_t piece)
{
    struct h1_head head = {.framing = (uint8_t)framing, .content_length = length};
    struct arena arena = {0};
    struct headers trailers;
    struct h1_body b;
    struct result out = {0};
    char bytes[256];
    size_t n = strlen(text);
    headers_init(&trailers, &arena, 0);
    h1_body_init(&b, &head);
    out.last = h1_body_complete(&b);
    for (size_t at = 0; at < n && !out.last && !out.bad; at += piece) {
        size_t len = n - at < piece ? n - at : piece;
        memcpy(bytes, text + at, len);
        struct str in = str_make(bytes, len), data;
        enum h1_body_result r = h1_body_decode(&b, &in, &data, &out.last, &limits, &trailers);
        out.bad = r == H1_BODY_BAD;
        cr_assert(r != H1_BODY_MORE || (data.n == 0 && in.n == 0));
        cr_assert(r != H1_BODY_DATA || data.n || out.last);
        if (out.bad)
            break;
        memcpy(out.body + out.n, data.p, data.n);
        out.n += data.n;
        out.shown += data.n > 0;
        out.rest = n - at - len + in.n;
    }
    h1_body_fini(&b);
    arena_free(&arena);
    return out;
}

Test(h1_body, a_counted_body_ends_where_it_was_announced)
{
    for (size_t piece = 1; piece < 12; piece++) {
        struct result r = decode(H1_BODY_LENGTH, 5, "helloGET /", piece);
        cr_assert(r.last && r.n == 5 && memcmp(r.body, "hello", 5) == 0);
        cr_assert_eq(r.rest, 5);
    }
}

Test(h1_body, a_counted_body_of_nothing_is_complete_at_once)
{
    struct result r = decode(H1_BODY_LENGTH, 0, "GET /", 5);
    cr_assert(r.last && r.n == 0);
}

Test(h1_body, a_body_until_close_never_ends_by_itself)
{
    struct result r = decode(H1_BODY_UNTIL_CLOSE, 0, "hello", 2);
    cr_assert(!r.last && r.n == 5 && r.rest == 0);
}

Test(h1_body, chunks_that_came_together_are_shown_together)
{
    const char *text = "3\r\nabc\r\n1;x=y\r\nd\r\n2\r\nef\r\n0\r\n\r\nGET";
    for (size_t piece = 1; piece < 40; piece++) {
        struct result r = decode(H1_BODY_CHUNKED, 0, text, piece);
        cr_assert(r.last && !r.bad && r.n == 6 && memcmp(r.body, "abcdef", 6) == 0);
        cr_assert_eq(r.rest, 3);
        cr_assert(piece < strlen(text) || r.shown == 1);
    }
}

Test(h1_body, a_fault_behind_good_chunks_is_told_at_once)
{
    struct result r = decode(H1_BODY_CHUNKED, 0, "3\r\nabc\r\nx", 20);
    cr_assert(r.bad && r.n == 0);
}

static struct str framed(struct h1_env *env, struct buf *out, struct str head, struct str body,
                         bool chunked, bool last, const struct headers *trailers)
{
    struct iovec iov[4];
    int n = h1_frame(env, iov, head, body, chunked, last, trailers);
    out->n = 0;
    for (int i = 0; i < n; i++)
        buf_add(out, iov[i].iov_base, iov[i].iov_len);
    return str_make(out->p, out->n);
}

Test(h1_body, a_frame_holds_head_and_body_in_their_framing)
{
    struct h1_env env = {0};
    struct arena arena = {0};
    struct headers trailers;
    struct buf out = {0};
    headers_init(&trailers, &arena, 2);
    headers_add(&trailers, STR("A"), STR("b"));
#define IS(text, ...) cr_assert(str_eq(framed(&env, &out, __VA_ARGS__), STR(text)))
    IS("HEADbody", STR("HEAD"), STR("body"), false, true, &trailers);
    IS("HEAD4\r\nbody\r\n", STR("HEAD"), STR("body"), true, false, NULL);
    IS("HEAD4\r\nbody\r\n0\r\n\r\n", STR("HEAD"), STR("body"), true, true, NULL);
    IS("4\r\nbody\r\n0\r\nA: b\r\n\r\n", STR_NULL, STR("body"), true, true, &trailers);
    IS("0\r\n\r\n", STR_NULL, STR_NULL, true, true, NULL);
    IS("", STR_NULL, STR_NULL, true, false, NULL);
    IS("", STR_NULL, STR_NULL, false, true, NULL);
#undef IS
    buf_free(&out);
    arena_free(&arena);
    h1_env_fini(&env);
}
