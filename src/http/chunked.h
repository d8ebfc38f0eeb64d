/* Decoder of the chunked coding (RFC 9112 §7.1), strict: CRLF only, no white space around sizes,
 * extensions (up to 1 KiB a chunk) parsed and dropped, sizes below 2^62. Pure; works on whatever
 * pieces arrive and gives the same for any cut of the same bytes. */
#ifndef TG_HTTP_CHUNKED_H
#define TG_HTTP_CHUNKED_H

#include "http/h1_parse.h"

enum chunked_result {
    CHUNKED_DATA, /* `*data` holds body bytes */
    CHUNKED_MORE, /* all input used, nothing more to give yet */
    CHUNKED_DONE, /* last chunk and trailer section seen */
    CHUNKED_BAD,
};

struct chunked {
    uint64_t left; /* bytes of the current chunk still to come */
    uint8_t state;
    uint8_t digits;
    uint16_t extension; /* bytes of extension in this line, bounded */
    struct buf trailer; /* raw trailer section while incomplete; freed by chunked_fini */
};

void chunked_init(struct chunked *c);
void chunked_fini(struct chunked *c);

/* Takes bytes from `*in` (advancing it). CHUNKED_DATA: `*data` is a slice of the input. At
 * CHUNKED_DONE the fields of the trailer section, if any, are in `trailers` (its arena holds the
 * bytes; empty before) and `*in` begins with what follows the message. The section is bounded by
 * `limits` like a head. */
enum chunked_result chunked_decode(struct chunked *c, struct str *in, struct str *data,
                                   const struct h1_limits *limits, struct headers *trailers)
    __attribute__((warn_unused_result));

enum { CHUNKED_HEAD_MAX = 18 }; /* 16 hexadecimal digits and CRLF */

/* Writes "<hex>\r\n" for a chunk of n > 0 bytes; returns its length. */
size_t chunked_write_head(char out[CHUNKED_HEAD_MAX], uint64_t n);

#endif
