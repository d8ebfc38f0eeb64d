/* Rules of routes. */
#include "conf/cross.h"

#include "conf/regex.h"
#include "conf/subst.h"

/* A route being checked. */
struct at {
    struct cross *c;
    const struct node *route;
    const char *path;
};

#define at_path(at, ...) cross_path((at)->c, __VA_ARGS__)

static void check_target(struct at *at)
{
    bool service = cross_has(at->route, "service"), respond = cross_has(at->route, "respond");
    if (!service && !respond)
        cross_error(at->c, at->route, NULL, at->path,
                    "has neither `service` nor `respond`; write one of them");
    if (service && respond)
        cross_error(at->c, node_get(at->route, "respond"), at->route,
                    at_path(at, "%s.respond", at->path),
                    "there is also `service`; a route has exactly one of the two");
    cross_reference(at->c, node_get(at->route, "service"), &at->c->services, "service",
                    at_path(at, "%s.service", at->path));
}

static void check_matchers(struct at *at, const char *section)
{
    const struct node *matchers = node_get(at->route, at_path(at, "match.%s", section));
    for (size_t i = 0; i < node_count(matchers, ""); i++) {
        const struct node *m = node_at(matchers, i);
        const char *path = at_path(at, "%s.match.%s.%s", at->path, section, node_key(matchers, i));
        if (m->kind == NODE_MAP && m->count != 1)
            cross_error(at->c, m, matchers, path,
                        "write a value, {regex: PATTERN} or {present: true}");
        if (node_get(m, "present") && !node_bool(m, "present"))
            cross_error(at->c, m, matchers, path,
                        "`present` can only be true; remove it to match all requests");
    }
}

static void check_match(struct at *at)
{
    static const char *const KINDS[] = {"path", "path_prefix", "path_regex"};
    const struct node *match = node_get(at->route, "match"),
                      *listeners = node_get(match, "listeners");
    const char *first = NULL;
    for (size_t i = 0; i < 3; i++) {
        if (!cross_has(match, KINDS[i]))
            continue;
        if (first)
            cross_error(
                at->c, node_get(match, KINDS[i]), match,
                at_path(at, "%s.match.%s", at->path, KINDS[i]),
                "there is also `%s`; a route has exactly one of path, path_prefix and path_regex",
                first);
        first = KINDS[i];
    }
    for (size_t i = 0; i < node_count(listeners, ""); i++) {
        const struct node *name = node_at(listeners, i);
        if (name->kind == NODE_STRING)
            cross_reference(at->c, name, &at->c->listeners, "listener",
                            at_path(at, "%s.match.listeners[%zu]", at->path, i));
    }
    check_matchers(at, "headers");
    check_matchers(at, "query");
}

static void check_replacement(struct at *at, const struct node *rewrite)
{
    const struct node *regex = node_get(rewrite, "regex"), *text = node_get(rewrite, "replacement");
    uint32_t groups = 0;
    if (!regex || !text || regex_check(at->c->arena, str_of(regex->text), &groups, NULL))
        return;
    for (const char *p = text->text; (p = strchr(p, '$')) != NULL;) {
        uint32_t group = 0;
        const char *digit = ++p;
        while (ascii_is_digit(*digit) && group <= 1000)
            group = group * 10 + (uint32_t)(*digit++ - '0');
        if (digit > p && group > groups)
            cross_error(at->c, text, rewrite, at_path(at, "%s.rewrite.replacement", at->path),
                        "`$%u` is no group of `regex`, which has %u", group, groups);
        if (*p == '$')
            p++;
    }
}

static void check_rewrite(struct at *at)
{
    const struct node *rewrite = node_get(at->route, "rewrite");
    bool regex = cross_has(rewrite, "regex"), replacement = cross_has(rewrite, "replacement");
    bool strip = cross_has(rewrite, "strip_prefix") || cross_has(rewrite, "add_prefix");
    if (regex != replacement)
        cross_error(at->c, node_get(rewrite, regex ? "regex" : "replacement"), rewrite,
                    at_path(at, "%s.rewrite.%s", at->path, regex ? "replacement" : "regex"),
                    "is missing; `regex` and `replacement` go together");
    if ((regex || replacement) && strip)
        cross_error(
            at->c, node_get(rewrite, regex ? "regex" : "replacement"), rewrite,
            at_path(at, "%s.rewrite.%s", at->path, regex ? "regex" : "replacement"),
            "there is also strip_prefix or add_prefix; write those, or regex and replacement");
    check_replacement(at, rewrite);
}

/* Is there any method a client could use? */
static bool any_method(const struct cross *c)
{
    const struct node *auth = node_get(c->root, "auth");
    return cross_has(auth, "jwt") || cross_has(auth, "api_keys") || cross_has(auth, "mtls");
}

static void check_auth(struct at *at)
{
    static const struct {
        const char *word, *section;
    } METHODS[] = {{"jwt", "jwt"}, {"api_key", "api_keys"}, {"mtls", "mtls"}};
    const struct node *auth = node_get(at->route, "auth"), *any_of = node_get(auth, "any_of");
    const char *path = at_path(at, "%s.auth", at->path);
    bool wrong = node_member(at->route, "auth") && !auth;
    if (wrong || node_is(auth, "", "none"))
        return;
    if (!any_method(at->c)) {
        cross_error(at->c, auth, at->route, path,
                    auth ? "no authentication is configured; configure jwt, api_keys or mtls under "
                           "`auth` at the "
                           "top level, or write `auth: none`"
                         : "is missing and no authentication is configured; write `auth: none` for "
                           "a public route, "
                           "or configure jwt, api_keys or mtls under `auth` at the top level");
        return;
    }
    for (size_t i = 0; i < node_count(any_of, ""); i++) {
        for (size_t m = 0; m < 3; m++) {
            if (node_is(any_of, at_path(at, "%zu", i), METHODS[m].word) &&
                !cross_has(node_get(at->c->root, "auth"), METHODS[m].section))
                cross_error(
                    at->c, node_at(any_of, i), auth, at_path(at, "%s.any_of[%zu]", path, i),
                    "`%s` is not configured; configure auth.%s at the top level, or remove it",
                    METHODS[m].word, METHODS[m].section);
        }
    }
}

