/* The fields of one message, in order, as slices of bytes that live elsewhere (the receive buffer
 * or the request's arena). Names that the gateway knows carry an id, so that looking one up costs
 * one array access. RFC 9110 §5. */
#ifndef TG_HTTP_HEADERS_H
#define TG_HTTP_HEADERS_H

#include "base/arena.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

/* One line per known field: X(ID, "Name-As-Sent"). FIELD_OTHER is every other name. */
#define FIELD_TABLE(X)                                                                             \
    X(ACCEPT, "Accept")                                                                            \
    X(ACCEPT_ENCODING, "Accept-Encoding")                                                          \
    X(AUTHORIZATION, "Authorization")                                                              \
    X(CACHE_CONTROL, "Cache-Control")                                                              \
    X(CONNECTION, "Connection")                                                                    \
    X(CONTENT_ENCODING, "Content-Encoding")                                                        \
    X(CONTENT_LENGTH, "Content-Length")                                                            \
    X(CONTENT_TYPE, "Content-Type")                                                                \
    X(COOKIE, "Cookie")                                                                            \
    X(DATE, "Date")                                                                                \
    X(EXPECT, "Expect")                                                                            \
    X(FORWARDED, "Forwarded")                                                                      \
    X(GRPC_TIMEOUT, "Grpc-Timeout")                                                                \
    X(HOST, "Host")                                                                                \
    X(HTTP2_SETTINGS, "HTTP2-Settings")                                                            \
    X(KEEP_ALIVE, "Keep-Alive")                                                                    \
    X(LOCATION, "Location")                                                                        \
    X(ORIGIN, "Origin")                                                                            \
    X(PROXY_AUTHENTICATE, "Proxy-Authenticate")                                                    \
    X(PROXY_AUTHORIZATION, "Proxy-Authorization")                                                  \
    X(PROXY_CONNECTION, "Proxy-Connection")                                                        \
    X(REFERER, "Referer")                                                                          \
    X(RETRY_AFTER, "Retry-After")                                                                  \
    X(SERVER, "Server")                                                                            \
    X(SET_COOKIE, "Set-Cookie")                                                                    \
    X(STRICT_TRANSPORT_SECURITY, "Strict-Transport-Security")                                      \
    X(TE, "TE")                                                                                    \
    X(TRACEPARENT, "Traceparent")                                                                  \
    X(TRACESTATE, "Tracestate")                                                                    \
    X(TRAILER, "Trailer")                                                                          \
    X(TRANSFER_ENCODING, "Transfer-Encoding")                                                      \
    X(UPGRADE, "Upgrade")                                                                          \
    X(USER_AGENT, "User-Agent")                                                                    \
    X(VARY, "Vary")                                                                                \
    X(VIA, "Via")                                                                                  \
    X(WWW_AUTHENTICATE, "WWW-Authenticate")                                                        \
    X(X_API_KEY, "X-API-Key")                                                                      \
    X(X_AUTH_METHOD, "X-Auth-Method")                                                              \
    X(X_AUTH_SCOPES, "X-Auth-Scopes")                                                              \
    X(X_AUTH_SUBJECT, "X-Auth-Subject")                                                            \
    X(X_FORWARDED_FOR, "X-Forwarded-For")                                                          \
    X(X_FORWARDED_HOST, "X-Forwarded-Host")                                                        \
    X(X_FORWARDED_PORT, "X-Forwarded-Port")                                                        \
    X(X_FORWARDED_PROTO, "X-Forwarded-Proto")                                                      \
    X(X_REQUEST_ID, "X-Request-Id")                                                                \
    X(X_TENANT_ID, "X-Tenant-Id")

enum field_id {
    FIELD_OTHER,
#define FIELD_ENUM(id, name) FIELD_##id,
    FIELD_TABLE(FIELD_ENUM)
#undef FIELD_ENUM
        FIELD_IDS
};

enum {
    FIELD_DROPPED = 1, /* not forwarded and not found by look-ups */
    FIELD_ADDED = 2,   /* not part of the message's bytes: headers_rebase leaves it alone */
};

struct field {
    const char *name, *value;
    uint32_t value_len;
    uint16_t name_len;
    uint8_t id; /* enum field_id */
    uint8_t flags;
};

struct headers {
    struct field *v;
    uint16_t n, cap;
    uint16_t first[FIELD_IDS]; /* index + 1 of the first field with that id, 0: none */
    struct arena *arena;       /* where v grows and what is added lives */
};

/* Empty, with room for `cap` fields from the arena. */
void headers_init(struct headers *h, struct arena *arena, uint16_t cap);

/* Id of a name in any case. `name` is a token or at least free of control characters. */
enum field_id field_lookup(const char *name, size_t n);
/* The usual spelling of a known name. */
struct str field_name(enum field_id id);

static inline struct str field_value(const struct field *f)
{
    return str_make(f->value, f->value_len);
}

/* First field with that id that is not dropped; NULL if there is none. */
struct field *headers_get(const struct headers *h, enum field_id id);
/* First field of that name (any case), known or not. */
struct field *headers_find(const struct headers *h, struct str name);
/* The next field with the same name as `f`, or NULL. */
struct field *headers_next(const struct headers *h, const struct field *f);
/* Value of the first field with that id, STR_NULL if there is none. */
struct str headers_value(const struct headers *h, enum field_id id);

/* Adds a field as it was parsed: name and value are slices of the message; sets its id. */
struct field *headers_push(struct headers *h, struct str name, struct str value);

/* Adds at the end; name and value are not copied and live as long as the headers. */
void headers_add(struct headers *h, struct str name, struct str value);
void headers_add_id(struct headers *h, enum field_id id, struct str value);
/* Drops every field of that name, then adds one. */
void headers_set(struct headers *h, struct str name, struct str value);
void headers_set_id(struct headers *h, enum field_id id, struct str value);
void headers_remove(struct headers *h, struct str name);
void headers_remove_id(struct headers *h, enum field_id id);

/* The message's bytes were copied from `from` to `to`: the slices of its fields move along. */
void headers_rebase(struct headers *h, const char *from, const char *to);

/* Next member of a comma-separated list (RFC 9110 §5.6.1), trimmed; empty ones are skipped. Begin
 * with `*rest` as the field's value; false at the end. */
bool headers_list_next(struct str *rest, struct str *member);

enum { /* options that Connection may name */
       CONNECTION_CLOSE = 1,
       CONNECTION_KEEP_ALIVE = 2,
       CONNECTION_UPGRADE = 4,
};

/* The options of all Connection fields; -1 if one names Host, Content-Length or Transfer-Encoding.
 */
int headers_connection(const struct headers *h);

/* Drops hop-by-hop fields and those that Connection names (RFC 9110 §7.6.1); TE stays only as
 * "trailers". -1 if Connection names Host, Content-Length or Transfer-Encoding. */
int headers_strip_hop_by_hop(struct headers *h) __attribute__((warn_unused_result));

#endif
