/* Messages of the supervisor's channel, see proto.h. */
#include "base/proto.h"

#include "base/check.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

/* Ancillary data for the most descriptors, aligned for a cmsghdr. */
union ancillary {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(sizeof(int) * PROTO_FDS_MAX)];
};

enum proto_result proto_send(int fd, const struct proto_msg *msg, const int *fds, size_t count)
{
    struct proto_msg copy = *msg;
    struct iovec part = {&copy, sizeof(copy)};
    union ancillary control = {0};
    struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
    ssize_t sent;

    ensure(count <= PROTO_FDS_MAX);
    copy.version = PROTO_VERSION;
    if (count > 0) {
        header.msg_control = control.bytes;
        header.msg_controllen = CMSG_SPACE(sizeof(int) * count);
        struct cmsghdr *rights = CMSG_FIRSTHDR(&header);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(sizeof(int) * count);
        memcpy(CMSG_DATA(rights), fds, sizeof(int) * count);
    }
    do {
        sent = sendmsg(fd, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (sent < 0 && errno == EINTR);
    if (sent >= 0)
        return PROTO_OK;
    return errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM ? PROTO_AGAIN : PROTO_CLOSED;
}

static size_t take_fds(struct msghdr *header, int *fds)
{
    size_t taken = 0;

    for (struct cmsghdr *c = CMSG_FIRSTHDR(header); c != NULL; c = CMSG_NXTHDR(header, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        ensure(taken + count <= PROTO_FDS_MAX);
        memcpy(fds + taken, CMSG_DATA(c), count * sizeof(int));
        taken += count;
    }
    return taken;
}

enum proto_result proto_receive(int fd, struct proto_msg *msg, int *fds, size_t *count)
{
    struct iovec part = {msg, sizeof(*msg)};
    union ancillary control;
    struct msghdr header = {.msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = control.bytes,
                            .msg_controllen = sizeof(control.bytes)};
    ssize_t got;

    *count = 0;
    do {
        got = recvmsg(fd, &header, MSG_CMSG_CLOEXEC);
    } while (got < 0 && errno == EINTR);
    if (got < 0)
        return errno == EAGAIN ? PROTO_AGAIN : PROTO_CLOSED;
    *count = take_fds(&header, fds);
    if (got == 0 && *count == 0)
        return PROTO_CLOSED;
    if (got == (ssize_t)sizeof(*msg) && (header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0 &&
        proto_valid(msg, *count))
        return PROTO_OK;
    for (size_t i = 0; i < *count; i++)
        close(fds[i]);
    *count = 0;
    return PROTO_BAD;
}

static bool address_valid(const struct proto_address *address)
{
    static const char zero[sizeof(struct sockaddr_storage)];
    size_t length = address->length;

    if (length > sizeof(address->storage))
        return false;
    if (memcmp((const char *)&address->storage + length, zero, sizeof(zero) - length) != 0)
        return false;
    switch (address->storage.ss_family) {
    case AF_INET: return length == sizeof(struct sockaddr_in);
    case AF_INET6: return length == sizeof(struct sockaddr_in6);
    case AF_UNIX: {
        const struct sockaddr_un *un = (const struct sockaddr_un *)&address->storage;
        return length == sizeof(*un) && un->sun_path[0] == '/' &&
               memchr(un->sun_path, '\0', sizeof(un->sun_path)) != NULL;
    }
    default: return false;
    }
}

bool proto_valid(const struct proto_msg *msg, size_t count)
{
    if (msg->version != PROTO_VERSION || msg->kind < PROTO_WANT || msg->kind >= PROTO_KINDS)
        return false;
    if (memchr(msg->text, '\0', sizeof(msg->text)) == NULL)
        return false;
    switch ((enum proto_kind)msg->kind) {
    case PROTO_WANT:
        return count == 0 && msg->count >= 1 && msg->count <= PROTO_SOCKETS_MAX &&
               (msg->mode & ~0777u) == 0 && address_valid(&msg->address);
    case PROTO_HAVE:
        return count >= 1 && msg->count <= PROTO_SOCKETS_MAX && msg->first < msg->count &&
               count <= msg->count - msg->first && address_valid(&msg->address);
    case PROTO_RELEASE:
    case PROTO_ERR: return count == 0 && address_valid(&msg->address);
    default: return count == 0;
    }
}

bool proto_address_equal(const struct proto_address *a, const struct proto_address *b)
{
    return a->length == b->length && memcmp(&a->storage, &b->storage, a->length) == 0;
}
