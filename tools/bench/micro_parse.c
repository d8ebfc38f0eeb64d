/* What parsing costs: nanoseconds per message for each scan kernel, best of several rounds.
 * Run pinned on a quiet core: `taskset -c 1 tools/bench/micro_parse`. */
#include "base/check.h"
#include "http/chunked.h"
#include "http/uri.h"

#include <stdio.h>
#include <time.h>

enum { ROUNDS = 15, MESSAGES = 20000 };

/* 556 bytes, 9 fields. */
static const char request[] =
    "POST /v1/email/messages/send?trace=0123456789abcdef HTTP/1.1\r\n"
    "Host: api.example.com\r\n"
    "User-Agent: example-client/2.14.1 (linux; x86_64) http/1.1\r\n"
    "Accept: application/json\r\n"
    "Accept-Encoding: gzip, deflate, br\r\n"
    "Content-Type: application/json\r\n"
    "Content-Length: 0\r\n"
    "Authorization: Bearer "
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpc3MiOiJodHRwczovL2F1dGguZXhhbXBs"
    "ZS5jb20vIiwic3ViIjoidXNlci0xMjM0NSIsInRlbmFudF9pZCI6ImFjbWUiLCJleHAiOjE5OTk5OTk5OTl9."
    "Vq3kqZ2bqv6p0p1mVYp0l0C7m7m1cXb2o1nF3w0xQ9E\r\n"
    "X-Request-Id: 7f0c2e1a-9c1b-4e4e-8a55-1d2f3c4b5a69\r\n"
    "Cookie: session=8f14e45f\r\n"
    "\r\n";

static const char response[] = "HTTP/1.1 200 OK\r\n"
                               "Server: demo\r\n"
                               "Date: Sat, 21 Nov 2026 03:37:49 GMT\r\n"
                               "Content-Type: application/json\r\n"
                               "Content-Length: 1024\r\n"
                               "\r\n";

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static const struct h1_limits limits = {.head_bytes = 32768, .fields = 100};

static void parse_request(scan_kernel *kernel, struct arena *arena)
{
    struct h1_head h;
    h1_head_init(&h, arena, &limits);
    h.scan = kernel;
    enum h1_result r = h1_parse_request(&h, request, sizeof request - 1, &limits);
    ensure(r == H1_DONE && h.headers.n == 9);
}

static void parse_response(scan_kernel *kernel, struct arena *arena)
{
    struct h1_head h;
    h1_head_init(&h, arena, &limits);
    h.scan = kernel;
    enum h1_result r = h1_parse_response(&h, response, sizeof response - 1, &limits, METHOD_GET);
    ensure(r == H1_DONE && h.headers.n == 4);
}

static void scan_only(scan_kernel *kernel, struct arena *arena)
{
    struct scan s;
    (void)arena;
    scan_init(&s, kernel, request, request + sizeof request - 1);
    __asm__ volatile("" : : "g"(&s) : "memory");
}

static void normalise_path(scan_kernel *kernel, struct arena *arena)
{
    struct str out;
    (void)kernel;
    enum uri_result r =
        uri_normalise(STR("/v1/email/messages/send"), URI_MERGE_SLASHES, arena, &out);
    ensure(r == URI_OK);
}

static double best_ns(void (*run)(scan_kernel *, struct arena *), scan_kernel *kernel)
{
    uint64_t best = UINT64_MAX;
    struct arena arena = {0};
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t from = now_ns();
        for (int i = 0; i < MESSAGES; i++) {
            run(kernel, &arena);
            arena_reset(&arena);
        }
        uint64_t took = now_ns() - from;
        best = took < best ? took : best;
    }
    arena_free(&arena);
    return (double)best / MESSAGES;
}

int main(void)
{
    printf("request of %zu bytes, answer of %zu bytes, ns each\n", sizeof request - 1,
           sizeof response - 1);
    for (unsigned i = 0; scan_kernel_at(i); i++) {
        scan_kernel *kernel = scan_kernel_at(i);
        printf("kernel %u: request %.0f (classification %.0f), answer %.0f\n", i,
               best_ns(parse_request, kernel), best_ns(scan_only, kernel),
               best_ns(parse_response, kernel));
    }
    printf("path normalisation %.0f\n", best_ns(normalise_path, NULL));
    return 0;
}
