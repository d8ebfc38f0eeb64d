/* PCRE2 patterns, compiled here only to see whether they are right. */
#ifndef TG_CONF_REGEX_H
#define TG_CONF_REGEX_H

#include "base/arena.h"

/*
 * NULL when the pattern compiles, else why not (in the arena). `groups` (may be NULL) receives the
 * number of capture groups. `has_name` (may be NULL) is asked for a group's name and answers
 * whether it exists.
 */
struct regex_name {
    const char *name;
    bool found;
};

const char *regex_check(struct arena *arena, struct str pattern, uint32_t *groups,
                        struct regex_name *has_name);

#endif
