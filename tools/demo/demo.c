/*
 * The five services that Tollgate stands in front of, played by one small program for the
 * quickstart and the integration tests: `demo --service email --port 8101`. Paths and JSON are
 * realistic, the work behind them is not. The context engine answers as a stream of tokens and,
 * like the one GPU it stands for, works on one request at a time. `/demo/...` switches make a
 * service slow or failing.
 */
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <getopt.h>
#include <jansson.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

enum { CLOSE_WITHOUT_ANSWER = 0, DEFAULT_TOKENS = 16, MAX_TOKENS = 4096 };

struct generation;
TAILQ_HEAD(generation_list, generation);

struct demo {
    struct event_base *base;
    const char *service;
    const char *variant;
    long slow_ms;
    long fail_percent;
    long fail_status;
    long health_status;
    long token_ms;
    unsigned long last_id;
    struct generation_list gpu; /* the first one is being worked on, the others wait */
    struct event *token_timer;
};

/* One request of the context engine, waiting for the GPU or on it. */
struct generation {
    TAILQ_ENTRY(generation) link;
    struct evhttp_request *req;
    struct evbuffer *text; /* the whole answer so far, when it is not streamed */
    long prompt_tokens;
    long max_tokens;
    long done_tokens;
    int streamed;
};

/* A request that waits because the service was told to be slow. */
struct delayed {
    struct demo *demo;
    struct evhttp_request *req;
};

typedef void handler_fn(struct demo *demo, struct evhttp_request *req, const char *rest);

static const char *method_name(struct evhttp_request *req)
{
    switch (evhttp_request_get_command(req)) {
    case EVHTTP_REQ_GET: return "GET";
    case EVHTTP_REQ_POST: return "POST";
    case EVHTTP_REQ_HEAD: return "HEAD";
    case EVHTTP_REQ_PUT: return "PUT";
    case EVHTTP_REQ_DELETE: return "DELETE";
    case EVHTTP_REQ_OPTIONS: return "OPTIONS";
    case EVHTTP_REQ_PATCH: return "PATCH";
    default: return "OTHER";
    }
}

static const char *request_header(struct evhttp_request *req, const char *name)
{
    const char *value = evhttp_find_header(evhttp_request_get_input_headers(req), name);

    return value ? value : "-";
}

/* Prints the request's line of the service's own log, and names the service in the answer. */
static void answer_begin(struct demo *demo, struct evhttp_request *req, int status,
                         const char *content_type)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(req);

    evhttp_add_header(headers, "Content-Type", content_type);
    evhttp_add_header(headers, "X-Served-By", demo->service);
    if (demo->variant) {
        evhttp_add_header(headers, "X-Served-Variant", demo->variant);
    }
    printf("%s: %s %s %d request_id=%s for=%s\n", demo->service, method_name(req),
           evhttp_request_get_uri(req), status, request_header(req, "X-Request-Id"),
           request_header(req, "X-Forwarded-For"));
}

/* Sends `body` (whose reference it takes) as the whole answer. */
static void answer_json(struct demo *demo, struct evhttp_request *req, int status, json_t *body)
{
    struct evbuffer *out = evbuffer_new();
    char *text = json_dumps(body, JSON_PRESERVE_ORDER);

    evbuffer_add_printf(out, "%s\n", text ? text : "null");
    answer_begin(demo, req, status, "application/json");
    evhttp_send_reply(req, status, NULL, out);
    evbuffer_free(out);
    free(text);
    json_decref(body);
}

static void answer_error(struct demo *demo, struct evhttp_request *req, int status,
                         const char *message)
{
    answer_json(demo, req, status, json_pack("{s:s}", "error", message));
}

/* The request's JSON object, which the caller frees, or NULL after answering 400. */
static json_t *body_json(struct demo *demo, struct evhttp_request *req)
{
    struct evbuffer *in = evhttp_request_get_input_buffer(req);
    size_t length = evbuffer_get_length(in);
    json_t *body = json_loadb((char *)evbuffer_pullup(in, -1), length, 0, NULL);

    if (!json_is_object(body)) {
        json_decref(body);
        answer_error(demo, req, 400, "the body must be a JSON object");
        return NULL;
    }
    return body;
}

