#include "http/h1_parse.h"
#include "tests/unit/http/pieces.h"

#include "base/xmem.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>

static const struct h1_limits limits = {.head_bytes = 4096, .fields = 20};

/* What the parser says of a message, however it is cut. */
static enum h1_result parse(struct pieces how, const char *p, size_t n, struct buf *told)
{
    enum h1_result r;
    if (!how.limits.head_bytes)
        how.limits = limits;
    cr_expect(pieces_agree(&how, p, n, &r, told), "pieces differ: %.*s", (int)n, p);
    return r;
}

static void expect_all(struct pieces how, const char *const *texts, size_t count,
                       enum h1_result want)
{
    for (size_t i = 0; i < count; i++) {
        struct buf told = {0};
        enum h1_result r = parse(how, texts[i], strlen(texts[i]), &told);
        cr_expect(eq(int, (int)r, (int)want), "%s -> %s", texts[i], buf_text(&told));
        buf_free(&told);
    }
}

#define EXPECT_REQUESTS(want, ...)                                                                 \
    expect_all((struct pieces){.response = false}, (const char *const[]){__VA_ARGS__},             \
               sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *), want)
#define EXPECT_RESPONSES(want, ...)                                                                \
    expect_all((struct pieces){.response = true, .request = METHOD_GET},                           \
               (const char *const[]){__VA_ARGS__},                                                 \
               sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *), want)

/* The whole message in one piece; the arena is the caller's to free. */
static struct h1_head head_of(const char *text, struct arena *arena)
{
    struct h1_head h;
    h1_head_init(&h, arena, &limits);
    enum h1_result r = h1_parse_request(&h, text, strlen(text), &limits);
    cr_assert(r == H1_DONE, "%s: %s", text, h.error ? h.error : "");
    return h;
}

static struct h1_head answer_of(const char *text, enum http_method request, struct arena *arena)
{
    struct h1_head h;
    h1_head_init(&h, arena, &limits);
    enum h1_result r = h1_parse_response(&h, text, strlen(text), &limits, request);
    cr_assert(r == H1_DONE, "%s: %s", text, h.error ? h.error : "");
    return h;
}

static void expect_str(struct str got, const char *want)
{
    cr_expect(str_eq(got, str_of(want)), "got \"%.*s\", not \"%s\"", STR_ARG(got), want);
}

#define HOST "Host: a\r\n"

Test(h1_request, a_head_is_told_field_by_field)
{
    struct arena arena = {0};
    const char *text =
        "POST /a?b HTTP/1.1\r\nHost: a.example:80\r\nx-Empty:\r\nX-Wide: \t a  b\t \r\n"
        "content-length: 12\r\nX-High: \xc3\xa9\x80\xff\r\n\r\nbody";
    struct h1_head h = head_of(text, &arena);
    expect_str(h.method_text, "POST");
    expect_str(h.target, "/a?b");
    cr_expect(eq(int, h.method, METHOD_POST));
    cr_expect(eq(int, h.minor, 1));
    cr_expect(eq(int, h.headers.n, 5));
    cr_expect(eq(u32, h.len, (uint32_t)(strstr(text, "body") - text)));
    expect_str(headers_value(&h.headers, FIELD_HOST), "a.example:80");
    expect_str(field_value(headers_find(&h.headers, STR("X-Empty"))), "");
    expect_str(field_value(headers_find(&h.headers, STR("X-Wide"))), "a  b");
    expect_str(field_value(headers_find(&h.headers, STR("X-High"))), "\xc3\xa9\x80\xff");
    cr_expect(eq(int, h.framing, H1_BODY_LENGTH));
    cr_expect(eq(u64, h.content_length, 12));
    cr_expect(h.keep_alive && !h.expect_continue && !h.upgrade);
    arena_free(&arena);
}

Test(h1_request, well_formed_heads_are_accepted_however_they_are_cut)
{
    EXPECT_REQUESTS(H1_DONE, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.0\r\n\r\n",
                    "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
                    "G!#$%&'*+-.^_`|~9 /x HTTP/1.1\r\nHost:a\r\n\r\n",
                    "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
                    "CONNECT a.example:443 HTTP/1.1\r\nHost: a.example\r\n\r\n",
                    "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\nGET /next HTTP/1.1\r\n",
                    "GET /\"<>[]^`{|}\\?\"<>[]^`{|}\\ HTTP/1.1\r\nHost: a\r\n\r\n",
                    "GET / HTTP/1.1\r\nHost: a\r\n!#$%&'*+-.^_`|~09azAZ: x\r\n\r\n");
}

