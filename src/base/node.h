/*
 * An immutable tree of values, each with the place it was written at: what a configuration file
 * becomes, first as parsed (null, bool, int, real, string, list, map), then as checked against the
 * schema (durations, sizes, rates and so on, every key left out filled in with its default).
 *
 * Every node lies in the arena of the tree's owner and lives as long as that; nothing here is freed
 * one by one. A finished tree may be read from any thread.
 *
 * Paths are dotted: "timeouts.connect", "endpoints.0.address" (a number indexes a list). On a
 * checked tree a wrong kind is a programmer's error and ends the process; an absent value is not:
 * it reads as false, 0 or NULL.
 */
#ifndef TG_BASE_NODE_H
#define TG_BASE_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum node_kind {
    NODE_NULL,
    NODE_BOOL,
    NODE_INT,
    NODE_REAL,   /* only before checking */
    NODE_STRING, /* also every checked text: names, addresses, patterns, absolute file names */
    NODE_LIST,
    NODE_MAP,
    NODE_DURATION, /* num: nanoseconds */
    NODE_SIZE,     /* num: bytes */
    NODE_PERCENT,  /* num: parts per million, 100% is 1000000 */
    NODE_RATE,     /* rate */
    NODE_QUOTA,    /* quota */
    NODE_ENUM,     /* num: index in the key's list of words; text: the word */
    NODE_TIME,     /* num: seconds since 1970-01-01T00:00:00Z */
};

enum node_flag {
    NODE_QUOTED = 1u << 0,      /* written in quotes or as a block: never a number or a bool */
    NODE_DEFAULT = 1u << 1,     /* not written: filled in by the checker */
    NODE_SUBSTITUTED = 1u << 2, /* has a part from ${env:} or ${file:} */
    NODE_SECRET = 1u << 3,      /* must not be shown */
    NODE_KEYS = 1u << 4,        /* a map whose keys the user chose (header names and so on) */
};

/* `n` permits per `period_ns`. */
struct node_rate {
    uint64_t n;
    uint64_t period_ns;
};

/* Calendar periods in UTC, weeks from Monday. */
enum node_period {
    NODE_MINUTE,
    NODE_HOUR,
    NODE_DAY,
    NODE_WEEK,
    NODE_MONTH,
    NODE_YEAR,
};

/* `n` permits in each calendar `period`. */
struct node_quota {
    uint64_t n;
    enum node_period period;
};

struct node_item;

struct node {
    uint8_t kind;  /* enum node_kind */
    uint8_t flags; /* enum node_flag */
    uint32_t line; /* from 1; 0 for a value that was filled in */
    uint32_t column;
    uint32_t count;   /* entries of a list or map; bytes of `text` for scalars */
    const char *file; /* NULL for a value that was filled in */
    const char *text; /* scalars: the text, NUL-terminated, after substitution */
    union {
        bool truth;
        int64_t num;
        double real;
        struct node_rate rate;
        struct node_quota quota;
        const struct node *const *list;
        const struct node_item *items;
    };
};

/* One entry of a map; entries keep the order of the file, filled-in ones come last. */
struct node_item {
    const char *key;
    uint32_t line; /* of the key */
    uint32_t column;
    const struct node *value;
};

/* Where a value was written; `file` is NULL and `line` 0 for one that was filled in. */
struct node_pos {
    const char *file;
    uint32_t line;
    uint32_t column;
};

/* The value at a dotted path below `n` ("" is `n` itself), or NULL when absent or null; `n` may be
 * NULL. */
const struct node *node_get(const struct node *n, const char *path);
/* The entry of a map with exactly this key (dots are not special), or NULL. */
const struct node *node_member(const struct node *map, const char *key);
/* Was it written by the user, not filled in? */
bool node_given(const struct node *n, const char *path);

bool node_bool(const struct node *n, const char *path);
int64_t node_int(const struct node *n, const char *path);
/* Durations: nanoseconds, and milliseconds rounded up so that a positive one never becomes 0. */
uint64_t node_ns(const struct node *n, const char *path);
uint64_t node_ms(const struct node *n, const char *path);
uint64_t node_size(const struct node *n, const char *path);
/* Percentages in parts per million. */
uint32_t node_ppm(const struct node *n, const char *path);
/* Index in the key's words in src/conf's tables, -1 when absent. */
int node_enum(const struct node *n, const char *path);
/* Is the value there and is its text exactly `word` (for enums and alternatives such as `none`)? */
bool node_is(const struct node *n, const char *path, const char *word);
struct node_rate node_rate(const struct node *n, const char *path);
struct node_quota node_quota(const struct node *n, const char *path);
/* Seconds since the epoch; INT64_MAX when absent ("never"). */
int64_t node_time(const struct node *n, const char *path);
/* The text of any scalar, NULL when absent. */
const char *node_str(const struct node *n, const char *path);

/* Entries of the list or map at `path`; 0 when absent, or when an alternative word stands there. */
size_t node_count(const struct node *n, const char *path);
/* Entry `i` of a list or map; `i` must be below node_count(n, ""). */
const struct node *node_at(const struct node *n, size_t i);
/* Key of entry `i` of a map. */
const char *node_key(const struct node *map, size_t i);

/* Where `n` was written. */
struct node_pos node_pos(const struct node *n);

#endif
