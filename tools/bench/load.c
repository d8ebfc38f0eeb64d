// The load generator: client and origin in one process, ruled by commands on standard input.
//
// usage: load --port PROXY-PORT [--origin-port PORT] [--connections N] [--answer-bytes N]
//             [--upload-bytes N] [--path TARGET] [--tls] [--fresh]
//
// Says {"event":"origin","port":N} at once. Commands, one a line: `open` makes the connections and
// proves each with one request (then {"event":"up"}); `run` lets them send; `hold` stops them
// ({"event":"held"}); `mark` prints what happened since the last mark and begins anew. The end of
// standard input ends the program.
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "load.h"

enum { EVENTS = 256, RETRY_MS = 100 };

struct commands {
    enum load_kind kind;
    size_t len;
    char line[256];
};

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

uint64_t load_now_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

static void watch(struct load *l, int fd, void *handle, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = handle};

    if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &event)) {
        perror("load: epoll_ctl");
        exit(1);
    }
}

void load_watch(struct load *l, int fd, void *handle)
{
    watch(l, fd, handle, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
}

void load_say(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
    fflush(stdout);
}

static void window_begin(struct load *l)
{
    memset(&l->window, 0, sizeof l->window);
    l->window.begin_ns = load_now_ns();
    l->window.cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

static void window_end(struct load *l)
{
    const struct load_window *w = &l->window;
    uint64_t now_ns = load_now_ns();

    load_say("{\"event\":\"window\",\"seconds\":%.6f,\"cpu_seconds\":%.6f,\"requests\":%llu,"
             "\"origin_requests\":%llu,\"origin_connections\":%llu,"
             "\"errors\":{\"status\":%llu,\"length\":%llu,\"closed\":%llu,\"connect\":%llu,"
             "\"origin\":%llu,\"stalled\":%llu},"
             "\"p50_us\":%.1f,\"p99_us\":%.1f,\"p999_us\":%.1f,\"max_us\":%.1f}",
             (double)(now_ns - w->begin_ns) / 1e9,
             (double)(clock_ns(CLOCK_PROCESS_CPUTIME_ID) - w->cpu_ns) / 1e9,
             (unsigned long long)w->requests, (unsigned long long)w->origin_requests,
             (unsigned long long)w->origin_connections, (unsigned long long)w->errors[LOAD_STATUS],
             (unsigned long long)w->errors[LOAD_LENGTH], (unsigned long long)w->errors[LOAD_CLOSED],
             (unsigned long long)w->errors[LOAD_CONNECT],
             (unsigned long long)w->errors[LOAD_ORIGIN],
             (unsigned long long)load_client_stalled(l, now_ns),
             (double)hist_quantile(&w->latency, 0.5) / 1e3,
             (double)hist_quantile(&w->latency, 0.99) / 1e3,
             (double)hist_quantile(&w->latency, 0.999) / 1e3, (double)w->latency.max_ns / 1e3);
    window_begin(l);
}

static void on_command(struct load *l, const char *command)
{
    if (!strcmp(command, "open"))
        load_client_open(l);
    else if (!strcmp(command, "run"))
        load_client_run(l);
    else if (!strcmp(command, "hold"))
        load_client_hold(l);
    else if (!strcmp(command, "mark"))
        window_end(l);
    else
        fprintf(stderr, "load: unknown command: %s\n", command);
}

static void on_commands(struct load *l, struct commands *c)
{
    ssize_t got = read(STDIN_FILENO, c->line + c->len, sizeof c->line - 1 - c->len);

    if (got <= 0)
        exit(0);
    c->len += (size_t)got;
    c->line[c->len] = 0;
    char *line = c->line, *end;
    while ((end = strchr(line, '\n'))) {
        *end = 0;
        on_command(l, line);
        line = end + 1;
    }
    c->len -= (size_t)(line - c->line);
    memmove(c->line, line, c->len);
}

static void on_event(struct load *l, const struct epoll_event *event)
{
    switch (*(enum load_kind *)event->data.ptr) {
    case LOAD_LISTENER: load_origin_accept(l); return;
    case LOAD_COMMANDS: on_commands(l, event->data.ptr); return;
    case LOAD_CLIENT: load_client_event(l, event->data.ptr, event->events); return;
    case LOAD_ORIGIN_CONN: load_origin_event(l, event->data.ptr, event->events); return;
    }
}

static void load_run(struct load *l)
{
    struct epoll_event events[EVENTS];
    uint64_t retry_ns = 0;

    for (;;) {
        int n = epoll_wait(l->epoll, events, EVENTS, RETRY_MS);
        for (int i = 0; i < n; i++)
            on_event(l, &events[i]);
        uint64_t now_ns = load_now_ns();
        if (now_ns - retry_ns > RETRY_MS * 1000000ull) {
            retry_ns = now_ns;
            load_client_retry(l);
        }
    }
}

static uint16_t options_parse(struct load_options *o, int argc, char **argv)
{
    static const struct option LONG[] = {
        {"port", required_argument, NULL, 'p'},
        {"origin-port", required_argument, NULL, 'o'},
        {"connections", required_argument, NULL, 'c'},
        {"answer-bytes", required_argument, NULL, 'a'},
        {"upload-bytes", required_argument, NULL, 'u'},
        {"path", required_argument, NULL, 't'},
        {"tls", no_argument, NULL, 's'},
        {"fresh", no_argument, NULL, 'f'},
        {NULL, 0, NULL, 0},
    };
    uint16_t origin_port = 0;
    int option;

    while ((option = getopt_long(argc, argv, "", LONG, NULL)) != -1) {
        switch (option) {
        case 'p': o->port = (uint16_t)atoi(optarg); break;
        case 'o': origin_port = (uint16_t)atoi(optarg); break;
        case 'c': o->connections = (uint32_t)atoi(optarg); break;
        case 'a': o->answer_bytes = strtoul(optarg, NULL, 10); break;
        case 'u': o->upload_bytes = strtoul(optarg, NULL, 10); break;
        case 't': o->path = optarg; break;
        case 's': o->tls = true; break;
        case 'f': o->fresh = true; break;
        default: exit(2);
        }
    }
    if (!o->port || !o->connections || o->connections > 1000000) {
        fprintf(stderr, "load: --port and a positive number of connections are needed\n");
        exit(2);
    }
    return origin_port;
}

static void raise_descriptors(void)
{
    struct rlimit limit;

    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int argc, char **argv)
{
    static struct commands commands = {.kind = LOAD_COMMANDS};
    struct load *l = calloc(1, sizeof *l);

    if (!l)
        return 1;
    l->options =
        (struct load_options){.connections = 64,
                              .answer_bytes = 1024,
                              .path = "/api/v1/tenants/acme/items/12345?expand=owner&limit=20"};
    uint16_t origin_port = options_parse(&l->options, argc, argv);
    raise_descriptors();
    l->io = sock_io_new();
    l->epoll = epoll_create1(EPOLL_CLOEXEC);
    l->clients = load_client_set_new(&l->options);
    l->origin = load_origin_new(l, &origin_port);
    if (!l->origin) {
        perror("load: origin");
        return 1;
    }
    watch(l, STDIN_FILENO, &commands, EPOLLIN);
    window_begin(l);
    load_say("{\"event\":\"origin\",\"port\":%u}", (unsigned)origin_port);
    load_run(l);
}
