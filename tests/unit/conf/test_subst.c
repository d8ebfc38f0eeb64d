/* ${env:}, ${file:} and per-request words. */
#include "conf_case.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define ROUTE(text) "routes: [{name: r, service: s, auth: none, limits: none, " text "}]\n"

Test(subst, variables_are_replaced_before_types_are_checked)
{
    setenv("TG_N", "7", 1);
    setenv("TG_EMPTY", "", 1);
    struct conf *conf = conf_case_load("workers: ${env:TG_N}\n"
                                       "user: \"u${env:TG_N}-${env:TG_EMPTY}x\"\n"
                                       "drain_delay: \"${env:TG_NOT_SET:-3s}\"\n"
                                       "region: ${env:TG_EMPTY}\n");
    const struct node *root = conf_root(conf);
    cr_expect_eq(node_int(root, "workers"), 7);
    cr_expect_str_eq(node_str(root, "user"), "u7-x");
    cr_expect_eq(node_ms(root, "drain_delay"), 3000);
    cr_expect_null(node_get(root, "region"));
    conf_unref(&conf);
}

Test(subst, a_quoted_reference_may_give_a_number_or_an_empty_text)
{
    setenv("TG_N", "7", 1);
    struct conf *conf =
        conf_case_load("workers: \"${env:TG_N}\"\nadmin: {token: \"${env:TG_NOT_SET:-}\"}\n");
    cr_expect_eq(node_int(conf_root(conf), "workers"), 7);
    cr_expect_str_eq(node_str(conf_root(conf), "admin.token"), "");
    conf_unref(&conf);
}

Test(subst, values_are_replaced_once_and_never_in_keys)
{
    setenv("TG_REF", "${env:TG_N}", 1);
    struct conf *conf = conf_case_load("user: \"${env:TG_REF}\"\n");
    cr_expect_str_eq(node_str(conf_root(conf), "user"), "${env:TG_N}");
    conf_unref(&conf);
    CHECK_CASES({"\"${env:TG_REF}\": 1\n", "1:1: ${env:TG_REF}: unknown key"});
}

Test(subst, what_cannot_be_replaced_is_told)
{
    unsetenv("TG_NOT_SET");
    CHECK_CASES({"user: ${env:TG_NOT_SET}\n",
                 "1:7: user: needs the environment variable TG_NOT_SET, which is not set"},
                {"user: ${env:1X}\n", "1:7: user: holds `${env:}` with a wrong name"},
                {"user: ${file:/no/such}\n",
                 "1:7: user: needs the file /no/such, which cannot be read: No such file"},
                {"user: \"${env:TG\"\n", "1:7: user: holds a `${` without its `}`"},
                {"user: ${tenant}\n",
                 "1:7: user: holds `${tenant}`; write `${env:NAME}`, `${file:PATH}`, or `$${` "
                 "for a literal `${` (words of the request belong only in"},
                {"user: ${foo}\n", "1:7: user: holds `${foo}`; write `${env:NAME}`"});
}

Test(subst, a_doubled_dollar_is_a_literal_one)
{
    struct conf *conf = conf_case_load("user: a$${b}$c$\n");
    cr_expect_str_eq(node_str(conf_root(conf), "user"), "a${b}$c$");
    conf_unref(&conf);
}

Test(subst, files_are_relative_to_their_holder_and_lose_one_line_end)
{
    const char *folder = conf_case_folder();
    char path[100];
    struct conf *conf;
    struct conf_errors errs = {0};
    conf_case_file(folder, "secret", "s3cret\n\n");
    conf_case_file(folder, "t.yaml",
                   "listeners: [{name: l, address: \"127.0.0.1:1\"}]\nroutes: []\n"
                   "user: ${file:secret}\n");
    snprintf(path, sizeof path, "%s/t.yaml", folder);
    cr_assert_eq(conf_load(path, &conf, &errs), 0);
    cr_expect_str_eq(node_str(conf_root(conf), "user"), "s3cret\n");
    cr_expect_eq(conf_file_count(conf), 2);
    cr_expect_eq(conf_file_at(conf, 1)->kind, CONF_FILE_VALUE);
    conf_unref(&conf);
}

