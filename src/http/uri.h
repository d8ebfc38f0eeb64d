/* Request targets: their forms (RFC 9112 §3.2) and the one normal form of a path in which it is
 * both routed and forwarded (RFC 3986 §6.2.2, stricter: what is ambiguous is refused). */
#ifndef TG_HTTP_URI_H
#define TG_HTTP_URI_H

#include "base/arena.h"
#include "http/h1_parse.h"

struct uri {
    struct str authority; /* of an absolute-form target or of CONNECT, else STR_NULL */
    struct str path;      /* begins with '/', or "*" for OPTIONS *; empty for CONNECT */
    struct str query;     /* without the '?'; p == NULL if there is none */
};

enum uri_result {
    URI_OK,
    URI_BAD,
};

enum {                             /* flags of uri_normalise */
       URI_KEEP_ESCAPED_SLASH = 1, /* %2F stays as it is instead of being refused */
       URI_MERGE_SLASHES = 2,
};

/* Splits a target of visible ASCII; the slices point into it or at constants. Schemes are http and
 * https; an absolute-form target without a path has the path "/" (of OPTIONS: "*", RFC 9112
 * §3.2.4). Refused: any other form, user information, a fragment. */
enum uri_result uri_split(struct str target, enum http_method method, struct uri *out)
    __attribute__((warn_unused_result));

/* Percent-decodes unreserved characters, upper-cases other escapes, escapes what RFC 3986 does not
 * allow in a path, removes dot segments and, if asked, repeated slashes. Refused: %00, %5C, a
 * backslash, a control character, a bad escape, a climb above the root and, unless kept, %2F; if
 * kept, one beside "." or "..", where a service that decodes it would climb. "*" is normal. A path
 * that is already normal is returned as it is, else it is made in the arena. */
enum uri_result uri_normalise(struct str path, unsigned flags, struct arena *arena, struct str *out)
    __attribute__((warn_unused_result));

/* Host [":" [port]] as in RFC 9110 §7.2, syntax only: an IPv6 address in brackets, or a name or
 * IPv4 address of unreserved characters (what no DNS name has, as "," and "%", is refused). */
bool uri_is_authority(struct str s);
/* The digits after the colon of an authority, STR_NULL if there are none. */
struct str uri_port(struct str authority);
/* The host of an authority: no port, no final dot, no brackets taken off. Not lower-cased. */
struct str uri_host(struct str authority);

/* Percent-decodes into the arena ('+' stays '+'); bad escapes are kept as they are. */
struct str uri_decode(struct str s, struct arena *arena);
/* Next name=value pair of a query; false at the end. Slices are not decoded. */
bool uri_query_next(struct str *rest, struct str *name, struct str *value);

#endif
