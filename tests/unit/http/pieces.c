/* See pieces.h. */
#include "tests/unit/http/pieces.h"

#include "base/xmem.h"

#include <stdlib.h>

static void tell_text(struct buf *told, const char *what, struct str s)
{
    buf_printf(told, "%s=", what);
    buf_add_json(told, s);
    buf_add_char(told, '\n');
}

static void tell(struct buf *told, enum h1_result r, const struct h1_head *h)
{
    buf_printf(told, "len=%u\n", h->len);
    buf_printf(told, "result=%d error=%s started=%d\n", r, h->error ? h->error : "", h->started);
    buf_printf(told, "method=%u status=%u minor=%u framing=%u length=%llu flags=%d%d%d\n",
               h->method, h->status, h->minor, h->framing, (unsigned long long)h->content_length,
               h->keep_alive, h->expect_continue, h->upgrade);
    tell_text(told, "method", h->method_text);
    tell_text(told, "target", h->target);
    tell_text(told, "reason", h->reason);
    for (size_t i = 0; i < h->headers.n; i++) {
        const struct field *f = &h->headers.v[i];
        buf_printf(told, "field %u ", f->id);
        tell_text(told, "name", str_make(f->name, f->name_len));
        tell_text(told, "value", field_value(f));
    }
}

static void write_again(struct buf *out, const struct h1_head *h)
{
    if (h->status) {
        buf_printf(out, "HTTP/1.%u %u ", h->minor, h->status);
        buf_add_str(out, h->reason);
    } else {
        buf_add_str(out, h->method_text);
        buf_add_char(out, ' ');
        buf_add_str(out, h->target);
        buf_printf(out, " HTTP/1.%u", h->minor);
    }
    for (size_t i = 0; i < h->headers.n; i++) {
        const struct field *f = &h->headers.v[i];
        buf_printf(out, "\r\n%.*s: ", f->name_len, f->name);
        buf_add_str(out, field_value(f));
    }
    buf_printf(out, "\r\n\r\n");
}

static enum h1_result parse(const struct pieces *how, struct h1_head *h, const char *p, size_t n)
{
    if (how->response)
        return h1_parse_response(h, p, n, &how->limits, how->request);
    return h1_parse_request(h, p, n, &how->limits);
}

enum h1_result pieces_parse(const struct pieces *how, const char *p, const size_t *ends,
                            size_t count, struct buf *told, struct buf *again)
{
    struct arena arena = {0};
    struct h1_head h;
    enum h1_result r = H1_MORE;
    char *copy = NULL, *before = NULL;
    h1_head_init(&h, &arena, &how->limits);
    h.scan = how->scan;
    for (size_t i = 0; i < count && r == H1_MORE; i++) {
        free(before);
        before = copy;
        copy = xmalloc(ends[i]);
        memcpy(copy, p, ends[i]);
        r = parse(how, &h, copy, ends[i]);
    }
    tell(told, r, &h);
    if (again && r == H1_DONE)
        write_again(again, &h);
    free(before);
    free(copy);
    arena_free(&arena);
    return r;
}

static bool same_told(const struct pieces *how, const char *p, const size_t *ends, size_t count,
                      const struct buf *want)
{
    struct buf told = {0};
    pieces_parse(how, p, ends, count, &told, NULL);
    bool same = str_eq(str_make(told.p, told.n), str_make(want->p, want->n));
    buf_free(&told);
    return same;
}

bool pieces_agree(const struct pieces *how, const char *p, size_t n, enum h1_result *result,
                  struct buf *told)
{
    struct pieces with = *how;
    size_t *each = xcalloc(n + 1, sizeof *each);
    bool agree = true;
    with.scan = scan_kernel_best();
    *result = pieces_parse(&with, p, &n, 1, told, NULL);
    for (size_t i = 0; i < n; i++)
        each[i] = i + 1;
    for (unsigned k = 0; (with.scan = scan_kernel_at(k)); k++) {
        agree = agree && same_told(&with, p, each, n, told) && same_told(&with, p, &n, 1, told);
        for (size_t cut = 1; cut < n && agree; cut++)
            agree = same_told(&with, p, (size_t[]){cut, n}, 2, told);
    }
    free(each);
    return agree;
}
