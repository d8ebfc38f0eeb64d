/* The gateway process's end of the channel, with the test in the supervisor's place. */
#include "control/channel.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct channel *channel;
static int supervisor;
static struct addr address;

static void open_channel(void)
{
    int ends[2];

    cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    channel = channel_new(ends[0]);
    channel_unblock(channel);
    supervisor = ends[1];
    cr_assert_eq(addr_parse(STR("127.0.0.1:8443"), &address), 0);
}

static void close_channel(void)
{
    channel_free(&channel);
    close(supervisor);
}

TestSuite(channel, .init = open_channel, .fini = close_channel);

static struct proto_msg heard(void)
{
    struct proto_msg msg = {0};
    int fds[PROTO_FDS_MAX];
    size_t count;

    cr_assert_eq(proto_receive(supervisor, &msg, fds, &count), PROTO_OK);
    return msg;
}

static void say(enum proto_kind kind)
{
    struct proto_msg msg = {.kind = (uint16_t)kind};
    cr_assert_eq(proto_send(supervisor, &msg, NULL, 0), PROTO_OK);
}

/* Sends `count` descriptors of a group of `total`, from `first` on. */
static void give(struct proto_msg *want, uint32_t first, uint32_t count, uint32_t total)
{
    int fds[PROTO_FDS_MAX];

    want->kind = PROTO_HAVE;
    want->first = first;
    want->count = total;
    for (uint32_t i = 0; i < count; i++)
        fds[i] = STDIN_FILENO;
    cr_assert_eq(proto_send(supervisor, want, fds, count), PROTO_OK);
}

static enum channel_event next(struct channel_report *report)
{
    channel_receive(channel, report);
    return report->event;
}

Test(channel, sockets_come_together_even_if_sent_in_batches)
{
    struct channel_report report;

    cr_assert_eq(channel_want(channel, &address, 70, 0), 0);
    struct proto_msg want = heard();
    cr_assert_eq(want.kind, PROTO_WANT);
    cr_assert_eq(want.count, 70);
    give(&want, 0, PROTO_FDS_MAX, 70);
    cr_assert_eq(next(&report), CHANNEL_NONE, "not all are there");
    give(&want, PROTO_FDS_MAX, 70 - PROTO_FDS_MAX, 70);
    cr_assert_eq(next(&report), CHANNEL_HAVE);
    cr_assert_eq(report.sockets.count, 70);
    cr_assert(addr_equal(&report.sockets.address, &address));
    channel_sockets_fini(&report.sockets);
}

Test(channel, unix_addresses_travel_unchanged)
{
    struct channel_report report;
    struct addr path;

    cr_assert_eq(addr_parse(STR("unix:/run/tollgate.sock"), &path), 0);
    cr_assert_eq(channel_want(channel, &path, 1, 0600), 0);
    struct proto_msg want = heard();
    cr_assert_eq(want.mode, 0600);
    give(&want, 0, 1, 1);
    cr_assert_eq(next(&report), CHANNEL_HAVE);
    cr_assert(addr_equal(&report.sockets.address, &path));
    channel_sockets_fini(&report.sockets);
}

Test(channel, a_refusal_names_address_reason_and_owner)
{
    struct channel_report report;

    cr_assert_eq(channel_want(channel, &address, 1, 0), 0);
    struct proto_msg answer = heard();
    answer.kind = PROTO_ERR;
    answer.error = EADDRINUSE;
    strcpy(answer.text, "nginx (pid 7)");
    cr_assert_eq(proto_send(supervisor, &answer, NULL, 0), PROTO_OK);
    cr_assert_eq(next(&report), CHANNEL_ERR);
    cr_assert_eq(report.error, EADDRINUSE);
    cr_assert_str_eq(report.owner, "nginx (pid 7)");
    cr_assert(addr_equal(&report.sockets.address, &address));
}

Test(channel, commands_arrive_in_order)
{
    static const enum proto_kind said[] = {PROTO_RELOAD, PROTO_REOPEN, PROTO_DRAIN, PROTO_STOP};
    static const enum channel_event events[] = {CHANNEL_RELOAD, CHANNEL_REOPEN, CHANNEL_DRAIN,
                                                CHANNEL_STOP, CHANNEL_NONE};
    struct channel_report report;

    for (size_t i = 0; i < 4; i++)
        say(said[i]);
    for (size_t i = 0; i < 5; i++)
        cr_assert_eq(next(&report), events[i]);
}

Test(channel, what_the_gateway_process_says_arrives)
{
    channel_ready(channel);
    cr_assert_eq(heard().kind, PROTO_READY);
    channel_reloaded(channel, true);
    cr_assert_eq(heard().error, 0);
    channel_reloaded(channel, false);
    cr_assert_neq(heard().error, 0);
    channel_beat(channel);
    cr_assert_eq(heard().kind, PROTO_BEAT);
    channel_stopping(channel);
    cr_assert_eq(heard().kind, PROTO_STOPPING);
    channel_release(channel, &address);
    cr_assert_eq(heard().kind, PROTO_RELEASE);
}

Test(channel, a_supervisor_that_does_not_read_is_not_waited_for)
{
    for (int i = 0; i < 10000; i++)
        channel_beat(channel);
}

Test(channel, the_end_of_the_supervisor_is_told_again_and_again)
{
    struct channel_report report;

    close(supervisor);
    cr_assert_eq(next(&report), CHANNEL_CLOSED);
    cr_assert_eq(next(&report), CHANNEL_CLOSED);
    cr_assert_eq(channel_want(channel, &address, 1, 0), -1);
}
