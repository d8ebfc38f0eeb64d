// The floor that proxies are measured against: takes requests from clients (plain or TLS 1.3),
// gives each to a kept-alive connection to one origin and carries the answer back, with the fewest
// system calls there can be and no other work: nothing is parsed beyond where a message ends.
//
// usage: relay LISTEN-PORT ORIGIN-PORT [CERTIFICATE PRIVATE-KEY]
#include "msg.h"
#include "sock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { EVENTS = 256 };

struct conn {
    struct sock sock;
    bool upstream;     // which side it is on
    bool in_head;      // the next byte it sends belongs to a head
    bool last;         // client: close after the answer
    bool waiting;      // may have more to read, but the peer is blocked
    struct conn *peer; // the other side while a request is under way
    struct conn *next; // in the pool or among the dead
    size_t body_left;  // of the message it sends
    struct msg_part part;
    char *left; // bytes for it that the socket did not take
    size_t left_pos, left_len;
};

struct relay {
    int epoll, listener;
    uint16_t origin_port;
    SSL_CTX *ctx;
    struct sock_io *io;
    struct conn *pool; // idle upstream connections, the last used first
    struct conn *dead; // freed after the turn: events of this turn may still name them
    char buf[SOCK_READ_MAX];
};

static struct conn *conn_new(bool upstream)
{
    struct conn *c = calloc(1, sizeof *c);

    if (!c)
        abort();
    c->upstream = upstream;
    c->in_head = true;
    c->sock.fd = -1;
    return c;
}

static void conn_watch(struct relay *r, struct conn *c)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = c};

    if (epoll_ctl(r->epoll, EPOLL_CTL_ADD, c->sock.fd, &event))
        abort();
}

static void pool_remove(struct relay *r, struct conn *c)
{
    for (struct conn **at = &r->pool; *at; at = &(*at)->next) {
        if (*at == c) {
            *at = c->next;
            return;
        }
    }
}

// Closes a connection, and with it the one it is paired with.
static void conn_drop(struct relay *r, struct conn *c, bool polite)
{
    struct conn *peer = c->peer;

    if (c->sock.fd < 0)
        return;
    if (c->upstream && !peer)
        pool_remove(r, c);
    sock_close(&c->sock, r->io, polite);
    c->peer = NULL;
    c->next = r->dead;
    r->dead = c;
    if (peer) {
        peer->peer = NULL;
        conn_drop(r, peer, false);
    }
}

static void dead_free(struct relay *r)
{
    struct conn *c;

    while ((c = r->dead)) {
        r->dead = c->next;
        msg_part_fini(&c->part);
        free(c->left);
        free(c);
    }
}

static struct conn *upstream_get(struct relay *r)
{
    struct conn *c = r->pool;

    if (c) {
        r->pool = c->next;
        return c;
    }
    c = conn_new(true);
    if (sock_connect(&c->sock, r->io, r->origin_port, 1, NULL)) {
        free(c);
        return NULL;
    }
    conn_watch(r, c);
    return c;
}

static void left_append(struct conn *to, const char *data, size_t len)
{
    to->left = realloc(to->left, to->left_len + len);
    if (!to->left)
        abort();
    memcpy(to->left + to->left_len, data, len);
    to->left_len += len;
}

static int conn_send(struct relay *r, struct conn *to, const char *data, size_t len)
{
    ssize_t taken = to->left ? 0 : sock_write(&to->sock, r->io, data, len);

    if (taken < 0)
        return -1;
    if ((size_t)taken < len)
        left_append(to, data + taken, len - (size_t)taken);
    return 0;
}

static bool conn_blocked(const struct conn *c)
{
    return c->left || c->sock.parked;
}

static int on_request_bytes(struct relay *r, struct conn *c, const char *data, size_t len)
{
    if (!c->in_head) {
        if (!c->peer || len > c->body_left)
            return -1; // pipelining is not for the floor
        c->body_left -= len;
        return conn_send(r, c->peer, data, len);
    }
    if (c->peer)
        return -1;
    msg_part_join(&c->part, &data, &len);
    size_t head = msg_head_len(data, len);
    if (!head) {
        msg_part_keep(&c->part, data, len);
        return 0;
    }
    c->peer = upstream_get(r);
    if (!c->peer)
        return -1;
    c->peer->peer = c;
    c->last = msg_ends_with_close(data, head);
    size_t body = data[0] == 'G' ? 0 : msg_content_length(data, head);
    if (len - head > body)
        return -1;
    c->body_left = body - (len - head);
    c->in_head = false;
    int result = conn_send(r, c->peer, data, len);
    msg_part_fini(&c->part);
    return result;
}

