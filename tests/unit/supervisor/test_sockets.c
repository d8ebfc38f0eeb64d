/* Listening sockets: groups that grow and never shrink, foreign owners, files of Unix sockets. */
#include "supervisor/owner.h"
#include "supervisor/sockets.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static struct sockets sockets;
static struct sockets_group *group;

static void init(void)
{
    sockets_init(&sockets);
}

static void fini(void)
{
    sockets_fini(&sockets);
}

TestSuite(sockets, .init = init, .fini = fini);

static struct proto_msg want_loopback(uint16_t port, uint32_t count)
{
    struct proto_msg msg = {.kind = PROTO_WANT, .count = count};
    struct sockaddr_in *in = (struct sockaddr_in *)&msg.address.storage;

    in->sin_family = AF_INET;
    in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    in->sin_port = htons(port);
    msg.address.length = sizeof(*in);
    return msg;
}

static struct proto_msg want_unix(const char *path, uint32_t mode)
{
    struct proto_msg msg = {.kind = PROTO_WANT, .count = 1, .mode = mode};
    struct sockaddr_un *un = (struct sockaddr_un *)&msg.address.storage;

    un->sun_family = AF_UNIX;
    snprintf(un->sun_path, sizeof(un->sun_path), "%s", path);
    msg.address.length = sizeof(*un);
    return msg;
}

static uint16_t port_of(int fd)
{
    struct sockaddr_in in;
    socklen_t length = sizeof(in);

    cr_assert_eq(getsockname(fd, (struct sockaddr *)&in, &length), 0);
    return ntohs(in.sin_port);
}

/* A listening socket of somebody who shares his port with anybody, and its port. */
static int foreign_listener(uint16_t *port)
{
    struct proto_msg any = want_loopback(0, 1);
    int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
    cr_assert_eq(bind(fd, (struct sockaddr *)&any.address.storage, any.address.length), 0);
    cr_assert_eq(listen(fd, 1), 0);
    *port = port_of(fd);
    return fd;
}

Test(sockets, a_group_listens_on_one_port_with_as_many_sockets_as_wanted)
{
    struct proto_msg want = want_loopback(0, 3);

    cr_assert_eq(sockets_want(&sockets, &want, 1, &group), 0);
    cr_assert_eq(group->count, 3);
    for (size_t i = 0; i < 3; i++) {
        int listening = 0;
        socklen_t length = sizeof(listening);
        cr_assert_eq(port_of(group->fds[i]), port_of(group->fds[0]));
        getsockopt(group->fds[i], SOL_SOCKET, SO_ACCEPTCONN, &listening, &length);
        cr_assert_eq(listening, 1);
    }
}

Test(sockets, the_next_gateway_process_gets_the_same_sockets_and_maybe_more)
{
    struct proto_msg want = want_loopback(0, 2);
    int first;

    cr_assert_eq(sockets_want(&sockets, &want, 1, &group), 0);
    first = group->fds[0];
    want.count = 4;
    cr_assert_eq(sockets_want(&sockets, &want, 2, &group), 0);
    cr_assert_eq(group->count, 4);
    cr_assert_eq(group->fds[0], first);
    want.count = 1;
    cr_assert_eq(sockets_want(&sockets, &want, 3, &group), 0);
    cr_assert_eq(group->count, 4, "a group never shrinks");
}

Test(sockets, an_address_of_a_foreign_owner_is_in_use_even_if_he_would_share_it)
{
    uint16_t port;
    int fd = foreign_listener(&port);
    struct proto_msg want = want_loopback(port, 2);
    char owner[PROTO_TEXT_MAX], self[64];

    cr_assert_eq(sockets_want(&sockets, &want, 1, &group), EADDRINUSE);
    snprintf(self, sizeof(self), "(pid %d)", (int)getpid());
    owner_find(&want.address, owner, sizeof(owner));
    cr_assert_not_null(strstr(owner, self), "the owner is told as \"%s\"", owner);
    close(fd);
    cr_assert_eq(sockets_want(&sockets, &want, 1, &group), 0);
}

Test(sockets, nobody_owns_a_free_address)
{
    uint16_t port;
    char owner[PROTO_TEXT_MAX] = "x";

    close(foreign_listener(&port));
    struct proto_msg want = want_loopback(port, 1);
    owner_find(&want.address, owner, sizeof(owner));
    cr_assert_str_empty(owner);
}

Test(sockets, a_released_address_is_free_again)
{
    uint16_t port;
    close(foreign_listener(&port));
    struct proto_msg want = want_loopback(port, 2);

    cr_assert_eq(sockets_want(&sockets, &want, 1, &group), 0);
    sockets_release(&sockets, &want.address);
    cr_assert(list_empty(&sockets.groups));
    sockets_release(&sockets, &want.address);
    cr_assert_eq(sockets_want(&sockets, &want, 1, &group), 0);
}

Test(sockets, what_the_new_gateway_process_does_not_want_is_closed)
{
    struct proto_msg old = want_loopback(0, 1), both = want_unix("/tmp/test-sockets-both", 0600);

    cr_assert_eq(sockets_want(&sockets, &old, 1, &group), 0);
    cr_assert_eq(sockets_want(&sockets, &both, 1, &group), 0);
    cr_assert_eq(sockets_want(&sockets, &both, 2, &group), 0);
    sockets_release_older(&sockets, 2);
    cr_assert_eq(list_first(&sockets.groups), &group->node);
    cr_assert_eq(group->node.next, &sockets.groups);
}

Test(sockets, a_unix_socket_has_its_mode_and_replaces_a_stale_file)
{
    static const char path[] = "/tmp/test-sockets-mode";
    struct proto_msg want = want_unix(path, 0620);
    struct stat file;

    unlink(path);
    cr_assert_eq(sockets_want(&sockets, &want, 1, &group), 0);
    cr_assert_eq(stat(path, &file), 0);
    cr_assert_eq(file.st_mode & 0777, 0620);

    struct sockets later;
    sockets_init(&later);
    cr_assert_eq(sockets_want(&later, &want, 1, &group), EADDRINUSE, "somebody listens");
    close(list_entry(list_first(&sockets.groups), struct sockets_group, node)->fds[0]);
    cr_assert_eq(sockets_want(&later, &want, 1, &group), 0, "nobody listens any more");
    sockets_fini(&later);
    cr_assert_eq(access(path, F_OK), -1, "the file goes with the socket");
}

Test(sockets, a_file_that_is_no_socket_is_left_alone)
{
    char path[] = "/tmp/test-sockets-XXXXXX";
    int fd = mkstemp(path);
    struct proto_msg want = want_unix(path, 0600);

    cr_assert_geq(fd, 0);
    cr_assert_eq(sockets_want(&sockets, &want, 1, &group), EEXIST);
    cr_assert_eq(unlink(path), 0);
}
