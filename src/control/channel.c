/* The gateway process's end of the supervisor's channel, see channel.h. */
#include "control/channel.h"

#include "base/check.h"
#include "base/log.h"
#include "base/xmem.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct channel {
    int fd;
    bool closed;
    struct channel_sockets partial; /* what came of a HAVE so far */
};

struct channel *channel_new(int fd)
{
    struct channel *channel = xcalloc(1, sizeof(*channel));
    channel->fd = fd;
    return channel;
}

void channel_free(struct channel **channel)
{
    if (*channel == NULL)
        return;
    channel_sockets_fini(&(*channel)->partial);
    close((*channel)->fd);
    free(*channel);
    *channel = NULL;
}

int channel_fd(const struct channel *channel)
{
    return channel->fd;
}

void channel_unblock(struct channel *channel)
{
    int flags = fcntl(channel->fd, F_GETFL);
    ensure(flags >= 0 && fcntl(channel->fd, F_SETFL, flags | O_NONBLOCK) == 0);
}

static struct addr address_from(const struct proto_address *from)
{
    struct addr address = {.len = from->length};
    size_t room = sizeof(address) - offsetof(struct addr, sa);

    ensure(from->length <= room);
    memcpy(&address.sa, &from->storage, from->length);
    return address;
}

static struct proto_address address_to(const struct addr *from)
{
    struct proto_address address = {.length = from->len};

    ensure(from->len <= sizeof(address.storage));
    memcpy(&address.storage, &from->sa, from->len);
    if (from->sa.sa_family == AF_UNIX)
        address.length = sizeof(struct sockaddr_un);
    return address;
}

/* Takes one batch of a HAVE; true once all of its sockets are there. */
static bool take_batch(struct channel_sockets *partial, const struct proto_msg *msg, const int *fds,
                       size_t count)
{
    if (msg->first == 0) {
        channel_sockets_fini(partial);
        partial->address = address_from(&msg->address);
        partial->fds = xcalloc(msg->count, sizeof(int));
    }
    ensure(partial->fds != NULL && partial->count == msg->first);
    memcpy(partial->fds + partial->count, fds, count * sizeof(int));
    partial->count += count;
    return partial->count == msg->count;
}

static enum channel_event translate(struct channel *channel, const struct proto_msg *msg,
                                    const int *fds, size_t count, struct channel_report *report)
{
    switch ((enum proto_kind)msg->kind) {
    case PROTO_HAVE:
        if (!take_batch(&channel->partial, msg, fds, count))
            return CHANNEL_NONE;
        report->sockets = channel->partial;
        channel->partial = (struct channel_sockets){0};
        return CHANNEL_HAVE;
    case PROTO_ERR:
        report->sockets.address = address_from(&msg->address);
        report->error = msg->error;
        memcpy(report->owner, msg->text, sizeof(report->owner));
        return CHANNEL_ERR;
    case PROTO_RELOAD: return CHANNEL_RELOAD;
    case PROTO_REOPEN: return CHANNEL_REOPEN;
    case PROTO_DRAIN: return CHANNEL_DRAIN;
    case PROTO_STOP: return CHANNEL_STOP;
    default:
        log_warn("message %u of the supervisor is not one for a gateway process", msg->kind);
        return CHANNEL_NONE;
    }
}

void channel_receive(struct channel *channel, struct channel_report *report)
{
    struct proto_msg msg;
    int fds[PROTO_FDS_MAX];
    size_t count;

    *report = (struct channel_report){.event = CHANNEL_NONE};
    while (report->event == CHANNEL_NONE) {
        switch (proto_receive(channel->fd, &msg, fds, &count)) {
        case PROTO_OK: report->event = translate(channel, &msg, fds, count, report); break;
        case PROTO_BAD: log_warn("a message of the supervisor is not of this version"); break;
        case PROTO_AGAIN: return;
        case PROTO_CLOSED:
            channel->closed = true;
            report->event = CHANNEL_CLOSED;
            break;
        }
    }
}

static enum proto_result tell(struct channel *channel, const struct proto_msg *msg)
{
    enum proto_result result =
        channel->closed ? PROTO_CLOSED : proto_send(channel->fd, msg, NULL, 0);

    if (result == PROTO_AGAIN && msg->kind != PROTO_BEAT)
        log_warn("the channel to the supervisor is full: message %u is lost", msg->kind);
    return result;
}

int channel_want(struct channel *channel, const struct addr *address, size_t count, mode_t mode)
{
    struct proto_msg msg = {
        .kind = PROTO_WANT, .address = address_to(address), .count = (uint32_t)count, .mode = mode};

    ensure(count >= 1 && count <= PROTO_SOCKETS_MAX);
    return tell(channel, &msg) == PROTO_OK ? 0 : -1;
}

void channel_release(struct channel *channel, const struct addr *address)
{
    struct proto_msg msg = {.kind = PROTO_RELEASE, .address = address_to(address)};
    (void)tell(channel, &msg);
}

static void tell_kind(struct channel *channel, enum proto_kind kind, int error)
{
    struct proto_msg msg = {.kind = (uint16_t)kind, .error = error};
    (void)tell(channel, &msg);
}

void channel_ready(struct channel *channel)
{
    tell_kind(channel, PROTO_READY, 0);
}

void channel_reloaded(struct channel *channel, bool ok)
{
    tell_kind(channel, PROTO_RELOADED, ok ? 0 : 1);
}

void channel_beat(struct channel *channel)
{
    tell_kind(channel, PROTO_BEAT, 0);
}

void channel_stopping(struct channel *channel)
{
    tell_kind(channel, PROTO_STOPPING, 0);
}

void channel_sockets_fini(struct channel_sockets *sockets)
{
    for (size_t i = 0; i < sockets->count; i++)
        close(sockets->fds[i]);
    free(sockets->fds);
    *sockets = (struct channel_sockets){.address = sockets->address};
}
