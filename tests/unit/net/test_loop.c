/* Turns, tasks, timers and inboxes. */
#include "base/check.h"
#include "base/clock.h"
#include "net/inbox.h"
#include "net/loop.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>

enum { MANY = 1000, POSTERS = 4, POSTS = 20000 };

struct step {
    struct timer timer;
    struct task task;
    struct loop *loop;
    char name;
    struct step *then; /* queued when this one runs */
    bool stop;
};

/* What ran, in order; Criterion gives each test a process of its own. */
static char ran[64];

static void note(struct step *s)
{
    ran[strlen(ran)] = s->name;
    if (s->then)
        loop_task(s->loop, &s->then->task);
    if (s->stop)
        loop_stop(s->loop);
}

static void on_timer(struct timer *t)
{
    note(container_of(t, struct step, timer));
}

static void on_task(struct task *t)
{
    note(container_of(t, struct step, task));
}

static struct step step(struct loop *l, char name)
{
    return (struct step){
        .timer = {.fire = on_timer}, .task = {.run = on_task}, .loop = l, .name = name};
}

Test(loop, timers_fire_in_the_order_of_their_deadlines)
{
    struct loop *l = loop_new();
    struct step a = step(l, 'a'), b = step(l, 'b'), c = step(l, 'c');
    c.stop = true;
    timer_set(l, &c.timer, 30);
    timer_set(l, &a.timer, 1);
    timer_set(l, &b.timer, 15);
    loop_run(l);
    cr_assert_str_eq(ran, "abc");
    cr_assert(!timer_pending(&a.timer));
    loop_free(l);
}

Test(loop, a_timer_moved_to_later_does_not_fire_at_its_old_time)
{
    struct loop *l = loop_new();
    struct step a = step(l, 'a'), b = step(l, 'b');
    timer_set(l, &a.timer, 5);
    timer_set(l, &a.timer, 40);
    timer_set(l, &b.timer, 20);
    a.stop = true;
    uint64_t begin = l->now_ms;
    loop_run(l);
    cr_assert_str_eq(ran, "ba");
    cr_assert_geq(l->now_ms, begin + 40);
    loop_free(l);
}

Test(loop, a_timer_moved_to_earlier_fires_at_the_new_time)
{
    struct loop *l = loop_new();
    struct step a = step(l, 'a'), b = step(l, 'b');
    timer_set(l, &a.timer, 10000);
    timer_set(l, &b.timer, 20);
    timer_set(l, &a.timer, 5);
    b.stop = true;
    loop_run(l);
    cr_assert_str_eq(ran, "ab");
    loop_free(l);
}

Test(loop, a_cleared_timer_never_fires_and_clearing_twice_is_fine)
{
    struct loop *l = loop_new();
    struct step a = step(l, 'a'), b = step(l, 'b');
    timer_set(l, &a.timer, 1);
    timer_clear(l, &a.timer);
    timer_clear(l, &a.timer);
    timer_set(l, &b.timer, 10);
    b.stop = true;
    loop_run(l);
    cr_assert_str_eq(ran, "b");
    loop_free(l);
}

struct many {
    struct timer timer[MANY];
    struct loop *loop;
    uint64_t last_due;
    int fired;
};

struct numbered {
    struct timer timer;
    struct many *all;
    uint64_t due_ms;
};

static void on_numbered(struct timer *t)
{
    struct numbered *n = container_of(t, struct numbered, timer);
    cr_assert_leq(n->all->last_due, n->due_ms);
    cr_assert_leq(n->due_ms, n->all->loop->now_ms);
    n->all->last_due = n->due_ms;
    if (++n->all->fired == MANY / 2)
        loop_stop(n->all->loop);
}

Test(loop, a_thousand_timers_set_moved_and_cleared_at_random_fire_in_order)
{
    struct many *all = calloc(1, sizeof *all);
    struct numbered *n = calloc(MANY, sizeof *n);
    all->loop = loop_new();
    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < MANY; i++) {
            uint64_t after = rand_below(&all->loop->rand, 200);
            n[i].timer.fire = on_numbered;
            n[i].all = all;
            timer_set(all->loop, &n[i].timer, after);
            n[i].due_ms = n[i].timer.due_ms;
        }
    }
    for (int i = 0; i < MANY; i += 2)
        timer_clear(all->loop, &n[i].timer);
    loop_run(all->loop);
    cr_assert_eq(all->fired, MANY / 2);
    loop_free(all->loop);
    free(n);
    free(all);
}

