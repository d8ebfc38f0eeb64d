/* The table of the admin API: what can be asked, with which token, and who answers. */
#include "control/admin_private.h"

/* Rows without a handler are of the contract and answer 501 until their feature is there. */
static const struct admin_route routes[] = {
    {METHOD_GET, "/health", ROUTE_OPEN | ROUTE_PROBE, ROLE_READ, status_health},
    {METHOD_GET, "/health/live", ROUTE_OPEN | ROUTE_PROBE, ROLE_READ, status_health},
    {METHOD_GET, "/ready", ROUTE_OPEN | ROUTE_PROBE, ROLE_READ, status_ready},
    {METHOD_GET, "/health/ready", ROUTE_OPEN | ROUTE_PROBE, ROLE_READ, status_ready},
    {METHOD_GET, "/startup", ROUTE_OPEN | ROUTE_PROBE, ROLE_READ, status_startup},
    {METHOD_GET, "/metrics", ROUTE_OPEN | ROUTE_PROBE, ROLE_READ, status_metrics},
    {METHOD_GET, "/v1/status", 0, ROLE_READ, status_show},
    {METHOD_GET, "/", 0, ROLE_READ, NULL},
    {METHOD_GET, "/v1/config", 0, ROLE_READ, NULL},
    {METHOD_PUT, "/v1/config", 0, ROLE_ADMIN, NULL},
    {METHOD_POST, "/v1/config/check", 0, ROLE_READ, NULL},
    {METHOD_POST, "/v1/config/rollback", 0, ROLE_ADMIN, NULL},
    {METHOD_POST, "/v1/reload", 0, ROLE_WRITE, NULL},
    {METHOD_GET, "/v1/services", 0, ROLE_READ, NULL},
    {METHOD_GET, "/v1/services/*", 0, ROLE_READ, NULL},
    {METHOD_PATCH, "/v1/services/*/weights", 0, ROLE_WRITE, NULL},
    {METHOD_DELETE, "/v1/services/*/weights", 0, ROLE_WRITE, NULL},
    {METHOD_GET, "/v1/services/*/rollout", 0, ROLE_READ, NULL},
    {METHOD_POST, "/v1/services/*/rollout", 0, ROLE_WRITE, NULL},
    {METHOD_GET, "/v1/tenants", 0, ROLE_READ, NULL},
    {METHOD_POST, "/v1/tenants", 0, ROLE_ADMIN, NULL},
    {METHOD_GET, "/v1/tenants/*", 0, ROLE_READ, NULL},
    {METHOD_PATCH, "/v1/tenants/*", 0, ROLE_ADMIN, NULL},
    {METHOD_DELETE, "/v1/tenants/*", 0, ROLE_ADMIN, NULL},
    {METHOD_GET, "/v1/tenants/*/keys", 0, ROLE_READ, NULL},
    {METHOD_POST, "/v1/tenants/*/keys", 0, ROLE_ADMIN, NULL},
    {METHOD_GET, "/v1/tenants/*/keys/*", 0, ROLE_READ, NULL},
    {METHOD_DELETE, "/v1/tenants/*/keys/*", 0, ROLE_ADMIN, NULL},
    {METHOD_POST, "/v1/tokens/revoke", 0, ROLE_ADMIN, NULL},
    {METHOD_GET, "/v1/usage", 0, ROLE_READ, NULL},
    {METHOD_POST, "/v1/explain", 0, ROLE_READ, NULL},
    {METHOD_DELETE, "/v1/cache", 0, ROLE_WRITE, NULL},
};

/* "*" in the pattern takes one segment that is not empty. */
static bool matches(const char *pattern, struct str path)
{
    size_t i = 0;

    for (; *pattern; pattern++) {
        if (*pattern != '*') {
            if (i == path.n || path.p[i++] != *pattern)
                return false;
            continue;
        }
        size_t from = i;
        while (i < path.n && path.p[i] != '/')
            i++;
        if (i == from)
            return false;
    }
    return i == path.n;
}

static bool takes_method(const struct admin_route *r, uint8_t method)
{
    return r->method == method || (r->method == METHOD_GET && method == METHOD_HEAD);
}

/* The methods of a path's rows, for Allow. */
static void add_allow(struct admin_req *q, enum http_method method)
{
    struct field *allow = headers_find(&q->x.answer, STR("Allow"));
    struct str name = method_name(method);
    const char *text =
        allow ? arena_printf(&q->x.arena, "%.*s, %.*s", STR_ARG(field_value(allow)), STR_ARG(name))
              : arena_printf(&q->x.arena, "%.*s", STR_ARG(name));

    headers_set(&q->x.answer, STR("Allow"), str_of(text));
}

const struct admin_route *admin_route_find(struct admin_req *q)
{
    bool known = false;

    for (size_t i = 0; i < array_size(routes); i++) {
        const struct admin_route *r = &routes[i];
        if (!matches(r->path, q->path) || (q->conn->port->probe && !(r->flags & ROUTE_PROBE)))
            continue;
        if (takes_method(r, q->x.method))
            return r;
        known = true;
        add_allow(q, r->method);
        if (r->method == METHOD_GET)
            add_allow(q, METHOD_HEAD);
    }
    if (known)
        admin_reply_problem(q, 405, "method_not_allowed", "this path does not take this method");
    else
        admin_reply_problem(q, 404, "not_found", "there is nothing at this path");
    return NULL;
}
