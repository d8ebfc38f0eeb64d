/* See h1_server.h. One read loop turns bytes into exchanges; everything that a handler sets off
 * ends in a task at the turn's end (server_kick), so that neither ever runs inside the other. */
#include "http/h1_server.h"

#include "base/check.h"
#include "http/h1_write.h"

enum state {
    IDLE,   /* between requests */
    HEAD,   /* a head has begun to arrive */
    BODY,   /* the body is arriving */
    READ,   /* the request is complete, its answer is not */
    SKIP,   /* answered; the rest of the body is read and thrown away */
    LINGER, /* all sent; reading on so that the client sees it before a reset */
    CLOSED,
};

enum {
    LINGER_IDLE_MS = 2000, /* without a byte from the client; body_timeout in all */
    SKIP_BYTES = 64 << 10, /* a longer rest of a body is not worth keeping the connection */
    DRAIN_IDLE_MS = 1000,  /* for a request that is on its way when a drain begins */
    BURST = 16,            /* pipelined requests answered in one turn */
};

static void server_close(struct h1_server *c);

static struct str server_date(struct h1_env *env)
{
    uint64_t second = env->loop->wall_ns / 1000000000u;
    if (second != env->date_second) {
        env->date_second = second;
        http_date(second, env->date);
    }
    return str_make(env->date, 29);
}

/* True if little of the request's body is still to come, and surely will. */
static bool server_may_skip(const struct h1_server *c)
{
    return c->state == BODY && c->in.framing == H1_BODY_LENGTH && c->in.left <= SKIP_BYTES;
}

/* Received bytes that can be looked at without waiting for more. */
static bool server_fresh(const struct h1_server *c)
{
    return c->parked.n && c->state != HEAD;
}

static void server_rest(struct h1_server *c)
{
    c->state = IDLE;
    timer_set(c->env->loop, &c->timer, c->draining ? DRAIN_IDLE_MS : c->limits->idle_timeout_ms);
}

/* After an answer: for the next request. */
static void server_go_on(struct h1_server *c)
{
    if (server_may_skip(c)) {
        c->state = SKIP;
        timer_set(c->env->loop, &c->timer, c->limits->body_timeout_ms);
    } else {
        server_rest(c);
    }
}

static void server_linger(struct h1_server *c)
{
    c->state = LINGER;
    buf_free(&c->parked);
    c->parked_at = 0;
    c->progress = 0;
    c->start_ns = c->env->loop->now_ns;
    stream_finish(c->stream);
    timer_set(c->env->loop, &c->timer, LINGER_IDLE_MS);
}

/* Ends the exchange; the connection goes on, lingers or closes. */
static void server_end(struct h1_server *c, enum exchange_end how)
{
    struct exchange *x = c->x;
    bool keep = how == EXCHANGE_DONE && !x->close && (c->state == READ || server_may_skip(c));
    c->x = NULL;
    c->head = NULL;
    buf_free(&c->body);
    c->handler->on_end(x, how);
    if (c->state == CLOSED)
        return;
    if (keep) {
        server_go_on(c);
        return;
    }
    h1_body_fini(&c->in);
    if (how == EXCHANGE_ABORTED || how == EXCHANGE_TIMEOUT) {
        stream_reset(c->stream);
        server_close(c);
    } else if (how == EXCHANGE_DONE &&
               (c->state != READ || c->parked.n || stream_readable(c->stream))) {
        server_linger(c);
    } else {
        server_close(c);
    }
}

static void server_close(struct h1_server *c)
{
    if (c->state == CLOSED)
        return;
    c->state = CLOSED;
    timer_clear(c->env->loop, &c->timer);
    loop_task_cancel(c->env->loop, &c->kick);
    stream_close(c->stream);
    if (c->x)
        server_end(c, c->aborting ? EXCHANGE_ABORTED : EXCHANGE_CLIENT_GONE);
    h1_body_fini(&c->in);
    buf_free(&c->parked);
    buf_free(&c->body);
    c->on_closed(c);
}

