/* See addr.h. */
#include "net/addr.h"

#include "base/check.h"

#include <arpa/inet.h>
#include <stdio.h>

static bool parse_port(struct str s, in_port_t *out)
{
    uint64_t port;
    if (s.n == 0 || s.n > 5 || !str_to_u64(s, &port) || port > UINT16_MAX)
        return false;
    *out = htons((uint16_t)port);
    return true;
}

static int parse_unix(struct str path, struct addr *out)
{
    if (path.n == 0 || path.p[0] != '/' || path.n >= sizeof out->un.sun_path ||
        memchr(path.p, 0, path.n))
        return -1;
    out->un.sun_family = AF_UNIX;
    memcpy(out->un.sun_path, path.p, path.n);
    out->len = sizeof out->un;
    return 0;
}

static int parse_ip(struct str host, struct str port, struct addr *out)
{
    char text[INET6_ADDRSTRLEN];
    bool six = host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']';
    if (six)
        host = str_make(host.p + 1, host.n - 2);
    if (host.n >= sizeof text || memchr(host.p, 0, host.n))
        return -1;
    memcpy(text, host.p, host.n);
    text[host.n] = 0;
    out->len = six ? sizeof out->in6 : sizeof out->in;
    out->sa.sa_family = six ? AF_INET6 : AF_INET;
    if (six)
        return inet_pton(AF_INET6, text, &out->in6.sin6_addr) == 1 &&
                       parse_port(port, &out->in6.sin6_port)
                   ? 0
                   : -1;
    return inet_pton(AF_INET, text, &out->in.sin_addr) == 1 && parse_port(port, &out->in.sin_port)
               ? 0
               : -1;
}

int addr_parse(struct str text, struct addr *out)
{
    memset(out, 0, sizeof *out);
    if (str_starts(text, STR("unix:")))
        return parse_unix(str_make(text.p + 5, text.n - 5), out);
    const char *colon = text.n ? memrchr(text.p, ':', text.n) : NULL;
    if (!colon)
        return -1;
    size_t host = (size_t)(colon - text.p);
    return parse_ip(str_make(text.p, host), str_make(colon + 1, text.n - host - 1), out);
}

static size_t printed(int n)
{
    ensure(n >= 0 && n < ADDR_TEXT);
    return (size_t)n;
}

size_t addr_format(const struct addr *a, char out[ADDR_TEXT])
{
    char ip[INET6_ADDRSTRLEN];
    switch (a->sa.sa_family) {
    case AF_INET:
        inet_ntop(AF_INET, &a->in.sin_addr, ip, sizeof ip);
        return printed(snprintf(out, ADDR_TEXT, "%s:%u", ip, (unsigned)ntohs(a->in.sin_port)));
    case AF_INET6:
        inet_ntop(AF_INET6, &a->in6.sin6_addr, ip, sizeof ip);
        return printed(snprintf(out, ADDR_TEXT, "[%s]:%u", ip, (unsigned)ntohs(a->in6.sin6_port)));
    default:
        return printed(snprintf(out, ADDR_TEXT, "unix:%.*s",
                                (int)strnlen(a->un.sun_path, sizeof a->un.sun_path),
                                a->un.sun_path));
    }
}

size_t addr_format_ip(const struct addr *a, char out[ADDR_TEXT])
{
    if (a->sa.sa_family == AF_INET)
        inet_ntop(AF_INET, &a->in.sin_addr, out, ADDR_TEXT);
    else if (a->sa.sa_family != AF_INET6)
        memcpy(out, "unix", 5);
    else if (IN6_IS_ADDR_V4MAPPED(&a->in6.sin6_addr))
        inet_ntop(AF_INET, &a->in6.sin6_addr.s6_addr[12], out, ADDR_TEXT);
    else
        inet_ntop(AF_INET6, &a->in6.sin6_addr, out, ADDR_TEXT);
    return strlen(out);
}

uint16_t addr_port(const struct addr *a)
{
    if (a->sa.sa_family == AF_INET)
        return ntohs(a->in.sin_port);
    return a->sa.sa_family == AF_INET6 ? ntohs(a->in6.sin6_port) : 0;
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
    if (a->sa.sa_family != b->sa.sa_family)
        return false;
    switch (a->sa.sa_family) {
    case AF_INET:
        return a->in.sin_port == b->in.sin_port && a->in.sin_addr.s_addr == b->in.sin_addr.s_addr;
    case AF_INET6:
        return a->in6.sin6_port == b->in6.sin6_port &&
               a->in6.sin6_scope_id == b->in6.sin6_scope_id &&
               memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr, sizeof a->in6.sin6_addr) == 0;
    default: return strncmp(a->un.sun_path, b->un.sun_path, sizeof a->un.sun_path) == 0;
    }
}

bool addr_is_loopback(const struct addr *a)
{
    if (a->sa.sa_family == AF_INET)
        return ntohl(a->in.sin_addr.s_addr) >> 24 == 127;
    if (a->sa.sa_family != AF_INET6)
        return true;
    if (IN6_IS_ADDR_V4MAPPED(&a->in6.sin6_addr))
        return a->in6.sin6_addr.s6_addr[12] == 127;
    return IN6_IS_ADDR_LOOPBACK(&a->in6.sin6_addr);
}
