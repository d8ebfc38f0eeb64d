/* One gateway process, see child.h. */
#include "supervisor/child.h"

#include "base/check.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Both ends of what connects the two processes. */
struct link {
    int channel[2];
    int panic[2];
};

static int link_open(struct link *link)
{
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, link->channel) != 0)
        return errno;
    if (pipe2(link->panic, O_CLOEXEC) == 0)
        return 0;
    int error = errno;
    close(link->channel[0]);
    close(link->channel[1]);
    return error;
}

/* In the new process: what it inherits is its end of the link, and that a Ctrl-C at the terminal or
 * a signal to the whole group is its supervisor's to answer. */
static _Noreturn void child_exec(const struct child_image *image, const struct link *link,
                                 uint32_t restarts)
{
    static const int ignored[] = {SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGPIPE};
    char name[] = "tollgate", role[] = "--role=gateway", option[] = "-c";
    char ends[64], path[4096];
    char *const argv[] = {name, role, ends, option, path, NULL};

    for (size_t i = 0; i < array_size(ignored); i++)
        signal(ignored[i], SIG_IGN);
    sigprocmask(SIG_SETMASK, &image->signals, NULL);
    fcntl(link->channel[1], F_SETFD, 0);
    fcntl(link->panic[1], F_SETFD, 0);
    snprintf(path, sizeof(path), "%s", image->conf_path);
    snprintf(ends, sizeof(ends), "--link=%d,%d,%" PRIu32, link->channel[1], link->panic[1],
             restarts);
    /* Huge pages for the heap, where connections lie: fewer address translations are missed with
     * thousands of them. It can only be said in the environment. */
    setenv("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1", 0);
    fexecve(image->exe_fd, argv, environ);
    log_error("cannot execute the gateway process: %s", strerror(errno));
    _exit(1);
}

int child_spawn(struct child *child, const struct child_image *image, uint32_t restarts,
                uint64_t now_ns)
{
    struct link link;
    int error = link_open(&link);

    if (error != 0)
        return error;
    pid_t pid = fork();
    if (pid == 0)
        child_exec(image, &link, restarts);
    if (pid < 0)
        error = errno;
    close(link.channel[1]);
    close(link.panic[1]);
    if (error != 0) {
        close(link.channel[0]);
        close(link.panic[0]);
        return error;
    }
    fcntl(link.channel[0], F_SETFL, O_NONBLOCK);
    fcntl(link.panic[0], F_SETFL, O_NONBLOCK);
    *child = (struct child){.pid = pid,
                            .channel_fd = link.channel[0],
                            .panic_fd = link.panic[0],
                            .silence_ns = now_ns + CHILD_START_MS * UINT64_C(1000000)};
    return 0;
}

void child_beat(struct child *child, uint64_t now_ns)
{
    if (!child->aborted)
        child->silence_ns = now_ns + CHILD_SILENCE_MS * UINT64_C(1000000);
}

void child_strike(struct child *child, uint64_t now_ns)
{
    log_error("gateway process %d gives no sign of life: %s", (int)child->pid,
              child->aborted ? "SIGKILL" : "SIGABRT");
    kill(child->pid, child->aborted ? SIGKILL : SIGABRT);
    child->silence_ns = now_ns + CHILD_ABORT_MS * UINT64_C(1000000);
    child->aborted = true;
}

bool child_tell(struct child *child, enum proto_kind kind)
{
    struct proto_msg msg = {.kind = (uint16_t)kind};

    if (child->pid == 0 || child->channel_fd < 0)
        return false;
    return proto_send(child->channel_fd, &msg, NULL, 0) == PROTO_OK;
}

void child_read_panic(struct child *child)
{
    char sink[512];
    ssize_t got;

    do {
        size_t room = CHILD_PANIC_MAX - child->panic_length;
        bool full =
            room == 0; /* what comes now is too much to log, but must not stay in the pipe */
        got = read(child->panic_fd, full ? sink : child->panic + child->panic_length,
                   full ? sizeof(sink) : room);
        if (got > 0 && !full)
            child->panic_length += (size_t)got;
    } while (got > 0 || (got < 0 && errno == EINTR));
    if (got == 0) {
        close(child->panic_fd);
        child->panic_fd = -1;
    }
}

void child_close_channel(struct child *child)
{
    if (child->channel_fd >= 0)
        close(child->channel_fd);
    child->channel_fd = -1;
}

static void log_death(const struct child *child, int status)
{
    const struct log_field trace = {"error.stack_trace", child->panic};
    bool spoke = child->panic_length > 0;

    if (WIFSIGNALED(status))
        log_write(LOG_LEVEL_ERROR, &trace, spoke, "gateway process %d died of signal %d%s%.*s",
                  (int)child->pid, WTERMSIG(status), spoke ? ": " : "",
                  (int)strcspn(child->panic, "\n"), child->panic);
    else if (WEXITSTATUS(status) != 0 && child->ready)
        log_error("gateway process %d exited with status %d", (int)child->pid, WEXITSTATUS(status));
}

void child_reaped(struct child *child, int status)
{
    if (child->panic_fd >= 0)
        child_read_panic(child);
    child->panic[child->panic_length] = '\0';
    log_death(child, status);
    child_close_channel(child);
    if (child->panic_fd >= 0)
        close(child->panic_fd);
    *child = (struct child){0};
}