Test(h1_request, an_incomplete_head_wants_more)
{
    EXPECT_REQUESTS(
        H1_MORE, "", "\r", "\r\n", "G", "GET", "GET ", "GET /", "GET / ", "GET / HTTP/1.",
        "GET / HTTP/1.1", "GET / HTTP/1.1\r", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost",
        "GET / HTTP/1.1\r\nHost:", "GET / HTTP/1.1\r\nHost: a", "GET / HTTP/1.1\r\nHost: a\r",
        "GET / HTTP/1.1\r\nHost: a\r\n", "GET / HTTP/1.1\r\nHost: a\r\n\r");
}

Test(h1_request, a_bare_lf_ends_no_line_and_is_refused_at_once)
{
    EXPECT_REQUESTS(H1_BAD, "\n", "GET / HTTP/1.1\n", "GET /\n", "GET\n", "\r\n\n",
                    "GET / HTTP/1.1\r\n\n", "GET / HTTP/1.1\r\nHost: a\n",
                    "GET / HTTP/1.1\r\nHost\n", "GET / HTTP/1.1\r\nHost:\n",
                    "GET / HTTP/1.1\r\nHost: a\r\n\n", "GET / HTTP/1.1\r\nHost: a\r\nX: y\n\r\n");
}

Test(h1_request, a_bare_cr_is_refused)
{
    EXPECT_REQUESTS(H1_BAD, "\rG", "GET / HTTP/1.1\rH", "GET /\r", "G\r", "GET / HTTP/1.1\r\n\rX",
                    "GET / HTTP/1.1\r\nHost: a\rb\r\n", "GET / HTTP/1.1\r\nHost: a\r\r\n",
                    "GET / HTTP/1.1\r\nHo\rst: a\r\n", "GET / HTTP/1.1\r\nHost: a\r\n\r\r\n");
}

Test(h1_request, folded_lines_are_refused)
{
    EXPECT_REQUESTS(H1_BAD, "GET / HTTP/1.1\r\n Host: a\r\n", "GET / HTTP/1.1\r\nHost: a\r\n b\r\n",
                    "GET / HTTP/1.1\r\nHost: a\r\n\tb\r\n", "GET / HTTP/1.1\r\nHost: a\r\n \r\n");
}

Test(h1_request, white_space_around_a_field_name_is_refused)
{
    EXPECT_REQUESTS(H1_BAD, "GET / HTTP/1.1\r\nHost : a\r\n", "GET / HTTP/1.1\r\nHost\t: a\r\n",
                    "GET / HTTP/1.1\r\nHo st: a\r\n",
                    "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n");
}

Test(h1_request, field_names_are_tokens)
{
    EXPECT_REQUESTS(H1_BAD, "GET / HTTP/1.1\r\n: a\r\n", "GET / HTTP/1.1\r\nHost\r\n",
                    "GET / HTTP/1.1\r\n(X): a\r\n", "GET / HTTP/1.1\r\nX\x80: a\r\n",
                    "GET / HTTP/1.1\r\nX\x01: a\r\n", "GET / HTTP/1.1\r\nX/Y: a\r\n",
                    "GET / HTTP/1.1\r\n\"X\": a\r\n", "GET / HTTP/1.1\r\nX\x7f: a\r\n");
}

Test(h1_request, control_characters_are_refused_wherever_they_stand)
{
    for (int c = 0; c < 256; c++) {
        bool control = (c < 0x20 && c != '\t') || c == 0x7f;
        char text[80];
        int n = snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: a\r\nX: a?b\r\n\r\n");
        *strchr(text, '?') = (char)c;
        struct buf told = {0};
        enum h1_result r = parse((struct pieces){0}, text, (size_t)n, &told);
        cr_expect(eq(int, (int)r, control ? H1_BAD : H1_DONE), "value with %d", c);
        buf_free(&told);
        n = snprintf(text, sizeof text, "GET /a?b HTTP/1.1\r\nHost: a\r\n\r\n");
        *strchr(text, '?') = (char)c;
        r = parse((struct pieces){0}, text, (size_t)n, &told);
        bool visible = c > 0x20 && c < 0x7f && c != '#';
        cr_expect(eq(int, (int)r, visible ? H1_DONE : H1_BAD), "target with %d", c);
        buf_free(&told);
    }
}

