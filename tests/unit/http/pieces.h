/* Heads parsed in pieces, for unit tests and fuzzing: every call of the parser sees a copy in
 * memory of exactly its size, at another address than the one before. */
#ifndef TG_TESTS_HTTP_PIECES_H
#define TG_TESTS_HTTP_PIECES_H

#include "http/h1_parse.h"

struct pieces {
    struct h1_limits limits;
    scan_kernel *scan;
    bool response;            /* else a request */
    enum http_method request; /* that the response answers */
};

/* Gives the parser the first ends[0] bytes, then the first ends[1], until it has had enough or the
 * ends are used up; adds all that the head says to `told`, the first line being its length, and the
 * head written anew to `again` (may be NULL) if it is complete. */
enum h1_result pieces_parse(const struct pieces *how, const char *p, const size_t *ends,
                            size_t count, struct buf *told, struct buf *again);

/* The same in one piece, in two for every cut, and byte by byte, with each kernel: true if all tell
 * the same. What the one piece gave is in `result` and `told`. */
bool pieces_agree(const struct pieces *how, const char *p, size_t n, enum h1_result *result,
                  struct buf *told);

#endif
