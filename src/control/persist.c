/* The persist thread, see persist.h. Producers commit whole lines, so what a ring shows always
 * begins and ends with one. When a file took only a part of a line, the rest is copied to `rest`,
 * which goes before everything else: whatever happens meanwhile, the line is finished first. */
#include "control/persist.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "base/xmem.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { RINGS_MAX = 256, FILES_MAX = 8, TICK_MS = 200, LAST_MS = 1000 };

/* How a file is written without blocking the thread for long. */
enum kind {
    KIND_OWN,    /* opened here: a regular file, or non-blocking */
    KIND_SOCKET, /* sent with MSG_DONTWAIT */
    /* A pipe that others may hold too and that cannot be opened again: asked before each write,
     * at most PIPE_BUF bytes, which then go without waiting. */
    KIND_SHARED,
};

struct persist_file {
    struct list link;
    struct persist *persist;
    char *name, *path;
    _Atomic(char *) redirect; /* the path to go on with; NULL: no change */
    int fd;
    enum kind kind;
    unsigned rings_count, first; /* first: the ring that is written first, each in turn */
    struct ring *rings[RINGS_MAX];
    struct buf rest;       /* end of a line whose beginning is in the file */
    _Atomic uint64_t lost; /* lines */
    uint64_t lost_before;  /* `lost` when writing began to fail */
    int error;             /* errno of the last write, 0: it succeeded */
    bool blocked;          /* the reader is slow: wait until it takes more */
};

struct persist {
    struct list files;
    unsigned files_count;
    int wake_fd;
    pthread_t thread;
    bool running;
    _Atomic bool stop, reopen;
};

static int open_stdout(enum kind *kind)
{
    struct stat st;
    int fd = open("/proc/self/fd/1", O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

    *kind = KIND_OWN;
    if (fd >= 0)
        return fd;
    fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    *kind = fd >= 0 && fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode) ? KIND_SOCKET : KIND_SHARED;
    return fd;
}

static int open_path(const char *path, enum kind *kind)
{
    if (strcmp(path, "-") == 0)
        return open_stdout(kind);
    *kind = KIND_OWN;
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0640);
}

struct persist *persist_new(void)
{
    struct persist *p = xcalloc(1, sizeof *p);

    list_init(&p->files);
    p->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (p->wake_fd >= 0)
        return p;
    free(p);
    return NULL;
}

struct persist_file *persist_open(struct persist *p, const char *name, const char *path)
{
    enum kind kind;
    int fd = open_path(path, &kind);

    ensure(p->files_count < FILES_MAX && !p->running);
    if (fd < 0)
        return NULL;
    struct persist_file *f = xcalloc(1, sizeof *f);
    f->persist = p;
    f->name = xstrdup(name);
    f->path = xstrdup(path);
    f->fd = fd;
    f->kind = kind;
    list_push_back(&p->files, &f->link);
    p->files_count++;
    return f;
}

static void wake(struct persist *p)
{
    uint64_t one = 1;

    if (write(p->wake_fd, &one, sizeof one) < 0)
        return; /* it cannot count higher: the thread is woken already */
}

void persist_redirect(struct persist_file *f, const char *path)
{
    free(atomic_exchange(&f->redirect, xstrdup(path)));
    wake(f->persist);
}

struct ring *persist_ring(struct persist_file *f, size_t size)
{
    struct ring *r = ring_new(size, f->persist->wake_fd);

    ensure(f->rings_count < RINGS_MAX && !f->persist->running);
    if (r)
        f->rings[f->rings_count++] = r;
    return r;
}

/* Takes the file at `path` in place of the present one; what cannot be opened is logged. */
static void switch_file(struct persist_file *f, const char *path)
{
    enum kind kind;
    int fd = open_path(path, &kind);

    if (fd < 0) {
        log_error("cannot open the %s log %s: %s", f->name, path, strerror(errno));
        return;
    }
    /* The old file gets the end of its last line, if it can. */
    if (f->rest.n && write(f->fd, f->rest.p, f->rest.n) < 0)
        atomic_fetch_add_explicit(&f->lost, 1, memory_order_relaxed);
    f->rest.n = 0;
    close(f->fd);
    f->fd = fd;
    f->kind = kind;
    f->blocked = false;
    if (path == f->path)
        return;
    free(f->path);
    f->path = xstrdup(path);
}

