/* Files, includes, what is missing, digests, hints and the program's own check. */
#include "conf_case.h"

#include "base/str.h"
#include "conf/hint.h"

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <stdlib.h>
#include <sys/stat.h>

#define LISTEN      "listeners: [{name: l, address: \"127.0.0.1:1\"}]\n"
#define REPLY(name) "- {name: " name ", auth: none, limits: none, respond: {}}\n"

static struct conf *load(const char *folder, const char *name, struct conf_errors *errs)
{
    char path[200];
    struct conf *conf;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int rc = conf_load(path, &conf, errs);
    cr_assert_eq(rc == 0, conf != NULL);
    return conf;
}

Test(load, included_lists_follow_in_the_order_of_names)
{
    const char *folder = conf_case_folder();
    struct conf_errors errs = {0};
    conf_case_file(folder, "main.yaml",
                   "include: [\"r*.yaml\", other.json]\n" LISTEN "routes:\n" REPLY("a"));
    conf_case_file(folder, "r2.yaml", "routes:\n" REPLY("c"));
    conf_case_file(folder, "r1.yaml", "routes:\n" REPLY("b") "user: u\n");
    conf_case_file(folder, "other.json",
                   "{\"routes\": [{\"name\": \"d\", \"auth\": \"none\", \"respond\": {}}]}");
    struct conf *conf = load(folder, "main.yaml", &errs);
    cr_assert(conf, "%s", errs.count ? errs.items[0].message : "");
    for (int i = 0; i < 4; i++) {
        char path[40], name[2] = {(char)('a' + i)};
        snprintf(path, sizeof path, "routes.%d.name", i);
        cr_expect_str_eq(node_str(conf_root(conf), path), name);
    }
    cr_expect_str_eq(node_str(conf_root(conf), "user"), "u");
    cr_expect_eq(conf_file_count(conf), 4);
    cr_expect_neq(conf_file_at(conf, 3)->ino, 0);
    conf_unref(&conf);
}

static void check_errors(const char *folder, const char *const *want)
{
    struct conf_errors errs = {0};
    cr_assert_null(load(folder, "main.yaml", &errs));
    for (size_t i = 0; i < errs.count; i++) {
        char line[500];
        snprintf(line, sizeof line, "%s:%u:%u: %s: %s", errs.items[i].file + strlen(folder) + 1,
                 errs.items[i].line, errs.items[i].column, errs.items[i].path,
                 errs.items[i].message);
        cr_expect(want[i] && strncmp(line, want[i], strlen(want[i])) == 0, "%zu: %s", i, line);
        if (!want[i])
            break;
    }
    cr_expect_null(want[errs.count]);
    conf_errors_fini(&errs);
}

Test(load, errors_of_included_files_name_them)
{
    const char *folder = conf_case_folder();
    conf_case_file(folder, "main.yaml",
                   "include: [a.yaml, none.yaml, no*.yaml]\n" LISTEN "user: x\nroutes: []\n");
    conf_case_file(folder, "a.yaml", "user: y\nroutes: [{nam: x}]\nworkers: 0\n");
    check_errors(folder, (const char *[]){
                             "main.yaml:1:19: include[1]: ", "a.yaml:1:1: user: is also given in ",
                             "a.yaml:2:10: routes[0]: has neither",
                             "a.yaml:2:10: routes[0].auth: is missing",
                             "a.yaml:2:10: routes[0].name: is required",
                             "a.yaml:2:11: routes[0].nam: unknown key",
                             "a.yaml:3:10: workers: `0` is out of range", NULL});
}

Test(load, a_file_is_included_once_and_never_by_itself)
{
    const char *folder = conf_case_folder();
    conf_case_file(folder, "main.yaml", "include: [a.yaml, a.yaml]\n" LISTEN "routes: []\n");
    conf_case_file(folder, "a.yaml", "include: ./main.yaml\n");
    check_errors(folder,
                 (const char *[]){"main.yaml:1:19: include[1]: ", "a.yaml:1:10: include: ", NULL});
}

Test(load, a_broken_included_file_is_told)
{
    const char *folder = conf_case_folder();
    conf_case_file(folder, "main.yaml", "include: a.yaml\n" LISTEN "routes: []\n");
    conf_case_file(folder, "a.yaml", "user: [\n");
    check_errors(folder, (const char *[]){"a.yaml:2:1: user[0]: not valid YAML", NULL});
}

