/* Opens and keeps the listening sockets, see sockets.h. */
#include "supervisor/sockets.h"

#include "base/check.h"
#include "base/xmem.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* The kernel lowers it to net.core.somaxconn. */
#define BACKLOG 65535

#define SOCKET_TYPE (SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK)

static int set_option(int fd, int level, int option)
{
    int on = 1;
    return setsockopt(fd, level, option, &on, sizeof(on));
}

static const struct sockaddr *address_of(const struct proto_address *address)
{
    return (const struct sockaddr *)&address->storage;
}

/* A bound TCP socket, or -1 and errno. Without shared, nobody else may be bound to the address. */
static int bind_tcp(const struct proto_address *address, bool shared)
{
    int fd = socket(address->storage.ss_family, SOCKET_TYPE, 0);

    if (fd < 0)
        return -1;
    if (set_option(fd, SOL_SOCKET, SO_REUSEADDR) == 0 &&
        (!shared || set_option(fd, SOL_SOCKET, SO_REUSEPORT) == 0) &&
        (address->storage.ss_family != AF_INET6 ||
         set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY) == 0) &&
        bind(fd, address_of(address), address->length) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

static int listen_tcp(const struct proto_address *address)
{
    int fd = bind_tcp(address, true);

    if (fd < 0 || listen(fd, BACKLOG) == 0)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

/* Lets the group grow by one. The first one shows which port "port 0" became for the others. */
static int grow_tcp(struct sockets_group *group)
{
    struct proto_address address = group->address;
    socklen_t length = sizeof(address.storage);

    if (group->count > 0 &&
        getsockname(group->fds[0], (struct sockaddr *)&address.storage, &length) != 0)
        return errno;
    int fd = listen_tcp(&address);
    if (fd < 0)
        return errno;
    group->fds = xrealloc(group->fds, (group->count + 1) * sizeof(int));
    group->fds[group->count++] = fd;
    return 0;
}

/* Looks for a foreign owner: with SO_REUSEPORT one of our own user would go unnoticed. */
static int probe_tcp(const struct proto_address *address)
{
    int fd = bind_tcp(address, false);

    if (fd < 0)
        return errno;
    close(fd);
    return 0;
}

/* Removes a socket file that nobody listens on any more; EADDRINUSE if somebody does, EEXIST if the
 * file is no socket. */
static int unlink_stale(const struct proto_address *address)
{
    const struct sockaddr_un *un = (const struct sockaddr_un *)&address->storage;
    struct stat file;

    if (lstat(un->sun_path, &file) != 0)
        return errno == ENOENT ? 0 : errno;
    if (!S_ISSOCK(file.st_mode))
        return EEXIST;
    int fd = socket(AF_UNIX, SOCKET_TYPE, 0);
    if (fd < 0)
        return errno;
    int error = connect(fd, address_of(address), address->length) == 0 ? EADDRINUSE : errno;
    close(fd);
    if (error != ECONNREFUSED)
        return EADDRINUSE;
    return unlink(un->sun_path) == 0 || errno == ENOENT ? 0 : errno;
}

static int open_unix(struct sockets_group *group, mode_t mode)
{
    int error = unlink_stale(&group->address);
    int fd = error == 0 ? socket(AF_UNIX, SOCKET_TYPE, 0) : -1;

    if (fd < 0)
        return error != 0 ? error : errno;
    mode_t mask = umask(0777 & ~mode);
    error = bind(fd, address_of(&group->address), group->address.length) == 0 ? 0 : errno;
    umask(mask);
    if (error == 0 && listen(fd, BACKLOG) != 0)
        error = errno;
    if (error != 0) {
        close(fd);
        return error;
    }
    group->fds = xmalloc(sizeof(int));
    group->fds[0] = fd;
    group->count = 1;
    return 0;
}

static void group_free(struct sockets_group *group)
{
    if (group->address.storage.ss_family == AF_UNIX && group->count > 0)
        unlink(((const struct sockaddr_un *)&group->address.storage)->sun_path);
    for (size_t i = 0; i < group->count; i++)
        close(group->fds[i]);
    list_remove(&group->node);
    free(group->fds);
    free(group);
}

static struct sockets_group *find(struct sockets *sockets, const struct proto_address *address)
{
    list_for_each(node, &sockets->groups) {
        struct sockets_group *group = list_entry(node, struct sockets_group, node);
        if (proto_address_equal(&group->address, address))
            return group;
    }
    return NULL;
}

static int group_open(struct sockets_group *group, const struct proto_msg *want)
{
    int error = 0;

    if (group->address.storage.ss_family == AF_UNIX)
        return group->count > 0 ? 0 : open_unix(group, want->mode);
    if (group->count == 0)
        error = probe_tcp(&group->address);
    while (error == 0 && group->count < want->count)
        error = grow_tcp(group);
    return error;
}

void sockets_init(struct sockets *sockets)
{
    list_init(&sockets->groups);
}

void sockets_fini(struct sockets *sockets)
{
    list_for_each(node, &sockets->groups) {
        group_free(list_entry(node, struct sockets_group, node));
    }
}

int sockets_want(struct sockets *sockets, const struct proto_msg *want, uint64_t generation,
                 struct sockets_group **found)
{
    struct sockets_group *group = find(sockets, &want->address);
    bool fresh = group == NULL;

    if (fresh) {
        group = xcalloc(1, sizeof(*group));
        group->address = want->address;
        list_push_back(&sockets->groups, &group->node);
    }
    int error = group_open(group, want);
    if (error != 0 && fresh) {
        group_free(group);
        return error;
    }
    group->generation = generation;
    *found = group;
    return error;
}

void sockets_release(struct sockets *sockets, const struct proto_address *address)
{
    struct sockets_group *group = find(sockets, address);
    if (group != NULL)
        group_free(group);
}

void sockets_release_older(struct sockets *sockets, uint64_t generation)
{
    list_for_each(node, &sockets->groups) {
        struct sockets_group *group = list_entry(node, struct sockets_group, node);
        if (group->generation < generation)
            group_free(group);
    }
}
