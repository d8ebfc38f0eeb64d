/* See uri.h. */
#include "http/uri.h"

#include <arpa/inet.h>

enum {
    UNRESERVED = 1, /* RFC 3986 §2.3 */
    PCHAR = 2,      /* RFC 3986 §3.3, the escape aside */
    ESCAPED = 4,    /* not allowed, but sent raw by browsers and people */
    BOTH = UNRESERVED | PCHAR,
};

static const uint8_t classes[256] = {
    ['!'] = PCHAR,        ['"'] = ESCAPED,         ['$'] = PCHAR,         ['&' ... ','] = PCHAR,
    ['-' ... '.'] = BOTH, ['0' ... '9'] = BOTH,    [':' ... ';'] = PCHAR, ['<'] = ESCAPED,
    ['='] = PCHAR,        ['>'] = ESCAPED,         ['@'] = PCHAR,         ['A' ... 'Z'] = BOTH,
    ['['] = ESCAPED,      [']' ... '^'] = ESCAPED, ['_'] = BOTH,          ['`'] = ESCAPED,
    ['a' ... 'z'] = BOTH, ['{' ... '}'] = ESCAPED, ['~'] = BOTH,
};

static bool is_unreserved(char c)
{
    return classes[(unsigned char)c] & UNRESERVED;
}

static bool is_pchar(char c)
{
    return classes[(unsigned char)c] & PCHAR;
}

static bool port_is_valid(struct str port)
{
    uint64_t number;
    return port.n == 0 || (port.n <= 5 && str_to_u64(port, &number) && number <= UINT16_MAX);
}

static bool is_ipv6(struct str s)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr address;
    if (s.n >= sizeof text || memchr(s.p, 0, s.n))
        return false;
    memcpy(text, s.p, s.n);
    text[s.n] = 0;
    return inet_pton(AF_INET6, text, &address) == 1;
}

static bool is_name(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!is_unreserved(s.p[i]))
            return false;
    return s.n > 0 && !str_eq(s, STR("."));
}

/* Length of what stands before the port's colon. */
static size_t host_length(struct str authority)
{
    const char *end = NULL;
    if (authority.n && authority.p[0] == '[') {
        end = memchr(authority.p, ']', authority.n);
        return end ? (size_t)(end - authority.p) + 1 : authority.n;
    }
    if (authority.n)
        end = memchr(authority.p, ':', authority.n);
    return end ? (size_t)(end - authority.p) : authority.n;
}

bool uri_is_authority(struct str s)
{
    size_t n = host_length(s);
    if (n < s.n && (s.p[n] != ':' || !port_is_valid(str_make(s.p + n + 1, s.n - n - 1))))
        return false;
    if (n && s.p[0] == '[')
        return n > 2 && s.p[n - 1] == ']' && is_ipv6(str_make(s.p + 1, n - 2));
    return is_name(str_make(s.p, n));
}

struct str uri_host(struct str authority)
{
    size_t n = host_length(authority);
    if (n && authority.p[n - 1] == '.')
        n--;
    return str_make(authority.p, n);
}

struct str uri_port(struct str authority)
{
    size_t n = host_length(authority);
    return n + 1 < authority.n ? str_make(authority.p + n + 1, authority.n - n - 1) : STR_NULL;
}

/* Cuts "http://" or "https://" off; false if there is neither. */
static bool cut_scheme(struct str *s)
{
    static const struct str schemes[] = {{"http://", 7}, {"https://", 8}};
    for (size_t i = 0; i < 2; i++) {
        struct str scheme = schemes[i];
        if (s->n >= scheme.n && str_eq_ci(str_make(s->p, scheme.n), scheme)) {
            *s = str_make(s->p + scheme.n, s->n - scheme.n);
            return true;
        }
    }
    return false;
}

static void split_query(struct str s, struct uri *out)
{
    const char *mark = s.n ? memchr(s.p, '?', s.n) : NULL;
    out->path = s;
    if (!mark)
        return;
    out->path.n = (size_t)(mark - s.p);
    out->query = str_make(mark + 1, s.n - out->path.n - 1);
}

static enum uri_result split_absolute(struct str s, enum http_method method, struct uri *out)
{
    size_t n = 0;
    if (!cut_scheme(&s))
        return URI_BAD;
    while (n < s.n && s.p[n] != '/' && s.p[n] != '?')
        n++;
    out->authority = str_make(s.p, n);
    if (!uri_is_authority(out->authority))
        return URI_BAD;
    split_query(str_make(s.p + n, s.n - n), out);
    if (out->path.n == 0)
        out->path = method == METHOD_OPTIONS && !out->query.p ? STR("*") : STR("/");
    return URI_OK;
}

enum uri_result uri_split(struct str target, enum http_method method, struct uri *out)
{
    *out = (struct uri){0};
    if (target.n == 0 || memchr(target.p, '#', target.n))
        return URI_BAD;
    if (method == METHOD_CONNECT) {
        out->authority = target;
        return uri_is_authority(target) && uri_port(target).n ? URI_OK : URI_BAD;
    }
    if (target.p[0] == '/') {
        split_query(target, out);
        return URI_OK;
    }
    if (str_eq(target, STR("*")) && method == METHOD_OPTIONS) {
        out->path = target;
        return URI_OK;
    }
    return split_absolute(target, method, out);
}

/* What one character of a path is in the normal form. */
enum path_char {
    PATH_PLAIN,   /* stands for itself */
    PATH_ESCAPED, /* "%XX", of a byte that has to be */
    PATH_SLASH,
    PATH_BAD,
};

