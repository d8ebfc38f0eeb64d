/* What names of all kinds may look like. */
#ifndef TG_CONF_NAMES_H
#define TG_CONF_NAMES_H

#include "base/str.h"

/* RFC 9110 §5.6.2. */
bool names_is_token(struct str s);
/* [A-Za-z0-9_][A-Za-z0-9._~-]{0,127}: listeners, services, variants, routes, plans, keys. */
bool names_is_name(struct str s);
/* [a-z0-9_-]{1,32} */
bool names_is_limit(struct str s);
/* [A-Za-z0-9][A-Za-z0-9._-]{0,63} */
bool names_is_tenant(struct str s);
/* Letters, digits, `-` and `_` in labels of at most 63, at most 253 in all (RFC 1123 §2.1). */
bool names_is_host(struct str s);
/* type/subtype, either may be `*`. */
bool names_is_media_type(struct str s);
/* One or more members without white space, joined by dots. */
bool names_is_dotted(struct str s);

#endif
