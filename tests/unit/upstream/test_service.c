#include "upstream/service.h"

#include "upstream/pool.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <criterion/criterion.h>
#include <stdio.h>

static struct variant variants[3] = {{.name = {"a", 1}}, {.name = {"b", 1}}, {.name = {"c", 1}}};
static struct rand dice;

static struct service service_of(uint32_t a, uint32_t b, uint32_t c)
{
    variants[0].weight = a;
    variants[1].weight = b;
    variants[2].weight = c;
    rand_seed(&dice);
    return (struct service){
        .name = STR("email"), .variants = variants, .variant_count = 3, .weight_sum = a + b + c};
}

static struct str key_of(int i, char text[16])
{
    return str_make(text, (size_t)snprintf(text, 16, "tenant-%d", i));
}

Test(service, a_key_goes_where_the_hash_of_service_and_key_says)
{
    struct service s = service_of(90, 0, 10);
    for (int i = 0; i < 5000; i++) {
        char text[16], whole[32];
        struct str key = key_of(i, text);
        memcpy(whole, "email", 6); /* its NUL is part of it */
        memcpy(whole + 6, key.p, key.n);
        bool last = XXH64(whole, 6 + key.n, 0) % 10000 >= 9000;
        cr_assert_eq(service_pick(&s, key, &dice), &variants[last ? 2 : 0]);
    }
}

Test(service, shares_follow_the_weights_with_and_without_a_key)
{
    for (int keyed = 0; keyed < 2; keyed++) {
        struct service s = service_of(70, 20, 10);
        int count[3] = {0};
        for (int i = 0; i < 20000; i++) {
            char text[16];
            struct str key = keyed ? key_of(i, text) : STR_NULL;
            count[service_pick(&s, key, &dice) - variants]++;
        }
        cr_assert(count[0] > 13600 && count[0] < 14400, "%d", count[0]);
        cr_assert(count[1] > 3700 && count[1] < 4300, "%d", count[1]);
        cr_assert(count[2] > 1800 && count[2] < 2200, "%d", count[2]);
    }
}

Test(service, who_is_in_the_last_variant_stays_in_it_as_it_grows)
{
    for (int i = 0; i < 2000; i++) {
        char text[16];
        struct str key = key_of(i, text);
        bool was = false;
        for (uint32_t share = 0; share <= 100; share += 5) {
            struct service s = service_of(100 - share, 0, share);
            bool is = service_pick(&s, key, &dice) == &variants[2];
            cr_assert(is || !was);
            was = is;
        }
        cr_assert(was);
    }
}

Test(service, weights_of_nothing_pick_nothing_and_a_zero_is_never_picked)
{
    struct service none = service_of(0, 0, 0), middle = service_of(0, 7, 0);
    cr_assert_null(service_pick(&none, STR("x"), &dice));
    for (int i = 0; i < 1000; i++)
        cr_assert_eq(service_pick(&middle, STR_NULL, &dice), &variants[1]);
}

Test(service, one_variant_of_weight_zero_gets_nothing)
{
    struct service s = service_of(0, 0, 0);
    s.variant_count = 1;
    cr_assert_null(service_pick(&s, STR_NULL, &dice));
}

static struct pool_slot slots[3], *slot_list[3] = {&slots[0], &slots[1], &slots[2]};
static struct endpoint endpoints[3] = {{.slot = 0}, {.slot = 1}, {.slot = 2}};

static void picks(const struct variant_endpoint *e, uint32_t n, uint32_t sum, int count[3])
{
    struct pool pool = {.slots = slot_list, .slot_count = 3};
    struct variant v = {.endpoints = (struct variant_endpoint *)(uintptr_t)e,
                        .endpoint_count = n,
                        .weight_sum = sum};
    rand_seed(&dice);
    memset(count, 0, 3 * sizeof *count);
    for (int i = 0; i < 9000; i++)
        count[variant_pick(&v, &pool, &dice) - endpoints]++;
}

Test(service, equal_endpoints_share_equally_while_nobody_is_busy)
{
    struct variant_endpoint e[] = {{&endpoints[0], 1}, {&endpoints[1], 1}, {&endpoints[2], 1}};
    int count[3];
    picks(e, 3, 3, count);
    for (int i = 0; i < 3; i++)
        cr_assert(count[i] > 2600 && count[i] < 3400, "%d: %d", i, count[i]);
}

Test(service, the_busier_of_two_is_avoided)
{
    struct variant_endpoint e[] = {{&endpoints[0], 1}, {&endpoints[1], 1}};
    int count[3];
    slots[0].in_flight = 10;
    picks(e, 2, 2, count);
    slots[0].in_flight = 0;
    cr_assert(count[0] > 1900 && count[0] < 2600, "only when drawn twice: %d", count[0]);
}

Test(service, heavier_endpoints_get_more)
{
    struct variant_endpoint e[] = {{&endpoints[0], 3}, {&endpoints[1], 1}};
    int count[3];
    picks(e, 2, 4, count);
    cr_assert_gt(count[0], 6000);
    cr_assert_gt(count[1], 300);
}

Test(service, a_variant_without_endpoints_has_none_to_pick)
{
    struct variant v = {0};
    struct pool pool = {0};
    cr_assert_null(variant_pick(&v, &pool, &dice));
}
