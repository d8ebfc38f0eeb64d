/* See proxy.h. */
#include "core/proxy.h"

#include "core/chain.h"
#include "core/conn.h"
#include "core/forward.h"
#include "core/life.h"
#include "core/reply.h"

enum { ONE_SEND_BYTES = 60 * 1024, KEEP_BODY_MAX = 64 * 1024, SAFE_IDLE_MS = 1000 };

enum phase {
    CONNECTING,
    SENDING, /* the request's body is on its way */
    WAITING, /* for the answer's head */
    STREAMING,
};

/* One try to get an answer; lives in the request's arena. */
struct attempt {
    struct req *r;
    struct upstream_conn *conn;
    struct timer total;
    struct str path;   /* as the service is to see it */
    uint64_t progress; /* what the idle timer saw last time */
    struct buf kept;   /* body bytes that were sent, for a second try */
    bool kept_last;    /* they are all of it */
    bool keeping;      /* what is sent is kept */
    bool body_lost;    /* more was sent than is kept */
    bool head_done;    /* the request's head was sent */
    uint8_t phase;
};

static const struct h1_client_ops proxy_ops;

static struct loop *loop_of(const struct req *r)
{
    return r->core->h1.loop;
}

static const struct service *service_of(const struct req *r)
{
    return r->route->service;
}

/* Asking twice does no harm (RFC 9110 §9.2.2). */
static bool is_idempotent(const struct req *r)
{
    switch (r->x.method) {
    case METHOD_GET:
    case METHOD_HEAD:
    case METHOD_OPTIONS:
    case METHOD_PUT:
    case METHOD_DELETE: return true;
    default: return false;
    }
}

/* The same, and what was sent can be kept until it is sure that it arrived. */
static bool is_repeatable(const struct req *r)
{
    return is_idempotent(r) &&
           (!r->x.has_body || (r->x.length >= 0 && r->x.length <= KEEP_BODY_MAX));
}

static void attempt_watch(struct attempt *a, enum phase phase)
{
    const struct service_timeouts *t = &a->r->route->timeouts;
    uint64_t ms = phase == CONNECTING ? t->connect_ms
                  : phase == WAITING  ? t->response_ms
                                      : t->idle_ms;
    a->phase = (uint8_t)phase;
    if (ms)
        timer_set(loop_of(a->r), &a->conn->timer, ms);
    else
        timer_clear(loop_of(a->r), &a->conn->timer);
}

/* The attempt is over; its connection goes where `put` says. */
static void attempt_end(struct attempt *a, bool put)
{
    struct req *r = a->r;
    const struct service *s = service_of(r);
    r->attempt = NULL;
    r->upstream_end_ns = loop_of(r)->now_ns;
    timer_clear(loop_of(r), &a->total);
    buf_free(&a->kept);
    if (!a->conn)
        return;
    r->upstream_bytes_in += a->conn->h1.bytes_in;
    a->conn->h1.user = NULL;
    if (put)
        pool_put(a->conn, s->idle_per_worker, s->idle_timeout_ms, s->max_requests);
    else
        pool_drop(a->conn);
}

void proxy_cancel(struct req *r)
{
    if (r->attempt)
        attempt_end(r->attempt, false);
}

/* No answer can come of this attempt: tell the client what can still be told. */
static void attempt_fail(struct attempt *a, const char *code, const char *detail)
{
    struct req *r = a->r;
    attempt_end(a, false);
    r->error_code = str_of(reply_lookup(code)->code);
    if (r->x.head_sent)
        r->x.codec->abort(&r->x);
    else
        reply_error(r, code, detail);
}

static void on_total(struct timer *t)
{
    attempt_fail(container_of(t, struct attempt, total), "upstream_timeout",
                 "the service took longer than this route allows");
}

static uint64_t attempt_progress(const struct attempt *a)
{
    return a->r->upstream_bytes_out * 3 + a->conn->h1.bytes_in * 5 -
           stream_parked(&a->conn->h1.stream);
}

static void on_conn_timer(struct upstream_conn *c)
{
    static const char *const late[] = {
        [CONNECTING] = "no connection to the service in time",
        [SENDING] = "the service did not take the request in time",
        [WAITING] = "the service did not answer in time",
        [STREAMING] = "the service stopped in the middle of its answer",
    };
    struct attempt *a = c->h1.user;
    uint64_t progress = attempt_progress(a);
    bool others_turn =
        a->phase == STREAMING ? c->h1.paused : a->phase == SENDING && !stream_parked(&c->h1.stream);
    bool counts_bytes = a->phase == STREAMING || a->phase == SENDING;
    if (counts_bytes && (others_turn || progress != a->progress)) {
        a->progress = progress;
        attempt_watch(a, (enum phase)a->phase);
        return;
    }
    attempt_fail(a, "upstream_timeout", late[a->phase]);
}

static void attempt_dial(struct attempt *a)
{
    struct req *r = a->r;
    struct core *c = r->core;
    const struct service *s = service_of(r);
    struct tls_client *tls = core_of_snapshot(c, r->snapshot)->clients[s->index];
    a->conn = pool_dial(&c->pool, r->endpoint, tls, &proxy_ops, a);
    a->conn->on_timer = on_conn_timer;
    attempt_watch(a, CONNECTING);
}