/* Reads one character at `s[*i]`, moves `*i` behind it; `*byte` is what it stands for. */
static enum path_char path_char(struct str s, size_t *i, unsigned flags, char *byte)
{
    char c = s.p[(*i)++];
    *byte = c;
    if (c == '/')
        return PATH_SLASH;
    if (is_pchar(c))
        return PATH_PLAIN;
    if (c != '%')
        return classes[(unsigned char)c] & ESCAPED ? PATH_ESCAPED : PATH_BAD;
    int high = *i < s.n ? ascii_hex(s.p[*i]) : -1;
    int low = *i + 1 < s.n ? ascii_hex(s.p[*i + 1]) : -1;
    if (high < 0 || low < 0)
        return PATH_BAD;
    *i += 2;
    *byte = (char)(high << 4 | low);
    if (is_unreserved(*byte))
        return PATH_PLAIN;
    if (*byte == 0 || *byte == '\\' || (*byte == '/' && !(flags & URI_KEEP_ESCAPED_SLASH)))
        return PATH_BAD;
    return PATH_ESCAPED;
}

static bool is_dots(const char *from, const char *to)
{
    return (to - from == 1 && from[0] == '.') ||
           (to - from == 2 && from[0] == '.' && from[1] == '.');
}

/* A path being made: `segment` is where the last segment begins in `p`, behind its slash; `piece`
 * the same, but escaped slashes count too. */
struct path {
    char *p;
    size_t n, segment, piece;
};

static void path_put_escaped(struct path *path, char byte)
{
    static const char digits[] = "0123456789ABCDEF";
    path->p[path->n++] = '%';
    path->p[path->n++] = digits[(unsigned char)byte >> 4];
    path->p[path->n++] = digits[(unsigned char)byte & 15];
}

/* Takes the last segment's dots away; false if they climb above the root. */
static bool path_close_segment(struct path *path)
{
    const char *from = path->p + path->segment, *to = path->p + path->n;
    if (path->piece != path->segment)
        return !is_dots(path->p + path->piece, to);
    if (!is_dots(from, to))
        return true;
    bool up = to - from == 2;
    path->n = path->segment;
    if (up) {
        if (path->n < 2)
            return false;
        path->n--;
        while (path->p[path->n - 1] != '/')
            path->n--;
    }
    path->segment = path->piece = path->n;
    return true;
}

/* A slash ends the segment and begins the next one. */
static bool path_put_slash(struct path *path, unsigned flags)
{
    size_t before = path->n;
    if (!path_close_segment(path))
        return false;
    bool dots = path->n != before, empty = path->n == path->segment;
    if (!dots && !(empty && (flags & URI_MERGE_SLASHES)))
        path->p[path->n++] = '/';
    path->segment = path->piece = path->n;
    return true;
}

static bool path_put_escape(struct path *path, char byte)
{
    bool slash = byte == '/';
    if (slash && is_dots(path->p + path->piece, path->p + path->n))
        return false;
    path_put_escaped(path, byte);
    if (slash)
        path->piece = path->n;
    return true;
}

static enum uri_result path_make(struct str in, unsigned flags, struct path *path)
{
    path->p[0] = '/';
    path->n = path->segment = path->piece = 1;
    for (size_t i = 1; i < in.n;) {
        char byte;
        bool ok = true;
        switch (path_char(in, &i, flags, &byte)) {
        case PATH_PLAIN: path->p[path->n++] = byte; break;
        case PATH_ESCAPED: ok = path_put_escape(path, byte); break;
        case PATH_SLASH: ok = path_put_slash(path, flags); break;
        case PATH_BAD: ok = false;
        }
        if (!ok)
            return URI_BAD;
    }
    return path_close_segment(path) ? URI_OK : URI_BAD;
}

/* Nothing in it that could need work: letters, digits and single slashes not followed by a dot. */
static bool is_plainly_normal(struct str path)
{
    char before = 0;
    for (size_t i = 0; i < path.n; i++) {
        char c = path.p[i];
        if (c == '/' ? before == '/' : !is_pchar(c) || (c == '.' && before == '/'))
            return false;
        before = c;
    }
    return true;
}

enum uri_result uri_normalise(struct str path, unsigned flags, struct arena *arena, struct str *out)
{
    *out = path;
    if (str_eq(path, STR("*")))
        return URI_OK;
    if (path.n == 0 || path.p[0] != '/')
        return URI_BAD;
    if (is_plainly_normal(path))
        return URI_OK;
    struct path made = {.p = arena_alloc(arena, 3 * path.n)};
    if (path_make(path, flags, &made) != URI_OK)
        return URI_BAD;
    if (!str_eq(path, str_make(made.p, made.n)))
        *out = str_make(made.p, made.n);
    return URI_OK;
}

struct str uri_decode(struct str s, struct arena *arena)
{
    char *out = arena_alloc(arena, s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        int high = s.p[i] == '%' && s.n - i > 2 ? ascii_hex(s.p[i + 1]) : -1;
        int low = high >= 0 ? ascii_hex(s.p[i + 2]) : -1;
        out[n++] = low >= 0 ? (char)(high << 4 | low) : s.p[i];
        i += low >= 0 ? 2 : 0;
    }
    return str_make(out, n);
}

bool uri_query_next(struct str *rest, struct str *name, struct str *value)
{
    struct str pair;
    while (str_split(rest, '&', &pair)) {
        const char *sign = pair.n ? memchr(pair.p, '=', pair.n) : NULL;
        if (!pair.n)
            continue;
        *name = str_make(pair.p, sign ? (size_t)(sign - pair.p) : pair.n);
        *value = sign ? str_make(sign + 1, pair.n - name->n - 1) : STR_NULL;
        return true;
    }
    return false;
}
