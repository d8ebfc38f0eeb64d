/* See forward.h. */
#include "core/forward.h"

#include "core/conn.h"
#include "http/h1_write.h"

/* Set by the gateway once it knows; a client may never say them. */
static const uint8_t identity_fields[] = {
    FIELD_X_TENANT_ID,
    FIELD_X_AUTH_SUBJECT,
    FIELD_X_AUTH_SCOPES,
    FIELD_X_AUTH_METHOD,
};

static void drop_identity(struct headers *h)
{
    for (size_t i = 0; i < array_size(identity_fields); i++)
        headers_remove_id(h, identity_fields[i]);
}

void forward_trailers(struct headers *trailers)
{
    if (trailers->n == 0)
        return;
    drop_identity(trailers);
    if (headers_strip_hop_by_hop(trailers) != 0)
        trailers->n = 0;
}

static void forward_via(struct req *r)
{
    struct headers *h = &r->x.headers;
    struct str mine = r->x.version == 10 ? STR("1.0 tollgate") : STR("1.1 tollgate");
    struct buf all = {0};
    const struct field *f = headers_get(h, FIELD_VIA);
    if (!f) {
        headers_add_id(h, FIELD_VIA, mine);
        return;
    }
    for (; f; f = headers_next(h, f)) {
        buf_add_str(&all, field_value(f));
        buf_add(&all, ", ", 2);
    }
    buf_add_str(&all, mine);
    headers_set_id(h, FIELD_VIA, arena_str(&r->x.arena, str_make(all.p, all.n)));
    buf_free(&all);
}

void forward_prepare(struct req *r)
{
    struct headers *h = &r->x.headers;
    const struct snapshot_listener *l = r->conn->listener;
    drop_identity(h);
    headers_remove_id(h, FIELD_CONTENT_LENGTH); /* the codec writes its own framing */
    headers_remove_id(h, FIELD_EXPECT);
    headers_set_id(h, FIELD_X_FORWARDED_FOR, r->client_ip);
    headers_set_id(h, FIELD_X_FORWARDED_PROTO, l->tls ? STR("https") : STR("http"));
    headers_set_id(h, FIELD_X_FORWARDED_PORT, l->port);
    headers_remove_id(h, FIELD_X_FORWARDED_HOST);
    if (r->x.authority.n)
        headers_add_id(h, FIELD_X_FORWARDED_HOST, r->x.authority);
    forward_via(r);
}

static void forward_host(struct req *r, const struct endpoint *e)
{
    struct headers *h = &r->x.headers;
    const struct rewrite *w = &r->route->rewrite;
    if (w->host_kind == REWRITE_HOST_NAME)
        headers_set_id(h, FIELD_HOST, w->host);
    else if (w->host_kind == REWRITE_HOST_ENDPOINT)
        headers_set_id(h, FIELD_HOST, e->name);
    else if (!headers_get(h, FIELD_HOST)) /* HTTP/1.0 */
        headers_add_id(h, FIELD_HOST, r->x.authority.n ? r->x.authority : e->name);
}

void forward_head(struct req *r, const struct endpoint *e, struct str path, struct buf *out)
{
    forward_host(r, e);
    h1_write_request(out, r->x.method_text, path, r->query, &r->x.headers, r->x.has_body,
                     r->x.length);
}
