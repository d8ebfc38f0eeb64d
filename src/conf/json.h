/* JSON is read by the YAML parser, which knows positions; what it would let through is refused
 * before. */
#ifndef TG_CONF_JSON_H
#define TG_CONF_JSON_H

#include "base/str.h"
#include "conf/conf.h"

/*
 * False and an error if `text` is not JSON (RFC 8259). `copy` receives the text in the form that a
 * YAML parser reads the same way (surrogate pairs become one escape), or stays empty when `text`
 * will do.
 */
bool json_check(const char *file, struct str text, struct conf_errors *errs, struct buf *copy);

#endif
