/* Texts with ${word}, see template.h: a list of pieces, each either literal or a word. Only the
 * core knows a request's inside, so it is filled here. */
#include "core/template.h"

#include "core/req.h"

enum piece_kind {
    PIECE_TEXT,
    PIECE_TENANT,
    PIECE_SUBJECT,
    PIECE_REQUEST_ID,
    PIECE_CLIENT_IP,
    PIECE_ROUTE,
    PIECE_HEADER,
    PIECE_PATH,
};

struct piece {
    struct piece *next;
    struct str text; /* literal text, or NAME of header: and path: */
    enum piece_kind kind;
};

struct template
{
    struct piece *pieces;
    bool constant; /* at most one piece, a literal */
};

static const struct {
    const char *word;
    enum piece_kind kind;
} words[] = {
    {"tenant", PIECE_TENANT},       {"subject", PIECE_SUBJECT}, {"request_id", PIECE_REQUEST_ID},
    {"client_ip", PIECE_CLIENT_IP}, {"route", PIECE_ROUTE},
};

static bool parse_word(struct str word, struct piece *out)
{
    const struct str header = STR("header:"), path = STR("path:");

    for (size_t i = 0; i < array_size(words); i++) {
        if (!str_eq(word, str_of(words[i].word)))
            continue;
        out->kind = words[i].kind;
        return true;
    }
    if (str_starts(word, header)) {
        out->kind = PIECE_HEADER;
        out->text = str_make(word.p + header.n, word.n - header.n);
        return http_is_token(out->text);
    }
    out->kind = PIECE_PATH;
    out->text = str_make(word.p + path.n, word.n - path.n);
    return str_starts(word, path) && word.n > path.n;
}

/* Adds a copy of `p` behind `*tail`; returns the new tail. */
static struct piece **append(struct arena *arena, struct piece **tail, struct piece p)
{
    *tail = arena_alloc(arena, sizeof **tail);
    p.next = NULL;
    p.text = arena_str(arena, p.text);
    **tail = p;
    return &(*tail)->next;
}

/* Length of literal text at `s`: up to the next `${`, or with `$${` up to and with its `$`. */
static size_t literal_length(const char *s)
{
    const char *dollar = s;

    while ((dollar = strchr(dollar, '$'))) {
        if (dollar[1] == '{')
            return (size_t)(dollar - s);
        if (dollar[1] == '$' && dollar[2] == '{')
            return (size_t)(dollar + 1 - s);
        dollar++;
    }
    return strlen(s);
}

struct template *template_compile(struct arena *arena, const char *text, struct buf *error)
{
    struct template *t = arena_zalloc(arena, sizeof *t);
    struct piece **tail = &t->pieces;

    while (*text) {
        size_t n = literal_length(text);
        struct piece p = {.text = str_make(text, n)};
        bool escaped = n > 0 && text[n - 1] == '$' && text[n] == '$';
        if (n > 0)
            tail = append(arena, tail, p);
        text += n;
        if (escaped) {
            text++; /* the second `$`: what follows is literal */
            tail = append(arena, tail, (struct piece){.text = STR("{")});
            text++;
            continue;
        }
        if (!*text)
            break;
        const char *end = strchr(text, '}');
        p = (struct piece){.kind = PIECE_TEXT};
        if (!end || !parse_word(str_make(text + 2, (size_t)(end - text - 2)), &p)) {
            buf_printf(error, "unknown word in \"%.100s\"", text);
            return NULL;
        }
        tail = append(arena, tail, p);
        text = end + 1;
    }
    t->constant = !t->pieces || (!t->pieces->next && t->pieces->kind == PIECE_TEXT);
    return t;
}

bool template_is_constant(const struct template *t)
{
    return t->constant;
}

static struct str piece_value(const struct piece *p, const struct req *r)
{
    const struct field *f;

    switch (p->kind) {
    case PIECE_TEXT: return p->text;
    case PIECE_TENANT: return r->tenant;
    case PIECE_SUBJECT: return r->subject;
    case PIECE_REQUEST_ID: return r->request_id;
    case PIECE_CLIENT_IP: return r->client_ip;
    case PIECE_ROUTE: return r->names.route;
    case PIECE_HEADER:
        f = headers_find(&r->x.headers, p->text);
        return f ? field_value(f) : STR_NULL;
    case PIECE_PATH: return r->match.regex ? route_match_group(&r->match, p->text) : STR_NULL;
    }
    return STR_NULL;
}

struct str template_fill(const struct template *t, struct req *r)
{
    size_t n = 0, at = 0;

    if (t->constant)
        return t->pieces ? t->pieces->text : STR("");
    for (const struct piece *p = t->pieces; p; p = p->next)
        n += piece_value(p, r).n;
    char *out = arena_alloc(&r->x.arena, n + 1);
    for (const struct piece *p = t->pieces; p; p = p->next) {
        struct str v = piece_value(p, r);
        if (v.n)
            memcpy(out + at, v.p, v.n);
        at += v.n;
    }
    out[n] = '\0';
    return str_make(out, n);
}
