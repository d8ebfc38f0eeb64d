/* A connected socket, plain or TLS, behind few functions. Registered once with epoll,
 * edge-triggered: readiness is kept in flags and acted upon at once. Reads go to the caller's
 * buffer, writes leave in one send where the socket takes them, the rest is parked here;
 * back-pressure is to stop reading the other side while `stream_parked` is not 0. */
#ifndef TG_NET_STREAM_H
#define TG_NET_STREAM_H

#include "base/str.h"
#include "net/addr.h"

#include <event2/event_struct.h>
#include <stdbool.h>
#include <sys/types.h>
#include <sys/uio.h>

struct loop;
struct ssl_st;
struct tls_server;
struct tls_client;

enum net_error {
    NET_OK,
    NET_REFUSED,
    NET_UNREACHABLE, /* no route, no such socket file */
    NET_TIMEOUT,     /* the kernel's own */
    NET_RESET,
    NET_TLS,        /* handshake or record failed */
    NET_TLS_VERIFY, /* the peer's certificate was refused */
    NET_LOCAL,      /* no descriptor, no memory, no port here */
};

/* "connection refused" … */
const char *net_error_text(enum net_error e);

enum {                      /* what on_event tells, any of them at once */
       STREAM_OPENED = 1,   /* connected and, with TLS, shaken hands; once */
       STREAM_READABLE = 2, /* stream_read may give something, the end or an error included */
       STREAM_DRAINED = 4,  /* the last parked byte left */
       /* `error` says why; not opened, or lost with bytes parked or unread, which may still be
          read. */
       STREAM_FAILED = 8,
};

struct stream {
    struct event event;
    struct loop *loop;
    struct ssl_st *ssl;
    /* May close the stream; may not free the memory it is in before the turn's end (loop_task). */
    void (*on_event)(struct stream *s, unsigned what);
    char *out; /* bytes that the socket refused (TLS: records) */
    uint32_t out_at, out_len, out_cap;
    uint32_t owed; /* TLS: of these, what reading added */
    char *held;    /* a session ticket that leaves with the next write, in front of it */
    uint16_t held_len;
    int fd; /* -1: closed */
    uint8_t state;
    uint8_t error;            /* enum net_error */
    bool can_read, can_write; /* readiness as the last event or call left it */
    bool saw_closed;          /* EV_CLOSED came: read until 0 or an error */
    bool ended;               /* the peer's end or an error was read */
    bool truncated;           /* TLS: the peer's end came without close_notify */
    bool unread;              /* the TLS layer holds bytes that stream_read can give at once */
    bool starved;             /* the TLS layer wants bytes that are not there yet */
    bool dry;                 /* the kernel said that nothing is there */
    bool finishing;           /* stream_finish was called */
};

/* A stream in zeroed memory is closed, but its `fd` says so only after stream_close. */

/* Takes over an accepted, non-blocking descriptor. Plain: open at once, no STREAM_OPENED. With TLS
 * the handshake begins with what has already arrived. on_event may be called before this
 * returns. */
void stream_accept(struct stream *s, struct loop *l, int fd, struct tls_server *tls,
                   void (*on_event)(struct stream *, unsigned));

/* Begins to connect; STREAM_OPENED or STREAM_FAILED follows, never before this returns.
 * `server_name` (SNI and the name verified; may be NULL for an IP address) is copied. */
void stream_dial(struct stream *s, struct loop *l, const struct addr *to, struct tls_client *tls,
                 const char *server_name, void (*on_event)(struct stream *, unsigned));

enum { STREAM_AGAIN = -1, STREAM_ERROR = -2 };

/* > 0 bytes, 0 at the peer's end (s->truncated if TLS lacks its close_notify), STREAM_AGAIN, or
 * STREAM_ERROR with s->error set. A result below `cap` means that nothing more is there now
 * (stream_readable says false) unless the peer has closed; but libevent hides a reset that came
 * together with the data, so who needs more to go on calls again until STREAM_AGAIN. */
ssize_t stream_read(struct stream *s, void *buf, size_t cap) __attribute__((warn_unused_result));

/* True if reading may give something without a further event (also bytes inside the TLS layer). */
bool stream_readable(const struct stream *s);

/* Takes all bytes: one send (TLS: as few records as hold them, staged and sent once), the rest is
 * parked. -1: the connection is broken, s->error says how; what came before may still be read. The
 * vectors are not kept. Not after stream_finish. */
int stream_write(struct stream *s, const struct iovec *iov, int n)
    __attribute__((warn_unused_result));

/* Bytes accepted but not yet taken by the kernel. */
static inline size_t stream_parked(const struct stream *s)
{
    return s->out_len - s->out_at;
}

/* Our end of the talk: close_notify and FIN once nothing is parked; reading goes on. */
void stream_finish(struct stream *s);

/* The descriptor, the TLS state and parked bytes are given up; no callback follows. Twice is
 * fine. */
void stream_close(struct stream *s);

/* Closed with a reset, so that a peer that sends to us sees it at once. */
void stream_reset(struct stream *s);

static inline bool stream_is_open(const struct stream *s)
{
    return s->fd >= 0;
}

/* Of a TLS stream after STREAM_OPENED; STR_NULL if there is none. Valid until it closes. */
struct str stream_sni(const struct stream *s);
struct str stream_alpn(const struct stream *s);
struct str stream_tls_version(const struct stream *s);
struct str stream_tls_cipher(const struct stream *s);
bool stream_tls_resumed(const struct stream *s);

#endif
