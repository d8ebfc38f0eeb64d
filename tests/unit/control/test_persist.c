/* The persist thread: lines from rings into files that may be slow, full or gone. */
#include "control/persist.h"

#include "base/clock.h"
#include "base/log.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64], path[96];
static struct persist *p;

static void make(void)
{
    snprintf(folder, sizeof folder, "/tmp/tg-persist-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/log", folder);
    p = persist_new();
    cr_assert_not_null(p);
    cr_assert_eq(log_open("/dev/null", LOG_LEVEL_ERROR), 0);
}

static void end(void)
{
    char command[128];

    persist_stop(p);
    persist_free(&p);
    snprintf(command, sizeof command, "rm -r %s", folder);
    cr_assert_eq(system(command), 0);
}

TestSuite(persist, .init = make, .fini = end, .timeout = 60);

static bool put(struct ring *r, const char *line)
{
    size_t n = strlen(line);
    char *room = ring_reserve(r, n);

    if (!room) {
        ring_drop(r);
        return false;
    }
    memcpy(room, line, n);
    ring_commit(r, n);
    return true;
}

/* The file's text; the caller frees. */
static struct buf slurp(const char *name)
{
    struct buf b = {0};
    int fd = open(name, O_RDONLY);
    ssize_t n;

    cr_assert_geq(fd, 0);
    do {
        buf_reserve(&b, 4096);
        n = read(fd, b.p + b.n, 4096);
        cr_assert_geq(n, 0);
        b.n += (size_t)n;
    } while (n > 0);
    close(fd);
    return b;
}

static void expect_file(const char *name, const char *text)
{
    struct buf b = slurp(name);

    cr_assert_str_eq(buf_text(&b), text);
    buf_free(&b);
}

/* Until the ring is empty: what it held was written or lost. */
static void wait_empty(struct ring *r)
{
    for (int i = 0; i < 1000 && atomic_load(&r->tail) != atomic_load(&r->head); i++)
        usleep(10000);
    cr_assert_eq(atomic_load(&r->tail), atomic_load(&r->head));
}

Test(persist, lines_of_all_rings_are_in_the_file_at_the_end)
{
    struct persist_file *f = persist_open(p, "access", path);
    struct ring *a = persist_ring(f, 4096), *b = persist_ring(f, 4096);
    struct stat st;

    cr_assert_eq(persist_start(p), 0);
    put(a, "one\n");
    put(b, "two\n");
    persist_stop(p);
    struct buf text = slurp(path);
    cr_assert_eq(text.n, 8);
    cr_assert(memmem(text.p, text.n, "one\n", 4) && memmem(text.p, text.n, "two\n", 4));
    buf_free(&text);
    cr_assert_eq(stat(path, &st), 0);
    cr_assert_eq(st.st_mode & 0777, 0640 & ~(umask(0)));
}

Test(persist, what_cannot_be_opened_is_the_callers_error)
{
    cr_assert_null(persist_open(p, "access", "/nonexistent/log"));
    cr_assert_eq(errno, ENOENT);
}

Test(persist, lines_arrive_without_being_asked_for)
{
    struct persist_file *f = persist_open(p, "access", path);
    struct ring *r = persist_ring(f, 4096);

    cr_assert_eq(persist_start(p), 0);
    put(r, "soon\n");
    wait_empty(r);
    expect_file(path, "soon\n");
}

Test(persist, reopening_goes_on_in_a_new_file_after_a_rotation)
{
    struct persist_file *f = persist_open(p, "access", path);
    struct ring *r = persist_ring(f, 4096);
    char old[128];

    snprintf(old, sizeof old, "%s.1", path);
    cr_assert_eq(persist_start(p), 0);
    put(r, "before\n");
    wait_empty(r);
    cr_assert_eq(rename(path, old), 0);
    persist_reopen(p);
    for (int i = 0; i < 500 && access(path, F_OK) != 0; i++)
        usleep(10000);
    put(r, "after\n");
    persist_stop(p);
    expect_file(old, "before\n");
    expect_file(path, "after\n");
}

Test(persist, a_redirect_that_fails_keeps_the_old_file)
{
    struct persist_file *f = persist_open(p, "access", path);
    struct ring *r = persist_ring(f, 4096);
    char other[128];

    snprintf(other, sizeof other, "%s.other", path);
    cr_assert_eq(persist_start(p), 0);
    persist_redirect(f, "/nonexistent/log");
    usleep(50000);
    put(r, "kept\n");
    wait_empty(r);
    persist_redirect(f, other);
    for (int i = 0; i < 500 && access(other, F_OK) != 0; i++)
        usleep(10000);
    put(r, "moved\n");
    persist_stop(p);
    expect_file(path, "kept\n");
    expect_file(other, "moved\n");
}

