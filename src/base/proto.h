/* The channel between supervisor and gateway process: what travels on it and how it is sent.
 *
 * A SOCK_SEQPACKET pair carries messages of one fixed size, each a struct proto_msg; descriptors
 * go along by SCM_RIGHTS. Both ends are the same binary, apart from the moment of an upgrade: hence
 * a version in each message. The supervisor believes nothing that is not checked here: the gateway
 * process is the one that talks to the world.
 *
 * gateway -> supervisor                           supervisor -> gateway
 *   WANT      sockets of one address                HAVE    some of the sockets wanted
 *   RELEASE   an address is not listened on now     ERR     why they cannot be had
 *   READY     all is running                        RELOAD  load the configuration again
 *   RELOADED  the end of a RELOAD, ok or not        REOPEN  open log files again
 *   BEAT      the control thread is alive           DRAIN   finish what is in flight, then exit 0
 *   STOPPING  no new requests from here on          STOP    exit 0 now
 */
#ifndef TG_BASE_PROTO_H
#define TG_BASE_PROTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define PROTO_VERSION 1

/* Most descriptors in one message, and most sockets of one address. */
#define PROTO_FDS_MAX     64
#define PROTO_SOCKETS_MAX 1024
#define PROTO_TEXT_MAX    256

enum proto_kind {
    PROTO_WANT = 1,
    PROTO_RELEASE,
    PROTO_READY,
    PROTO_RELOADED,
    PROTO_BEAT,
    PROTO_STOPPING,
    PROTO_HAVE,
    PROTO_ERR,
    PROTO_RELOAD,
    PROTO_REOPEN,
    PROTO_DRAIN,
    PROTO_STOP,
    PROTO_KINDS
};

/* An address to listen on: AF_INET, AF_INET6 or AF_UNIX, compared bytewise: the part of
 * storage behind length is zero. */
struct proto_address {
    uint32_t length;
    struct sockaddr_storage storage;
};

struct proto_msg {
    uint16_t version;             /* filled in by proto_send */
    uint16_t kind;                /* enum proto_kind */
    struct proto_address address; /* WANT, RELEASE, HAVE, ERR */
    uint32_t count;               /* WANT: sockets at least; HAVE: sockets in all */
    uint32_t mode;                /* WANT: permission bits of a Unix socket */
    uint32_t first;               /* HAVE: index of the first descriptor that comes along */
    int32_t error;                /* ERR: errno; RELOADED: 0 for ok */
    char text[PROTO_TEXT_MAX];    /* ERR: who has the address, if known, or "" */
};

enum proto_result { PROTO_OK, PROTO_AGAIN, PROTO_CLOSED, PROTO_BAD };

/* Sends one message with count descriptors, which stay the caller's; never blocks or raises
 * SIGPIPE. PROTO_AGAIN: the channel is full; PROTO_CLOSED: the other side is gone. */
enum proto_result proto_send(int fd, const struct proto_msg *msg, const int *fds, size_t count)
    __attribute__((warn_unused_result));

/* Receives one message, waiting for it if the descriptor is a blocking one. The descriptors that
 * came along (close-on-exec) are the caller's from here on; fds has room for PROTO_FDS_MAX.
 * PROTO_BAD: not a message of this version, *msg and *fds then hold nothing. */
enum proto_result proto_receive(int fd, struct proto_msg *msg, int *fds, size_t *count)
    __attribute__((warn_unused_result));

/* Whether everything in msg is within bounds for its kind, with count descriptors beside it. */
bool proto_valid(const struct proto_msg *msg, size_t count);

/* Whether both name one listening address. */
bool proto_address_equal(const struct proto_address *a, const struct proto_address *b);

#endif