/* Has one of the route's patterns a group of this name? */
static bool has_group(struct at *at, struct str name)
{
    const struct node *patterns = node_get(at->route, "match.path_regex");
    struct regex_name wanted = {.name = arena_dup(at->c->arena, name.p, name.n)};
    for (size_t i = 0; i < node_count(patterns, "") && !wanted.found; i++) {
        const char *pattern = node_str(node_at(patterns, i), "");
        if (!pattern || regex_check(at->c->arena, str_of(pattern), NULL, &wanted))
            return true; /* wrong, and said so */
    }
    return wanted.found || (!patterns && cross_has(node_get(at->route, "match"), "path_regex"));
}

static void check_template(struct at *at, const struct node *text, const char *path)
{
    struct str rest = str_of(node_str(text, "")), name;
    while (rest.p && subst_next_path_name(&rest, &name)) {
        if (!has_group(at, name))
            cross_error(at->c, text, at->route, path,
                        "`${path:%.*s}` is no group of `path_regex`; name one: (?<%.*s>...)",
                        STR_ARG(name), STR_ARG(name));
    }
}

/* Fields that frame a message or belong to one connection are the gateway's own. */
static bool is_own_field(const char *name)
{
    static const char *const OWN[] = {"Connection", "Content-Length",   "Transfer-Encoding",
                                      "Keep-Alive", "Proxy-Connection", "TE",
                                      "Trailer",    "Upgrade"};
    for (size_t i = 0; i < sizeof OWN / sizeof *OWN; i++) {
        if (strcasecmp(OWN[i], name) == 0)
            return true;
    }
    return false;
}

static void check_field_name(struct at *at, const struct node *where, const char *name,
                             const char *path)
{
    if (is_own_field(name))
        cross_error(at->c, where, at->route, path,
                    "`%s` belongs to the connection and cannot be changed", name);
    else if (strcasecmp(name, "Host") == 0)
        cross_error(at->c, where, at->route, path,
                    "Host cannot be changed here; use `rewrite.host`");
}

static void check_templates(struct at *at, const char *section)
{
    const struct node *fields = node_get(at->route, section);
    for (size_t i = 0; i < node_count(fields, ""); i++) {
        const char *path = at_path(at, "%s.%s.%s", at->path, section, node_key(fields, i));
        check_field_name(at, node_at(fields, i), node_key(fields, i), path);
        check_template(at, node_at(fields, i), path);
    }
}

static void check_removed(struct at *at, const char *section)
{
    const struct node *names = node_get(at->route, section);
    for (size_t i = 0; i < node_count(names, ""); i++) {
        const char *name = node_str(node_at(names, i), "");
        if (name)
            check_field_name(at, node_at(names, i), name,
                             at_path(at, "%s.%s[%zu]", at->path, section, i));
    }
}

static void check_headers(struct at *at)
{
    check_templates(at, "request_headers.set");
    check_templates(at, "request_headers.add");
    check_removed(at, "request_headers.remove");
    check_templates(at, "response_headers.set");
    check_templates(at, "response_headers.add");
    check_removed(at, "response_headers.remove");
    check_templates(at, "respond.headers");
    check_template(at, node_get(at->route, "respond.body"),
                   at_path(at, "%s.respond.body", at->path));
}

static void check_cors(struct at *at)
{
    const struct node *cors = node_get(at->route, "cors"), *origins = node_get(cors, "origins");
    for (size_t i = 0; i < node_count(origins, "") && node_bool(cors, "credentials"); i++) {
        if (node_is(node_at(origins, i), "", "*"))
            cross_error(at->c, node_at(origins, i), cors,
                        at_path(at, "%s.cors.origins[%zu]", at->path, i),
                        "any origin with credentials would open the service to every web page; "
                        "name the origins, or "
                        "write `credentials: false`");
    }
}

static void check_acl(struct at *at)
{
    const struct node *plans = node_get(at->route, "acl.plans");
    for (size_t i = 0; i < node_count(plans, ""); i++) {
        if (node_at(plans, i)->kind == NODE_STRING)
            cross_reference(at->c, node_at(plans, i), &at->c->plans, "plan",
                            at_path(at, "%s.acl.plans[%zu]", at->path, i));
    }
}

void cross_routes(struct cross *c)
{
    const struct node *routes = node_get(c->root, "routes");
    for (size_t i = 0; i < node_count(routes, ""); i++) {
        struct at at = {c, node_at(routes, i), cross_path(c, "routes[%zu]", i)};
        if (at.route->kind != NODE_MAP)
            continue;
        check_target(&at);
        check_match(&at);
        check_rewrite(&at);
        check_auth(&at);
        cross_limits(c, node_get(at.route, "limits"), cross_path(c, "%s.limits", at.path));
        check_headers(&at);
        check_cors(&at);
        check_acl(&at);
    }
}
