/* Heads of requests and answers: the result depends neither on the cuts nor on the kernel, and what
 * was accepted is the same message when it is written anew.
 * Input: a byte of choices, a byte that seeds the cuts, the message. */
#include "base/check.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/http/pieces.h"

enum { CUTS = 8 };

static struct pieces choose(uint8_t choices)
{
    static const struct h1_limits limits[] = {{32768, 100}, {256, 5}};
    return (struct pieces){
        .limits = limits[choices >> 1 & 1],
        .response = choices & 1,
        .request = (enum http_method)((choices >> 2) % METHODS),
        .scan = scan_kernel_best(),
    };
}

/* Rising ends in [1, n], the last one n. */
static size_t random_ends(struct rand *r, size_t n, size_t ends[CUTS])
{
    size_t count = 0, at = 0;
    while (count < CUTS - 1 && at + 1 < n) {
        at += 1 + rand_below(r, (uint32_t)((n - at) / 2 + 1));
        if (at < n)
            ends[count++] = at;
    }
    ends[count++] = n;
    return count;
}

static void expect_same(const struct pieces *how, const char *p, const size_t *ends, size_t count,
                        const struct buf *want)
{
    struct buf told = {0};
    pieces_parse(how, p, ends, count, &told, NULL);
    ensure(told.n == want->n && memcmp(told.p, want->p, want->n) == 0);
    buf_free(&told);
}

static struct str without_first_line(const struct buf *told)
{
    struct str rest = str_make(told->p, told->n), line;
    ensure(str_split(&rest, '\n', &line));
    return rest;
}

/* A head written anew has the same meaning, and written once more the same bytes. */
static void expect_stable(struct pieces how, const struct buf *told, const struct buf *written)
{
    struct buf told_again = {0}, again = {0};
    how.limits = (struct h1_limits){.head_bytes = 1 << 20, .fields = 100};
    enum h1_result r = pieces_parse(&how, written->p, &written->n, 1, &told_again, &again);
    ensure(r == H1_DONE);
    ensure(str_eq(without_first_line(told), without_first_line(&told_again)));
    ensure(again.n == written->n && memcmp(again.p, written->p, again.n) == 0);
    buf_free(&told_again);
    buf_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3)
        return 0;
    struct pieces how = choose(data[0]);
    struct rand cuts = fuzz_rand(data[1]);
    const char *p = (const char *)data + 2;
    size_t n = size - 2, ends[CUTS];
    struct buf told = {0}, written = {0};
    enum h1_result r = pieces_parse(&how, p, &n, 1, &told, &written);
    for (unsigned k = 0; (how.scan = scan_kernel_at(k)); k++) {
        if (k)
            expect_same(&how, p, &n, 1, &told);
        expect_same(&how, p, ends, random_ends(&cuts, n, ends), &told);
    }
    how.scan = scan_kernel_best();
    if (r == H1_DONE)
        expect_stable(how, &told, &written);
    buf_free(&told);
    buf_free(&written);
    return 0;
}