/* Like body_json, and answers 422 when the string member `name` is missing. */
static json_t *body_with(struct demo *demo, struct evhttp_request *req, const char *name)
{
    json_t *body = body_json(demo, req);

    if (body && !json_is_string(json_object_get(body, name))) {
        char message[64];

        snprintf(message, sizeof(message), "%s is missing", name);
        answer_error(demo, req, 422, message);
        json_decref(body);
        return NULL;
    }
    return body;
}

static void accept_message(struct demo *demo, struct evhttp_request *req, const char *rest)
{
    json_t *body = body_with(demo, req, "to");
    char id[32];

    (void)rest;
    if (!body) {
        return;
    }
    snprintf(id, sizeof(id), "%s_%06lu", demo->service, ++demo->last_id);
    answer_json(demo, req, 202,
                json_pack("{s:s, s:s, s:O}", "id", id, "status", "queued", "to",
                          json_object_get(body, "to")));
    json_decref(body);
}

/* Every id that was given out is known. */
static void show_message(struct demo *demo, struct evhttp_request *req, const char *id)
{
    const char *number = strrchr(id, '_');
    unsigned long n = number ? strtoul(number + 1, NULL, 10) : 0;

    if (n == 0 || n > demo->last_id) {
        answer_error(demo, req, 404, "no such message");
        return;
    }
    answer_json(demo, req, 200, json_pack("{s:s, s:s}", "id", id, "status", "delivered"));
}

static void campaigns_list(struct demo *demo, struct evhttp_request *req, const char *rest)
{
    (void)rest;
    answer_json(demo, req, 200,
                json_pack("{s:[{s:s, s:s, s:i}, {s:s, s:s, s:i}]}", "campaigns", "id", "spring",
                          "state", "running", "recipients", 48210, "id", "winback", "state",
                          "draft", "recipients", 1377));
}

static void campaign_create(struct demo *demo, struct evhttp_request *req, const char *rest)
{
    json_t *body = body_with(demo, req, "name");
    char location[64];

    (void)rest;
    if (!body) {
        return;
    }
    snprintf(location, sizeof(location), "/v1/marketing/campaigns/campaign_%06lu", ++demo->last_id);
    evhttp_add_header(evhttp_request_get_output_headers(req), "Location", location);
    answer_json(demo, req, 201,
                json_pack("{s:s, s:O, s:s}", "id", strrchr(location, '/') + 1, "name",
                          json_object_get(body, "name"), "state", "draft"));
    json_decref(body);
}

/* The longer the text and the fewer its exclamation marks, the better: a number from 0 to 10. */
static void mail_score(struct demo *demo, struct evhttp_request *req, const char *rest)
{
    json_t *body = body_with(demo, req, "body");
    const char *text;
    double score;
    long shouts = 0;

    (void)rest;
    if (!body) {
        return;
    }
    text = json_string_value(json_object_get(body, "body"));
    for (const char *p = text; *p; p++) {
        shouts += *p == '!';
    }
    score = 5.0 + (double)strlen(text) / 100 - (double)shouts;
    score = score < 0 ? 0 : score > 10 ? 10 : score;
    answer_json(demo, req, 200,
                json_pack("{s:f, s:s}", "score", score, "verdict", score < 5 ? "spam" : "good"));
    json_decref(body);
}

static long count_words(const char *text)
{
    long words = 0;

    for (; *text; text += strspn(text, " "), words++) {
        text += strcspn(text, " ");
    }
    return words;
}

static void generation_free(struct demo *demo, struct generation *gen)
{
    TAILQ_REMOVE(&demo->gpu, gen, link);
    evbuffer_free(gen->text);
    free(gen);
}

static json_t *generation_usage(const struct generation *gen)
{
    return json_pack("{s:I, s:I, s:I}", "prompt_tokens", (json_int_t)gen->prompt_tokens,
                     "completion_tokens", (json_int_t)gen->done_tokens, "total_tokens",
                     (json_int_t)(gen->prompt_tokens + gen->done_tokens));
}

/* Sends the last events, or the whole answer at once, and leaves the GPU to the next. */
static void generation_finish(struct demo *demo, struct generation *gen)
{
    json_t *usage = generation_usage(gen);

    if (gen->streamed) {
        struct evbuffer *out = evbuffer_new();
        char *text = json_dumps(usage, JSON_PRESERVE_ORDER);

        evbuffer_add_printf(out, "data: {\"usage\":%s}\n\ndata: [DONE]\n\n", text);
        evhttp_send_reply_chunk(gen->req, out);
        evhttp_send_reply_end(gen->req);
        evbuffer_free(out);
        free(text);
        json_decref(usage);
    } else {
        evbuffer_add(gen->text, "", 1);
        answer_json(demo, gen->req, 200,
                    json_pack("{s:s, s:o}", "text", (char *)evbuffer_pullup(gen->text, -1), "usage",
                              usage));
    }
    generation_free(demo, gen);
}

