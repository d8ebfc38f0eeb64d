/* Fields changed on the way to the service and to the client. */
#include "modules/headers/headers.h"

#include "fixture.h"

#include <criterion/criterion.h>

static struct fixture f;
static void *inst;

static void make(void)
{
    fixture_init(&f);
}

static void end(void)
{
    fixture_fini(&f);
}

TestSuite(headers_module, .init = make, .fini = end);

static void request(const char *route)
{
    cr_assert_eq(fixture_create(&f, &headers_filter, route, "", &inst), 0, "%s",
                 buf_text(&f.error));
    cr_assert_not_null(inst);
    cr_assert_eq(headers_filter.on_request(&f.r, inst), TG_NEXT);
}

static void expect(const struct headers *h, const char *name, const char *value)
{
    struct str v = fixture_field(h, name);

    cr_assert(value ? str_eq(v, str_of(value)) : v.p == NULL, "%s: \"%.*s\"", name, STR_ARG(v));
}

Test(headers_module, a_route_that_changes_nothing_has_no_instance)
{
    cr_assert_eq(fixture_create(&f, &headers_filter, "", "", &inst), 0);
    cr_assert_null(inst);
}

Test(headers_module, fields_are_removed_set_and_added)
{
    struct headers *h = &f.r.x.headers;

    headers_add(h, STR("X-Old"), STR("1"));
    headers_add(h, STR("X-Twice"), STR("1"));
    headers_add(h, STR("X-Twice"), STR("2"));
    headers_add(h, STR("Accept"), STR("a"));
    request("\"request_headers\": {\"remove\": [\"x-old\"], \"set\": {\"X-Twice\": \"3\"},"
            "\"add\": {\"Accept\": \"b\"}}");
    expect(h, "X-Old", NULL);
    expect(h, "X-Twice", "3");
    const struct field *accept = headers_get(h, FIELD_ACCEPT);
    cr_assert(str_eq(field_value(accept), STR("a")));
    cr_assert(str_eq(field_value(headers_next(h, accept)), STR("b")));
}

Test(headers_module, values_are_filled_per_request)
{
    f.r.request_id = STR("id-1");
    request("\"request_headers\": {\"set\": {\"X-From\": \"${client_ip} ${request_id}\"}}");
    expect(&f.r.x.headers, "X-From", "192.0.2.7 id-1");
}

Test(headers_module, a_value_that_fills_to_nothing_removes_the_field_that_came)
{
    headers_add(&f.r.x.headers, STR("X-Who"), STR("forged"));
    request("\"request_headers\": {\"set\": {\"X-Who\": \"${tenant}\"}}");
    expect(&f.r.x.headers, "X-Who", NULL);
}

Test(headers_module, a_line_end_in_a_value_never_reaches_the_wire)
{
    f.r.subject = STR("ada\r\nX-Admin: yes");
    request("\"request_headers\": {\"set\": {\"X-Who\": \"${subject}\"}}");
    expect(&f.r.x.headers, "X-Who", NULL);
}

Test(headers_module, the_answer_is_changed_too)
{
    headers_add_id(&f.r.x.answer, FIELD_SERVER, STR("secret/1.0"));
    request("\"response_headers\": {\"remove\": [\"Server\"], \"set\": {\"X-Gw\": \"tollgate\"}}");
    headers_filter.on_response(&f.r, inst);
    expect(&f.r.x.answer, "Server", NULL);
    expect(&f.r.x.answer, "X-Gw", "tollgate");
    expect(&f.r.x.headers, "X-Gw", NULL);
}

Test(headers_module, hsts_goes_only_over_tls)
{
    request("\"hsts\": {\"max_age\": 60}");
    headers_filter.on_response(&f.r, inst);
    expect(&f.r.x.answer, "Strict-Transport-Security", NULL);
    f.r.names.tls_version = STR("TLSv1.3");
    headers_filter.on_response(&f.r, inst);
    expect(&f.r.x.answer, "Strict-Transport-Security", "max-age=60; includeSubDomains");
}

Test(headers_module, hsts_without_subdomains)
{
    f.r.names.tls_version = STR("TLSv1.3");
    request("\"hsts\": {\"include_subdomains\": false}");
    headers_filter.on_response(&f.r, inst);
    expect(&f.r.x.answer, "Strict-Transport-Security", "max-age=31536000");
}
