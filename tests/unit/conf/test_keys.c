/* Unknown, missing and repeated keys, defaults, and that the whole of the contract is accepted. */
#include "conf_case.h"

#include "base/str.h"
#include "conf/keys.h"

#include <criterion/criterion.h>
#include <stdlib.h>

Test(keys, unknown_keys_are_told_with_the_nearest_one)
{
    CHECK_CASES({"wokers: 1\n", "1:1: wokers: unknown key; did you mean `workers`?"},
                {"admin:\n  adress: 127.0.0.1:1\n",
                 "2:3: admin.adress: unknown key; did you mean `address`?"},
                {"admin: {zzz: 1}\n",
                 "1:9: admin.zzz: unknown key; known here: address, tokens, token, tls, "
                 "ready_requires, probe_address"});
}

Test(keys, all_errors_are_told_at_once_in_the_order_of_the_file)
{
    CHECK_CASES({"workers: x\n"
                 "routes:\n"
                 "- name: a\n"
                 "  service: nobody\n"
                 "  priority: high\n"
                 "- nam: b\n"
                 "  respond: {status: 99}\n"
                 "user: true\n",
                 "1:10: workers: `x` is not a whole number\n"
                 "3:3: routes[0].auth: is missing and no authentication is configured\n"
                 "4:12: routes[0].service: there is no service `nobody`; name one that exists\n"
                 "5:13: routes[0].priority: `high` is not a whole number\n"
                 "6:3: routes[1].auth: is missing and no authentication\n"
                 "6:3: routes[1].nam: unknown key; did you mean `name`?\n"
                 "6:3: routes[1].name: is required and missing\n"
                 "7:21: routes[1].respond.status: `99` is out of range; it goes from 200 to 599\n"
                 "8:7: user: `true` is a bool"});
}

Test(keys, required_keys_are_missed)
{
    CHECK_CASES({"listeners: [{name: l}]\n",
                 "1:13: listeners[0].address: is required and missing: Where it listens."},
                {"listeners: []\n", "1:12: listeners: is empty; write at least one entry"},
                {"listeners: {name: l}\n", "1:12: listeners: is a map; write a list"},
                {"listeners: [l]\n", "1:13: listeners[0]: is a single value; write a map of keys"},
                {"routes: [{}]\n", "1:10: routes[0]: has neither `service` nor `respond`\n"
                                   "1:10: routes[0].auth: is missing\n"
                                   "1:10: routes[0].name: is required and missing"});
}

Test(keys, names_are_unique_in_their_list)
{
    CHECK_CASES(
        {"listeners:\n- {name: l, address: \"127.0.0.1:1\"}\n- {name: l, address: "
         "\"127.0.0.1:2\"}\n",
         "3:10: listeners[1].name: `l` is given twice, first in t.yaml:2"},
        {"plans: [{name: p}, {name: p}]\n", "1:27: plans[1].name: `p` is given twice"},
        {"plans: [{name: p, limits: [{name: a, rate: 1/s}, {name: a, rate: 2/s}]}]\n",
         "1:57: plans[0].limits[1].name: `a` is given twice"},
        {"tenants: [{id: t}, {id: t}]\n", "1:25: tenants[1].id: `t` is given twice"},
        {"tenants: [{id: t}, {id: T}]\n", ""},
        {"routes:\n- {name: r, auth: none, respond: {}}\n- {name: r, auth: none, respond: {}}\n",
         "3:10: routes[1].name: `r` is given twice"},
        {"routes: [{name: r, auth: none, respond: {}, match: {methods: [GET, GET]}}]\n",
         "1:68: routes[0].match.methods[1]: `GET` is given twice"});
}

Test(keys, entries_of_lists_have_values)
{
    CHECK_CASES({"routes:\n-\n", "2:2: routes[0]: this entry has no value"},
                {"routes: [{name: r, auth: none, respond: {}, match: {hosts: [a, null]}}]\n",
                 "1:64: routes[0].match.hosts[1]: this entry has no value"});
}

