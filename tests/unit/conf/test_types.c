/* Every type of scalar: what it takes, what it refuses, what value comes out. */
#include "conf_case.h"

#include "base/str.h"

#include <criterion/criterion.h>

/* Loads `key: value` lines (a text of the top level) and gives the tree. */
#define WITH(conf, text) for (struct conf *conf = conf_case_load(text); conf; conf_unref(&conf))

Test(types, durations_are_sums_of_integers_with_units)
{
    static const struct {
        const char *text;
        uint64_t ms;
    } CASES[] = {{"0", 0},
                 {"0s", 0},
                 {"500ms", 500},
                 {"1s", 1000},
                 {"5m", 300000},
                 {"1h", 3600000},
                 {"1d", 86400000},
                 {"1m30s", 90000},
                 {"1s500ms", 1500},
                 {"30", 30000},
                 {"\"45s\"", 45000},
                 {"\"0\"", 0},
                 {"1h1m1s1ms", 3661001}};
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        char text[80];
        snprintf(text, sizeof text, "drain_timeout: %s\n", CASES[i].text);
        WITH(conf, text)
        cr_expect_eq(node_ms(conf_root(conf), "drain_timeout"), CASES[i].ms, "%s", CASES[i].text);
    }
}

Test(types, other_durations_are_refused)
{
    CHECK_CASES(
        {"drain_timeout: 30x\n", "1:16: drain_timeout: `30x` is not a duration; write an integer"},
        {"drain_timeout: 1.5s\n", "1:16: drain_timeout: `1.5s` is not a duration"},
        {"drain_timeout: -1s\n", "1:16: drain_timeout: `-1s` is not a duration"},
        {"drain_timeout: -1\n", "1:16: drain_timeout: `-1` is not a duration"},
        {"drain_timeout: \"30\"\n", "1:16: drain_timeout: `30` is not a duration"},
        {"drain_timeout: s\n", "1:16: drain_timeout: `s` is not a duration"},
        {"drain_timeout: 1 s\n", "1:16: drain_timeout: `1 s` is not a duration"},
        {"drain_timeout: 2d\n", "1:16: drain_timeout: `2d` is out of range; it goes from 0s to 1d"},
        {"drain_timeout: 99999999999999999999d\n",
         "1:16: drain_timeout: `99999999999999999999d` is not"},
        {"drain_timeout: [1s]\n", "1:16: drain_timeout: is a list; write a duration"},
        {"drain_timeout: {a: 1s}\n", "1:16: drain_timeout: is a map; write a duration"});
}

Test(types, sizes_are_bytes_or_have_binary_units)
{
    WITH(conf, "client_limits: {body_bytes: 1000, header_bytes: 64KiB}\nstore: {embedded: {memory: "
               "2GiB}}\n")
    {
        cr_expect_eq(node_size(conf_root(conf), "client_limits.body_bytes"), 1000);
        cr_expect_eq(node_size(conf_root(conf), "client_limits.header_bytes"), 65536);
        cr_expect_eq(node_size(conf_root(conf), "store.embedded.memory"), UINT64_C(2) << 30);
    }
    CHECK_CASES(
        {"client_limits: {body_bytes: 1MB}\n",
         "1:29: client_limits.body_bytes: `1MB` is not a size"},
        {"client_limits: {body_bytes: 1.5MiB}\n",
         "1:29: client_limits.body_bytes: `1.5MiB` is not"},
        {"client_limits: {body_bytes: -1}\n", "1:29: client_limits.body_bytes: `-1` is not a size"},
        {"client_limits: {body_bytes: 99999999999GiB}\n", "1:29: client_limits.body_bytes: "},
        {"client_limits: {header_bytes: 2MiB}\n",
         "1:31: client_limits.header_bytes: `2MiB` is out of range; it goes from 1KiB to 128KiB"});
}

Test(types, percentages_have_up_to_four_decimals)
{
    static const struct {
        const char *text;
        uint32_t ppm;
    } CASES[] = {
        {"0%", 0}, {"100%", 1000000}, {"2.5%", 25000}, {"0.0001%", 1}, {"99.9999%", 999999}};
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        char text[80];
        snprintf(text, sizeof text, "telemetry: {access_log: {sample: %s}}\n", CASES[i].text);
        WITH(conf, text)
        cr_expect_eq(node_ppm(conf_root(conf), "telemetry.access_log.sample"), CASES[i].ppm);
    }
    CHECK_CASES(
        {"telemetry: {access_log: {sample: 101%}}\n",
         "1:34: telemetry.access_log.sample: `101%` is not"},
        {"telemetry: {access_log: {sample: 100.1%}}\n", "1:34: telemetry.access_log.sample: "},
        {"telemetry: {access_log: {sample: 50}}\n",
         "1:34: telemetry.access_log.sample: `50` is not"},
        {"telemetry: {access_log: {sample: 1.%}}\n", "1:34: telemetry.access_log.sample: "},
        {"telemetry: {access_log: {sample: 0.00001%}}\n", "1:34: telemetry.access_log.sample: "},
        {"telemetry: {access_log: {sample: -1%}}\n", "1:34: telemetry.access_log.sample: "});
}

