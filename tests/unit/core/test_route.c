/* The request matcher: each rule of the contract and each tie-break by tables. */
#include "route_fixture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

Test(route, a_prefix_holds_on_segment_borders)
{
    static const struct route_spec rules[] = {
        {"email", .prefix = {"/v1/email"}},
        {"below", .prefix = {"/v2/email/"}},
    };
    static const struct route_expectation e[] = {
        {"GET h/v1/email", "email"}, {"GET h/v1/email/", "email"}, {"GET h/v1/email/x/y", "email"},
        {"GET h/v1/emails", "404"},  {"GET h/v1/emai", "404"},     {"GET h/v1", "404"},
        {"GET h/", "404"},           {"GET h/V1/email", "404"},    {"GET h/x/v1/email", "404"},
        {"GET h/v1//email", "404"},  {"GET h/v2/email/", "below"}, {"GET h/v2/email/x", "below"},
        {"GET h/v2/email", "404"},   {"GET h/v2/emails", "404"},
    };
    CHECK(rules, e);
}

Test(route, an_exact_path_is_only_itself)
{
    static const struct route_spec rules[] = {
        {"root", .exact = {"/"}},
        {"two", .exact = {"/a", "/b/"}},
    };
    static const struct route_expectation e[] = {
        {"GET h/", "root"}, {"GET h/a", "two"}, {"GET h/a/", "404"},  {"GET h/b/", "two"},
        {"GET h/b", "404"}, {"GET h/c", "404"}, {"GET h/a/b", "404"}, {"OPTIONS *", "404"},
    };
    CHECK(rules, e);
}

Test(route, no_path_and_the_prefix_slash_take_every_path)
{
    static const struct route_spec rules[] = {
        {"named", .hosts = {"a"}},
        {"slash", .prefix = {"/"}},
    };
    static const struct route_expectation e[] = {
        {"GET a/", "named"},
        {"GET a/x/y", "named"},
        {"GET b/", "slash"},
        {"GET b/x/y", "slash"},
    };
    CHECK(rules, e);
}

Test(route, paths_of_rules_are_brought_into_the_form_of_requests)
{
    static const struct route_spec rules[] = {
        {"plain", .exact = {"/%61/x/../b"}},
        {"hex", .prefix = {"/caf%c3%a9"}},
        {"utf8", .exact = {"/th\xc3\xa9"}},
        {"space", .exact = {"/a b"}},
    };
    static const struct route_expectation e[] = {
        {"GET h/a/b", "plain"},
        {"GET h/caf%C3%A9/x", "hex"},
        {"GET h/th%C3%A9", "utf8"},
        {"GET h/a%20b", "space"},
    };
    CHECK(rules, e);
}

Test(route, a_regex_is_anchored_at_the_start_only)
{
    static const struct route_spec rules[] = {
        {"id", .regex = {"/v1/users/\\d+"}},
        {"end", .regex = {"/v2/[a-z]+$"}},
        {"either", .regex = {"/x|/y"}},
        {"any case", .regex = {"(?i)/CASE"}},
    };
    static const struct route_expectation e[] = {
        {"GET h/v1/users/12", "id"},    {"GET h/v1/users/12/mail", "id"},
        {"GET h/v1/users/x", "404"},    {"GET h/v1/users", "404"},
        {"GET h/a/v1/users/12", "404"}, {"GET h/v2/abc", "end"},
        {"GET h/v2/abc/", "404"},       {"GET h/x", "either"},
        {"GET h/y/z", "either"},        {"GET h/case", "any case"},
    };
    CHECK(rules, e);
}

Test(route, exact_path_comes_before_regex_before_longest_prefix)
{
    static const struct route_spec rules[] = {
        {"short", .prefix = {"/a"}},
        {"long", .prefix = {"/a/b"}},
        {"below", .prefix = {"/a/b/"}},
        {"regex late", .regex = {"/a/b/[0-9]+"}},
        {"regex later but more literal", .regex = {"/a/b/1[0-9]*"}},
        {"exact", .exact = {"/a/b/1"}},
    };
    static const struct route_expectation e[] = {
        {"GET h/a/b/1", "exact"}, {"GET h/a/b/12", "regex late"},
        {"GET h/a/b/x", "below"}, {"GET h/a/b", "long"},
        {"GET h/a/c", "short"},   {"GET h/a", "short"},
        {"GET h/a/b/", "below"},  {"GET h/b", "404"},
    };
    CHECK(rules, e);
}

