#include "http/headers.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

static struct arena arena;
static struct headers h;

static void setup(void)
{
    arena = (struct arena){0};
    headers_init(&h, &arena, 2);
}

static void teardown(void)
{
    arena_free(&arena);
}

TestSuite(headers, .init = setup, .fini = teardown);

static void push(const char *name, const char *value)
{
    headers_push(&h, str_of(name), str_of(value));
}

/* All fields that are not dropped, as "name: value; " each. */
static const char *left(void)
{
    struct buf b = {0};
    for (size_t i = 0; i < h.n; i++) {
        const struct field *f = &h.v[i];
        if (!(f->flags & FIELD_DROPPED))
            buf_printf(&b, "%.*s: %.*s; ", f->name_len, f->name, (int)f->value_len, f->value);
    }
    const char *text = arena_dup(&arena, b.p, b.n);
    buf_free(&b);
    return text;
}

static void expect_left(const char *want)
{
    const char *got = left();
    cr_expect(str_eq(str_of(got), str_of(want)), "left: %s", got);
}

static void expect_str(struct str got, const char *want)
{
    cr_expect(str_eq(got, str_of(want)), "got \"%.*s\", not \"%s\"", STR_ARG(got), want);
}

Test(headers, every_known_name_is_found_in_any_case)
{
    for (enum field_id id = 1; id < FIELD_IDS; id++) {
        struct str name = field_name(id);
        char text[64];
        for (unsigned mode = 0; mode < 3; mode++) {
            for (size_t i = 0; i < name.n; i++) {
                char lower = ascii_lower(name.p[i]);
                bool up = mode == 1 || (mode == 2 && i % 2);
                text[i] = up && ascii_is_alpha(lower) ? (char)(lower - 0x20) : lower;
            }
            cr_expect(eq(int, (int)field_lookup(text, name.n), (int)id), "%.*s", STR_ARG(name));
        }
    }
}

Test(headers, a_name_that_is_nearly_a_known_one_is_another_name)
{
    for (enum field_id id = 1; id < FIELD_IDS; id++) {
        struct str name = field_name(id);
        char text[64];
        memcpy(text, name.p, name.n);
        for (size_t i = 0; i < name.n; i++) {
            text[i] = '_';
            cr_expect(field_lookup(text, name.n) == FIELD_OTHER, "%.*s", (int)name.n, text);
            text[i] = name.p[i] == 'q' ? 'z' : 'q';
            cr_expect(field_lookup(text, name.n) == FIELD_OTHER, "%.*s", (int)name.n, text);
            text[i] = name.p[i];
        }
        text[name.n] = 's';
        cr_expect(field_lookup(text, name.n + 1) == FIELD_OTHER);
        cr_expect(field_lookup(text, 0) == FIELD_OTHER);
    }
    cr_expect(field_lookup("Content_Length", 14) == FIELD_OTHER);
}

Test(headers, fields_keep_their_order_and_duplicates)
{
    push("Accept", "a");
    push("X-One", "1");
    push("accept", "b");
    push("x-one", "2");
    expect_left("Accept: a; X-One: 1; accept: b; x-one: 2; ");
    const struct field *f = headers_get(&h, FIELD_ACCEPT);
    expect_str(field_value(f), "a");
    expect_str(field_value(headers_next(&h, f)), "b");
    f = headers_find(&h, STR("X-ONE"));
    expect_str(field_value(f), "1");
    f = headers_next(&h, f);
    expect_str(field_value(f), "2");
    cr_expect(headers_next(&h, f) == NULL);
    expect_str(headers_value(&h, FIELD_ACCEPT), "a");
}

Test(headers, what_is_not_there_is_not_found)
{
    cr_expect(headers_get(&h, FIELD_HOST) == NULL);
    cr_expect(headers_find(&h, STR("X-Not")) == NULL);
    cr_expect(headers_value(&h, FIELD_HOST).p == NULL);
}

