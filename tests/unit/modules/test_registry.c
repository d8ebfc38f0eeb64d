/* The table of built-in modules. */
#include "core/filter.h"

#include <criterion/criterion.h>

Test(registry, every_module_has_a_name_of_its_own_and_can_be_created)
{
    size_t n = 0;

    for (; tg_filters[n]; n++) {
        cr_assert_not_null(tg_filters[n]->create);
        for (size_t i = 0; i < n; i++)
            cr_assert_str_neq(tg_filters[i]->name, tg_filters[n]->name);
    }
    cr_assert_gt(n, 0);
    cr_assert_leq(n, REQ_FILTERS_MAX);
}
