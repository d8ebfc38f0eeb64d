#include "base/rand.h"
#include "base/xmem.h"
#include "http/scan.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

Test(scan, tokens_targets_and_values_are_made_of_what_the_rfcs_say)
{
    for (int c = 0; c < 256; c++) {
        bool alnum = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        bool token = alnum || (c && strchr("!#$%&'*+-.^_`|~", c));
        bool target = c > 0x20 && c < 0x7f && c != '#';
        bool value = c == '\t' || (c >= 0x20 && c != 0x7f);
        cr_expect(eq(int, scan_is(SCAN_TOKEN, (char)c), token), "token %d", c);
        cr_expect(eq(int, scan_is(SCAN_TARGET, (char)c), target), "target %d", c);
        cr_expect(eq(int, scan_is(SCAN_VALUE, (char)c), value), "value %d", c);
    }
}

/* The first byte from p on that is not of the class, one byte after the other. */
static const char *slow_scan(enum scan_class c, const char *p, const char *end)
{
    while (p < end && scan_is(c, *p))
        p++;
    return p;
}

/* Walks over the input, now with one class, now with another, as the parser does. */
static void expect_scan_like_slow(scan_kernel *kernel, const char *text, size_t n)
{
    struct scan s;
    char *exact = xmalloc(n ? n : 1);
    const char *p = exact, *end = exact + n;
    memcpy(exact, text, n);
    scan_init(&s, kernel, exact, end);
    for (unsigned step = 0; p <= end; step++) {
        enum scan_class c = (enum scan_class)(step % SCAN_CLASSES);
        const char *found = scan_to(&s, c, p);
        cr_assert(found == slow_scan(c, p, end), "class %d at %td of %zu", c, p - exact, n);
        p = found + 1;
    }
    free(exact);
}

Test(scan, every_kernel_stops_at_each_byte_that_is_not_of_the_class)
{
    for (unsigned k = 0; scan_kernel_at(k); k++)
        for (int byte = 0; byte < 256; byte++)
            for (size_t at = 0; at < 130; at += 3) {
                char text[130];
                memset(text, 'a', sizeof text);
                text[at] = (char)byte;
                expect_scan_like_slow(scan_kernel_at(k), text, sizeof text);
            }
}

Test(scan, every_kernel_ends_at_the_end_of_input_of_any_length)
{
    char text[3 * SCAN_WINDOW];
    memset(text, 'a', sizeof text);
    for (unsigned k = 0; scan_kernel_at(k); k++)
        for (size_t n = 0; n <= sizeof text; n += n < 200 ? 1 : 61)
            expect_scan_like_slow(scan_kernel_at(k), text, n);
}

Test(scan, every_kernel_agrees_on_random_bytes)
{
    struct rand r;
    char text[2000];
    rand_seed(&r);
    for (int round = 0; round < 300; round++) {
        size_t n = rand_below(&r, sizeof text + 1);
        uint32_t rare = 1 + rand_below(&r, 64);
        for (size_t i = 0; i < n; i++)
            text[i] = (char)(rand_below(&r, rare) ? 'x' : rand_below(&r, 256));
        for (unsigned k = 0; scan_kernel_at(k); k++)
            expect_scan_like_slow(scan_kernel_at(k), text, n);
    }
}

Test(scan, the_last_kernel_is_there_on_every_machine)
{
    cr_assert(scan_kernel_at(0) != NULL);
    cr_assert(scan_kernel_best() == scan_kernel_at(0));
    cr_assert(scan_kernel_at(100) == NULL);
}
