/* The error log, see log.h. The target is the only state: a descriptor whose number stays the same
 * when the file is opened again (dup3 puts the new file under it), so writers need no lock. */
#include "base/log.h"

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

/* A line being built: nothing goes beyond limit, and nothing more once something did not fit. */
struct line {
    size_t used;
    size_t limit;
    bool cut;
    char bytes[LOG_LINE_MAX];
};

static void line_raw(struct line *line, const char *bytes, size_t count)
{
    line->cut = line->cut || line->used + count > line->limit;
    if (line->cut)
        return;
    memcpy(line->bytes + line->used, bytes, count);
    line->used += count;
}

static void line_text(struct line *line, const char *text)
{
    line_raw(line, text, strlen(text));
}

/* The length of the well-formed UTF-8 sequence at p (RFC 3629), or 0. */
static size_t utf8_length(const unsigned char *p)
{
    if (p[0] < 0x80)
        return 1;
    size_t count = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4)
        return 0;
    for (size_t i = 1; i < count; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    }
    bool overlong = (p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xf0 && p[1] < 0x90);
    bool surrogate = p[0] == 0xed && p[1] > 0x9f;
    bool beyond = p[0] == 0xf4 && p[1] > 0x8f;
    return overlong || surrogate || beyond ? 0 : count;
}

/* Appends text as a JSON string whose closing quote is the caller's. */
static void line_string(struct line *line, const char *text)
{
    const unsigned char *p = (const unsigned char *)text;
    char escape[8];

    line_raw(line, "\"", 1);
    while (*p != '\0') {
        size_t count = utf8_length(p);
        if (count == 0) {
            line_raw(line, "\\ufffd", 6);
            count = 1;
        } else if (*p == '"' || *p == '\\') {
            line_raw(line, (const char[]){'\\', (char)*p}, 2);
        } else if (*p == '\n') {
            line_raw(line, "\\n", 2);
        } else if (*p < 0x20 || *p == 0x7f) {
            line_raw(line, escape, (size_t)snprintf(escape, sizeof(escape), "\\u%04x", *p));
        } else {
            line_raw(line, (const char *)p, count);
        }
        p += count;
    }
}

/* Closes the message, and appends the members that fit whole. */
static void line_tail(struct line *line, const struct log_field *fields, size_t count)
{
    bool cut = line->cut;
    line->cut = false;
    line->limit = LOG_LINE_MAX - 2; /* what is left is for the brace and the newline */
    line_text(line, cut ? "...\"" : "\"");
    for (size_t i = 0; i < count && !cut; i++) {
        size_t start = line->used;
        line_text(line, ",\"");
        line_text(line, fields[i].key);
        line_text(line, "\":");
        line_string(line, fields[i].value);
        line_text(line, "\"");
        cut = line->cut;
        if (cut)
            line->used = start;
    }
    line->cut = false;
    line->limit = LOG_LINE_MAX;
    line_text(line, "}\n");
}

static void line_head(struct line *line, enum log_level level)
{
    struct timespec now;
    struct tm tm;
    char text[160];

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &tm);
    int count = snprintf(text, sizeof(text),
                         "{\"@timestamp\":\"%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ\","
                         "\"log.level\":\"%s\",\"process.pid\":%d,\"message\":",
                         tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
                         tm.tm_sec, now.tv_nsec / 1000000, level_names[level], (int)getpid());
    line_raw(line, text, (size_t)count);
}

static void write_line(struct line *line)
{
    int saved = errno;
    const char *bytes = line->bytes;
    size_t left = line->used;

    while (left > 0) {
        ssize_t count = write(atomic_load_explicit(&log_target.fd, memory_order_relaxed), bytes,
                              left);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            break;
        bytes += count;
        left -= (size_t)count;
    }
    errno = saved;
}

static void vwrite(enum log_level level, const struct log_field *fields, size_t count,
                   const char *fmt, va_list args) __attribute__((format(printf, 4, 0)));

static void vwrite(enum log_level level, const struct log_field *fields, size_t count,
                   const char *fmt, va_list args)
{
    struct line line = {.limit = LOG_LINE_MAX - 6}; /* room for what closes a cut message */
    char message[LOG_LINE_MAX];

    if (!log_enabled(level))
        return;
    vsnprintf(message, sizeof(message), fmt, args);
    line_head(&line, level);
    line_string(&line, message);
    line_tail(&line, fields, count);
    write_line(&line);
}

bool log_enabled(enum log_level level)
{
    return (int)level <= atomic_load_explicit(&log_target.level, memory_order_relaxed);
}

bool log_level_parse(const char *name, enum log_level *level)
{
    for (size_t i = 0; i < sizeof(level_names) / sizeof(level_names[0]); i++) {
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
    vwrite(level, fields, count, fmt, args);
    va_end(args);
}

void log_error(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vwrite(LOG_LEVEL_ERROR, NULL, 0, fmt, args);
    va_end(args);
}

void log_warn(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vwrite(LOG_LEVEL_WARN, NULL, 0, fmt, args);
    va_end(args);
}

void log_info(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vwrite(LOG_LEVEL_INFO, NULL, 0, fmt, args);
    va_end(args);
}

void log_debug(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vwrite(LOG_LEVEL_DEBUG, NULL, 0, fmt, args);
    va_end(args);
}