Test(keys, keys_left_out_have_their_defaults)
{
    struct conf *conf = conf_case_load("");
    const struct node *root = conf_root(conf);
    cr_expect_str_eq(node_str(root, "user"), "tollgate");
    cr_expect_eq(node_ms(root, "drain_timeout"), 30000);
    cr_expect_eq(node_int(root, "client_limits.max_connections"), 65536);
    cr_expect_eq(node_size(root, "client_limits.header_bytes"), 32768);
    cr_expect_str_eq(node_str(root, "admin.address"), "127.0.0.1:9901");
    cr_expect_eq(node_ms(root, "services.0.timeouts.connect"), 1000);
    cr_expect_eq(node_ms(root, "services.0.timeouts.total"), 0);
    cr_expect_eq(node_int(root, "services.0.variants.0.weight"), 1);
    cr_expect_eq(node_int(root, "services.0.variants.0.endpoints.0.weight"), 1);
    cr_expect_eq(node_size(root, "store.embedded.memory"), 64 << 20);
    cr_expect_eq(node_count(root, "telemetry.metrics.buckets"), 15);
    cr_expect_eq(node_ms(root, "telemetry.metrics.buckets.10"), 2500);
    cr_expect(node_bool(root, "listeners.0.paths.merge_slashes"));
    cr_expect(node_is(root, "listeners.0.paths.escaped_slash", "reject"));
    cr_expect_not(node_given(root, "client_limits"));
    cr_expect(node_given(root, "listeners.0.address"));
    conf_unref(&conf);
}

Test(keys, sections_that_are_off_when_absent_stay_absent)
{
    static const char *const OFF[] = {"services.0.health_check",
                                      "services.0.circuit_breaker",
                                      "services.0.concurrency",
                                      "services.0.mirror",
                                      "services.0.usage",
                                      "services.0.rollout",
                                      "services.0.tls",
                                      "services.0.variant_header",
                                      "routes.0.hsts",
                                      "routes.0.validate",
                                      "routes.0.ip",
                                      "routes.0.cors",
                                      "routes.0.cache",
                                      "routes.0.compress",
                                      "routes.0.idempotency",
                                      "routes.0.acl",
                                      "routes.0.waf",
                                      "routes.0.body_bytes",
                                      "routes.0.timeouts",
                                      "telemetry.tracing",
                                      "reload.revert_if",
                                      "auth.jwt",
                                      "auth",
                                      "listeners.0.tls",
                                      "listeners.0.trusted_proxies",
                                      "admin.probe_address",
                                      "admin.tls",
                                      "store.redis",
                                      "region"};
    struct conf *conf = conf_case_load("");
    for (size_t i = 0; i < sizeof OFF / sizeof *OFF; i++)
        cr_expect_null(node_get(conf_root(conf), OFF[i]), "%s", OFF[i]);
    conf_unref(&conf);
}

Test(keys, a_section_that_is_present_fills_itself)
{
    struct conf *conf = conf_case_load("routes: [{name: r, auth: none, respond: {}, hsts: {}, "
                                       "cors: {origins: [\"https://a.b\"]}, cache: {ttl: 1m}}]\n");
    const struct node *r = node_get(conf_root(conf), "routes.0");
    cr_expect_eq(node_int(r, "respond.status"), 503);
    cr_expect_eq(node_int(r, "hsts.max_age"), 31536000);
    cr_expect(node_bool(r, "hsts.include_subdomains"));
    cr_expect_eq(node_count(r, "cors.methods"), 2);
    cr_expect_str_eq(node_str(r, "cors.methods.1"), "POST");
    cr_expect_eq(node_ms(r, "cache.ttl"), 60000);
    cr_expect_eq(node_size(r, "cache.max_body"), 1 << 20);
    conf_unref(&conf);
}

