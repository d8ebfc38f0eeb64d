/* A file and all it includes become one tree. */
#ifndef TG_CONF_INCLUDE_H
#define TG_CONF_INCLUDE_H

#include "conf/source.h"

/* What has been read so far. */
struct include {
    struct arena *arena;
    struct sources *sources;
    struct conf_errors *errs;
    const char **names; /* of the files as messages call them, in the order of reading */
    size_t name_count, name_capacity;
    const struct node **roots; /* of files without syntax errors */
    size_t root_count, root_capacity;
    bool allowed; /* may there be an `include` at all? */
};

void include_fini(struct include *in);
/* Reads the file and what it includes. */
void include_file(struct include *in, const char *name);
/* The same for a text that is at hand. */
void include_text(struct include *in, const char *name, struct str text);
/*
 * All files as one map: lists of listeners, services, routes, plans and tenants one after the other
 * (the including file's first), every other key from the one file that has it.
 */
const struct node *include_merge(struct include *in);

#endif
