/* See h1_client.h. The same shape as h1_server.c: one read loop, no recursion. */
#include "http/h1_client.h"

#include "base/check.h"
#include "http/h1_write.h"

enum state {
    CONNECTING,
    RESTING, /* open, no request */
    HEAD,    /* a request was begun, its answer's head is awaited */
    BODY,
    DONE, /* the answer is complete */
    CLOSED,
};

static const struct h1_limits client_limits = {
    .head_bytes = H1_CLIENT_HEAD_BYTES,
    .fields = H1_CLIENT_FIELDS,
};

static void client_fault(struct h1_client *c, enum h1_client_fault fault)
{
    if (c->state == RESTING || c->state == DONE)
        c->ops->on_idle_end(c);
    else
        c->ops->on_fault(c, fault);
}

/* `Keep-Alive: timeout=5, max=100` */
static uint32_t keep_alive_seconds(const struct headers *h)
{
    struct str rest = headers_value(h, FIELD_KEEP_ALIVE), part;
    uint64_t seconds;
    while (str_split(&rest, ',', &part)) {
        part = str_trim_ows(part);
        if (part.n > 8 && str_eq_ci(str_make(part.p, 8), STR("timeout=")) &&
            str_to_u64(str_make(part.p + 8, part.n - 8), &seconds) && seconds < UINT32_MAX)
            return seconds ? (uint32_t)seconds : 1; /* 0 is "not said"; both mean: not kept */
    }
    return 0;
}

static size_t client_body(struct h1_client *c, const char *p, size_t n, bool first)
{
    struct str in = str_make(p, n), data = str_make(p, 0);
    bool last = h1_body_complete(&c->in);
    if (!last) {
        enum h1_body_result r =
            h1_body_decode(&c->in, &in, &data, &last, &client_limits, &c->trailers);
        if (r == H1_BODY_BAD) {
            c->ops->on_fault(c, H1_CLIENT_INVALID);
            return n;
        }
        if (r == H1_BODY_MORE && !first)
            return n - in.n;
    }
    c->state = last ? DONE : BODY;
    if (last && in.n)
        c->head.keep_alive = false; /* bytes that no request asked for */
    if (first)
        c->ops->on_head(c, data, last);
    else
        c->ops->on_body(c, data, last);
    return n - in.n;
}

static void client_new_head(struct h1_client *c)
{
    h1_head_init(&c->head, c->arena, &client_limits);
    c->state = HEAD;
}

static size_t client_head(struct h1_client *c, const char *p, size_t n)
{
    struct h1_head *h = &c->head;
    enum h1_result r = h1_parse_response(h, p, n, &client_limits, (enum http_method)c->method);
    if (r == H1_MORE)
        return 0;
    if (r == H1_DONE && h->status == 101)
        h->error = "101 without an upgrade asked for";
    else if (r == H1_DONE && h->status < 200 && c->interims++ == H1_CLIENT_INTERIMS)
        h->error = "too many interim answers";
    if (r != H1_DONE || h->error) {
        c->ops->on_fault(c, H1_CLIENT_INVALID);
        return n;
    }
    size_t used = h->len;
    h1_head_rebase(h, arena_dup(c->arena, p, used));
    if (h->status < 200) {
        if (h->status != 100)
            c->ops->on_interim(c);
        if (c->state == HEAD)
            client_new_head(c);
        return used;
    }
    c->keep_alive_s = keep_alive_seconds(&h->headers);
    c->trailers = (struct headers){.arena = c->arena};
    h1_body_init(&c->in, h);
    return used + client_body(c, p + used, n - used, true);
}

static size_t client_consume(struct h1_client *c, const char *p, size_t n)
{
    switch (c->state) {
    case HEAD: return client_head(c, p, n);
    case BODY: return client_body(c, p, n, false);
    case RESTING:
    case DONE: c->ops->on_idle_end(c); return n;
    default: return n;
    }
}

static void client_ended(struct h1_client *c)
{
    if (c->state == BODY && c->head.framing == H1_BODY_UNTIL_CLOSE && !c->stream.truncated) {
        c->state = DONE;
        c->ops->on_body(c, STR_NULL, true);
    } else {
        client_fault(c, H1_CLIENT_RESET);
    }
}

