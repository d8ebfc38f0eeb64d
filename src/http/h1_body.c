/* See h1_body.h. */
#include "http/h1_body.h"

#include "http/h1_write.h"

void h1_env_fini(struct h1_env *env)
{
    buf_free(&env->out);
    buf_free(&env->tail);
}

void h1_body_init(struct h1_body *b, const struct h1_head *h)
{
    b->framing = h->framing;
    b->left = h->content_length;
    if (b->framing == H1_BODY_LENGTH && b->left == 0)
        b->framing = H1_BODY_NONE;
    if (b->framing == H1_BODY_CHUNKED)
        chunked_init(&b->chunked);
}

void h1_body_fini(struct h1_body *b)
{
    if (b->framing == H1_BODY_CHUNKED)
        chunked_fini(&b->chunked);
    b->framing = H1_BODY_NONE;
}

bool h1_body_complete(const struct h1_body *b)
{
    return b->framing == H1_BODY_NONE;
}

static enum h1_body_result decode_counted(struct h1_body *b, struct str *in, struct str *data,
                                          bool *last)
{
    bool counted = b->framing == H1_BODY_LENGTH;
    data->n = counted && in->n > b->left ? (size_t)b->left : in->n;
    in->p += data->n;
    in->n -= data->n;
    if (counted)
        b->left -= data->n;
    *last = counted && b->left == 0;
    return data->n || *last ? H1_BODY_DATA : H1_BODY_MORE;
}

static enum h1_body_result decode_chunked(struct h1_body *b, struct str *in, struct str *data,
                                          bool *last, const struct h1_limits *limits,
                                          struct headers *trailers)
{
    struct str piece;
    for (;;) {
        switch (chunked_decode(&b->chunked, in, &piece, limits, trailers)) {
        case CHUNKED_DATA:
            if (data->n == 0)
                data->p = piece.p;
            else
                memmove((char *)(uintptr_t)(data->p + data->n), piece.p, piece.n);
            data->n += piece.n;
            break;
        case CHUNKED_DONE: *last = true; return H1_BODY_DATA;
        case CHUNKED_MORE: return data->n ? H1_BODY_DATA : H1_BODY_MORE;
        case CHUNKED_BAD: return H1_BODY_BAD;
        }
    }
}

enum h1_body_result h1_body_decode(struct h1_body *b, struct str *in, struct str *data, bool *last,
                                   const struct h1_limits *limits, struct headers *trailers)
{
    *data = str_make(in->p, 0);
    *last = false;
    enum h1_body_result r = b->framing == H1_BODY_CHUNKED
                                ? decode_chunked(b, in, data, last, limits, trailers)
                                : decode_counted(b, in, data, last);
    if (*last)
        h1_body_fini(b);
    return r;
}

/* What follows body bytes in chunked framing: their line end and, at the end, the last chunk. */
static struct str frame_tail(struct buf *tail, bool body, bool last, const struct headers *trailers)
{
    tail->n = 0;
    if (body)
        buf_add(tail, "\r\n", 2);
    if (last) {
        buf_add(tail, "0\r\n", 3);
        if (trailers)
            h1_write_fields(tail, trailers);
        buf_add(tail, "\r\n", 2);
    }
    return str_make(tail->p, tail->n);
}

int h1_frame(struct h1_env *env, struct iovec iov[4], struct str head, struct str body,
             bool chunked, bool last, const struct headers *trailers)
{
    struct str part[4] = {head, STR_NULL, body, STR_NULL};
    int k = 0;
    if (chunked) {
        if (body.n)
            part[1] = str_make(env->size, chunked_write_head(env->size, body.n));
        part[3] = frame_tail(&env->tail, body.n > 0, last, trailers);
    }
    for (int i = 0; i < 4; i++)
        if (part[i].n)
            iov[k++] = (struct iovec){(void *)(uintptr_t)part[i].p, part[i].n};
    return k;
}