Test(h1_request, a_nul_is_refused_wherever_it_stands)
{
    static const char text[] = "GET / HTTP/1.1\r\nHost: a\r\nX: abc\r\n\r\n";
    for (size_t at = 0; at < sizeof text - 1; at++) {
        char with[sizeof text];
        struct buf told = {0};
        memcpy(with, text, sizeof text);
        with[at] = 0;
        cr_expect(eq(int, (int)parse((struct pieces){0}, with, sizeof text - 1, &told), H1_BAD),
                  "at %zu", at);
        buf_free(&told);
    }
}

Test(h1_request, methods_are_tokens_and_case_matters)
{
    struct arena arena = {0};
    EXPECT_REQUESTS(H1_BAD, " GET / HTTP/1.1\r\n", "\tGET / HTTP/1.1\r\n", "G(T / HTTP/1.1\r\n",
                    "GET\t/ HTTP/1.1\r\n", "G\x80T / HTTP/1.1\r\n", "\x16\x03\x01\x02");
    struct h1_head h = head_of("get / HTTP/1.1\r\n" HOST "\r\n", &arena);
    cr_expect(eq(int, h.method, METHOD_OTHER));
    expect_str(h.method_text, "get");
    arena_free(&arena);
    for (enum http_method m = METHOD_GET; m < METHODS; m++)
        cr_expect(method_lookup(method_name(m)) == m);
    cr_expect(method_lookup(STR("PROPFIND")) == METHOD_OTHER);
    cr_expect(method_lookup(STR_NULL) == METHOD_OTHER);
}

Test(h1_request, a_request_line_has_exactly_three_parts)
{
    EXPECT_REQUESTS(H1_BAD, "GET  / HTTP/1.1\r\n", "GET /  HTTP/1.1\r\n", "GET / HTTP/1.1 \r\n",
                    "GET /\r\n", "GET / \r\n", "GET HTTP/1.1\r\n", "GET\r\n",
                    "GET / a HTTP/1.1\r\n", "GET /\tHTTP/1.1\r\n", "/ HTTP/1.1\r\n");
}

Test(h1_request, targets_have_one_of_the_four_forms)
{
    EXPECT_REQUESTS(H1_BAD, "GET a HTTP/1.1\r\n" HOST "\r\n", "GET * HTTP/1.1\r\n" HOST "\r\n",
                    "GET ?a HTTP/1.1\r\n" HOST "\r\n", "GET ftp://a/ HTTP/1.1\r\n" HOST "\r\n",
                    "GET http:///a HTTP/1.1\r\n" HOST "\r\n",
                    "GET http://u@a/ HTTP/1.1\r\n" HOST "\r\n",
                    "CONNECT / HTTP/1.1\r\n" HOST "\r\n", "GET a:443 HTTP/1.1\r\n" HOST "\r\n",
                    "GET /a#b HTTP/1.1\r\n" HOST "\r\n", "GET /\xc3\xa9 HTTP/1.1\r\n" HOST "\r\n");
}

