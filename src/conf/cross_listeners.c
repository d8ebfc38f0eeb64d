/* Rules of listeners, the admin API, the store and telemetry. */
#include "conf/cross.h"

#include <arpa/inet.h>

static bool is_unix(const char *address)
{
    return strncmp(address, "unix:", 5) == 0;
}

/* The IP of "IP:PORT" or "[IPv6]:PORT" in `ip` (at least 64 bytes); the port behind it. */
static const char *split_address(const char *address, char *ip, size_t size)
{
    const char *colon = strrchr(address, ':');
    bool v6 = address[0] == '[';
    snprintf(ip, size, "%.*s", (int)(colon - address) - (v6 ? 2 : 0), address + v6);
    return colon + 1;
}

static bool is_loopback(const char *address)
{
    char ip[64];
    struct in6_addr v6;
    if (is_unix(address))
        return true;
    split_address(address, ip, sizeof ip);
    return strncmp(ip, "127.", 4) == 0 ||
           (inet_pton(AF_INET6, ip, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6));
}

/* One spelling per address; NULL for port 0, which is another one each time. */
static const char *canonical(struct cross *c, const char *address)
{
    char ip[64], text[INET6_ADDRSTRLEN];
    unsigned char bytes[16];
    if (is_unix(address))
        return address;
    const char *port = split_address(address, ip, sizeof ip);
    port += strspn(port, "0");
    if (!*port)
        return NULL;
    int family = address[0] == '[' ? AF_INET6 : AF_INET;
    if (inet_pton(family, ip, bytes) != 1 || !inet_ntop(family, bytes, text, sizeof text))
        return address;
    return cross_path(c, "%s|%s", text, port);
}

struct bound {
    const char *path;
};

static void claim_address(struct cross *c, struct map *taken, const struct node *holder,
                          const char *path)
{
    const struct node *address = node_get(holder, strrchr(path, '.') + 1);
    if (!address)
        return;
    const char *spelling = canonical(c, address->text);
    if (!spelling)
        return;
    const struct bound *before = map_get(taken, str_of(spelling));
    if (before) {
        cross_error(c, address, holder, path,
                    "`%s` is also the address of %s; every address may be used once", address->text,
                    before->path);
        return;
    }
    struct bound *bound = arena_alloc(c->arena, sizeof *bound);
    bound->path = path;
    map_put(taken, str_of(spelling), bound);
}

static void check_addresses(struct cross *c)
{
    struct map taken = {0};
    const struct node *listeners = node_get(c->root, "listeners"),
                      *admin = node_get(c->root, "admin");
    for (size_t i = 0; i < node_count(listeners, ""); i++)
        claim_address(c, &taken, node_at(listeners, i), cross_path(c, "listeners[%zu].address", i));
    claim_address(c, &taken, admin, "admin.address");
    claim_address(c, &taken, admin, "admin.probe_address");
    map_free(&taken);
}

static void check_client_auth(struct cross *c, const struct node *tls, const char *path)
{
    const struct node *mode = node_get(tls, "client_auth"), *crl = node_get(tls, "client_crl");
    if (cross_has(tls, "client_ca"))
        return;
    if (mode && !node_is(mode, "", "none"))
        cross_error(c, mode, tls, cross_path(c, "%s.tls.client_auth", path),
                    "needs `client_ca`: who signs the clients' certificates");
    if (crl)
        cross_error(c, crl, tls, cross_path(c, "%s.tls.client_crl", path),
                    "needs `client_ca`: who signs the clients' certificates");
}

static void check_protocols(struct cross *c, const struct node *listener, const char *path)
{
    const struct node *protocols = node_get(listener, "protocols");
    if (!cross_has(listener, "tls"))
        return;
    for (size_t i = 0; i < node_count(protocols, ""); i++) {
        if (node_is(node_at(protocols, i), "", "h2c"))
            cross_error(c, node_at(protocols, i), listener,
                        cross_path(c, "%s.protocols[%zu]", path, i),
                        "h2c is HTTP/2 without TLS; write h2 on a listener with `tls`");
    }
}

static void check_listener(struct cross *c, const struct node *listener, const char *path)
{
    check_client_auth(c, node_get(listener, "tls"), path);
    check_protocols(c, listener, path);
    if (node_bool(listener, "proxy_protocol") && !cross_has(listener, "trusted_proxies"))
        cross_error(c, node_get(listener, "proxy_protocol"), listener,
                    cross_path(c, "%s.proxy_protocol", path),
                    "needs `trusted_proxies`: the peers who send the header");
    if (node_int(listener, "redirect_to_https") && cross_has(listener, "tls"))
        cross_error(c, node_get(listener, "redirect_to_https"), listener,
                    cross_path(c, "%s.redirect_to_https", path),
                    "this listener has `tls` itself; redirect from a listener without it");
}

