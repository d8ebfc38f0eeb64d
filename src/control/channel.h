/* The gateway process's end of the supervisor's channel (base/proto.h): blocking while the process
 * starts, driven by control's loop afterwards. Owned by one thread at a time; channel_beat() and
 * everything else is called by control only once the threads run. */
#ifndef TG_CONTROL_CHANNEL_H
#define TG_CONTROL_CHANNEL_H

#include "base/proto.h"
#include "net/addr.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct channel;

/* The listening sockets of one address: non-blocking, listening already, in the order of the group
 * (socket i belongs to worker i mod workers). There may be more than were asked for. */
struct channel_sockets {
    struct addr address;
    int *fds;
    size_t count;
};

/* What came from the supervisor. */
enum channel_event {
    CHANNEL_NONE,   /* nothing more for now */
    CHANNEL_HAVE,   /* all sockets of a channel_want() */
    CHANNEL_ERR,    /* there will be none: error and owner */
    CHANNEL_RELOAD, /* answer with channel_reloaded() */
    CHANNEL_REOPEN,
    CHANNEL_DRAIN,
    CHANNEL_STOP,
    CHANNEL_CLOSED /* the supervisor is gone */
};

struct channel_report {
    enum channel_event event;
    struct channel_sockets sockets; /* HAVE: to be given to channel_sockets_fini(); ERR: address */
    int error;                      /* ERR: errno */
    char owner[PROTO_TEXT_MAX];     /* ERR: who has the address, if known, or "" */
};

/* Takes over the descriptor; what it allocates ends with channel_free, which nulls *channel. */
struct channel *channel_new(int fd) __attribute__((returns_nonnull));
void channel_free(struct channel **channel);

/* The descriptor to watch for reading. */
int channel_fd(const struct channel *channel);

/* From here on channel_receive() returns CHANNEL_NONE instead of waiting. */
void channel_unblock(struct channel *channel);

/* The next thing that came; call until CHANNEL_NONE when the descriptor is readable. */
void channel_receive(struct channel *channel, struct channel_report *report);

/* Asks for at least count (1 to PROTO_SOCKETS_MAX) sockets on address; mode: permission bits of a
 * Unix socket. One HAVE or ERR will follow, in the order of the calls. 0, or -1 when the supervisor
 * is gone. */
int channel_want(struct channel *channel, const struct addr *address, size_t count, mode_t mode)
    __attribute__((warn_unused_result));

/* The gateway does not listen on address any more: its copies of the sockets are closed already. */
void channel_release(struct channel *channel, const struct addr *address);

/* Tell the supervisor how this process fares; lost only when the supervisor is gone. */
void channel_ready(struct channel *channel);
void channel_reloaded(struct channel *channel, bool ok);
void channel_beat(struct channel *channel);
void channel_stopping(struct channel *channel);

/* Closes the descriptors and frees the array. */
void channel_sockets_fini(struct channel_sockets *sockets);

#endif
