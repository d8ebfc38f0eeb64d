/* Rules that need more than one key. */
#include "conf_case.h"

#include <criterion/criterion.h>

#define ROUTE(text) "routes: [{name: r, service: s, auth: none, limits: none, " text "}]\n"
#define SERVICE(text)                                                                              \
    "services: [{name: s, variants: [{name: v, endpoints: [\"127.0.0.1:1\"]}], " text "}]\n"

Test(cross, every_address_is_used_once)
{
    CHECK_CASES(
        {"listeners:\n- {name: a, address: \"127.0.0.1:80\"}\n- {name: b, address: "
         "\"127.0.0.1:080\"}\n",
         "3:22: listeners[1].address: `127.0.0.1:080` is also the address of listeners[0].address"},
        {"listeners:\n- {name: a, address: \"[::1]:80\"}\n- {name: b, address: \"[0:0::1]:80\"}\n",
         "3:22: listeners[1].address: "},
        {"listeners:\n- {name: a, address: \"127.0.0.1:9901\"}\n",
         "1:1: admin.address: `127.0.0.1:9901` is also"},
        {"admin: {probe_address: \"127.0.0.1:9901\"}\n", "1:24: admin.probe_address: "},
        {"listeners:\n- {name: a, address: \"127.0.0.1:0\"}\n- {name: b, address: "
         "\"127.0.0.1:0\"}\n",
         ""},
        {"listeners:\n- {name: a, address: \"unix:/a\"}\n- {name: b, address: \"unix:/a\"}\n",
         "3:22: listeners[1].address: "});
}

Test(cross, listeners_have_what_their_options_need)
{
#define LISTENER(text) "listeners: [{name: l, address: \"127.0.0.1:1\", " text "}]\n"
    CHECK_CASES({LISTENER("proxy_protocol: true"),
                 "1:63: listeners[0].proxy_protocol: needs `trusted_proxies`"},
                {LISTENER("proxy_protocol: true, trusted_proxies: []"), ""},
                {LISTENER("proxy_protocol: true, trusted_proxies: [10.0.0.0/8]"), ""},
                {LISTENER("protocols: [http/1.1, h2c]"), ""});
}

Test(cross, rules_of_tls_listeners)
{
    const char *folder = conf_case_folder();
    static const struct {
        const char *text, *want;
    } CASES[] = {
        {"client_auth: require}", "3:26: listeners[0].tls.client_auth: needs `client_ca`"},
        {"client_auth: require, client_ca: c.pem}", ""},
        {"client_crl: c.pem}", "3:25: listeners[0].tls.client_crl: needs `client_ca`"},
        {"min_version: \"1.2\"}, redirect_to_https: true",
         "3:53: listeners[0].redirect_to_https: this listener has"},
        {"min_version: 1.2}, protocols: [h2c]",
         "3:44: listeners[0].protocols[0]: h2c is HTTP/2 without TLS"},
        {"min_version: 1.1}", "3:26: listeners[0].tls.min_version: `1.1` is none of the words"},
    };
    conf_case_file(folder, "c.pem", "");
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        char text[400], name[100], want[200];
        snprintf(name, sizeof name, "%s/t.yaml", folder);
        snprintf(text, sizeof text,
                 "routes: []\nlisteners: [{name: l, address: \"127.0.0.1:1\", tls: {certificates: "
                 "[{certificate: c.pem, "
                 "private_key: c.pem}],\n            %s}]\n",
                 CASES[i].text);
        snprintf(want, sizeof want, "%s%s%s", *CASES[i].want ? name : "", *CASES[i].want ? ":" : "",
                 CASES[i].want);
        char *got = conf_case_errors(name, text);
        cr_expect(strncmp(got, want, strlen(want)) == 0 && !*got == !*want, "%s\ngot: %s",
                  CASES[i].text, got);
        free(got);
    }
}