static void generation_token(struct generation *gen)
{
    static const char *const words[] = {"The",  "answer", "to",  "your", "question", "is", "being",
                                        "made", "up",     "one", "word", "at",       "a",  "time"};
    size_t count = sizeof(words) / sizeof(words[0]);
    const char *word = words[(size_t)gen->done_tokens++ % count];
    struct evbuffer *out;

    if (!gen->streamed) {
        evbuffer_add_printf(gen->text, "%s%s", gen->done_tokens > 1 ? " " : "", word);
        return;
    }
    out = evbuffer_new();
    evbuffer_add_printf(out, "data: {\"token\":\"%s\"}\n\n", word);
    evhttp_send_reply_chunk(gen->req, out);
    evbuffer_free(out);
}

static void gpu_schedule(struct demo *demo)
{
    struct timeval next = {demo->token_ms / 1000, demo->token_ms % 1000 * 1000};

    if (!TAILQ_EMPTY(&demo->gpu)) {
        event_add(demo->token_timer, &next);
    }
}

/* One step of the GPU: a token of the first request, whose client may have gone meanwhile. */
static void on_token_timer(evutil_socket_t fd, short what, void *arg)
{
    struct demo *demo = arg;
    struct generation *gen = TAILQ_FIRST(&demo->gpu);

    (void)fd;
    (void)what;
    if (!evhttp_request_get_connection(gen->req)) {
        printf("%s: client left after %ld tokens\n", demo->service, gen->done_tokens);
        evhttp_request_free(gen->req);
        generation_free(demo, gen);
    } else if (gen->done_tokens == gen->max_tokens) {
        generation_finish(demo, gen);
    } else {
        if (gen->streamed && gen->done_tokens == 0) {
            answer_begin(demo, gen->req, 200, "text/event-stream");
            evhttp_send_reply_start(gen->req, 200, NULL);
        }
        generation_token(gen);
    }
    gpu_schedule(demo);
}

static void context_generate(struct demo *demo, struct evhttp_request *req, const char *rest)
{
    json_t *body = body_with(demo, req, "prompt");
    json_t *max_tokens = json_object_get(body, "max_tokens");
    struct generation *gen;

    (void)rest;
    if (!body) {
        return;
    }
    gen = calloc(1, sizeof(*gen));
    gen->req = req;
    gen->text = evbuffer_new();
    gen->prompt_tokens = count_words(json_string_value(json_object_get(body, "prompt")));
    gen->max_tokens = max_tokens ? (long)json_integer_value(max_tokens) : DEFAULT_TOKENS;
    gen->max_tokens = gen->max_tokens < 1            ? 1
                      : gen->max_tokens > MAX_TOKENS ? MAX_TOKENS
                                                     : gen->max_tokens;
    gen->streamed = !json_is_false(json_object_get(body, "stream"));
    json_decref(body);
    TAILQ_INSERT_TAIL(&demo->gpu, gen, link);
    if (TAILQ_FIRST(&demo->gpu) == gen) {
        gpu_schedule(demo);
    }
}

static void health(struct demo *demo, struct evhttp_request *req, const char *rest)
{
    (void)rest;
    answer_json(demo, req, (int)demo->health_status,
                json_pack("{s:b}", "healthy", demo->health_status == 200));
}

/* The request head as this service received it: what the gateway made of the client's. */
static void echo(struct demo *demo, struct evhttp_request *req, const char *rest)
{
    json_t *headers = json_array();
    struct evkeyval *header;

    (void)rest;
    TAILQ_FOREACH(header, evhttp_request_get_input_headers(req), next) {
        json_array_append_new(headers, json_pack("[s,s]", header->key, header->value));
    }
    answer_json(demo, req, 200,
                json_pack("{s:s, s:s, s:o}", "method", method_name(req), "target",
                          evhttp_request_get_uri(req), "headers", headers));
}

