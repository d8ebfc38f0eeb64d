/* The admin API as a client sees it: a loop in a thread, requests through sockets of this one. */
#include "base/xmem.h"
#include "control/admin.h"
#include "net/inbox.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct loop *loop;
static struct inbox *inbox;
static struct admin *admin;
static struct conf *conf;
static pthread_t thread;
static int api_fd, probe_fd;

/* What the gateway would tell; read by the loop's thread, written by the test. */
static _Atomic bool started = true, ready = true;
static _Atomic uint64_t turns;

static void get_worker(void *user, unsigned i, struct admin_worker *out)
{
    (void)user;
    *out = (struct admin_worker){turns, 10 + i, 20 + i};
}

static void get_status(void *user, struct admin_status *out)
{
    (void)user;
    *out = (struct admin_status){
        .config_generation = 3,
        .config_source = "file",
        .config_file = "/etc/tollgate.yaml",
        .live_requests = 21,
        .connections = 41,
        .last_reload_ok = true,
        .last_reload_wall_ns = 1500000000,
    };
}

static const struct conf *get_conf(void *user)
{
    (void)user;
    return conf;
}

static bool get_started(void *user)
{
    (void)user;
    return started;
}

static bool get_ready(void *user, json_t *degraded)
{
    (void)user;
    json_array_append_new(degraded, json_string("service:sms"));
    return ready;
}

static void get_metrics(void *user, struct metrics_text *t)
{
    (void)user;
    metrics_text_value(t, METRICS_CONFIG_GENERATION, NULL, 3);
}

static const struct admin_sources sources = {
    .workers = 2,
    .worker = get_worker,
    .status = get_status,
    .conf = get_conf,
    .started = get_started,
    .ready = get_ready,
    .metrics = get_metrics,
};

static struct conf *load(const char *admin_section)
{
    struct conf_errors errors = {0};
    struct conf *c;
    struct buf text = {0};

    buf_printf(&text,
               "{\"admin\": {%s},"
               "\"listeners\": [{\"name\": \"public\", \"address\": \"127.0.0.1:1\"}],"
               "\"routes\": [{\"name\": \"r\", \"auth\": \"none\", \"limits\": \"none\","
               "\"cache\": {\"ttl\": \"1s\"}, \"respond\": {\"status\": 204}}]}",
               admin_section);
    if (conf_load_text("/tmp/test.json", text.p, text.n, NULL, &c, &errors) != 0)
        conf_errors_print(&errors, "", stderr);
    cr_assert_not_null(c);
    conf_errors_fini(&errors);
    buf_free(&text);
    return c;
}

static int listening(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    cr_assert_eq(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    cr_assert_eq(listen(fd, 128), 0);
    return fd;
}

static void *run(void *arg)
{
    (void)arg;
    loop_run(loop);
    return NULL;
}

static void start(const char *admin_section)
{
    conf = load(admin_section);
    loop = loop_new();
    inbox = inbox_new(loop);
    api_fd = listening();
    probe_fd = listening();
    admin = admin_new(loop, &sources, conf_root(conf));
    cr_assert_eq(admin_listen(admin, api_fd, false, NULL), 0);
    cr_assert_eq(admin_listen(admin, probe_fd, true, NULL), 0);
    cr_assert_eq(pthread_create(&thread, NULL, run, NULL), 0);
}

/* The turn after closing frees the connections; then the loop ends. */
static void on_stop(struct message *m)
{
    (void)m;
    admin_free(&admin);
    loop_stop(loop);
}

static void stop(void)
{
    struct message m = {.run = on_stop};

    inbox_post(inbox, &m);
    pthread_join(thread, NULL);
    inbox_free(inbox);
    loop_free(loop);
    conf_unref(&conf);
    close(api_fd);
    close(probe_fd);
}

TestSuite(admin, .timeout = 60);

static int dial(int listener)
{
    struct sockaddr_in a;
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    cr_assert_eq(getsockname(listener, (struct sockaddr *)&a, &len), 0);
    cr_assert_eq(connect(fd, (struct sockaddr *)&a, len), 0);
    return fd;
}

struct answer {
    int status;
    char *head;
    json_t *json; /* NULL: not JSON */
    char *body;
};

/* Sends the request with `Connection: close` and reads to the end. */
static struct answer ask(int listener, const char *line, const char *fields, const char *body)
{
    struct answer a = {0};
    struct buf b = {0};
    int fd = dial(listener);
    ssize_t n;

    buf_printf(&b, "%s HTTP/1.1\r\n%sConnection: close\r\n", line, fields);
    if (*body)
        buf_printf(&b, "Content-Length: %zu\r\n", strlen(body));
    buf_printf(&b, "\r\n%s", body);
    cr_assert_eq(write(fd, b.p, b.n), (ssize_t)b.n);
    b.n = 0;
    do {
        buf_reserve(&b, 4096);
        n = read(fd, b.p + b.n, 4096);
        b.n += n > 0 ? (size_t)n : 0;
    } while (n > 0);
    close(fd);
    a.head = xstrdup(buf_text(&b));
    buf_free(&b);
    cr_assert_eq(sscanf(a.head, "HTTP/1.1 %d", &a.status), 1, "%s", a.head);
    a.body = strstr(a.head, "\r\n\r\n");
    cr_assert_not_null(a.body);
    *a.body = '\0';
    a.body += 4;
    a.json = json_loads(a.body, 0, NULL);
    return a;
}

static void answer_free(struct answer *a)
{
    free(a->head);
    json_decref(a->json);
}

#define HOST "Host: localhost\r\n"

/* The status of a request; its `code`, if there is one, is compared. */
static void expect(int listener, const char *line, const char *fields, const char *body, int status,
                   const char *code)
{
    struct answer a = ask(listener, line, fields, body);

    cr_assert_eq(a.status, status, "%s: %s\n%s", line, a.head, a.body);
    if (code)
        cr_assert_str_eq(json_string_value(json_object_get(a.json, "code")), code);
    answer_free(&a);
}

Test(admin, probes_answer_without_a_token_on_both_addresses)
{
    static const char *const paths[] = {"/health",       "/health/live", "/ready",
                                        "/health/ready", "/startup",     "/metrics"};
    char line[64];

    start("\"token\": \"secret\"");
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        snprintf(line, sizeof line, "GET %s", paths[i]);
        expect(api_fd, line, HOST, "", 200, NULL);
        expect(probe_fd, line, "Host: 10.1.2.3\r\n", "", 200, NULL);
    }
    stop();
}

