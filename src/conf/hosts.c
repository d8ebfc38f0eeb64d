/* Types that say where something is: addresses, endpoints, blocks, host names, URLs, origins. */
#include "conf/types.h"

#include "conf/names.h"

#include <arpa/inet.h>

enum { UNIX_PATH_MAX = 107 };

static struct str text_of(const struct typed *t)
{
    return str_make(t->out->text, t->out->count);
}

static void set_text(struct typed *t, const char *text)
{
    t->out->text = text;
    t->out->count = (uint32_t)strlen(text);
}

static bool is_ip(struct str s, int family)
{
    char text[INET6_ADDRSTRLEN];
    unsigned char bytes[16];
    if (s.n == 0 || s.n >= sizeof text)
        return false;
    memcpy(text, s.p, s.n);
    text[s.n] = '\0';
    return inet_pton(family, text, bytes) == 1;
}

static bool is_any_ip(struct str s)
{
    return is_ip(s, AF_INET) || is_ip(s, AF_INET6);
}

static bool is_port(struct str s, uint64_t low)
{
    uint64_t port;
    return s.n <= 5 && str_to_u64(s, &port) && port >= low && port <= 65535;
}

/* Splits HOST:PORT or [HOST]:PORT; `*bracketed` tells which. */
static bool split_port(struct str s, struct str *host, struct str *port, bool *bracketed)
{
    *bracketed = s.n && s.p[0] == '[';
    const char *colon = NULL;
    if (*bracketed) {
        const char *end = memchr(s.p, ']', s.n);
        if (!end || end + 1 >= s.p + s.n || end[1] != ':')
            return false;
        *host = str_make(s.p + 1, (size_t)(end - s.p) - 1);
        colon = end + 1;
    } else {
        colon = s.n ? memrchr(s.p, ':', s.n) : NULL;
        if (!colon)
            return false;
        *host = str_make(s.p, (size_t)(colon - s.p));
        if (memchr(host->p, ':', host->n))
            return false;
    }
    *port = str_make(colon + 1, s.n - (size_t)(colon - s.p) - 1);
    return true;
}

/* unix:PATH, made absolute. */
static const char *unix_path(struct typed *t, struct str path)
{
    struct arena *arena = t->sources->arena;
    if (path.n == 0)
        return "is not an address; write unix:/path/to/socket";
    if (path.p[0] == '@')
        return "is an abstract socket; write unix: and the path of a file";
    const char *name = arena_dup(arena, path.p, path.n);
    const char *absolute = sources_absolute(t->sources, t->out->file ? t->out->file : "", name);
    if (strlen(absolute) > UNIX_PATH_MAX)
        return "is too long for a unix socket; at most 107 bytes as an absolute path";
    set_text(t, arena_printf(arena, "unix:%s", absolute));
    return NULL;
}

static bool is_ip_port(struct str s, uint64_t low)
{
    struct str host, port;
    bool bracketed;
    return split_port(s, &host, &port, &bracketed) && is_ip(host, bracketed ? AF_INET6 : AF_INET) &&
           is_port(port, low);
}

const char *type_address(struct typed *t)
{
    struct str s = text_of(t);
    if (str_starts(s, STR("unix:")))
        return unix_path(t, str_make(s.p + 5, s.n - 5));
    if (!is_ip_port(s, 0))
        return "is not an address to listen on; write IP:PORT, [IPv6]:PORT or unix:/path, such as "
               "0.0.0.0:8443";
    return NULL;
}

const char *type_endpoint(struct typed *t)
{
    struct str s = text_of(t), host, port;
    bool bracketed;
    if (str_starts(s, STR("unix:")))
        return unix_path(t, str_make(s.p + 5, s.n - 5));
    if (str_starts(s, STR("dns:"))) {
        struct str rest = {s.p + 4, s.n - 4};
        if (split_port(rest, &host, &port, &bracketed) && !bracketed && is_port(port, 1)) {
            if (host.n && host.p[host.n - 1] == '.')
                host.n--;
            if (names_is_host(host) && !is_ip(host, AF_INET))
                return NULL;
        }
        return "is not an endpoint; write dns:NAME:PORT, such as dns:email.prod.svc:8080";
    }
    if (is_ip_port(s, 1))
        return NULL;
    if (split_port(s, &host, &port, &bracketed) && !bracketed && names_is_host(host) &&
        is_port(port, 1) && !is_port(host, 0))
        return arena_printf(t->sources->arena, "names a host; write dns:%.*s to have it resolved",
                            STR_ARG(s));
    return "is not an endpoint; write IP:PORT, [IPv6]:PORT, dns:NAME:PORT or unix:/path, such as "
           "10.0.0.1:8080";
}

const char *type_nameserver(struct typed *t)
{
    struct str s = text_of(t);
    if (is_any_ip(s) || is_ip_port(s, 1))
        return NULL;
    return "is not a name server; write IP, IP:PORT or [IPv6]:PORT";
}

/* Does the block have bits set beyond its prefix? */
static bool has_host_bits(const unsigned char *bytes, unsigned size, unsigned prefix)
{
    for (unsigned bit = prefix; bit < size * 8; bit++) {
        if (bytes[bit / 8] & (0x80u >> (bit % 8)))
            return true;
    }
    return false;
}

