/* Texts with ${words}. */
#include "core/template.h"

#include "core/req.h"

#include <criterion/criterion.h>

static struct arena arena;
static struct req r;

static void make(void)
{
    headers_init(&r.x.headers, &r.x.arena, 4);
    headers_add(&r.x.headers, STR("X-Color"), STR("red"));
    headers_add(&r.x.headers, STR("X-Color"), STR("blue"));
    r.request_id = STR("id-1");
    r.client_ip = STR("192.0.2.7");
    r.names.route = STR("send");
    r.tenant = STR("acme");
    r.subject = STR("ada");
}

static void end(void)
{
    arena_free(&arena);
    arena_free(&r.x.arena);
}

TestSuite(template, .init = make, .fini = end);

static void expect(const char *text, const char *result)
{
    struct buf error = {0};
    struct template *t = template_compile(&arena, text, &error);

    cr_assert_not_null(t, "%s", buf_text(&error));
    struct str out = template_fill(t, &r);
    cr_assert(str_eq(out, str_of(result)), "%s: \"%.*s\"", text, STR_ARG(out));
    buf_free(&error);
}

static void expect_error(const char *text)
{
    struct buf error = {0};

    cr_assert_null(template_compile(&arena, text, &error), "%s", text);
    cr_assert_gt(error.n, 0);
    buf_free(&error);
}

Test(template, a_text_without_words_is_constant)
{
    struct buf error = {0};

    cr_assert(template_is_constant(template_compile(&arena, "plain $5 {x} $", &error)));
    cr_assert(template_is_constant(template_compile(&arena, "", &error)));
    cr_assert_not(template_is_constant(template_compile(&arena, "${route}", &error)));
    expect("plain $5 {x} $", "plain $5 {x} $");
    expect("", "");
}

Test(template, words_are_filled_from_the_request)
{
    expect("${request_id}", "id-1");
    expect("<${tenant}/${subject}>", "<acme/ada>");
    expect("${client_ip}${route}", "192.0.2.7send");
}

Test(template, the_first_field_of_a_name_is_taken_in_any_case)
{
    expect("${header:x-color}!", "red!");
    expect("[${header:X-Missing}]", "[]");
}

Test(template, a_doubled_dollar_is_a_literal_word)
{
    expect("$${route}", "${route}");
    expect("a$${b}c${route}", "a${b}csend");
    expect("$$5", "$$5");
}

Test(template, without_a_regex_match_a_path_word_is_empty)
{
    expect("[${path:id}]", "[]");
}

Test(template, unknown_and_unfinished_words_are_errors)
{
    expect_error("${nonsense}");
    expect_error("${route");
    expect_error("${header:}");
    expect_error("${header:a b}");
    expect_error("${path:}");
    expect_error("${}");
}
