/* See chain.h. */
#include "core/chain.h"

#include "core/core.h"
#include "core/life.h"
#include "core/proxy.h"
#include "core/reply.h"

static void chain_run(struct req *r);

static void on_run(struct task *t)
{
    struct req *r = container_of(t, struct req, run);
    if (r->dead) {
        life_release(r);
        return;
    }
    if (!r->resumed)
        return;
    r->resumed = false;
    chain_run(r);
}

static void on_wait_timeout(struct timer *t)
{
    struct req *r = container_of(t, struct req, wait_timer);
    if (!r->waiting)
        return;
    r->waiting = false;
    r->cancel(r, r->cancel_ctx);
    reply_error(r, "internal_error", "a decision took too long");
}

void tg_wait(struct req *r, void (*cancel)(struct req *, void *), void *ctx, uint64_t timeout_ms)
{
    ensure(!r->waiting);
    r->waiting = true;
    r->cancel = cancel;
    r->cancel_ctx = ctx;
    timer_set(r->core->h1.loop, &r->wait_timer, timeout_ms);
}

void tg_resume(struct req *r)
{
    ensure(r->waiting);
    r->waiting = false;
    r->resumed = true;
    timer_clear(r->core->h1.loop, &r->wait_timer);
    loop_task(r->core->h1.loop, &r->run);
}

static void chain_end(struct req *r)
{
    if (r->route->service)
        proxy_start(r);
    else
        reply_respond(r);
}

/* The next filter, which runs now. */
static const struct route_filter *chain_step(struct req *r)
{
    r->filters_ran |= UINT32_C(1) << r->filter_next;
    return &r->route->filters[r->filter_next++];
}

/* Runs from filter_next on until one does not say TG_NEXT. */
static void chain_run(struct req *r)
{
    while (r->filter_next < r->route->filter_count) {
        const struct route_filter *f = chain_step(r);
        if (!f->filter->on_request)
            continue;
        switch (f->filter->on_request(r, f->inst)) {
        case TG_NEXT: break;
        case TG_WAIT: ensure(r->waiting || r->resumed); return;
        case TG_DONE: ensure(r->answered); return;
        case TG_FAIL: reply_error(r, "internal_error", NULL); return;
        }
    }
    chain_end(r);
}

void chain_start(struct req *r)
{
    r->run.run = on_run;
    r->wait_timer.fire = on_wait_timeout;
    chain_run(r);
}

static bool chain_ran(const struct req *r, unsigned i)
{
    return r->filters_ran >> i & 1;
}

/* Nobody's decision is needed any more. */
static void chain_stop(struct req *r)
{
    timer_clear(r->core->h1.loop, &r->wait_timer);
    r->resumed = false;
    if (!r->waiting)
        return;
    r->waiting = false;
    r->cancel(r, r->cancel_ctx);
}

static bool decides(const struct tg_filter *f)
{
    return f->phase > TG_PHASE_ID && f->phase < TG_PHASE_TRANSFORM;
}

void chain_run_common(struct req *r)
{
    chain_stop(r);
    while (r->filter_next < r->route->filter_count) {
        if (decides(r->route->filters[r->filter_next].filter)) {
            r->filter_next++;
            continue;
        }
        const struct route_filter *f = chain_step(r);
        if (f->filter->on_request)
            ensure(f->filter->on_request(r, f->inst) == TG_NEXT);
    }
}

void chain_answer(struct req *r)
{
    for (unsigned i = r->filter_next; i-- > 0;) {
        const struct route_filter *f = &r->route->filters[i];
        if (f->filter->on_response && chain_ran(r, i))
            f->filter->on_response(r, f->inst);
    }
}

void chain_finish(struct req *r)
{
    chain_stop(r);
    for (unsigned i = r->filter_next; i-- > 0;) {
        const struct route_filter *f = &r->route->filters[i];
        if (f->filter->on_finish && chain_ran(r, i))
            f->filter->on_finish(r, f->inst);
    }
}
