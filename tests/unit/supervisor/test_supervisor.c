/* The supervisor's loop with a fake gateway process: this very program, which the supervisor starts
 * again as it would the real one; the "configuration" names how the fake one behaves. It reports
 * what it sees, one letter each, to a pipe. */
#include "base/proto.h"
#include "supervisor/supervisor.h"

#include <criterion/criterion.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Where the fake gateway process reports to; inherited under this number. */
#define REPORT_FD 200

static pid_t supervisor;
static int reports;

static void report(char letter)
{
    ssize_t put = write(REPORT_FD, &letter, 1);
    (void)put;
}

static void tell(int channel, enum proto_kind kind)
{
    struct proto_msg msg = {.kind = (uint16_t)kind};
    if (proto_send(channel, &msg, NULL, 0) != PROTO_OK)
        _exit(3);
}

static void ask_for_sockets(int channel)
{
    struct proto_msg msg = {.kind = PROTO_WANT, .count = 100};
    struct sockaddr_in *in = (struct sockaddr_in *)&msg.address.storage;
    int fds[PROTO_FDS_MAX];
    size_t count;

    in->sin_family = AF_INET;
    in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    msg.address.length = sizeof(*in);
    if (proto_send(channel, &msg, NULL, 0) != PROTO_OK)
        _exit(3);
    for (size_t got = 0; got < 100; got += count) {
        if (proto_receive(channel, &msg, fds, &count) != PROTO_OK || msg.first != got)
            _exit(4);
    }
    report('w');
}

static void obey(const char *behaviour, int channel)
{
    struct proto_msg msg;
    int fds[PROTO_FDS_MAX];
    size_t count;

    while (proto_receive(channel, &msg, fds, &count) == PROTO_OK) {
        if (msg.kind == PROTO_RELOAD) {
            report('H');
            tell(channel, PROTO_RELOADED);
        } else if (msg.kind == PROTO_REOPEN) {
            report('U');
        } else if (msg.kind == PROTO_DRAIN) {
            report('D');
            if (strcmp(behaviour, "endless") != 0)
                _exit(strcmp(behaviour, "clumsy") == 0 ? 7 : 0);
        } else if (msg.kind == PROTO_STOP) {
            report('S');
            _exit(0);
        }
    }
    report('E');
    _exit(0);
}

static _Noreturn void play_gateway(char **argv)
{
    const char *behaviour = argv[4];
    int channel, panic;
    unsigned restarts;

    if (sscanf(argv[2], "--link=%d,%d,%u", &channel, &panic, &restarts) != 3)
        _exit(5);
    report((char)('0' + restarts));
    if (strcmp(behaviour, "failing") == 0)
        _exit(42);
    ask_for_sockets(channel);
    tell(channel, PROTO_READY);
    report('r');
    obey(behaviour, channel);
    abort();
}

/* Runs before Criterion's main(): in the fake gateway process it never comes to that. */
__attribute__((constructor)) static void choose_role(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "--role=gateway") == 0)
        play_gateway(argv);
}

static void start_supervisor(const char *behaviour)
{
    int ends[2];

    cr_assert_eq(pipe(ends), 0);
    reports = ends[0];
    supervisor = fork();
    if (supervisor == 0) {
        dup2(ends[1], REPORT_FD);
        close(ends[0]);
        close(ends[1]);
        _exit(supervisor_run(behaviour));
    }
    close(ends[1]);
}

/* Reads the reports up to `letter`; at the latest after ten seconds the test fails. */
static void await(char letter)
{
    struct pollfd fd = {.fd = reports, .events = POLLIN};
    char got = '\0';

    while (got != letter) {
        cr_assert_eq(poll(&fd, 1, 10000), 1, "no '%c' came", letter);
        cr_assert_eq(read(reports, &got, 1), 1, "the end came before '%c'", letter);
    }
}

static void send_signal(int number)
{
    cr_assert_eq(kill(supervisor, number), 0);
}

static int end_status(void)
{
    int status;

    cr_assert_eq(waitpid(supervisor, &status, 0), supervisor);
    cr_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* The fake gateway process, the supervisor's only child. */
static pid_t gateway_pid(void)
{
    char path[64];
    int pid = 0;

    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)supervisor, (int)supervisor);
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file);
    cr_assert_eq(fscanf(file, "%d", &pid), 1);
    fclose(file);
    return pid;
}

TestSuite(supervisor, .timeout = 30);

Test(supervisor, sigterm_drains_and_the_status_is_0)
{
    start_supervisor("good");
    await('r');
    send_signal(SIGTERM);
    await('D');
    cr_assert_eq(end_status(), 0);
}

Test(supervisor, a_drain_that_fails_is_seen_in_the_status)
{
    start_supervisor("clumsy");
    await('r');
    send_signal(SIGINT);
    await('D');
    cr_assert_eq(end_status(), 1);
}

Test(supervisor, the_second_sigterm_stops_at_once)
{
    start_supervisor("endless");
    await('r');
    send_signal(SIGTERM);
    await('D');
    send_signal(SIGTERM);
    await('S');
    cr_assert_eq(end_status(), 0);
}

Test(supervisor, sighup_and_sigusr1_become_messages_and_sigusr2_changes_nothing)
{
    start_supervisor("good");
    await('r');
    send_signal(SIGHUP);
    await('H');
    send_signal(SIGUSR2);
    send_signal(SIGUSR1);
    await('U');
    send_signal(SIGTERM);
    cr_assert_eq(end_status(), 0);
}

Test(supervisor, a_first_start_that_fails_ends_the_supervisor_with_its_status)
{
    start_supervisor("failing");
    await('0');
    cr_assert_eq(end_status(), 42);
}

Test(supervisor, a_gateway_process_that_dies_is_started_again_and_told_how_often)
{
    start_supervisor("good");
    await('r');
    kill(gateway_pid(), SIGKILL);
    await('1');
    await('r');
    kill(gateway_pid(), SIGKILL);
    await('2');
    await('r');
    send_signal(SIGTERM);
    cr_assert_eq(end_status(), 0);
}

Test(supervisor, sigterm_between_two_starts_ends_it)
{
    start_supervisor("good");
    for (char restarts = '0'; restarts <= '2'; restarts++) {
        await(restarts);
        await('r');
        kill(gateway_pid(), SIGKILL);
    }
    usleep(100000); /* the third start comes half a second after the death */
    send_signal(SIGTERM);
    cr_assert_eq(end_status(), 0);
}

Test(supervisor, a_gateway_process_sees_its_supervisor_die)
{
    start_supervisor("good");
    await('r');
    send_signal(SIGKILL);
    await('E');
    int status;
    cr_assert_eq(waitpid(supervisor, &status, 0), supervisor);
}