Test(load, a_file_that_cannot_be_read_is_told)
{
    const char *folder = conf_case_folder();
    struct conf_errors errs = {0};
    cr_assert_null(load(folder, "none.yaml", &errs));
    cr_assert_eq(errs.count, 1);
    cr_expect_str_eq(errs.items[0].message, "cannot be read: No such file or directory");
    conf_errors_fini(&errs);
    cr_assert_null(load(folder, ".", &errs));
    cr_expect_str_eq(errs.items[0].message, "cannot be read: Is a directory");
    conf_errors_fini(&errs);
}

Test(load, names_of_files_become_absolute_beside_the_file_that_holds_them)
{
    const char *folder = conf_case_folder();
    struct conf_errors errs = {0};
    char want[200];
    conf_case_file(folder, "main.yaml",
                   LISTEN "routes: []\ntelemetry: {access_log: {path: ./log/a.log}}\n"
                          "admin: {address: \"unix:a.sock\"}\n");
    struct conf *conf = load(folder, "main.yaml", &errs);
    snprintf(want, sizeof want, "%s/log/a.log", folder);
    cr_expect_str_eq(node_str(conf_root(conf), "telemetry.access_log.path"), want);
    snprintf(want, sizeof want, "unix:%s/a.sock", folder);
    cr_expect_str_eq(node_str(conf_root(conf), "admin.address"), want);
    cr_expect_str_eq(node_str(conf_root(conf), "telemetry.error_log.path"), "-");
    conf_unref(&conf);
}

Test(load, routes_that_need_what_is_not_there_say_so)
{
    struct conf *conf = conf_case_load(
        "auth: {api_keys: {}}\n"
        "routes:\n"
        "- {name: open, service: s, auth: none, limits: none, cache: {}}\n"
        "- {name: key, service: s}\n"
        "- {name: limit, service: s, auth: none, limits: [{name: a, rate: 1/s}]}\n"
        "- {name: none, service: s, auth: none, limits: [], ip: {allow: []}, waf: {rules: []}}\n"
        "- {name: ip, service: s, auth: none, ip: {deny: [\"::1\"]}}\n"
        "- {name: acl, service: s, auth: none, acl: {}}\n"
        "- {name: validate, service: s, auth: none, validate: {}}\n"
        "- {name: idempotency, service: s, auth: none, idempotency: {}}\n"
        "- {name: waf, service: s, auth: none, waf: {rules: [{a: b}]}}\n"
        "- {name: h2, service: t, auth: none, limits: none}\n"
        "services:\n"
        "- {name: s, variants: [{name: v, endpoints: [\"127.0.0.1:1\"]}]}\n"
        "- {name: t, protocol: h2c, variants: [{name: v, endpoints: [\"127.0.0.1:1\"]}]}\n");
    static const char *const MISSING[] = {NULL,  "auth",     "limits",      NULL,  "ip",
                                          "acl", "validate", "idempotency", "waf", "protocol"};
    for (size_t i = 0; i < sizeof MISSING / sizeof *MISSING; i++) {
        const char *missing = node_str(node_at(node_get(conf_root(conf), "routes"), i), "missing");
        cr_expect((!missing && !MISSING[i]) ||
                      (missing && MISSING[i] && strcmp(missing, MISSING[i]) == 0),
                  "route %zu: %s", i, missing ? missing : "nothing");
    }
    conf_unref(&conf);
}

Test(load, limits_of_clients_that_are_not_there_hold_routes_without_limits_none)
{
    struct conf *conf =
        conf_case_load("client_limits: {requests_per_ip: 5/s}\n"
                       "routes:\n" REPLY("a") "- {name: b, auth: none, respond: {}}\n");
    cr_expect_null(node_str(conf_root(conf), "routes.0.missing"));
    cr_expect_str_eq(node_str(conf_root(conf), "routes.1.missing"), "requests_per_ip");
    conf_unref(&conf);
}