Test(cross, an_admin_api_that_others_reach_needs_a_token)
{
    CHECK_CASES({"admin: {address: \"0.0.0.0:9901\"}\n",
                 "1:18: admin.address: `0.0.0.0:9901` can be reached"},
                {"admin: {address: \"0.0.0.0:9901\", token: \"\"}\n", "1:18: admin.address: "},
                {"admin: {address: \"0.0.0.0:9901\", token: x}\n", ""},
                {"admin: {address: \"0.0.0.0:9901\", tokens: [{name: a, token: x}]}\n", ""},
                {"admin: {address: \"127.5.0.1:9901\"}\n", ""},
                {"admin: {address: \"[::1]:9901\"}\n", ""},
                {"admin: {address: \"[::]:9901\"}\n", "1:18: admin.address: "},
                {"admin: {address: \"unix:/run/a\"}\n", ""},
                {"admin: {ready_requires: [store, \"service:s\", \"service:t\"]}\n",
                 "1:46: admin.ready_requires[2]: there is no service `t`"});
}

Test(cross, there_is_one_store)
{
    CHECK_CASES({"store: {redis: {url: \"redis://h\"}, embedded: {}}\n",
                 "1:16: store.redis: there is also `embedded`"},
                {"store: {redis: {url: \"redis://h\", tls: {}}}\n",
                 "1:40: store.redis.tls: `url` is without TLS"},
                {"store: {redis: {url: \"redis://h\", topology: sentinel}}\n",
                 "1:45: store.redis.sentinel: is missing; `topology: sentinel` needs"},
                {"store: {redis: {url: \"redis://h\", nodes: [h]}}\n",
                 "1:43: store.redis.nodes[0]: is not a seed"});
}

Test(cross, issuers_have_one_source_of_keys_that_fits)
{
#define ISSUER(text) "auth: {jwt: [{name: j, issuer: i, " text "}]}\n"
    CHECK_CASES({ISSUER(""), "1:14: auth.jwt[0]: has no keys"},
                {ISSUER("jwks_uri: \"https://a/k\", secret: x"),
                 "1:68: auth.jwt[0].secret: an issuer has exactly one"},
                {ISSUER("secret: x"),
                 "1:14: auth.jwt[0].algorithms[0]: RS256 needs a public key\n"
                 "1:14: auth.jwt[0].algorithms[1]: ES256\n1:14: auth.jwt[0].algorithms[2]: EdDSA"},
                {ISSUER("secret: x, algorithms: [HS256]"), ""},
                {ISSUER("jwks_uri: \"https://a/k\", algorithms: [HS256]"),
                 "1:73: auth.jwt[0].algorithms[0]: HS256 needs `secret`"},
                {ISSUER("jwks_uri: \"https://a/k\", algorithms: [none]"),
                 "1:73: auth.jwt[0].algorithms[0]: `none` is none"},
                {ISSUER("jwks_uri: \"http://a/k\""),
                 "1:45: auth.jwt[0].jwks_uri: keys would come without TLS"},
                {ISSUER("jwks_uri: \"http://a/k\", insecure: true"), ""},
                {ISSUER("jwks_uri: \"http://127.0.0.1:8080/k\""), ""},
                {ISSUER("jwks_uri: \"http://[::1]/k\""), ""},
                {"auth:\n  jwt:\n  - {name: a, issuer: i, secret: x, algorithms: [HS256]}\n"
                 "  - {name: b, issuer: i, secret: x, algorithms: [HS256]}\n",
                 "4:23: auth.jwt[1].issuer: `i` has an entry before"},
                {"auth: {unknown_tenants: fre}\nplans: [{name: free}]\n",
                 "1:25: auth.unknown_tenants: there is no plan `fre`; did you mean `free`?"});
}

