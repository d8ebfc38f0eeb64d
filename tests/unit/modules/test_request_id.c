/* Identifiers of requests. */
#include "modules/request_id/request_id.h"

#include "fixture.h"

#include <criterion/criterion.h>

static struct fixture f;
static void *inst;

static void make(void)
{
    fixture_init(&f);
    cr_assert_eq(fixture_create(&f, &request_id_filter, "", "", &inst), 0);
    cr_assert_not_null(inst);
}

static void end(void)
{
    fixture_fini(&f);
}

TestSuite(request_id, .init = make, .fini = end);

Test(request_id, is_32_hexadecimal_digits_and_new_each_time)
{
    char first[32];

    cr_assert_eq(request_id_filter.on_request(&f.r, inst), TG_NEXT);
    cr_assert_eq(f.r.request_id.n, 32);
    for (size_t i = 0; i < 32; i++)
        cr_assert_geq(ascii_hex(f.r.request_id.p[i]), 0);
    memcpy(first, f.r.request_id.p, 32);
    request_id_filter.on_request(&f.r, inst);
    cr_assert_neq(memcmp(first, f.r.request_id.p, 32), 0);
}

Test(request_id, replaces_the_one_that_the_client_sent_and_comes_back_with_the_answer)
{
    headers_add(&f.r.x.headers, STR("x-request-id"), STR("forged"));
    headers_add(&f.r.x.answer, STR("X-Request-Id"), STR("the service's"));
    request_id_filter.on_request(&f.r, inst);
    request_id_filter.on_response(&f.r, inst);
    cr_assert(str_eq(fixture_field(&f.r.x.headers, "X-Request-Id"), f.r.request_id));
    cr_assert(str_eq(fixture_field(&f.r.x.answer, "X-Request-Id"), f.r.request_id));
}
