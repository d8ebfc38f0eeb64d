/* Answers that the gateway makes itself. */
#include "core/reply.h"

#include "base/arena.h"
#include "core/core.h"
#include "core/template.h"

#include <criterion/criterion.h>
#include <jansson.h>

static struct fixture {
    struct req r;
    struct route route;
    struct arena arena; /* the snapshot's */
    char body[4096];
    bool last;
} f;

static void send_head(struct exchange *x, struct str body, bool last)
{
    x->head_sent = true;
    f.last = last;
    cr_assert_lt(body.n, sizeof f.body);
    memcpy(f.body, body.p, body.n);
    f.body[body.n] = 0;
    cr_assert_eq(x->answer_length, (int64_t)body.n);
}

static const struct codec_ops codec = {.send_head = send_head};

static void setup(void)
{
    f.r.route = &f.route;
    f.r.x.codec = &codec;
    f.r.request_id = STR("id-\"1\"");
    headers_init(&f.r.x.answer, &f.r.x.arena, 8);
}

static void teardown(void)
{
    arena_free(&f.r.x.arena);
    arena_free(&f.arena);
}

TestSuite(reply, .init = setup, .fini = teardown);

static bool has(const char *name, const char *value)
{
    const struct field *field = headers_find(&f.r.x.answer, str_of(name));
    return field && str_eq(field_value(field), str_of(value));
}

Test(reply, an_error_is_a_problem_with_its_code)
{
    reply_error(&f.r, "no_route", "nothing at \"there\"\n");
    cr_assert(f.last);
    cr_assert_eq(f.r.x.status, 404);
    cr_assert(!f.r.x.close);
    cr_assert(has("Content-Type", "application/problem+json"));
    cr_assert(str_eq(f.r.error_code, STR("no_route")));
    json_t *problem = json_loads(f.body, 0, NULL);
    cr_assert_not_null(problem, "%s", f.body);
    const char *const expected[][2] = {
        {"type", "about:blank"}, {"title", "Not Found"},     {"detail", "nothing at \"there\"\n"},
        {"code", "no_route"},    {"request_id", "id-\"1\""},
    };
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
        cr_assert_str_eq(json_string_value(json_object_get(problem, expected[i][0])),
                         expected[i][1]);
    cr_assert_eq(json_integer_value(json_object_get(problem, "status")), 404);
    json_decref(problem);
}

Test(reply, an_error_that_leaves_the_framing_unclear_closes_the_connection)
{
    reply_error(&f.r, "bad_request", NULL);
    cr_assert(f.r.x.close);
}

Test(reply, a_passing_refusal_says_when_to_come_again_unless_a_filter_knew_better)
{
    headers_add_id(&f.r.x.answer, FIELD_RETRY_AFTER, STR("77"));
    reply_error(&f.r, "queue_full", NULL);
    cr_assert(has("Retry-After", "77"));
    f.r.x.head_sent = false;
    headers_init(&f.r.x.answer, &f.r.x.arena, 8);
    reply_error(&f.r, "queue_full", NULL);
    cr_assert(has("Retry-After", "1"));
}

Test(reply, every_status_of_the_parser_has_its_code)
{
    const struct {
        unsigned status;
        const char *code;
    } rows[] = {
        {400, "bad_request"},     {408, "request_timeout"},   {413, "body_too_large"},
        {414, "target_too_long"}, {431, "headers_too_large"}, {505, "http_version_not_supported"},
        {501, "not_implemented"}, {599, "internal_error"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_assert_str_eq(reply_code_of_status(rows[i].status), rows[i].code);
    cr_assert_eq(reply_lookup("upstream_timeout")->status, 504);
}

Test(reply, a_route_answers_by_itself_with_filled_texts)
{
    struct buf error = {0};
    struct respond_field field = {STR("Location"),
                                  template_compile(&f.arena, "/new/${client_ip}", &error)};
    f.route = (struct route){.respond_status = 307,
                             .respond_body = template_compile(&f.arena, "to ${route}", &error),
                             .respond_fields = &field,
                             .respond_field_count = 1};
    f.r.names.route = STR("moved");
    f.r.client_ip = STR("192.0.2.7");
    reply_respond(&f.r);
    cr_assert_eq(f.r.x.status, 307);
    cr_assert_str_eq(f.body, "to moved");
    cr_assert(has("Location", "/new/192.0.2.7"));
    cr_assert(has("Content-Type", "text/plain; charset=utf-8"));
}

Test(reply, a_route_without_a_body_sends_none)
{
    f.route.respond_status = 204;
    reply_respond(&f.r);
    cr_assert_str_eq(f.body, "");
    cr_assert_null(headers_find(&f.r.x.answer, STR("Content-Type")));
}
