/* Collecting what is wrong with a configuration, all of it, in the order of the files. */
#ifndef TG_CONF_ERRORS_H
#define TG_CONF_ERRORS_H

#include "base/node.h"
#include "conf/conf.h"

/* Copies everything; beyond CONF_ERRORS_MAX errors are only counted. */
void conf_errors_add(struct conf_errors *errs, struct node_pos pos, const char *path,
                     const char *format, ...) __attribute__((format(printf, 4, 5)));
/* By file (in the order of `files`), line and column; equal ones only once. */
void conf_errors_sort(struct conf_errors *errs, const char *const *files, size_t count);

#endif