static void check_rate(const char *text, uint64_t n, uint64_t period_s)
{
    char whole[100];
    snprintf(whole, sizeof whole, "client_limits: {requests_per_ip: %s}\n", text);
    WITH(conf, whole)
    {
        struct node_rate rate = node_rate(conf_root(conf), "client_limits.requests_per_ip");
        cr_expect_eq(rate.n, n, "%s", text);
        cr_expect_eq(rate.period_ns, period_s * 1000000000, "%s", text);
    }
}

Test(types, rates_are_permits_in_a_number_of_units)
{
    check_rate("10/s", 10, 1);
    check_rate("100/5m", 100, 300);
    check_rate("1_000_000/h", 1000000, 3600);
    check_rate("7/1_0d", 7, 864000);
    CHECK_CASES(
        {"client_limits: {requests_per_ip: 10}\n",
         "1:34: client_limits.requests_per_ip: `10` is not a rate"},
        {"client_limits: {requests_per_ip: 0/s}\n",
         "1:34: client_limits.requests_per_ip: `0/s` is not"},
        {"client_limits: {requests_per_ip: 1/0s}\n",
         "1:34: client_limits.requests_per_ip: `1/0s` is not"},
        {"client_limits: {requests_per_ip: 1/ms}\n", "1:34: client_limits.requests_per_ip: "},
        {"client_limits: {requests_per_ip: 1__0/s}\n", "1:34: client_limits.requests_per_ip: "},
        {"client_limits: {requests_per_ip: _1/s}\n", "1:34: client_limits.requests_per_ip: "},
        {"client_limits: {requests_per_ip: 1_/s}\n", "1:34: client_limits.requests_per_ip: "},
        {"client_limits: {requests_per_ip: 1/500d}\n",
         "1:34: client_limits.requests_per_ip: `1/500d` is out"},
        {"client_limits: {requests_per_ip: 1.5/s}\n", "1:34: client_limits.requests_per_ip: "});
}

Test(types, quotas_count_calendar_periods)
{
    WITH(conf,
         "plans: [{name: p, limits: [{name: a, quota: 10_000/day}, {name: b, quota: 1/year}]}]\n")
    {
        struct node_quota day = node_quota(conf_root(conf), "plans.0.limits.0.quota");
        cr_expect_eq(day.n, 10000);
        cr_expect_eq(day.period, NODE_DAY);
        cr_expect_eq(node_quota(conf_root(conf), "plans.0.limits.1.quota").period, NODE_YEAR);
    }
    CHECK_CASES({"plans: [{name: p, limits: [{name: a, quota: 5/d}]}]\n",
                 "1:45: plans[0].limits[0].quota: `5/d` is not a quota"},
                {"plans: [{name: p, limits: [{name: a, quota: 0/day}]}]\n",
                 "1:45: plans[0].limits[0].quota: "},
                {"plans: [{name: p, limits: [{name: a, quota: 5/2days}]}]\n",
                 "1:45: plans[0].limits[0].quota: "});
}

static void check_time(const char *text, int64_t seconds)
{
    char whole[300];
    snprintf(whole, sizeof whole,
             "tenants: [{id: t, api_keys: [{id: k, sha256: %064d, expires: %s}]}]\n", 0, text);
    WITH(conf, whole)
    cr_expect_eq(node_time(conf_root(conf), "tenants.0.api_keys.0.expires"), seconds, "%s", text);
}

Test(types, times_are_rfc_3339)
{
    check_time("1970-01-01T00:00:00Z", 0);
    check_time("2027-01-01T00:00:00Z", 1798761600);
    check_time("2024-02-29t12:30:45.678z", 1709209845);
    check_time("2027-01-01T02:00:00+02:00", 1798761600);
    check_time("2026-12-31T19:00:00-05:00", 1798761600);
    check_time("2016-12-31T23:59:60Z", 1483228799);
}

