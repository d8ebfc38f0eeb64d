/* Addresses as text. */
#include "net/addr.h"

#include <criterion/criterion.h>

static const char *round_trip(const char *text)
{
    static char out[ADDR_TEXT];
    struct addr a;
    if (addr_parse(str_of(text), &a) < 0)
        return "refused";
    cr_assert_eq(addr_format(&a, out), strlen(out));
    return out;
}

static const char *ip_of(const char *text)
{
    static char out[ADDR_TEXT];
    struct addr a;
    cr_assert(addr_parse(str_of(text), &a) == 0);
    cr_assert_eq(addr_format_ip(&a, out), strlen(out));
    return out;
}

Test(addr, what_is_parsed_is_formatted_the_same)
{
    cr_assert_str_eq(round_trip("192.0.2.1:80"), "192.0.2.1:80");
    cr_assert_str_eq(round_trip("[2001:db8::1]:65535"), "[2001:db8::1]:65535");
    cr_assert_str_eq(round_trip("[::]:0"), "[::]:0");
    cr_assert_str_eq(round_trip("unix:/run/x.sock"), "unix:/run/x.sock");
}

Test(addr, what_is_no_address_is_refused)
{
    const char *const bad[] = {"",
                               "80",
                               "192.0.2.1",
                               "192.0.2.1:",
                               "192.0.2.1:65536",
                               "1.2.3:80",
                               "host:80",
                               "::1:80",
                               "[::1]",
                               "[::1]80",
                               "[1.2.3.4]:80",
                               "unix:",
                               "unix:x.sock",
                               "192.0.2.1:+80",
                               ":80"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_assert_str_eq(round_trip(bad[i]), "refused", "%s", bad[i]);
}

Test(addr, a_unix_path_longer_than_the_kernel_takes_is_refused)
{
    char text[5 + 108 + 1] = "unix:/";
    memset(text + 6, 'x', sizeof text - 7);
    cr_assert_str_eq(round_trip(text), "refused");
    text[sizeof text - 2] = 0;
    cr_assert_str_eq(round_trip(text), text);
}

Test(addr, the_address_alone_shows_mapped_ipv4_as_ipv4)
{
    cr_assert_str_eq(ip_of("192.0.2.1:80"), "192.0.2.1");
    cr_assert_str_eq(ip_of("[::ffff:192.0.2.1]:80"), "192.0.2.1");
    cr_assert_str_eq(ip_of("[2001:db8::1]:80"), "2001:db8::1");
    cr_assert_str_eq(ip_of("unix:/x"), "unix");
}

Test(addr, equality_looks_at_family_address_and_port)
{
    struct addr a, b, c, d;
    cr_assert(addr_parse(STR("192.0.2.1:80"), &a) == 0);
    cr_assert(addr_parse(STR("192.0.2.1:81"), &b) == 0);
    cr_assert(addr_parse(STR("[2001:db8::1]:80"), &c) == 0);
    cr_assert(addr_parse(STR("unix:/x"), &d) == 0);
    cr_assert(addr_equal(&a, &a) && addr_equal(&c, &c) && addr_equal(&d, &d));
    cr_assert(!addr_equal(&a, &b) && !addr_equal(&a, &c) && !addr_equal(&c, &d));
    cr_assert_eq(addr_port(&b), 81);
    cr_assert_eq(addr_port(&d), 0);
}

Test(addr, loopback_is_known_in_each_family)
{
    const char *const yes[] = {"127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "[::ffff:127.0.0.1]:1",
                               "unix:/x"};
    const char *const no[] = {"192.0.2.1:1", "[2001:db8::1]:1", "[::ffff:192.0.2.1]:1"};
    struct addr a;
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++)
        cr_assert(addr_parse(str_of(yes[i]), &a) == 0 && addr_is_loopback(&a), "%s", yes[i]);
    for (size_t i = 0; i < sizeof no / sizeof no[0]; i++)
        cr_assert(addr_parse(str_of(no[i]), &a) == 0 && !addr_is_loopback(&a), "%s", no[i]);
}
