/* One worker thread on a real socket, ruled by messages as control does it. */
#include "worker/worker.h"

#include "base/ring.h"
#include "base/xmem.h"
#include "conf/build.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PATIENCE_MS = 10000 };

static struct fixture {
    struct loop *loop; /* control's */
    struct inbox *inbox;
    struct core_shared shared;
    struct metrics *metrics;
    struct ring *ring;
    struct endpoints endpoints;
    struct ossl_lib_ctx_st *lib;
    struct worker *worker;
    struct sockaddr_in address;
    int gone, drained; /* messages that came */
} f;

static void on_gone(struct message *m)
{
    struct snapshot *s = container_of(m, struct snapshot_worker, gone)->snapshot;
    f.gone++;
    build_free(&f.endpoints, &s);
}

static void on_drained(struct message *m)
{
    (void)m;
    f.drained++;
}

/* A snapshot whose only route answers with this text. */
static struct snapshot *answering(const char *text)
{
    struct conf_errors errors = {0};
    struct conf *conf = NULL;
    struct buf json = {0}, error = {0};
    struct build b = {.endpoints = &f.endpoints, .libs = &f.lib, .worker_count = 1};

    buf_printf(&json,
               "{\"listeners\": [{\"name\": \"public\", \"address\": \"127.0.0.1:1\"}], \"routes\":"
               " [{\"name\": \"all\", \"match\": {\"path_prefix\": \"/\"}, \"auth\": \"none\","
               " \"limits\": \"none\", \"respond\": {\"status\": 200, \"body\": \"%s\"}}]}",
               text);
    cr_assert_eq(conf_load_text("/tmp/test.json", json.p, json.n, NULL, &conf, &errors), 0);
    struct snapshot *s = build_snapshot(&b, conf, 1, &error);
    cr_assert_not_null(s, "%s", buf_text(&error));
    s->workers[0].gone.run = on_gone;
    conf_unref(&conf);
    conf_errors_fini(&errors);
    buf_free(&json);
    buf_free(&error);
    return s;
}

static int listening(void)
{
    socklen_t len = sizeof f.address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    f.address =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    cr_assert_eq(bind(fd, (struct sockaddr *)&f.address, len), 0);
    cr_assert_eq(listen(fd, 16), 0);
    cr_assert_eq(getsockname(fd, (struct sockaddr *)&f.address, &len), 0);
    return fd;
}

static void setup(void)
{
    f.loop = loop_new();
    f.inbox = inbox_new(f.loop);
    f.metrics = metrics_new((const uint64_t[]){1000000}, 1);
    f.ring = ring_new(1 << 16, -1);
    f.worker = worker_new(&(struct worker_options){.metrics = f.metrics,
                                                   .log = f.ring,
                                                   .shared = &f.shared,
                                                   .control = f.inbox,
                                                   .on_drained = on_drained});
    cr_assert_not_null(f.worker);
    cr_assert_eq(worker_listen(f.worker, listening(), "127.0.0.1:1"), 0);
    worker_begin_with(f.worker, answering("first"));
}

/* Ends the worker if the test did not; every snapshot has to come back. */
static void teardown(void)
{
    worker_stop(f.worker);
    worker_free(&f.worker);
    inbox_free(f.inbox);
    ring_free(&f.ring);
    metrics_free(&f.metrics);
    endpoints_fini(&f.endpoints);
    loop_free(f.loop);
}

TestSuite(worker, .init = setup, .fini = teardown);

static int dial(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_eq(connect(fd, (struct sockaddr *)&f.address, sizeof f.address), 0);
    cr_assert_eq(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &(struct timeval){PATIENCE_MS / 1000, 0},
                            sizeof(struct timeval)),
                 0);
    return fd;
}