static bool server_sent_all(const struct h1_server *c)
{
    return c->x && c->x->last_sent && stream_parked(c->stream) == 0;
}

/* Hands body bytes up; keeps what the handler does not take. */
static void server_show(struct h1_server *c, struct str data, bool last, bool first)
{
    struct exchange *x = c->x;
    x->in = data;
    x->in_last = last;
    x->in_taken = false;
    x->bytes_in += data.n;
    if (first)
        c->handler->on_request(x);
    else
        c->handler->on_body(x);
    if (x->in_taken) {
        c->want_body = true;
        return;
    }
    if (x->in.n)
        buf_add_str(&c->body, x->in);
    c->body_last = last;
    x->in = STR_NULL;
}

static void server_bad(struct h1_server *c, unsigned status, const char *what)
{
    struct exchange *x = c->x;
    x->close = true;
    if (c->state != BODY)
        x->version = c->head->started && c->head->minor == 0 ? 10 : 11;
    c->handler->on_bad_request(x, status, what);
}

/* Body bytes of a running exchange, and with `first` its head. */
static size_t server_body(struct h1_server *c, const char *p, size_t n, bool first)
{
    struct str in = str_make(p, n), data = str_make(p, 0);
    bool last = c->state == READ;
    if (!last) {
        enum h1_body_result r =
            h1_body_decode(&c->in, &in, &data, &last, &c->limits->head, &c->x->trailers);
        if (r == H1_BODY_BAD) {
            server_bad(c, 400, "malformed chunked body");
            return n;
        }
        if (r == H1_BODY_MORE && !first)
            return n - in.n;
        if (last)
            c->state = READ;
    }
    server_show(c, data, last, first);
    return n - in.n;
}

static void server_fill(struct h1_server *c, struct exchange *x)
{
    const struct h1_head *h = c->head;
    x->headers = h->headers;
    x->method = h->method;
    x->method_text = h->method_text;
    x->target = h->target;
    x->authority = headers_value(&x->headers, FIELD_HOST);
    x->version = h->minor == 0 ? 10 : 11;
    x->has_body = h->framing != H1_BODY_NONE;
    x->length = h->framing == H1_BODY_LENGTH    ? (int64_t)h->content_length
                : h->framing == H1_BODY_CHUNKED ? LENGTH_UNKNOWN
                                                : 0;
    x->expect_continue = h->expect_continue && x->version == 11;
    x->upgrade = h->upgrade;
    x->close = !h->keep_alive || c->draining;
    headers_init(&x->answer, &x->arena, 16);
    x->trailers.arena = x->answer_trailers.arena = &x->arena;
    x->answer_length = LENGTH_UNKNOWN;
}

/* A complete head stands at p; its body may follow. */
static size_t server_request(struct h1_server *c, const char *p, size_t n)
{
    struct exchange *x = c->x;
    struct h1_head *h = c->head;
    size_t used = h->len;
    h1_head_rebase(h, arena_dup(&x->arena, p, used));
    server_fill(c, x);
    c->requests++;
    h1_body_init(&c->in, h);
    c->want_body = c->body_last = c->continue_sent = c->chunked_answer = false;
    c->state = h1_body_complete(&c->in) ? READ : BODY;
    if (c->state == BODY) {
        c->progress = 0;
        timer_set(c->env->loop, &c->timer, c->limits->body_timeout_ms);
    }
    return used + server_body(c, p + used, n - used, true);
}

static void server_begin(struct h1_server *c)
{
    c->state = HEAD;
    struct exchange *x = c->handler->exchange_new(c->user);
    x->codec = NULL;
    x->handler = c->handler;
    x->conn = c;
    c->x = x;
    c->start_ns = c->env->loop->now_ns;
    c->burst = c->turn == c->env->loop->turns ? c->burst + 1 : 0;
    c->turn = c->env->loop->turns;
    c->head = arena_alloc(&x->arena, sizeof *c->head);
    h1_head_init(c->head, &x->arena, &c->limits->head);
    timer_set(c->env->loop, &c->timer, c->limits->header_timeout_ms);
}

