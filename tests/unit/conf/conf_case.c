/* See conf_case.h. */
#include "conf_case.h"

#include "base/str.h"

#include <criterion/criterion.h>
#include <ftw.h>
#include <stdlib.h>
#include <unistd.h>

static const struct {
    const char *key, *text;
} PARTS[] = {
    {"listeners:", "listeners: [{name: l, address: \"127.0.0.1:8080\"}]\n"},
    {"services:", "services: [{name: s, variants: [{name: v, endpoints: [\"127.0.0.1:1\"]}]}]\n"},
    {"routes:", "routes: [{name: r, service: s, auth: none, limits: none}]\n"},
};

static bool has_key(const char *text, const char *key)
{
    for (const char *at = text; (at = strstr(at, key)) != NULL; at++) {
        if (at == text || at[-1] == '\n')
            return true;
    }
    return false;
}

static void complete(const char *text, struct buf *out)
{
    buf_add_str(out, str_of(text));
    if (out->n && out->p[out->n - 1] != '\n')
        buf_add_char(out, '\n');
    for (size_t i = 0; i < sizeof PARTS / sizeof *PARTS; i++) {
        if (!has_key(text, PARTS[i].key))
            buf_add_str(out, str_of(PARTS[i].text));
    }
}

static char *print(const struct conf_errors *errs)
{
    char *text;
    size_t n;
    FILE *out = open_memstream(&text, &n);
    conf_errors_print(errs, "", out);
    fclose(out);
    return text;
}

char *conf_case_errors(const char *name, const char *text)
{
    struct conf *conf;
    struct conf_errors errs = {0};
    int rc = conf_load_text(name, text, strlen(text), NULL, &conf, &errs);
    cr_assert_eq(rc == 0, errs.count == 0);
    cr_assert_eq(rc == 0, conf != NULL);
    char *printed = print(&errs);
    conf_unref(&conf);
    conf_errors_fini(&errs);
    return printed;
}

struct conf *conf_case_load(const char *text)
{
    struct conf *conf;
    struct conf_errors errs = {0};
    struct buf whole = {0};
    complete(text, &whole);
    if (conf_load_text("t.yaml", whole.p, whole.n, NULL, &conf, &errs) != 0)
        cr_assert_fail("%s\n%s", text, print(&errs));
    buf_free(&whole);
    return conf;
}

static bool same_errors(const char *got, const char *want)
{
    struct str have = str_of(got), lines = str_of(want), line, error;
    while (str_split(&lines, '\n', &line)) {
        if (line.n == 0)
            continue;
        if (!str_split(&have, '\n', &error) || !str_starts(error, STR("t.yaml:")))
            return false;
        if (!str_starts(str_make(error.p + 7, error.n - 7), line))
            return false;
    }
    return have.n == 0;
}

void conf_case_check(const struct conf_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct buf whole = {0};
        complete(cases[i].text, &whole);
        char *got = conf_case_errors("t.yaml", buf_text(&whole));
        cr_expect(same_errors(got, cases[i].want), "case %zu:\n%s\nwanted: %s\ngot: %s", i,
                  cases[i].text, cases[i].want, got);
        free(got);
        buf_free(&whole);
    }
}

static char folder[64];

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static void remove_folder(void)
{
    nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

const char *conf_case_folder(void)
{
    snprintf(folder, sizeof folder, "/tmp/tollgate-conf-XXXXXX");
    cr_assert(mkdtemp(folder));
    atexit(remove_folder);
    return folder;
}

void conf_case_file(const char *in, const char *name, const char *text)
{
    char path[200];
    snprintf(path, sizeof path, "%s/%s", in, name);
    FILE *out = fopen(path, "w");
    cr_assert(out, "%s", path);
    fputs(text, out);
    fclose(out);
}
