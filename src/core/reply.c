/* See reply.h. */
#include "core/reply.h"

#include "base/check.h"
#include "core/chain.h"
#include "core/core.h"
#include "http/h1_write.h"

static const struct reply_code codes[] = {
    {"bad_request", 400, true, 0},
    {"unauthenticated", 401, false, 0},
    {"insufficient_scope", 403, false, 0},
    {"tenant_disabled", 403, false, 0},
    {"tenant_unknown", 403, false, 0},
    {"region_not_allowed", 403, false, 0},
    {"ip_denied", 403, false, 0},
    {"acl_denied", 403, false, 0},
    {"no_route", 404, false, 0},
    {"method_not_allowed", 405, false, 0},
    {"request_timeout", 408, true, 0},
    {"idempotency_conflict", 409, false, 1},
    {"body_too_large", 413, true, 0},
    {"cost_exceeds_limit", 413, false, 0},
    {"target_too_long", 414, true, 0},
    {"unsupported_media_type", 415, false, 0},
    {"misdirected_request", 421, false, 0},
    {"invalid_body", 422, false, 0},
    {"idempotency_mismatch", 422, false, 0},
    {"rate_limited", 429, false, 0},
    {"quota_exceeded", 429, false, 0},
    {"too_many_connections", 429, true, 1},
    {"headers_too_large", 431, true, 0},
    {"internal_error", 500, false, 0},
    {"not_implemented", 501, false, 0},
    {"upstream_unreachable", 502, false, 0},
    {"upstream_reset", 502, false, 0},
    {"upstream_invalid_response", 502, false, 0},
    {"no_healthy_endpoint", 503, false, 1},
    {"circuit_open", 503, false, 1},
    {"queue_full", 503, false, 1},
    {"store_unavailable", 503, false, 1},
    {"draining", 503, true, 1},
    {"upstream_timeout", 504, false, 0},
    {"queue_timeout", 504, false, 0},
    {"http_version_not_supported", 505, true, 0},
};

const struct reply_code *reply_lookup(const char *code)
{
    for (size_t i = 0; i < array_size(codes); i++)
        if (strcmp(codes[i].code, code) == 0)
            return &codes[i];
    check_failed(__FILE__, __LINE__, code);
}

const char *reply_code_of_status(unsigned status)
{
    for (size_t i = 0; i < array_size(codes); i++)
        if (codes[i].status == status)
            return codes[i].code;
    return "internal_error";
}

struct str reply_problem(struct arena *arena, unsigned status, const char *code, const char *detail,
                         struct str request_id)
{
    struct buf b = {0};
    buf_printf(&b, "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%u,\"detail\":\"",
               http_reason(status).p, status);
    buf_add_json(&b, str_of(detail ? detail : http_reason(status).p));
    buf_printf(&b, "\",\"code\":\"%s\",\"request_id\":\"", code);
    buf_add_json(&b, request_id);
    buf_add(&b, "\"}\n", 3);
    struct str out = arena_str(arena, str_make(b.p, b.n));
    buf_free(&b);
    return out;
}

/* The head is final: answer filters run, then all of it leaves. */
static void reply_send(struct req *r, struct str body)
{
    r->answered = true;
    r->x.answer_length = (int64_t)body.n;
    chain_answer(r);
    r->x.codec->send_head(&r->x, body, true);
}

void reply_error(struct req *r, const char *code, const char *detail)
{
    const struct reply_code *row = reply_lookup(code);
    ensure(!r->x.head_sent);
    r->x.status = row->status;
    r->x.reason = STR_NULL;
    r->error_code = str_of(row->code);
    r->x.close |= row->close;
    struct str body = reply_problem(&r->x.arena, row->status, code, detail, r->request_id);
    headers_set_id(&r->x.answer, FIELD_CONTENT_TYPE, STR("application/problem+json"));
    if (row->retry_after && !headers_get(&r->x.answer, FIELD_RETRY_AFTER))
        headers_add_id(&r->x.answer, FIELD_RETRY_AFTER,
                       str_of(arena_printf(&r->x.arena, "%u", row->retry_after)));
    reply_send(r, body);
}

void tg_reply_error(struct req *r, const char *code, const char *detail)
{
    reply_error(r, code, detail);
}

void reply_respond(struct req *r)
{
    const struct route *route = r->route;
    r->x.status = route->respond_status;
    for (size_t i = 0; i < route->respond_field_count; i++)
        headers_add(&r->x.answer, route->respond_fields[i].name,
                    template_fill(route->respond_fields[i].value, r));
    struct str body = route->respond_body ? template_fill(route->respond_body, r) : STR("");
    if (body.n && !headers_get(&r->x.answer, FIELD_CONTENT_TYPE))
        headers_add_id(&r->x.answer, FIELD_CONTENT_TYPE, STR("text/plain; charset=utf-8"));
    reply_send(r, body);
}
