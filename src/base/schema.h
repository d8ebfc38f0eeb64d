/*
 * How a key of the configuration is described: one const table per section, from which the check,
 * the defaults, docs/configuration.md and conf/tollgate.schema.json all come. Modules declare
 * theirs the same way; src/conf puts them together.
 */
#ifndef TG_BASE_SCHEMA_H
#define TG_BASE_SCHEMA_H

#include <stdint.h>

enum key_type {
    KEY_MAP, /* `children`; one child named "*" means keys of the user's choice */
    KEY_ANY, /* anything, not looked at */
    KEY_BOOL,
    KEY_INT,      /* min..max */
    KEY_STRING,   /* min..max bytes */
    KEY_ENUM,     /* one of `words`; a word ending in ':' takes a name behind it */
    KEY_DURATION, /* min..max nanoseconds */
    KEY_SIZE,     /* min..max bytes */
    KEY_PERCENT,  /* parts per million */
    KEY_RATE,
    KEY_QUOTA,
    KEY_TIME,       /* RFC 3339 */
    KEY_NAME,       /* of a listener, service, variant, route, plan, key, token */
    KEY_LIMIT_NAME, /* [a-z0-9_-]{1,32} */
    KEY_TENANT_ID,
    KEY_SHA256,     /* 64 hexadecimal digits, kept in lower case */
    KEY_FILE,       /* must exist and be readable; made absolute */
    KEY_OUTPUT,     /* a file to write, `-` a standard stream, or "" for none; made absolute */
    KEY_REGEX,      /* PCRE2 */
    KEY_URL,        /* scheme one of `words`, then a host */
    KEY_ADDRESS,    /* to listen on: IP:PORT, [IPv6]:PORT, unix:PATH */
    KEY_ENDPOINT,   /* to connect to: as KEY_ADDRESS, or dns:NAME:PORT */
    KEY_NAMESERVER, /* IP or IP:PORT */
    KEY_CIDR,       /* an address or a block of addresses */
    KEY_HOST,       /* a name, an address, or *.name; kept in lower case without final dot */
    KEY_HOSTNAME,   /* a name or an address */
    KEY_METHOD,
    KEY_REQUEST_PATH, /* begins with `/` */
    KEY_HEADER_NAME,
    KEY_HEADER_VALUE,  /* no control characters */
    KEY_TEMPLATE,      /* a header value with `${word}`s that are filled per request */
    KEY_TEXT_TEMPLATE, /* the same with line ends allowed: a body */
    KEY_MEDIA_TYPE,
    KEY_ORIGIN,          /* scheme://host[:port] or `*` */
    KEY_STATUS_RANGE,    /* 200 or 200-299 */
    KEY_RETRY_CONDITION, /* one of `words`, or a status 400-599 */
    KEY_DOTTED,          /* names of nested members: a.b.c */
    KEY_REDIRECT,        /* true (443), false (0) or a port: an int */
};

enum key_flag {
    KEY_REQUIRED = 1u << 0,
    KEY_LIST = 1u << 1,        /* a list of values of the type */
    KEY_ONE_OR_LIST = 1u << 2, /* the same, and one value alone stands for a list of one */
    KEY_NONEMPTY = 1u << 3,    /* the list or map has at least one entry */
    KEY_UNIQUE = 1u << 4,      /* entries of the list differ; of maps, in their first key */
    KEY_SECRET = 1u << 5,      /* never shown */
    KEY_GATE = 1u << 6,        /* entries of the list get `missing` (see conf/conf.h) */
    KEY_IMPLIED = 1u << 7,     /* with `later`: left out asks for the feature, too */
};

/* What it means that a feature is not built in. */
enum key_later {
    KEY_READY,    /* it is */
    KEY_DECIDES,  /* who gets in hangs on it: the route or listener answers 501 */
    KEY_IMPROVES, /* goes on without it, named in /v1/status.inactive */
};

#define WORDS(...) ((const char *const[]){__VA_ARGS__, 0})

struct key {
    const char *name; /* NULL ends a table */
    const char *doc;  /* a sentence; `%` and `|` free */
    enum key_type type;
    unsigned flags;  /* enum key_flag */
    const char *def; /* value when left out: text, or a list's texts separated by ", "; "{}" for a
                              map filled from its own keys; NULL: stays absent */
    const char *depends; /* a sibling: when that one is given, def_with takes the place of def */
    const char *def_with;
    const char *alone; /* a map is also accepted as this word ("none"), a map's text form sets
                              this key of it when it begins with '=' ("=address") */
    int64_t min, max;  /* both 0: the type's own bounds */
    const char *const *words;
    const struct key *children;
    enum key_type keys;  /* of a child named "*": what its keys look like */
    const char *example; /* for the documentation */
    enum key_later later;
    /* With `later`: values that need nothing new, separated by blanks; `word:` any beginning so,
     * `!word` any not beginning so. */
    const char *ready;
};

#endif