Test(admin, the_probe_address_has_nothing_else)
{
    start("");
    expect(probe_fd, "GET /v1/status", HOST, "", 404, "not_found");
    stop();
}

Test(admin, ready_lists_what_is_degraded_and_says_no_when_it_is_not)
{
    start("");
    struct answer a = ask(api_fd, "GET /ready", HOST, "");
    cr_assert(json_is_true(json_object_get(a.json, "ready")));
    cr_assert_str_eq(json_string_value(json_array_get(json_object_get(a.json, "degraded"), 0)),
                     "service:sms");
    answer_free(&a);
    ready = false;
    expect(api_fd, "GET /ready", HOST, "", 503, NULL);
    ready = true;
    started = false;
    expect(api_fd, "GET /ready", HOST, "", 503, NULL);
    expect(api_fd, "GET /startup", HOST, "", 503, NULL);
    stop();
}

Test(admin, status_tells_numbers_workers_and_inactive_features)
{
    start("");
    struct answer a = ask(api_fd, "GET /v1/status?x=1", HOST, "");
    cr_assert_eq(a.status, 200);
    cr_assert_eq(json_integer_value(json_object_get(a.json, "config_generation")), 3);
    cr_assert_eq(json_integer_value(json_object_get(a.json, "live_requests")), 21);
    cr_assert_eq(json_integer_value(json_object_get(a.json, "connections")), 41);
    const json_t *config = json_object_get(a.json, "config");
    cr_assert_str_eq(json_string_value(json_object_get(config, "source")), "file");
    const json_t *worker = json_array_get(json_object_get(a.json, "workers"), 1);
    cr_assert_eq(json_integer_value(json_object_get(worker, "live_requests")), 11);
    cr_assert(json_is_array(json_object_get(a.json, "inactive")));
    answer_free(&a);
    stop();
}

Test(admin, metrics_are_text_or_openmetrics_as_asked)
{
    start("");
    struct answer a = ask(api_fd, "GET /metrics", HOST, "");
    cr_assert_not_null(strstr(a.head, "text/plain; version=0.0.4"));
    cr_assert_not_null(strstr(a.body, "\ntollgate_config_generation 3\n"));
    cr_assert_not_null(strstr(a.body, "\ntollgate_build_info{version=\""));
    answer_free(&a);
    a = ask(api_fd, "GET /metrics",
            HOST "Accept: application/openmetrics-text; version=1.0.0, text/plain;q=0.5\r\n", "");
    cr_assert_not_null(strstr(a.head, "application/openmetrics-text; version=1.0.0"));
    cr_assert_str_eq(a.body + strlen(a.body) - 6, "# EOF\n");
    answer_free(&a);
    stop();
}

Test(admin, head_is_get_without_a_body)
{
    start("");
    struct answer a = ask(api_fd, "HEAD /health", HOST, "");
    cr_assert_eq(a.status, 200);
    cr_assert_str_eq(a.body, "");
    answer_free(&a);
    stop();
}

Test(admin, unknown_paths_and_methods_are_told)
{
    start("");
    expect(api_fd, "GET /nowhere", HOST, "", 404, "not_found");
    expect(api_fd, "GET /v1/services//weights", HOST, "", 404, "not_found");
    struct answer a = ask(api_fd, "DELETE /v1/config", HOST, "");
    cr_assert_eq(a.status, 405);
    cr_assert_not_null(strstr(a.head, "\r\nAllow: GET, HEAD, PUT\r\n"), "%s", a.head);
    answer_free(&a);
    stop();
}