Test(route, regexes_go_in_file_order_wherever_they_begin)
{
    static const struct route_spec rules[] = {
        {"deep first", .regex = {"/a/b/c/x+"}},
        {"root", .regex = {".*y$"}},
        {"deep last", .regex = {"/a/b/c/[xyz]+"}, .methods = GET, .headers = {PRESENT("X-A")}},
        {"middle", .regex = {"/a/b.*"}},
    };
    static const struct route_expectation e[] = {
        {"GET h/a/b/c/xy\nX-A: 1", "deep first"},
        {"GET h/a/b/c/zy\nX-A: 1", "root"},
        {"GET h/a/b/c/z\nX-A: 1", "deep last"},
        {"GET h/a/b/c/z", "middle"},
        {"GET h/a/bz", "middle"},
        {"GET h/q", "404"},
    };
    CHECK(rules, e);
}

Test(route, hosts_compare_without_case_port_and_final_dot)
{
    static const struct route_spec rules[] = {
        {"api", .hosts = {"API.Example.com.", "alias.example.com:8443"}},
        {"v6", .hosts = {"[2001:DB8::1]"}},
        {"a-z", .hosts = {"azAZ.09_-~.example"}},
    };
    static const struct route_expectation e[] = {
        {"GET api.example.com/", "api"},
        {"GET API.EXAMPLE.COM/", "api"},
        {"GET api.example.com./", "api"},
        {"GET alias.example.com/", "api"},
        {"GET example.com/", "404"},
        {"GET xapi.example.com/", "404"},
        {"GET [2001:db8::1]/", "v6"},
        {"GET AZaz.09_-~.EXAMPLE/", "a-z"},
        {"GET /", "404"},
        {"GET api.example.com../", "404"},
    };
    CHECK(rules, e);
}

Test(route, a_wildcard_takes_any_depth_below_but_not_itself)
{
    static const struct route_spec rules[] = {
        {"wild", .hosts = {"*.x.example"}},
        {"longer", .hosts = {"*.deep.x.example"}},
    };
    static const struct route_expectation e[] = {
        {"GET a.x.example/", "wild"},    {"GET a.b.c.x.example/", "wild"},
        {"GET x.example/", "404"},       {"GET ax.example/", "404"},
        {"GET .x.example/", "404"},      {"GET A.Deep.X.Example./", "longer"},
        {"GET deep.x.example/", "wild"}, {"GET a.x.example.org/", "404"},
    };
    CHECK(rules, e);
}

Test(route, exact_host_comes_before_longest_wildcard_before_any)
{
    static const struct route_spec rules[] = {
        {"any", .exact = {"/p"}},
        {"star", .hosts = {"*"}, .exact = {"/q"}},
        {"wild", .hosts = {"*.example"}},
        {"wilder", .hosts = {"*.b.example"}},
        {"exact", .hosts = {"a.b.example"}, .prefix = {"/p"}},
    };
    static const struct route_expectation e[] = {
        {"GET a.b.example/p", "exact"},  {"GET a.b.example/x", "wilder"},
        {"GET c.b.example/p", "wilder"}, {"GET c.example/p", "wild"},
        {"GET other/p", "any"},          {"GET other/q", "star"},
        {"GET other/x", "404"},
    };
    CHECK(rules, e);
}

Test(route, a_host_longer_than_any_name_matches_rules_without_hosts)
{
    static const struct route_spec rules[] = {{"wild", .hosts = {"*.example"}}, {"any"}};
    struct route_fixture f;
    struct route_match m;
    char host[400];
    memset(host, 'a', sizeof host);
    memcpy(host + sizeof host - 8, ".example", 8);
    route_fixture_build(&f, rules, array_size(rules));
    struct route_query q = route_fixture_request(&f, "GET h/");
    q.host = str_make(host, sizeof host);
    cr_assert(eq(int, router_match(f.router, f.scratch, &q, &m), ROUTE_FOUND));
    cr_assert(str_eq(m.rule->name, STR("any")));
    q.host = str_make(host + sizeof host - 255, 255);
    cr_assert(eq(int, router_match(f.router, f.scratch, &q, &m), ROUTE_FOUND));
    cr_assert(str_eq(m.rule->name, STR("wild")));
    route_fixture_end(&f);
}

