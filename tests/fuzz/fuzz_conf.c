/*
 * A configuration text, as YAML or JSON: never a crash, an error for everything refused, positions
 * inside the text, and a checked tree that hashes and reads the same twice.
 */
#include "base/check.h"
#include "conf/conf.h"
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

static uint32_t count_lines(const char *text, size_t n)
{
    uint32_t lines = 1;
    for (size_t i = 0; i < n; i++)
        lines += text[i] == '\n' || text[i] == '\r' || (text[i] & 0xc0) == 0xc0;
    return lines;
}

static uint64_t load(const char *name, const char *text, size_t n, const struct conf *allow)
{
    struct conf *conf;
    struct conf_errors errs = {0};
    uint64_t digest = 0;
    int rc = conf_load_text(name, text, n, allow, &conf, &errs);
    ensure((rc == 0) == (conf != NULL) && (rc == 0) == (errs.count == 0));
    for (size_t i = 0; i < errs.count; i++) {
        ensure(errs.items[i].line <= count_lines(text, n) + 1);
        ensure(*errs.items[i].message && !strchr(errs.items[i].message, '\n'));
    }
    if (conf) {
        digest = conf_digest(conf_root(conf));
        for (size_t i = 0; i < conf_inactive_count(conf); i++)
            ensure(conf_inactive_at(conf, i)->path);
    }
    conf_unref(&conf);
    conf_errors_fini(&errs);
    return digest;
}

/* An older configuration that named no files, as the admin API has one: kept for all inputs. */
static const struct conf *older(void)
{
    static const char NOTHING[] = "listeners: [{name: l, address: \"127.0.0.1:1\"}]\nroutes: []\n";
    static struct conf *conf;
    struct conf_errors errs = {0};
    if (!conf)
        ensure(conf_load_text("none.yaml", NOTHING, sizeof NOTHING - 1, NULL, &conf, &errs) == 0);
    return conf;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    uint64_t digest = load("t.yaml", text, size, older());
    if (digest)
        ensure(digest == load("t.yaml", text, size, older()));
    if (size && (*text == '{' || *text == '['))
        load("t.json", text, size, older());
    return 0;
}
