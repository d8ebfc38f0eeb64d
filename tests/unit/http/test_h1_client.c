/* The client codec against a bare socket that plays the service. */
#include "http/h1_client.h"

#include "base/check.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LIMIT_MS = 20000 };

struct talk {
    struct loop *loop;
    struct h1_env env;
    struct h1_client client;
    struct arena arena;
    struct addr addr;
    int listener, service; /* the service's end, -1: closed */
    unsigned opened, heads, interims, drained, idle_ends, faults;
    enum h1_client_fault fault;
    unsigned status;
    struct buf body;
    bool last, pause_at_head;
    bool (*done)(struct talk *);
    struct timer tick;
    uint64_t deadline_ms;
};

static struct talk *talk_of(struct h1_client *c)
{
    return c->user;
}

static void on_open(struct h1_client *c)
{
    talk_of(c)->opened++;
}

static void on_body(struct h1_client *c, struct str body, bool last)
{
    struct talk *t = talk_of(c);
    cr_assert(!t->last);
    buf_add_str(&t->body, body);
    t->last = last;
}

static void on_head(struct h1_client *c, struct str body, bool last)
{
    struct talk *t = talk_of(c);
    t->heads++;
    t->status = c->head.status;
    on_body(c, body, last);
    if (t->pause_at_head)
        h1_client_pause(c);
}

static void on_interim(struct h1_client *c)
{
    talk_of(c)->interims++;
}

static void on_drained(struct h1_client *c)
{
    talk_of(c)->drained++;
}

static void on_fault(struct h1_client *c, enum h1_client_fault fault)
{
    struct talk *t = talk_of(c);
    t->faults++;
    t->fault = fault;
    h1_client_close(c);
}

static void on_idle_end(struct h1_client *c)
{
    talk_of(c)->idle_ends++;
    h1_client_close(c);
}

static const struct h1_client_ops ops = {on_open,    on_head,  on_body,    on_interim,
                                         on_drained, on_fault, on_idle_end};

static void on_tick(struct timer *timer)
{
    struct talk *t = container_of(timer, struct talk, tick);
    if (t->done(t) || t->loop->now_ms > t->deadline_ms)
        loop_stop(t->loop);
    else
        timer_set(t->loop, timer, 1);
}

static void run(struct talk *t, bool (*done)(struct talk *))
{
    t->done = done;
    t->deadline_ms = t->loop->now_ms + LIMIT_MS;
    timer_set(t->loop, &t->tick, 0);
    loop_run(t->loop);
    cr_assert(done(t), "it did not happen: %u heads, %u faults", t->heads, t->faults);
}

static bool is_open(struct talk *t)
{
    return t->opened;
}

static bool is_whole(struct talk *t)
{
    return t->last;
}

static bool is_faulty(struct talk *t)
{
    return t->faults;
}

static bool has_head(struct talk *t)
{
    return t->heads;
}

static void talk_listen(struct talk *t)
{
    *t = (struct talk){.loop = loop_new(), .service = -1, .tick.fire = on_tick};
    t->env.loop = t->loop;
    t->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert(addr_parse(STR("127.0.0.1:0"), &t->addr) == 0);
    cr_assert(bind(t->listener, &t->addr.sa, t->addr.len) == 0 && listen(t->listener, 8) == 0);
    cr_assert(getsockname(t->listener, &t->addr.sa, &t->addr.len) == 0);
    t->client = (struct h1_client){.env = &t->env, .ops = &ops, .user = t};
}

static void send_request(struct talk *t, enum http_method method)
{
    cr_assert(h1_client_send(&t->client, &t->arena, method, STR("GET / HTTP/1.1\r\n\r\n"), false,
                             STR_NULL, true, NULL) == 0);
}

/* Connected, and a GET is sent. */
static void talk_open(struct talk *t)
{
    talk_listen(t);
    h1_client_dial(&t->client, &t->addr, NULL, NULL);
    run(t, is_open);
    t->service = accept(t->listener, NULL, NULL);
    send_request(t, METHOD_GET);
}

static void say(struct talk *t, const char *text)
{
    cr_assert(send(t->service, text, strlen(text), MSG_NOSIGNAL) == (ssize_t)strlen(text));
}

