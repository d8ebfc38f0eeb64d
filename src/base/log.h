/* The error log: one JSON line with Elastic Common Schema names per event, one write(2) per line.
 *
 * Used by every layer and by both roles, from any thread: a line is built in memory of its own and
 * written at once, so lines of threads and processes never mix and no lock is needed. What goes
 * wrong while writing is ignored: a full disk must not stop traffic. */
#ifndef TG_BASE_LOG_H
#define TG_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* A longer message is cut. */
#define LOG_MESSAGE_MAX 4000

/* One additional member of a line: key is an ECS name (written as it is), value any text (escaped
 * here). */
struct log_field {
    const char *key;
    const char *value;
};

/* Sends lines to the file at path (appended to, made with mode 0640), or to stderr for "-";
 * 0, or the errno of open(2), the target then being unchanged. Before the first call lines go to
 * stderr at level info. Not to be called by two threads at once; logging meanwhile is fine. */
int log_open(const char *path, enum log_level level) __attribute__((warn_unused_result));

/* Opens the path of the last log_open() again (after a rotation); 0 or errno, the old file then
 * being kept. Not to be called by two threads at once. */
int log_reopen(void) __attribute__((warn_unused_result));

/* Whether a line of that level would be written: asked before costly arguments are made. */
bool log_enabled(enum log_level level);

/* Finds the level called name (error, warn, info, debug); false: there is none. */
bool log_level_parse(const char *name, enum log_level *level) __attribute__((warn_unused_result));

/* Writes one line with count additional members. */
void log_write(enum log_level level, const struct log_field *fields, size_t count, const char *fmt,
               ...) __attribute__((format(printf, 4, 5)));

/* Writes one line without additional members. */
void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