Test(types, other_times_are_refused)
{
    static const char *const BAD[] = {"2027-01-01",
                                      "2027-13-01T00:00:00Z",
                                      "2027-02-29T00:00:00Z",
                                      "2027-01-01T24:00:00Z",
                                      "2027-01-01T00:00:00",
                                      "2027-01-01T00:00:00.Z",
                                      "2027-01-01T00:00:00+0200",
                                      "2027-01-01T00:00:00Zx",
                                      "tomorrow"};
    for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
        char text[300], want[100];
        snprintf(text, sizeof text,
                 "tenants:\n- {id: t, api_keys: [{id: k, sha256: %064d,\n  expires: %s}]}\n", 0,
                 BAD[i]);
        snprintf(want, sizeof want, "3:12: tenants[0].api_keys[0].expires: `%s` is not a time",
                 BAD[i]);
        struct conf_case c = {text, want};
        conf_case_check(&c, 1);
    }
}

Test(types, whole_numbers_have_bounds_and_words)
{
    WITH(conf, "workers: 8\n")
    cr_expect_eq(node_int(conf_root(conf), "workers"), 8);
    WITH(conf, "workers: 0x10\n")
    cr_expect_eq(node_int(conf_root(conf), "workers"), 16);
    WITH(conf, "workers: auto\n")
    cr_expect_eq(node_int(conf_root(conf), "workers"), 0);
    CHECK_CASES({"workers: 0\n", "1:10: workers: `0` is out of range; it goes from 1 to 256"},
                {"workers: many\n",
                 "1:10: workers: `many` is not a whole number; write one from 1 to 256, or auto"},
                {"workers: 1.5\n", "1:10: workers: `1.5` is not a whole number"},
                {"workers: \"4\"\n",
                 "1:10: workers: `4` is not a whole number; write one from 1 to 256, or auto, "
                 "without quotes"},
                {"workers: 99999999999999999999\n",
                 "1:10: workers: `99999999999999999999` is not a whole number"});
}

Test(types, words_are_told_when_none_fits)
{
    CHECK_CASES({"telemetry: {error_log: {level: loud}}\n",
                 "1:32: telemetry.error_log.level: `loud` is none of the words known here; write "
                 "one of debug, info, "
                 "warn, error"},
                {"services: [{name: s, sticky: \"header:\", variants: [{name: v, endpoints: "
                 "[\"127.0.0.1:1\"]}]}]\n",
                 "1:30: services[0].sticky: `header:` is none of the words"},
                {"services: [{name: s, sticky: \"cookie:a b\", variants: [{name: v, endpoints: "
                 "[\"127.0.0.1:1\"]}]}]\n",
                 "1:30: services[0].sticky: `cookie:a b` is none of the words"},
                {"services: [{name: s, sticky: \"header:X-User\", variants: [{name: v, endpoints: "
                 "[\"127.0.0.1:1\"]}]}]\n",
                 ""});
}

Test(types, addresses_to_listen_on)
{
    CHECK_CASES(
        {"listeners: [{name: l, address: \"[::]:8443\"}]\n", ""},
        {"listeners: [{name: l, address: \"unix:/run/t.sock\"}]\n", ""},
        {"listeners: [{name: l, address: \"127.0.0.1:0\"}]\n", ""},
        {"listeners: [{name: l, address: 8443}]\n",
         "1:32: listeners[0].address: `8443` is not an address"},
        {"listeners: [{name: l, address: \"localhost:80\"}]\n",
         "1:32: listeners[0].address: `localhost:80` is"},
        {"listeners: [{name: l, address: \"1.2.3.4\"}]\n",
         "1:32: listeners[0].address: `1.2.3.4` is not"},
        {"listeners: [{name: l, address: \"1.2.3.4:70000\"}]\n", "1:32: listeners[0].address: "},
        {"listeners: [{name: l, address: \"::1:80\"}]\n", "1:32: listeners[0].address: "},
        {"listeners: [{name: l, address: \"unix:\"}]\n", "1:32: listeners[0].address: "});
}

#define SERVICE(endpoint)                                                                          \
    "services: [{name: s, variants: [{name: v, endpoints: [" endpoint "]}]}]\n"

