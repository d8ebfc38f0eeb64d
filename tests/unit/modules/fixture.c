/* See fixture.h. */
#include "fixture.h"

#include <criterion/criterion.h>

void fixture_init(struct fixture *f)
{
    struct req *r = &f->r;

    *f = (struct fixture){0};
    f->loop = loop_new();
    f->ring = ring_new(1 << 20, -1);
    f->worker = (struct req_worker){.loop = f->loop, .access_ring = f->ring};
    r->worker = &f->worker;
    headers_init(&r->x.headers, &r->x.arena, 8);
    headers_init(&r->x.answer, &r->x.arena, 8);
    r->x.method = METHOD_GET;
    r->x.method_text = STR("GET");
    r->x.version = 11;
    r->x.target = STR("/v1/email/42?x=1");
    r->path = STR("/v1/email/42");
    r->query = STR("x=1");
    r->host = STR("api.example.com");
    r->client_ip = STR("192.0.2.7");
    r->client_port = 40000;
    r->names.listener = STR("public");
}

void fixture_fini(struct fixture *f)
{
    arena_free(&f->r.x.arena);
    arena_free(&f->arena);
    ring_free(&f->ring);
    loop_free(f->loop);
    buf_free(&f->error);
    conf_unref(&f->conf);
}

int fixture_create(struct fixture *f, const struct tg_filter *filter, const char *route,
                   const char *telemetry, void **inst)
{
    struct conf_errors errors = {0};
    struct buf text = {0};

    buf_printf(&text,
               "{\"listeners\": [{\"name\": \"public\", \"address\": \"127.0.0.1:1\"}],"
               "\"telemetry\": {%s},"
               "\"services\": [{\"name\": \"email\", \"variants\": "
               "[{\"name\": \"stable\", \"weight\": 1, \"endpoints\": [\"127.0.0.1:2\"]}]}],"
               "\"routes\": [{\"name\": \"send\", \"service\": \"email\", \"auth\": \"none\","
               "\"limits\": \"none\"%s%s}]}",
               telemetry, *route ? "," : "", route);
    if (conf_load_text("/tmp/test.json", text.p, text.n, NULL, &f->conf, &errors) != 0)
        conf_errors_print(&errors, "", stderr);
    cr_assert_not_null(f->conf, "%s", text.p);
    conf_errors_fini(&errors);
    buf_free(&text);
    struct tg_build b = {
        .arena = &f->arena,
        .root = conf_root(f->conf),
        .route = node_get(conf_root(f->conf), "routes.0"),
        .error = &f->error,
    };
    *inst = NULL;
    return filter->create(&b, inst);
}

struct str fixture_field(const struct headers *h, const char *name)
{
    const struct field *f = headers_find(h, str_of(name));

    if (!f)
        return STR_NULL;
    cr_assert_null(headers_next(h, f), "%s twice", name);
    return field_value(f);
}
