#include "http/h1_write.h"

#include <criterion/criterion.h>

static struct arena arena;
static struct exchange x;
static struct buf out;

static void setup(void)
{
    x = (struct exchange){.version = 11, .status = 200, .answer_length = LENGTH_UNKNOWN};
    headers_init(&x.answer, &arena, 4);
    headers_init(&x.headers, &arena, 4);
}

static void teardown(void)
{
    arena_free(&arena);
    buf_free(&out);
}

TestSuite(h1_write, .init = setup, .fini = teardown);

static void response_is(bool chunked, const char *text)
{
    out.n = 0;
    h1_write_response(&out, &x, chunked, STR("DATE"));
    cr_assert_str_eq(buf_text(&out), text);
}

Test(h1_write, an_answers_framing_follows_its_length)
{
    response_is(true, "HTTP/1.1 200 OK\r\nDate: DATE\r\nTransfer-Encoding: chunked\r\n\r\n");
    response_is(false, "HTTP/1.1 200 OK\r\nDate: DATE\r\n\r\n");
    x.answer_length = 0;
    response_is(false, "HTTP/1.1 200 OK\r\nDate: DATE\r\nContent-Length: 0\r\n\r\n");
    x.answer_length = INT64_MAX;
    response_is(false,
                "HTTP/1.1 200 OK\r\nDate: DATE\r\nContent-Length: 9223372036854775807\r\n\r\n");
    x.status = 204;
    response_is(false, "HTTP/1.1 204 No Content\r\nDate: DATE\r\n\r\n");
}

Test(h1_write, the_connections_end_is_told_in_each_versions_way)
{
    x.answer_length = 0;
    x.close = true;
    response_is(false, "HTTP/1.1 200 OK\r\nDate: DATE\r\nContent-Length: 0\r\n"
                       "Connection: close\r\n\r\n");
    x.version = 10;
    response_is(false, "HTTP/1.1 200 OK\r\nDate: DATE\r\nContent-Length: 0\r\n"
                       "Connection: close\r\n\r\n");
    x.close = false;
    response_is(false, "HTTP/1.1 200 OK\r\nDate: DATE\r\nContent-Length: 0\r\n"
                       "Connection: keep-alive\r\n\r\n");
}

Test(h1_write, a_status_text_and_a_date_of_the_service_stay_and_dropped_fields_do_not)
{
    x.status = 299;
    x.reason = STR("Fine");
    x.answer_length = 1;
    headers_add(&x.answer, STR("Date"), STR("theirs"));
    headers_add(&x.answer, STR("X-Gone"), STR("1"));
    headers_add(&x.answer, STR("x-stays"), STR(""));
    headers_remove(&x.answer, STR("X-Gone"));
    response_is(false,
                "HTTP/1.1 299 Fine\r\nDate: theirs\r\nx-stays: \r\nContent-Length: 1\r\n\r\n");
    x.reason = STR_NULL;
    headers_remove(&x.answer, STR("Date"));
    headers_remove(&x.answer, STR("X-Stays"));
    response_is(false, "HTTP/1.1 299 \r\nDate: DATE\r\nContent-Length: 1\r\n\r\n");
}

static void request_is(struct str query, bool has_body, int64_t length, const char *text)
{
    out.n = 0;
    h1_write_request(&out, STR("GET"), STR("/a"), query, &x.headers, has_body, length);
    cr_assert_str_eq(buf_text(&out), text);
}

Test(h1_write, a_request_has_the_framing_of_its_body)
{
    headers_add_id(&x.headers, FIELD_HOST, STR("h"));
    request_is(STR_NULL, false, 0, "GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
    request_is(STR(""), false, 0, "GET /a? HTTP/1.1\r\nHost: h\r\n\r\n");
    request_is(STR("b=c"), true, 0, "GET /a?b=c HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
    request_is(STR_NULL, true, 12, "GET /a HTTP/1.1\r\nHost: h\r\nContent-Length: 12\r\n\r\n");
    request_is(STR_NULL, true, LENGTH_UNKNOWN,
               "GET /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
}

Test(h1_write, interim_heads_have_nothing_but_their_fields)
{
    h1_write_interim(&out, 100, NULL);
    headers_add(&x.answer, STR("Link"), STR("</a>"));
    h1_write_interim(&out, 103, &x.answer);
    cr_assert_str_eq(buf_text(&out), "HTTP/1.1 100 Continue\r\n\r\n"
                                     "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
}

Test(h1_write, dates_are_imf_fixdates)
{
    char date[32];
    http_date(784111777, date);
    cr_assert_str_eq(date, "Sun, 06 Nov 1994 08:49:37 GMT");
    http_date(951782400, date);
    cr_assert_str_eq(date, "Tue, 29 Feb 2000 00:00:00 GMT");
    http_date(0, date);
    cr_assert_str_eq(date, "Thu, 01 Jan 1970 00:00:00 GMT");
}