Test(load, listeners_that_need_what_is_not_there_say_so)
{
    struct conf *conf =
        conf_case_load("listeners: [{name: l, address: \"127.0.0.1:1\", redirect_to_https: true}, "
                       "{name: m, address: \"127.0.0.1:2\"}]\n");
    cr_expect_str_eq(node_str(conf_root(conf), "listeners.0.missing"), "redirect_to_https");
    cr_expect_null(node_str(conf_root(conf), "listeners.1.missing"));
    conf_unref(&conf);
}

Test(load, features_that_only_improve_are_listed_when_given)
{
    struct conf *conf = conf_case_load(
        "routes: [{name: r, service: s, auth: none, limits: none, cache: {}, compress: {}}]\n");
    cr_assert_eq(conf_inactive_count(conf), 2);
    cr_expect_str_eq(conf_inactive_at(conf, 0)->path, "routes[0].cache");
    cr_expect_str_eq(conf_inactive_at(conf, 0)->feature, "cache");
    cr_expect_not(conf_inactive_at(conf, 0)->decides);
    cr_expect_eq(conf_inactive_at(conf, 1)->pos.column, 79);
    conf_unref(&conf);
    conf = conf_case_load("");
    cr_expect_eq(conf_inactive_count(conf), 0);
    conf_unref(&conf);
}

Test(load, values_of_a_key_may_be_ready_while_others_are_not)
{
    struct conf *conf = conf_case_load(
        "services: [{name: s, sticky: \"header:X\", variants: [{name: v, endpoints: "
        "[\"127.0.0.1:1\", \"dns:a.b:1\"]}]}, {name: t, sticky: \"cookie:X\", variants: "
        "[{name: v, endpoints: [\"127.0.0.1:1\"]}]}]\n");
    cr_assert_eq(conf_inactive_count(conf), 2);
    cr_expect_str_eq(conf_inactive_at(conf, 0)->path,
                     "services[0].variants[0].endpoints[1].address");
    cr_expect_str_eq(conf_inactive_at(conf, 1)->path, "services[1].sticky");
    conf_unref(&conf);
}

static uint64_t digest_of(const char *service)
{
    struct conf *conf = conf_case_load(service);
    uint64_t digest = conf_digest(node_get(conf_root(conf), "services.0"));
    conf_unref(&conf);
    return digest;
}

#define VARIANTS "variants: [{name: v, endpoints: [\"127.0.0.1:1\"]}]"

Test(load, equal_values_have_equal_digests_however_written)
{
    uint64_t plain = digest_of("services: [{name: s, " VARIANTS "}]\n");
    cr_expect_eq(plain, digest_of("# moved\nservices:\n- " VARIANTS "\n  name: \"s\"\n"));
    cr_expect_eq(plain,
                 digest_of("services: [{name: s, timeouts: {connect: 1000ms}, " VARIANTS "}]\n"));
    cr_expect_eq(
        plain,
        digest_of("services: [{name: s, variants: [{weight: 1, name: v, endpoints: [{address: "
                  "\"127.0.0.1:1\"}]}]}]\n"));
    cr_expect_neq(plain,
                  digest_of("services: [{name: s, timeouts: {connect: 2s}, " VARIANTS "}]\n"));
    cr_expect_neq(plain, digest_of("services: [{name: s, sticky: none, " VARIANTS "}]\n"));
    cr_expect_neq(digest_of("services: [{name: s, sticky: \"header:A\", " VARIANTS "}]\n"),
                  digest_of("services: [{name: s, sticky: \"header:B\", " VARIANTS "}]\n"));
    cr_expect_eq(conf_digest(NULL), 0);
}

Test(load, hints_are_near_names_only)
{
    static const struct {
        const char *wanted, *candidate;
        bool near;
    } CASES[] = {{"email", "emial", true},
                 {"email", "e-mail", true},
                 {"email", "mail", true},
                 {"email", "sms", false},
                 {"a", "b", false},
                 {"ab", "ba", true},
                 {"service", "servce", true},
                 {"routes", "listeners", false},
                 {"x", "", false}};
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct hint hint;
        hint_init(&hint, CASES[i].wanted);
        hint_offer(&hint, CASES[i].candidate);
        cr_expect_eq(hint.best != NULL, CASES[i].near, "%s %s", CASES[i].wanted,
                     CASES[i].candidate);
    }
}

