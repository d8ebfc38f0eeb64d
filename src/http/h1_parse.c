/* See h1_parse.h. Start line, then fields: the syntax. What they mean together is in h1_rules.c. */
#include "http/h1_parse.h"

#include "base/check.h"
#include "http/h1_rules.h"
#include "http/uri.h"

/* Bytes of one head between calls of a step: `at` moves over complete lines only. */
struct cursor {
    struct scan scan;
    const char *at;
    const char *error;
};

static enum h1_result cursor_bad(struct cursor *c, const char *error)
{
    c->error = error;
    return H1_BAD;
}

static const struct str method_names[METHODS] = {
    [METHOD_OTHER] = {"other", 5},     [METHOD_GET] = {"GET", 3},
    [METHOD_HEAD] = {"HEAD", 4},       [METHOD_POST] = {"POST", 4},
    [METHOD_PUT] = {"PUT", 3},         [METHOD_DELETE] = {"DELETE", 6},
    [METHOD_CONNECT] = {"CONNECT", 7}, [METHOD_OPTIONS] = {"OPTIONS", 7},
    [METHOD_TRACE] = {"TRACE", 5},     [METHOD_PATCH] = {"PATCH", 5},
};

struct str method_name(enum http_method m)
{
    return method_names[m];
}

enum http_method method_lookup(struct str name)
{
    for (enum http_method m = METHOD_GET; m < METHODS; m++)
        if (str_eq(name, method_names[m]))
            return m;
    return METHOD_OTHER;
}

bool http_is_token(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!scan_is(SCAN_TOKEN, s.p[i]))
            return false;
    return s.n > 0;
}

static bool is_ows(char c)
{
    return c == ' ' || c == '\t';
}

bool http_is_field_value(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!scan_is(SCAN_VALUE, s.p[i]))
            return false;
    return s.n == 0 || (!is_ows(s.p[0]) && !is_ows(s.p[s.n - 1]));
}

void h1_head_init(struct h1_head *h, struct arena *arena, const struct h1_limits *limits)
{
    enum { FIELDS_AT_FIRST = 24 };
    h->scan = scan_kernel_best(); /* one by one: faster than to clear it all */
    h->base = h->error = NULL;
    h->len = 0;
    h->method_text = h->target = h->reason = STR_NULL;
    h->content_length = 0;
    h->status = 0;
    h->method = h->minor = h->framing = 0;
    h->started = h->keep_alive = h->expect_continue = h->upgrade = false;
    headers_init(&h->headers, arena,
                 limits->fields < FIELDS_AT_FIRST ? limits->fields : FIELDS_AT_FIRST);
}

static struct str str_moved(struct str s, const char *from, const char *to)
{
    return s.p ? str_make(to + (s.p - from), s.n) : s;
}

void h1_head_rebase(struct h1_head *h, const char *base)
{
    headers_rebase(&h->headers, h->base, base);
    h->method_text = str_moved(h->method_text, h->base, base);
    h->target = str_moved(h->target, h->base, base);
    h->reason = str_moved(h->reason, h->base, base);
    h->base = base;
}

/* CRLF at `p`, where a line's content ended. */
static inline enum h1_result line_end(struct cursor *c, const char *p)
{
    if (p == c->scan.end)
        return H1_MORE;
    if (*p == '\n')
        return cursor_bad(c, "line ends with a bare LF");
    if (*p != '\r')
        return cursor_bad(c, "control character in a line");
    if (p + 1 == c->scan.end)
        return H1_MORE;
    return p[1] == '\n' ? H1_DONE : cursor_bad(c, "bare CR in a line");
}

static const char *bad_name_error(const char *name, char stop)
{
    if (stop == '\n')
        return "line ends with a bare LF";
    if (is_ows(*name))
        return "folded field line";
    if (is_ows(stop))
        return "white space before the colon of a field";
    return stop == ':' ? "empty field name" : "invalid character in a field name";
}

/* One field line, white space around the value cut off. */
static inline enum h1_result field_line(struct cursor *c, struct str *name, struct str *value)
{
    const char *colon = scan_to(&c->scan, SCAN_TOKEN, c->at);
    if (colon == c->scan.end)
        return H1_MORE;
    if (unlikely(*colon != ':' || colon == c->at))
        return cursor_bad(c, bad_name_error(c->at, *colon));
    const char *from = colon + 1;
    while (from < c->scan.end && is_ows(*from))
        from++;
    const char *stop = scan_to(&c->scan, SCAN_VALUE, from), *to = stop;
    enum h1_result r = line_end(c, stop);
    if (r != H1_DONE)
        return r;
    while (to > from && is_ows(to[-1]))
        to--;
    *name = str_make(c->at, (size_t)(colon - c->at));
    *value = str_make(from, (size_t)(to - from));
    c->at = stop + 2;
    return name->n <= UINT16_MAX ? H1_DONE : H1_HEADERS_TOO_LARGE;
}

