/* The chunked decoder: the result does not depend on the cuts; what is encoded is decoded again.
 * Input: a byte that seeds the cuts, then the coded message, which is also taken as a body. */
#include "base/check.h"
#include "base/xmem.h"
#include "http/chunked.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

static const struct h1_limits limits = {.head_bytes = 512, .fields = 8};

struct decoded {
    enum chunked_result result;
    struct buf body, trailers;
    size_t rest;
};

static void tell_trailers(struct buf *out, const struct headers *h)
{
    for (size_t i = 0; i < h->n; i++) {
        buf_printf(out, "%.*s=", h->v[i].name_len, h->v[i].name);
        buf_add_str(out, field_value(&h->v[i]));
        buf_add_char(out, ';');
    }
}

static enum chunked_result feed(struct chunked *c, struct str *in, struct headers *trailers,
                                struct buf *body)
{
    for (;;) {
        struct str data;
        enum chunked_result r = chunked_decode(c, in, &data, &limits, trailers);
        if (r != CHUNKED_DATA)
            return r;
        ensure(data.n > 0);
        buf_add_str(body, data);
    }
}

/* In pieces of 1 to `most` bytes, each in memory of exactly its size. */
static struct decoded decode(struct str message, struct rand *cuts, uint32_t most)
{
    struct decoded out = {.result = CHUNKED_MORE};
    struct arena arena = {0};
    struct headers trailers;
    struct chunked c;
    headers_init(&trailers, &arena, 0);
    chunked_init(&c);
    while (message.n && out.result == CHUNKED_MORE) {
        size_t n = cuts ? 1 + rand_below(cuts, most) : message.n;
        n = n < message.n ? n : message.n;
        char *copy = xmalloc(n);
        memcpy(copy, message.p, n);
        struct str in = str_make(copy, n);
        out.result = feed(&c, &in, &trailers, &out.body);
        message = str_make(message.p + n, message.n - n);
        out.rest = message.n + in.n;
        free(copy);
    }
    tell_trailers(&out.trailers, &trailers);
    chunked_fini(&c);
    arena_free(&arena);
    return out;
}

static bool buf_eq(const struct buf *a, const struct buf *b)
{
    return str_eq(str_make(a->p, a->n), str_make(b->p, b->n));
}

static void decoded_free(struct decoded *d)
{
    buf_free(&d->body);
    buf_free(&d->trailers);
}

static void expect_same_in_pieces(struct str message, struct rand *cuts)
{
    struct decoded whole = decode(message, NULL, 0);
    for (uint32_t most = 1; most <= 64; most *= 8) {
        struct decoded pieces = decode(message, cuts, most);
        ensure(pieces.result == whole.result);
        ensure(buf_eq(&pieces.body, &whole.body));
        if (whole.result == CHUNKED_DONE)
            ensure(buf_eq(&pieces.trailers, &whole.trailers) && pieces.rest == whole.rest);
        decoded_free(&pieces);
    }
    decoded_free(&whole);
}

static struct buf encode(struct str body, struct rand *cuts)
{
    struct buf out = {0};
    char head[CHUNKED_HEAD_MAX];
    while (body.n) {
        size_t n = 1 + rand_below(cuts, (uint32_t)body.n);
        buf_add(&out, head, chunked_write_head(head, n));
        buf_add(&out, body.p, n);
        buf_add_str(&out, STR("\r\n"));
        body = str_make(body.p + n, body.n - n);
    }
    buf_add_str(&out, STR("0\r\nX-Sum: 1\r\n\r\n"));
    return out;
}

static void expect_decoded_again(struct str body, struct rand *cuts)
{
    struct buf message = encode(body, cuts);
    struct decoded d = decode(str_make(message.p, message.n), cuts, 40);
    ensure(d.result == CHUNKED_DONE && d.rest == 0);
    ensure(str_eq(str_make(d.body.p, d.body.n), body));
    ensure(str_eq(str_make(d.trailers.p, d.trailers.n), STR("X-Sum=1;")));
    decoded_free(&d);
    buf_free(&message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    struct rand cuts = fuzz_rand(data[0]);
    struct str message = str_make((const char *)data + 1, size - 1);
    expect_same_in_pieces(message, &cuts);
    expect_decoded_again(message, &cuts);
    return 0;
}