static unsigned server_status_of(enum h1_result r)
{
    return r == H1_TARGET_TOO_LONG     ? 414
           : r == H1_HEADERS_TOO_LARGE ? 431
           : r == H1_BAD_VERSION       ? 505
                                       : 400;
}

static const struct codec_ops server_codec;

/* A head that cannot be used. `p` are its bytes, so that what was understood of the start line can
 * be told; NULL: they are gone. */
static void server_bad_head(struct h1_server *c, const char *p, unsigned status, const char *what)
{
    struct exchange *x = c->x;
    x->codec = &server_codec;
    headers_init(&x->headers, &x->arena, 4);
    headers_init(&x->answer, &x->arena, 16);
    x->answer_length = LENGTH_UNKNOWN;
    if (p && c->head->started && c->head->base == p) {
        x->method = c->head->method;
        x->method_text = arena_str(&x->arena, c->head->method_text);
        x->target = arena_str(&x->arena, c->head->target);
    }
    server_bad(c, status, what);
}

static size_t server_head(struct h1_server *c, const char *p, size_t n)
{
    enum h1_result r = h1_parse_request(c->head, p, n, &c->limits->head);
    if (r == H1_MORE)
        return 0;
    if (r == H1_DONE) {
        c->x->codec = &server_codec;
        return server_request(c, p, n);
    }
    server_bad_head(c, p, server_status_of(r),
                    c->head->error ? c->head->error : "malformed request");
    return n;
}

static size_t server_skip(struct h1_server *c, size_t n)
{
    size_t used = n < c->in.left ? n : (size_t)c->in.left;
    c->in.left -= used;
    if (c->in.left == 0)
        server_rest(c);
    return used;
}

/* Uses what it can of the bytes at p; the rest is parked. */
static size_t server_consume(struct h1_server *c, const char *p, size_t n)
{
    switch (c->state) {
    case IDLE: server_begin(c); return server_head(c, p, n);
    case HEAD: return c->x->head_sent ? n : server_head(c, p, n);
    case BODY: return c->x->last_sent ? 0 : server_body(c, p, n, false);
    case SKIP: return server_skip(c, n);
    case LINGER: c->progress += n; return n;
    default: return 0;
    }
}

/* With the whole request here, one more read tells of a client that left, and of the next
 * request. */
static bool server_wants_input(const struct h1_server *c)
{
    switch (c->state) {
    case IDLE:
    case SKIP: return true;
    case HEAD: return !c->x->codec; /* afterwards: refused, its answer is on the way */
    case BODY: return c->want_body && c->body.n == 0 && !c->x->last_sent;
    case READ: return c->parked.n == 0 && !c->x->last_sent;
    case LINGER: return true;
    default: return false;
    }
}

/* Uses parked bytes where they lie. */
static void server_use_parked(struct h1_server *c)
{
    struct buf b = c->parked;
    size_t at = c->parked_at;
    c->parked = (struct buf){0};
    c->parked_at = 0;
    at += server_consume(c, b.p + at, b.n - at);
    if (c->state == CLOSED || at == b.n) {
        buf_free(&b);
        return;
    }
    c->parked = b;
    c->parked_at = at;
}

/* A read behind the parked bytes of an incomplete head. False if there is nothing (more) to do. */
static bool server_use_new(struct h1_server *c)
{
    char *rx = c->env->loop->rx;
    size_t n = c->parked.n - c->parked_at;
    if (!stream_readable(c->stream))
        return false;
    memcpy(rx, n ? c->parked.p + c->parked_at : "", n);
    ssize_t got = stream_read(c->stream, rx + n, LOOP_READ);
    if (got == STREAM_AGAIN)
        return false;
    if (got <= 0) {
        server_close(c);
        return false;
    }
    n += (size_t)got;
    c->parked.n = c->parked_at = 0;
    size_t used = server_consume(c, rx, n);
    if (c->state == CLOSED)
        return false;
    if (used < n)
        buf_add(&c->parked, rx + used, n - used);
    else if (c->parked.cap)
        buf_free(&c->parked);
    return true;
}

