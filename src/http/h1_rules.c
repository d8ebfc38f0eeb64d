/* See h1_rules.h. */
#include "http/h1_rules.h"

#include "http/uri.h"

static bool is_first(const struct headers *h, const struct field *f)
{
    return &h->v[h->first[f->id] - 1] == f;
}

static const char *check_content_length(struct h1_head *h, const struct field *f)
{
    if (!is_first(&h->headers, f))
        return "more than one Content-Length";
    if (h->headers.first[FIELD_TRANSFER_ENCODING])
        return "Content-Length beside Transfer-Encoding";
    if (!str_to_u64(field_value(f), &h->content_length) || h->content_length > INT64_MAX)
        return "malformed Content-Length";
    return NULL;
}

static const char *check_transfer_encoding(struct h1_head *h, const struct field *f)
{
    if (!is_first(&h->headers, f))
        return "more than one Transfer-Encoding";
    if (h->headers.first[FIELD_CONTENT_LENGTH])
        return "Transfer-Encoding beside Content-Length";
    if (h->minor == 0)
        return "Transfer-Encoding in HTTP/1.0";
    if (!str_eq_ci(field_value(f), STR("chunked")))
        return "Transfer-Encoding other than chunked";
    return NULL;
}

const char *h1_rules_response_field(void *message, const struct headers *headers,
                                    const struct field *f)
{
    (void)headers;
    switch (f->id) {
    case FIELD_CONTENT_LENGTH: return check_content_length(message, f);
    case FIELD_TRANSFER_ENCODING: return check_transfer_encoding(message, f);
    default: return NULL;
    }
}

const char *h1_rules_request_field(void *message, const struct headers *headers,
                                   const struct field *f)
{
    if (f->id != FIELD_HOST)
        return h1_rules_response_field(message, headers, f);
    if (!is_first(headers, f))
        return "more than one Host";
    return uri_is_authority(field_value(f)) ? NULL : "malformed Host";
}

const char *h1_rules_trailer_field(void *message, const struct headers *headers,
                                   const struct field *f)
{
    (void)message;
    (void)headers;
    switch (f->id) {
    case FIELD_CONTENT_LENGTH:
    case FIELD_TRANSFER_ENCODING:
    case FIELD_HOST: return "framing or routing field in a trailer section";
    default: return NULL;
    }
}

/* The content's framing as the fields tell, where nothing else decides. */
static enum h1_framing framing_of_fields(const struct h1_head *h, enum h1_framing without)
{
    if (h->headers.first[FIELD_TRANSFER_ENCODING])
        return H1_BODY_CHUNKED;
    return h->headers.first[FIELD_CONTENT_LENGTH] ? H1_BODY_LENGTH : without;
}

/* RFC 9112 §9.3; an Upgrade in HTTP/1.0 is ignored (RFC 9110 §7.8). What follows a CONNECT may be
 * meant for a tunnel and is never read as a request. */
static const char *finish_connection(struct h1_head *h)
{
    int options = headers_connection(&h->headers);
    if (options < 0)
        return "Connection names a field that frames or routes";
    h->keep_alive = !(options & CONNECTION_CLOSE) && h->method != METHOD_CONNECT &&
                    (h->minor || (options & CONNECTION_KEEP_ALIVE));
    h->upgrade = h->minor && (options & CONNECTION_UPGRADE) && h->headers.first[FIELD_UPGRADE];
    return NULL;
}

static bool host_is_same(struct str a, struct str b, struct str scheme_port)
{
    struct str port_a = uri_port(a), port_b = uri_port(b);
    return str_eq_ci(uri_host(a), uri_host(b)) &&
           str_eq(port_a.n ? port_a : scheme_port, port_b.n ? port_b : scheme_port);
}

/* RFC 9112 §3.2.2, stricter: a Host that differs is refused, not replaced. */
static bool host_fits_target(const struct h1_head *h, struct str host)
{
    struct uri uri;
    if (h->target.p[0] == '/' || h->method == METHOD_CONNECT)
        return true;
    if (uri_split(h->target, h->method, &uri) != URI_OK)
        return false;
    bool https = h->target.n > 5 && ascii_lower(h->target.p[4]) == 's';
    return !uri.authority.p || host_is_same(uri.authority, host, https ? STR("443") : STR("80"));
}

const char *h1_rules_request(struct h1_head *h)
{
    const struct field *host = headers_get(&h->headers, FIELD_HOST);
    if (!host && h->minor)
        return "no Host";
    if (host && !host_fits_target(h, field_value(host)))
        return "Host differs from the target";
    h->framing = (uint8_t)framing_of_fields(h, H1_BODY_NONE);
    h->expect_continue =
        h->minor && str_eq_ci(headers_value(&h->headers, FIELD_EXPECT), STR("100-continue"));
    return finish_connection(h);
}

const char *h1_rules_response(struct h1_head *h, enum http_method request)
{
    bool never = h->status < 200 || h->status == 204;
    if (never && (h->content_length || h->headers.first[FIELD_TRANSFER_ENCODING]))
        return "content announced with a status that has none";
    if (never || h->status == 304 || request == METHOD_HEAD ||
        (request == METHOD_CONNECT && h->status < 300))
        h->framing = H1_BODY_NONE;
    else
        h->framing = (uint8_t)framing_of_fields(h, H1_BODY_UNTIL_CLOSE);
    const char *error = finish_connection(h);
    if (h->framing == H1_BODY_UNTIL_CLOSE)
        h->keep_alive = false;
    return error;
}