Test(keys, defaults_may_depend_on_a_neighbour)
{
    struct conf *conf = conf_case_load("store: {redis: {url: \"redis://127.0.0.1\"}}\n");
    cr_expect_null(node_get(conf_root(conf), "store.embedded"));
    cr_expect_eq(node_count(conf_root(conf), "listeners.0.protocols"), 2);
    cr_expect(node_is(conf_root(conf), "listeners.0.protocols.1", "h2c"));
    conf_unref(&conf);
}

Test(keys, a_listener_with_tls_speaks_both_protocols)
{
    const char *folder = conf_case_folder();
    char text[300];
    conf_case_file(folder, "c.pem", "");
    snprintf(text, sizeof text,
             "listeners: [{name: l, address: \"127.0.0.1:1\", tls: {certificates: [{certificate: "
             "%s/c.pem, "
             "private_key: %s/c.pem}]}}]\n",
             folder, folder);
    struct conf *conf = conf_case_load(text);
    cr_expect(node_is(conf_root(conf), "listeners.0.protocols.0", "h2"));
    cr_expect(node_is(conf_root(conf), "listeners.0.tls.min_version", "1.3"));
    cr_expect_eq(node_ms(conf_root(conf), "listeners.0.tls.session_tickets.rotate"),
                 12 * 3600 * 1000);
    cr_expect_eq(conf_file_at(conf, 0)->kind, CONF_FILE_NAMED);
    conf_unref(&conf);
}

Test(keys, one_value_stands_for_a_list_and_text_for_a_map)
{
    struct conf *conf = conf_case_load(
        "routes: [{name: r, auth: none, limits: none, respond: {}, match: {hosts: a.b, path: "
        "/x, headers: {X-A: b, X-N: 5, X-P: {present: true}}}}]\n");
    const struct node *r = node_get(conf_root(conf), "routes.0");
    cr_expect_str_eq(node_str(r, "match.hosts.0"), "a.b");
    cr_expect_str_eq(node_str(r, "match.path.0"), "/x");
    cr_expect_str_eq(node_str(r, "match.headers.X-A.exact"), "b");
    cr_expect_str_eq(node_str(r, "match.headers.X-N.exact"), "5");
    cr_expect(node_bool(r, "match.headers.X-P.present"));
    cr_expect(node_is(r, "auth", "none"));
    cr_expect(node_is(r, "limits", "none"));
    cr_expect_eq(node_count(r, "limits"), 0);
    cr_expect_str_eq(node_str(conf_root(conf), "services.0.variants.0.endpoints.0.address"),
                     "127.0.0.1:1");
    conf_unref(&conf);
}

Test(keys, words_in_place_of_sections_are_exact)
{
    CHECK_CASES({"routes: [{name: r, auth: never, respond: {}}]\n",
                 "1:26: routes[0].auth: `never` is not right here; write `none`, or a map of keys"},
                {"routes: [{name: r, auth: none, limits: off, respond: {}}]\n",
                 "1:40: routes[0].limits: `off` is not right here; write `none`, or a list"});
}

/* Every table's defaults are values of their own types, and every key has a sentence. */
static void check_table(const struct key *keys, int depth)
{
    cr_assert_lt(depth, 8);
    for (const struct key *k = keys; k->name; k++) {
        cr_expect(k->doc && k->doc[strlen(k->doc) - 1] == '.', "%s", k->name);
        cr_expect_eq(k->type == KEY_MAP, k->children != NULL, "%s", k->name);
        cr_expect(k->type != KEY_ENUM || k->words, "%s", k->name);
        cr_expect(k->type != KEY_INT || k->max > k->min, "%s", k->name);
        cr_expect_not((k->flags & KEY_REQUIRED) && k->def, "%s", k->name);
        if (k->children)
            check_table(k->children, depth + 1);
    }
}

Test(keys, tables_are_complete)
{
    check_table(KEYS_ROOT, 0);
}
