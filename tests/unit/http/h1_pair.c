/* See h1_pair.h. */
#include "tests/unit/http/h1_pair.h"

#include "base/check.h"
#include "base/xmem.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LIMIT_MS = 20000 };

/* The running test's pair: exchanges find it by the codec's `user`. */
static struct pair *pair_of(struct exchange *x)
{
    return ((struct h1_server *)x->conn)->user;
}

static struct exchange *on_new(void *user)
{
    struct pair *p = user;
    if (p->drain_at_new)
        h1_server_drain(&p->server);
    p->x = xcalloc(1, sizeof *p->x);
    return p->x;
}

static void see_body(struct pair *p, struct exchange *x)
{
    if (x->in.n > p->shown_max)
        p->shown_max = x->in.n;
    if (!p->take)
        return;
    p->body_last = x->in_last;
    buf_add_str(&p->body, exchange_take(x));
}

void pair_answer(struct pair *p, const char *body)
{
    p->x->status = 200;
    p->x->answer_length = (int64_t)strlen(body);
    p->inside = true;
    p->x->codec->send_head(p->x, str_of(body), true);
    p->inside = false;
}

static void on_request(struct exchange *x)
{
    struct pair *p = pair_of(x);
    p->requests++;
    see_body(p, x);
    if (!p->hold)
        pair_answer(p, "ok");
}

static void on_body(struct exchange *x)
{
    see_body(pair_of(x), x);
}

static void on_drained(struct exchange *x)
{
    pair_of(x)->drained++;
}

static void on_end(struct exchange *x, enum exchange_end how)
{
    struct pair *p = pair_of(x);
    cr_assert(!p->inside, "on_end came from inside a codec function");
    p->ends++;
    p->how = how;
    p->x = NULL;
    arena_free(&x->arena);
    free(x);
}

static void on_bad_request(struct exchange *x, unsigned status, const char *what)
{
    struct pair *p = pair_of(x);
    cr_assert(what != NULL);
    p->bad_status = status;
    x->status = (uint16_t)status;
    x->answer_length = 0;
    x->codec->send_head(x, STR_NULL, true);
}

static void on_closed(struct h1_server *s)
{
    ((struct pair *)s->user)->closed++;
}

static void on_event(struct stream *s, unsigned what)
{
    h1_server_event(&container_of(s, struct pair, stream)->server, what);
}

static void read_peer(struct pair *p)
{
    char bytes[65536];
    ssize_t n;
    while (!p->deaf && !p->ended && (n = read(p->peer, bytes, sizeof bytes)) != 0) {
        if (n < 0 && errno == EAGAIN)
            return;
        if (n < 0)
            break;
        buf_add(&p->got, bytes, (size_t)n);
    }
    p->ended = !p->deaf;
}

static void on_tick(struct timer *t)
{
    struct pair *p = container_of(t, struct pair, tick);
    read_peer(p);
    if (p->done(p) || p->loop->now_ms > p->deadline_ms)
        loop_stop(p->loop);
    else
        timer_set(p->loop, t, 1);
}

void pair_run(struct pair *p, bool (*done)(struct pair *))
{
    p->done = done;
    p->deadline_ms = p->loop->now_ms + LIMIT_MS;
    timer_set(p->loop, &p->tick, 0);
    loop_run(p->loop);
    cr_assert(done(p), "it did not happen; got so far: %s", buf_text(&p->got));
}

void pair_open(struct pair *p)
{
    int fd[2];
    *p = (struct pair){.loop = loop_new(), .tick.fire = on_tick};
    cr_assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd) == 0);
    p->peer = fd[0];
    p->env.loop = p->loop;
    p->take = true;
    p->limits = (struct h1_server_limits){{8192, 100}, 10000, 10000, 10000};
    p->handler =
        (struct handler_ops){on_new, on_request, on_body, on_drained, on_end, on_bad_request};
    p->server = (struct h1_server){
        .stream = &p->stream,
        .env = &p->env,
        .limits = &p->limits,
        .handler = &p->handler,
        .on_closed = on_closed,
        .user = p,
    };
    h1_server_open(&p->server);
    stream_accept(&p->stream, p->loop, fd[1], NULL, on_event);
}

void pair_close(struct pair *p)
{
    h1_server_close(&p->server);
    cr_assert(p->closed == 1 && p->x == NULL);
    timer_clear(p->loop, &p->tick);
    h1_env_fini(&p->env);
    loop_free(p->loop);
    buf_free(&p->got);
    buf_free(&p->body);
    close(p->peer);
}

void pair_send(struct pair *p, const char *text)
{
    size_t n = strlen(text);
    cr_assert(send(p->peer, text, n, MSG_NOSIGNAL) == (ssize_t)n);
}

bool pair_got(const struct pair *p, const char *text)
{
    return p->got.n && memmem(p->got.p, p->got.n, text, strlen(text)) != NULL;
}

bool pair_ended(struct pair *p)
{
    return p->ended;
}

bool pair_has_request(struct pair *p)
{
    return p->requests > 0;
}

bool pair_has_answer(struct pair *p)
{
    return pair_got(p, "\r\n\r\n");
}
