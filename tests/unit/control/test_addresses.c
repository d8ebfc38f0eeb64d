/* Which sockets a configuration asks for. */
#include "control/addresses.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct conf *conf;

static void load(const char *members)
{
    char text[1024];
    struct conf_errors errors = {0};

    snprintf(text, sizeof(text),
             "{%s, \"services\": [], \"routes\": [{\"name\": \"all\", \"auth\": \"none\","
             " \"limits\": \"none\", \"respond\": {\"status\": 200}}]}",
             members);
    int failed = conf_load_text("/tmp/test.json", text, strlen(text), NULL, &conf, &errors);
    conf_errors_print(&errors, "", stderr);
    conf_errors_fini(&errors);
    cr_assert_eq(failed, 0);
}

static void unload(void)
{
    conf_unref(&conf);
}

TestSuite(addresses, .fini = unload);

Test(addresses, a_tcp_listener_has_a_socket_per_worker_and_everything_else_one)
{
    struct addresses addresses;

    load("\"workers\": 3, \"listeners\": [{\"name\": \"a\", \"address\": \"127.0.0.1:8080\"},"
         " {\"name\": \"b\", \"address\": \"unix:/run/tg/b.sock\"}],"
         " \"admin\": {\"address\": \"unix:/run/tg/admin.sock\","
         " \"probe_address\": \"[::1]:9902\"}");
    addresses_collect(conf, addresses_workers(conf), &addresses);
    cr_assert_eq(addresses.count, 4);
    static const struct {
        const char *text;
        size_t count;
    } expected[] = {{"127.0.0.1:8080", 3},
                    {"unix:/run/tg/b.sock", 1},
                    {"unix:/run/tg/admin.sock", 1},
                    {"[::1]:9902", 1}};
    for (size_t i = 0; i < 4; i++) {
        cr_assert_str_eq(addresses.items[i].text, expected[i].text);
        cr_assert_eq(addresses.items[i].count, expected[i].count);
    }
    cr_assert_eq(addresses.items[1].mode, 0666, "a listener is for everybody");
    cr_assert_eq(addresses.items[2].mode, 0600, "the admin API is not");
    addresses_fini(&addresses);
}

Test(addresses, automatic_workers_are_at_least_one)
{
    load("\"listeners\": [{\"name\": \"a\", \"address\": \"127.0.0.1:8080\"}]");
    cr_assert_geq(addresses_workers(conf), 1);
}