static int on_answer_end(struct relay *r, struct conn *u)
{
    struct conn *c = u->peer;

    if (c->body_left)
        return -1;
    u->peer = c->peer = NULL;
    u->in_head = c->in_head = true;
    u->next = r->pool;
    r->pool = u;
    if (c->last && !conn_blocked(c))
        conn_drop(r, c, true);
    return 0;
}

static int on_answer_bytes(struct relay *r, struct conn *u, const char *data, size_t len)
{
    if (!u->peer)
        return -1;
    if (u->in_head) {
        msg_part_join(&u->part, &data, &len);
        size_t head = msg_head_len(data, len);
        if (!head) {
            msg_part_keep(&u->part, data, len);
            return 0;
        }
        u->body_left = head + msg_content_length(data, head);
        u->in_head = false;
    }
    if (len > u->body_left || conn_send(r, u->peer, data, len))
        return -1;
    msg_part_fini(&u->part);
    u->body_left -= len;
    return u->body_left ? 0 : on_answer_end(r, u);
}

// Reads and forwards until the socket is drained or the other side is blocked.
static void conn_pump(struct relay *r, struct conn *c)
{
    bool drained = false;

    while (!drained && c->sock.fd >= 0) {
        c->waiting = c->peer && conn_blocked(c->peer);
        if (c->waiting)
            return;
        ssize_t got = sock_read(&c->sock, r->io, r->buf, &drained);
        if (got == SOCK_AGAIN)
            continue;
        if (got <= 0 ||
            (c->upstream ? on_answer_bytes : on_request_bytes)(r, c, r->buf, (size_t)got) ||
            (c->sock.fd >= 0 && c->sock.ended)) {
            conn_drop(r, c, false);
            return;
        }
    }
}

// Sends what was left on EPOLLOUT and wakes the side that waits for it.
static void conn_unblock(struct relay *r, struct conn *c)
{
    int done = sock_flush(&c->sock);

    if (done > 0 && c->left) {
        ssize_t taken =
            sock_write(&c->sock, r->io, c->left + c->left_pos, c->left_len - c->left_pos);
        done = taken < 0 ? -1 : 0;
        c->left_pos += taken > 0 ? (size_t)taken : 0;
        if (c->left_pos == c->left_len) {
            free(c->left);
            c->left = NULL;
            c->left_pos = c->left_len = 0;
        }
    }
    if (done < 0) {
        conn_drop(r, c, false);
        return;
    }
    if (conn_blocked(c))
        return;
    if (c->peer && c->peer->waiting)
        conn_pump(r, c->peer);
    else if (c->last && !c->peer && c->in_head)
        conn_drop(r, c, true);
}

static void on_conn(struct relay *r, struct conn *c, uint32_t events)
{
    if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        c->sock.hung_up = true;
    if (c->sock.fd >= 0 && (events & EPOLLOUT) && conn_blocked(c))
        conn_unblock(r, c);
    if (c->sock.fd >= 0 && (events & ~(uint32_t)EPOLLOUT))
        conn_pump(r, c);
}

static void on_listener(struct relay *r)
{
    for (int i = 0; i < 32; i++) {
        int fd = accept4(r->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            return;
        struct conn *c = conn_new(false);
        sock_accept(&c->sock, r->io, fd, r->ctx);
        conn_watch(r, c);
    }
}

static void relay_run(struct relay *r)
{
    struct epoll_event events[EVENTS];

    for (;;) {
        int n = epoll_wait(r->epoll, events, EVENTS, -1);
        for (int i = 0; i < n; i++) {
            if (events[i].data.ptr)
                on_conn(r, events[i].data.ptr, events[i].events);
            else
                on_listener(r);
        }
        dead_free(r);
    }
}

int main(int argc, char **argv)
{
    struct relay *r = calloc(1, sizeof *r);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};

    if (!r || (argc != 3 && argc != 5)) {
        fprintf(stderr, "usage: %s LISTEN-PORT ORIGIN-PORT [CERTIFICATE PRIVATE-KEY]\n", argv[0]);
        return 2;
    }
    uint16_t port = (uint16_t)atoi(argv[1]);
    r->origin_port = (uint16_t)atoi(argv[2]);
    r->io = sock_io_new();
    if (argc == 5 && !(r->ctx = sock_server_ctx(argv[3], argv[4])))
        return 1;
    r->listener = sock_listen(&port);
    r->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (r->listener < 0 || r->epoll < 0 ||
        epoll_ctl(r->epoll, EPOLL_CTL_ADD, r->listener, &event)) {
        fprintf(stderr, "relay: port %u: %s\n", (unsigned)port, strerror(errno));
        return 1;
    }
    relay_run(r);
}