Test(route, priority_comes_before_everything_else)
{
    static const struct route_spec rules[] = {
        {"exact", .hosts = {"a.example"}, .exact = {"/p"}},
        {"prefix", .hosts = {"a.example"}, .prefix = {"/"}, .priority = 1},
        {"wild", .hosts = {"*.example"}, .prefix = {"/p"}, .priority = 2},
        {"any", .prefix = {"/p/q"}, .priority = 3},
        {"regex", .hosts = {"a.example"}, .regex = {"/p/r"}, .priority = 3},
        {"low", .exact = {"/only"}, .priority = -5},
    };
    static const struct route_expectation e[] = {
        {"GET a.example/p", "wild"},      {"GET a.example/x", "prefix"},
        {"GET a.example/p/q", "any"},     {"GET a.example/p/r", "regex"},
        {"GET b/p/q/r", "any"},           {"GET b/only", "low"},
        {"GET a.example/only", "prefix"},
    };
    CHECK(rules, e);
}

Test(route, more_matchers_come_before_fewer_then_the_file)
{
    static const struct route_spec rules[] = {
        {"none", .prefix = {"/p"}},
        {"none again", .prefix = {"/p"}},
        {"one", .prefix = {"/p"}, .headers = {IS("X-A", "1")}},
        {"one again", .prefix = {"/p"}, .query = {PRESENT("a")}},
        {"two", .prefix = {"/p"}, .headers = {IS("X-A", "1")}, .query = {PRESENT("a")}},
        {"method", .prefix = {"/p"}, .methods = POST},
        {"longer", .prefix = {"/p/q"}},
    };
    static const struct route_expectation e[] = {
        {"GET h/p", "none"},
        {"GET h/p\nX-A: 1", "one"},
        {"GET h/p?a", "one again"},
        {"GET h/p?a\nX-A: 1", "two"},
        {"POST h/p", "method"},
        {"POST h/p\nX-A: 1", "one"},
        {"GET h/p/q?a\nX-A: 1", "longer"},
    };
    CHECK(rules, e);
}

Test(route, only_routes_all_of_whose_matchers_hold_compete)
{
    static const struct route_spec rules[] = {
        {"exact", .hosts = {"a"}, .exact = {"/p/q"}, .headers = {IS("X-Env", "prod")}},
        {"regex", .hosts = {"a"}, .regex = {"/p/."}, .query = {IS("v", "2")}},
        {"long", .hosts = {"a"}, .prefix = {"/p/q"}, .methods = POST},
        {"short", .hosts = {"a"}, .prefix = {"/p"}, .listeners = 2},
        {"any"},
    };
    static const struct route_expectation e[] = {
        {"POST a/p/q?v=2\nX-Env: prod", "exact"},
        {"POST a/p/q?v=2\nX-Env: test", "regex"},
        {"POST a/p/q?v=1", "long"},
        {"@1 GET a/p/q", "short"},
        {"GET a/p/q", "any"},
    };
    CHECK(rules, e);
}

Test(route, listeners_restrict_a_route)
{
    static const struct route_spec rules[] = {
        {"second", .prefix = {"/p"}, .listeners = 2},
        {"both", .prefix = {"/q"}, .listeners = 3},
        {"last", .prefix = {"/r"}, .listeners = UINT64_C(1) << 63},
    };
    static const struct route_expectation e[] = {
        {"GET h/p", "404"},     {"@1 GET h/p", "second"}, {"GET h/q", "both"},
        {"@1 GET h/q", "both"}, {"@2 GET h/q", "404"},    {"GET h/r", "404"},
    };
    CHECK(rules, e);
}

Test(route, headers_are_exact_or_regex_or_present)
{
    static const struct route_spec rules[] = {
        {"exact", .prefix = {"/e"}, .headers = {IS("x-env", "prod")}},
        {"regex", .prefix = {"/r"}, .headers = {MATCHES("X-Version", "^v[23]$")}},
        {"inside", .prefix = {"/i"}, .headers = {MATCHES("User-Agent", "bot")}},
        {"present", .prefix = {"/p"}, .headers = {PRESENT("Authorization")}},
    };
    static const struct route_expectation e[] = {
        {"GET h/e\nX-Env: prod", "exact"},
        {"GET h/e\nX-Env: Prod", "404"},
        {"GET h/e\nX-Env: prod2", "404"},
        {"GET h/e\nX-Env: test\nX-ENV: prod", "exact"},
        {"GET h/e", "404"},
        {"GET h/r\nX-Version: v3", "regex"},
        {"GET h/r\nX-Version: v30", "404"},
        {"GET h/i\nUser-Agent: a robot", "inside"},
        {"GET h/p\nauthorization:", "present"},
        {"GET h/p\nX-Authorization: 1", "404"},
    };
    CHECK(rules, e);
}

