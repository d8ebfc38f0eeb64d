/* The supervisor's loop, see supervisor.h. What comes in (signals, messages, panic text) is handled
 * before what is due: a supervisor that was stopped for a while must not take the messages that
 * waited for it for silence. */
#include "supervisor/supervisor.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "supervisor/backoff.h"
#include "supervisor/child.h"
#include "supervisor/notify.h"
#include "supervisor/owner.h"
#include "supervisor/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* How long and how often a foreign owner of an address is waited for: it may be about to leave. */
#define IN_USE_MS       1000
#define IN_USE_RETRY_MS 20

#define NEVER UINT64_MAX

enum stop { STOP_NOT, STOP_DRAIN, STOP_NOW };

struct supervisor {
    struct child_image image;
    int signal_fd;
    struct sockets sockets;
    struct child child;
    struct backoff backoff;
    uint32_t restarts;
    uint64_t generation;    /* counts the gateway processes */
    uint64_t spawn_ns;      /* when to start the next one; NEVER: one is there, or none is wanted */
    struct proto_msg want;  /* an address that is in use, tried again until it is free or ... */
    uint64_t want_until_ns; /* ... this moment; NEVER: there is none */
    uint64_t want_retry_ns;
    uint64_t kill_ns; /* when the process that was told to stop is killed; or NEVER */
    bool ever_ready;
    bool reload_asked; /* a SIGHUP came while no gateway process could take it */
    enum stop stop;
    bool done;
    int status;
};

static uint64_t after_ms(uint64_t now_ns, uint64_t delay_ms)
{
    return now_ns + delay_ms * UINT64_C(1000000);
}

static void finish(struct supervisor *sup, int status)
{
    sup->done = true;
    sup->status = status;
}

static void spawn(struct supervisor *sup, uint64_t now_ns)
{
    int error = child_spawn(&sup->child, &sup->image, sup->restarts, now_ns);

    sup->spawn_ns = NEVER;
    sup->generation++;
    if (error == 0)
        return;
    log_error("cannot start a gateway process: %s", strerror(error));
    if (sup->ever_ready)
        sup->spawn_ns = after_ms(now_ns, backoff_next_ms(&sup->backoff, 0));
    else
        finish(sup, 1);
}

static void reload(struct supervisor *sup)
{
    notify_reloading();
    sup->reload_asked = !sup->child.ready || !child_tell(&sup->child, PROTO_RELOAD);
}

/* Answers the first SIGTERM with a drain and the second with a stop. */
static void stop(struct supervisor *sup, uint64_t now_ns)
{
    if (sup->stop == STOP_NOT)
        notify_stopping();
    sup->stop = sup->stop == STOP_NOT ? STOP_DRAIN : STOP_NOW;
    sup->spawn_ns = NEVER;
    if (sup->child.pid == 0) {
        finish(sup, 0);
        return;
    }
    bool told = child_tell(&sup->child, sup->stop == STOP_DRAIN ? PROTO_DRAIN : PROTO_STOP);
    if (sup->stop == STOP_NOW)
        sup->kill_ns = after_ms(now_ns, told ? CHILD_STOP_MS : 0);
}

static void on_died(struct supervisor *sup, int status, uint64_t now_ns)
{
    bool was_ready = sup->child.ready;
    uint64_t ready_ms = was_ready ? (now_ns - sup->child.ready_ns) / 1000000 : 0;
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);

    child_reaped(&sup->child, status);
    sup->want_until_ns = NEVER;
    if (sup->stop != STOP_NOT) {
        finish(sup, sup->stop == STOP_NOW || code == 0 ? 0 : 1);
    } else if (!sup->ever_ready) {
        finish(sup, code != 0 ? code : 1);
    } else {
        uint64_t delay_ms = backoff_next_ms(&sup->backoff, ready_ms);
        sup->restarts++;
        sup->spawn_ns = after_ms(now_ns, delay_ms);
        log_warn("starting the gateway process again in %" PRIu64 " ms (restart %" PRIu32 ")",
                 delay_ms, sup->restarts);
    }
}

/* Reaps the gateway process and, as the reaper of orphans, anybody else's. */
static void reap(struct supervisor *sup, uint64_t now_ns)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid == sup->child.pid)
            on_died(sup, status, now_ns);
    }
}

