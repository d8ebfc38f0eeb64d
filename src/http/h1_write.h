/* Heads of HTTP/1.1 messages as bytes (RFC 9112 §3, §4, §5). */
#ifndef TG_HTTP_H1_WRITE_H
#define TG_HTTP_H1_WRITE_H

#include "http/exchange.h"

/* "OK", "Not Found" …; "" for a status without a standard text. */
struct str http_reason(unsigned status);

/* Field lines of what is not dropped; no empty line. */
void h1_write_fields(struct buf *out, const struct headers *h);

/* "METHOD target HTTP/1.1" and field lines with the framing that fits `length` (LENGTH_UNKNOWN:
 * chunked; a request without a body passes has_body false), and the empty line. `h` may hold no
 * framing field that is not dropped. */
void h1_write_request(struct buf *out, struct str method, struct str path, struct str query,
                      const struct headers *h, bool has_body, int64_t length);

/* The head of x's answer with framing, Date and, if asked, Connection: close. `date` is an
 * IMF-fixdate. */
void h1_write_response(struct buf *out, const struct exchange *x, bool chunked, struct str date);

/* "HTTP/1.1 100 Continue" and other interim heads. */
void h1_write_interim(struct buf *out, unsigned status, const struct headers *fields);

/* "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 §5.6.7); 29 bytes and a NUL. */
void http_date(uint64_t unix_seconds, char out[32]);

#endif