static void do_requests(struct persist *p)
{
    bool reopen = atomic_exchange(&p->reopen, false);

    list_for_each(node, &p->files) {
        struct persist_file *f = list_entry(node, struct persist_file, link);
        char *path = atomic_exchange(&f->redirect, NULL);
        if (path && strcmp(path, f->path) != 0)
            switch_file(f, path);
        else if (reopen && strcmp(f->path, "-") != 0)
            switch_file(f, f->path);
        free(path);
    }
}

/* Lost: everything in the rings, line by line. */
static void lose_lines(struct persist_file *f)
{
    uint64_t lines = 0;

    for (unsigned i = 0; i < f->rings_count; i++) {
        struct str left = ring_peek(f->rings[i]), line;
        size_t n = left.n;
        while (left.n > 0 && str_split(&left, '\n', &line))
            lines++;
        ring_consume(f->rings[i], n);
    }
    atomic_fetch_add_explicit(&f->lost, lines, memory_order_relaxed);
}

/* What stands to be written: `rest`, then each ring. Returns the bytes. */
static size_t gather(struct persist_file *f, struct iovec *iov)
{
    size_t bytes = f->rest.n;

    iov[0] = (struct iovec){f->rest.p, f->rest.n};
    for (unsigned i = 0; i < f->rings_count; i++) {
        struct str s = ring_peek(f->rings[(f->first + i) % f->rings_count]);
        iov[1 + i] = (struct iovec){(void *)(uintptr_t)s.p, s.n};
        bytes += s.n;
    }
    return bytes;
}

/* The first `done` bytes of what a ring shows are in the file. */
static void take_from_ring(struct persist_file *f, struct ring *r, size_t done)
{
    struct str s = ring_peek(r);

    if (done > 0 && done < s.n && s.p[done - 1] != '\n') {
        const char *end = memchr(s.p + done, '\n', s.n - done);
        size_t line_end = end ? (size_t)(end + 1 - s.p) : s.n;
        buf_add(&f->rest, s.p + done, line_end - done);
        done = line_end;
    }
    ring_consume(r, done);
}

/* Counterpart of gather: `done` bytes of these vectors were written. */
static void take(struct persist_file *f, const struct iovec *iov, size_t done)
{
    size_t n = done < iov[0].iov_len ? done : iov[0].iov_len;

    if (n > 0)
        memmove(f->rest.p, f->rest.p + n, f->rest.n - n);
    f->rest.n -= n;
    done -= n;
    for (unsigned i = 0; i < f->rings_count && done > 0; i++) {
        n = done < iov[1 + i].iov_len ? done : iov[1 + i].iov_len;
        take_from_ring(f, f->rings[(f->first + i) % f->rings_count], n);
        done -= n;
    }
}

static ssize_t write_shared(int fd, const struct iovec *iov)
{
    struct pollfd ready = {.fd = fd, .events = POLLOUT};

    while (iov->iov_len == 0)
        iov++;
    if (poll(&ready, 1, 0) == 1 && (ready.revents & (POLLOUT | POLLERR)))
        return write(fd, iov->iov_base, iov->iov_len < PIPE_BUF ? iov->iov_len : PIPE_BUF);
    errno = EAGAIN;
    return -1;
}