static bool client_step(struct h1_client *c)
{
    char *rx = c->env->loop->rx;
    size_t n = c->parked.n;
    memcpy(rx, n ? c->parked.p : "", n);
    if (!c->fresh) {
        ssize_t got = stream_read(&c->stream, rx + n, LOOP_READ);
        if (got == STREAM_AGAIN)
            return false;
        if (got == 0)
            client_ended(c);
        else if (got < 0)
            client_fault(c, H1_CLIENT_RESET);
        if (got <= 0)
            return false;
        n += (size_t)got;
        c->bytes_in += (uint64_t)got;
    }
    c->fresh = false;
    c->parked.n = 0;
    while (n && c->state != CLOSED) {
        uint8_t before = c->state;
        size_t used = client_consume(c, rx, n);
        rx += used;
        n -= used;
        if (used == 0 || c->paused || (c->state == DONE && before != DONE))
            break;
    }
    if (c->state == CLOSED)
        return false;
    if (n) {
        buf_add(&c->parked, rx, n);
        c->fresh = c->state != HEAD || c->paused;
    } else if (c->parked.cap) {
        buf_free(&c->parked);
    }
    return true;
}

/* An idle connection is looked at only if an event told of something. */
static bool client_wants_input(const struct h1_client *c)
{
    switch (c->state) {
    case HEAD:
    case BODY: return !c->paused;
    case RESTING: return stream_readable(&c->stream);
    default: return false;
    }
}

/* False when there is more but it has had its share of the turn. */
static bool client_read(struct h1_client *c)
{
    int steps = 0;
    if (c->busy)
        return true;
    c->busy = true;
    while (client_wants_input(c) && steps < LOOP_SHARE && client_step(c))
        steps++;
    c->busy = false;
    return steps < LOOP_SHARE || !client_wants_input(c);
}

/* Reads; of a broken connection what came before it broke, then the fault. */
static void client_go_on(struct h1_client *c)
{
    if (!client_read(c))
        loop_task_next(c->env->loop, &c->kick);
    else if (c->state != CLOSED && c->stream.error && !c->paused)
        client_fault(c, H1_CLIENT_RESET);
}

static void on_kick(struct task *t)
{
    client_go_on(container_of(t, struct h1_client, kick));
}

static void on_event(struct stream *s, unsigned what)
{
    struct h1_client *c = container_of(s, struct h1_client, stream);
    if ((what & STREAM_FAILED) && c->state == CONNECTING) {
        client_fault(c, H1_CLIENT_CONNECT);
        return;
    }
    if ((what & STREAM_OPENED) && c->state == CONNECTING) {
        c->state = RESTING;
        c->ops->on_open(c);
    }
    if ((what & STREAM_DRAINED) && c->state != CLOSED)
        c->ops->on_drained(c);
    if (c->state != CLOSED)
        client_go_on(c);
}

void h1_client_dial(struct h1_client *c, const struct addr *to, struct tls_client *tls,
                    const char *server_name)
{
    c->kick.run = on_kick;
    c->state = CONNECTING;
    stream_dial(&c->stream, c->env->loop, to, tls, server_name, on_event);
}

static int client_write(struct h1_client *c, struct str head, struct str body, bool last,
                        const struct headers *trailers)
{
    struct iovec iov[4];
    int k = h1_frame(c->env, iov, head, body, c->chunked_request, last, trailers);
    c->request_sent = last;
    return k ? stream_write(&c->stream, iov, k) : 0;
}

int h1_client_send(struct h1_client *c, struct arena *arena, enum http_method method,
                   struct str head, bool chunked, struct str body, bool last,
                   const struct headers *trailers)
{
    ensure(c->state == RESTING);
    c->arena = arena;
    c->method = (uint8_t)method;
    c->chunked_request = chunked;
    c->bytes_in = 0;
    c->interims = 0;
    c->paused = false;
    client_new_head(c);
    return client_write(c, head, body, last, trailers);
}

void h1_client_send_body(struct h1_client *c, struct str body, bool last,
                         const struct headers *trailers)
{
    if (client_write(c, STR_NULL, body, last, trailers) != 0)
        loop_task(c->env->loop, &c->kick);
}

void h1_client_pause(struct h1_client *c)
{
    c->paused = true;
}

void h1_client_resume(struct h1_client *c)
{
    if (!c->paused)
        return;
    c->paused = false;
    loop_task(c->env->loop, &c->kick);
}

bool h1_client_reusable(const struct h1_client *c)
{
    return c->state == DONE && c->head.keep_alive && c->request_sent && !c->stream.saw_closed &&
           c->stream.error == NET_OK && c->parked.n == 0 && stream_parked(&c->stream) == 0;
}

void h1_client_rest(struct h1_client *c)
{
    ensure(c->state == DONE);
    c->state = RESTING;
    c->arena = NULL;
    h1_body_fini(&c->in);
}

bool h1_client_usable(const struct h1_client *c)
{
    return c->state == RESTING && !c->stream.saw_closed && !stream_readable(&c->stream);
}

void h1_client_close(struct h1_client *c)
{
    if (c->state == CLOSED)
        return;
    c->state = CLOSED;
    loop_task_cancel(c->env->loop, &c->kick);
    stream_close(&c->stream);
    h1_body_fini(&c->in);
    buf_free(&c->parked);
}