Test(headers, a_dropped_field_is_passed_over)
{
    push("Via", "1.1 a");
    push("Via", "1.1 b");
    headers_get(&h, FIELD_VIA)->flags |= FIELD_DROPPED;
    expect_str(headers_value(&h, FIELD_VIA), "1.1 b");
    headers_remove_id(&h, FIELD_VIA);
    cr_expect(headers_get(&h, FIELD_VIA) == NULL);
    headers_add_id(&h, FIELD_VIA, STR("1.1 c"));
    expect_str(headers_value(&h, FIELD_VIA), "1.1 c");
}

Test(headers, setting_replaces_every_field_of_the_name)
{
    push("X-A", "1");
    push("Host", "a");
    push("x-a", "2");
    headers_set(&h, STR("X-A"), STR("3"));
    headers_set_id(&h, FIELD_HOST, STR("b"));
    expect_left("X-A: 3; Host: b; ");
    headers_remove(&h, STR("x-a"));
    headers_remove(&h, STR("x-none"));
    expect_left("Host: b; ");
}

Test(headers, there_is_room_for_more_fields_than_at_first)
{
    for (int i = 0; i < 1000; i++)
        push("X-Many", "v");
    cr_expect(eq(int, h.n, 1000));
}

Test(headers, rebasing_moves_what_was_parsed_and_leaves_what_was_added)
{
    char from[] = "Accept: a", to[] = "Accept: a";
    headers_push(&h, str_make(from, 6), str_make(from + 8, 1));
    headers_add_id(&h, FIELD_HOST, STR("b"));
    headers_rebase(&h, from, to);
    from[0] = from[8] = '?';
    cr_expect(h.v[0].name == to && h.v[0].value == to + 8);
    expect_left("Accept: a; Host: b; ");
}

Test(headers, lists_are_split_at_commas_and_trimmed)
{
    struct str rest = STR(" a ,\t,b c,, d"), member;
    cr_expect(headers_list_next(&rest, &member));
    expect_str(member, "a");
    cr_expect(headers_list_next(&rest, &member));
    expect_str(member, "b c");
    cr_expect(headers_list_next(&rest, &member));
    expect_str(member, "d");
    cr_expect(not(headers_list_next(&rest, &member)));
}

Test(headers, connection_options_are_read_from_all_its_fields)
{
    cr_expect(eq(int, headers_connection(&h), 0));
    push("Connection", "X-Foo, CLOSE");
    push("connection", "keep-alive,Upgrade");
    cr_expect(eq(int, headers_connection(&h),
                 CONNECTION_CLOSE | CONNECTION_KEEP_ALIVE | CONNECTION_UPGRADE));
}

Test(headers, hop_by_hop_fields_and_those_that_connection_names_are_dropped)
{
    push("Host", "a");
    push("Connection", "keep-alive, X-Private");
    push("Connection", "Cookie");
    push("Keep-Alive", "timeout=5");
    push("Proxy-Connection", "keep-alive");
    push("Proxy-Authorization", "Basic x");
    push("Proxy-Authenticate", "Basic");
    push("Transfer-Encoding", "chunked");
    push("Upgrade", "h2c");
    push("HTTP2-Settings", "AAA");
    push("TE", "gzip");
    push("X-Private", "1");
    push("x-private", "2");
    push("Cookie", "a=b");
    push("Trailer", "X-Sum");
    push("Accept", "*/*");
    cr_expect(eq(int, headers_strip_hop_by_hop(&h), 0));
    expect_left("Host: a; Trailer: X-Sum; Accept: */*; ");
}

Test(headers, te_stays_only_as_trailers)
{
    push("Connection", "TE");
    push("TE", "gzip, Trailers");
    push("TE", "trailers");
    cr_expect(eq(int, headers_strip_hop_by_hop(&h), 0));
    expect_left("TE: Trailers; ");
}

Test(headers, connection_cannot_name_what_frames_or_routes)
{
    static const char *const names[] = {"Host", "close, content-length", "a,\tTRANSFER-ENCODING"};
    for (size_t i = 0; i < 3; i++) {
        headers_init(&h, &arena, 2);
        push("Connection", "keep-alive");
        push("Connection", names[i]);
        cr_expect(eq(int, headers_strip_hop_by_hop(&h), -1), "%s", names[i]);
        cr_expect(eq(int, headers_connection(&h), -1), "%s", names[i]);
    }
}