/* Field lines up to and with the empty line. */
static enum h1_result field_lines(struct cursor *c, struct headers *headers,
                                  const struct h1_limits *limits, h1_rules_field *check,
                                  void *message)
{
    while (c->at < c->scan.end) {
        struct str name, value;
        if (*c->at == '\r') {
            enum h1_result r = line_end(c, c->at);
            c->at += r == H1_DONE ? 2 : 0;
            return r;
        }
        if (headers->n >= limits->fields) {
            c->error = "too many fields";
            return H1_HEADERS_TOO_LARGE;
        }
        enum h1_result r = field_line(c, &name, &value);
        if (r != H1_DONE)
            return r;
        struct field *f = headers_push(headers, name, value);
        if (H1_RULES_FIELDS >> f->id & 1 && (c->error = check(message, headers, f)))
            return H1_BAD;
    }
    return H1_MORE;
}

/* "HTTP/1.x" at `p`; 1.2 and later are read as 1.1 (RFC 9110 §6.2). `*major` is set when done. */
static enum h1_result version(struct cursor *c, const char *p, uint8_t *major, uint8_t *minor)
{
    static const char pattern[] = "HTTP/0.0"; /* 0: any digit */
    for (unsigned i = 0; i < 8; i++, p++) {
        if (p == c->scan.end)
            return H1_MORE;
        if (*p != pattern[i] && !(pattern[i] == '0' && ascii_is_digit(*p)))
            return cursor_bad(c, "malformed HTTP version");
    }
    *major = (uint8_t)(p[-3] - '0');
    *minor = p[-1] != '0';
    return H1_DONE;
}

static enum h1_result version_supported(struct cursor *c, uint8_t major)
{
    if (major == 1)
        return H1_DONE;
    c->error = "HTTP version other than 1";
    return H1_BAD_VERSION;
}

/* RFC 9112 §2.2: empty lines before a request line are ignored. */
static enum h1_result empty_lines(struct cursor *c)
{
    while (c->at < c->scan.end && *c->at == '\r') {
        enum h1_result r = line_end(c, c->at);
        if (r != H1_DONE)
            return r;
        c->at += 2;
    }
    return H1_DONE;
}

static enum h1_result target(struct cursor *c, const char *p, const struct h1_limits *limits,
                             struct str *out)
{
    const char *stop = scan_to(&c->scan, SCAN_TARGET, p);
    *out = str_make(p, (size_t)(stop - p));
    if (out->n > limits->head_bytes / 2) {
        c->error = "target too long";
        return H1_TARGET_TOO_LONG;
    }
    if (stop == c->scan.end)
        return H1_MORE;
    if (*stop == ' ' && out->n)
        return H1_DONE;
    return cursor_bad(c, *stop == '\r' || *stop == '\n' ? "request line without HTTP version"
                                                        : "invalid character in the target");
}

static bool target_form_is_valid(struct str target, enum http_method method)
{
    struct uri uri;
    if (target.p[0] == '/' && method != METHOD_CONNECT)
        return true;
    return uri_split(target, method, &uri) == URI_OK;
}

/* method SP target SP version CRLF, RFC 9112 §3. */
static enum h1_result request_line(struct cursor *c, struct h1_head *h,
                                   const struct h1_limits *limits)
{
    struct str t;
    uint8_t major, minor;
    enum h1_result r = empty_lines(c);
    if (r != H1_DONE)
        return r;
    const char *space = scan_to(&c->scan, SCAN_TOKEN, c->at);
    if (space == c->scan.end)
        return H1_MORE;
    if (*space != ' ' || space == c->at)
        return cursor_bad(c, "malformed method");
    r = target(c, space + 1, limits, &t);
    if (r != H1_DONE)
        return r;
    const char *after = t.p + t.n + 1;
    r = version(c, after, &major, &minor);
    if (r != H1_DONE)
        return r;
    r = line_end(c, after + 8);
    if (r != H1_DONE)
        return r;
    h->method_text = str_make(c->at, (size_t)(space - c->at));
    h->method = (uint8_t)method_lookup(h->method_text);
    h->target = t;
    h->minor = minor;
    h->started = true;
    c->at = after + 10;
    r = version_supported(c, major);
    if (r == H1_DONE && !target_form_is_valid(t, h->method))
        return cursor_bad(c, "malformed target");
    return r;
}

