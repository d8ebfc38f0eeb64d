/* Any bytes as the inside of a JSON string. */
#include "base/str.h"

#include "base/rand.h"

#include <criterion/criterion.h>
#include <jansson.h>

static void expect(struct str in, const char *out)
{
    struct buf b = {0};

    buf_add_json(&b, in);
    cr_assert_str_eq(buf_text(&b), out);
    buf_free(&b);
}

Test(json_text, plain_text_stays_as_it_is)
{
    expect(STR(""), "");
    expect(STR("/v1/email/send"), "/v1/email/send");
    expect(STR("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\xa7"),
           "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\xa7");
}

Test(json_text, quotes_controls_and_broken_utf8_are_escaped)
{
    expect(STR("say \"hi\\\""), "say \\\"hi\\\\\\\"");
    expect(STR("a\nb\r\tc\x7f"), "a\\u000ab\\u000d\\u0009c\\u007f");
    expect(str_make("a\0b", 3), "a\\u0000b");
    expect(STR("\xff\xc3(\xe2\x82"), "\\ufffd\\ufffd(\\ufffd\\ufffd");
    expect(STR("\xed\xa0\x80"), "\\ufffd\\ufffd\\ufffd");
}

Test(json_text, every_special_byte_is_found_wherever_it_stands)
{
    for (unsigned at = 0; at < 20; at++) {
        for (unsigned c = 0; c < 0x80; c++) {
            char text[20];
            struct buf b = {0};
            memset(text, 'a', sizeof text);
            text[at] = (char)c;
            buf_add_json(&b, str_make(text, sizeof text));
            bool special = c < 0x20 || c == 0x7f || c == '"' || c == '\\';
            cr_assert_eq(b.n > sizeof text, special, "byte %u at %u", c, at);
            buf_free(&b);
        }
    }
}

Test(json_text, random_bytes_are_always_a_json_string)
{
    struct rand rand = {.s = {1, 2, 3, 4}};

    for (int i = 0; i < 20000; i++) {
        char text[40];
        size_t n = rand_below(&rand, sizeof text);
        struct buf b = {0};
        for (size_t k = 0; k < n; k++)
            text[k] = (char)rand_u64(&rand);
        buf_add_char(&b, '"');
        buf_add_json(&b, str_make(text, n));
        buf_add_char(&b, '"');
        json_t *value = json_loadb(b.p, b.n, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        cr_assert(json_is_string(value));
        json_decref(value);
        buf_free(&b);
    }
}
