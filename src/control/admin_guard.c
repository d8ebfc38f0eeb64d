/* Who may ask the admin API: Host and Origin against browsers that were talked into it (DNS
 * rebinding, cross-site requests), bearer tokens with roles against everybody else. */
#include "base/node.h"
#include "base/xmem.h"
#include "control/admin_private.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <stdlib.h>

static void add_token(struct admin *a, const char *name, const char *secret, enum admin_role role)
{
    if (!secret || !*secret)
        return;
    a->tokens = xrealloc(a->tokens, (a->token_count + 1) * sizeof *a->tokens);
    struct admin_token *t = &a->tokens[a->token_count++];
    t->name = xstrdup(name);
    t->role = role;
    SHA256((const unsigned char *)secret, strlen(secret), t->digest);
}

void admin_guard_fini(struct admin *a)
{
    for (size_t i = 0; i < a->token_count; i++)
        free(a->tokens[i].name);
    free(a->tokens);
    a->tokens = NULL;
    a->token_count = 0;
}

static enum admin_role role_of(const struct node *token)
{
    if (node_is(token, "role", "admin"))
        return ROLE_ADMIN;
    return node_is(token, "role", "write") ? ROLE_WRITE : ROLE_READ;
}

void admin_guard_configure(struct admin *a, const struct node *conf)
{
    const struct node *tokens = node_get(conf, "tokens");

    admin_guard_fini(a);
    add_token(a, "admin", node_str(conf, "token"), ROLE_ADMIN);
    for (size_t i = 0; i < node_count(tokens, ""); i++) {
        const struct node *t = node_at(tokens, i);
        add_token(a, node_str(t, "name"), node_str(t, "token"), role_of(t));
    }
}

/* Host without its port, brackets kept. */
static struct str host_of(struct str authority)
{
    const char *end = authority.p + authority.n;
    const char *from = authority.p;

    if (authority.n && authority.p[0] == '[') {
        from = memchr(authority.p, ']', authority.n);
        if (!from)
            return authority;
    }
    const char *colon = from ? memchr(from, ':', (size_t)(end - from)) : NULL;
    return colon ? str_make(authority.p, (size_t)(colon - authority.p)) : authority;
}

static bool is_loopback_name(struct str authority)
{
    struct str host = host_of(authority);
    struct addr a;
    char text[64];

    if (str_eq_ci(host, STR("localhost")))
        return true;
    if (host.n == 0 || host.n > sizeof text - 4)
        return false;
    memcpy(text, host.p, host.n);
    memcpy(text + host.n, ":1", 2);
    return addr_parse(str_make(text, host.n + 2), &a) == 0 && a.sa.sa_family != AF_UNIX &&
           addr_is_loopback(&a);
}

/* An Origin is "scheme://authority"; "null" is foreign. */
static bool is_own_origin(struct str origin, struct str authority)
{
    const char *slashes = memmem(origin.p, origin.n, "://", 3);

    if (!slashes)
        return false;
    struct str rest = str_make(slashes + 3, (size_t)(origin.p + origin.n - slashes - 3));
    return str_eq_ci(rest, authority);
}

bool admin_guard_origin(struct admin_req *q)
{
    struct str origin = headers_value(&q->x.headers, FIELD_ORIGIN);

    if (q->conn->port->probe)
        return true;
    if (q->conn->port->loopback && !is_loopback_name(q->x.authority)) {
        admin_reply_problem(q, 403, "forbidden", "Host is not a loopback name");
        return false;
    }
    if (origin.p && !is_own_origin(origin, q->x.authority)) {
        admin_reply_problem(q, 403, "forbidden", "a request from another origin");
        return false;
    }
    return true;
}

/* The token of the Authorization field, or NULL. */
static const struct admin_token *token_of(const struct admin_req *q)
{
    struct str value = headers_value(&q->x.headers, FIELD_AUTHORIZATION);
    const struct str scheme = STR("Bearer ");
    const struct admin_token *found = NULL;
    uint8_t digest[TOKEN_DIGEST];

    if (value.n < scheme.n || !str_eq_ci(str_make(value.p, scheme.n), scheme))
        return NULL;
    value = str_trim_ows(str_make(value.p + scheme.n, value.n - scheme.n));
    SHA256((const unsigned char *)value.p, value.n, digest);
    /* Every token is compared, in constant time: how long it takes tells nothing. */
    for (size_t i = 0; i < admin_of(q)->token_count; i++)
        if (CRYPTO_memcmp(digest, admin_of(q)->tokens[i].digest, sizeof digest) == 0)
            found = &admin_of(q)->tokens[i];
    return found;
}

static bool check_token(struct admin_req *q)
{
    const struct admin_token *token = token_of(q);

    if ((q->route->flags & ROUTE_OPEN) || admin_of(q)->token_count == 0)
        return true;
    if (!token) {
        headers_set_id(&q->x.answer, FIELD_WWW_AUTHENTICATE, STR("Bearer"));
        admin_reply_problem(q, 401, "unauthenticated", "a bearer token is needed");
        return false;
    }
    if (token->role < q->route->role) {
        admin_reply_problem(q, 403, "insufficient_scope", "the token's role does not allow this");
        return false;
    }
    return true;
}

/* The media type without its parameters. */
static bool is_json(struct str type)
{
    struct str media;

    return str_split(&type, ';', &media) && str_eq_ci(str_trim_ows(media), STR("application/json"));
}

bool admin_guard_request(struct admin_req *q)
{
    bool changes = q->route->method == METHOD_POST || q->route->method == METHOD_PUT ||
                   q->route->method == METHOD_PATCH;

    if (!check_token(q))
        return false;
    if (changes && !is_json(headers_value(&q->x.headers, FIELD_CONTENT_TYPE))) {
        admin_reply_problem(q, 415, "unsupported_media_type",
                            "changes need Content-Type: application/json");
        return false;
    }
    return true;
}
