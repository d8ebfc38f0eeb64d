/* Regular expressions as routes and rewrites use them: PCRE2 with JIT over bytes, compiled once at
 * build, shared by threads; what a match writes to lies in a scratch that each worker has for
 * itself.
 *
 * A match that runs into its limits is a failure of its own, never "does not match": a request
 * must not reach another route because it made a pattern expensive. */
#ifndef TG_CORE_ROUTE_REGEX_H
#define TG_CORE_ROUTE_REGEX_H

#include "base/arena.h"
#include "base/check.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

/* Groups a pattern may have, the whole match being group 0. */
#define ROUTE_REGEX_GROUPS 64

/* Match data, JIT stack and limits of one thread; for any number of routers and rewrites. */
struct route_scratch;

struct route_scratch *route_scratch_new(void) __attribute__((returns_nonnull));
/* Frees *s and sets it to NULL. */
void route_scratch_free(struct route_scratch **s);

/* An immutable compiled pattern. */
struct route_regex;

enum route_regex_flag {
    ROUTE_REGEX_ANCHORED = 1, /* matches at the start of the subject only */
};

/* Compiles; NULL with a reason for the user in `text` (at most `cap` bytes with the NUL). */
struct route_regex *route_regex_new(struct str pattern, unsigned flags, char *text,
                                    size_t cap) must_use;
/* Frees *r and sets it to NULL. */
void route_regex_free(struct route_regex **r);

/* 1: matches, 0: does not, -1: gave up at a limit. */
int route_regex_match(const struct route_regex *r, struct route_scratch *s,
                      struct str subject) must_use;

/* Offsets of the groups of the scratch's last match: start, end, start, end...; SIZE_MAX where a
 * group took no part. Valid until the scratch's next match; `*groups` is the number of pairs. */
const size_t *route_regex_offsets(const struct route_regex *r, const struct route_scratch *s,
                                  unsigned *groups);
/* Has it groups with names? */
bool route_regex_has_names(const struct route_regex *r);
/* Number of the group called name, 0 if there is none. */
unsigned route_regex_group(const struct route_regex *r, struct str name);

/* All matches in the subject replaced ($1 to $9, $$ for a dollar), made in the arena: 1; 0: no
 * match, `*out` is the subject itself; -1: gave up at a limit. `replacement` is one that
 * route_regex_check_replacement accepted. */
int route_regex_replace(const struct route_regex *r, struct route_scratch *s, struct str subject,
                        struct str replacement, struct arena *arena, struct str *out) must_use;
/* Does it name only groups that are there? Else a reason in `text`. */
bool route_regex_check_replacement(const struct route_regex *r, struct str replacement, char *text,
                                   size_t cap) must_use;

/* The text that every subject matching the anchored pattern begins with; may be empty. A part of it
 * lies in the arena. */
struct str route_regex_literal(struct str pattern, struct arena *arena);

#endif
