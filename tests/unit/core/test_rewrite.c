/* Rewriting of paths. */
#include "core/rewrite.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

struct rewrite_case {
    const char *strip, *add, *regex, *replacement;
    const char *path, *result; /* NULL: refused */
};

static enum rewrite_result run(const struct rewrite_case *c, struct arena *a, struct str *out)
{
    struct rewrite_rule rule = {.strip_prefix = str_of(c->strip),
                                .add_prefix = str_of(c->add),
                                .regex = str_of(c->regex),
                                .replacement = str_of(c->replacement)};
    struct rewrite w;
    char text[200];
    const char *key;
    cr_assert(zero(int, rewrite_init(&w, &rule, a, &key, text, sizeof text)), "%s: %s", key, text);
    struct route_scratch *s = route_scratch_new();
    enum rewrite_result result = rewrite_path(&w, s, str_of(c->path), a, out);
    route_scratch_free(&s);
    rewrite_fini(&w);
    return result;
}

static void check(const struct rewrite_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct arena a = {0};
        struct str out;
        enum rewrite_result result = run(&cases[i], &a, &out);
        if (!cases[i].result)
            cr_expect(eq(int, result, REWRITE_BAD), "%s", cases[i].path);
        else
            cr_expect(result == REWRITE_OK && str_eq(out, str_of(cases[i].result)), "%s: %.*s",
                      cases[i].path, STR_ARG(out));
        arena_free(&a);
    }
}

Test(rewrite, strips_whole_segments_and_leaves_a_path)
{
    static const struct rewrite_case cases[] = {
        {"/v1/email", .path = "/v1/email/send", .result = "/send"},
        {"/v1/email", .path = "/v1/email", .result = "/"},
        {"/v1/email", .path = "/v1/email/", .result = "/"},
        {"/v1/email", .path = "/v1/emails", .result = "/v1/emails"},
        {"/v1/email", .path = "/v2/email", .result = "/v2/email"},
        {"/v1/email/", .path = "/v1/email/x", .result = "/x"},
        {"/v1/email/", .path = "/v1/email", .result = "/"},
        {"/", .path = "/a", .result = "/a"},
        {"/%61", .path = "/a/b", .result = "/b"},
        {"/a", .path = "*", .result = "*"},
        {.path = "/a/b", .result = "/a/b"},
    };
    check(cases, array_size(cases));
}

Test(rewrite, adds_a_prefix_after_stripping)
{
    static const struct rewrite_case cases[] = {
        {.add = "/api", .path = "/a", .result = "/api/a"},
        {.add = "/api/", .path = "/a", .result = "/api/a"},
        {.add = "/api", .path = "/", .result = "/api/"},
        {"/v1", "/v2", .path = "/v1/a", .result = "/v2/a"},
        {"/v1", "/v2", .path = "/v3/a", .result = "/v2/v3/a"},
        {.add = "/", .path = "/a", .result = "/a"},
        {.add = "/api", .path = "*", .result = "*"},
    };
    check(cases, array_size(cases));
}