Test(types, endpoints)
{
    CHECK_CASES(
        {SERVICE("\"dns:email.svc:80\""), ""}, {SERVICE("\"[::1]:80\""), ""},
        {SERVICE("\"unix:/run/s\""), ""}, {SERVICE("{address: \"127.0.0.1:80\", weight: 3}"), ""},
        {SERVICE("\"email.svc:80\""),
         "1:55: services[0].variants[0].endpoints[0].address: `email.svc:80` names "
         "a host; write dns:email.svc:80"},
        {SERVICE("\"dns:email.svc\""), "1:55: services[0].variants[0].endpoints[0].address: "},
        {SERVICE("\"dns:1.2.3.4:80\""), "1:55: services[0].variants[0].endpoints[0].address: "},
        {SERVICE("\"127.0.0.1:0\""), "1:55: services[0].variants[0].endpoints[0].address: "},
        {SERVICE("80"),
         "1:55: services[0].variants[0].endpoints[0].address: `80` is not an endpoint"},
        {SERVICE(""), "1:54: services[0].variants[0].endpoints: is empty; write at least one"},
        {SERVICE("[]"),
         "1:55: services[0].variants[0].endpoints[0]: is a list; write a map of keys"});
}

Test(types, blocks_of_addresses)
{
#define ROUTE(text) "routes: [{name: r, service: s, auth: none, limits: none, " text "}]\n"
    CHECK_CASES({ROUTE("ip: {deny: [10.0.0.0/8, \"2001:db8::/32\", 192.0.2.1, \"::1\"]}"), ""},
                {ROUTE("ip: {deny: [10.0.0.1/8]}"),
                 "1:70: routes[0].ip.deny[0]: `10.0.0.1/8` has bits set"},
                {ROUTE("ip: {deny: [10.0.0.0/33]}"),
                 "1:70: routes[0].ip.deny[0]: `10.0.0.0/33` has a wrong prefix"},
                {ROUTE("ip: {deny: [10.0.0/8]}"),
                 "1:70: routes[0].ip.deny[0]: `10.0.0/8` is not an address"},
                {ROUTE("ip: {deny: [10.0.0.0/]}"), "1:70: routes[0].ip.deny[0]: "});
}

Test(types, hosts_are_names_or_wildcards)
{
    WITH(conf, ROUTE("match: {hosts: [API.Example.COM., \"*.Tenants.example.com\", \"[::1]\"]}"))
    {
        cr_expect_str_eq(node_str(conf_root(conf), "routes.0.match.hosts.0"), "api.example.com");
        cr_expect_str_eq(node_str(conf_root(conf), "routes.0.match.hosts.1"),
                         "*.tenants.example.com");
    }
    CHECK_CASES({ROUTE("match: {hosts: [\"*\"]}"),
                 "1:74: routes[0].match.hosts[0]: `*` is not a host; leave"},
                {ROUTE("match: {hosts: [\"a.b:80\"]}"),
                 "1:74: routes[0].match.hosts[0]: `a.b:80` is not a host; write"},
                {ROUTE("match: {hosts: [\"a.*.b\"]}"),
                 "1:74: routes[0].match.hosts[0]: `a.*.b` is not a host"},
                {ROUTE("match: {hosts: [\"a..b\"]}"),
                 "1:74: routes[0].match.hosts[0]: `a..b` is not a host"},
                {ROUTE("match: {hosts: []}"), "1:73: routes[0].match.hosts: is empty"});
}

Test(types, patterns_are_compiled)
{
    CHECK_CASES({ROUTE("match: {path_regex: \"/a/(?<id>[0-9]+)\"}"), ""},
                {ROUTE("match: {path_regex: \"/a/(\"}"),
                 "1:78: routes[0].match.path_regex: `/a/(` is not a regular "
                 "expression: missing closing parenthesis, at character 5"},
                {ROUTE("match: {path_regex: [\"/a\", \"[\"]}"),
                 "1:85: routes[0].match.path_regex[1]: `[` is not"});
}

Test(types, paths_methods_and_header_names)
{
    CHECK_CASES(
        {ROUTE("match: {path: v1}"),
         "1:72: routes[0].match.path: `v1` is not a path; it begins with `/`"},
        {ROUTE("match: {path: \"/a?b\"}"), "1:72: routes[0].match.path: `/a?b` is not a path"},
        {ROUTE("match: {path: \"/a b\"}"), "1:72: routes[0].match.path: `/a b` is not a path"},
        {ROUTE("match: {methods: get}"), "1:75: routes[0].match.methods: `get` is not a method"},
        {ROUTE("match: {methods: [GET, M-SEARCH]}"), ""},
        {ROUTE("match: {headers: {\"X Y\": a}}"),
         "1:76: routes[0].match.headers.X Y: `X Y` is not the name"},
        {ROUTE("request_headers: {set: {X-A: \"a\\nb\"}}"),
         "1:87: routes[0].request_headers.set.X-A: `a?b` is not the value of a header"},
        {ROUTE("request_headers: {remove: [\"X:\"]}"),
         "1:85: routes[0].request_headers.remove[0]: `X:` is"});
}