/* `iov` has at least one byte. */
static ssize_t write_some(const struct persist_file *f, struct iovec *iov, unsigned n)
{
    struct msghdr message = {.msg_iov = iov, .msg_iovlen = n};

    switch (f->kind) {
    case KIND_OWN: return writev(f->fd, iov, (int)n);
    case KIND_SOCKET: return sendmsg(f->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    case KIND_SHARED: return write_shared(f->fd, iov);
    }
    return -1;
}

/* Says once that writing began to fail, and once that it works again. */
static void note_result(struct persist_file *f, int error)
{
    uint64_t lost = atomic_load_explicit(&f->lost, memory_order_relaxed);

    if (error && !f->error) {
        f->lost_before = lost;
        log_error("cannot write the %s log %s: %s; its lines are lost until it works again",
                  f->name, f->path, strerror(error));
    } else if (!error && f->error) {
        log_warn("the %s log is written again, %llu lines were lost", f->name,
                 (unsigned long long)(lost - f->lost_before));
    }
    f->error = error;
}

/* Writes until nothing is left, the reader takes no more, or the file fails. */
static void drain(struct persist_file *f)
{
    struct iovec iov[RINGS_MAX + 1];

    f->blocked = false;
    while (gather(f, iov) > 0) {
        ssize_t done = write_some(f, iov, f->rings_count + 1);
        if (done >= 0) {
            take(f, iov, (size_t)done);
            note_result(f, 0);
        } else if (errno == EAGAIN) {
            f->blocked = true;
            return;
        } else if (errno != EINTR) {
            note_result(f, errno);
            lose_lines(f);
            return;
        }
    }
    if (f->rings_count)
        f->first = (f->first + 1) % f->rings_count;
}

/* True while something waits for a slow reader. */
static bool drain_all(struct persist *p)
{
    bool blocked = false;

    list_for_each(node, &p->files) {
        struct persist_file *f = list_entry(node, struct persist_file, link);
        drain(f);
        blocked |= f->blocked;
    }
    return blocked;
}

/* Until a ring is half full, somebody asks for something, a slow reader takes more, or a while. */
static void wait_for_work(struct persist *p, int timeout_ms)
{
    struct pollfd fds[FILES_MAX + 1] = {{.fd = p->wake_fd, .events = POLLIN}};
    nfds_t n = 1;
    uint64_t count;

    list_for_each(node, &p->files) {
        const struct persist_file *f = list_entry(node, struct persist_file, link);
        if (f->blocked)
            fds[n++] = (struct pollfd){.fd = f->fd, .events = POLLOUT};
    }
    if (poll(fds, n, timeout_ms) > 0 && (fds[0].revents & POLLIN) &&
        read(p->wake_fd, &count, sizeof count) < 0)
        ensure(errno == EAGAIN || errno == EINTR);
}

static void *run(void *arg)
{
    struct persist *p = arg;
    uint64_t deadline;

    while (!atomic_load(&p->stop)) {
        wait_for_work(p, TICK_MS);
        do_requests(p);
        drain_all(p);
    }
    deadline = clock_mono_ns() + LAST_MS * 1000000ull;
    while (drain_all(p) && clock_mono_ns() < deadline)
        wait_for_work(p, TICK_MS);
    list_for_each(node, &p->files)
        lose_lines(list_entry(node, struct persist_file, link));
    return NULL;
}

int persist_start(struct persist *p)
{
    sigset_t all, before;
    int error;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    error = pthread_create(&p->thread, NULL, run, p);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error) {
        errno = error;
        return -1;
    }
    pthread_setname_np(p->thread, "persist");
    p->running = true;
    return 0;
}

void persist_reopen(struct persist *p)
{
    atomic_store(&p->reopen, true);
    wake(p);
}

void persist_stop(struct persist *p)
{
    if (!p->running)
        return;
    atomic_store(&p->stop, true);
    wake(p);
    pthread_join(p->thread, NULL);
    p->running = false;
}

static void file_free(struct persist_file *f)
{
    for (unsigned i = 0; i < f->rings_count; i++)
        ring_free(&f->rings[i]);
    close(f->fd);
    buf_free(&f->rest);
    free(atomic_load(&f->redirect));
    free(f->name);
    free(f->path);
    free(f);
}

void persist_free(struct persist **p)
{
    if (!*p)
        return;
    ensure(!(*p)->running);
    list_for_each(node, &(*p)->files)
        file_free(list_entry(node, struct persist_file, link));
    close((*p)->wake_fd);
    free(*p);
    *p = NULL;
}

uint64_t persist_dropped(const struct persist_file *f)
{
    uint64_t n = 0;

    for (unsigned i = 0; i < f->rings_count; i++)
        n += ring_dropped(f->rings[i]);
    return n;
}

uint64_t persist_lost(const struct persist_file *f)
{
    return atomic_load_explicit(&f->lost, memory_order_relaxed);
}