void cross_listeners(struct cross *c)
{
    const struct node *listeners = node_get(c->root, "listeners");
    for (size_t i = 0; i < node_count(listeners, ""); i++)
        check_listener(c, node_at(listeners, i), cross_path(c, "listeners[%zu]", i));
    check_addresses(c);
    const struct node *resolver = node_get(c->root, "resolver");
    if (node_ns(resolver, "min_ttl") > node_ns(resolver, "max_ttl"))
        cross_error(c, node_get(resolver, "min_ttl"), resolver, "resolver.min_ttl",
                    "is above `max_ttl`; it must be at most that");
    const struct node *buckets = node_get(c->root, "telemetry.metrics.buckets");
    for (size_t i = 1; i < node_count(buckets, ""); i++) {
        if (node_ns(node_at(buckets, i), "") <= node_ns(node_at(buckets, i - 1), ""))
            cross_error(c, node_at(buckets, i), buckets,
                        cross_path(c, "telemetry.metrics.buckets[%zu]", i),
                        "is not above the one before it; bounds ascend");
    }
}

void cross_admin(struct cross *c)
{
    const struct node *admin = node_get(c->root, "admin"), *address = node_get(admin, "address");
    const struct node *token = node_member(admin, "token");
    bool has_token = token && (token->kind == NODE_NULL || *token->text);
    if (address && !is_loopback(address->text) && !has_token && node_count(admin, "tokens") == 0)
        cross_error(c, address, admin, "admin.address",
                    "`%s` can be reached from other machines, so `admin.token` or `admin.tokens` "
                    "is required; set "
                    "one, or listen on 127.0.0.1 or unix:/path",
                    address->text);
    const struct node *tls = node_get(admin, "tls");
    cross_key_pair(c, tls, "admin.tls");
    if (cross_has(tls, "client_ca") && !cross_has(tls, "certificate"))
        cross_error(c, node_get(tls, "client_ca"), tls, "admin.tls.certificate",
                    "is missing; `client_ca` needs TLS, and that a certificate and its key");
    const struct node *needs = node_get(admin, "ready_requires");
    for (size_t i = 0; i < node_count(needs, ""); i++) {
        struct node ref = *node_at(needs, i);
        if (strncmp(node_str(&ref, "") ? ref.text : "", "service:", 8) != 0)
            continue;
        ref.text += 8;
        ref.count -= 8;
        cross_reference(c, &ref, &c->services, "service",
                        cross_path(c, "admin.ready_requires[%zu]", i));
    }
}

static bool is_seed(const char *text)
{
    const char *colon = strrchr(text, ':');
    uint64_t port;
    return colon && colon > text && str_to_u64(str_of(colon + 1), &port) && port >= 1 &&
           port <= 65535;
}

static void check_redis(struct cross *c, const struct node *redis)
{
    const struct node *url = node_get(redis, "url"), *tls = node_get(redis, "tls");
    const struct node *topology = node_get(redis, "topology"), *nodes = node_get(redis, "nodes");
    cross_key_pair(c, tls, "store.redis.tls");
    cross_key_pair(c, node_get(redis, "sentinel.tls"), "store.redis.sentinel.tls");
    if (tls && url && strncmp(url->text, "redis:", 6) == 0)
        cross_error(c, tls, redis, "store.redis.tls",
                    "`url` is without TLS; write rediss:// there, or remove this");
    if (node_is(topology, "", "sentinel") && !cross_has(redis, "sentinel"))
        cross_error(c, topology, redis, "store.redis.sentinel",
                    "is missing; `topology: sentinel` needs its `master`");
    for (size_t i = 0; i < node_count(nodes, ""); i++) {
        const char *text = node_str(node_at(nodes, i), "");
        if (text && !is_seed(text))
            cross_error(c, node_at(nodes, i), nodes, cross_path(c, "store.redis.nodes[%zu]", i),
                        "is not a seed; write HOST:PORT");
    }
}

void cross_store(struct cross *c)
{
    const struct node *store = node_get(c->root, "store");
    if (cross_has(store, "redis") && cross_has(store, "embedded"))
        cross_error(
            c, node_get(store, "redis"), store, "store.redis",
            "there is also `embedded`; a gateway has exactly one store, remove one of them");
    check_redis(c, node_get(store, "redis"));
}