Test(subst, secrets_never_show_in_errors)
{
    setenv("TG_SECRET", "hunter2", 1);
    CHECK_CASES({"workers: ${env:TG_SECRET}\n", "1:10: workers: the value is not a whole number"},
                {"admin: {token: \"a${b\"}\n", "1:16: admin.token: holds a `${` without its `}`"},
                {"admin: {token: \"hunter${2}\"}\n",
                 "1:16: admin.token: holds a `${` that begins no reference"},
                {"admin: {token: true}\n", "1:16: admin.token: the value is a bool"});
}

Test(subst, words_of_the_request_stay_where_they_are_filled)
{
    setenv("TG_WORD", "${tenant}$", 1);
    struct conf *conf =
        conf_case_load(ROUTE("request_headers: {set: {X-A: \"${tenant} ${header:X-B} $${x}\", X-E: "
                             "\"${env:TG_WORD}{x}\"}}"));
    const struct node *set = node_get(conf_root(conf), "routes.0.request_headers.set");
    cr_expect_str_eq(node_str(set, "X-A"), "${tenant} ${header:X-B} $${x}");
    cr_expect_str_eq(node_str(set, "X-E"), "$${tenant}$${x}");
    conf_unref(&conf);
    CHECK_CASES(
        {ROUTE("request_headers: {set: {X-A: \"${tennant}\"}}"),
         "1:87: routes[0].request_headers.set.X-A: holds `${tennant}`; did you mean `${tenant}`?"},
        {ROUTE("request_headers: {set: {X-A: \"${header:a b}\"}}"),
         "1:87: routes[0].request_headers.set.X-A: holds `${header:a b}`; one of tenant"},
        {ROUTE("response_headers: {add: {X-A: \"${env:TG_WORD}${tenant}\"}}"),
         "1:88: routes[0].response_headers.add.X-A: has a value that ends in `$`"});
}

Test(subst, path_words_need_their_group)
{
    CHECK_CASES(
        {ROUTE("match: {path_regex: \"/u/(?<id>.*)\"}, request_headers: {set: {X-Id: "
               "\"${path:id}\"}}"),
         ""},
        {ROUTE("request_headers: {set: {X-Id: \"${path:id}\"}}"),
         "1:88: routes[0].request_headers.set.X-Id: `${path:id}` is no group of `path_regex`"});
}

Test(subst, a_text_from_the_admin_api_names_only_files_the_disk_names)
{
    const char *folder = conf_case_folder();
    char path[100], text[400];
    struct conf *disk, *api;
    struct conf_errors errs = {0};
    conf_case_file(folder, "secret", "s");
    conf_case_file(folder, "other", "o");
    conf_case_file(folder, "t.yaml",
                   "listeners: [{name: l, address: \"127.0.0.1:1\"}]\nroutes: []\n"
                   "user: ${file:secret}\n");
    snprintf(path, sizeof path, "%s/t.yaml", folder);
    cr_assert_eq(conf_load(path, &disk, &errs), 0);
    snprintf(text, sizeof text,
             "include: [x.yaml]\nlisteners: [{name: \"${file:secret}\", address: \"127.0.0.1:1\"}]"
             "\nroutes: []\nuser: ${file:other}\n");
    cr_assert_eq(conf_load_text(path, text, strlen(text), disk, &api, &errs), -1);
    cr_assert_eq(errs.count, 2);
    cr_expect_str_eq(errs.items[0].path, "include");
    cr_expect(strstr(errs.items[1].message, "which the configuration on disk does not name"));
    conf_errors_fini(&errs);
    conf_unref(&disk);
}