Test(h1_request, versions_are_http_1_0_and_1_1_and_what_is_read_as_1_1)
{
    struct arena arena = {0};
    EXPECT_REQUESTS(H1_BAD, "GET / http/1.1\r\n", "GET / HTTP/1\r\n", "GET / HTTP/1.10\r\n",
                    "GET / HTTP/11\r\n", "GET / HTTP/1,1\r\n", "GET / HTTP/a.1\r\n",
                    "GET / HTTP 1.1\r\n", "GET / HTTP/01.1\r\n", "GET / HTTPS/1.1\r\n",
                    "GET / ICAP/1.0\r\n", "GET / HTTP/2\r\n", "GET / HTTP/+1.1\r\n",
                    "GET / HTTP/1.1x\r\n");
    EXPECT_REQUESTS(H1_BAD_VERSION, "GET / HTTP/2.0\r\n", "GET / HTTP/3.1\r\n",
                    "GET / HTTP/0.9\r\n", "GET / HTTP/9.9\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    struct h1_head h = head_of("GET / HTTP/1.7\r\n" HOST "\r\n", &arena);
    cr_expect(eq(int, h.minor, 1));
    arena_free(&arena);
}

Test(h1_request, http_1_1_has_exactly_one_valid_host)
{
    EXPECT_REQUESTS(H1_BAD, "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost:\r\n",
                    "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n",
                    "GET / HTTP/1.1\r\nHost: a\r\nHOST: b\r\n", "GET / HTTP/1.1\r\nHost: a b\r\n",
                    "GET / HTTP/1.1\r\nHost: a,b\r\n", "GET / HTTP/1.1\r\nHost: a/b\r\n",
                    "GET / HTTP/1.1\r\nHost: u@a\r\n", "GET / HTTP/1.1\r\nHost: a:b\r\n",
                    "GET / HTTP/1.1\r\nHost: [::1\r\n", "GET / HTTP/1.1\r\nHost: \xc3\xa9\r\n",
                    "GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n", "GET / HTTP/1.0\r\nHost: a b\r\n",
                    "GET http://a/ HTTP/1.1\r\n\r\n");
    EXPECT_REQUESTS(H1_DONE, "GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.0\r\nHost: a\r\n\r\n",
                    "GET / HTTP/1.1\r\nhOsT: [::1]:80\r\n\r\n");
}

Test(h1_request, host_and_an_absolute_target_name_the_same)
{
    EXPECT_REQUESTS(H1_DONE, "GET http://a/ HTTP/1.1\r\nHost: A\r\n\r\n",
                    "GET http://a:80/ HTTP/1.1\r\nHost: a\r\n\r\n",
                    "GET https://a/ HTTP/1.1\r\nHost: a:443\r\n\r\n",
                    "GET http://a:8080 HTTP/1.1\r\nHost: a:8080\r\n\r\n",
                    "GET http://a/ HTTP/1.0\r\n\r\n");
    EXPECT_REQUESTS(H1_BAD, "GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n",
                    "GET http://a/ HTTP/1.1\r\nHost: a:81\r\n\r\n",
                    "GET https://a/ HTTP/1.1\r\nHost: a:80\r\n\r\n",
                    "GET http://a/ HTTP/1.0\r\nHost: b\r\n\r\n",
                    "GET http://a:8080/ HTTP/1.1\r\nHost: a\r\n\r\n");
}

Test(h1_request, content_length_is_one_plain_number)
{
    EXPECT_REQUESTS(
        H1_BAD, "GET / HTTP/1.1\r\nContent-Length:\r\n", "GET / HTTP/1.1\r\nContent-Length: +5\r\n",
        "GET / HTTP/1.1\r\nContent-Length: -5\r\n", "GET / HTTP/1.1\r\nContent-Length: 5, 5\r\n",
        "GET / HTTP/1.1\r\nContent-Length: 5 5\r\n", "GET / HTTP/1.1\r\nContent-Length: 0x5\r\n",
        "GET / HTTP/1.1\r\nContent-Length: 5;\r\n", "GET / HTTP/1.1\r\nContent-Length: 5.0\r\n",
        "GET / HTTP/1.1\r\nContent-Length: \"5\"\r\n",
        "GET / HTTP/1.1\r\nContent-Length: 9223372036854775808\r\n",
        "GET / HTTP/1.1\r\nContent-Length: 18446744073709551621\r\n",
        "GET / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n",
        "GET / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 5\r\n",
        "GET / HTTP/1.1\r\nContent-Length: 5\r\ncontent-length: 6\r\n");
    struct arena arena = {0};
    struct h1_head h =
        head_of("PUT / HTTP/1.1\r\n" HOST "Content-Length: 9223372036854775807\r\n\r\n", &arena);
    cr_expect(eq(u64, h.content_length, INT64_MAX));
    h = head_of("PUT / HTTP/1.1\r\n" HOST "Content-Length: 00\r\n\r\n", &arena);
    cr_expect(eq(int, h.framing, H1_BODY_LENGTH));
    cr_expect(eq(u64, h.content_length, 0));
    arena_free(&arena);
}

Test(h1_request, transfer_encoding_is_one_field_that_says_chunked)
{
    EXPECT_REQUESTS(
        H1_BAD, "GET / HTTP/1.1\r\nTransfer-Encoding:\r\n",
        "GET / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n",
        "GET / HTTP/1.1\r\nTransfer-Encoding: chunked, chunked\r\n",
        "GET / HTTP/1.1\r\nTransfer-Encoding: chunked, identity\r\n",
        "GET / HTTP/1.1\r\nTransfer-Encoding: identity\r\n",
        "GET / HTTP/1.1\r\nTransfer-Encoding: xchunked\r\n",
        "GET / HTTP/1.1\r\nTransfer-Encoding: \"chunked\"\r\n",
        "GET / HTTP/1.1\r\nTransfer-Encoding: chunked;q=1\r\n",
        "GET / HTTP/1.1\r\nTransfer-Encoding: \x0b"
        "chunked\r\n",
        "GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n");
    struct arena arena = {0};
    struct h1_head h =
        head_of("PUT / HTTP/1.1\r\n" HOST "transfer-encoding: \tCHUNKED \r\n\r\n", &arena);
    cr_expect(eq(int, h.framing, H1_BODY_CHUNKED));
    arena_free(&arena);
}

Test(h1_request, content_length_and_transfer_encoding_exclude_each_other)
{
    EXPECT_REQUESTS(
        H1_BAD, "GET / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        "GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nX: y\r\ncontent-length: 0\r\n");
}

Test(h1_request, the_connection_lasts_as_version_and_connection_say)
{
    static const struct {
        const char *text;
        bool keep_alive;
    } cases[] = {
        {"GET / HTTP/1.1\r\n" HOST "\r\n", true},
        {"GET / HTTP/1.1\r\n" HOST "Connection: Close\r\n\r\n", false},
        {"GET / HTTP/1.1\r\n" HOST "Connection: keep-alive, close\r\n\r\n", false},
        {"GET / HTTP/1.1\r\n" HOST "Connection: keep-alive\r\nConnection: close\r\n\r\n", false},
        {"GET / HTTP/1.1\r\n" HOST "Connection: closed\r\n\r\n", true},
        {"CONNECT a:443 HTTP/1.1\r\n" HOST "\r\n", false},
        {"GET / HTTP/1.0\r\n\r\n", false},
        {"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", true},
        {"GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena arena = {0};
        struct h1_head h = head_of(cases[i].text, &arena);
        cr_expect(eq(int, h.keep_alive, cases[i].keep_alive), "%s", cases[i].text);
        arena_free(&arena);
    }
}

Test(h1_request, connection_cannot_name_what_frames_or_routes)
{
    EXPECT_REQUESTS(H1_BAD, "GET / HTTP/1.1\r\n" HOST "Connection: host\r\n\r\n",
                    "GET / HTTP/1.1\r\n" HOST "Connection: close, Content-Length\r\n\r\n",
                    "GET / HTTP/1.1\r\n" HOST
                    "Connection: close\r\nConnection: transfer-encoding\r\n\r\n");
}

Test(h1_request, an_upgrade_is_one_that_connection_names_in_http_1_1)
{
    static const struct {
        const char *text;
        bool upgrade;
    } cases[] = {
        {"GET / HTTP/1.1\r\n" HOST "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n", true},
        {"GET / HTTP/1.1\r\n" HOST "Upgrade: websocket\r\n\r\n", false},
        {"GET / HTTP/1.1\r\n" HOST "Connection: upgrade\r\n\r\n", false},
        {"GET / HTTP/1.0\r\n" HOST "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena arena = {0};
        cr_expect(eq(int, head_of(cases[i].text, &arena).upgrade, cases[i].upgrade), "%s",
                  cases[i].text);
        arena_free(&arena);
    }
}

Test(h1_request, a_100_continue_is_expected_only_in_http_1_1)
{
    struct arena arena = {0};
    cr_expect(
        head_of("PUT / HTTP/1.1\r\n" HOST "Expect: 100-Continue\r\n\r\n", &arena).expect_continue);
    cr_expect(
        not(head_of("PUT / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n", &arena).expect_continue));
    cr_expect(
        not(head_of("PUT / HTTP/1.1\r\n" HOST "Expect: 200-ok\r\n\r\n", &arena).expect_continue));
    arena_free(&arena);
}

/* A head with the given number of 'a' in target and value and so many fields. */
static struct buf sized(unsigned target, unsigned value, unsigned fields)
{
    struct buf b = {0};
    buf_printf(&b, "GET /%.*s HTTP/1.1\r\n" HOST, (int)target - 1, "");
    b.n = strlen("GET /");
    for (unsigned i = 1; i < target; i++)
        buf_add_char(&b, 'a');
    buf_printf(&b, " HTTP/1.1\r\n" HOST);
    for (unsigned i = 1; i < fields; i++)
        buf_printf(&b, "X%u: %0*u\r\n", i, i == 1 ? (int)value : 1, 0);
    buf_printf(&b, "\r\n");
    return b;
}

static enum h1_result parse_sized(struct buf b, struct h1_limits with, size_t n)
{
    struct buf told = {0};
    enum h1_result r = parse((struct pieces){.limits = with}, b.p, n < b.n ? n : b.n, &told);
    buf_free(&told);
    buf_free(&b);
    return r;
}

Test(h1_request, a_head_may_fill_the_limit_and_not_more)
{
    struct buf b = sized(1, 60, 3);
    struct h1_limits with = {.head_bytes = (uint32_t)b.n, .fields = 3};
    buf_free(&b);
    cr_expect(eq(int, (int)parse_sized(sized(1, 60, 3), with, SIZE_MAX), H1_DONE));
    cr_expect(eq(int, (int)parse_sized(sized(1, 61, 3), with, SIZE_MAX), H1_HEADERS_TOO_LARGE));
    cr_expect(eq(int, (int)parse_sized(sized(1, 60, 4), with, SIZE_MAX), H1_HEADERS_TOO_LARGE));
}

Test(h1_request, a_head_too_large_is_refused_while_it_is_incomplete)
{
    struct h1_limits with = {.head_bytes = 200, .fields = 9};
    cr_expect(eq(int, (int)parse_sized(sized(1, 500, 2), with, 199), H1_MORE));
    cr_expect(eq(int, (int)parse_sized(sized(1, 500, 2), with, 200), H1_HEADERS_TOO_LARGE));
    cr_expect(eq(int, (int)parse_sized(sized(1, 500, 2), with, 300), H1_HEADERS_TOO_LARGE));
}

Test(h1_request, a_target_over_half_the_limit_is_refused_while_it_is_incomplete)
{
    struct h1_limits with = {.head_bytes = 200, .fields = 9};
    cr_expect(eq(int, (int)parse_sized(sized(100, 1, 2), with, SIZE_MAX), H1_DONE));
    cr_expect(eq(int, (int)parse_sized(sized(101, 1, 2), with, SIZE_MAX), H1_TARGET_TOO_LONG));
    cr_expect(eq(int, (int)parse_sized(sized(101, 1, 2), with, 4 + 100), H1_MORE));
    cr_expect(eq(int, (int)parse_sized(sized(101, 1, 2), with, 4 + 101), H1_TARGET_TOO_LONG));
}

Test(h1_request, endless_empty_lines_are_a_head_too_large)
{
    char text[300];
    struct buf told = {0};
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = i % 2 ? '\n' : '\r';
    enum h1_result r = parse((struct pieces){.limits = {.head_bytes = 200, .fields = 9}}, text,
                             sizeof text, &told);
    cr_expect(eq(int, (int)r, H1_HEADERS_TOO_LARGE));
    buf_free(&told);
}

Test(h1_request, a_long_head_crosses_the_windows_of_the_scan)
{
    struct h1_limits with = {.head_bytes = 8192, .fields = 80};
    for (unsigned value = SCAN_WINDOW - 70; value < SCAN_WINDOW + 10; value += 7)
        cr_expect(eq(int, (int)parse_sized(sized(70, value, 60), with, SIZE_MAX), H1_DONE));
}

Test(h1_request, a_head_that_was_copied_elsewhere_can_be_rebased)
{
    struct arena arena = {0};
    char text[] = "GET /a HTTP/1.1\r\nHost: a\r\n\r\n";
    struct h1_head h = head_of(text, &arena);
    h1_head_rebase(&h, arena_dup(&arena, text, h.len));
    memset(text, '?', sizeof text);
    expect_str(h.method_text, "GET");
    expect_str(h.target, "/a");
    expect_str(headers_value(&h.headers, FIELD_HOST), "a");
    arena_free(&arena);
}

Test(h1_response, a_head_is_told_field_by_field)
{
    struct arena arena = {0};
    struct h1_head h =
        answer_of("HTTP/1.1 404 Not \xe9 Found\r\nContent-Length: 7\r\n\r\n", METHOD_GET, &arena);
    cr_expect(eq(int, h.status, 404));
    expect_str(h.reason, "Not \xe9 Found");
    cr_expect(eq(int, h.framing, H1_BODY_LENGTH));
    cr_expect(eq(u64, h.content_length, 7));
    cr_expect(h.keep_alive);
    arena_free(&arena);
}

Test(h1_response, the_reason_and_its_space_may_be_missing)
{
    EXPECT_RESPONSES(H1_DONE, "HTTP/1.1 200\r\n\r\n", "HTTP/1.1 200 \r\n\r\n",
                     "HTTP/1.0 200 OK\r\n\r\n", "HTTP/1.1 999  x \r\n\r\n",
                     "HTTP/1.1 200 \t\r\n\r\n");
}

Test(h1_response, status_lines_of_another_shape_are_refused)
{
    EXPECT_RESPONSES(H1_BAD, "HTTP/1.1 20\r\n", "HTTP/1.1 2000 OK\r\n", "HTTP/1.1 099 OK\r\n",
                     "HTTP/1.1 000 OK\r\n", "HTTP/1.1  200 OK\r\n", "HTTP/1.1 +20 OK\r\n",
                     "HTTP/1.1 2a0 OK\r\n", "http/1.1 200 OK\r\n", "HTTP/1.1200 OK\r\n",
                     "HTTP/1.1\t200 OK\r\n", "ICY 200 OK\r\n", " HTTP/1.1 200 OK\r\n",
                     "\r\nHTTP/1.1 200 OK\r\n", "HTTP/1.1 200-OK\r\n", "HTTP/1.1 200\tOK\r\n",
                     "HTTP/1.1 200 O\x01K\r\n", "HTTP/1.1 200 OK\n", "HTTP/1.1 200\n",
                     "HTTP/1.1 200 O\rK\r\n", "HTTP/1.1 200\r\r\n", "HTTP/1.1\r\n");
    EXPECT_RESPONSES(H1_BAD_VERSION, "HTTP/2.0 200 OK\r\n", "HTTP/0.9 200 OK\r\n");
}

Test(h1_response, fields_are_as_strict_as_those_of_requests)
{
    EXPECT_RESPONSES(H1_BAD, "HTTP/1.1 200 OK\r\nX : y\r\n", "HTTP/1.1 200 OK\r\nX: y\n",
                     "HTTP/1.1 200 OK\r\nX: y\r\n z\r\n", "HTTP/1.1 200 OK\r\n: y\r\n",
                     "HTTP/1.1 200 OK\r\nX\r\n", "HTTP/1.1 200 OK\r\nX: a\x01\r\n",
                     "HTTP/1.1 200 OK\r\n\n",
                     "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n",
                     "HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n",
                     "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n",
                     "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n",
                     "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n");
    EXPECT_RESPONSES(H1_MORE, "", "H", "HTTP/1.1", "HTTP/1.1 20", "HTTP/1.1 200", "HTTP/1.1 200 ",
                     "HTTP/1.1 200 O", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nX: y\r\n\r");
}

Test(h1_response, framing_follows_status_and_the_request_method)
{
    static const struct {
        const char *text;
        enum http_method request;
        enum h1_framing framing;
        bool keep_alive;
    } cases[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", METHOD_GET, H1_BODY_LENGTH, true},
        {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", METHOD_GET, H1_BODY_LENGTH, true},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", METHOD_GET, H1_BODY_CHUNKED,
         true},
        {"HTTP/1.1 200 OK\r\n\r\n", METHOD_GET, H1_BODY_UNTIL_CLOSE, false},
        {"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\n", METHOD_GET, H1_BODY_UNTIL_CLOSE,
         false},
        {"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\n", METHOD_GET,
         H1_BODY_LENGTH, true},
        {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\n", METHOD_GET,
         H1_BODY_LENGTH, false},
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", METHOD_HEAD, H1_BODY_NONE, true},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", METHOD_HEAD, H1_BODY_NONE, true},
        {"HTTP/1.1 200 OK\r\n\r\n", METHOD_HEAD, H1_BODY_NONE, true},
        {"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", METHOD_GET, H1_BODY_NONE, true},
        {"HTTP/1.1 204 No Content\r\n\r\n", METHOD_GET, H1_BODY_NONE, true},
        {"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", METHOD_GET, H1_BODY_NONE, true},
        {"HTTP/1.1 100 Continue\r\n\r\n", METHOD_POST, H1_BODY_NONE, true},
        {"HTTP/1.1 101 Switching Protocols\r\n\r\n", METHOD_GET, H1_BODY_NONE, true},
        {"HTTP/1.1 200 OK\r\n\r\n", METHOD_CONNECT, H1_BODY_NONE, true},
        {"HTTP/1.1 407 No\r\nContent-Length: 5\r\n\r\n", METHOD_CONNECT, H1_BODY_LENGTH, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct arena arena = {0};
        struct h1_head h = answer_of(cases[i].text, cases[i].request, &arena);
        cr_expect(eq(int, h.framing, (int)cases[i].framing), "%s", cases[i].text);
        cr_expect(eq(int, h.keep_alive, cases[i].keep_alive), "%s", cases[i].text);
        arena_free(&arena);
    }
}

Test(h1_response, content_announced_where_there_can_be_none_is_refused)
{
    EXPECT_RESPONSES(H1_BAD, "HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n",
                     "HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\n\r\n",
                     "HTTP/1.1 100 Go\r\nContent-Length: 5\r\n\r\n",
                     "HTTP/1.1 101 Up\r\nTransfer-Encoding: chunked\r\n\r\n");
}

static enum h1_result parse_trailers(const char *text, struct headers *h, struct arena *arena,
                                     size_t *used)
{
    headers_init(h, arena, 2);
    return h1_parse_fields(h, text, strlen(text), &limits, used);
}

Test(h1_fields, a_trailer_section_ends_with_its_empty_line)
{
    struct arena arena = {0};
    struct headers h;
    size_t used = 0;
    cr_expect(parse_trailers("X-Sum: 1\r\nY: 2\r\n\r\nGET", &h, &arena, &used) == H1_DONE);
    cr_expect(eq(sz, used, 18));
    cr_expect(eq(int, h.n, 2));
    cr_expect(parse_trailers("\r\n", &h, &arena, &used) == H1_DONE);
    cr_expect(parse_trailers("X-Sum: 1\r\n", &h, &arena, &used) == H1_MORE);
    cr_expect(parse_trailers("X-Sum: 1\n", &h, &arena, &used) == H1_BAD);
    arena_free(&arena);
}

Test(h1_fields, a_trailer_section_frames_and_routes_nothing)
{
    static const char *const texts[] = {"Content-Length: 5\r\n", "transfer-encoding: chunked\r\n",
                                        "Host: a\r\n"};
    for (size_t i = 0; i < 3; i++) {
        struct arena arena = {0};
        struct headers h;
        size_t used;
        cr_expect(parse_trailers(texts[i], &h, &arena, &used) == H1_BAD, "%s", texts[i]);
        arena_free(&arena);
    }
}

Test(h1_fields, tokens_and_field_values_are_checked_by_character)
{
    cr_expect(http_is_token(STR("a-Z_9~")));
    cr_expect(not(http_is_token(STR(""))));
    cr_expect(not(http_is_token(STR("a b"))));
    cr_expect(not(http_is_token(STR("a:"))));
    cr_expect(http_is_field_value(STR("")));
    cr_expect(http_is_field_value(STR("a \t\xff z")));
    cr_expect(not(http_is_field_value(STR(" a"))));
    cr_expect(not(http_is_field_value(STR("a\t"))));
    cr_expect(not(http_is_field_value(STR("a\rb"))));
    cr_expect(not(http_is_field_value(str_make("a\0b", 3))));
}
