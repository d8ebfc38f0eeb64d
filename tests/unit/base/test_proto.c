/* The supervisor's channel: what is sent arrives, what is out of bounds is refused. */
#include "base/proto.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

static int ends[2];

static void open_channel(void)
{
    cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends), 0);
}

static void close_channel(void)
{
    close(ends[0]);
    close(ends[1]);
}

static struct proto_msg a_want(void)
{
    struct proto_msg msg = {.version = PROTO_VERSION, .kind = PROTO_WANT, .count = 3};
    struct sockaddr_in *in = (struct sockaddr_in *)&msg.address.storage;

    in->sin_family = AF_INET;
    in->sin_port = htons(8443);
    msg.address.length = sizeof(*in);
    return msg;
}

TestSuite(proto, .init = open_channel, .fini = close_channel);

Test(proto, a_message_arrives_as_it_was_sent)
{
    struct proto_msg sent = a_want(), got;
    int fds[PROTO_FDS_MAX];
    size_t count = 9;

    cr_assert_eq(proto_send(ends[0], &sent, NULL, 0), PROTO_OK);
    cr_assert_eq(proto_receive(ends[1], &got, fds, &count), PROTO_OK);
    cr_assert_eq(count, 0);
    cr_assert_eq(memcmp(&sent, &got, sizeof(got)), 0);
    cr_assert_eq(proto_receive(ends[1], &got, fds, &count), PROTO_AGAIN);
}

Test(proto, descriptors_come_along_and_are_closed_on_exec)
{
    struct proto_msg have = a_want(), got;
    int fds[PROTO_FDS_MAX], sent[2], pair[2];
    size_t count;

    have.kind = PROTO_HAVE;
    cr_assert_eq(pipe(pair), 0);
    memcpy(sent, pair, sizeof(sent));
    cr_assert_eq(proto_send(ends[0], &have, sent, 2), PROTO_OK);
    cr_assert_eq(proto_receive(ends[1], &got, fds, &count), PROTO_OK);
    cr_assert_eq(count, 2);
    cr_assert_eq(fcntl(fds[0], F_GETFD), FD_CLOEXEC);
    cr_assert_eq(write(fds[1], "x", 1), 1);
    char byte;
    cr_assert_eq(read(pair[0], &byte, 1), 1);
}

Test(proto, the_other_side_being_gone_is_told)
{
    struct proto_msg msg = a_want();
    int fds[PROTO_FDS_MAX];
    size_t count;

    close(ends[1]);
    cr_assert_eq(proto_send(ends[0], &msg, NULL, 0), PROTO_CLOSED);
    cr_assert_eq(proto_receive(ends[0], &msg, fds, &count), PROTO_CLOSED);
}

Test(proto, a_full_channel_does_not_block)
{
    struct proto_msg msg = {.kind = PROTO_BEAT};
    enum proto_result result = PROTO_OK;

    for (int i = 0; i < 100000 && result == PROTO_OK; i++)
        result = proto_send(ends[0], &msg, NULL, 0);
    cr_assert_eq(result, PROTO_AGAIN);
}

Test(proto, a_message_of_another_size_is_refused_and_its_descriptors_are_closed)
{
    struct proto_msg msg = {.kind = PROTO_BEAT};
    int fds[PROTO_FDS_MAX], pair[2];
    size_t count;

    cr_assert_eq(send(ends[0], "short", 5, 0), 5);
    cr_assert_eq(proto_receive(ends[1], &msg, fds, &count), PROTO_BAD);

    cr_assert_eq(pipe(pair), 0);
    msg = (struct proto_msg){.kind = PROTO_BEAT};
    cr_assert_eq(proto_send(ends[0], &msg, &pair[1], 1), PROTO_OK);
    close(pair[1]);
    cr_assert_eq(proto_receive(ends[1], &msg, fds, &count), PROTO_BAD);
    cr_assert_eq(count, 0);
    char byte;
    cr_assert_eq(read(pair[0], &byte, 1), 0, "the pipe still has a writer");
}

Test(proto, what_is_out_of_bounds_is_not_valid)
{
    struct proto_msg msg = a_want();

    cr_assert(proto_valid(&msg, 0));
    cr_assert_not(proto_valid(&msg, 1), "descriptors with a WANT");
    msg.version++;
    cr_assert_not(proto_valid(&msg, 0), "version");
    msg = a_want();
    msg.kind = PROTO_KINDS;
    cr_assert_not(proto_valid(&msg, 0), "kind");
    msg = a_want();
    msg.count = 0;
    cr_assert_not(proto_valid(&msg, 0), "no sockets");
    msg.count = PROTO_SOCKETS_MAX + 1;
    cr_assert_not(proto_valid(&msg, 0), "too many sockets");
    msg = a_want();
    msg.mode = 04777;
    cr_assert_not(proto_valid(&msg, 0), "more than permission bits");
    msg = a_want();
    memset(msg.text, 'x', sizeof(msg.text));
    cr_assert_not(proto_valid(&msg, 0), "a text without an end");
}

Test(proto, addresses_are_of_known_families_and_whole)
{
    struct proto_msg msg = a_want();
    struct sockaddr_un *un = (struct sockaddr_un *)&msg.address.storage;

    msg.address.length--;
    cr_assert_not(proto_valid(&msg, 0), "cut");
    msg = a_want();
    msg.address.storage.ss_family = AF_NETLINK;
    cr_assert_not(proto_valid(&msg, 0), "family");
    msg = a_want();
    ((char *)&msg.address.storage)[100] = 1;
    cr_assert_not(proto_valid(&msg, 0), "bytes behind the address");

    msg = (struct proto_msg){.version = PROTO_VERSION, .kind = PROTO_RELEASE};
    msg.address.length = sizeof(*un);
    un->sun_family = AF_UNIX;
    strcpy(un->sun_path, "/run/tollgate.sock");
    cr_assert(proto_valid(&msg, 0));
    un->sun_path[0] = 'r';
    cr_assert_not(proto_valid(&msg, 0), "a relative path");
    memset(un->sun_path, '/', sizeof(un->sun_path));
    cr_assert_not(proto_valid(&msg, 0), "a path without an end");
}

Test(proto, a_batch_lies_within_its_group)
{
    struct proto_msg msg = a_want();

    msg.kind = PROTO_HAVE;
    msg.first = 1;
    cr_assert(proto_valid(&msg, 2));
    cr_assert_not(proto_valid(&msg, 3), "beyond the end");
    cr_assert_not(proto_valid(&msg, 0), "empty");
    msg.first = 3;
    cr_assert_not(proto_valid(&msg, 1), "behind the end");
}