/* The client's bytes that its codec shows; they are kept while they may have to be sent again. */
static struct str attempt_take_body(struct attempt *a)
{
    struct exchange *x = &a->r->x;
    bool last = x->in_last;
    struct str body = exchange_take(x);
    if (a->keeping) {
        buf_add_str(&a->kept, body);
        a->kept_last = last;
    } else {
        a->body_lost = true;
    }
    if (last)
        forward_trailers(&x->trailers);
    return body;
}

/* What goes with the head: kept from the first try, or what is shown now. */
static struct str attempt_first_body(struct attempt *a, bool *last)
{
    const struct exchange *x = &a->r->x;
    if (a->kept.n || a->kept_last) {
        *last = a->kept_last;
        return str_make(a->kept.p, a->kept.n);
    }
    *last = !x->has_body || x->length == 0 || (x->in.n && x->in_last);
    return x->in.n ? attempt_take_body(a) : STR_NULL;
}

static void attempt_retry(struct attempt *a);

/* Nothing left on a connection that the service had closed: what was taken goes to a new one. A
 * request too long for one send may have left in part. */
static void attempt_not_sent(struct attempt *a, size_t head_bytes, struct str body, bool last)
{
    bool whole = head_bytes + body.n <= ONE_SEND_BYTES;
    if (!a->conn->pooled || (!whole && !is_idempotent(a->r))) {
        attempt_fail(a, "upstream_reset", "the connection to the service broke");
        return;
    }
    if (!a->keeping && body.n) {
        buf_add_str(&a->kept, body);
        a->kept_last = last;
    }
    attempt_retry(a);
}

/* The connection is there: the head and what is there of the body leave together. */
static void attempt_send(struct attempt *a)
{
    struct req *r = a->r;
    struct exchange *x = &r->x;
    struct buf *out = &r->core->h1.out;
    out->n = 0;
    forward_head(r, r->endpoint, a->path, out);
    bool last;
    struct str head = str_make(out->p, out->n);
    struct str body = attempt_first_body(a, &last);
    bool chunked = x->has_body && x->length == LENGTH_UNKNOWN;
    if (h1_client_send(&a->conn->h1, &x->arena, (enum http_method)x->method, head, chunked, body,
                       last, &x->trailers) != 0) {
        attempt_not_sent(a, head.n, body, last);
        return;
    }
    a->head_done = true;
    r->upstream_bytes_out += head.n + body.n;
    attempt_watch(a, last ? WAITING : SENDING);
    if (!last)
        x->codec->want_body(x);
}

/* Once more, on a fresh connection. */
static void attempt_retry(struct attempt *a)
{
    struct req *r = a->r;
    struct upstream_conn *old = a->conn;
    r->attempts++;
    metrics_add(metrics_cell(r->worker->metrics, METRICS_UPSTREAM_RETRIES,
                             (const struct str[]){r->names.service, r->names.variant}),
                1);
    a->head_done = a->keeping = false;
    old->h1.user = NULL;
    pool_drop(old);
    attempt_dial(a);
}

/* What keeps a client on its variant; what is missing falls back to its address. */
static struct str sticky_key(const struct req *r, const struct service *s)
{
    if (s->sticky == STICKY_NONE)
        return STR_NULL;
    const struct field *f =
        s->sticky == STICKY_HEADER ? headers_find(&r->x.headers, s->sticky_key) : NULL;
    return f ? field_value(f) : r->client_ip;
}

/* The path for the service; false: an answer was made. */
static bool rewritten_path(struct req *r, struct str *path)
{
    switch (rewrite_path(&r->route->rewrite, r->core->scratch, r->path, &r->x.arena, path)) {
    case REWRITE_OK: return true;
    case REWRITE_BAD: reply_error(r, "bad_request", "the rewritten path is not valid"); break;
    case REWRITE_FAILED: reply_error(r, "internal_error", "the path could not be rewritten"); break;
    }
    return false;
}

void proxy_start(struct req *r)
{
    struct core *c = r->core;
    const struct service *s = service_of(r);
    struct str path;
    if (life_body_too_large(r)) {
        reply_error(r, "body_too_large", "the body is larger than this route takes");
        return;
    }
    if (!rewritten_path(r, &path))
        return;
    r->variant = service_pick(s, sticky_key(r, s), &loop_of(r)->rand);
    r->endpoint = r->variant ? variant_pick(r->variant, &c->pool, &loop_of(r)->rand) : NULL;
    if (!r->endpoint) {
        reply_error(r, "no_healthy_endpoint", "the service has no endpoint for this request");
        return;
    }
    r->names.variant = r->variant->name;
    r->names.endpoint = r->endpoint->name;
    struct attempt *a = arena_zalloc(&r->x.arena, sizeof *a);
    a->r = r;
    a->path = path;
    a->total.fire = on_total;
    r->attempt = a;
    r->attempts = 1;
    r->upstream_start_ns = loop_of(r)->now_ns;
    if (r->route->timeouts.total_ms)
        timer_set(loop_of(r), &a->total, r->route->timeouts.total_ms);
    bool repeatable = is_repeatable(r);
    a->conn = pool_get(&c->pool, r->endpoint, repeatable ? UINT64_MAX : SAFE_IDLE_MS);
    if (!a->conn) {
        attempt_dial(a);
        return;
    }
    a->keeping = repeatable;
    a->conn->h1.ops = &proxy_ops;
    a->conn->h1.user = a;
    a->conn->on_timer = on_conn_timer;
    attempt_send(a);
}

