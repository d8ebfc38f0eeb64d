/* Accepting, pausing and draining. */
#include "net/listener.h"

#include "base/check.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

enum { CLIENTS = 40 };

static struct loop *loop;
static struct listener listener;
static struct addr addr;
static int accepted, wanted;

static void on_accept(struct listener *l, int fd, const struct addr *peer)
{
    (void)l;
    cr_assert(addr_is_loopback(peer));
    cr_assert(fcntl(fd, F_GETFL) & O_NONBLOCK);
    cr_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    close(fd);
    if (++accepted == wanted)
        loop_stop(loop);
}

static void open_listener(const char *text)
{
    loop = loop_new();
    cr_assert(addr_parse(str_of(text), &addr) == 0);
    int fd = socket(addr.sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
    cr_assert(bind(fd, &addr.sa, addr.len) == 0 && listen(fd, CLIENTS * 2) == 0);
    cr_assert(getsockname(fd, &addr.sa, &addr.len) == 0);
    cr_assert(listener_open(&listener, loop, fd, on_accept) == 0);
}

static void close_listener(void)
{
    listener_stop(&listener);
    close(listener.fd);
    loop_free(loop);
}

static void connect_clients(int *fd, int n)
{
    for (int i = 0; i < n; i++) {
        fd[i] = socket(addr.sa.sa_family, SOCK_STREAM, 0);
        cr_assert(connect(fd[i], &addr.sa, addr.len) == 0);
    }
}

static void close_clients(const int *fd, int n)
{
    for (int i = 0; i < n; i++)
        close(fd[i]);
}

Test(listener, accepts_more_than_fit_into_one_turn)
{
    int fd[CLIENTS];
    open_listener("127.0.0.1:0");
    connect_clients(fd, CLIENTS);
    wanted = CLIENTS;
    loop_run(loop);
    cr_assert_eq(accepted, CLIENTS);
    cr_assert_geq(loop->turns, 2);
    close_clients(fd, CLIENTS);
    close_listener();
}

Test(listener, accepts_on_a_unix_socket)
{
    int fd[1];
    unlink("/tmp/tg-test-listener.sock");
    open_listener("unix:/tmp/tg-test-listener.sock");
    connect_clients(fd, 1);
    wanted = 1;
    loop_run(loop);
    close_clients(fd, 1);
    close_listener();
    unlink("/tmp/tg-test-listener.sock");
}

Test(listener, draining_takes_the_queue_and_leaves_the_socket_open)
{
    int fd[CLIENTS];
    open_listener("127.0.0.1:0");
    connect_clients(fd, CLIENTS);
    listener_drain(&listener);
    cr_assert_eq(accepted, CLIENTS);
    cr_assert(!listener.open);
    connect_clients(fd, 1);
    close_clients(fd, CLIENTS);
    close_listener();
}

static void raise_limit(struct timer *t)
{
    struct rlimit many = {256, 256};
    (void)t;
    cr_assert_eq(accepted, 0);
    cr_assert_gt(listener.paused, 0);
    setrlimit(RLIMIT_NOFILE, &many);
}

Test(listener, pauses_without_descriptors_and_goes_on_when_there_are_some)
{
    int fd[1];
    struct timer later = {.fire = raise_limit};
    struct rlimit none;
    open_listener("127.0.0.1:0");
    connect_clients(fd, 1);
    getrlimit(RLIMIT_NOFILE, &none);
    none.rlim_cur = (rlim_t)dup(fd[0]);
    close((int)none.rlim_cur);
    none.rlim_max = 256;
    cr_assert(setrlimit(RLIMIT_NOFILE, &none) == 0);
    wanted = 1;
    timer_set(loop, &later, 30);
    loop_run(loop);
    cr_assert_eq(accepted, 1);
    cr_assert_eq(listener.paused, 1);
    close_clients(fd, 1);
    close_listener();
}