Test(route, query_parameters_are_decoded_before_comparing)
{
    static const struct route_spec rules[] = {
        {"exact", .prefix = {"/e"}, .query = {IS("na me", "a&b")}},
        {"regex", .prefix = {"/r"}, .query = {MATCHES("v", "^[0-9]+$")}},
        {"present", .prefix = {"/p"}, .query = {PRESENT("debug")}},
        {"empty", .prefix = {"/n"}, .query = {IS("a", "")}},
    };
    static const struct route_expectation e[] = {
        {"GET h/e?na%20me=a%26b", "exact"},
        {"GET h/e?x=1&%6Ea%20me=%61%26b", "exact"},
        {"GET h/e?na%20me=a&b", "404"},
        {"GET h/e", "404"},
        {"GET h/e?NA%20me=a%26b", "404"},
        {"GET h/e?na%20me=x&na%20me=a%26b", "exact"},
        {"GET h/r?v=%31%32", "regex"},
        {"GET h/r?v=1x", "404"},
        {"GET h/p?debug", "present"},
        {"GET h/p?debug=", "present"},
        {"GET h/p?debugger", "404"},
        {"GET h/n?a", "empty"},
        {"GET h/n?a=", "empty"},
        {"GET h/n?a=1", "404"},
    };
    CHECK(rules, e);
}

Test(route, get_admits_head_and_nothing_else)
{
    static const struct route_spec rules[] = {
        {"get", .prefix = {"/g"}, .methods = GET},
        {"head", .prefix = {"/h"}, .methods = 1u << METHOD_HEAD},
        {"any", .prefix = {"/a"}},
    };
    static const struct route_expectation e[] = {
        {"GET h/g", "get"},           {"HEAD h/g", "get"},     {"POST h/g", "405 GET, HEAD"},
        {"HEAD h/h", "head"},         {"GET h/h", "405 HEAD"}, {"PURGE h/a", "any"},
        {"get h/g", "405 GET, HEAD"},
    };
    CHECK(rules, e);
}

Test(route, methods_beyond_the_usual_are_named)
{
    static const struct route_spec rules[] = {
        {"dav", .prefix = {"/d"}, .methods = GET, .other_methods = {"PROPFIND", "MKCOL"}},
        {"purge", .prefix = {"/d/x"}, .other_methods = {"PURGE", "MKCOL"}},
    };
    static const struct route_expectation e[] = {
        {"PROPFIND h/d", "dav"},
        {"MKCOL h/d/x", "purge"},
        {"propfind h/d", "405 GET, HEAD, PROPFIND, MKCOL"},
        {"PURGE h/d", "405 GET, HEAD, PROPFIND, MKCOL"},
        {"LOCK h/d/x", "405 GET, HEAD, PURGE, MKCOL, PROPFIND"},
        {"GET h/d/x", "dav"},
        {"PURGE h/d/x/y", "purge"},
    };
    CHECK(rules, e);
}

Test(route, a_path_whose_routes_all_take_other_methods_is_405_with_all_of_them)
{
    static const struct route_spec rules[] = {
        {"host", .hosts = {"a"}, .exact = {"/p"}, .methods = POST},
        {"regex", .regex = {"/p$"}, .methods = 1u << METHOD_DELETE},
        {"prefix", .prefix = {"/"}, .methods = GET},
        {"elsewhere", .hosts = {"b"}, .methods = 1u << METHOD_PUT},
        {"other listener", .listeners = 2, .methods = 1u << METHOD_PATCH},
    };
    static const struct route_expectation e[] = {
        {"PUT a/p", "405 GET, HEAD, POST, DELETE"},
        {"PUT c/p", "405 GET, HEAD, DELETE"},
        {"PUT c/x", "405 GET, HEAD"},
        {"PATCH b/x", "405 GET, HEAD, PUT"},
        {"@1 PATCH b/x", "other listener"},
        {"GET a/p", "prefix"},
    };
    CHECK(rules, e);
}

