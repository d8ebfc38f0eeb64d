/* See rewrite.h. */
#include "core/rewrite.h"

#include "http/uri.h"

#include <stdio.h>

static bool has_char(struct str s, char c)
{
    return s.n && memchr(s.p, c, s.n);
}

/* Normal form without slashes at the end, so that "/" is nothing. */
static int prefix_init(struct str written, struct arena *arena, struct str *out, char *text,
                       size_t cap)
{
    *out = STR_NULL;
    if (written.n == 0)
        return 0;
    struct str path;
    if (written.p[0] != '/' || has_char(written, '?') || has_char(written, '#') ||
        uri_normalise(written, URI_KEEP_ESCAPED_SLASH, arena, &path) != URI_OK) {
        snprintf(text, cap, "'%.*s' is not a path, which would begin with '/'", STR_ARG(written));
        return -1;
    }
    while (path.n && path.p[path.n - 1] == '/')
        path.n--;
    *out = arena_str(arena, path);
    return 0;
}

static int regex_init(struct rewrite *w, const struct rewrite_rule *rule, const char **key,
                      char *text, size_t cap)
{
    *key = "regex";
    w->regex = route_regex_new(rule->regex, 0, text, cap);
    if (!w->regex)
        return -1;
    *key = "replacement";
    bool path = !has_char(rule->replacement, '?') && !has_char(rule->replacement, '#');
    if (!path)
        snprintf(text, cap, "only the path is replaced: it holds no '?' and no '#'");
    if (!path || !route_regex_check_replacement(w->regex, rule->replacement, text, cap)) {
        route_regex_free(&w->regex);
        return -1;
    }
    return 0;
}

int rewrite_init(struct rewrite *w, const struct rewrite_rule *rule, struct arena *arena,
                 const char **key, char *text, size_t cap)
{
    *w = (struct rewrite){0};
    *key = "strip_prefix";
    if (prefix_init(rule->strip_prefix, arena, &w->strip, text, cap))
        return -1;
    *key = "add_prefix";
    if (prefix_init(rule->add_prefix, arena, &w->add, text, cap))
        return -1;
    if (rule->host.n) {
        bool endpoint = str_eq(rule->host, STR("endpoint"));
        w->host_kind = endpoint ? REWRITE_HOST_ENDPOINT : REWRITE_HOST_NAME;
        w->host = arena_str(arena, rule->host);
    }
    if (rule->regex.n == 0)
        return 0;
    if (rule->strip_prefix.n || rule->add_prefix.n) {
        *key = "regex";
        snprintf(text, cap, "goes without strip_prefix and add_prefix");
        return -1;
    }
    w->replacement = arena_str(arena, rule->replacement);
    return regex_init(w, rule, key, text, cap);
}

void rewrite_fini(struct rewrite *w)
{
    route_regex_free(&w->regex);
}

/* What is made of pieces of a normal path need not be one: "/x-../y" less "/x-" climbs. */
static enum rewrite_result replace(const struct rewrite *w, struct route_scratch *s,
                                   struct str path, struct arena *arena, struct str *out)
{
    struct str made;
    int rc = route_regex_replace(w->regex, s, path, w->replacement, arena, &made);
    if (rc <= 0) {
        *out = path;
        return rc < 0 ? REWRITE_FAILED : REWRITE_OK;
    }
    if (made.n == 0 || made.p[0] != '/')
        made = str_of(arena_printf(arena, "/%.*s", STR_ARG(made)));
    return uri_normalise(made, URI_KEEP_ESCAPED_SLASH, arena, out) == URI_OK ? REWRITE_OK
                                                                             : REWRITE_BAD;
}

static struct str strip(struct str path, struct str prefix)
{
    if (!str_starts(path, prefix))
        return path;
    struct str rest = str_make(path.p + prefix.n, path.n - prefix.n);
    if (rest.n == 0)
        return STR("/");
    return rest.p[0] == '/' ? rest : path;
}

enum rewrite_result rewrite_path(const struct rewrite *w, struct route_scratch *s, struct str path,
                                 struct arena *arena, struct str *out)
{
    *out = path;
    if (path.n == 0 || path.p[0] != '/')
        return REWRITE_OK;
    if (w->regex)
        return replace(w, s, path, arena, out);
    if (w->strip.n)
        path = strip(path, w->strip);
    if (w->add.n) {
        char *text = arena_alloc(arena, w->add.n + path.n);
        memcpy(text, w->add.p, w->add.n);
        memcpy(text + w->add.n, path.p, path.n);
        path = str_make(text, w->add.n + path.n);
    }
    *out = path;
    return REWRITE_OK;
}