Test(loop, tasks_run_once_in_order_and_a_task_of_a_task_in_the_same_turn)
{
    struct loop *l = loop_new();
    struct step a = step(l, 'a'), b = step(l, 'b'), c = step(l, 'c'), last = step(l, 'z');
    a.then = &c;
    last.stop = true;
    loop_task(l, &a.task);
    loop_task(l, &b.task);
    loop_task(l, &a.task);
    timer_set(l, &last.timer, 1);
    loop_run(l);
    cr_assert_str_eq(ran, "abcz");
    loop_free(l);
}

Test(loop, a_task_for_the_next_turn_lets_timers_go_first_and_does_not_wait)
{
    struct loop *l = loop_new();
    struct step a = step(l, 'a'), b = step(l, 'b');
    loop_task_next(l, &a.task);
    a.then = &b;
    b.stop = true;
    loop_run(l);
    cr_assert_str_eq(ran, "ab");
    loop_free(l);
}

Test(loop, a_cancelled_task_does_not_run)
{
    struct loop *l = loop_new();
    struct step a = step(l, 'a'), b = step(l, 'b'), c = step(l, 'c');
    loop_task(l, &a.task);
    loop_task(l, &b.task);
    loop_task_cancel(l, &b.task);
    loop_task_cancel(l, &b.task);
    loop_task(l, &c.task);
    c.stop = true;
    loop_run(l);
    cr_assert_str_eq(ran, "ac");
    loop_free(l);
}

Test(loop, the_clock_of_a_turn_is_read_after_the_wait)
{
    struct loop *l = loop_new();
    struct step a = step(l, 'a');
    a.stop = true;
    timer_set(l, &a.timer, 30);
    uint64_t begin = clock_mono_ns();
    loop_run(l);
    cr_assert_geq(l->now_ns, begin + 29 * 1000000u);
    cr_assert_leq(l->now_ns, clock_mono_ns());
    cr_assert_geq(l->turns, 1);
    loop_free(l);
}

struct letter {
    struct message message;
    struct post_office *office;
    int from, number;
};

struct post_office {
    struct loop *loop;
    struct inbox *inbox;
    struct letter *letters[POSTERS];
    int next[POSTERS]; /* the number expected from each */
    int left;
    pthread_t reader;
};

static void on_letter(struct message *m)
{
    struct letter *x = container_of(m, struct letter, message);
    cr_assert(pthread_equal(pthread_self(), x->office->reader));
    cr_assert_eq(x->number, x->office->next[x->from]);
    x->office->next[x->from]++;
    if (--x->office->left == 0)
        loop_stop(x->office->loop);
}

static void *post_all(void *arg)
{
    struct letter *x = arg;
    for (int i = 0; i < POSTS; i++)
        inbox_post(x[i].office->inbox, &x[i].message);
    return NULL;
}

Test(loop, an_inbox_keeps_the_order_of_each_of_four_posting_threads)
{
    struct post_office o = {.loop = loop_new(), .left = POSTERS * POSTS, .reader = pthread_self()};
    pthread_t posters[POSTERS];
    o.inbox = inbox_new(o.loop);
    for (int p = 0; p < POSTERS; p++) {
        o.letters[p] = calloc(POSTS, sizeof *o.letters[p]);
        for (int i = 0; i < POSTS; i++)
            o.letters[p][i] = (struct letter){{NULL, on_letter}, &o, p, i};
    }
    for (int p = 0; p < POSTERS; p++)
        cr_assert(pthread_create(&posters[p], NULL, post_all, o.letters[p]) == 0);
    loop_run(o.loop);
    for (int p = 0; p < POSTERS; p++) {
        pthread_join(posters[p], NULL);
        free(o.letters[p]);
    }
    inbox_free(o.inbox);
    loop_free(o.loop);
}

Test(loop, an_inbox_runs_what_is_left_when_it_is_freed)
{
    struct post_office o = {.loop = loop_new(), .left = 2, .reader = pthread_self()};
    struct letter x = {{NULL, on_letter}, &o, 0, 0};
    o.inbox = inbox_new(o.loop);
    inbox_post(o.inbox, &x.message);
    inbox_free(o.inbox);
    cr_assert_eq(o.left, 1);
    loop_free(o.loop);
}