Test(types, names_ids_and_hashes)
{
    CHECK_CASES({"listeners: [{name: \"a b\", address: \"127.0.0.1:1\"}]\n",
                 "1:20: listeners[0].name: `a b` is not a name"},
                {"plans: [{name: p, limits: [{name: UP, rate: 1/s}]}]\n",
                 "1:35: plans[0].limits[0].name: `UP` is not the name of a limit"},
                {"tenants: [{id: -a}]\n", "1:16: tenants[0].id: `-a` is not a tenant id"},
                {"tenants: [{id: a, api_keys: [{id: k, sha256: abc}]}]\n",
                 "1:46: tenants[0].api_keys[0].sha256: `abc` is not a SHA-256"});
    WITH(conf, "tenants: [{id: 42, api_keys: [{id: k, "
               "sha256: 4F7E1C0A9B52D86F3E13A8C5D7B06E9412F0C8A37D5E6B91C24F80A7BE365D19}]}]\n")
    {
        cr_expect_str_eq(node_str(conf_root(conf), "tenants.0.id"), "42");
        cr_expect_str_eq(node_str(conf_root(conf), "tenants.0.api_keys.0.sha256"),
                         "4f7e1c0a9b52d86f3e13a8c5d7b06e9412f0c8a37d5e6b91c24f80a7be365d19");
    }
}

Test(types, urls_and_origins)
{
#define TRACING(url) "telemetry: {tracing: {otlp_http: \"" url "\"}}\n"
    CHECK_CASES({TRACING("http://collector:4318"), ""}, {TRACING("https://[::1]:4318/v1"), ""},
                {TRACING("ftp://collector"),
                 "1:34: telemetry.tracing.otlp_http: `ftp://collector` is not a URL"},
                {TRACING("collector:4318"),
                 "1:34: telemetry.tracing.otlp_http: `collector:4318` is not a URL"},
                {TRACING("http://u:p@collector"), "1:34: telemetry.tracing.otlp_http: "},
                {TRACING("http://"), "1:34: telemetry.tracing.otlp_http: "},
                {ROUTE("cors: {origins: [\"https://app.example.com\", \"https://*.b.com\"]}"), ""},
                {ROUTE("cors: {origins: [\"https://app.example.com/\"]}"),
                 "1:75: routes[0].cors.origins[0]: "},
                {ROUTE("cors: {origins: [app.example.com]}"), "1:75: routes[0].cors.origins[0]: "});
}

Test(types, statuses_and_retry_conditions)
{
#define EXTRA(text)                                                                                \
    "services: [{name: s, variants: [{name: v, endpoints: [\"127.0.0.1:1\"]}], " text "}]\n"
    CHECK_CASES({EXTRA("health_check: {expect: 204}"), ""},
                {EXTRA("health_check: {expect: [200-204, 301]}"), ""},
                {EXTRA("health_check: {expect: 299-200}"),
                 "1:96: services[0].health_check.expect: `299-200` is not"},
                {EXTRA("health_check: {expect: 600}"),
                 "1:96: services[0].health_check.expect: `600` is not a status"},
                {EXTRA("retry: {conditions: [reset, 429]}"), ""},
                {EXTRA("retry: {conditions: [200]}"),
                 "1:94: services[0].retry.conditions[0]: `200` is not a condition"});
}

Test(types, redirects_are_ports)
{
    static const struct {
        const char *text;
        int64_t port;
    } CASES[] = {{"true", 443}, {"false", 0}, {"8443", 8443}};
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        char text[120];
        snprintf(text, sizeof text,
                 "listeners: [{name: l, address: \"127.0.0.1:1\", redirect_to_https: %s}]\n",
                 CASES[i].text);
        WITH(conf, text)
        cr_expect_eq(node_int(conf_root(conf), "listeners.0.redirect_to_https"), CASES[i].port);
    }
    CHECK_CASES({"listeners: [{name: l, address: \"127.0.0.1:1\", redirect_to_https: 0}]\n",
                 "1:66: listeners[0].redirect_to_https: `0` is neither a bool nor a port"});
}

Test(types, files_must_be_there)
{
    CHECK_CASES({"telemetry: {tracing: {otlp_http: \"http://c\", ca: no/such.pem}}\n",
                 "1:50: telemetry.tracing.ca: `no/such.pem` (/"},
                {"telemetry: {tracing: {otlp_http: \"http://c\", ca: /}}\n",
                 "1:50: telemetry.tracing.ca: `/` (/) cannot be read: Is a directory"});
}
