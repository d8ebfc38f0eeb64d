/* Targets: what a path's normal form promises holds for every input, and the form is final.
 * Input: a byte of choices, then the text that is taken as target, path, authority and query. */
#include "base/check.h"
#include "base/xmem.h"
#include "http/uri.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

static bool is_unreserved(int c)
{
    return ascii_is_alpha((char)c) || ascii_is_digit((char)c) || (c && strchr("-._~", c));
}

static void expect_good_escape(const char *p, const char *end, unsigned flags)
{
    ensure(end - p >= 3);
    int high = ascii_hex(p[1]), low = ascii_hex(p[2]), byte = high << 4 | low;
    ensure(high >= 0 && low >= 0 && p[1] < 'a' && p[2] < 'a');
    ensure(!is_unreserved(byte) && byte != 0 && byte != '\\');
    ensure(byte != '/' || (flags & URI_KEEP_ESCAPED_SLASH));
}

static bool is_dots(struct str segment)
{
    return str_eq(segment, STR(".")) || str_eq(segment, STR(".."));
}

static void expect_normal(struct str path, unsigned flags)
{
    struct str rest = path, segment;
    if (str_eq(path, STR("*")))
        return;
    ensure(path.n && path.p[0] == '/');
    for (size_t i = 0; i < path.n; i++) {
        char c = path.p[i];
        ensure(c > ' ' && c < 0x7f && !strchr("\"#<>?[\\]^`{|}", c));
        if (c == '%')
            expect_good_escape(path.p + i, path.p + path.n, flags);
    }
    ensure(str_split(&rest, '/', &segment) && segment.n == 0);
    while (str_split(&rest, '/', &segment)) {
        ensure(!is_dots(segment));
        ensure(segment.n || !rest.p || !(flags & URI_MERGE_SLASHES));
    }
}

static void check_path(struct str path, unsigned flags, struct arena *arena)
{
    struct str normal, again;
    if (uri_normalise(path, flags, arena, &normal) != URI_OK)
        return;
    expect_normal(normal, flags);
    ensure(uri_normalise(normal, flags, arena, &again) == URI_OK);
    ensure(again.p == normal.p && again.n == normal.n);
}

static void check_target(struct str target, enum http_method method, unsigned flags,
                         struct arena *arena)
{
    struct uri uri;
    if (uri_split(target, method, &uri) != URI_OK)
        return;
    if (uri.authority.p) {
        ensure(uri_is_authority(uri.authority));
        ensure(uri_host(uri.authority).n > 0 && uri_port(uri.authority).n <= 5);
    }
    if (method != METHOD_CONNECT)
        ensure(uri.path.p[0] == '/' || (method == METHOD_OPTIONS && str_eq(uri.path, STR("*"))));
    check_path(uri.path, flags, arena);
}

static void check_query(struct str query, struct arena *arena)
{
    struct str name, value;
    while (uri_query_next(&query, &name, &value)) {
        ensure(!memchr(name.p, '&', name.n) && !memchr(name.p, '=', name.n));
        ensure(uri_decode(value, arena).n <= value.n);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    struct arena arena = {0};
    char *copy = xmalloc(size - 1);
    struct str text = str_make(copy, size - 1);
    unsigned flags = data[0] & (URI_KEEP_ESCAPED_SLASH | URI_MERGE_SLASHES);
    memcpy(copy, data + 1, size - 1);
    check_target(text, (enum http_method)((data[0] >> 2) % METHODS), flags, &arena);
    check_path(text, flags, &arena);
    check_query(text, &arena);
    if (uri_is_authority(text))
        ensure(uri_host(text).n > 0);
    free(copy);
    arena_free(&arena);
    return 0;
}
