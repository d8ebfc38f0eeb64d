/* See subst.h. Values are replaced once: what is put in is not looked at again. */
#include "conf/subst.h"

#include "conf/hint.h"
#include "conf/names.h"

#include <stdlib.h>

struct subst {
    struct sources *sources;
    const char *holder;
    enum subst_mode mode;
    struct buf out;
    bool changed;
};

static const char *const REQUEST_WORDS[] = {"tenant", "subject", "request_id", "client_ip",
                                            "route"};

static bool is_env_name(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (!ascii_is_alpha(s.p[i]) && s.p[i] != '_' && (i == 0 || !ascii_is_digit(s.p[i])))
            return false;
    }
    return s.n > 0;
}

/* Adds text from outside; in a template its `${` must stay text. */
static void put_in(struct subst *s, struct str text)
{
    s->changed = true;
    for (size_t i = 0; i < text.n; i++) {
        if (s->mode == SUBST_TEMPLATE && text.p[i] == '$' && i + 1 < text.n && text.p[i + 1] == '{')
            buf_add_char(&s->out, '$');
        buf_add_char(&s->out, text.p[i]);
    }
}

static const char *expand_env(struct subst *s, struct str body)
{
    struct arena *arena = s->sources->arena;
    const char *mark = body.n ? memmem(body.p, body.n, ":-", 2) : NULL;
    struct str name = {body.p, mark ? (size_t)(mark - body.p) : body.n};
    if (!is_env_name(name))
        return "holds `${env:}` with a wrong name; write `${env:NAME}` or `${env:NAME:-default}`";
    const char *value = getenv(arena_dup(arena, name.p, name.n));
    if (value)
        put_in(s, str_of(value));
    else if (mark)
        put_in(s, str_make(mark + 2, body.n - name.n - 2));
    else
        return arena_printf(
            arena,
            "needs the environment variable %.*s, which is not set; set it, or write "
            "`${env:%.*s:-default}`",
            STR_ARG(name), STR_ARG(name));
    return NULL;
}

static bool is_allowed(const struct conf *allow, const char *path)
{
    for (size_t i = 0; i < conf_file_count(allow); i++) {
        const struct conf_file *f = conf_file_at(allow, i);
        if (f->kind == CONF_FILE_VALUE && strcmp(f->path, path) == 0)
            return true;
    }
    return false;
}

static const char *expand_file(struct subst *s, struct str body)
{
    struct arena *arena = s->sources->arena;
    if (body.n == 0)
        return "holds `${file:}` without a name; write `${file:/path/to/file}`";
    const char *path = sources_absolute(s->sources, s->holder, arena_dup(arena, body.p, body.n));
    if (s->sources->allow && !is_allowed(s->sources->allow, path))
        return arena_printf(arena, "names %s, which the configuration on disk does not name", path);
    struct str text;
    const char *fault = sources_read(s->sources, path, CONF_FILE_VALUE, &text);
    if (fault)
        return arena_printf(arena, "needs the file %s, which %s", path, fault);
    if (text.n && text.p[text.n - 1] == '\n')
        text.n -= text.n > 1 && text.p[text.n - 2] == '\r' ? 2 : 1;
    if (text.n && memchr(text.p, 0, text.n))
        return arena_printf(arena, "needs the file %s, which is not text", path);
    put_in(s, text);
    return NULL;
}

static bool ends_in_dollar(const struct subst *s)
{
    return s->mode == SUBST_TEMPLATE && s->out.n && s->out.p[s->out.n - 1] == '$';
}

/* Adds text as written; a `$` put in before it must not make a reference of its `{`. */
static void put_literal(struct subst *s, struct str text)
{
    if (text.n && text.p[0] == '{' && ends_in_dollar(s))
        buf_add_char(&s->out, '$');
    buf_add_str(&s->out, text);
}

/* Is it one of the words that are filled per request? */
static bool is_request_word(struct str body)
{
    for (size_t i = 0; i < sizeof REQUEST_WORDS / sizeof *REQUEST_WORDS; i++) {
        if (str_eq(body, str_of(REQUEST_WORDS[i])))
            return true;
    }
    if (str_starts(body, STR("header:")))
        return names_is_token(str_make(body.p + 7, body.n - 7));
    return str_starts(body, STR("path:")) && is_env_name(str_make(body.p + 5, body.n - 5));
}

