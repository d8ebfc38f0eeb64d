/* See forward.h. */
#include "core/forward.h"

#include "core/conn.h"
#include "http/h1_write.h"

enum { ALIAS_MAX = 20 }; /* bytes of the longest name below */

/* What the gateway says to services itself; a client may never say it for the gateway. */
static const uint8_t vouched_fields[] = {
    FIELD_X_TENANT_ID,     FIELD_X_AUTH_SUBJECT,   FIELD_X_AUTH_SCOPES,     FIELD_X_AUTH_METHOD,
    FIELD_X_FORWARDED_FOR, FIELD_X_FORWARDED_HOST, FIELD_X_FORWARDED_PROTO, FIELD_X_FORWARDED_PORT,
    FIELD_FORWARDED,       FIELD_X_REQUEST_ID,     FIELD_TRANSFER_ENCODING, FIELD_CONTENT_LENGTH,
};

/* What else is decided upon when the head is read: RFC 9110 §6.5.1 keeps it out of trailers. */
static const uint8_t head_fields[] = {
    FIELD_AUTHORIZATION, FIELD_X_API_KEY, FIELD_COOKIE, FIELD_EXPECT, FIELD_TE, FIELD_VIA,
};

static void drop(struct headers *h, const uint8_t *ids, size_t n)
{
    for (size_t i = 0; i < n; i++)
        headers_remove_id(h, ids[i]);
}

/* "X_Tenant_Id" for one: to services that read fields as CGI variables it is "X-Tenant-Id". */
static bool is_alias(const struct field *f)
{
    char name[ALIAS_MAX];
    if (f->id != FIELD_OTHER || f->name_len > ALIAS_MAX || !memchr(f->name, '_', f->name_len))
        return false;
    for (unsigned i = 0; i < f->name_len; i++)
        name[i] = f->name[i] == '_' ? '-' : f->name[i];
    enum field_id id = field_lookup(name, f->name_len);
    return id != FIELD_OTHER && memchr(vouched_fields, id, sizeof vouched_fields);
}

static void drop_vouched(struct headers *h)
{
    drop(h, vouched_fields, array_size(vouched_fields));
    for (size_t i = 0; i < h->n; i++)
        if (is_alias(&h->v[i]))
            h->v[i].flags |= FIELD_DROPPED;
}

void forward_trailers(struct headers *trailers)
{
    if (trailers->n == 0)
        return;
    drop_vouched(trailers);
    drop(trailers, head_fields, array_size(head_fields));
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
    drop_vouched(h); /* the codec writes its own framing */
    headers_remove_id(h, FIELD_EXPECT);
    headers_add_id(h, FIELD_X_FORWARDED_FOR, r->client_ip);
    headers_add_id(h, FIELD_X_FORWARDED_PROTO, l->tls ? STR("https") : STR("http"));
    headers_add_id(h, FIELD_X_FORWARDED_PORT, l->port);
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
