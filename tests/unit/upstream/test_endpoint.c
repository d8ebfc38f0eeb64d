#include "upstream/endpoint.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct endpoints all;

static struct endpoint *ref(const char *address, uint64_t tls, const char *name)
{
    struct addr addr;
    cr_assert(addr_parse(str_of(address), &addr) == 0);
    return endpoint_ref(&all, &addr, str_of(address), name, tls);
}

Test(endpoint, one_identity_is_one_endpoint)
{
    struct endpoint *a = ref("127.0.0.1:80", 0, NULL), *b = ref("127.0.0.1:80", 0, NULL);
    cr_assert(a == b && a->refs == 2 && !a->tls);
    endpoint_unref(&all, &a);
    cr_assert_null(a);
    endpoint_unref(&all, &b);
    endpoints_fini(&all);
}

Test(endpoint, address_tls_options_and_name_tell_endpoints_apart)
{
    struct endpoint *e[] = {ref("127.0.0.1:80", 0, NULL), ref("127.0.0.1:81", 0, NULL),
                            ref("127.0.0.1:80", 1, NULL), ref("127.0.0.1:80", 2, NULL),
                            ref("127.0.0.1:80", 1, "a"),  ref("127.0.0.1:80", 1, "b")};
    for (size_t i = 0; i < 6; i++)
        for (size_t k = 0; k < i; k++)
            cr_assert(e[i] != e[k] && e[i]->slot != e[k]->slot);
    for (size_t i = 0; i < 6; i++)
        endpoint_unref(&all, &e[i]);
    endpoints_fini(&all);
}

Test(endpoint, a_free_slot_is_used_again)
{
    struct endpoint *e[20];
    char text[32];
    for (int i = 0; i < 20; i++) {
        snprintf(text, sizeof text, "127.0.0.1:%d", 1000 + i);
        e[i] = ref(text, 0, NULL);
        cr_assert(e[i]->slot == (uint32_t)i && all.slots[i] == e[i]);
    }
    endpoint_unref(&all, &e[7]);
    e[7] = ref("127.0.0.1:9", 0, NULL);
    cr_assert(e[7]->slot == 7 && all.count == 20);
    for (int i = 0; i < 20; i++)
        endpoint_unref(&all, &e[i]);
    endpoints_fini(&all);
}