/* With bytes unread this is a reset. */
static void drop(struct talk *t)
{
    close(t->service);
    t->service = -1;
}

static void hang_up(struct talk *t)
{
    char request[4096];
    cr_assert(recv(t->service, request, sizeof request, 0) > 0);
    drop(t);
}

static void reset(struct talk *t)
{
    struct linger now = {.l_onoff = 1};
    setsockopt(t->service, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    drop(t);
}

static void talk_close(struct talk *t)
{
    h1_client_close(&t->client);
    timer_clear(t->loop, &t->tick);
    loop_task_cancel(t->loop, &t->client.kick);
    h1_env_fini(&t->env);
    loop_free(t->loop);
    arena_free(&t->arena);
    buf_free(&t->body);
    close(t->listener);
    if (t->service >= 0)
        close(t->service);
}

static bool body_is(const struct talk *t, const char *text)
{
    return str_eq(str_make(t->body.p, t->body.n), str_of(text));
}

Test(h1_client, a_refused_connection_is_a_fault_of_its_own)
{
    struct talk t;
    talk_listen(&t);
    close(t.listener);
    h1_client_dial(&t.client, &t.addr, NULL, NULL);
    cr_assert_eq(t.faults, 0, "a callback from inside dial");
    run(&t, is_faulty);
    cr_assert(t.fault == H1_CLIENT_CONNECT && t.client.stream.error == NET_REFUSED);
    talk_close(&t);
}

Test(h1_client, an_answer_is_told_and_the_connection_can_serve_again)
{
    struct talk t;
    talk_open(&t);
    for (int i = 0; i < 3; i++) {
        say(&t, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc");
        run(&t, is_whole);
        cr_assert(t.status == 200 && h1_client_reusable(&t.client));
        h1_client_rest(&t.client);
        cr_assert(h1_client_usable(&t.client));
        t.last = false;
        t.heads = 0;
        send_request(&t, METHOD_GET);
    }
    cr_assert(body_is(&t, "abcabcabc"));
    talk_close(&t);
}

Test(h1_client, what_makes_a_connection_useless_for_another_request)
{
    static const char *const answers[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\na",
        "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab",
        "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nx",
    };
    for (size_t i = 0; i < array_size(answers); i++) {
        struct talk t;
        talk_open(&t);
        say(&t, answers[i]);
        run(&t, is_whole);
        cr_assert(!h1_client_reusable(&t.client), "%s", answers[i]);
        talk_close(&t);
    }
}

Test(h1_client, an_answer_behind_which_the_service_closed_is_not_reusable)
{
    struct talk t;
    talk_open(&t);
    say(&t, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na");
    hang_up(&t);
    usleep(2000); /* both before the loop looks */
    run(&t, is_whole);
    cr_assert(!h1_client_reusable(&t.client));
    talk_close(&t);
}

static bool idle_ended(struct talk *t)
{
    return t->idle_ends;
}

Test(h1_client, a_rested_connection_tells_of_its_end_and_of_unasked_bytes)
{
    for (int how = 0; how < 3; how++) {
        struct talk t;
        talk_open(&t);
        say(&t, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        run(&t, is_whole);
        h1_client_rest(&t.client);
        if (how == 0)
            hang_up(&t);
        else if (how == 1)
            reset(&t);
        else
            say(&t, "HTTP/1.1 408 Request Timeout\r\n\r\n");
        run(&t, idle_ended);
        cr_assert(t.faults == 0 && t.idle_ends == 1);
        talk_close(&t);
    }
}

Test(h1_client, interim_answers_come_before_the_final_one_100_is_not_told)
{
    struct talk t;
    talk_open(&t);
    say(&t, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n"
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    run(&t, is_whole);
    cr_assert(t.interims == 1 && t.heads == 1);
    talk_close(&t);
}

Test(h1_client, more_interim_answers_than_anybody_needs_are_a_fault)
{
    struct talk t;
    talk_open(&t);
    for (int i = 0; i <= H1_CLIENT_INTERIMS; i++)
        say(&t, "HTTP/1.1 102 Processing\r\n\r\n");
    run(&t, is_faulty);
    cr_assert(t.fault == H1_CLIENT_INVALID && t.client.head.error != NULL);
    talk_close(&t);
}

Test(h1_client, an_end_in_the_middle_is_a_reset_but_not_of_a_body_until_close)
{
    static const char *const cut[] = {
        "", "HTTP/1.1 2", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na"};
    for (size_t i = 0; i < array_size(cut); i++) {
        struct talk t;
        talk_open(&t);
        if (*cut[i])
            say(&t, cut[i]);
        hang_up(&t);
        run(&t, is_faulty);
        cr_assert(t.fault == H1_CLIENT_RESET && t.faults == 1 && !t.last);
        talk_close(&t);
    }
    struct talk t;
    talk_open(&t);
    say(&t, "HTTP/1.1 200 OK\r\n\r\nabc");
    run(&t, has_head);
    hang_up(&t);
    run(&t, is_whole);
    cr_assert(t.faults == 0 && body_is(&t, "abc") && !h1_client_reusable(&t.client));
    talk_close(&t);
}

Test(h1_client, a_paused_client_leaves_the_rest_where_it_is)
{
    struct talk t;
    talk_open(&t);
    t.pause_at_head = true;
    say(&t, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n");
    run(&t, has_head);
    say(&t, "2\r\nbc\r\n0\r\n\r\n");
    for (int i = 0; i < 5; i++)
        run(&t, has_head);
    cr_assert(body_is(&t, "a") && !t.last);
    h1_client_resume(&t.client);
    run(&t, is_whole);
    cr_assert(body_is(&t, "abc"));
    talk_close(&t);
}

Test(h1_client, an_answer_is_read_although_the_request_can_no_longer_be_sent)
{
    struct talk t;
    char block[4096] = {0};
    talk_listen(&t);
    h1_client_dial(&t.client, &t.addr, NULL, NULL);
    run(&t, is_open);
    t.service = accept(t.listener, NULL, NULL);
    cr_assert(h1_client_send(&t.client, &t.arena, METHOD_POST, STR("POST / HTTP/1.1\r\n\r\n"),
                             false, STR_NULL, false, NULL) == 0);
    say(&t, "HTTP/1.1 413 Too Much\r\nContent-Length: 2\r\n\r\nno");
    drop(&t);
    usleep(2000);
    for (int i = 0; i < 3; i++)
        h1_client_send_body(&t.client, str_make(block, sizeof block), false, NULL);
    run(&t, is_whole);
    cr_assert(t.status == 413 && body_is(&t, "no") && t.faults == 0);
    cr_assert(!h1_client_reusable(&t.client));
    talk_close(&t);
}

Test(h1_client, a_request_that_breaks_without_an_answer_is_a_reset_told_once)
{
    struct talk t;
    char block[4096] = {0};
    talk_open(&t);
    reset(&t);
    usleep(2000);
    for (int i = 0; i < 3; i++)
        h1_client_send_body(&t.client, str_make(block, sizeof block), false, NULL);
    cr_assert_eq(t.faults, 0, "a callback from inside send_body");
    run(&t, is_faulty);
    cr_assert(t.faults == 1 && t.fault == H1_CLIENT_RESET);
    talk_close(&t);
}

Test(h1_client, the_services_keep_alive_time_is_kept)
{
    static const struct {
        const char *field;
        uint32_t seconds;
    } cases[] = {{"timeout=5, max=100", 5}, {"max=1,timeout=77", 77}, {"timeout=0", 1},
                 {"timeout=x", 0},          {"TIMEOUT=3", 3},         {"max=5", 0}};
    for (size_t i = 0; i < array_size(cases); i++) {
        struct talk t;
        struct buf text = {0};
        talk_open(&t);
        buf_printf(&text, "HTTP/1.1 204 No Content\r\nKeep-Alive: %s\r\n\r\n", cases[i].field);
        say(&t, buf_text(&text));
        run(&t, is_whole);
        cr_assert_eq(t.client.keep_alive_s, cases[i].seconds, "%s", cases[i].field);
        buf_free(&text);
        talk_close(&t);
    }
}
