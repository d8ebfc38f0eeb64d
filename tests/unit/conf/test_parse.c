/* YAML and JSON text, what is refused of it and where. */
#include "conf_case.h"

#include "base/str.h"

#include <criterion/criterion.h>
#include <stdlib.h>

Test(parse, text_that_is_not_yaml_is_one_error_with_its_place)
{
    CHECK_CASES(
        {"workers: [1\nuser: x\n", "2:5: workers[1]: not valid YAML: did not find expected"},
        {"workers: 1\n\tuser: x\n", "2:1: workers: not valid YAML: found a tab"},
        {"user: \"a\n", "2:33: (file): not valid YAML: did not find expected key"},
        {"user: a\xff\n", "1:8: (file): not valid YAML: invalid"},
        {"user: a\x01\n", "1:8: (file): not valid YAML: control characters are not allowed"});
}

Test(parse, keys_given_twice_are_errors_at_the_second)
{
    CHECK_CASES({"workers: 1\nworkers: 2\n", "2:1: workers: this key is given twice"},
                {"admin:\n  address: 127.0.0.1:1\n  \"address\": 127.0.0.1:2\n",
                 "3:3: admin.address: this key is given twice"});
}

Test(parse, keys_given_twice_are_found_in_large_maps, .timeout = 10)
{
    struct buf text = {0};
    buf_printf(&text, "listeners: [{name: l, address: \"127.0.0.1:8080\"}]\nroutes: []\n");
    buf_printf(&text, "telemetry:\n  access_log:\n    fields:\n");
    for (int i = 0; i < 1000; i++)
        buf_printf(&text, "      f%d: x\n", i);
    buf_printf(&text, "      f990: y\n");
    char *got = conf_case_errors("t.yaml", buf_text(&text));
    cr_assert_str_eq(
        got, "t.yaml:1006:7: telemetry.access_log.fields.f990: this key is given twice; remove "
             "one of them\n");
    free(got);
    buf_free(&text);
}

Test(parse, merge_keys_tags_and_further_documents_are_errors)
{
    CHECK_CASES({"admin:\n  <<: {address: \"127.0.0.1:1\"}\n",
                 "2:3: admin.<<: merge keys are not supported\n2:3: admin.<<: unknown key"},
                {"workers: !!int 3\n", "1:10: workers: tags other than !!str"},
                {"user: !!str 3\n", ""});
    char *got = conf_case_errors("t.yaml", "workers: 1\n---\nworkers: 2\n");
    cr_assert(strstr(got, "t.yaml:2:1: (file): only one document is read") == got, "%s", got);
    free(got);
}

Test(parse, aliases_stand_for_their_anchors)
{
    struct conf *conf = conf_case_load("services:\n"
                                       "- name: s\n"
                                       "  timeouts: &t {connect: 3s}\n"
                                       "  variants: &v [{name: v, endpoints: [\"127.0.0.1:1\"]}]\n"
                                       "- {name: s2, timeouts: *t, variants: *v}\n");
    cr_assert_eq(node_ms(conf_root(conf), "services.1.timeouts.connect"), 3000);
    cr_assert_str_eq(node_str(conf_root(conf), "services.1.variants.0.name"), "v");
    conf_unref(&conf);
    CHECK_CASES(
        {"user: *nobody\n", "1:7: user: there is no anchor of this name"},
        {"admin: &a {tls: *a}\n", "1:17: admin.tls: this alias stands inside what it names"});
}

Test(parse, a_bomb_of_aliases_is_refused_before_it_is_built, .timeout = 10)
{
    char *got = conf_case_errors("t.yaml", "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
                                           "b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
                                           "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"
                                           "d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
                                           "e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\n"
                                           "f: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e,*e]\n"
                                           "g: &g [*f,*f,*f,*f,*f,*f,*f,*f,*f,*f]\n"
                                           "h: &h [*g,*g,*g,*g,*g,*g,*g,*g,*g,*g]\n");
    cr_assert(strstr(got, "t.yaml:5:") == got && strstr(got, "aliases expand to too much"), "%s",
              got);
    free(got);
}