/* Three digits and what follows them: 100 to 999. */
static enum h1_result status_code(struct cursor *c, const char *p, uint16_t *status)
{
    unsigned code = 0;
    for (unsigned i = 0; i < 4; i++, p++) {
        if (p == c->scan.end)
            return H1_MORE;
        if (i == 0 ? *p != ' ' : !ascii_is_digit(*p))
            return cursor_bad(c, "malformed status");
        code = i ? code * 10 + (unsigned)(*p - '0') : 0;
    }
    *status = (uint16_t)code;
    return code >= 100 ? H1_DONE : cursor_bad(c, "malformed status");
}

/* version SP status [SP [reason]] CRLF, RFC 9112 §4; the last space may be missing. */
static enum h1_result status_line(struct cursor *c, struct h1_head *h)
{
    uint8_t major, minor;
    uint16_t status;
    enum h1_result r = version(c, c->at, &major, &minor);
    if (r == H1_DONE)
        r = status_code(c, c->at + 8, &status);
    if (r != H1_DONE)
        return r;
    const char *reason = c->at + 12;
    if (reason < c->scan.end && *reason == ' ')
        reason++;
    else if (reason < c->scan.end && *reason != '\r')
        return cursor_bad(c, "malformed status");
    const char *stop = scan_to(&c->scan, SCAN_VALUE, reason);
    r = line_end(c, stop);
    if (r != H1_DONE)
        return r;
    h->status = status;
    h->reason = str_make(reason, (size_t)(stop - reason));
    h->minor = minor;
    h->started = true;
    c->at = stop + 2;
    return version_supported(c, major);
}

static void cursor_init(struct cursor *c, scan_kernel *kernel, const char *at, const char *end)
{
    c->at = at;
    c->error = NULL;
    scan_init(&c->scan, kernel, at, end);
}

/* Both kinds of head: takes up where the last call stopped. */
static void head_begin(struct cursor *c, struct h1_head *h, const char *buf, size_t n,
                       const struct h1_limits *limits)
{
    if (h->base && h->base != buf)
        h1_head_rebase(h, buf);
    h->base = buf;
    cursor_init(c, h->scan, buf + h->len, buf + (n < limits->head_bytes ? n : limits->head_bytes));
}

static enum h1_result head_end(struct cursor *c, struct h1_head *h, enum h1_result r, size_t n,
                               const struct h1_limits *limits)
{
    h->len = (uint32_t)(c->at - h->base);
    h->error = c->error;
    if (r != H1_MORE || n < limits->head_bytes)
        return r;
    h->error = "head too large";
    return H1_HEADERS_TOO_LARGE;
}

enum h1_result h1_parse_request(struct h1_head *h, const char *buf, size_t n,
                                const struct h1_limits *limits)
{
    struct cursor c;
    enum h1_result r = H1_DONE;
    if (n == 0)
        return H1_MORE;
    head_begin(&c, h, buf, n, limits);
    if (!h->started)
        r = request_line(&c, h, limits);
    if (r == H1_DONE)
        r = field_lines(&c, &h->headers, limits, h1_rules_request_field, h);
    if (r == H1_DONE && (c.error = h1_rules_request(h)))
        r = H1_BAD;
    return head_end(&c, h, r, n, limits);
}

enum h1_result h1_parse_response(struct h1_head *h, const char *buf, size_t n,
                                 const struct h1_limits *limits, enum http_method request)
{
    struct cursor c;
    enum h1_result r = H1_DONE;
    if (n == 0)
        return H1_MORE;
    head_begin(&c, h, buf, n, limits);
    if (!h->started)
        r = status_line(&c, h);
    if (r == H1_DONE)
        r = field_lines(&c, &h->headers, limits, h1_rules_response_field, h);
    if (r == H1_DONE && (c.error = h1_rules_response(h, request)))
        r = H1_BAD;
    return head_end(&c, h, r, n, limits);
}

enum h1_result h1_parse_fields(struct headers *h, const char *buf, size_t n,
                               const struct h1_limits *limits, size_t *used)
{
    struct cursor c;
    if (n == 0)
        return H1_MORE;
    cursor_init(&c, scan_kernel_best(), buf,
                buf + (n < limits->head_bytes ? n : limits->head_bytes));
    enum h1_result r = field_lines(&c, h, limits, h1_rules_trailer_field, NULL);
    *used = (size_t)(c.at - buf);
    return r == H1_MORE && n >= limits->head_bytes ? H1_HEADERS_TOO_LARGE : r;
}