static const char *unknown_word(struct subst *s, struct str body)
{
    struct arena *arena = s->sources->arena;
    if (s->mode == SUBST_SECRET)
        return "holds a `${` that begins no reference; write `${env:NAME}`, `${file:PATH}`, or "
               "`$${` for a "
               "literal `${`";
    if (s->mode == SUBST_PLAIN)
        return arena_printf(
            arena,
            "holds `${%.*s}`; write `${env:NAME}`, `${file:PATH}`, or `$${` for a literal "
            "`${`%s",
            STR_ARG(body),
            is_request_word(body) ? " (words of the request belong only in request_headers, "
                                    "response_headers and respond)"
                                  : "");
    struct hint hint;
    hint_init(&hint, arena_dup(arena, body.p, body.n));
    for (size_t i = 0; i < sizeof REQUEST_WORDS / sizeof *REQUEST_WORDS; i++)
        hint_offer(&hint, REQUEST_WORDS[i]);
    return arena_printf(
        arena,
        "holds `${%.*s}`; %s%s%sone of tenant, subject, request_id, client_ip, route, "
        "header:NAME, path:NAME, env:NAME, file:PATH",
        STR_ARG(body), hint.best ? "did you mean `${" : "", hint.best ? hint.best : "",
        hint.best ? "}`? " : "");
}

/* One reference, `body` being what stands between the braces. */
static const char *expand_one(struct subst *s, struct str body)
{
    if (str_starts(body, STR("env:")))
        return expand_env(s, str_make(body.p + 4, body.n - 4));
    if (str_starts(body, STR("file:")))
        return expand_file(s, str_make(body.p + 5, body.n - 5));
    if (s->mode != SUBST_TEMPLATE || !is_request_word(body))
        return unknown_word(s, body);
    if (ends_in_dollar(s))
        return "has a value that ends in `$` right before a `${`; put something between them";
    buf_printf(&s->out, "${%.*s}", STR_ARG(body));
    return NULL;
}

static const char *expand_all(struct subst *s, struct str in)
{
    while (in.n) {
        const char *dollar = memchr(in.p, '$', in.n);
        size_t plain = dollar ? (size_t)(dollar - in.p) : in.n;
        put_literal(s, str_make(in.p, plain));
        in = str_make(in.p + plain, in.n - plain);
        size_t used = in.n > 0;
        if (str_starts(in, STR("$${"))) {
            buf_add_str(&s->out, s->mode == SUBST_TEMPLATE ? STR("$${") : STR("${"));
            used = 3;
        } else if (str_starts(in, STR("${"))) {
            const char *end = memchr(in.p, '}', in.n);
            if (!end)
                return "holds a `${` without its `}`; write `$${` for a literal `${`";
            used = (size_t)(end - in.p) + 1;
            const char *fault = expand_one(s, str_make(in.p + 2, used - 3));
            if (fault)
                return fault;
        } else {
            put_literal(s, str_make(in.p, used));
        }
        in = str_make(in.p + used, in.n - used);
    }
    return NULL;
}

const char *subst_expand(struct sources *sources, const char *holder, enum subst_mode mode,
                         struct str in, struct str *out, bool *changed)
{
    struct subst s = {.sources = sources, .holder = holder, .mode = mode};
    const char *fault = expand_all(&s, in);
    *out = str_make(arena_dup(sources->arena, s.out.p, s.out.n), s.out.n);
    *changed = s.changed;
    buf_free(&s.out);
    return fault;
}

bool subst_next_path_name(struct str *rest, struct str *name)
{
    while (rest->n) {
        const char *at = memmem(rest->p, rest->n, "${path:", 7);
        if (!at)
            return false;
        bool escaped = at > rest->p && at[-1] == '$';
        size_t skip = (size_t)(at - rest->p) + 7;
        *rest = str_make(rest->p + skip, rest->n - skip);
        const char *end = memchr(rest->p, '}', rest->n);
        if (escaped || !end)
            continue;
        *name = str_make(rest->p, (size_t)(end - rest->p));
        return true;
    }
    return false;
}