/* Sets *value from the query's parameter `name`, if it is there. */
static void query_long(struct evhttp_request *req, const char *name, long *value)
{
    const char *query = evhttp_uri_get_query(evhttp_request_get_evhttp_uri(req));
    struct evkeyvalq params = {0};
    const char *text;

    if (query && evhttp_parse_query_str(query, &params) == 0) {
        text = evhttp_find_header(&params, name);
        *value = text ? strtol(text, NULL, 10) : *value;
        evhttp_clear_headers(&params);
    }
}

static void set_switches(struct demo *demo, struct evhttp_request *req, const char *rest)
{
    query_long(req, "ms", &demo->slow_ms);
    query_long(req, "rate", &demo->fail_percent);
    query_long(req, strcmp(rest, "health") == 0 ? "status" : "", &demo->health_status);
    query_long(req, strcmp(rest, "fail") == 0 ? "status" : "", &demo->fail_status);
    query_long(req, "token_ms", &demo->token_ms);
    answer_json(demo, req, 200,
                json_pack("{s:I, s:I, s:I, s:I, s:I}", "slow_ms", (json_int_t)demo->slow_ms,
                          "fail_percent", (json_int_t)demo->fail_percent, "fail_status",
                          (json_int_t)demo->fail_status, "health_status",
                          (json_int_t)demo->health_status, "token_ms", (json_int_t)demo->token_ms));
}

/* What each service answers; a path that ends with a slash takes one more segment. */
static const struct {
    const char *service; /* NULL: every one */
    const char *method;  /* NULL: any */
    const char *path;
    handler_fn *handle;
} api[] = {
    {NULL, "GET", "/health", health},
    {NULL, NULL, "/demo/echo", echo},
    {NULL, "POST", "/demo/", set_switches},
    {"email", "POST", "/v1/email/send", accept_message},
    {"email", "GET", "/v1/email/", show_message},
    {"context-engine", "POST", "/v1/context/generate", context_generate},
    {"sms", "POST", "/v1/sms/send", accept_message},
    {"sms", "GET", "/v1/sms/", show_message},
    {"marketing", "GET", "/v1/marketing/campaigns", campaigns_list},
    {"marketing", "POST", "/v1/marketing/campaigns", campaign_create},
    {"marketing", "GET", "/v1/marketing/campaigns/", show_message},
    {"mail-score", "POST", "/v1/mail-score/score", mail_score},
};

static int path_matches(const char *pattern, const char *path)
{
    size_t length = strlen(pattern);

    if (pattern[length - 1] != '/') {
        return strcmp(pattern, path) == 0;
    }
    return strncmp(pattern, path, length) == 0 && path[length] && !strchr(path + length, '/');
}

static void dispatch(struct demo *demo, struct evhttp_request *req)
{
    const char *path = evhttp_uri_get_path(evhttp_request_get_evhttp_uri(req));
    const char *method = method_name(req);
    int status = 404;

    method = strcmp(method, "HEAD") == 0 ? "GET" : method;
    for (size_t i = 0; i < sizeof(api) / sizeof(api[0]); i++) {
        if ((api[i].service && strcmp(api[i].service, demo->service) != 0) ||
            !path_matches(api[i].path, path)) {
            continue;
        }
        if (!api[i].method || strcmp(api[i].method, method) == 0) {
            api[i].handle(demo, req, path + strlen(api[i].path));
            return;
        }
        status = 405;
    }
    answer_error(demo, req, status, status == 404 ? "no such resource" : "method not allowed");
}

static void on_delay_over(evutil_socket_t fd, short what, void *arg)
{
    struct delayed *delayed = arg;

    (void)fd;
    (void)what;
    dispatch(delayed->demo, delayed->req);
    free(delayed);
}

static void dispatch_later(struct demo *demo, struct evhttp_request *req)
{
    struct timeval delay = {demo->slow_ms / 1000, demo->slow_ms % 1000 * 1000};
    struct delayed *delayed = calloc(1, sizeof(*delayed));

    delayed->demo = demo;
    delayed->req = req;
    event_base_once(demo->base, -1, EV_TIMEOUT, on_delay_over, delayed, &delay);
}

static void on_request(struct evhttp_request *req, void *arg)
{
    struct demo *demo = arg;
    struct evhttp_connection *conn = evhttp_request_get_connection(req);
    evutil_socket_t fd = bufferevent_getfd(evhttp_connection_get_bufferevent(conn));

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    if (strncmp(evhttp_request_get_uri(req), "/v1/", 4) != 0) {
        dispatch(demo, req);
    } else if (random() % 100 < demo->fail_percent) {
        if (demo->fail_status == CLOSE_WITHOUT_ANSWER) {
            evhttp_connection_free(conn);
        } else {
            answer_error(demo, req, (int)demo->fail_status, "told to fail");
        }
    } else if (demo->slow_ms > 0) {
        dispatch_later(demo, req);
    } else {
        dispatch(demo, req);
    }
}