Test(cross, limits_are_a_rate_or_a_quota)
{
#define LIMIT(text) "plans: [{name: p, limits: [{name: a, " text "}]}]\n"
    CHECK_CASES(
        {LIMIT(""), "1:28: plans[0].limits[0]: has neither `rate` nor `quota`"},
        {LIMIT("rate: 1/s, quota: 1/day"), "1:56: plans[0].limits[0].quota: there is also `rate`"},
        {LIMIT("quota: 1/day, burst: 5"), "1:59: plans[0].limits[0].burst: goes only with `rate`"},
        {LIMIT("rate: 1/s, burst: 5"), ""},
        {LIMIT("quota: 1/day, reserve: {json: a}"),
         "1:61: plans[0].limits[0].reserve: goes only with a `unit`"},
        {LIMIT("quota: 1/day, unit: tokens, reserve: {json: a.b}"), ""});
}

Test(cross, tenants_name_plans_and_have_keys_of_their_own)
{
#define SHA "sha256: 0000000000000000000000000000000000000000000000000000000000000000"
    CHECK_CASES({"tenants: [{id: t, plan: gold}]\nplans: [{name: golf}]\n",
                 "1:25: tenants[0].plan: there is no plan `gold`; did you mean `golf`?"},
                {"tenants: [{id: t, plan: gold}]\n",
                 "1:25: tenants[0].plan: there is no plan `gold`; none is configured"},
                {"tenants:\n- {id: t, api_keys: [{id: k, " SHA
                 "}]}\n- {id: u, api_keys: [{id: k, " SHA "}]}\n",
                 "3:38: tenants[1].api_keys[0].sha256: is given twice"},
                {"tenants:\n- {id: t, api_keys: [{id: k, " SHA "}, {id: k, " SHA "}]}\n",
                 "2:110: tenants[0].api_keys[1].id: `k` is given twice\n2:121: "
                 "tenants[0].api_keys[1].sha256: is given"},
                {"tenants: [{id: t, allowed_regions: [eu]}]\n",
                 "1:36: tenants[0].allowed_regions: `region` is not set"},
                {"tenants: [{id: t, allowed_regions: [eu]}]\nregion: eu\n", ""});
}

Test(cross, services_have_variants_that_answer)
{
    CHECK_CASES(
        {"services: [{name: s, variants: [{name: v, weight: 0, endpoints: [\"127.0.0.1:1\"]}]}]\n",
         "1:32: services[0].variants: no variant has a weight above 0"},
        {SERVICE("mirror: {variant: w}"),
         "1:91: services[0].mirror.variant: there is no variant `w`"},
        {SERVICE("mirror: {variant: v}"), ""},
        {SERVICE("rollout: {to: w}"), "1:87: services[0].rollout.to: there is no variant `w`"},
        {SERVICE("rollout: {to: v, steps: [1, 5, 5]}"),
         "1:104: services[0].rollout.steps[2]: is not above"},
        {SERVICE("retry: {backoff: 1s, max_backoff: 500ms}"),
         "1:90: services[0].retry.backoff: is above `max_"},
        {SERVICE("protocol: h2"), "1:83: services[0].protocol: h2 is HTTP/2 over TLS"},
        {SERVICE("protocol: h2c"), ""}, {SERVICE("protocol: h2, tls: {}"), ""},
        {SERVICE("protocol: h2c, tls: {}"),
         "1:83: services[0].protocol: h2c is HTTP/2 without TLS"},
        {SERVICE("tls: {certificate: /etc/passwd}"),
         "1:92: services[0].tls.private_key: is missing; a certificate needs its private key"});
}

Test(cross, routes_go_somewhere)
{
    CHECK_CASES({"routes: [{name: r, auth: none}]\n",
                 "1:10: routes[0]: has neither `service` nor `respond`"},
                {"routes: [{name: r, auth: none, service: s, respond: {}}]\n",
                 "1:53: routes[0].respond: there is also `service`"},
                {"routes: [{name: r, auth: none, service: t}]\n",
                 "1:41: routes[0].service: there is no service `t`"},
                {ROUTE("match: {listeners: [m]}"),
                 "1:78: routes[0].match.listeners[0]: there is no listener `m`"},
                {ROUTE("match: {listeners: l}"), ""});
}

