/* What the fields of an HTTP/1.1 message mean together: framing, Host, the connection's end. Where
 * two readers could disagree the message is refused; the parser calls this while it reads. Each
 * function returns what is wrong as a static text, or NULL. */
#ifndef TG_HTTP_H1_RULES_H
#define TG_HTTP_H1_RULES_H

#include "http/h1_parse.h"

/* The set of fields that frame and route: only these are given to an h1_rules_field. */
#define H1_RULES_FIELDS                                                                            \
    (1ull << FIELD_HOST | 1ull << FIELD_CONTENT_LENGTH | 1ull << FIELD_TRANSFER_ENCODING)
_Static_assert(FIELD_IDS <= 64, "a set of fields is a word");

/* Checks one of them as soon as its line is parsed; `message` is the struct h1_head, of a trailer
 * section NULL. */
typedef const char *h1_rules_field(void *message, const struct headers *headers,
                                   const struct field *f);

h1_rules_field h1_rules_request_field, h1_rules_response_field, h1_rules_trailer_field;

/* Once all fields are there: sets framing, keep_alive, expect_continue and upgrade. */
const char *h1_rules_request(struct h1_head *h);
const char *h1_rules_response(struct h1_head *h, enum http_method request);

#endif
