/* Rules of authentication, plans, limits and tenants. */
#include "conf/cross.h"

void cross_limits(struct cross *c, const struct node *limits, const char *path)
{
    for (size_t i = 0; i < node_count(limits, ""); i++) {
        const struct node *limit = node_at(limits, i);
        if (limit->kind != NODE_MAP)
            continue;
        const char *here = cross_path(c, "%s[%zu]", path, i);
        bool rate = cross_has(limit, "rate"), quota = cross_has(limit, "quota");
        if (rate && quota)
            cross_error(
                c, node_get(limit, "quota"), limit, cross_path(c, "%s.quota", here),
                "there is also `rate`; a limit has exactly one of the two, make it two limits");
        if (!rate && !quota)
            cross_error(c, limit, limit, here,
                        "has neither `rate` nor `quota`; write exactly one of the two");
        if (cross_has(limit, "burst") && !rate)
            cross_error(c, node_get(limit, "burst"), limit, cross_path(c, "%s.burst", here),
                        "goes only with `rate`; remove it");
        if (cross_has(limit, "reserve") && node_is(limit, "unit", "requests"))
            cross_error(c, node_get(limit, "reserve"), limit, cross_path(c, "%s.reserve", here),
                        "goes only with a `unit` other than requests, such as tokens");
    }
}

static bool is_local_url(const char *url)
{
    const char *host = strstr(url, "://");
    if (!host)
        return false;
    host += 3;
    size_t n = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":/?#");
    struct str name = {host, n};
    return str_eq_ci(name, STR("localhost")) || str_starts(name, STR("127.")) ||
           str_eq(name, STR("[::1]"));
}

static void check_key_source(struct cross *c, const struct node *jwt, const char *path)
{
    static const char *const SOURCES[] = {"jwks_uri", "jwks_file", "public_key_file", "secret"};
    int given = 0;
    for (size_t i = 0; i < 4; i++) {
        if (!cross_has(jwt, SOURCES[i]))
            continue;
        if (given++)
            cross_error(c, node_get(jwt, SOURCES[i]), jwt, cross_path(c, "%s.%s", path, SOURCES[i]),
                        "an issuer has exactly one of jwks_uri, jwks_file, public_key_file and "
                        "secret; remove "
                        "the others");
    }
    if (!given)
        cross_error(
            c, jwt, jwt, path,
            "has no keys; write exactly one of jwks_uri, jwks_file, public_key_file and secret");
}

static void check_algorithms(struct cross *c, const struct node *jwt, const char *path)
{
    const struct node *algorithms = node_get(jwt, "algorithms");
    bool secret = cross_has(jwt, "secret");
    bool public = cross_has(jwt, "jwks_uri") || cross_has(jwt, "jwks_file") ||
                  cross_has(jwt, "public_key_file");
    for (size_t i = 0; i < node_count(algorithms, "") && secret != public; i++) {
        const char *name = node_str(node_at(algorithms, i), "");
        if (!name || (strncmp(name, "HS", 2) == 0) == secret)
            continue;
        if (secret)
            cross_error(
                c, node_at(algorithms, i), jwt, cross_path(c, "%s.algorithms[%zu]", path, i),
                "%s needs a public key, but `secret` is given; write HS256, HS384 or HS512", name);
        else
            cross_error(c, node_at(algorithms, i), jwt,
                        cross_path(c, "%s.algorithms[%zu]", path, i),
                        "%s needs `secret`; with public keys write RS*, PS*, ES* or EdDSA", name);
    }
}

static void check_issuer(struct cross *c, const struct node *jwt, const char *path,
                         struct map *issuers)
{
    const struct node *uri = node_get(jwt, "jwks_uri"), *issuer = node_get(jwt, "issuer");
    check_key_source(c, jwt, path);
    check_algorithms(c, jwt, path);
    if (uri && strncasecmp(uri->text, "http:", 5) == 0 && !is_local_url(uri->text) &&
        !node_bool(jwt, "insecure"))
        cross_error(c, uri, jwt, cross_path(c, "%s.jwks_uri", path),
                    "keys would come without TLS; write https://, or `insecure: true` beside it");
    if (issuer && map_put(issuers, str_of(issuer->text), c))
        cross_error(c, issuer, jwt, cross_path(c, "%s.issuer", path),
                    "`%s` has an entry before; every issuer has one", issuer->text);
}

void cross_auth(struct cross *c)
{
    struct map issuers = {0};
    const struct node *auth = node_get(c->root, "auth"), *jwt = node_get(auth, "jwt");
    for (size_t i = 0; i < node_count(jwt, ""); i++)
        check_issuer(c, node_at(jwt, i), cross_path(c, "auth.jwt[%zu]", i), &issuers);
    map_free(&issuers);
    cross_reference(c, node_get(auth, "unknown_tenants"), &c->plans, "plan",
                    "auth.unknown_tenants");
}

static void check_keys(struct cross *c, const struct node *tenant, const char *path,
                       struct map *hashes)
{
    const struct node *keys = node_get(tenant, "api_keys");
    for (size_t i = 0; i < node_count(keys, ""); i++) {
        const struct node *hash = node_get(node_at(keys, i), "sha256");
        if (hash && map_put(hashes, str_of(hash->text), c))
            cross_error(c, hash, keys, cross_path(c, "%s.api_keys[%zu].sha256", path, i),
                        "is given twice; every key belongs to one tenant and has one entry");
    }
}

void cross_tenants(struct cross *c)
{
    struct map hashes = {0};
    const struct node *plans = node_get(c->root, "plans"), *tenants = node_get(c->root, "tenants");
    for (size_t i = 0; i < node_count(plans, ""); i++)
        cross_limits(c, node_get(node_at(plans, i), "limits"),
                     cross_path(c, "plans[%zu].limits", i));
    for (size_t i = 0; i < node_count(tenants, ""); i++) {
        const struct node *tenant = node_at(tenants, i),
                          *regions = node_get(tenant, "allowed_regions");
        const char *path = cross_path(c, "tenants[%zu]", i);
        cross_limits(c, node_get(tenant, "limits"), cross_path(c, "%s.limits", path));
        cross_reference(c, node_get(tenant, "plan"), &c->plans, "plan",
                        cross_path(c, "%s.plan", path));
        check_keys(c, tenant, path, &hashes);
        if (regions && !cross_has(c->root, "region"))
            cross_error(c, regions, tenant, cross_path(c, "%s.allowed_regions", path),
                        "`region` is not set, so nobody can say whether this gateway may serve it; "
                        "set it at the "
                        "top level");
    }
    map_free(&hashes);
}
