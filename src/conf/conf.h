/*
 * Configuration: a file (with what it includes) becomes a checked tree of values, or a list of
 * everything that is wrong with it. See docs/configuration.md for the keys and base/node.h for
 * reading the tree.
 *
 * What the checker adds to the tree, so that readers need not know about it:
 * - every key left out has its default; sections that are "off when absent" stay absent;
 * - where one value or a list may stand, there is always a list (match.hosts, match.path, ...);
 * - an endpoint is always a map {address, weight};
 * - `workers: auto` is 0; `redirect_to_https` is a port, 0 for false;
 * - file names are absolute;
 * - texts of request_headers, response_headers and respond keep `${word}` (filled per request) and
 *   `$${` (a literal `${`); everywhere else substitution is finished;
 * - `listeners.N.missing`, `services.N.missing`, `routes.N.missing`: name of a feature that decides
 *   who gets in, that was asked for and is not built in: every request there must be answered 501
 *   not_implemented.
 */
#ifndef TG_CONF_CONF_H
#define TG_CONF_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>
#include <time.h>

#include "base/node.h"

struct conf;

struct conf_error {
    char *file;
    uint32_t line;
    uint32_t column;
    char *path; /* routes[3].service; "(file)" for faults of the whole file */
    char *message;
};

/* Errors or warnings, owned by the caller: zero-initialise, conf_errors_fini when done. */
struct conf_errors {
    struct conf_error *items;
    size_t count;
    size_t capacity;
    size_t dropped; /* found beyond the first CONF_ERRORS_MAX */
};

enum { CONF_ERRORS_MAX = 1000 };

void conf_errors_fini(struct conf_errors *errs);
/* Prints FILE:LINE:COLUMN: PATH: MESSAGE, one a line; `label` ("warning: " or "") precedes the
 * message. */
void conf_errors_print(const struct conf_errors *errs, const char *label, FILE *out);

/*
 * Reads and checks the file at `path` and all it includes. 0: `*out` is a configuration with one
 * reference. -1: `*out` is NULL and `errs` holds at least one error, sorted by file and position.
 */
int conf_load(const char *path, struct conf **out, struct conf_errors *errs)
    __attribute__((warn_unused_result));

/*
 * As conf_load, for a text in memory: `name` stands for the file in messages, relative paths start
 * at the folder of `name`. With `allow_files` NULL any file may be read; otherwise `${file:}` may
 * name only files that this older configuration read, and `include` is refused (admin API).
 */
int conf_load_text(const char *name, const char *text, size_t len, const struct conf *allow_files,
                   struct conf **out, struct conf_errors *errs) __attribute__((warn_unused_result));

/* Reference count, safe from any thread; conf_unref takes `*conf` and nulls it. */
struct conf *conf_ref(struct conf *conf);
void conf_unref(struct conf **conf);

/* The checked tree, living as long as the configuration. */
const struct node *conf_root(const struct conf *conf);

enum conf_file_kind {
    CONF_FILE_CONFIG, /* the file itself or one it includes */
    CONF_FILE_VALUE,  /* read by ${file:} */
    CONF_FILE_NAMED,  /* named by a key: certificate, private key, schema, ... */
};

/* A file the configuration depends on, with the identity it had when read: a change of it is a
 * reason to reload, and the gateway's user must be able to read it. */
struct conf_file {
    const char *path; /* absolute */
    enum conf_file_kind kind;
    dev_t dev;
    ino_t ino;
    off_t size;
    struct timespec mtime;
};

size_t conf_file_count(const struct conf *conf);
const struct conf_file *conf_file_at(const struct conf *conf, size_t i);

/* A key that was given and whose feature is not built in. */
struct conf_inactive {
    const char *path;
    const char *feature;
    bool decides; /* its routes or listeners answer 501; false: only not there */
    struct node_pos pos;
};

size_t conf_inactive_count(const struct conf *conf);
const struct conf_inactive *conf_inactive_at(const struct conf *conf, size_t i);

/* Stable 64-bit content hash of a checked subtree (values and keys, not positions); NULL hashes to
 * 0. */
uint64_t conf_digest(const struct node *n);

/* `tollgate -t -c FILE`: `FILE: ok` on stdout (warnings of inactive keys on stderr) and 0, or every
 * error on stderr and 1. */
int conf_check_main(const char *path);

#endif
