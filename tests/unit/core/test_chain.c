/* The filter chain with filters of the tests' own: order, waiting, refusing, and what ends it. */
#include "core/chain.h"
#include "core/core.h"
#include "core/filter.h"
#include "core/reply.h"

#include <criterion/criterion.h>
#include <stdio.h>

enum { FILTERS = 4 };

/* What filter i is told to say; calls are written down as "1>" (request), "1<" (answer), "1."
 * (end), "1x" (wait cancelled) and "=" (head sent). */
static struct plan {
    enum tg_verdict say[FILTERS];
    uint64_t wait_ms;
    bool resume_at_once;
    char calls[128];
} plan;

static struct fixture {
    struct loop *loop;
    struct core core;
    struct route route;
    struct route_filter filters[FILTERS];
    struct tg_filter kinds[FILTERS];
    unsigned numbers[FILTERS];
    struct req r;
    struct timer timer; /* of the test */
} f;

static void note(unsigned number, char what)
{
    size_t n = strlen(plan.calls);
    snprintf(plan.calls + n, sizeof plan.calls - n, "%u%c", number, what);
}

static void on_cancel(struct req *r, void *ctx)
{
    (void)r;
    note(*(unsigned *)ctx, 'x');
}

static enum tg_verdict on_request(struct req *r, void *inst)
{
    unsigned number = *(unsigned *)inst;
    note(number, '>');
    switch (plan.say[number]) {
    case TG_WAIT:
        tg_wait(r, on_cancel, inst, plan.wait_ms);
        if (plan.resume_at_once)
            tg_resume(r);
        break;
    case TG_DONE: tg_reply_error(r, "rate_limited", NULL); break;
    default: break;
    }
    return plan.say[number];
}

static void on_response(struct req *r, void *inst)
{
    (void)r;
    note(*(unsigned *)inst, '<');
}

static void on_finish(struct req *r, void *inst)
{
    (void)r;
    note(*(unsigned *)inst, '.');
}

static void send_head(struct exchange *x, struct str body, bool last)
{
    (void)body;
    cr_assert(last && !x->head_sent);
    x->head_sent = x->last_sent = true;
    strcat(plan.calls, "=");
}

static const struct codec_ops codec = {.send_head = send_head};

/* A request on a route with `respond` and four filters: log, two that decide, fields. */
static void setup(void)
{
    static const enum tg_phase phases[FILTERS] = {TG_PHASE_LOG, TG_PHASE_AUTH, TG_PHASE_LIMITS,
                                                  TG_PHASE_TRANSFORM};
    plan = (struct plan){.wait_ms = 5000};
    f.loop = loop_new();
    f.core.h1.loop = f.loop;
    list_init(&f.core.spare);
    for (unsigned i = 0; i < FILTERS; i++) {
        f.numbers[i] = i;
        f.kinds[i] = (struct tg_filter){.phase = phases[i],
                                        .on_request = on_request,
                                        .on_response = on_response,
                                        .on_finish = on_finish};
        f.filters[i] = (struct route_filter){&f.kinds[i], &f.numbers[i]};
    }
    f.route = (struct route){.filters = f.filters, .filter_count = FILTERS, .respond_status = 200};
    f.r.core = &f.core;
    f.r.route = &f.route;
    f.r.x.codec = &codec;
    headers_init(&f.r.x.answer, &f.r.x.arena, 8);
}

static void teardown(void)
{
    arena_free(&f.r.x.arena);
    loop_free(f.loop);
}

TestSuite(chain, .init = setup, .fini = teardown);

static void expect_calls(const char *expected)
{
    cr_assert_str_eq(plan.calls, expected, "%s", plan.calls);
    plan.calls[0] = 0;
}

static void on_stop(struct timer *t)
{
    (void)t;
    loop_stop(f.loop);
}

static void on_resume(struct timer *t)
{
    (void)t;
    tg_resume(&f.r);
}

/* Lets the loop turn for some time; before that `fire` is called if there is one. */
static void turn(uint64_t ms, void (*fire)(struct timer *))
{
    struct timer stop = {.fire = on_stop};
    f.timer.fire = fire;
    if (fire)
        timer_set(f.loop, &f.timer, 1);
    timer_set(f.loop, &stop, ms);
    loop_run(f.loop);
}

Test(chain, filters_run_in_order_and_answers_pass_them_in_reverse)
{
    chain_start(&f.r);
    expect_calls("0>1>2>3>3<2<1<0<=");
    chain_finish(&f.r);
    expect_calls("3.2.1.0.");
}

Test(chain, an_answer_of_a_filter_passes_only_those_that_ran)
{
    plan.say[1] = TG_DONE;
    chain_start(&f.r);
    expect_calls("0>1>1<0<=");
    cr_assert_eq(f.r.x.status, 429);
    chain_finish(&f.r);
    expect_calls("1.0.");
}

Test(chain, a_filter_that_fails_is_an_internal_error)
{
    plan.say[2] = TG_FAIL;
    chain_start(&f.r);
    expect_calls("0>1>2>2<1<0<=");
    cr_assert_eq(f.r.x.status, 500);
}

Test(chain, a_wait_goes_on_with_the_next_filter)
{
    plan.say[1] = TG_WAIT;
    chain_start(&f.r);
    expect_calls("0>1>");
    turn(20, on_resume);
    expect_calls("2>3>3<2<1<0<=");
    chain_finish(&f.r);
    expect_calls("3.2.1.0.");
}

Test(chain, a_wait_may_be_over_before_the_filter_returns)
{
    plan.say[1] = TG_WAIT;
    plan.resume_at_once = true;
    chain_start(&f.r);
    expect_calls("0>1>"); /* no recursion: it goes on at the turn's end */
    turn(10, NULL);
    expect_calls("2>3>3<2<1<0<=");
}

Test(chain, a_wait_that_takes_too_long_is_cancelled_and_an_internal_error)
{
    plan.say[1] = TG_WAIT;
    plan.wait_ms = 5;
    chain_start(&f.r);
    turn(40, NULL);
    expect_calls("0>1>1x1<0<=");
    cr_assert_eq(f.r.x.status, 500);
    chain_finish(&f.r);
    expect_calls("1.0.");
}

Test(chain, a_request_that_ends_while_it_waits_cancels_once)
{
    plan.say[2] = TG_WAIT;
    chain_start(&f.r);
    chain_finish(&f.r);
    expect_calls("0>1>2>2x2.1.0.");
    turn(20, NULL); /* its deadline went with it */
    expect_calls("");
}

Test(chain, a_request_that_ends_between_resume_and_the_turns_end_goes_no_further)
{
    plan.say[1] = TG_WAIT;
    plan.resume_at_once = true;
    chain_start(&f.r);
    chain_finish(&f.r);
    expect_calls("0>1>1.0.");
    turn(10, NULL);
    expect_calls("");
}

Test(chain, a_refused_request_passes_what_decides_nothing)
{
    chain_run_common(&f.r);
    reply_error(&f.r, "body_too_large", NULL);
    expect_calls("0>3>3<0<=");
    chain_finish(&f.r);
    expect_calls("3.0.");
}

Test(chain, a_refusal_in_the_middle_of_a_wait_ends_the_wait)
{
    plan.say[1] = TG_WAIT;
    chain_start(&f.r);
    chain_run_common(&f.r);
    reply_error(&f.r, "bad_request", NULL);
    expect_calls("0>1>1x3>3<1<0<=");
    turn(20, NULL);
    chain_finish(&f.r);
    expect_calls("3.1.0.");
}