Test(load, errors_beyond_a_thousand_are_only_counted)
{
    struct buf text = {0};
    struct conf *conf;
    struct conf_errors errs = {0};
    for (int i = 0; i < 1500; i++)
        buf_printf(&text, "k%d: 1\n", i);
    cr_assert_eq(conf_load_text("t.yaml", text.p, text.n, NULL, &conf, &errs), -1);
    cr_expect_eq(errs.count, CONF_ERRORS_MAX);
    cr_expect_eq(errs.dropped, 501);
    conf_errors_fini(&errs);
    buf_free(&text);
}

Test(load, a_configuration_lives_until_its_last_reference)
{
    struct conf *conf = conf_case_load("user: u\n"), *other = conf_ref(conf);
    conf_unref(&conf);
    cr_assert_null(conf);
    cr_expect_str_eq(node_str(conf_root(other), "user"), "u");
    conf_unref(&other);
}

/* The contract's example shows both stores; one of the two lines goes. */
static void copy_contract(const char *folder)
{
    struct buf text = {0};
    char line[1000];
    FILE *in = fopen(CORPUS "/contract.yaml", "r");
    cr_assert(in);
    while (fgets(line, sizeof line, in))
        if (!strstr(line, "  embedded: {"))
            buf_add_str(&text, str_of(line));
    fclose(in);
    conf_case_file(folder, "main.yaml", buf_text(&text));
    buf_free(&text);
}

Test(load, the_example_that_shows_every_key_is_accepted)
{
    static const char *const FILES[] = {"api.crt", "api.key", "clients.pem", "redis-ca.pem",
                                        "send.json"};
    const char *folder = conf_case_folder();
    struct conf_errors errs = {0};
    char path[200];
    for (size_t i = 0; i < sizeof FILES / sizeof *FILES; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, i < 4 ? "tls" : "schemas");
        mkdir(path, 0700);
        snprintf(path, sizeof path, "%s/%s", i < 4 ? "tls" : "schemas", FILES[i]);
        conf_case_file(folder, path, "");
    }
    setenv("CI_TOKEN", "t", 1);
    copy_contract(folder);
    struct conf *conf = load(folder, "main.yaml", &errs);
    cr_assert(conf, "%s: %s", errs.items[0].path, errs.items[0].message);
    cr_expect_str_eq(node_str(conf_root(conf), "routes.0.missing"), "auth");
    cr_expect_null(node_str(conf_root(conf), "routes.1.missing"));
    conf_unref(&conf);
}

static void redirect_output(void)
{
    cr_redirect_stdout();
    cr_redirect_stderr();
}

Test(load, the_check_says_ok_and_warns_of_what_is_to_come, .init = redirect_output)
{
    const char *folder = conf_case_folder();
    char path[200], out[300], err[400];
    snprintf(path, sizeof path, "%s/main.yaml", folder);
    conf_case_file(folder, "main.yaml",
                   LISTEN
                   "routes: [{name: r, auth: none, limits: none, respond: {}, cache: {}}]\n");
    cr_assert_eq(conf_check_main(path), 0);
    fflush(NULL);
    snprintf(out, sizeof out, "%s: ok\n", path);
    snprintf(
        err, sizeof err,
        "%s:2:66: routes[0].cache: warning: not built in yet; the gateway goes on without it\n",
        path);
    cr_expect_stdout_eq_str(out);
    cr_expect_stderr_eq_str(err);
}

Test(load, the_check_prints_every_error_and_fails, .init = redirect_output)
{
    const char *folder = conf_case_folder();
    char path[200], err[600];
    snprintf(path, sizeof path, "%s/main.yaml", folder);
    conf_case_file(folder, "main.yaml", LISTEN "routes: []\nworkers: 0\nuser: true\n");
    cr_assert_eq(conf_check_main(path), 1);
    fflush(NULL);
    snprintf(err, sizeof err,
             "%s:3:10: workers: `0` is out of range; it goes from 1 to 256\n"
             "%s:4:7: user: `true` is a bool; write a string, in quotes if it is meant so\n",
             path, path);
    cr_expect_stdout_eq_str("");
    cr_expect_stderr_eq_str(err);
}
