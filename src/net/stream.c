/* See stream.h: the socket side. One event per descriptor, registered once for everything and
 * edge-triggered, so the readiness flags here are what epoll would say: set by events, cleared by
 * the call that finds the socket empty or full. */
#include "net/stream_private.h"

#include "base/check.h"
#include "base/xmem.h"
#include "net/loop.h"

#include <errno.h>
#include <event2/event.h>
#include <limits.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <unistd.h>

enum { PARK_MIN = 4096 };

const char *net_error_text(enum net_error e)
{
    static const char *const text[] = {
        [NET_OK] = "no error",
        [NET_REFUSED] = "connection refused",
        [NET_UNREACHABLE] = "address not reachable",
        [NET_TIMEOUT] = "connection timed out",
        [NET_RESET] = "connection reset",
        [NET_TLS] = "TLS failed",
        [NET_TLS_VERIFY] = "TLS certificate refused",
        [NET_LOCAL] = "no descriptor, memory or port left",
    };
    ensure((size_t)e < array_size(text));
    return text[e];
}

enum net_error net_error_of(int error)
{
    switch (error) {
    case ECONNREFUSED:
    case EAGAIN: /* connect() to a Unix socket with a full queue */ return NET_REFUSED;
    case ENETUNREACH:
    case EHOSTUNREACH:
    case ENETDOWN:
    case EHOSTDOWN:
    case ENOENT:
    case ENOTDIR:
    case ENOTSOCK:
    case EPROTOTYPE: return NET_UNREACHABLE;
    case ETIMEDOUT: return NET_TIMEOUT;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOBUFS:
    case ENOSPC:
    case EADDRNOTAVAIL:
    case EACCES:
    case EPERM:
    case EAFNOSUPPORT: return NET_LOCAL;
    default: return NET_RESET;
    }
}

void stream_set_error(struct stream *s, enum net_error e)
{
    if (s->error == NET_OK)
        s->error = (uint8_t)e;
}

/* Parked bytes. */

static void unpark(struct stream *s)
{
    free(s->out);
    s->out = NULL;
    s->out_at = s->out_len = s->out_cap = s->owed = 0;
}

static void park_reserve(struct stream *s, size_t more)
{
    if (more <= s->out_cap - s->out_len)
        return;
    if (s->out_at > 0) {
        s->out_len -= s->out_at;
        memmove(s->out, s->out + s->out_at, s->out_len);
        s->out_at = 0;
    }
    size_t need = s->out_len + more, cap = s->out_cap ? s->out_cap : PARK_MIN;
    ensure(need <= UINT32_MAX / 2);
    while (cap < need)
        cap *= 2;
    if (cap > s->out_cap) {
        s->out = xrealloc(s->out, cap);
        s->out_cap = (uint32_t)cap;
    }
}

/* What is behind the first `skip` bytes of the vectors. */
static void park(struct stream *s, const struct iovec *iov, int n, size_t skip, size_t total)
{
    park_reserve(s, total - skip);
    for (int i = 0; i < n; i++) {
        if (skip >= iov[i].iov_len) {
            skip -= iov[i].iov_len;
            continue;
        }
        size_t len = iov[i].iov_len - skip;
        memcpy(s->out + s->out_len, (const char *)iov[i].iov_base + skip, len);
        s->out_len += (uint32_t)len;
        skip = 0;
    }
}

/* The socket. */