static bool server_step(struct h1_server *c)
{
    if (!server_fresh(c))
        return server_use_new(c);
    server_use_parked(c);
    return c->state != CLOSED;
}

static void server_read(struct h1_server *c)
{
    int steps = 0;
    if (c->busy)
        return;
    c->busy = true;
    while (server_wants_input(c) && steps < LOOP_SHARE && server_step(c))
        steps++;
    c->busy = false;
    if (steps == LOOP_SHARE)
        loop_task_next(c->env->loop, &c->kick); /* the other connections' turn */
    if ((c->state == READ || c->state == BODY) && c->stream->saw_closed && !c->x->last_sent)
        server_close(c); /* the client left: nobody waits for the answer */
}

/* What a handler's calls set off, at the turn's end. */
static void on_kick(struct task *t)
{
    struct h1_server *c = container_of(t, struct h1_server, kick);
    if (c->state == CLOSED)
        return;
    if (c->broken || c->aborting) {
        if (c->aborting)
            stream_reset(c->stream);
        server_close(c);
        return;
    }
    if (server_sent_all(c))
        server_end(c, EXCHANGE_DONE);
    if (c->state == BODY || c->state == READ) {
        if (c->want_body && (c->body.n || c->body_last) && !c->x->last_sent) {
            struct buf body = c->body; /* shown while c->body may take what is not taken */
            bool last = c->body_last;
            c->body = (struct buf){0};
            c->want_body = c->body_last = false;
            c->x->bytes_in -= body.n;
            server_show(c, str_make(body.p, body.n), last, false);
            buf_free(&body);
        }
    }
    if (c->state == IDLE && c->burst >= BURST && c->turn == c->env->loop->turns)
        loop_task_next(c->env->loop, &c->kick); /* the other connections' turn */
    else if (c->state != CLOSED)
        server_read(c);
}

static void server_kick(struct h1_server *c)
{
    loop_task(c->env->loop, &c->kick);
}

static uint64_t server_progress(const struct h1_server *c)
{
    return c->x->bytes_in * 3 + c->x->bytes_out * 5 - stream_parked(c->stream);
}

/* A running exchange: is the client the one who does not move? */
static void server_watch(struct h1_server *c)
{
    bool reading = c->state == BODY && c->want_body && !c->x->head_sent;
    bool writing = stream_parked(c->stream) > 0;
    uint64_t progress = server_progress(c);
    if ((!reading && !writing) || progress != c->progress) {
        c->progress = progress;
        if (c->state == BODY || writing)
            timer_set(c->env->loop, &c->timer, c->limits->body_timeout_ms);
    } else if (writing || c->x->head_sent) {
        server_end(c, EXCHANGE_TIMEOUT);
    } else {
        server_bad(c, 408, "the body did not arrive in time");
    }
}

static bool server_lingers_long(const struct h1_server *c)
{
    return (c->env->loop->now_ns - c->start_ns) / 1000000u >= c->limits->body_timeout_ms;
}

static void on_timer(struct timer *t)
{
    struct h1_server *c = container_of(t, struct h1_server, timer);
    if (c->state == HEAD && !c->x->codec) {
        server_bad_head(c, NULL, 408, "the head did not arrive in time");
    } else if (c->x) {
        server_watch(c);
    } else if (c->state == LINGER && c->progress && !server_lingers_long(c)) {
        c->progress = 0;
        timer_set(c->env->loop, &c->timer, LINGER_IDLE_MS);
    } else {
        server_close(c);
    }
}

/* Writes and takes note of what the socket made of it. */
static void server_write(struct h1_server *c, const struct iovec *iov, int n)
{
    if (c->broken || c->state == CLOSED)
        return;
    if (stream_write(c->stream, iov, n) != 0) {
        c->broken = true;
        server_kick(c);
    } else if (stream_parked(c->stream)) {
        if (!timer_pending(&c->timer)) {
            c->progress = server_progress(c);
            timer_set(c->env->loop, &c->timer, c->limits->body_timeout_ms);
        }
    }
    if (c->x->last_sent)
        server_kick(c);
}

