/* A connection whose peer is always ready takes its share of a turn, not all of it. */
#include "base/check.h"
#include "http/h1_client.h"
#include "http/h1_server.h"

#include <criterion/criterion.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PIECES = 8 * LOOP_SHARE };

/* The other end sends as long as there are pieces: one more for each that was read. */
struct peer {
    struct loop *loop;
    struct h1_env env;
    struct h1_server server;
    struct h1_client client;
    struct stream stream; /* the server's */
    struct arena arena;
    uint64_t begun; /* turn of the first piece */
    int fd;
    int pieces;
};

static void send_piece(struct peer *p)
{
    static const char zeros[LOOP_READ];
    if (p->pieces == 0)
        p->begun = p->loop->turns;
    if (p->pieces++ == PIECES)
        loop_stop(p->loop);
    else
        cr_assert_eq(send(p->fd, zeros, sizeof zeros, MSG_DONTWAIT), (ssize_t)sizeof zeros);
}

static void send_text(int fd, const char *text)
{
    cr_assert_eq(send(fd, text, strlen(text), 0), (ssize_t)strlen(text));
}

static void peer_open(struct peer *p)
{
    *p = (struct peer){.loop = loop_new()};
    p->env.loop = p->loop;
}

static void peer_close(struct peer *p)
{
    /* In one turn both an event and the task that goes on may have a share. */
    cr_assert_geq(p->loop->turns - p->begun, PIECES / LOOP_SHARE / 2 - 1);
    close(p->fd);
    arena_free(&p->arena);
    h1_env_fini(&p->env);
    loop_free(p->loop);
}

static struct exchange *on_new(void *user)
{
    struct exchange *x = calloc(1, sizeof *x);
    (void)user;
    return x;
}

static void on_bytes(struct exchange *x)
{
    struct h1_server *c = x->conn;
    (void)exchange_take(x);
    send_piece(c->user);
}

static void on_end(struct exchange *x, enum exchange_end how)
{
    (void)how;
    arena_free(&x->arena);
    free(x);
}

static const struct handler_ops handler = {
    .exchange_new = on_new,
    .on_request = on_bytes,
    .on_body = on_bytes,
    .on_end = on_end,
};

static const struct h1_server_limits limits = {{8192, 100}, 10000, 10000, 10000};

static void on_server_event(struct stream *s, unsigned what)
{
    h1_server_event(&container_of(s, struct peer, stream)->server, what);
}

static void on_closed(struct h1_server *c)
{
    (void)c;
}

Test(h1_share, a_fast_upload_leaves_turns_to_others)
{
    struct peer p;
    int pair[2];
    peer_open(&p);
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    p.fd = pair[0];
    p.server = (struct h1_server){.stream = &p.stream,
                                  .env = &p.env,
                                  .limits = &limits,
                                  .handler = &handler,
                                  .on_closed = on_closed,
                                  .user = &p};
    h1_server_open(&p.server);
    stream_accept(&p.stream, p.loop, pair[1], NULL, on_server_event);
    send_text(p.fd, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n");
    loop_run(p.loop);
    h1_server_close(&p.server);
    peer_close(&p);
}

static void on_open(struct h1_client *c)
{
    struct peer *p = c->user;
    cr_assert_eq(h1_client_send(c, &p->arena, METHOD_GET, STR("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
                                false, STR_NULL, true, NULL),
                 0);
}

static void on_answer(struct h1_client *c, struct str body, bool last)
{
    (void)body;
    cr_assert_not(last);
    send_piece(c->user);
}

static const struct h1_client_ops client_ops = {
    .on_open = on_open,
    .on_head = on_answer,
    .on_body = on_answer,
};

Test(h1_share, a_fast_download_leaves_turns_to_others)
{
    struct peer p;
    struct addr to = {.len = sizeof to.un};
    peer_open(&p);
    int listening = socket(AF_UNIX, SOCK_STREAM, 0);
    to.sa.sa_family = AF_UNIX;
    cr_assert_eq(bind(listening, &to.sa, sizeof to.sa.sa_family), 0); /* a name of its own */
    cr_assert_eq(getsockname(listening, &to.sa, &to.len), 0);
    cr_assert_eq(listen(listening, 1), 0);
    p.client = (struct h1_client){.env = &p.env, .ops = &client_ops, .user = &p};
    h1_client_dial(&p.client, &to, NULL, NULL);
    p.fd = accept(listening, NULL, NULL);
    close(listening);
    send_text(p.fd, "HTTP/1.1 200 OK\r\n\r\n");
    loop_run(p.loop);
    h1_client_close(&p.client);
    peer_close(&p);
}