Test(admin, what_is_to_come_is_501)
{
    start("");
    expect(api_fd, "GET /v1/services/email", HOST, "", 501, "not_implemented");
    expect(api_fd, "PATCH /v1/services/email/weights", HOST "Content-Type: application/json\r\n",
           "{\"canary\":10}", 501, "not_implemented");
    stop();
}

Test(admin, a_token_is_needed_and_its_role_counts)
{
    start("\"tokens\": [{\"name\": \"ci\", \"token\": \"reader\", \"role\": \"read\"},"
          "{\"name\": \"ops\", \"token\": \"writer\", \"role\": \"write\"}]");
    struct answer a = ask(api_fd, "GET /v1/status", HOST, "");
    cr_assert_eq(a.status, 401);
    cr_assert_not_null(strstr(a.head, "\r\nWWW-Authenticate: Bearer\r\n"));
    answer_free(&a);
    expect(api_fd, "GET /v1/status", HOST "Authorization: Bearer wrong\r\n", "", 401,
           "unauthenticated");
    expect(api_fd, "GET /v1/status", HOST "Authorization: Basic reader\r\n", "", 401,
           "unauthenticated");
    expect(api_fd, "GET /v1/status", HOST "Authorization: bearer reader\r\n", "", 200, NULL);
    const char *json = HOST "Authorization: Bearer reader\r\nContent-Type: application/json\r\n";
    expect(api_fd, "POST /v1/reload", json, "{}", 403, "insufficient_scope");
    json = HOST "Authorization: Bearer writer\r\nContent-Type: application/json\r\n";
    expect(api_fd, "POST /v1/reload", json, "{}", 501, "not_implemented");
    expect(api_fd, "POST /v1/tenants", json, "{}", 403, "insufficient_scope");
    stop();
}

Test(admin, browsers_are_kept_out)
{
    start("");
    expect(api_fd, "GET /v1/status", "Host: evil.example\r\n", "", 403, "forbidden");
    expect(api_fd, "GET /v1/status", "Host: localhost.evil.example\r\n", "", 403, "forbidden");
    expect(api_fd, "GET /v1/status", "Host: 127.0.0.1:9901\r\n", "", 200, NULL);
    expect(api_fd, "GET /v1/status", "Host: [::1]:9901\r\n", "", 200, NULL);
    expect(api_fd, "GET /v1/status", HOST "Origin: http://evil.example\r\n", "", 403, "forbidden");
    expect(api_fd, "GET /v1/status", HOST "Origin: null\r\n", "", 403, "forbidden");
    expect(api_fd, "GET /v1/status", HOST "Origin: http://localhost\r\n", "", 200, NULL);
    stop();
}

Test(admin, changes_need_json)
{
    start("");
    expect(api_fd, "POST /v1/reload", HOST, "x", 415, "unsupported_media_type");
    expect(api_fd, "POST /v1/reload", HOST "Content-Type: text/plain\r\n", "x", 415,
           "unsupported_media_type");
    expect(api_fd, "POST /v1/reload", HOST "Content-Type: Application/JSON; charset=utf-8\r\n",
           "{}", 501, "not_implemented");
    stop();
}

Test(admin, malformed_requests_are_told)
{
    start("");
    expect(api_fd, "GET /health", HOST "Bad Field: 1\r\n", "", 400, "bad_request");
    stop();
}

Test(admin, the_sixty_fifth_connection_takes_the_place_of_the_first)
{
    int fds[ADMIN_CONNECTIONS_MAX + 1];
    char byte;

    start("");
    for (int i = 0; i <= ADMIN_CONNECTIONS_MAX; i++)
        fds[i] = dial(api_fd);
    struct pollfd oldest = {.fd = fds[0], .events = POLLIN};
    cr_assert_eq(poll(&oldest, 1, 5000), 1);
    cr_assert_leq(read(oldest.fd, &byte, 1), 0);
    for (int i = 0; i <= ADMIN_CONNECTIONS_MAX; i++)
        close(fds[i]);
    stop();
}

Test(admin, standing_workers_make_it_unhealthy, .timeout = 60)
{
    int status = 200;

    start("");
    for (int i = 0; i < 100 && status == 200; i++) {
        struct answer a = ask(api_fd, "GET /health/live", HOST, "");
        status = a.status;
        answer_free(&a);
        usleep(100000);
    }
    cr_assert_eq(status, 503);
    turns = 1;
    for (int i = 0; i < 50 && status != 200; i++) {
        struct answer a = ask(api_fd, "GET /health/live", HOST, "");
        status = a.status;
        answer_free(&a);
        usleep(100000);
    }
    cr_assert_eq(status, 200);
    stop();
}
