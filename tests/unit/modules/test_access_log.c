/* Lines of the access log: always one line, always JSON. */
#include "modules/access_log/access_log.h"

#include "fixture.h"

#include <criterion/criterion.h>
#include <jansson.h>

#define MS 1000000ull

static struct fixture f;
static void *inst;

static void make(void)
{
    fixture_init(&f);
    f.loop->wall_ns = 1769903999123 * MS;
    f.r.start_ns = 5000 * MS;
    f.r.end_ns = 5012 * MS;
    f.r.x.status = 200;
}

static void end(void)
{
    fixture_fini(&f);
}

TestSuite(access_log, .init = make, .fini = end);

static void create(const char *telemetry)
{
    cr_assert_eq(fixture_create(&f, &access_log_filter, "", telemetry, &inst), 0);
    cr_assert_not_null(inst);
}

/* The only line that is in the ring, parsed; the caller gives it back. */
static json_t *line(void)
{
    struct str s = ring_peek(f.ring);
    json_error_t error;

    cr_assert(s.n > 0 && s.p[s.n - 1] == '\n');
    cr_assert_null(memchr(s.p, '\n', s.n - 1), "one line");
    json_t *object = json_loadb(s.p, s.n, JSON_REJECT_DUPLICATES, &error);
    cr_assert_not_null(object, "%s in %.*s", error.text, STR_ARG(s));
    ring_consume(f.ring, s.n);
    return object;
}

static void expect_text(const json_t *o, const char *name, const char *value)
{
    const char *text = json_string_value(json_object_get(o, name));

    cr_assert(value ? text && strcmp(text, value) == 0 : !text, "%s: %s", name, text);
}

static void expect_number(const json_t *o, const char *name, json_int_t value)
{
    const json_t *number = json_object_get(o, name);

    cr_assert(json_is_integer(number) && json_integer_value(number) == value, "%s", name);
}

Test(access_log, a_proxied_request_has_all_of_its_members)
{
    create("");
    f.r.request_id = STR("id-1");
    f.r.names = (struct req_names){STR("public"),      STR("send"),    STR("email"), STR("stable"),
                                   STR("10.0.0.1:80"), STR("TLSv1.3"), STR("AES")};
    f.r.x.bytes_in = 10;
    f.r.x.bytes_out = 12345678901;
    f.r.upstream_start_ns = 5001 * MS;
    f.r.upstream_end_ns = 5003 * MS + 45000;
    f.r.attempts = 2;
    headers_add_id(&f.r.x.headers, FIELD_USER_AGENT, STR("curl/8.0"));
    access_log_filter.on_finish(&f.r, inst);
    json_t *o = line();
    expect_text(o, "@timestamp", "2026-01-31T23:59:59.123Z");
    expect_number(o, "http.response.status_code", 200);
    expect_number(o, "event.duration", 12 * MS);
    expect_text(o, "source.ip", "192.0.2.7");
    expect_number(o, "source.port", 40000);
    expect_text(o, "http.request.method", "GET");
    expect_text(o, "url.domain", "api.example.com");
    expect_text(o, "url.path", "/v1/email/42");
    expect_text(o, "url.query", "x=1");
    expect_text(o, "url.original", NULL);
    expect_text(o, "http.version", "1.1");
    expect_text(o, "http.request.id", "id-1");
    expect_number(o, "http.request.body.bytes", 10);
    expect_number(o, "http.response.body.bytes", 12345678901);
    expect_text(o, "user_agent.original", "curl/8.0");
    expect_text(o, "tls.version", "1.3");
    expect_text(o, "tls.cipher", "AES");
    expect_text(o, "tollgate.listener", "public");
    expect_text(o, "tollgate.route", "send");
    expect_text(o, "tollgate.service", "email");
    expect_text(o, "tollgate.variant", "stable");
    expect_text(o, "tollgate.endpoint", "10.0.0.1:80");
    expect_number(o, "tollgate.attempts", 2);
    cr_assert_float_eq(json_real_value(json_object_get(o, "tollgate.upstream_ms")), 2.045, 1e-9);
    expect_text(o, "tollgate.error_code", NULL);
    json_decref(o);
}

