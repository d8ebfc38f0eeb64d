/* `${env:NAME}`, `${env:NAME:-default}` and `${file:PATH}` in values. */
#ifndef TG_CONF_SUBST_H
#define TG_CONF_SUBST_H

#include "conf/source.h"

enum subst_mode {
    SUBST_PLAIN,    /* any other `${word}` is an error, `$${` becomes `${` */
    SUBST_SECRET,   /* the same, and messages quote nothing of the value */
    SUBST_TEMPLATE, /* the per-request words are left, and so is `$${`; what is put in is escaped */
};

/*
 * Replaces the references in `in`, written in the file `holder`, into `*out` (in the sources'
 * arena). NULL on success, else what is wrong. `*changed` tells whether anything came from outside.
 */
const char *subst_expand(struct sources *s, const char *holder, enum subst_mode mode, struct str in,
                         struct str *out, bool *changed);

/* The NAMEs of all `${path:NAME}` in a template, one after the other: false when there is no
 * further. */
bool subst_next_path_name(struct str *rest, struct str *name);

#endif
