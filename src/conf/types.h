/* The types of scalars: from text to value. */
#ifndef TG_CONF_TYPES_H
#define TG_CONF_TYPES_H

#include "base/schema.h"
#include "conf/source.h"

/* A scalar on its way from text to typed value. */
struct typed {
    const struct key *key;
    struct sources *sources;
    struct node
        *out; /* text and raw kind are set; the type sets kind and value, may change the text */
};

/*
 * NULL when the value is right; else what is wrong and what would be right, as it follows the value
 * in a sentence: "is not a duration; write ...".
 */
const char *type_parse(struct typed *t);

/* What a type is called in messages and documentation: "a duration". */
const char *type_noun(enum key_type type);
/* Is it made from the text, so that a plain number will do; and is a template of it left in? */
bool type_is_text(enum key_type type);
bool type_is_template(enum key_type type);
/* A sentence for the documentation, or NULL. */
const char *type_help(enum key_type type);

/* The families, each in a file of its own: units.c, hosts.c, texts.c. */
const char *type_duration(struct typed *t);
const char *type_size(struct typed *t);
const char *type_percent(struct typed *t);
const char *type_rate(struct typed *t);
const char *type_quota(struct typed *t);
const char *type_time(struct typed *t);
const char *type_address(struct typed *t);
const char *type_endpoint(struct typed *t);
const char *type_nameserver(struct typed *t);
const char *type_cidr(struct typed *t);
const char *type_host(struct typed *t);
const char *type_hostname(struct typed *t);
const char *type_url(struct typed *t);
const char *type_origin(struct typed *t);

/* Text of a duration or size as a person writes it, for messages about bounds; in the arena. */
const char *units_duration_text(struct arena *arena, int64_t ns);
const char *units_size_text(struct arena *arena, int64_t bytes);

#endif