const char *type_cidr(struct typed *t)
{
    static const char *const WRONG =
        "is not an address or a block of addresses; write it such as 10.0.0.0/8, "
        "2001:db8::/32 or 192.0.2.7";
    struct str rest = text_of(t), ip;
    uint64_t prefix;
    unsigned char bytes[16];
    if (!str_split(&rest, '/', &ip))
        return WRONG;
    int family = is_ip(ip, AF_INET) ? AF_INET : AF_INET6;
    unsigned size = family == AF_INET ? 4 : 16;
    if (!is_ip(ip, family))
        return WRONG;
    if (!rest.p)
        return NULL;
    if (rest.n == 0 || rest.n > 3 || !str_to_u64(rest, &prefix) || prefix > size * 8)
        return arena_printf(t->sources->arena, "has a wrong prefix length; it goes from /0 to /%u",
                            size * 8);
    inet_pton(family, arena_dup(t->sources->arena, ip.p, ip.n), bytes);
    if (has_host_bits(bytes, size, (unsigned)prefix))
        return "has bits set beyond its prefix; write the first address of the block";
    return NULL;
}

static char *lower(struct typed *t, struct str s)
{
    char *copy = arena_dup(t->sources->arena, s.p, s.n);
    for (char *c = copy; *c; c++)
        *c = ascii_lower(*c);
    return copy;
}

const char *type_host(struct typed *t)
{
    struct str s = text_of(t);
    if (s.n && s.p[s.n - 1] == '.')
        s.n--;
    struct str name = s;
    if (s.n > 2 && s.p[0] == '[' && s.p[s.n - 1] == ']')
        name = str_make(s.p + 1, s.n - 2);
    bool v6 = name.n != s.n;
    if (!v6 && str_starts(s, STR("*.")))
        name = str_make(s.p + 2, s.n - 2);
    if (v6 ? !is_ip(name, AF_INET6) : !names_is_host(name)) {
        if (str_eq(s, STR("*")))
            return "is not a host; leave `hosts` out to match every host";
        if (s.n && memchr(s.p, ':', s.n))
            return "is not a host; write the name without a port";
        return "is not a host; write a name, such as api.example.com, or *.example.com for all "
               "below it";
    }
    set_text(t, lower(t, s));
    return NULL;
}

const char *type_hostname(struct typed *t)
{
    struct str s = text_of(t);
    if (!names_is_host(s) && !is_ip(s, AF_INET6))
        return "is not the name of a host; write it such as api.example.com";
    return NULL;
}

static bool scheme_allowed(struct str scheme, const char *const *words)
{
    for (; *words; words++) {
        if (str_eq_ci(scheme, str_of(*words)))
            return true;
    }
    return false;
}

/* HOST, HOST:PORT or [IPv6]:PORT. */
static bool is_authority(struct str s)
{
    struct str host = s, port = STR("1");
    bool bracketed;
    if (s.n > 1 && s.p[0] == '[' && s.p[s.n - 1] == ']')
        return is_ip(str_make(s.p + 1, s.n - 2), AF_INET6);
    if (s.n && memchr(s.p, ':', s.n) && !split_port(s, &host, &port, &bracketed))
        return false;
    if (s.n && s.p[0] == '[')
        return is_ip(host, AF_INET6) && is_port(port, 1);
    return names_is_host(host) && is_port(port, 1);
}

/* Splits scheme://authority/rest; `rest` begins with the character that ends the authority, or is
 * empty. */
static bool split_url(struct str s, struct str *scheme, struct str *authority, struct str *rest)
{
    size_t colon = 0;
    while (colon < s.n && s.p[colon] != ':')
        colon++;
    if (!str_starts(str_make(s.p + colon, s.n - colon), STR("://")))
        return false;
    *scheme = str_make(s.p, colon);
    struct str tail = {s.p + colon + 3, s.n - colon - 3};
    size_t end = 0;
    while (end < tail.n && !strchr("/?#", tail.p[end]))
        end++;
    *authority = str_make(tail.p, end);
    *rest = str_make(tail.p + end, tail.n - end);
    return true;
}

const char *type_url(struct typed *t)
{
    struct str s = text_of(t), scheme, authority, rest;
    for (size_t i = 0; i < s.n; i++) {
        if ((unsigned char)s.p[i] <= ' ' || (unsigned char)s.p[i] >= 0x7f)
            return "is not a URL; white space and characters beyond ASCII must be percent-encoded";
    }
    if (split_url(s, &scheme, &authority, &rest)) {
        if (memchr(authority.p, '@', authority.n))
            return "has credentials in it; a URL here may not, there are keys of their own for "
                   "them";
        if (scheme_allowed(scheme, t->key->words) && is_authority(authority))
            return NULL;
    }
    return arena_printf(t->sources->arena,
                        "is not a URL of the right kind; write %s://HOST[:PORT]/...",
                        t->key->words[0]);
}

const char *type_origin(struct typed *t)
{
    struct str s = text_of(t), scheme, authority, rest;
    if (str_eq(s, STR("*")) || str_eq(s, STR("null")))
        return NULL;
    if (split_url(s, &scheme, &authority, &rest) && rest.n == 0 && names_is_token(scheme)) {
        if (str_starts(authority, STR("*.")))
            authority = str_make(authority.p + 2, authority.n - 2);
        if (is_authority(authority))
            return NULL;
    }
    return "is not an origin; write scheme://HOST[:PORT] without a path, such as "
           "https://app.example.com, "
           "or `*`";
}