static void on_stop_signal(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    event_base_loopbreak(arg);
}

static int usage(FILE *out)
{
    fputs("usage: demo --service email|context-engine|sms|marketing|mail-score --port N\n"
          "            [--address A] [--variant NAME] [--slow-ms N] [--token-ms N]\n"
          "            [--fail-rate PERCENT] [--fail-status N (0: close without an answer)]\n"
          "At run time: POST /demo/slow?ms=N, /demo/fail?rate=P&status=N, /demo/health?status=N,\n"
          "/demo/tokens?token_ms=N; GET /demo/echo shows the request as it was received.\n",
          out);
    return out == stderr ? 2 : 0;
}

/* Reads the command line; returns -1 when the service is to run, else the exit status. */
static int options_parse(int argc, char **argv, struct demo *demo, const char **address, long *port)
{
    const char **texts[] = {&demo->service, &demo->variant, address};
    long *numbers[] = {port, &demo->slow_ms, &demo->token_ms, &demo->fail_percent,
                       &demo->fail_status};
    static const struct option options[] = {
        {"service", 1, NULL, 'A'},   {"variant", 1, NULL, 'B'},     {"address", 1, NULL, 'C'},
        {"port", 1, NULL, '0'},      {"slow-ms", 1, NULL, '1'},     {"token-ms", 1, NULL, '2'},
        {"fail-rate", 1, NULL, '3'}, {"fail-status", 1, NULL, '4'}, {"help", 0, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int c;

    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c >= '0' && c <= '4') {
            *numbers[c - '0'] = atol(optarg);
        } else if (c >= 'A' && c <= 'C') {
            *texts[c - 'A'] = optarg;
        } else {
            return usage(c == 'h' ? stdout : stderr);
        }
    }
    for (size_t i = 0; demo->service && i < sizeof(api) / sizeof(api[0]); i++) {
        if (api[i].service && strcmp(api[i].service, demo->service) == 0) {
            return -1;
        }
    }
    return usage(stderr);
}

static int listen_on(struct demo *demo, struct evhttp *http, const char *address, long port)
{
    struct evhttp_bound_socket *bound;
    struct sockaddr_in name = {0};
    socklen_t length = sizeof(name);

    bound = evhttp_bind_socket_with_handle(http, address, (uint16_t)port);
    if (!bound) {
        fprintf(stderr, "%s: cannot listen on %s:%ld: %s\n", demo->service, address, port,
                strerror(errno));
        return -1;
    }
    getsockname(evhttp_bound_socket_get_fd(bound), (struct sockaddr *)&name, &length);
    printf("%s: listening on %s:%d\n", demo->service, address, ntohs(name.sin_port));
    return 0;
}

int main(int argc, char **argv)
{
    struct demo demo = {.fail_status = 503, .health_status = 200, .token_ms = 30};
    const char *address = "127.0.0.1";
    long port = 0;
    int status = options_parse(argc, argv, &demo, &address, &port);
    struct evhttp *http;
    struct event *stop[2];

    if (status >= 0) {
        return status;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGPIPE, SIG_IGN);
    demo.base = event_base_new();
    TAILQ_INIT(&demo.gpu);
    demo.token_timer = evtimer_new(demo.base, on_token_timer, &demo);
    http = evhttp_new(demo.base);
    evhttp_set_allowed_methods(http, 0xffff);
    evhttp_set_gencb(http, on_request, &demo);
    stop[0] = evsignal_new(demo.base, SIGTERM, on_stop_signal, demo.base);
    stop[1] = evsignal_new(demo.base, SIGINT, on_stop_signal, demo.base);
    event_add(stop[0], NULL);
    event_add(stop[1], NULL);
    status = listen_on(&demo, http, address, port) == 0 ? 0 : 1;
    if (status == 0) {
        event_base_dispatch(demo.base);
    }
    event_free(stop[0]);
    event_free(stop[1]);
    event_free(demo.token_timer);
    evhttp_free(http);
    event_base_free(demo.base);
    return status;
}
