/* One request and its answer, between a codec (HTTP/1.1, HTTP/2) that knows the wire and a handler
 * (the core, the admin API) that knows what to do. Neither knows the other's kind.
 *
 * Request: the codec fills the request part and calls on_request. Body bytes are shown in `in`, in
 * the codec's buffer, until the callback returns: the handler takes all of them (exchange_take) or
 * none; what was not taken the codec keeps, and it stops reading until `want_body`. The first
 * bytes are there already in on_request, so that head and body can leave together.
 *
 * Answer: the handler fills `status`, `answer`, `answer_length` and calls send_head, then
 * send_body, until `last`. `room` says whether more is welcome; on_drained tells when it is again.
 *
 * End: on_end is the last call of every exchange, exactly once: all sent, or given up. It never
 * comes from inside a codec function that the handler called. */
#ifndef TG_HTTP_EXCHANGE_H
#define TG_HTTP_EXCHANGE_H

#include "http/h1_parse.h"

struct exchange;

enum { LENGTH_UNKNOWN = -1 };

enum exchange_end {
    EXCHANGE_DONE,        /* the whole answer was handed to the kernel */
    EXCHANGE_CLIENT_GONE, /* the client closed or reset before that */
    EXCHANGE_TIMEOUT,     /* the client did not send or take bytes in time */
    EXCHANGE_ABORTED,     /* the handler gave up with `abort` */
};

/* Down: what a handler asks of the codec. */
struct codec_ops {
    /* Sends the answer's head and first body bytes together. With `last` the answer is complete. */
    void (*send_head)(struct exchange *x, struct str body, bool last);
    void (*send_body)(struct exchange *x, struct str body, bool last);
    /* 103 and other interim answers, fields in `fields`. Nothing for HTTP/1.0. */
    void (*send_interim)(struct exchange *x, unsigned status, const struct headers *fields);
    /* False while the client has not taken what was sent: stop reading the source. */
    bool (*room)(const struct exchange *x);
    /* The handler can take body bytes (again): on_body follows, now or later, never inside this
     * call. The first call sends "100 Continue" if the client waits for it. */
    void (*want_body)(struct exchange *x);
    /* The answer cannot be completed: the connection (stream) is reset if its head was sent. on_end
     * follows, not inside this call. */
    void (*abort)(struct exchange *x);
};

/* Up: what a codec tells the handler. */
struct handler_ops {
    /* Zeroed memory that begins with a struct exchange; `user` is the codec's owner's. */
    struct exchange *(*exchange_new)(void *user);
    void (*on_request)(struct exchange *x);
    void (*on_body)(struct exchange *x);
    void (*on_drained)(struct exchange *x);
    /* The exchange's memory is the handler's again; the codec forgets it. */
    void (*on_end)(struct exchange *x, enum exchange_end how);
    /* A request that never became one (400, 408, 414, 431, 505): fill the answer and send it; x has
     * no valid request part but what was parsed. `what` is static text. */
    void (*on_bad_request)(struct exchange *x, unsigned status, const char *what);
};

struct exchange {
    const struct codec_ops *codec;
    const struct handler_ops *handler;
    void *conn;         /* the codec's connection or stream */
    struct arena arena; /* all of the exchange; the handler resets it in on_end */

    /* Request. Slices point into the arena. */
    struct headers headers;
    struct str method_text;
    struct str target;    /* as the client sent it */
    struct str authority; /* Host or :authority, absolute form included */
    uint8_t method;       /* enum http_method */
    uint8_t version;      /* 10, 11, 20 */
    bool has_body;        /* a body follows, maybe an empty one */
    bool expect_continue;
    bool upgrade;            /* HTTP/1.1 Upgrade asked for */
    int64_t length;          /* of the body, LENGTH_UNKNOWN if chunked */
    struct headers trailers; /* complete when in_last was seen */

    /* Request body shown to the handler. */
    struct str in;
    bool in_last; /* `in` ends the body */
    bool in_taken;
    uint64_t bytes_in; /* body bytes seen */

    /* Answer. */
    struct headers answer;
    struct headers answer_trailers;
    struct str reason; /* empty: the standard text */
    int64_t answer_length;
    uint16_t status;
    bool head_sent, last_sent;
    bool close;         /* the connection ends after this answer */
    uint64_t bytes_out; /* body bytes sent */
};

/* The bytes in x->in are the handler's now; they stay valid until its callback returns. */
static inline struct str exchange_take(struct exchange *x)
{
    struct str in = x->in;
    x->in_taken = true;
    x->in = STR_NULL;
    return in;
}

/* True for answers that have no body whatever their fields say (RFC 9110 §6.4.1). */
static inline bool exchange_bodiless(const struct exchange *x)
{
    return x->method == METHOD_HEAD || x->status == 204 || x->status == 304 || x->status < 200;
}

#endif