Test(route, a_route_that_takes_the_method_but_fails_elsewhere_makes_it_404)
{
    static const struct route_spec rules[] = {
        {"prod", .prefix = {"/p"}, .methods = GET, .headers = {IS("X-Env", "prod")}},
        {"post", .prefix = {"/p"}, .methods = POST},
    };
    static const struct route_expectation e[] = {
        {"GET h/p", "404"},
        {"POST h/p", "post"},
        {"PUT h/p", "405 GET, HEAD, POST"},
        {"GET h/q", "404"},
    };
    CHECK(rules, e);
}

Test(route, a_regex_that_gives_up_is_a_failure_and_not_another_route)
{
    static const struct route_spec rules[] = {
        {"costly", .regex = {"/c/(a*)*[bd]"}},
        {"open", .prefix = {"/"}},
        {"first", .prefix = {"/c/aaa"}, .priority = 1},
        {"header", .prefix = {"/h"}, .headers = {MATCHES("X-A", "^(a*)*[bd]$")}},
    };
#define AS "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    static const struct route_expectation e[] = {
        {"GET h/c/" AS "c", "500 costly"},
        {"GET h/c/aab", "costly"},
        {"GET h/c/x", "open"},
        {"GET h/c/aaa/" AS, "first"},
        {"GET h/h\nX-A: " AS "c", "500 header"},
    };
    CHECK(rules, e);
}

Test(route, named_groups_of_the_path_are_kept)
{
    static const struct route_spec rules[] = {
        {"user", .regex = {"/users/(?<id>\\d+)(?:/(?<what>\\w+))?"},
         .headers = {MATCHES("X-A", "(.)(.)")}},
        {"plain", .regex = {"/p/(.*)"}},
    };
    struct route_fixture f;
    struct route_match m;
    route_fixture_build(&f, rules, array_size(rules));
    struct route_query q = route_fixture_request(&f, "GET h/users/42/mail\nX-A: xyz");
    cr_assert(eq(int, router_match(f.router, f.scratch, &q, &m), ROUTE_FOUND));
    cr_assert(str_eq(route_match_group(&m, STR("id")), STR("42")));
    cr_assert(str_eq(route_match_group(&m, STR("what")), STR("mail")));
    cr_assert_null(route_match_group(&m, STR("other")).p);
    cr_assert_null(route_match_group(&m, STR("")).p);
    q = route_fixture_request(&f, "GET h/users/7\nX-A: xyz");
    cr_assert(eq(int, router_match(f.router, f.scratch, &q, &m), ROUTE_FOUND));
    cr_assert(str_eq(route_match_group(&m, STR("id")), STR("7")));
    cr_assert_null(route_match_group(&m, STR("what")).p);
    q = route_fixture_request(&f, "GET h/p/x");
    cr_assert(eq(int, router_match(f.router, f.scratch, &q, &m), ROUTE_FOUND));
    cr_assert_null(route_match_group(&m, STR("id")).p);
    route_fixture_end(&f);
}

Test(route, without_rules_nothing_is_found)
{
    struct route_fixture f;
    route_fixture_build(&f, NULL, 0);
    cr_assert_str_eq(route_fixture_answer(&f, "GET h/"), "404");
    cr_assert_str_eq(route_fixture_answer(&f, "OPTIONS *"), "404");
    route_fixture_end(&f);
}

struct mistake {
    struct route_spec rule;
    const char *at, *text;
};

Test(route, a_rule_that_cannot_be_compiled_is_named_with_its_place)
{
    static const struct mistake mistakes[] = {
        {{"r", .hosts = {"a", "*.*.b"}}, "1 hosts[1] ", "is not a host"},
        {{"r", .hosts = {"a*.b"}}, "1 hosts[0] ", "is not a host"},
        {{"r", .hosts = {"*."}}, "1 hosts[0] ", "is not a host"},
        {{"r", .hosts = {""}}, "1 hosts[0] ", "is not a host"},
        {{"r", .hosts = {"https://a"}}, "1 hosts[0] ", "is not a host"},
        {{"r", .hosts = {"b\xc3\xbc.de"}}, "1 hosts[0] ", "is not a host"},
        {{"r", .exact = {"/a", "b"}}, "1 path[1] ", "does not begin with '/'"},
        {{"r", .exact = {"/a?b=c"}}, "1 path[0] ", "match.query"},
        {{"r", .prefix = {""}}, "1 path_prefix[0] ", "does not begin with '/'"},
        {{"r", .prefix = {"/a/../.."}}, "1 path_prefix[0] ", "climb"},
        {{"r", .prefix = {"/%zz"}}, "1 path_prefix[0] ", "escape"},
        {{"r", .regex = {"/ok", "/(a"}}, "1 path_regex[1] ", "parenthesis"},
        {{"r", .regex = {"/[z-a]"}}, "1 path_regex[0] ", "at character"},
        {{"r", .headers = {IS("A", "b"), MATCHES("B", "+")}}, "1 headers[1] ", "at character"},
        {{"r", .query = {MATCHES("B", "*")}}, "1 query[0] ", "at character"},
    };
    for (size_t i = 0; i < array_size(mistakes); i++) {
        struct route_fixture f;
        struct route_spec rules[] = {{"good", .prefix = {"/"}}, mistakes[i].rule};
        route_fixture_build(&f, rules, 2);
        const char *errors = buf_text(&f.errors);
        cr_expect(f.router == NULL);
        cr_expect(str_starts(str_of(errors), str_of(mistakes[i].at)), "%s", errors);
        cr_expect(strstr(errors, mistakes[i].text) != NULL, "%s", errors);
        route_fixture_end(&f);
    }
}

