/* Streams, each behaviour over plain sockets and over TLS. */
#include "tests/unit/net/fixture.h"

#include "base/check.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdlib.h>
#include <unistd.h>

enum { BULK = 10 << 20 };

static struct fixture f;

static void open_pair(bool tls)
{
    fixture_open(&f);
    if (tls)
        fixture_tls(&f, "DNS:localhost");
    fixture_connect(&f, tls ? "localhost" : NULL);
}

/* Each test runs for plain (0) and TLS (1). */
#define BOTH(name)                                                                                 \
    static void name(bool tls);                                                                    \
    Test(stream, name##_plain)                                                                     \
    {                                                                                              \
        name(false);                                                                               \
    }                                                                                              \
    Test(stream, name##_tls)                                                                       \
    {                                                                                              \
        name(true);                                                                                \
    }                                                                                              \
    static void name(bool tls)

static bool here_has_hello(struct fixture *x)
{
    return end_has(&x->here, "hello");
}

static bool there_has_hello(struct fixture *x)
{
    return end_has(&x->there, "hello");
}

BOTH(what_is_written_is_read_and_echoed)
{
    open_pair(tls);
    f.there.echo = true;
    end_write(&f.here, STR("hello"));
    cr_assert_eq(stream_parked(&f.here.stream), 0);
    fixture_run(&f, here_has_hello);
    cr_assert(!stream_readable(&f.here.stream));
    fixture_close(&f);
}

BOTH(several_vectors_arrive_as_one_text)
{
    char hello[] = "hello";
    struct iovec v[] = {{hello, 2}, {NULL, 0}, {hello + 2, 1}, {hello + 3, 2}};
    open_pair(tls);
    cr_assert(stream_write(&f.here.stream, v, 4) == 0);
    fixture_run(&f, there_has_hello);
    fixture_close(&f);
}

BOTH(an_end_that_comes_with_data_is_read_after_the_data)
{
    open_pair(tls);
    end_write(&f.here, STR("hello"));
    stream_finish(&f.here.stream);
    fixture_run(&f, there_ended);
    cr_assert(end_has(&f.there, "hello"));
    cr_assert_eq(f.there.last_read, 0);
    cr_assert(f.there.stream.saw_closed && !f.there.stream.truncated);
    fixture_close(&f);
}

BOTH(a_finished_stream_still_reads)
{
    open_pair(tls);
    stream_finish(&f.here.stream);
    fixture_run(&f, there_ended);
    end_write(&f.there, STR("hello"));
    stream_finish(&f.there.stream);
    fixture_run(&f, both_ended);
    cr_assert(end_has(&f.here, "hello"));
    fixture_close(&f);
}

BOTH(closing_is_an_orderly_end_for_the_peer)
{
    open_pair(tls);
    stream_close(&f.here.stream);
    stream_close(&f.here.stream);
    cr_assert(!stream_is_open(&f.here.stream));
    fixture_run(&f, there_ended);
    cr_assert_eq(f.there.last_read, 0);
    cr_assert(!f.there.stream.truncated);
    fixture_close(&f);
}

BOTH(a_reset_is_an_error_that_says_so)
{
    open_pair(tls);
    stream_reset(&f.here.stream);
    fixture_run(&f, there_ended);
    cr_assert_eq(f.there.last_read, STREAM_ERROR);
    cr_assert_eq(f.there.stream.error, NET_RESET);
    struct iovec v = {(char[]){"x"}, 1};
    cr_assert(stream_write(&f.there.stream, &v, 1) == -1);
    fixture_close(&f);
}

Test(stream, an_end_without_close_notify_is_marked)
{
    open_pair(true);
    shutdown(f.here.stream.fd, SHUT_WR);
    fixture_run(&f, there_ended);
    cr_assert_eq(f.there.last_read, 0);
    cr_assert(f.there.stream.truncated);
    end_write(&f.there, STR("hello"));
    fixture_run(&f, here_has_hello);
    fixture_close(&f);
}

BOTH(a_reset_is_told_even_to_who_does_not_read)
{
    open_pair(tls);
    f.here.paused = true;
    stream_reset(&f.there.stream);
    fixture_run(&f, here_failed);
    cr_assert_eq(f.here.stream.error, NET_RESET);
    fixture_close(&f);
}

static char *pattern(size_t n)
{
    char *p = malloc(n);
    for (size_t i = 0; i < n; i++)
        p[i] = (char)(i * 31 + i / 4096);
    return p;
}

static bool bulk_arrived(struct fixture *x)
{
    return x->there.in.n == BULK && x->here.in.n == BULK;
}

static bool here_drained(struct fixture *x)
{
    return x->here.drained > 0;
}

BOTH(ten_mebibytes_go_both_ways_while_the_readers_are_slow)
{
    char *p = pattern(BULK);
    open_pair(tls);
    f.here.paused = f.there.paused = true;
    end_write(&f.here, str_make(p, BULK));
    end_write(&f.there, str_make(p, BULK));
    cr_assert_gt(stream_parked(&f.here.stream), 0);
    cr_assert_leq(stream_parked(&f.here.stream), BULK + BULK / 100);
    f.here.paused = f.there.paused = false;
    end_read(&f.here);
    end_read(&f.there);
    fixture_run(&f, bulk_arrived);
    cr_assert(memcmp(f.here.in.p, p, BULK) == 0 && memcmp(f.there.in.p, p, BULK) == 0);
    cr_assert_eq(stream_parked(&f.here.stream), 0);
    cr_assert_eq(f.here.drained, 1);
    cr_assert_eq(f.there.drained, 1);
    cr_assert_null(f.here.stream.out);
    free(p);
    fixture_close(&f);
}

BOTH(vectors_of_all_sizes_arrive_in_order)
{
    enum { PIECES = 40 };
    char *p = pattern(BULK);
    struct iovec v[PIECES];
    size_t total = 0;
    open_pair(tls);
    for (unsigned i = 0; i < PIECES; i++) {
        size_t n = i % 4 == 0 ? 50000 + i : i % 4 == 1 ? 16384 : i % 4 == 2 ? i : 5000;
        v[i] = (struct iovec){p + total, n};
        total += n;
    }
    cr_assert(stream_write(&f.here.stream, v, PIECES) == 0);
    stream_finish(&f.here.stream);
    fixture_run(&f, there_ended);
    cr_assert_eq(f.there.in.n, total);
    cr_assert(memcmp(f.there.in.p, p, total) == 0);
    free(p);
    fixture_close(&f);
}

BOTH(the_end_waits_for_parked_bytes)
{
    char *p = pattern(BULK);
    open_pair(tls);
    f.there.paused = true;
    end_write(&f.here, str_make(p, BULK));
    stream_finish(&f.here.stream);
    cr_assert_gt(stream_parked(&f.here.stream), 0);
    f.there.paused = false;
    end_read(&f.there);
    fixture_run(&f, there_ended);
    cr_assert_eq(f.there.in.n, BULK);
    cr_assert_eq(f.there.last_read, 0);
    cr_assert(!f.there.stream.truncated);
    cr_assert(here_drained(&f));
    free(p);
    fixture_close(&f);
}

BOTH(a_reset_while_bytes_are_parked_is_told_without_reading)
{
    char *p = pattern(BULK);
    open_pair(tls);
    f.there.paused = true;
    f.here.paused = true;
    end_write(&f.here, str_make(p, BULK));
    stream_reset(&f.there.stream);
    fixture_run(&f, here_failed);
    cr_assert_eq(f.here.stream.error, NET_RESET);
    free(p);
    fixture_close(&f);
}

static bool here_readable(struct fixture *x)
{
    return x->here.seen & STREAM_READABLE;
}

BOTH(a_small_buffer_leaves_the_stream_readable_until_it_is_empty)
{
    char some[2];
    open_pair(tls);
    f.here.paused = true;
    end_write(&f.there, STR("hello"));
    fixture_run(&f, here_readable);
    cr_assert_eq(stream_read(&f.here.stream, some, 2), 2);
    cr_assert(stream_readable(&f.here.stream));
    cr_assert_eq(stream_read(&f.here.stream, some, 2), 2);
    cr_assert(stream_readable(&f.here.stream));
    cr_assert_eq(stream_read(&f.here.stream, some, 2), 1);
    cr_assert(!stream_readable(&f.here.stream));
    cr_assert_eq(stream_read(&f.here.stream, some, 2), STREAM_AGAIN);
    fixture_close(&f);
}

Test(stream, a_refused_connection_is_told_after_dialling)
{
    fixture_open(&f);
    listener_stop(&f.listener);
    close(f.listener.fd);
    fixture_dial(&f, NULL);
    cr_assert_eq(f.here.seen, 0);
    fixture_run(&f, here_failed);
    cr_assert_eq(f.here.stream.error, NET_REFUSED);
    cr_assert_str_eq(net_error_text(NET_REFUSED), "connection refused");
    fixture_close(&f);
}

Test(stream, a_unix_socket_that_is_not_there_is_unreachable)
{
    fixture_open(&f);
    cr_assert(addr_parse(STR("unix:/nonexistent/x.sock"), &f.addr) == 0);
    fixture_dial(&f, NULL);
    cr_assert_eq(f.here.seen, 0);
    fixture_run(&f, here_failed);
    cr_assert_eq(f.here.stream.error, NET_UNREACHABLE);
    fixture_close(&f);
}

Test(stream, a_failed_dial_that_is_closed_at_once_is_never_told)
{
    fixture_open(&f);
    struct addr good = f.addr;
    cr_assert(addr_parse(STR("unix:/nonexistent/x.sock"), &f.addr) == 0);
    fixture_dial(&f, NULL);
    stream_close(&f.here.stream);
    f.addr = good;
    fixture_connect(&f, NULL);
    cr_assert(!(f.here.seen & STREAM_FAILED));
    fixture_close(&f);
}

static bool here_opened(struct fixture *x)
{
    return x->here.seen & STREAM_OPENED;
}

static bool there_failed(struct fixture *x)
{
    return x->there.seen & STREAM_FAILED;
}

/* A plain client in front of a TLS server. */
static void open_mismatched(void)
{
    fixture_open(&f);
    fixture_tls(&f, "DNS:localhost");
    struct tls_client *client = f.client;
    f.client = NULL;
    fixture_dial(&f, NULL);
    f.client = client;
    fixture_run(&f, here_opened);
}

Test(stream, a_plain_request_to_a_tls_server_fails_its_handshake)
{
    open_mismatched();
    end_write(&f.here, STR("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
    fixture_run(&f, there_failed);
    cr_assert_eq(f.there.stream.error, NET_TLS);
    fixture_close(&f);
}

Test(stream, a_client_that_leaves_during_the_handshake_is_a_reset)
{
    open_mismatched();
    stream_close(&f.here.stream);
    fixture_run(&f, there_failed);
    cr_assert_eq(f.there.stream.error, NET_RESET);
    fixture_close(&f);
}

Test(stream, data_with_a_reset_right_behind_it_is_read_and_then_the_reset)
{
    open_pair(false);
    end_write(&f.there, STR("hello"));
    stream_reset(&f.there.stream);
    fixture_run(&f, here_has_hello);
    cr_assert_eq(stream_read(&f.here.stream, f.loop->rx, LOOP_RX), STREAM_ERROR);
    fixture_close(&f);
}
