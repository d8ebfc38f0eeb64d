/* The start of a gateway process, see start.h. */
#include "control/start.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/panic.h"
#include "base/xmem.h"
#include "control/addresses.h"
#include "control/user.h"
#include "net/tls_mem.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What ends a start before there is anything to run. */
enum outcome { START_GOES_ON, START_FAILED, START_CALLED_OFF };

static enum outcome fail(const struct gateway_start *start, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

void start_failed(const struct gateway_start *start, struct str text)
{
    struct str line;
    while (str_split(&text, '\n', &line)) {
        if (start->restarts == 0)
            fprintf(stderr, "%.*s\n", STR_ARG(line));
        else
            log_error("the gateway process cannot start: %.*s", STR_ARG(line));
    }
}

static enum outcome fail(const struct gateway_start *start, const char *fmt, ...)
{
    char text[LOG_MESSAGE_MAX] = "tollgate: ";
    size_t begun = strlen(text);
    va_list args;

    va_start(args, fmt);
    vsnprintf(text + begun, sizeof(text) - begun, fmt, args);
    va_end(args);
    start_failed(start, str_of(start->restarts == 0 ? text : text + begun));
    return START_FAILED;
}

static enum outcome load(struct gateway_start *start)
{
    struct conf_errors errors = {0};
    int failed = conf_load(start->conf_path, &start->conf, &errors);

    if (failed)
        conf_errors_print(&errors, "", stderr);
    conf_errors_fini(&errors);
    if (failed)
        return START_FAILED;
    start->workers = addresses_workers(start->conf);
    return START_GOES_ON;
}

static enum outcome refused(const struct gateway_start *start, const char *address,
                            const struct channel_report *report)
{
    if (report->error != EADDRINUSE)
        return fail(start, "cannot listen on %s: %s", address, strerror(report->error));
    return fail(start, "cannot listen on %s: address in use%s%s", address,
                report->owner[0] != '\0' ? " by " : "", report->owner);
}

static enum outcome want(struct gateway_start *start, const struct addresses_item *item)
{
    struct channel_report report = {.event = CHANNEL_CLOSED};

    if (channel_want(start->channel, &item->addr, item->count, item->mode) == 0) {
        do {
            channel_receive(start->channel, &report);
        } while (report.event == CHANNEL_RELOAD || report.event == CHANNEL_REOPEN);
    }
    switch (report.event) {
    case CHANNEL_HAVE:
        start->sockets[start->sockets_count++] = report.sockets;
        return START_GOES_ON;
    case CHANNEL_ERR: return refused(start, item->text, &report);
    case CHANNEL_DRAIN:
    case CHANNEL_STOP: return START_CALLED_OFF;
    default: return fail(start, "the supervisor is gone");
    }
}

static enum outcome want_all(struct gateway_start *start)
{
    struct addresses addresses;
    enum outcome outcome = START_GOES_ON;

    addresses_collect(start->conf, start->workers, &addresses);
    start->sockets = xcalloc(addresses.count, sizeof(*start->sockets));
    for (size_t i = 0; i < addresses.count && outcome == START_GOES_ON; i++)
        outcome = want(start, &addresses.items[i]);
    addresses_fini(&addresses);
    return outcome;
}

static enum outcome open_log(const struct gateway_start *start)
{
    const struct node *root = conf_root(start->conf);
    const char *path = node_str(root, "telemetry.error_log.path");
    const char *name = node_str(root, "telemetry.error_log.level");
    enum log_level level = LOG_LEVEL_INFO;

    ensure(name == NULL || log_level_parse(name, &level));
    int error = log_open(path != NULL ? path : "-", level);
    if (error != 0)
        return fail(start, "telemetry.error_log.path: %s: %s", path, strerror(error));
    return START_GOES_ON;
}

/* Gives up root, and looks whether the files can be read and written without it. */
static enum outcome change_user(const struct gateway_start *start)
{
    char error[USER_ERROR_MAX];
    struct user user;

    if (user_find(start->conf, &user, error) != 0 ||
        user_prepare_logs(start->conf, &user, error) != 0 || user_become(&user, error) != 0 ||
        user_check_files(start->conf, &user, error) != 0)
        return fail(start, "%s", error);
    if (user.fallback)
        log_warn("there is no user \"%s\" on this machine: running as \"%s\"",
                 node_str(conf_root(start->conf), "user"), user.name);
    return START_GOES_ON;
}

static void start_fini(struct gateway_start *start)
{
    for (size_t i = 0; i < start->sockets_count; i++)
        channel_sockets_fini(&start->sockets[i]);
    free(start->sockets);
    channel_free(&start->channel);
    conf_unref(&start->conf);
}

int start_gateway(const struct start_options *options)
{
    struct gateway_start start = {.conf_path = options->conf_path,
                                  .restarts = options->restarts,
                                  .started_mono_ns = clock_mono_ns()};
    int status = 0;

    panic_init(options->panic_fd);
    tls_mem_init();
    start.channel = channel_new(options->channel_fd);
    enum outcome outcome = load(&start);
    if (outcome == START_GOES_ON)
        outcome = want_all(&start);
    if (outcome == START_GOES_ON)
        outcome = change_user(&start);
    if (outcome == START_GOES_ON)
        outcome = open_log(&start);
    if (outcome == START_GOES_ON) {
        channel_unblock(start.channel);
        status = gateway_run(&start);
    }
    start_fini(&start);
    return outcome == START_FAILED ? 1 : status;
}

struct channel_sockets *start_sockets(const struct gateway_start *start, const char *address)
{
    struct addr wanted;

    if (address == NULL || addr_parse(str_of(address), &wanted) != 0)
        return NULL;
    for (size_t i = 0; i < start->sockets_count; i++) {
        if (addr_equal(&start->sockets[i].address, &wanted))
            return &start->sockets[i];
    }
    return NULL;
}