/* Every line of the text is "PREFIX NUMBER xxx…\n", numbers of one prefix ascending. */
static void expect_whole_lines(const struct buf *text, unsigned prefixes)
{
    long last[8] = {-1, -1, -1, -1, -1, -1, -1, -1};
    struct str rest = str_make(text->p, text->n), line;

    cr_assert(text->n == 0 || text->p[text->n - 1] == '\n');
    while (str_split(&rest, '\n', &line) && line.n) {
        unsigned prefix = (unsigned)(line.p[0] - 'a');
        long number = strtol(line.p + 2, NULL, 10);
        cr_assert_lt(prefix, prefixes);
        cr_assert_eq(line.n, 100, "a torn line: %.*s", STR_ARG(line));
        cr_assert_gt(number, last[prefix]);
        last[prefix] = number;
    }
}

static bool put_number(struct ring *r, char prefix, int number)
{
    char line[102];
    int n = snprintf(line, sizeof line, "%c %d ", prefix, number);

    memset(line + n, 'x', (size_t)(100 - n));
    memcpy(line + 100, "\n", 2);
    return put(r, line);
}

struct producer {
    struct ring *ring;
    char prefix;
};

enum { LINES = 20000 };

static void *produce(void *arg)
{
    const struct producer *q = arg;

    for (int i = 0; i < LINES; i++)
        put_number(q->ring, q->prefix, i);
    return NULL;
}

Test(persist, two_producers_and_what_they_lost_make_all_lines)
{
    struct persist_file *f = persist_open(p, "access", path);
    struct producer q[2];
    pthread_t threads[2];

    for (int i = 0; i < 2; i++)
        q[i] = (struct producer){persist_ring(f, 1 << 16), (char)('a' + i)};
    cr_assert_eq(persist_start(p), 0);
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, produce, &q[i]);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    persist_stop(p);
    struct buf text = slurp(path);
    expect_whole_lines(&text, 2);
    cr_assert_eq(text.n / 101 + persist_dropped(f) + persist_lost(f), 2 * LINES);
    buf_free(&text);
}

Test(persist, a_full_disk_loses_and_counts_lines_and_writing_goes_on_when_there_is_room)
{
    struct rlimit small = {.rlim_cur = 5000, .rlim_max = RLIM_INFINITY}, large;
    struct persist_file *f = persist_open(p, "access", path);
    struct ring *r = persist_ring(f, 1 << 16);

    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &large);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    cr_assert_eq(persist_start(p), 0);
    for (int i = 0; i < 80; i++)
        put_number(r, 'a', i);
    wait_empty(r);
    cr_assert_eq(persist_lost(f), 30, "49 fit, the 50th is finished later");
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &large), 0);
    put_number(r, 'a', 100);
    persist_stop(p);
    struct buf text = slurp(path);
    expect_whole_lines(&text, 1);
    cr_assert_eq(text.n / 101, 51);
    buf_free(&text);
}

/* A pipe as stdout, with a reader that may do nothing for a while. */
static int pipe_stdout(void)
{
    int ends[2];

    cr_assert_eq(pipe(ends), 0);
    cr_assert_eq(dup2(ends[1], STDOUT_FILENO), STDOUT_FILENO);
    close(ends[1]);
    return ends[0];
}

Test(persist, a_reader_that_stops_costs_lines_and_tears_none)
{
    int reader = pipe_stdout();
    struct persist_file *f = persist_open(p, "access", "-");
    struct ring *r = persist_ring(f, 1 << 16);
    struct buf text = {0};
    unsigned accepted = 0;

    cr_assert_eq(persist_start(p), 0);
    for (int i = 0; i < 5000; i++)
        accepted += put_number(r, 'a', i);
    cr_assert_lt(accepted, 5000);
    cr_assert_gt(persist_dropped(f), 0);
    fcntl(reader, F_SETFL, O_NONBLOCK);
    for (int idle = 0; idle < 100;) {
        buf_reserve(&text, 4096);
        ssize_t n = read(reader, text.p + text.n, 4096);
        text.n += n > 0 ? (size_t)n : 0;
        idle = n > 0 ? 0 : idle + 1;
        if (n <= 0)
            usleep(10000);
    }
    expect_whole_lines(&text, 1);
    cr_assert_eq(text.n / 101, accepted);
    buf_free(&text);
    close(reader);
}

Test(persist, a_reader_that_left_loses_lines_and_ends_nothing)
{
    int reader = pipe_stdout();
    struct persist_file *f = persist_open(p, "access", "-");
    struct ring *r = persist_ring(f, 4096);

    close(reader);
    cr_assert_eq(persist_start(p), 0);
    put(r, "nobody\n");
    put(r, "reads\n");
    wait_empty(r);
    usleep(20000);
    cr_assert_eq(persist_lost(f), 2);
}

Test(persist, stopping_does_not_wait_for_a_reader_that_stopped)
{
    int reader = pipe_stdout();
    struct persist_file *f = persist_open(p, "access", "-");
    struct ring *r = persist_ring(f, 1 << 18);
    uint64_t begin;

    cr_assert_eq(persist_start(p), 0);
    for (int i = 0; i < 2500; i++)
        put_number(r, 'a', i);
    begin = clock_mono_ns();
    persist_stop(p);
    cr_assert_lt(clock_mono_ns() - begin, 5000000000u);
    cr_assert_gt(persist_lost(f), 0);
    close(reader);
}
