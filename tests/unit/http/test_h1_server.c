/* The server codec against a bare socket: what its two sides are promised. */
#include "tests/unit/http/h1_pair.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define GET     "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
#define POST(n) "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: " #n "\r\n\r\n"

static bool closed(struct pair *p)
{
    return p->closed > 0;
}

static bool body_is_whole(struct pair *p)
{
    return p->body_last;
}

static bool has_ended_one(struct pair *p)
{
    return p->ends > 0;
}

Test(h1_server, an_exchange_ends_once_and_the_connection_goes_on)
{
    struct pair p;
    pair_open(&p);
    pair_send(&p, GET);
    pair_run(&p, has_ended_one);
    cr_assert(p.ends == 1 && p.how == EXCHANGE_DONE && p.closed == 0);
    pair_run(&p, pair_has_answer);
    cr_assert(pair_got(&p, "HTTP/1.1 200 OK\r\n") && pair_got(&p, "\r\n\r\nok"));
    pair_close(&p);
}

static bool all_pipelined(struct pair *p)
{
    return p->requests == 200 && p->ends == 200;
}

Test(h1_server, pipelined_requests_leave_other_connections_their_turns)
{
    struct pair p;
    struct buf all = {0};
    pair_open(&p);
    for (int i = 0; i < 200; i++)
        buf_add_str(&all, STR(GET));
    pair_send(&p, buf_text(&all));
    uint64_t before = p.loop->turns;
    pair_run(&p, all_pipelined);
    cr_assert_geq(p.loop->turns - before, 200 / 17);
    buf_free(&all);
    pair_close(&p);
}

Test(h1_server, a_body_that_nobody_takes_stops_the_reading)
{
    struct pair p;
    char *big = malloc(400001);
    memset(big, 'x', 400000);
    big[400000] = '\0';
    pair_open(&p);
    cr_assert(setsockopt(p.peer, SOL_SOCKET, SO_SNDBUF, &(int){1 << 20}, sizeof(int)) == 0);
    p.hold = true;
    p.take = false;
    pair_send(&p, POST(400000));
    pair_run(&p, pair_has_request);
    ssize_t sent = send(p.peer, big, 400000, MSG_NOSIGNAL);
    cr_assert_gt(sent, 0);
    p.x->codec->want_body(p.x);
    for (int i = 0; i < 20; i++)
        pair_run(&p, pair_has_request);
    cr_assert_leq(p.server.body.n + p.server.parked.n, LOOP_READ);
    p.take = true;
    p.x->codec->want_body(p.x);
    while (sent < 400000) {
        pair_run(&p, pair_has_request);
        ssize_t more = send(p.peer, big + sent, (size_t)(400000 - sent), MSG_NOSIGNAL);
        sent += more > 0 ? more : 0;
    }
    pair_run(&p, body_is_whole);
    cr_assert_eq(p.body.n, 400000);
    cr_assert_leq(p.shown_max, LOOP_READ);
    pair_answer(&p, "fine");
    pair_run(&p, pair_has_answer);
    free(big);
    pair_close(&p);
}

Test(h1_server, a_drain_while_a_request_begins_lets_it_be_answered)
{
    struct pair p;
    pair_open(&p);
    p.drain_at_new = true;
    pair_send(&p, GET);
    pair_run(&p, pair_ended);
    cr_assert(pair_got(&p, "HTTP/1.1 200 OK") && pair_got(&p, "Connection: close\r\n"));
    cr_assert(p.closed == 1 && p.how == EXCHANGE_DONE);
    pair_close(&p);
}

Test(h1_server, a_drained_connection_closes_after_its_answer)
{
    struct pair p;
    pair_open(&p);
    p.hold = true;
    pair_send(&p, GET GET);
    pair_run(&p, pair_has_request);
    h1_server_drain(&p.server);
    pair_answer(&p, "last");
    pair_run(&p, pair_ended);
    cr_assert(pair_got(&p, "Connection: close\r\n"));
    cr_assert_eq(p.requests, 1);
    pair_close(&p);
}

Test(h1_server, an_abort_before_and_behind_the_head_ends_the_connection)
{
    for (int begun = 0; begun < 2; begun++) {
        struct pair p;
        pair_open(&p);
        p.hold = true;
        pair_send(&p, GET);
        pair_run(&p, pair_has_request);
        if (begun) {
            p.x->status = 200;
            p.x->codec->send_head(p.x, STR("par"), false);
        }
        p.inside = true;
        p.x->codec->abort(p.x);
        p.inside = false;
        pair_run(&p, pair_ended);
        cr_assert(p.how == EXCHANGE_ABORTED && p.ends == 1 && p.closed == 1);
        cr_assert(!pair_got(&p, "0\r\n\r\n"));
        pair_close(&p);
    }
}

Test(h1_server, a_client_that_leaves_ends_the_exchange_as_gone)
{
    for (int parked = 0; parked < 2; parked++) {
        struct pair p;
        pair_open(&p);
        p.hold = true;
        pair_send(&p, parked ? GET GET : GET);
        pair_run(&p, pair_has_request);
        shutdown(p.peer, SHUT_WR);
        pair_run(&p, closed);
        cr_assert(p.how == EXCHANGE_CLIENT_GONE && p.ends == 1);
        pair_close(&p);
    }
}

Test(h1_server, a_client_that_leaves_before_its_head_is_whole_ends_it_too)
{
    struct pair p;
    pair_open(&p);
    pair_send(&p, "GET / HTT");
    shutdown(p.peer, SHUT_WR);
    pair_run(&p, closed);
    cr_assert(p.ends <= 1 && p.requests == 0);
    pair_close(&p);
}

