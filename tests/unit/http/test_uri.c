#include "http/uri.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

static struct arena arena;

static void teardown(void)
{
    arena_free(&arena);
}

TestSuite(uri, .fini = teardown);

static void expect_str(struct str got, const char *want, const char *of)
{
    cr_expect(want ? got.p && str_eq(got, str_of(want)) : !got.p, "%s: got \"%.*s\", not \"%s\"",
              of, STR_ARG(got), want ? want : "(none)");
}

struct split_case {
    const char *target;
    enum http_method method;
    const char *authority, *path, *query;
};

Test(uri, targets_are_split_by_their_form)
{
    static const struct split_case cases[] = {
        {"/", METHOD_GET, NULL, "/", NULL},
        {"/a/b?c=d?e", METHOD_GET, NULL, "/a/b", "c=d?e"},
        {"/?", METHOD_GET, NULL, "/", ""},
        {"//a", METHOD_GET, NULL, "//a", NULL},
        {"*", METHOD_OPTIONS, NULL, "*", NULL},
        {"http://a", METHOD_GET, "a", "/", NULL},
        {"http://a", METHOD_OPTIONS, "a", "*", NULL},
        {"http://a/", METHOD_OPTIONS, "a", "/", NULL},
        {"http://a?q", METHOD_OPTIONS, "a", "/", "q"},
        {"HTTPS://a.b:443/c?d", METHOD_GET, "a.b:443", "/c", "d"},
        {"http://[::1]:80/x", METHOD_GET, "[::1]:80", "/x", NULL},
        {"http://a/b@c://d", METHOD_GET, "a", "/b@c://d", NULL},
        {"a.example:443", METHOD_CONNECT, "a.example:443", NULL, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct split_case *c = &cases[i];
        struct uri uri;
        cr_expect(uri_split(str_of(c->target), c->method, &uri) == URI_OK, "%s", c->target);
        expect_str(uri.authority, c->authority, c->target);
        expect_str(uri.path, c->path, c->target);
        expect_str(uri.query, c->query, c->target);
    }
}

Test(uri, targets_of_no_form_are_refused)
{
    static const struct split_case cases[] = {
        {"", METHOD_GET},
        {"a", METHOD_GET},
        {"*", METHOD_GET},
        {"**", METHOD_OPTIONS},
        {"?a", METHOD_GET},
        {"/a#b", METHOD_GET},
        {"ftp://a/", METHOD_GET},
        {"http:/a", METHOD_GET},
        {"http://", METHOD_GET},
        {"http:///a", METHOD_GET},
        {"http://u@a/", METHOD_GET},
        {"http://u:p@a/", METHOD_GET},
        {"http://a:b/", METHOD_GET},
        {"http://a:65536/", METHOD_GET},
        {"://a/", METHOD_GET},
        {"a.example:443", METHOD_GET},
        {"/", METHOD_CONNECT},
        {"a.example", METHOD_CONNECT},
        {"a.example:", METHOD_CONNECT},
        {"http://a:1", METHOD_CONNECT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct uri uri;
        cr_expect(uri_split(str_of(cases[i].target), cases[i].method, &uri) == URI_BAD, "%s",
                  cases[i].target);
    }
}

static void expect_normal(const char *path, unsigned flags, const char *want)
{
    struct str out, again;
    enum uri_result r = uri_normalise(str_of(path), flags, &arena, &out);
    cr_assert(r == (want ? URI_OK : URI_BAD), "%s", path);
    if (!want)
        return;
    expect_str(out, want, path);
    cr_expect(uri_normalise(out, flags, &arena, &again) == URI_OK && again.p == out.p, "%s: twice",
              path);
}

Test(uri, a_normal_path_is_returned_as_it_is)
{
    static const char *const paths[] = {
        "/", "*", "/a", "/a/b.c/.d/..e/", "/a;b=c,d/@:!$&'()*+=~_-", "/%20%25%C3%A9"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct str path = str_of(paths[i]), out;
        cr_expect(uri_normalise(path, URI_MERGE_SLASHES, &arena, &out) == URI_OK);
        cr_expect(out.p == path.p && out.n == path.n, "%s", paths[i]);
    }
}

Test(uri, unreserved_characters_are_decoded_and_other_escapes_get_capitals)
{
    expect_normal("/%61%5a%30%2d%2E%5f%7ex", 0, "/aZ0-._~x");
    expect_normal("/%c3%a9%2b%3f%23%25%0a%7f", 0, "/%C3%A9%2B%3F%23%25%0A%7F");
    expect_normal("/%2565%252f", 0, "/%2565%252f");
    expect_normal("/%25%36%35", 0, "/%2565");
}

Test(uri, characters_that_rfc_3986_does_not_allow_are_escaped)
{
    expect_normal("/\"<>[]^`{|}", 0, "/%22%3C%3E%5B%5D%5E%60%7B%7C%7D");
}

Test(uri, dot_segments_are_removed)
{
    expect_normal("/a/./b", 0, "/a/b");
    expect_normal("/a/../b", 0, "/b");
    expect_normal("/a/b/../../c", 0, "/c");
    expect_normal("/a/.", 0, "/a/");
    expect_normal("/a/..", 0, "/");
    expect_normal("/a/b/..", 0, "/a/");
    expect_normal("/.", 0, "/");
    expect_normal("/./", 0, "/");
    expect_normal("/a/%2e%2E/b/%2e", 0, "/b/");
    expect_normal("/.a/..b/c./...", 0, "/.a/..b/c./...");
    expect_normal("/a/../%2561", 0, "/%2561");
}

Test(uri, a_climb_above_the_root_is_refused)
{
    static const char *const paths[] = {"/..",      "/../",     "/../a",
                                        "/a/../..", "/%2e%2e/", "/a/../../b/",
                                        "/./../a",  "/.%2e",    "/a/.././%2e./b"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        expect_normal(paths[i], URI_MERGE_SLASHES, NULL);
}

Test(uri, repeated_slashes_are_merged_only_if_asked)
{
    expect_normal("//a///b//", URI_MERGE_SLASHES, "/a/b/");
    expect_normal("//a///b//", 0, "//a///b//");
    expect_normal("/a//../b", URI_MERGE_SLASHES, "/b");
    expect_normal("/a//../b", 0, "/a/b");
    expect_normal("/a/.//b", URI_MERGE_SLASHES, "/a/b");
    expect_normal("//..", 0, "/");
    expect_normal("//..", URI_MERGE_SLASHES, NULL);
}

Test(uri, what_services_read_in_different_ways_is_refused)
{
    static const char *const paths[] = {"",      "a",         "/%00",  "/a%5Cb", "/a%5cb", "/a\\b",
                                        "/%",    "/%2",       "/%g0",  "/%0g",   "/%%61",  "/a b",
                                        "/\x7f", "/\xc3\xa9", "/a\tb", "/a?b",   "/a#b",   "*a"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        expect_normal(paths[i], URI_MERGE_SLASHES | URI_KEEP_ESCAPED_SLASH, NULL);
}

Test(uri, an_escaped_slash_is_refused_or_kept_and_never_a_border)
{
    expect_normal("/a%2fb", 0, NULL);
    expect_normal("/a%2Fb", URI_MERGE_SLASHES, NULL);
    expect_normal("/a%2fb", URI_KEEP_ESCAPED_SLASH, "/a%2Fb");
    expect_normal("/a/b%2f%2Fc/..", URI_KEEP_ESCAPED_SLASH | URI_MERGE_SLASHES, "/a/");
    expect_normal("/a%2f.b/c", URI_KEEP_ESCAPED_SLASH, "/a%2F.b/c");
}

Test(uri, an_escaped_slash_beside_dots_is_refused_even_if_kept)
{
    static const char *const paths[] = {"/a%2F..",    "/..%2Fa", "/a%2F../b",
                                        "/a%2f.%2fb", "/.%2F",   "/%2F%2e%2E%2f"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        expect_normal(paths[i], URI_KEEP_ESCAPED_SLASH, NULL);
}

Test(uri, an_authority_is_a_host_and_perhaps_a_port)
{
    static const char *const good[] = {
        "a",       "a.example", "a.example.", "A_b-c~d",  "1.2.3.4",      "a:1",
        "a:65535", "a:",        "[::1]",      "[::1]:80", "[fe80::1:2]:", "[::ffff:1.2.3.4]"};
    static const char *const bad[] = {
        "",         ":80",  "a b",          "a,b",     "a/b",      "a@b",  "a:b",
        "a:1:2",    "a:-1", "a:+1",         "a:65536", "a:000080", "[::1", "[::1]a",
        "[]",       "[a]",  "[::1%25eth0]", "::1",     "a%41",     "a?b",  ".",
        "\xc3\xa9", "a\\b", "[1.2.3.4]",    "[v1.a]",  "a[::1]"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        cr_expect(uri_is_authority(str_of(good[i])), "%s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_expect(not(uri_is_authority(str_of(bad[i]))), "%s", bad[i]);
}

Test(uri, host_and_port_are_cut_out_of_an_authority)
{
    expect_str(uri_host(STR("A.example.:80")), "A.example", "host");
    expect_str(uri_host(STR("[::1]:80")), "[::1]", "host");
    expect_str(uri_host(STR("a")), "a", "host");
    expect_str(uri_port(STR("a:80")), "80", "port");
    expect_str(uri_port(STR("[::1]:8")), "8", "port");
    expect_str(uri_port(STR("[::1]")), NULL, "port");
    expect_str(uri_port(STR("a:")), NULL, "port");
}

Test(uri, decoding_takes_every_good_escape_and_leaves_bad_ones)
{
    expect_str(uri_decode(STR("a%20b+c%2f%zz%4"), &arena), "a b+c/%zz%4", "decode");
    expect_str(uri_decode(STR("%41%"), &arena), "A%", "decode");
    expect_str(uri_decode(STR(""), &arena), "", "decode");
}

Test(uri, a_query_is_read_pair_by_pair)
{
    struct str rest = STR("a=1&&b&c=&=d&e=f=g"), name, value;
    static const char *const want[][2] = {
        {"a", "1"}, {"b", NULL}, {"c", ""}, {"", "d"}, {"e", "f=g"}};
    for (size_t i = 0; i < 5; i++) {
        cr_assert(uri_query_next(&rest, &name, &value));
        expect_str(name, want[i][0], "name");
        expect_str(value, want[i][1], "value");
    }
    cr_expect(not(uri_query_next(&rest, &name, &value)));
    rest = STR_NULL;
    cr_expect(not(uri_query_next(&rest, &name, &value)));
}
