/* See json.h. */
#include "conf/json.h"

#include "conf/errors.h"

#include <jansson.h>

/* The four hexadecimal digits of a `\uXXXX` at `s`, or -1. */
static int escaped_unit(struct str s)
{
    if (s.n < 6 || s.p[0] != '\\' || s.p[1] != 'u')
        return -1;
    int unit = 0;
    for (int i = 2; i < 6; i++)
        unit = unit * 16 + ascii_hex(s.p[i]);
    return unit;
}

/* `\ud83d\ude00` becomes `\U0001f600`; only called on text known to be JSON. */
static void join_surrogates(struct str text, struct buf *out)
{
    for (size_t i = 0; i < text.n;) {
        struct str rest = {text.p + i, text.n - i};
        int high = escaped_unit(rest);
        int low =
            high >= 0xd800 && high < 0xdc00 ? escaped_unit(str_make(rest.p + 6, rest.n - 6)) : -1;
        if (low >= 0xdc00 && low < 0xe000) {
            buf_printf(out, "\\U%08x",
                       0x10000u + (((unsigned)high - 0xd800) << 10) + ((unsigned)low - 0xdc00));
            i += 12;
        } else {
            size_t n = rest.p[0] == '\\' && rest.n > 1 ? 2 : 1;
            buf_add(out, rest.p, n);
            i += n;
        }
    }
}

bool json_check(const char *file, struct str text, struct conf_errors *errs, struct buf *copy)
{
    json_error_t error;
    json_t *value = json_loadb(text.p, text.n, JSON_DECODE_ANY, &error);
    if (!value) {
        struct node_pos pos = {file, error.line > 0 ? (uint32_t)error.line : 1,
                               error.column > 0 ? (uint32_t)error.column : 1};
        conf_errors_add(errs, pos, "(file)", "not valid JSON: %s", error.text);
        return false;
    }
    json_decref(value);
    if (memmem(text.p, text.n, "\\ud", 3) || memmem(text.p, text.n, "\\uD", 3))
        join_surrogates(text, copy);
    return true;
}