Test(h1_server, an_answer_of_unknown_length_is_chunked_with_its_trailers)
{
    struct pair p;
    pair_open(&p);
    p.hold = true;
    pair_send(&p, GET);
    pair_run(&p, pair_has_request);
    p.x->status = 200;
    p.x->codec->send_head(p.x, STR("abc"), false);
    headers_init(&p.x->answer_trailers, &p.x->arena, 4);
    headers_add(&p.x->answer_trailers, STR("X-Sum"), STR("3"));
    p.x->codec->send_body(p.x, STR_NULL, true);
    pair_run(&p, has_ended_one);
    pair_run(&p, pair_has_answer);
    cr_assert(pair_got(&p, "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 3\r\n\r\n"));
    pair_close(&p);
}

Test(h1_server, trailers_pass_with_an_answer_that_is_whole_at_once)
{
    struct pair p;
    pair_open(&p);
    p.hold = true;
    pair_send(&p, GET);
    pair_run(&p, pair_has_request);
    p.x->status = 200;
    headers_init(&p.x->answer_trailers, &p.x->arena, 4);
    headers_add(&p.x->answer_trailers, STR("X-Sum"), STR("3"));
    p.x->codec->send_head(p.x, STR("abc"), true);
    pair_run(&p, has_ended_one);
    pair_run(&p, pair_has_answer);
    cr_assert(pair_got(&p, "3\r\nabc\r\n0\r\nX-Sum: 3\r\n\r\n"));
    pair_close(&p);
}

Test(h1_server, interim_answers_go_to_1_1_clients_only)
{
    for (int minor = 0; minor < 2; minor++) {
        struct pair p;
        pair_open(&p);
        p.hold = true;
        pair_send(&p, minor ? GET : "GET / HTTP/1.0\r\n\r\n");
        pair_run(&p, pair_has_request);
        p.x->codec->send_interim(p.x, 103, NULL);
        pair_answer(&p, "ok");
        pair_run(&p, has_ended_one);
        pair_run(&p, pair_has_answer);
        cr_assert_eq(pair_got(&p, "HTTP/1.1 103 Early Hints\r\n\r\n"), minor == 1);
        pair_close(&p);
    }
}

Test(h1_server, a_short_rest_of_a_body_is_skipped_a_long_one_closes)
{
    struct pair p;
    pair_open(&p);
    p.take = false;
    pair_send(&p, POST(5));
    pair_run(&p, pair_has_answer);
    cr_assert(p.ends == 1 && !pair_got(&p, "Connection: close"));
    pair_send(&p, "abcde" GET);
    while (p.requests < 2)
        pair_run(&p, pair_has_answer);
    pair_send(&p, POST(100000));
    pair_run(&p, pair_ended);
    cr_assert(p.requests == 3 && pair_got(&p, "Connection: close"));
    pair_close(&p);
}

Test(h1_server, a_refused_client_may_go_on_sending_and_reads_the_answer)
{
    struct pair p;
    pair_open(&p);
    pair_send(&p, "GET / HTTP/1.1\r\nHost : x\r\n\r\n");
    pair_run(&p, pair_ended); /* our end of the talk, not yet the connection's */
    cr_assert(p.bad_status == 400 && p.closed == 0 && pair_got(&p, "HTTP/1.1 400 Bad Request"));
    for (int i = 0; i < 20; i++) {
        pair_send(&p, GET);
        pair_run(&p, pair_ended);
    }
    shutdown(p.peer, SHUT_WR);
    pair_run(&p, closed);
    pair_close(&p);
}

static bool is_full(struct pair *p)
{
    return !p->x->codec->room(p->x);
}

static bool is_drained(struct pair *p)
{
    return p->drained > 0;
}

Test(h1_server, a_client_that_does_not_read_leaves_no_room_until_it_does)
{
    struct pair p;
    char *big = calloc(1, 65536);
    pair_open(&p);
    p.hold = p.deaf = true;
    pair_send(&p, GET);
    pair_run(&p, pair_has_request);
    p.x->status = 200;
    p.x->codec->send_head(p.x, STR_NULL, false);
    while (p.x->codec->room(p.x))
        p.x->codec->send_body(p.x, str_make(big, 65536), false);
    pair_run(&p, is_full);
    cr_assert_eq(p.drained, 0);
    p.deaf = false;
    pair_run(&p, is_drained);
    cr_assert(p.x->codec->room(p.x));
    free(big);
    pair_close(&p);
}

Test(h1_server, a_client_that_does_not_read_in_time_is_reset)
{
    struct pair p;
    char *big = calloc(1, 1 << 20);
    pair_open(&p);
    p.limits.header_timeout_ms = p.limits.body_timeout_ms = 60;
    p.hold = p.deaf = true;
    pair_send(&p, GET);
    pair_run(&p, pair_has_request);
    p.x->status = 200;
    p.x->codec->send_head(p.x, str_make(big, 1 << 20), true);
    pair_run(&p, closed);
    cr_assert_eq(p.how, EXCHANGE_TIMEOUT);
    free(big);
    pair_close(&p);
}

Test(h1_server, an_expectation_is_met_when_the_body_is_wanted)
{
    struct pair p;
    pair_open(&p);
    p.hold = true;
    pair_send(&p, "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    pair_run(&p, pair_has_request);
    cr_assert_eq(p.got.n, 0);
    p.x->codec->want_body(p.x);
    p.x->codec->want_body(p.x);
    pair_run(&p, pair_has_answer);
    cr_assert(str_eq(str_make(p.got.p, p.got.n), STR("HTTP/1.1 100 Continue\r\n\r\n")));
    pair_send(&p, "hi");
    pair_run(&p, body_is_whole);
    pair_answer(&p, "ok");
    pair_run(&p, has_ended_one);
    pair_close(&p);
}