static void say(int fd, const char *text)
{
    cr_assert_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

static const char get[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

/* The answer's bytes, up to the text it has to end with. */
static void expect(int fd, const char *text)
{
    char answer[4096] = "";
    size_t n = 0;
    while (!strstr(answer, text)) {
        ssize_t got = recv(fd, answer + n, sizeof answer - 1 - n, 0);
        cr_assert_gt(got, 0, "no \"%s\" in \"%s\"", text, answer);
        n += (size_t)got;
        answer[n] = 0;
    }
}

static void expect_end(int fd)
{
    char byte;
    cr_assert_leq(recv(fd, &byte, 1, 0), 0);
    close(fd);
}

/* Runs control's inbox until the count is reached. */
static void wait_for(const int *count, int wanted)
{
    for (int ms = 0; *count < wanted && ms < PATIENCE_MS; ms++) {
        poll(NULL, 0, 1);
        inbox_run(f.inbox);
    }
    cr_assert_eq(*count, wanted);
}

Test(worker, answers_on_its_sockets_by_its_snapshot)
{
    cr_assert_eq(worker_start(f.worker), 0);
    int fd = dial();
    for (int i = 0; i < 3; i++) {
        say(fd, get);
        expect(fd, "\r\n\r\nfirst");
    }
    close(fd);
}

Test(worker, one_that_never_ran_gives_everything_back)
{
    worker_free(&f.worker);
    inbox_run(f.inbox);
    cr_assert_eq(f.gone, 1);
    f.worker = worker_new(&(struct worker_options){
        .metrics = f.metrics, .log = f.ring, .shared = &f.shared, .control = f.inbox});
}

Test(worker, an_adopted_snapshot_rules_the_next_request_and_the_old_one_comes_back_once)
{
    cr_assert_eq(worker_start(f.worker), 0);
    int fd = dial();
    say(fd, get);
    expect(fd, "\r\n\r\nfirst");
    worker_adopt(f.worker, answering("second"));
    wait_for(&f.gone, 1);
    say(fd, get);
    expect(fd, "\r\n\r\nsecond");
    for (int i = 2; i <= 5; i++) {
        worker_adopt(f.worker, answering("later"));
        wait_for(&f.gone, i);
    }
    say(fd, get);
    expect(fd, "\r\n\r\nlater");
    close(fd);
}

Test(worker, a_request_that_has_begun_keeps_its_snapshot)
{
    cr_assert_eq(worker_start(f.worker), 0);
    int fd = dial();
    say(fd, "GET / HT");
    for (int ms = 0; atomic_load(&f.worker->core.live_count) == 0 && ms < PATIENCE_MS; ms++)
        poll(NULL, 0, 1);
    worker_adopt(f.worker, answering("second"));
    int other = dial();
    say(other, get);
    expect(other, "\r\n\r\nsecond");
    close(other);
    inbox_run(f.inbox);
    cr_assert_eq(f.gone, 0);
    say(fd, "TP/1.1\r\nHost: x\r\n\r\n");
    expect(fd, "\r\n\r\nfirst");
    wait_for(&f.gone, 1);
    close(fd);
}

Test(worker, a_drain_answers_what_is_on_its_way_and_says_when_nothing_is_left)
{
    cr_assert_eq(worker_start(f.worker), 0);
    int used = dial();
    say(used, get);
    expect(used, "first");
    int fresh = dial();
    worker_drain(f.worker);
    say(fresh, get);
    expect(fresh, "Connection: close\r\n\r\nfirst");
    expect_end(fresh);
    expect_end(used); /* idle for a second */
    wait_for(&f.drained, 1);
    int refused = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_neq(connect(refused, (struct sockaddr *)&f.address, sizeof f.address), 0);
    close(refused);
}

Test(worker, a_stop_cuts_off_what_runs)
{
    cr_assert_eq(worker_start(f.worker), 0);
    int fd = dial();
    say(fd, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n12");
    int idle = dial();
    say(idle, get);
    expect(idle, "first");
    worker_stop(f.worker);
    cr_assert_eq(atomic_load(&f.worker->core.live_count), 0);
    cr_assert_eq(atomic_load(&f.shared.connections), 0);
    close(fd);
    close(idle);
}
