/* The example module does what its page says. */
#include "modules/skeleton/skeleton.h"

#include "base/node.h"
#include "core/snapshot.h"
#include "fixture.h"

#include <criterion/criterion.h>

static struct fixture f;

static void make(void)
{
    fixture_init(&f);
}

static void end(void)
{
    fixture_fini(&f);
}

TestSuite(skeleton, .init = make, .fini = end);

/* The schema does not know the example's key, so its tree is made here. */
static struct node text_node(const char *text)
{
    return (struct node){.kind = NODE_STRING, .text = text, .count = (uint32_t)strlen(text)};
}

static int create(const struct node *value, const struct node *refuse, void **inst)
{
    struct node_item keys[2] = {{.key = "value", .value = value},
                                {.key = "refuse", .value = refuse}};
    struct node conf = {.kind = NODE_MAP, .count = 2, .items = keys};
    struct node_item key = {.key = "skeleton", .value = &conf};
    struct node route = {.kind = NODE_MAP, .count = 1, .items = &key};
    struct tg_build b = {.arena = &f.arena, .route = &route, .error = &f.error};

    *inst = NULL;
    return skeleton_filter.create(&b, inst);
}

Test(skeleton, puts_its_field_on_request_and_answer)
{
    struct node value = text_node("hello"), refuse = {.kind = NODE_BOOL};
    void *inst;

    cr_assert_eq(create(&value, &refuse, &inst), 0);
    cr_assert_eq(skeleton_filter.on_request(&f.r, inst), TG_NEXT);
    skeleton_filter.on_response(&f.r, inst);
    cr_assert(str_eq(fixture_field(&f.r.x.headers, "X-Skeleton"), STR("hello")));
    cr_assert(str_eq(fixture_field(&f.r.x.answer, "X-Skeleton"), STR("hello")));
}

static struct str sent;

static void on_send(struct exchange *x, struct str body, bool last)
{
    (void)x;
    (void)last;
    sent = body;
}

Test(skeleton, answers_in_the_services_place_when_it_refuses)
{
    static const struct codec_ops codec = {.send_head = on_send};
    static const struct route no_filters;
    struct node value = text_node("hello"), refuse = {.kind = NODE_BOOL, .truth = true};
    void *inst;

    f.r.x.codec = &codec;
    f.r.route = &no_filters;
    cr_assert_eq(create(&value, &refuse, &inst), 0);
    cr_assert_eq(skeleton_filter.on_request(&f.r, inst), TG_DONE);
    cr_assert_eq(f.r.x.status, 403);
    cr_assert(memmem(sent.p, sent.n, "acl_denied", 10) != NULL);
}

Test(skeleton, refuses_a_configuration_without_a_value)
{
    struct node refuse = {.kind = NODE_BOOL};
    void *inst;

    cr_assert_eq(create(NULL, &refuse, &inst), -1);
    cr_assert_gt(f.error.n, 0);
    cr_assert_null(inst);
}

Test(skeleton, a_route_without_its_key_has_no_instance)
{
    void *inst;

    cr_assert_eq(fixture_create(&f, &skeleton_filter, "", "", &inst), 0);
    cr_assert_null(inst);
}