Test(parse, depth_is_bounded)
{
    struct buf text = {0};
    for (int i = 0; i < 70; i++)
        buf_add_char(&text, '[');
    char *got = conf_case_errors("t.yaml", buf_text(&text));
    cr_assert(strstr(got, "t.yaml:1:65: ") == got && strstr(got, "nested too deeply"), "%s", got);
    free(got);
    buf_free(&text);
}

Test(parse, a_key_without_value_is_as_if_absent)
{
    struct conf *conf =
        conf_case_load("user:\nworkers: ~\nregion: null\nauth:\nadmin: {tokens: }\n");
    cr_assert_str_eq(node_str(conf_root(conf), "user"), "tollgate");
    cr_assert_eq(node_int(conf_root(conf), "workers"), 0);
    cr_assert_null(node_get(conf_root(conf), "region"));
    cr_assert_null(node_get(conf_root(conf), "auth"));
    conf_unref(&conf);
}

Test(parse, only_true_and_false_are_bools)
{
    CHECK_CASES(
        {"reload: {on_file_change: yes}\n", "1:26: reload.on_file_change: `yes` is not a bool"},
        {"reload: {on_file_change: True}\n", "1:26: reload.on_file_change: `True` is not a bool"},
        {"reload: {on_file_change: \"true\"}\n",
         "1:26: reload.on_file_change: `true` is not a bool; write true or false, without quotes"},
        {"reload: {on_file_change: false}\n", ""}, {"user: true\n", "1:7: user: `true` is a bool"},
        {"user: no\n", ""});
}

Test(parse, a_plain_number_stands_for_text)
{
    struct conf *conf = conf_case_load("user: 1000\nregion: 1.50\n");
    cr_assert_str_eq(node_str(conf_root(conf), "user"), "1000");
    cr_assert_str_eq(node_str(conf_root(conf), "region"), "1.50");
    conf_unref(&conf);
}

Test(parse, roots_that_are_no_map_and_empty_files_are_refused)
{
    char *got = conf_case_errors("t.yaml", "- a\n");
    cr_assert(strstr(got, "t.yaml:1:1: (file): is not a map of keys") == got, "%s", got);
    free(got);
    got = conf_case_errors("t.yaml", "# nothing\n");
    cr_assert_str_eq(got,
                     "t.yaml:1:1: listeners: is required and missing: Where clients connect.\n");
    free(got);
}

static const char JSON[] =
    "{\n\t\"listeners\": [{\"name\":\"l\",\"address\":\"127.0.0.1:8080\"}],\n"
    "\t\"routes\": [\n\t\t{\"name\":\"r\",\"auth\":\"none\",\"respond\":{\"body\":"
    "\"\\ud83d\\ude00 \\/ \\u00e9\"}}\n\t],\"workers\":%s\n}\n";

static void with_workers(struct buf *text, const char *workers)
{
    const char *at = strstr(JSON, "%s");
    buf_add(text, JSON, (size_t)(at - JSON));
    buf_add_str(text, str_of(workers));
    buf_add_str(text, str_of(at + 2));
}

Test(parse, json_is_read_strictly_with_the_same_positions)
{
    static const struct {
        const char *workers, *want;
    } CASES[] = {{"2", ""},
                 {"2000", "t.json:5:14: workers: `2000` is out of range; it goes from 1 to 256\n"},
                 {"\"2\"",
                  "t.json:5:14: workers: `2` is not a whole number; write one from 1 to 256, or "
                  "auto, without quotes\n"},
                 {"2,", "t.json:6:1: (file): not valid JSON: string or '}' expected near '}'\n"},
                 {"'2'", "t.json:5:14: (file): not valid JSON: invalid token near '''\n"}};
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct buf text = {0};
        with_workers(&text, CASES[i].workers);
        char *got = conf_case_errors("t.json", buf_text(&text));
        cr_expect_str_eq(got, CASES[i].want);
        free(got);
        buf_free(&text);
    }
}

Test(parse, json_escapes_become_their_characters)
{
    struct conf *conf;
    struct conf_errors errs = {0};
    struct buf text = {0};
    with_workers(&text, "1");
    cr_assert_eq(conf_load_text("t.json", text.p, text.n, NULL, &conf, &errs), 0);
    cr_assert_str_eq(node_str(conf_root(conf), "routes.0.respond.body"),
                     "\xf0\x9f\x98\x80 / \xc3\xa9");
    conf_unref(&conf);
    buf_free(&text);
}
