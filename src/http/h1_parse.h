/* The strict HTTP/1.1 message parser (RFC 9112): pure, incremental, no I/O. It never repairs:
 * whatever two readers could frame differently is an error. Scanning is vectorised where the CPU
 * can; the scalar twin gives the same answers and both are fuzzed against each other. */
#ifndef TG_HTTP_H1_PARSE_H
#define TG_HTTP_H1_PARSE_H

#include "http/headers.h"
#include "http/scan.h"

enum http_method {
    METHOD_OTHER,
    METHOD_GET,
    METHOD_HEAD,
    METHOD_POST,
    METHOD_PUT,
    METHOD_DELETE,
    METHOD_CONNECT,
    METHOD_OPTIONS,
    METHOD_TRACE,
    METHOD_PATCH,
    METHODS
};

/* "GET" …; "other" for METHOD_OTHER. Method names are case-sensitive. */
struct str method_name(enum http_method m);
enum http_method method_lookup(struct str name);

enum h1_result {
    H1_DONE,
    H1_MORE,              /* valid so far, the head is not complete */
    H1_BAD,               /* 400 (of an answer: 502) */
    H1_TARGET_TOO_LONG,   /* 414 */
    H1_HEADERS_TOO_LARGE, /* 431: bytes or number of fields */
    H1_BAD_VERSION,       /* 505: a well-formed HTTP/2.0, say */
};

enum h1_framing {
    H1_BODY_NONE,
    H1_BODY_LENGTH, /* perhaps of 0 bytes */
    H1_BODY_CHUNKED,
    H1_BODY_UNTIL_CLOSE, /* answers only */
};

struct h1_limits {
    /* Start line and fields with their line ends; a target longer than half of it is 414. */
    uint32_t head_bytes;
    uint16_t fields;
};

struct h1_head {
    struct headers headers;
    scan_kernel *scan; /* tests choose another one after h1_head_init */
    const char *base;  /* the bytes all slices point into */
    uint32_t len;      /* bytes of complete lines parsed; when done: of the whole head */
    struct str method_text, target, reason;
    const char *error; /* static text: what is wrong */
    uint64_t content_length;
    uint16_t status;
    uint8_t method;  /* enum http_method */
    uint8_t minor;   /* HTTP/1.minor: 0 or 1 */
    uint8_t framing; /* enum h1_framing */
    bool started;    /* start line parsed */
    bool keep_alive; /* the sender will reuse the connection (RFC 9112 §9.3) */
    bool expect_continue;
    bool upgrade; /* an Upgrade field that Connection names */
};

/* Before the first byte of each message. The arena gives room for the fields, at most
 * limits->fields. */
void h1_head_init(struct h1_head *h, struct arena *arena, const struct h1_limits *limits);

/* `buf` holds the message from its first byte; on H1_MORE call again with the same bytes and more
 * (they may have moved). Empty lines before a request line are skipped (RFC 9112 §2.2). The result
 * does not depend on how the bytes were cut; only the first limits->head_bytes count. Any other
 * result than H1_DONE and H1_MORE ends the message: `error` says what is wrong. */
enum h1_result h1_parse_request(struct h1_head *h, const char *buf, size_t n,
                                const struct h1_limits *limits) __attribute__((warn_unused_result));

/* `request` is the method that this answers: it decides the framing (RFC 9112 §6.3). A 1xx or 204
 * that announces content is H1_BAD. */
enum h1_result h1_parse_response(struct h1_head *h, const char *buf, size_t n,
                                 const struct h1_limits *limits, enum http_method request)
    __attribute__((warn_unused_result));

/* Field lines up to and with the empty line: a trailer section, without the fields that frame or
 * route a message (RFC 9110 §6.5.1). `*used` bytes when done; does not resume: begin again with
 * empty headers. */
enum h1_result h1_parse_fields(struct headers *h, const char *buf, size_t n,
                               const struct h1_limits *limits, size_t *used)
    __attribute__((warn_unused_result));

/* The head's bytes were copied to `base`. */
void h1_head_rebase(struct h1_head *h, const char *base);

/* RFC 9110 §5.6.2 token; §5.5 field value (no controls but HTAB, no NUL/CR/LF, no leading or
 * trailing white space). */
bool http_is_token(struct str s);
bool http_is_field_value(struct str s);

#endif