static void on_signal(struct supervisor *sup, int number, uint64_t now_ns)
{
    switch (number) {
    case SIGHUP: reload(sup); break;
    case SIGTERM:
    case SIGINT: stop(sup, now_ns); break;
    case SIGUSR1:
        if (!child_tell(&sup->child, PROTO_REOPEN))
            log_warn("no gateway process is there to open its log files again");
        break;
    case SIGUSR2:
        log_warn("SIGUSR2: changing the binary without a stop is not supported yet");
        break;
    case SIGCHLD: reap(sup, now_ns); break;
    }
}

static void read_signals(struct supervisor *sup, uint64_t now_ns)
{
    struct signalfd_siginfo info;

    while (!sup->done && read(sup->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
        on_signal(sup, (int)info.ssi_signo, now_ns);
}

static void send_group(struct supervisor *sup, const struct sockets_group *group)
{
    struct proto_msg have = {
        .kind = PROTO_HAVE, .address = group->address, .count = (uint32_t)group->count};
    enum proto_result result = PROTO_OK;

    for (size_t first = 0; first < group->count && result == PROTO_OK; first += PROTO_FDS_MAX) {
        size_t rest = group->count - first;
        have.first = (uint32_t)first;
        result = proto_send(sup->child.channel_fd, &have, group->fds + first,
                            rest < PROTO_FDS_MAX ? rest : PROTO_FDS_MAX);
    }
    if (result != PROTO_OK)
        log_error("gateway process %d cannot be given its sockets", (int)sup->child.pid);
}

static void send_error(struct supervisor *sup, const struct proto_msg *want, int error)
{
    struct proto_msg msg = {.kind = PROTO_ERR, .address = want->address, .error = error};

    if (error == EADDRINUSE)
        owner_find(&want->address, msg.text, sizeof(msg.text));
    if (proto_send(sup->child.channel_fd, &msg, NULL, 0) != PROTO_OK)
        log_error("gateway process %d cannot be told that it gets no sockets", (int)sup->child.pid);
}

/* Answers sup->want, or leaves it for later while the address is in use. */
static void try_want(struct supervisor *sup, uint64_t now_ns)
{
    struct sockets_group *group;
    int error = sockets_want(&sup->sockets, &sup->want, sup->generation, &group);

    sup->want_retry_ns = after_ms(now_ns, IN_USE_RETRY_MS);
    if (error == EADDRINUSE && now_ns < sup->want_until_ns)
        return;
    sup->want_until_ns = NEVER;
    if (error == 0)
        send_group(sup, group);
    else
        send_error(sup, &sup->want, error);
}

static void on_ready(struct supervisor *sup, uint64_t now_ns)
{
    sup->child.ready = true;
    sup->child.ready_ns = now_ns;
    sup->ever_ready = true;
    sockets_release_older(&sup->sockets, sup->generation);
    log_info("gateway process %d is ready", (int)sup->child.pid);
    if (sup->stop == STOP_NOT)
        notify_ready();
    if (sup->reload_asked)
        reload(sup);
}

/* As long as one copy of a socket is open, the kernel accepts. */
static void on_stopping(struct supervisor *sup)
{
    log_info("gateway process %d is draining", (int)sup->child.pid);
    if (sup->stop != STOP_NOT)
        sockets_fini(&sup->sockets);
}

static void on_message(struct supervisor *sup, const struct proto_msg *msg, uint64_t now_ns)
{
    switch ((enum proto_kind)msg->kind) {
    case PROTO_WANT:
        sup->want = *msg;
        sup->want_until_ns = after_ms(now_ns, IN_USE_MS);
        try_want(sup, now_ns);
        break;
    case PROTO_RELEASE: sockets_release(&sup->sockets, &msg->address); break;
    case PROTO_READY:
        child_beat(&sup->child, now_ns);
        on_ready(sup, now_ns);
        break;
    case PROTO_RELOADED:
        if (sup->stop == STOP_NOT)
            notify_ready();
        break;
    case PROTO_BEAT: child_beat(&sup->child, now_ns); break;
    case PROTO_STOPPING: on_stopping(sup); break;
    default:
        log_warn("message %u of gateway process %d is not one for the supervisor", msg->kind,
                 (int)sup->child.pid);
    }
}

/* Handles what is in the channel, up to a WANT that has to wait. */
static void read_channel(struct supervisor *sup, uint64_t now_ns)
{
    struct proto_msg msg;
    int fds[PROTO_FDS_MAX];
    size_t count;

    while (sup->want_until_ns == NEVER) {
        switch (proto_receive(sup->child.channel_fd, &msg, fds, &count)) {
        case PROTO_OK: on_message(sup, &msg, now_ns); break;
        case PROTO_BAD:
            log_warn("gateway process %d sent a malformed message", (int)sup->child.pid);
            break;
        case PROTO_AGAIN: return;
        case PROTO_CLOSED: child_close_channel(&sup->child); return;
        }
    }
}

static void run_due(struct supervisor *sup, uint64_t now_ns)
{
    if (sup->want_until_ns != NEVER && now_ns >= sup->want_retry_ns)
        try_want(sup, now_ns);
    if (sup->child.pid != 0 && now_ns >= sup->kill_ns) {
        kill(sup->child.pid, SIGKILL);
        sup->kill_ns = NEVER;
    }
    if (sup->child.pid != 0 && now_ns >= sup->child.silence_ns)
        child_strike(&sup->child, now_ns);
    if (now_ns >= sup->spawn_ns)
        spawn(sup, now_ns);
}

static int wait_ms(const struct supervisor *sup, uint64_t now_ns)
{
    uint64_t due_ns = sup->spawn_ns;

    if (sup->want_until_ns != NEVER && sup->want_retry_ns < due_ns)
        due_ns = sup->want_retry_ns;
    if (sup->child.pid != 0 && sup->kill_ns < due_ns)
        due_ns = sup->kill_ns;
    if (sup->child.pid != 0 && sup->child.silence_ns < due_ns)
        due_ns = sup->child.silence_ns;
    if (due_ns == NEVER)
        return -1;
    return due_ns <= now_ns ? 0 : (int)((due_ns - now_ns + 999999) / 1000000);
}

static void turn(struct supervisor *sup)
{
    uint64_t now_ns = clock_mono_ns();
    bool wanting = sup->want_until_ns != NEVER;
    bool alive = sup->child.pid != 0;
    struct pollfd fds[] = {
        {.fd = sup->signal_fd, .events = POLLIN},
        {.fd = alive && !wanting ? sup->child.channel_fd : -1, .events = POLLIN},
        {.fd = alive ? sup->child.panic_fd : -1, .events = POLLIN},
    };

    int count = poll(fds, array_size(fds), wait_ms(sup, now_ns));
    ensure(count >= 0 || errno == EINTR);
    now_ns = clock_mono_ns();
    if (count > 0 && fds[1].revents != 0)
        read_channel(sup, now_ns);
    if (count > 0 && fds[2].revents != 0)
        child_read_panic(&sup->child);
    if (count > 0 && fds[0].revents != 0)
        read_signals(sup, now_ns);
    if (!sup->done)
        run_due(sup, now_ns);
}

/* Blocks the signals that the loop reads, and remembers the mask of before for the children. */
static int open_signals(struct supervisor *sup)
{
    static const int handled[] = {SIGHUP, SIGTERM, SIGINT, SIGUSR1, SIGUSR2, SIGCHLD};
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < array_size(handled); i++)
        sigaddset(&set, handled[i]);
    signal(SIGPIPE, SIG_IGN);
    sigprocmask(SIG_BLOCK, &set, &sup->image.signals);
    sup->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return sup->signal_fd >= 0 ? 0 : errno;
}

/* Sockets on their way count against the sender's limit of descriptors. */
static void raise_descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static int supervisor_init(struct supervisor *sup, const char *conf_path)
{
    *sup = (struct supervisor){.signal_fd = -1,
                               .want_until_ns = NEVER,
                               .kill_ns = NEVER,
                               .image = {.conf_path = conf_path}};
    sockets_init(&sup->sockets);
    raise_descriptors();
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    sup->image.exe_fd = open("/proc/self/exe", O_PATH | O_CLOEXEC);
    if (sup->image.exe_fd < 0)
        return errno;
    return open_signals(sup);
}

int supervisor_run(const char *conf_path)
{
    struct supervisor sup;
    int error = supervisor_init(&sup, conf_path);

    if (error != 0) {
        fprintf(stderr, "tollgate: the supervisor cannot start: %s\n", strerror(error));
        return 1;
    }
    while (!sup.done)
        turn(&sup);
    sockets_fini(&sup.sockets);
    close(sup.signal_fd);
    close(sup.image.exe_fd);
    return sup.status;
}
