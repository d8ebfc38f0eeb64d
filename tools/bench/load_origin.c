// The origin: answers every complete request with 200 and a fixed body, keeps connections alive.
#include "load.h"
#include "msg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

struct origin_conn {
    enum load_kind kind;
    struct sock sock;
    struct msg_part part;
    bool in_body;
    size_t body_left;   // of the request
    size_t answer_left; // not yet taken by the socket
};

struct load_origin {
    enum load_kind kind;
    int fd;
    char *answer;
    size_t answer_len;
};

struct load_origin *load_origin_new(struct load *l, uint16_t *port)
{
    struct load_origin *o = calloc(1, sizeof *o);
    size_t body = l->options.answer_bytes;

    if (!o || !(o->answer = malloc(body + 256)))
        abort();
    int head =
        sprintf(o->answer,
                "HTTP/1.1 200 OK\r\nServer: origin\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n"
                "Content-Type: application/octet-stream\r\nContent-Length: %zu\r\n\r\n",
                body);
    memset(o->answer + head, 'x', body);
    o->answer_len = (size_t)head + body;
    o->kind = LOAD_LISTENER;
    o->fd = sock_listen(port);
    if (o->fd < 0) {
        free(o->answer);
        free(o);
        return NULL;
    }
    load_watch(l, o->fd, o);
    return o;
}

void load_origin_accept(struct load *l)
{
    int fd;

    while ((fd = accept4(l->origin->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct origin_conn *c = calloc(1, sizeof *c);
        if (!c)
            abort();
        c->kind = LOAD_ORIGIN_CONN;
        sock_accept(&c->sock, l->io, fd, NULL);
        load_watch(l, fd, c);
        l->window.origin_connections++;
    }
}

static int answer_send(struct load *l, struct origin_conn *c)
{
    const struct load_origin *o = l->origin;

    while (c->answer_left) {
        ssize_t taken =
            sock_write(&c->sock, l->io, o->answer + o->answer_len - c->answer_left, c->answer_left);
        if (taken <= 0)
            return (int)taken;
        c->answer_left -= (size_t)taken;
    }
    return 0;
}

static int on_request(struct load *l, struct origin_conn *c)
{
    l->window.origin_requests++;
    c->in_body = false;
    c->answer_left = l->origin->answer_len;
    return answer_send(l, c);
}

// Reads a head; the bytes used, 0 when it is incomplete (and kept), -1 when it is none of ours.
static ssize_t head_take(struct load *l, struct origin_conn *c, const char *data, size_t len)
{
    size_t head = msg_head_len(data, len);

    if (!head) {
        msg_part_keep(&c->part, data, len);
        return 0;
    }
    c->body_left = l->options.upload_bytes ? msg_content_length(data, head) : 0;
    c->in_body = true;
    return c->body_left == l->options.upload_bytes ? (ssize_t)head : -1;
}

static int on_bytes(struct load *l, struct origin_conn *c, const char *data, size_t len)
{
    msg_part_join(&c->part, &data, &len);
    while (len) {
        if (c->answer_left)
            return -1; // nobody here pipelines
        if (!c->in_body) {
            ssize_t used = head_take(l, c, data, len);
            if (used <= 0)
                return (int)used;
            data += used;
            len -= (size_t)used;
        }
        size_t part = len < c->body_left ? len : c->body_left;
        data += part;
        len -= part;
        c->body_left -= part;
        if (!c->body_left && on_request(l, c))
            return -1;
    }
    msg_part_fini(&c->part);
    return 0;
}

static void conn_free(struct load *l, struct origin_conn *c)
{
    sock_close(&c->sock, l->io, false);
    msg_part_fini(&c->part);
    free(c);
}

void load_origin_event(struct load *l, void *conn, uint32_t events)
{
    struct origin_conn *c = conn;
    bool drained = !(events & ~(uint32_t)EPOLLOUT);
    int result = 0;

    if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        c->sock.hung_up = true;
    if (c->answer_left)
        result = answer_send(l, c);
    while (!drained && !result) {
        ssize_t got = sock_read(&c->sock, l->io, l->buf, &drained);
        if (got == SOCK_AGAIN)
            continue;
        if (got <= 0) {
            if (c->in_body || c->answer_left || c->part.len)
                l->window.errors[LOAD_ORIGIN]++;
            conn_free(l, c);
            return;
        }
        result = on_bytes(l, c, l->buf, (size_t)got);
    }
    if (result) {
        l->window.errors[LOAD_ORIGIN]++;
        conn_free(l, c);
    }
}