Test(access_log, a_client_that_left_first_is_499)
{
    create("");
    f.r.aborted = true;
    access_log_filter.on_finish(&f.r, inst);
    json_t *o = line();
    expect_number(o, "http.response.status_code", 499);
    json_decref(o);
}

Test(access_log, a_request_that_could_not_be_read_shows_its_target)
{
    create("");
    f.r.path = f.r.query = f.r.host = f.r.x.method_text = STR_NULL;
    f.r.x.version = 0;
    f.r.x.status = 400;
    f.r.error_code = STR("bad_request");
    access_log_filter.on_finish(&f.r, inst);
    json_t *o = line();
    expect_text(o, "url.original", "/v1/email/42?x=1");
    expect_text(o, "http.request.method", NULL);
    expect_text(o, "tollgate.error_code", "bad_request");
    json_decref(o);
}

Test(access_log, hostile_bytes_cannot_leave_their_string)
{
    char all[256];

    for (unsigned i = 0; i < sizeof all; i++)
        all[i] = (char)i;
    create("");
    f.r.path = f.r.query = f.r.host = f.r.x.method_text = str_make(all, sizeof all);
    f.r.subject = f.r.error_code = STR("\",\"admin\":true}\n{");
    headers_add_id(&f.r.x.headers, FIELD_USER_AGENT, str_make(all, sizeof all));
    access_log_filter.on_finish(&f.r, inst);
    struct str s = ring_peek(f.ring);
    json_t *o = json_loadb(s.p, s.n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
    cr_assert_not_null(o);
    cr_assert_null(memchr(s.p, '\n', s.n - 1));
    expect_text(o, "tollgate.subject", "\",\"admin\":true}\n{");
    cr_assert_null(json_object_get(o, "admin"));
    json_decref(o);
}

Test(access_log, endless_texts_are_cut)
{
    static char path[100000];

    memset(path, '"', sizeof path);
    create("");
    f.r.path = str_make(path, sizeof path);
    access_log_filter.on_finish(&f.r, inst);
    json_t *o = line();
    cr_assert_eq(json_string_length(json_object_get(o, "url.path")), 4096);
    json_decref(o);
}

Test(access_log, fields_of_the_configuration_stand_in_every_line)
{
    create("\"access_log\": {\"fields\": {\"deployment\": \"blue \\\"1\\\"\", \"n\": 5}}");
    access_log_filter.on_finish(&f.r, inst);
    json_t *o = line();
    expect_text(o, "deployment", "blue \"1\"");
    expect_text(o, "n", "5");
    json_decref(o);
}

Test(access_log, sampling_keeps_its_share_and_everything_bad_or_slow)
{
    create("\"access_log\": {\"sample\": \"10%\"}");
    unsigned lines = 0;
    for (int i = 0; i < 5000; i++) {
        access_log_filter.on_finish(&f.r, inst);
        lines += ring_peek(f.ring).n > 0;
        ring_consume(f.ring, ring_peek(f.ring).n);
    }
    cr_assert(lines > 300 && lines < 700, "%u", lines);
    for (int i = 0; i < 100; i++) {
        f.r.x.status = i % 2 ? 400 : 200;
        f.r.end_ns = f.r.start_ns + (i % 2 ? 1 : 1001 * MS);
        access_log_filter.on_finish(&f.r, inst);
        json_decref(line());
    }
}

Test(access_log, a_full_ring_drops_and_counts)
{
    create("");
    ring_commit(f.ring, f.ring->size - 100);
    access_log_filter.on_finish(&f.r, inst);
    cr_assert_eq(ring_dropped(f.ring), 1);
    f.worker.access_ring = NULL;
    access_log_filter.on_finish(&f.r, inst);
}