Test(route, every_mistake_is_reported)
{
    static const struct route_spec rules[] = {
        {"r", .hosts = {"*", "a b", "*x"}, .regex = {"(", "/ok", ")"},
         .query = {MATCHES("q", "*")}},
        {"good"},
        {"s", .prefix = {"x"}, .headers = {MATCHES("h", "["), MATCHES("i", "(")}},
    };
    static const char *const places[] = {
        "0 hosts[1] ", "0 hosts[2] ",       "0 path_regex[0] ", "0 path_regex[2] ",
        "0 query[0] ", "2 path_prefix[0] ", "2 headers[0] ",    "2 headers[1] ",
    };
    struct route_fixture f;
    route_fixture_build(&f, rules, array_size(rules));
    struct str rest = str_make(f.errors.p, f.errors.n), line;
    for (size_t i = 0; i < array_size(places); i++)
        cr_expect(str_split(&rest, '\n', &line) && str_starts(line, str_of(places[i])), "%s: %.*s",
                  places[i], STR_ARG(line));
    cr_expect(zero(sz, rest.n), "%.*s", STR_ARG(rest));
    route_fixture_end(&f);
}

static void on_explained(void *ctx, const struct route_rule *rule, enum route_reason reason,
                         struct str which)
{
    buf_printf(ctx, "%.*s: %s", STR_ARG(rule->name), route_reason_text(reason));
    buf_printf(ctx, which.n ? " (%.*s); " : "; ", STR_ARG(which));
}

Test(route, explaining_says_of_every_rule_why_it_lost)
{
    static const struct route_spec rules[] = {
        {"a", .listeners = 2},
        {"b", .hosts = {"x"}},
        {"c", .regex = {"/q"}},
        {"d", .prefix = {"/p"}, .methods = POST},
        {"e", .prefix = {"/p"}, .headers = {IS("X-A", "1")}},
        {"f", .prefix = {"/p"}, .query = {IS("a", "1"), IS("b", "1")}},
        {"g", .hosts = {"a.h"}, .exact = {"/p/q"}, .priority = -1},
        {"h", .hosts = {"*.h"}, .exact = {"/p/q"}},
        {"i", .hosts = {"a.h"}, .prefix = {"/p"}},
        {"j", .hosts = {"a.h"}, .exact = {"/p/q"}},
        {"k", .hosts = {"a.h"}, .exact = {"/p/q"}, .methods = GET},
        {"l", .hosts = {"a.h"}, .exact = {"/p/q"}, .methods = GET},
        {"m", .regex = {"/p/(.*)*\\d"}, .methods = GET},
    };
    struct route_fixture f;
    struct route_match m;
    struct buf got = {0};
    route_fixture_build(&f, rules, array_size(rules));
    struct route_query q = route_fixture_request(&f, "GET a.h/p/q?a=1");
    cr_assert(
        eq(int, router_explain(f.router, f.scratch, &q, &m, on_explained, &got), ROUTE_FOUND));
    cr_assert(str_eq(m.rule->name, STR("k")));
    cr_assert_str_eq(buf_text(&got),
                     "a: another listener; b: another host; c: another path; d: another method; "
                     "e: a header does not match (X-A); f: a query parameter does not match (b); "
                     "g: a lower priority; h: a less exact host; i: a less exact path; "
                     "j: fewer matchers; k: chosen; l: later in the file; m: another path; ");
    buf_free(&got);
    route_fixture_end(&f);
}