void proxy_request_body(struct req *r)
{
    struct attempt *a = r->attempt;
    struct exchange *x = &r->x;
    if (!a || !a->head_done)
        return;
    if (life_body_too_large(r)) {
        x->close = true;
        attempt_fail(a, "body_too_large", "the body is larger than this route takes");
        return;
    }
    if (stream_parked(&a->conn->h1.stream))
        return; /* on_drained asks for it again */
    bool last = x->in_last;
    struct str body = attempt_take_body(a);
    r->upstream_bytes_out += body.n;
    h1_client_send_body(&a->conn->h1, body, last, &x->trailers);
    if (last && a->phase == SENDING)
        attempt_watch(a, WAITING);
}

void proxy_client_drained(struct req *r)
{
    if (r->attempt)
        h1_client_resume(&r->attempt->conn->h1);
}

static void on_open(struct h1_client *h)
{
    attempt_send(h->user);
}

static void on_upstream_drained(struct h1_client *h)
{
    struct attempt *a = h->user;
    if (a->phase == SENDING || a->phase == STREAMING)
        a->r->x.codec->want_body(&a->r->x);
}

/* After bytes went to the client: ends the attempt, or waits until the client has room. */
static void attempt_went_on(struct attempt *a, bool last)
{
    struct req *r = a->r;
    if (last)
        attempt_end(a, true);
    else if (!r->x.codec->room(&r->x))
        h1_client_pause(&a->conn->h1);
}

static void take_trailers(struct exchange *x, struct h1_client *h)
{
    if (!h->trailers.n)
        return;
    forward_trailers(&h->trailers);
    x->answer_trailers = h->trailers;
}

static void on_head(struct h1_client *h, struct str body, bool last)
{
    struct attempt *a = h->user;
    struct req *r = a->r;
    struct exchange *x = &r->x;
    r->upstream_head_ns = loop_of(r)->now_ns;
    x->answer = h->head.headers;
    x->reason = h->head.reason;
    x->status = h->head.status;
    if (headers_strip_hop_by_hop(&x->answer) != 0) {
        headers_init(&x->answer, &x->arena, 16);
        attempt_fail(a, "upstream_invalid_response", "the service's Connection field is not valid");
        return;
    }
    bool counted = headers_get(&x->answer, FIELD_CONTENT_LENGTH) != NULL;
    x->answer_length = counted ? (int64_t)h->head.content_length : LENGTH_UNKNOWN;
    headers_remove_id(&x->answer, FIELD_CONTENT_LENGTH);
    r->answered = true;
    chain_answer(r);
    attempt_watch(a, STREAMING);
    if (last)
        take_trailers(x, h);
    x->codec->send_head(x, body, last);
    attempt_went_on(a, last);
}

static void on_body(struct h1_client *h, struct str body, bool last)
{
    struct attempt *a = h->user;
    struct exchange *x = &a->r->x;
    if (last)
        take_trailers(x, h);
    x->codec->send_body(x, body, last);
    attempt_went_on(a, last);
}

static void on_interim(struct h1_client *h)
{
    struct attempt *a = h->user;
    if (headers_strip_hop_by_hop(&h->head.headers) == 0)
        a->r->x.codec->send_interim(&a->r->x, h->head.status, &h->head.headers);
}

static void on_fault(struct h1_client *h, enum h1_client_fault fault)
{
    struct attempt *a = h->user;
    struct req *r = a->r;
    bool untouched = h->bytes_in == 0 && !r->x.head_sent;
    if (fault == H1_CLIENT_RESET && a->conn->pooled && untouched && is_idempotent(r) &&
        !a->body_lost) {
        attempt_retry(a);
        return;
    }
    if (fault == H1_CLIENT_CONNECT)
        attempt_fail(a, "upstream_unreachable", net_error_text((enum net_error)h->stream.error));
    else if (fault == H1_CLIENT_INVALID)
        attempt_fail(a, "upstream_invalid_response", h->head.error);
    else
        attempt_fail(a, "upstream_reset",
                     "the service closed the connection before its answer was complete");
}

static void on_unasked(struct h1_client *h)
{
    on_fault(h, H1_CLIENT_RESET);
}

static const struct h1_client_ops proxy_ops = {
    .on_open = on_open,
    .on_head = on_head,
    .on_body = on_body,
    .on_interim = on_interim,
    .on_drained = on_upstream_drained,
    .on_fault = on_fault,
    .on_idle_end = on_unasked,
};
