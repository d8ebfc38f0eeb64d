// The benchmark's reading of HTTP heads.
#include <criterion/criterion.h>

#include "tools/bench/msg.h"

#define HEAD "HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 42\r\n\r\n"

Test(msg, finds_the_end_of_a_head)
{
    cr_assert_eq(msg_head_len(HEAD "body", sizeof HEAD + 3), sizeof HEAD - 1);
    cr_assert_eq(msg_head_len(HEAD, sizeof HEAD - 2), 0);
}

Test(msg, reads_status_and_length)
{
    cr_assert_eq(msg_status(HEAD, sizeof HEAD - 1), 200);
    cr_assert_eq(msg_content_length(HEAD, sizeof HEAD - 1), 42);
    cr_assert_eq(msg_content_length("GET / HTTP/1.1\r\n\r\n", 18), 0);
}

Test(msg, knows_a_request_that_closes)
{
    static const char closing[] = "GET / HTTP/1.1\r\nConnection: close\r\n\r\n";

    cr_assert(msg_ends_with_close(closing, sizeof closing - 1));
    cr_assert_not(msg_ends_with_close(HEAD, sizeof HEAD - 1));
    cr_assert_not(msg_ends_with_close("\r\n\r\n", 4));
}

Test(msg, a_head_in_pieces_becomes_whole)
{
    struct msg_part part = {0};
    const char *data = NULL;
    size_t len = 0;

    for (size_t i = 0; i < sizeof HEAD - 1; i++) {
        data = HEAD + i;
        len = 1;
        msg_part_join(&part, &data, &len);
        if (!msg_head_len(data, len))
            msg_part_keep(&part, data, len);
    }
    cr_assert_eq(len, sizeof HEAD - 1);
    cr_assert_arr_eq(data, HEAD, len);
    msg_part_fini(&part);
    cr_assert_null(part.data);
}