Test(cross, a_match_has_one_kind_of_path)
{
    CHECK_CASES({ROUTE("match: {path: /a, path_prefix: /b}"),
                 "1:89: routes[0].match.path_prefix: there is also `path`"},
                {ROUTE("match: {path_prefix: /a, path_regex: /b}"),
                 "1:95: routes[0].match.path_regex: there is also"},
                {ROUTE("match: {path: [/a, /b]}"), ""},
                {ROUTE("match: {headers: {X-A: {regex: a, present: true}}}"),
                 "1:81: routes[0].match.headers.X-A: write a value"},
                {ROUTE("match: {query: {a: {present: false}}}"),
                 "1:77: routes[0].match.query.a: `present` can only be"},
                {ROUTE("match: {query: {a: {regex: \"(\"}}}"),
                 "1:85: routes[0].match.query.a.regex: `(` is not a"});
}

Test(cross, routes_are_public_or_have_a_method)
{
    CHECK_CASES(
        {"routes: [{name: r, service: s}]\n",
         "1:10: routes[0].auth: is missing and no authentication is"},
        {"routes: [{name: r, service: s, auth: {}}]\n",
         "1:38: routes[0].auth: no authentication is configured"},
        {"routes: [{name: r, service: s}]\nauth: {api_keys: {}}\n", ""},
        {"routes: [{name: r, service: s, auth: {any_of: [api_key, jwt]}}]\nauth: {api_keys: {}}\n",
         "1:57: routes[0].auth.any_of[1]: `jwt` is not configured; configure auth.jwt"});
}

Test(cross, rewrites_are_of_one_kind)
{
    CHECK_CASES({ROUTE("rewrite: {regex: /a}"), "1:75: routes[0].rewrite.replacement: is missing"},
                {ROUTE("rewrite: {replacement: /a}"), "1:81: routes[0].rewrite.regex: is missing"},
                {ROUTE("rewrite: {regex: /a, replacement: /b, strip_prefix: /c}"),
                 "1:75: routes[0].rewrite.regex: there is also strip_prefix"},
                {ROUTE("rewrite: {regex: \"/(a)\", replacement: \"/$2\"}"),
                 "1:96: routes[0].rewrite.replacement: `$2` is no group of `regex`, which has 1"},
                {ROUTE("rewrite: {regex: \"/(a)\", replacement: \"/$1$$2\"}"), ""},
                {ROUTE("rewrite: {strip_prefix: /v1, add_prefix: /x, host: endpoint}"), ""});
}

Test(cross, headers_of_the_connection_are_the_gateways)
{
    CHECK_CASES(
        {ROUTE("request_headers: {set: {Connection: x}}"),
         "1:94: routes[0].request_headers.set.Connection: `Connection` belongs to the connection"},
        {ROUTE("request_headers: {remove: [content-length]}"),
         "1:85: routes[0].request_headers.remove[0]: "},
        {ROUTE("request_headers: {set: {host: x}}"),
         "1:88: routes[0].request_headers.set.host: Host cannot"});
}

Test(cross, any_origin_goes_without_credentials)
{
    CHECK_CASES({ROUTE("cors: {origins: [\"*\"]}"),
                 "1:75: routes[0].cors.origins[0]: any origin with credentials"},
                {ROUTE("cors: {origins: [\"*\"], credentials: false}"), ""},
                {ROUTE("acl: {plans: [x]}"), "1:72: routes[0].acl.plans[0]: there is no plan `x`"});
}

Test(cross, sequences_ascend)
{
    CHECK_CASES({"telemetry: {metrics: {buckets: [1s, 1s]}}\n",
                 "1:37: telemetry.metrics.buckets[1]: is not above"},
                {"resolver: {min_ttl: 10m}\n", "1:21: resolver.min_ttl: is above `max_ttl`"});
}