/* Bytes taken, 0: full, -1: broken. */
static ssize_t send_some(struct stream *s, const struct iovec *iov, int n, size_t total)
{
    struct msghdr m = {.msg_iov = (struct iovec *)(uintptr_t)iov, .msg_iovlen = (size_t)n};
    ssize_t sent;
    do {
        sent = n == 1 ? send(s->fd, iov->iov_base, iov->iov_len, MSG_NOSIGNAL)
                      : sendmsg(s->fd, &m, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    if (sent == (ssize_t)total)
        return sent;
    s->can_write = false;
    if (sent >= 0 || errno == EAGAIN)
        return sent < 0 ? 0 : sent;
    stream_set_error(s, net_error_of(errno));
    s->can_read = true; /* what the peer said before it broke, or the end */
    return -1;
}

int stream_send(struct stream *s, const struct iovec *iov, int n, size_t total)
{
    ssize_t sent = 0;
    if (s->error)
        return -1;
    if (s->can_write && (sent = send_some(s, iov, n, total)) < 0)
        return -1;
    if ((size_t)sent < total)
        park(s, iov, n, (size_t)sent, total);
    return 0;
}

ssize_t stream_recv(struct stream *s, void *buf, size_t cap)
{
    ssize_t got;
    do {
        got = recv(s->fd, buf, cap, 0);
    } while (got < 0 && errno == EINTR);
    if (got == (ssize_t)cap)
        return got;
    s->can_read = got > 0 && s->saw_closed;
    s->dry = got < 0;
    if (got >= 0)
        return got;
    if (errno == EAGAIN)
        return STREAM_AGAIN;
    stream_set_error(s, net_error_of(errno));
    return STREAM_ERROR;
}

static void shut_when_drained(struct stream *s)
{
    if (s->finishing && s->out == NULL && !s->error)
        (void)shutdown(s->fd, SHUT_WR);
}

/* What is to be told after trying to send parked bytes. */
static unsigned send_parked(struct stream *s)
{
    if (s->out == NULL || !s->can_write)
        return 0;
    struct iovec rest = {s->out + s->out_at, s->out_len - s->out_at};
    ssize_t sent = send_some(s, &rest, 1, rest.iov_len);
    if (sent < 0) {
        unpark(s);
        return STREAM_FAILED;
    }
    s->out_at += (uint32_t)sent;
    if ((size_t)sent < rest.iov_len)
        return 0;
    unpark(s);
    shut_when_drained(s);
    return STREAM_DRAINED;
}

/* Events. */

static unsigned fail(struct stream *s, enum net_error e)
{
    stream_set_error(s, e);
    s->state = STATE_FAILED;
    return STREAM_FAILED;
}

static unsigned shake(struct stream *s)
{
    int r = stream_tls_handshake(s);
    if (r < 0)
        return fail(s, NET_TLS);
    if (r == 0)
        return 0;
    s->state = STATE_OPEN;
    return stream_readable(s) ? STREAM_OPENED | STREAM_READABLE : STREAM_OPENED;
}

static unsigned connected(struct stream *s)
{
    int error = 0;
    socklen_t len = sizeof error;
    if (!s->can_write)
        return 0;
    if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
        error = errno;
    if (error)
        return fail(s, net_error_of(error));
    s->state = s->ssl ? STATE_SHAKING : STATE_OPEN;
    if (s->ssl)
        return shake(s);
    return s->can_read ? STREAM_OPENED | STREAM_READABLE : STREAM_OPENED;
}

static unsigned advance(struct stream *s, short what)
{
    unsigned tell = send_parked(s);
    switch ((enum stream_state)s->state) {
    case STATE_CONNECTING: return connected(s);
    case STATE_SHAKING: return tell & STREAM_FAILED ? fail(s, NET_RESET) : shake(s);
    case STATE_OPEN:
        if ((what & (EV_READ | EV_CLOSED)) || s->unread)
            tell |= STREAM_READABLE;
        return tell;
    case STATE_FAILED: return STREAM_FAILED;
    case STATE_CLOSED: break;
    }
    return 0;
}

/* libevent tells of a reset as if bytes had come; who does not read now would not learn of it. */
static void look_for_reset(struct stream *s)
{
    int error = 0;
    socklen_t len = sizeof error;
    if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0 || error == 0)
        return;
    stream_set_error(s, net_error_of(error));
    unpark(s);
    s->on_event(s, STREAM_READABLE | STREAM_FAILED);
}

static void on_io(evutil_socket_t fd, short what, void *arg)
{
    struct stream *s = arg;
    (void)fd;
    loop_enter(s->loop);
    if (what & (EV_READ | EV_CLOSED))
        s->can_read = true;
    if (what & EV_CLOSED)
        s->saw_closed = true;
    if (what & EV_WRITE)
        s->can_write = true;
    unsigned tell = advance(s, what);
    if (tell)
        s->on_event(s, tell);
    if ((what & (EV_READ | EV_CLOSED)) == EV_READ && s->can_read && s->state == STATE_OPEN)
        look_for_reset(s);
}

/* Opening and closing. */

static void init(struct stream *s, struct loop *l, int fd, enum stream_state state,
                 void (*on_event)(struct stream *, unsigned))
{
    *s = (struct stream){.loop = l, .fd = fd, .state = (uint8_t)state, .on_event = on_event};
}

static bool watch(struct stream *s)
{
    short all = EV_READ | EV_WRITE | EV_CLOSED | EV_ET | EV_PERSIST;
    return event_assign(&s->event, s->loop->base, s->fd, all, on_io, s) == 0 &&
           event_add(&s->event, NULL) == 0;
}

/* STREAM_FAILED comes with the next turn. */
static void fail_later(struct stream *s, enum net_error e)
{
    fail(s, e);
    ensure(event_assign(&s->event, s->loop->base, -1, 0, on_io, s) == 0);
    event_active(&s->event, EV_TIMEOUT, 1);
}

void stream_accept(struct stream *s, struct loop *l, int fd, struct tls_server *tls,
                   void (*on_event)(struct stream *, unsigned))
{
    init(s, l, fd, tls ? STATE_SHAKING : STATE_OPEN, on_event);
    s->can_read = s->can_write = true;
    if (!watch(s) || (tls && !stream_tls_accept(s, tls))) {
        event_del(&s->event);
        fail_later(s, NET_LOCAL);
        return;
    }
    unsigned tell = tls ? shake(s) : 0;
    if (tell)
        on_event(s, tell);
}

/* 0 or an errno; the stream owns what was opened. */
static int begin_connect(struct stream *s, const struct addr *to)
{
    int family = to->sa.sa_family;
    s->fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (s->fd < 0)
        return errno;
    if (family != AF_UNIX)
        (void)setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    if (connect(s->fd, &to->sa, to->len) < 0 && errno != EINPROGRESS)
        return errno;
    return watch(s) ? 0 : ENOMEM;
}

void stream_dial(struct stream *s, struct loop *l, const struct addr *to, struct tls_client *tls,
                 const char *server_name, void (*on_event)(struct stream *, unsigned))
{
    init(s, l, -1, STATE_CONNECTING, on_event);
    if (tls && !stream_tls_dial(s, tls, server_name, to)) {
        fail_later(s, NET_LOCAL);
        return;
    }
    int error = begin_connect(s, to);
    if (error)
        fail_later(s, net_error_of(error));
}

static void give_up(struct stream *s)
{
    if (s->ssl)
        stream_tls_free(s);
    event_del(&s->event);
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
    s->state = STATE_CLOSED;
    unpark(s);
}

void stream_close(struct stream *s)
{
    if (s->state == STATE_CLOSED)
        return;
    if (s->ssl && s->state == STATE_OPEN && !s->finishing && !s->truncated && s->out == NULL)
        stream_tls_notify(s);
    give_up(s);
}

void stream_reset(struct stream *s)
{
    if (s->state == STATE_CLOSED)
        return;
    struct linger now = {.l_onoff = 1, .l_linger = 0};
    if (s->fd >= 0)
        (void)setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    give_up(s);
}

void stream_finish(struct stream *s)
{
    if (s->state != STATE_OPEN || s->finishing)
        return;
    if (s->ssl)
        stream_tls_notify(s);
    s->finishing = true;
    shut_when_drained(s);
}

/* Reading and writing. */

ssize_t stream_read(struct stream *s, void *buf, size_t cap)
{
    ensure(s->state == STATE_OPEN);
    if (s->ended)
        return s->error ? STREAM_ERROR : 0;
    if (s->dry && !stream_readable(s))
        return STREAM_AGAIN;
    if (s->ssl)
        return stream_tls_read(s, buf, cap);
    ssize_t got = stream_recv(s, buf, cap);
    s->ended = got == 0 || got == STREAM_ERROR;
    return got == 0 && s->error ? STREAM_ERROR : got;
}

bool stream_readable(const struct stream *s)
{
    return s->can_read || s->unread;
}

int stream_write(struct stream *s, const struct iovec *iov, int n)
{
    size_t total = 0;
    for (int i = 0; i < n; i++)
        total += iov[i].iov_len;
    if (s->error || total == 0)
        return s->error ? -1 : 0;
    ensure(s->state == STATE_OPEN && !s->finishing && n <= IOV_MAX);
    if (s->ssl)
        return stream_tls_write(s, iov, n, total);
    return stream_send(s, iov, n, total);
}