/* Head bytes, if any, and body bytes in their framing leave together. */
static void server_send(struct h1_server *c, struct str head, struct str body, bool last)
{
    struct exchange *x = c->x;
    struct iovec iov[4];
    if (exchange_bodiless(x))
        body = STR_NULL;
    x->bytes_out += body.n;
    x->last_sent = last;
    int k = h1_frame(c->env, iov, head, body, c->chunked_answer, last, &x->answer_trailers);
    if (k)
        server_write(c, iov, k);
    else if (last)
        server_kick(c);
}

static void server_send_head(struct exchange *x, struct str body, bool last)
{
    struct h1_server *c = x->conn;
    ensure(!x->head_sent);
    bool framed = exchange_bodiless(x) || x->answer_length >= 0;
    if (!framed && last && !x->answer_trailers.n)
        x->answer_length = (int64_t)body.n, framed = true;
    if (x->version != 11 && !framed)
        x->close = true;
    if (c->state == BODY &&
        ((last && !server_may_skip(c)) || (x->expect_continue && !c->continue_sent)))
        x->close = true; /* the rest of the request's body is not read */
    if (c->draining)
        x->close = true;
    c->chunked_answer = !framed && x->version == 11;
    x->head_sent = true;
    c->env->out.n = 0;
    h1_write_response(&c->env->out, x, c->chunked_answer, server_date(c->env));
    server_send(c, str_make(c->env->out.p, c->env->out.n), body, last);
}

static void server_send_body(struct exchange *x, struct str body, bool last)
{
    struct h1_server *c = x->conn;
    ensure(x->head_sent && !x->last_sent);
    server_send(c, STR_NULL, body, last);
}

static void server_send_interim(struct exchange *x, unsigned status, const struct headers *fields)
{
    struct h1_server *c = x->conn;
    if (x->version != 11 || x->head_sent)
        return;
    c->env->out.n = 0;
    h1_write_interim(&c->env->out, status, fields);
    server_write(c, &(struct iovec){c->env->out.p, c->env->out.n}, 1);
}

static bool server_room(const struct exchange *x)
{
    const struct h1_server *c = x->conn;
    return stream_parked(c->stream) == 0;
}

static void server_want_body(struct exchange *x)
{
    struct h1_server *c = x->conn;
    if (x->expect_continue && !c->continue_sent && c->state == BODY && x->bytes_in == 0) {
        c->continue_sent = true;
        server_send_interim(x, 100, NULL);
    }
    c->want_body = true;
    server_kick(c);
}

static void server_abort(struct exchange *x)
{
    struct h1_server *c = x->conn;
    c->aborting = true;
    server_kick(c);
}

static const struct codec_ops server_codec = {
    .send_head = server_send_head,
    .send_body = server_send_body,
    .send_interim = server_send_interim,
    .room = server_room,
    .want_body = server_want_body,
    .abort = server_abort,
};

void h1_server_open(struct h1_server *c)
{
    c->kick.run = on_kick;
    c->timer.fire = on_timer;
    c->state = IDLE;
    timer_set(c->env->loop, &c->timer, c->limits->header_timeout_ms);
}

void h1_server_event(struct h1_server *c, unsigned what)
{
    if (c->state == CLOSED)
        return;
    if (what & STREAM_FAILED) {
        server_close(c);
        return;
    }
    if (what & STREAM_DRAINED) {
        if (server_sent_all(c))
            server_kick(c);
        else if (c->x && c->x->head_sent)
            c->handler->on_drained(c->x);
    }
    if (c->state != CLOSED)
        server_read(c);
}

void h1_server_drain(struct h1_server *c)
{
    if (c->draining)
        return;
    c->draining = true;
    if (c->state == IDLE || c->state == SKIP)
        timer_set(c->env->loop, &c->timer, DRAIN_IDLE_MS);
}

void h1_server_close(struct h1_server *c)
{
    c->aborting = true;
    server_close(c);
}
