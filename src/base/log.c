/* The error log, see log.h. The target is the only state: a descriptor whose number stays the same
 * when the file is opened again (dup3 puts the new file under it), so writers need no lock. */
#include "base/log.h"

#include "base/check.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static struct {
    _Atomic int fd;
    _Atomic int level;
    char path[PATH_MAX]; /* "" for stderr; touched by log_open and log_reopen only */
} log_target = {.fd = STDERR_FILENO, .level = LOG_LEVEL_INFO};

static const char *const level_names[] = {"error", "warn", "info", "debug"};

static void add_string(struct buf *line, struct str text)
{
    buf_add_char(line, '"');
    buf_add_json(line, text);
    buf_add_char(line, '"');
}

static void add_head(struct buf *line, enum log_level level)
{
    struct timespec now;
    struct tm tm;

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &tm);
    buf_printf(line,
               "{\"@timestamp\":\"%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ\",\"log.level\":\"%s\","
               "\"process.pid\":%d,\"message\":",
               tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec,
               now.tv_nsec / 1000000, level_names[level], (int)getpid());
}

static void write_all(const char *bytes, size_t left)
{
    int fd = atomic_load_explicit(&log_target.fd, memory_order_relaxed);

    while (left > 0) {
        ssize_t count = write(fd, bytes, left);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            break;
        bytes += count;
        left -= (size_t)count;
    }
}

static void write_fields(enum log_level level, const struct log_field *fields, size_t count,
                         const char *fmt, va_list args) __attribute__((format(printf, 4, 0)));

static void write_fields(enum log_level level, const struct log_field *fields, size_t count,
                         const char *fmt, va_list args)
{
    char message[LOG_MESSAGE_MAX + 1];
    struct buf line = {0};
    int saved = errno;

    if (!log_enabled(level))
        return;
    vsnprintf(message, sizeof(message), fmt, args);
    add_head(&line, level);
    add_string(&line, str_of(message));
    for (size_t i = 0; i < count; i++) {
        buf_printf(&line, ",\"%s\":", fields[i].key);
        add_string(&line, str_of(fields[i].value));
    }
    buf_add_str(&line, STR("}\n"));
    write_all(line.p, line.n);
    buf_free(&line);
    errno = saved;
}

bool log_enabled(enum log_level level)
{
    return (int)level <= atomic_load_explicit(&log_target.level, memory_order_relaxed);
}

bool log_level_parse(const char *name, enum log_level *level)
{
    for (size_t i = 0; i < array_size(level_names); i++) {
        if (strcmp(name, level_names[i]) == 0) {
            *level = (enum log_level)i;
            return true;
        }
    }
    return false;
}

static int open_file(const char *path)
{
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
}

/* Makes fd the file that lines go to, under the number in use if that is our own. */
static int install(int fd)
{
    int old = atomic_load_explicit(&log_target.fd, memory_order_relaxed);
    int error = 0;

    if (old == STDERR_FILENO) {
        atomic_store_explicit(&log_target.fd, fd, memory_order_relaxed);
        return 0;
    }
    if (dup3(fd, old, O_CLOEXEC) < 0)
        error = errno;
    close(fd);
    return error;
}

int log_open(const char *path, enum log_level level)
{
    bool to_stderr = strcmp(path, "-") == 0;
    int fd = to_stderr ? fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3) : open_file(path);

    if (strlen(path) >= sizeof(log_target.path)) {
        if (fd >= 0)
            close(fd);
        return ENAMETOOLONG;
    }
    int error = fd < 0 ? errno : install(fd);
    if (error != 0)
        return error;
    strcpy(log_target.path, to_stderr ? "" : path);
    atomic_store_explicit(&log_target.level, (int)level, memory_order_relaxed);
    return 0;
}

int log_reopen(void)
{
    if (log_target.path[0] == '\0')
        return 0;
    int fd = open_file(log_target.path);
    return fd < 0 ? errno : install(fd);
}

void log_write(enum log_level level, const struct log_field *fields, size_t count, const char *fmt,
               ...)
{
    va_list args;
    va_start(args, fmt);
    write_fields(level, fields, count, fmt, args);
    va_end(args);
}

void log_error(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    write_fields(LOG_LEVEL_ERROR, NULL, 0, fmt, args);
    va_end(args);
}

void log_warn(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    write_fields(LOG_LEVEL_WARN, NULL, 0, fmt, args);
    va_end(args);
}

void log_info(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    write_fields(LOG_LEVEL_INFO, NULL, 0, fmt, args);
    va_end(args);
}

void log_debug(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    write_fields(LOG_LEVEL_DEBUG, NULL, 0, fmt, args);
    va_end(args);
}