Test(rewrite, replaces_every_match_of_a_regex)
{
    static const struct rewrite_case cases[] = {
        {.regex = "^/v1/(.*)$", .replacement = "/$1", .path = "/v1/a/b", .result = "/a/b"},
        {.regex = "^/v1/", .replacement = "", .path = "/v1/a", .result = "/a"},
        {.regex = "/x", .replacement = "/y", .path = "/x/b/x", .result = "/y/b/y"},
        {.regex = "/q", .replacement = "/y", .path = "/x", .result = "/x"},
        {.regex = "/(a)|/(b)", .replacement = "/-$1-$2-", .path = "/b", .result = "/--b-"},
        {.regex = "^/(.)(.)$", .replacement = "/$2$1$$$0", .path = "/ab", .result = "/ba$/ab"},
        {.regex = "^.*$", .replacement = "", .path = "/ab", .result = "/"},
        {.regex = "a",
         .replacement = "$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0$0",
         .path = "/aaaaaa",
         .result =
             "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
             "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
    };
    check(cases, array_size(cases));
}

Test(rewrite, a_replaced_path_is_normal_again_or_refused)
{
    static const struct rewrite_case cases[] = {
        {.regex = "^/x-(.*)$", .replacement = "/a/b/$1", .path = "/x-../y", .result = "/a/y"},
        {.regex = "^/x-", .replacement = "/", .path = "/x-../y"},
        {.regex = "%2", .replacement = "%", .path = "/a%20"},
        {.regex = "^/a", .replacement = "/b c", .path = "/a"},
    };
    check(cases, array_size(cases));
}

Test(rewrite, a_regex_that_gives_up_is_a_failure)
{
    struct arena a = {0};
    struct str out;
    struct rewrite_case c = {.regex = "(a*)*[bd]",
                             .replacement = "x",
                             .path = "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac"};
    cr_assert(eq(int, run(&c, &a, &out), REWRITE_FAILED));
    arena_free(&a);
}

Test(rewrite, what_stays_is_not_copied)
{
    struct arena a = {0};
    struct str out;
    struct rewrite_case keep = {"/v1", .path = "/v2/x"}, cut = {"/v1", .path = "/v1/x"};
    cr_assert(eq(int, run(&keep, &a, &out), REWRITE_OK));
    cr_assert(out.p == keep.path);
    cr_assert(eq(int, run(&cut, &a, &out), REWRITE_OK));
    cr_assert(out.p == cut.path + 3);
    arena_free(&a);
}

Test(rewrite, mistakes_are_named_with_their_key)
{
    static const struct {
        struct rewrite_rule rule;
        const char *key, *text;
    } mistakes[] = {
        {{.strip_prefix = {"v1", 2}}, "strip_prefix", "begin with '/'"},
        {{.add_prefix = {"/..", 3}}, "add_prefix", "is not a path"},
        {{.add_prefix = {"/a?b", 4}}, "add_prefix", "is not a path"},
        {{.regex = {"(", 1}}, "regex", "at character"},
        {{.regex = {"a", 1}, .add_prefix = {"/a", 2}}, "regex", "without"},
        {{.regex = {"(a)", 3}, .replacement = {"$2", 2}}, "replacement", "1 groups"},
        {{.regex = {"(a)", 3}, .replacement = {"x$", 2}}, "replacement", "'$'"},
        {{.regex = {"(a)", 3}, .replacement = {"${x}", 4}}, "replacement", "'$'"},
        {{.regex = {"(a)", 3}, .replacement = {"/?a", 3}}, "replacement", "'?'"},
    };
    for (size_t i = 0; i < array_size(mistakes); i++) {
        struct arena a = {0};
        struct rewrite w;
        const char *key;
        char text[200];
        cr_assert(lt(int, rewrite_init(&w, &mistakes[i].rule, &a, &key, text, sizeof text), 0));
        cr_expect_str_eq(key, mistakes[i].key);
        cr_expect(strstr(text, mistakes[i].text) != NULL, "%s", text);
        arena_free(&a);
    }
}

Test(rewrite, host_is_kept_for_the_proxy)
{
    static const struct {
        struct str host;
        enum rewrite_host kind;
    } cases[] = {
        {{NULL, 0}, REWRITE_HOST_CLIENT},
        {{"endpoint", 8}, REWRITE_HOST_ENDPOINT},
        {{"mail.internal", 13}, REWRITE_HOST_NAME},
    };
    for (size_t i = 0; i < array_size(cases); i++) {
        struct arena a = {0};
        struct rewrite w;
        const char *key;
        char text[200];
        struct rewrite_rule rule = {.host = cases[i].host};
        cr_assert(zero(int, rewrite_init(&w, &rule, &a, &key, text, sizeof text)));
        cr_expect(eq(int, w.host_kind, cases[i].kind));
        cr_expect(str_eq(w.host, cases[i].host));
        arena_free(&a);
    }
}
