/* Reading trees of values by dotted paths. */
#include "base/node.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <signal.h>

static const struct node ONE = {.kind = NODE_INT, .num = 1, .text = "1", .count = 1};
static const struct node NOTHING = {.kind = NODE_NULL};
static const struct node SHORT = {.kind = NODE_DURATION, .num = 1, .text = "x", .count = 1};
static const struct node WORD = {.kind = NODE_ENUM, .num = 2, .text = "none", .count = 4};
static const struct node FILLED = {
    .kind = NODE_STRING, .flags = NODE_DEFAULT, .text = "d", .count = 1};

/* {a: [1, null, {b: 1}], ab: none, n: null, t: 1ns, d: d} */
static const struct node_item INNER_ITEMS[] = {{.key = "b", .value = &ONE}};
static const struct node INNER = {.kind = NODE_MAP, .count = 1, .items = INNER_ITEMS};
static const struct node *const ENTRIES[] = {&ONE, &NOTHING, &INNER};
static const struct node LIST = {.kind = NODE_LIST, .count = 3, .list = ENTRIES};
static const struct node_item ITEMS[] = {
    {.key = "a", .value = &LIST},  {.key = "ab", .value = &WORD},  {.key = "n", .value = &NOTHING},
    {.key = "t", .value = &SHORT}, {.key = "d", .value = &FILLED}, {.key = "x.y", .value = &ONE}};
static const struct node ROOT = {.kind = NODE_MAP, .count = 6, .items = ITEMS};

Test(node, paths_lead_through_maps_and_lists)
{
    cr_assert(eq(ptr, (void *)(uintptr_t)node_get(&ROOT, "a.2.b"), (void *)(uintptr_t)&ONE));
    cr_assert(eq(ptr, (void *)(uintptr_t)node_get(&ROOT, ""), (void *)(uintptr_t)&ROOT));
    static const char *const NOWHERE[] = {
        "b", "a.3", "a.x", "a.2.b.c", "a.99999999999999999999", "n.x", "ab.0", "a.-1", "a.1", "n"};
    for (size_t i = 0; i < sizeof NOWHERE / sizeof *NOWHERE; i++)
        cr_expect(node_get(&ROOT, NOWHERE[i]) == NULL, "%s", NOWHERE[i]);
    cr_assert(node_get(NULL, "a") == NULL);
}

Test(node, absent_values_read_as_nothing)
{
    cr_expect(not(node_bool(&ROOT, "z")));
    cr_expect(zero(i64, node_int(&ROOT, "z")));
    cr_expect(zero(u64, node_ms(&ROOT, "z")));
    cr_expect(eq(int, node_enum(&ROOT, "z"), -1));
    cr_expect(eq(i64, node_time(&ROOT, "z"), INT64_MAX));
    cr_expect(node_str(&ROOT, "z") == NULL);
    cr_expect(zero(sz, node_count(&ROOT, "z")));
    cr_expect(not(node_is(&ROOT, "z", "none")));
}

Test(node, a_word_in_place_of_a_list_counts_nothing)
{
    cr_expect(node_is(&ROOT, "ab", "none"));
    cr_expect(zero(sz, node_count(&ROOT, "ab")));
    cr_expect(eq(sz, node_count(&ROOT, "a"), 3));
}

Test(node, a_duration_never_rounds_down_to_nothing)
{
    cr_expect(eq(u64, node_ms(&ROOT, "t"), 1));
    cr_expect(eq(u64, node_ns(&ROOT, "t"), 1));
}

Test(node, members_are_found_by_their_whole_key)
{
    cr_expect(node_member(&ROOT, "x.y") == &ONE);
    cr_expect(node_member(&ROOT, "n") == &NOTHING);
    cr_expect(node_member(&ROOT, "A") == NULL);
    cr_expect(node_member(&LIST, "0") == NULL);
    cr_expect(not(node_given(&ROOT, "d")));
    cr_expect(node_given(&ROOT, "ab"));
}

Test(node, a_wrong_kind_is_a_programmers_error, .signal = SIGABRT)
{
    node_bool(&ROOT, "ab");
}
