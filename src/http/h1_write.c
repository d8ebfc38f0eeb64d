/* See h1_write.h. Room is reserved once a head, then bytes are copied. */
#include "http/h1_write.h"

#include <stdio.h>
#include <time.h>

struct str http_reason(unsigned status)
{
    switch (status) {
#define R(code, text)                                                                              \
    case code: return STR(text)
        R(100, "Continue");
        R(101, "Switching Protocols");
        R(103, "Early Hints");
        R(200, "OK");
        R(201, "Created");
        R(202, "Accepted");
        R(204, "No Content");
        R(206, "Partial Content");
        R(301, "Moved Permanently");
        R(302, "Found");
        R(303, "See Other");
        R(304, "Not Modified");
        R(307, "Temporary Redirect");
        R(308, "Permanent Redirect");
        R(400, "Bad Request");
        R(401, "Unauthorized");
        R(403, "Forbidden");
        R(404, "Not Found");
        R(405, "Method Not Allowed");
        R(408, "Request Timeout");
        R(409, "Conflict");
        R(412, "Precondition Failed");
        R(413, "Content Too Large");
        R(414, "URI Too Long");
        R(415, "Unsupported Media Type");
        R(421, "Misdirected Request");
        R(422, "Unprocessable Content");
        R(428, "Precondition Required");
        R(429, "Too Many Requests");
        R(431, "Request Header Fields Too Large");
        R(500, "Internal Server Error");
        R(501, "Not Implemented");
        R(502, "Bad Gateway");
        R(503, "Service Unavailable");
        R(504, "Gateway Timeout");
        R(505, "HTTP Version Not Supported");
#undef R
    default: return STR("");
    }
}

static char *put(char *at, const char *p, size_t n)
{
    memcpy(at, p, n);
    return at + n;
}

#define PUT(at, literal) put(at, literal, sizeof(literal) - 1)

static size_t fields_size(const struct headers *h)
{
    size_t n = 0;
    for (const struct field *f = h->v, *end = f + h->n; f < end; f++)
        n += f->name_len + f->value_len + 4;
    return n;
}

static char *put_fields(char *at, const struct headers *h)
{
    for (const struct field *f = h->v, *end = f + h->n; f < end; f++) {
        if (f->flags & FIELD_DROPPED)
            continue;
        at = put(at, f->name, f->name_len);
        at = PUT(at, ": ");
        at = put(at, f->value, f->value_len);
        at = PUT(at, "\r\n");
    }
    return at;
}

static char *put_u64(char *at, uint64_t v)
{
    char digits[20];
    size_t n = 0;
    do
        digits[n++] = (char)('0' + v % 10);
    while (v /= 10);
    while (n)
        *at++ = digits[--n];
    return at;
}

static char *put_length(char *at, int64_t length)
{
    at = PUT(at, "Content-Length: ");
    at = put_u64(at, (uint64_t)length);
    return PUT(at, "\r\n");
}

enum { FIXED = 160 }; /* start line's literals, framing, Date, Connection */

static char *begin(struct buf *out, size_t n)
{
    buf_reserve(out, n + FIXED);
    return out->p + out->n;
}

static void end(struct buf *out, char *at)
{
    out->n = (size_t)(at - out->p);
}

void h1_write_fields(struct buf *out, const struct headers *h)
{
    end(out, put_fields(begin(out, fields_size(h)), h));
}

void h1_write_request(struct buf *out, struct str method, struct str path, struct str query,
                      const struct headers *h, bool has_body, int64_t length)
{
    char *at = begin(out, method.n + path.n + query.n + fields_size(h));
    at = put(at, method.p, method.n);
    *at++ = ' ';
    at = put(at, path.p, path.n);
    if (query.p) {
        *at++ = '?';
        at = put(at, query.p, query.n);
    }
    at = PUT(at, " HTTP/1.1\r\n");
    at = put_fields(at, h);
    if (has_body && length == LENGTH_UNKNOWN)
        at = PUT(at, "Transfer-Encoding: chunked\r\n");
    else if (has_body)
        at = put_length(at, length);
    end(out, PUT(at, "\r\n"));
}

void h1_write_response(struct buf *out, const struct exchange *x, bool chunked, struct str date)
{
    struct str reason = x->reason.n ? x->reason : http_reason(x->status);
    char *at = begin(out, reason.n + fields_size(&x->answer));
    at = PUT(at, "HTTP/1.1 ");
    at = put_u64(at, x->status);
    *at++ = ' ';
    at = put(at, reason.p, reason.n);
    at = PUT(at, "\r\n");
    at = put_fields(at, &x->answer);
    if (!headers_get(&x->answer, FIELD_DATE)) {
        at = PUT(at, "Date: ");
        at = put(at, date.p, date.n);
        at = PUT(at, "\r\n");
    }
    if (chunked)
        at = PUT(at, "Transfer-Encoding: chunked\r\n");
    else if (x->answer_length >= 0 && x->status >= 200 && x->status != 204)
        at = put_length(at, x->answer_length);
    if (x->close)
        at = PUT(at, "Connection: close\r\n");
    else if (x->version == 10)
        at = PUT(at, "Connection: keep-alive\r\n");
    end(out, PUT(at, "\r\n"));
}

void h1_write_interim(struct buf *out, unsigned status, const struct headers *fields)
{
    struct str reason = http_reason(status);
    buf_printf(out, "HTTP/1.1 %u %.*s\r\n", status, STR_ARG(reason));
    if (fields)
        h1_write_fields(out, fields);
    buf_add(out, "\r\n", 2);
}

void http_date(uint64_t unix_seconds, char out[32])
{
    static const char days[] = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    time_t t = (time_t)unix_seconds;
    struct tm tm;
    gmtime_r(&t, &tm);
    snprintf(out, 32, "%.3s, %02u %.3s %04u %02u:%02u:%02u GMT", days + 3 * tm.tm_wday,
             (unsigned)tm.tm_mday % 100, months + 3 * tm.tm_mon,
             (unsigned)(tm.tm_year + 1900) % 10000, (unsigned)tm.tm_hour % 100,
             (unsigned)tm.tm_min % 100, (unsigned)tm.tm_sec % 100);
}
