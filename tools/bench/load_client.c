// The closed-loop client: each connection sends its next request when the last was answered.
#include "load.h"
#include "msg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

enum state {
    CLOSED,  // not open, or failed and waiting to be opened again
    WAITING, // a request is being sent or its answer awaited
    BODY,    // inside the answer's body
    IDLE,    // answered; holds, or is about to send the next one
    ENDING,  // answered for good; the proxy has to close
};

struct client {
    enum load_kind kind;
    enum state state;
    bool proven; // was answered at least once
    uint32_t number;
    struct sock sock;
    struct msg_part part;
    uint64_t begin_ns;
    size_t request_left, body_left;
};

struct load_client_set {
    struct client *all;
    SSL_CTX *ctx;
    char *request;
    size_t request_len;
    uint32_t opened, proven, busy; // begun to open; answered once; with a request under way
    bool running;
};

static const char REQUEST[] =
    "%s %s HTTP/1.1\r\n"
    "Host: api.example.com\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\r\n"
    "Accept: application/json\r\n"
    "Accept-Encoding: gzip, deflate, br\r\n"
    "Authorization: Bearer eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFt"
    "ZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyLCJleHAiOjE5OTk5OTk5OTl9.SflKxwRJSMeKKF2QT4fwpMeJf36"
    "POk6yJV_adQssw5c\r\n"
    "X-Request-Id: 0f8fad5b-d9cb-469f-a165-70867728950e\r\n"
    "X-Forwarded-For: 10.1.2.3\r\n"
    "Content-Type: application/json\r\n"
    "%s"
    "Connection: %s\r\n\r\n";

struct load_client_set *load_client_set_new(const struct load_options *options)
{
    struct load_client_set *set = calloc(1, sizeof *set);
    char length[64] = "";

    if (!set || !(set->all = calloc(options->connections, sizeof *set->all)))
        abort();
    for (uint32_t i = 0; i < options->connections; i++)
        set->all[i] = (struct client){.kind = LOAD_CLIENT, .number = i, .sock = {.fd = -1}};
    if (options->tls)
        set->ctx = sock_client_ctx();
    if (options->upload_bytes)
        snprintf(length, sizeof length, "Content-Length: %zu\r\n", options->upload_bytes);
    set->request =
        malloc(sizeof REQUEST + sizeof length + strlen(options->path) + options->upload_bytes + 64);
    if (!set->request)
        abort();
    int head = sprintf(set->request, REQUEST, options->upload_bytes ? "POST" : "GET", options->path,
                       length, options->fresh ? "close" : "keep-alive");
    memset(set->request + head, 'u', options->upload_bytes);
    set->request_len = (size_t)head + options->upload_bytes;
    return set;
}

static void client_open(struct load *l, struct client *c);

// Counts a connection that cannot go on; it is opened again by load_client_retry.
static void client_fail(struct load *l, struct client *c, enum load_error error)
{
    if (c->state == WAITING || c->state == BODY)
        l->clients->busy--;
    l->window.errors[error]++;
    sock_close(&c->sock, l->io, false);
    msg_part_fini(&c->part);
    c->state = CLOSED;
}

static void request_send(struct load *l, struct client *c)
{
    const struct load_client_set *set = l->clients;

    while (c->request_left && sock_ready(&c->sock)) {
        const char *from = set->request + set->request_len - c->request_left;
        ssize_t taken = sock_write(&c->sock, l->io, from, c->request_left);
        if (taken < 0) {
            client_fail(l, c, LOAD_CLOSED);
            return;
        }
        if (taken == 0)
            return;
        c->request_left -= (size_t)taken;
    }
}

static void request_begin(struct load *l, struct client *c, uint64_t now_ns)
{
    c->begin_ns = now_ns;
    c->request_left = l->clients->request_len;
    c->state = WAITING;
    l->clients->busy++;
    request_send(l, c);
}

static void client_open(struct load *l, struct client *c)
{
    uint32_t source = 1 + c->number / LOAD_PER_ADDRESS;

    if (sock_connect(&c->sock, l->io, l->options.port, source, l->clients->ctx)) {
        l->window.errors[LOAD_CONNECT]++;
        return;
    }
    load_watch(l, c->sock.fd, c);
    request_begin(l, c, load_now_ns());
}

static void open_more(struct load *l)
{
    struct load_client_set *set = l->clients;

    while (set->opened < l->options.connections && set->opened - set->proven < LOAD_OPENING_MAX)
        client_open(l, &set->all[set->opened++]);
}

static void first_answer(struct load *l, struct client *c)
{
    struct load_client_set *set = l->clients;

    c->proven = true;
    set->proven++;
    open_more(l);
    if (set->proven == l->options.connections)
        load_say("{\"event\":\"up\"}");
}

static void client_next(struct load *l, struct client *c, uint64_t now_ns)
{
    if (l->clients->running && c->state == IDLE)
        request_begin(l, c, now_ns);
    else if (l->clients->running && c->state == CLOSED)
        client_open(l, c);
}

static void answer_end(struct load *l, struct client *c)
{
    struct load_client_set *set = l->clients;
    uint64_t now_ns = load_now_ns();

    hist_add(&l->window.latency, now_ns - c->begin_ns);
    l->window.requests++;
    c->state = l->options.fresh ? ENDING : IDLE;
    set->busy--;
    if (!c->proven)
        first_answer(l, c);
    else if (!set->busy && !set->running)
        load_say("{\"event\":\"held\"}");
    client_next(l, c, now_ns);
}

// Reads an answer's head; the bytes used, 0 when it is incomplete (and kept) or was refused.
static size_t head_take(struct load *l, struct client *c, const char *data, size_t len)
{
    size_t head = msg_head_len(data, len);

    if (!head) {
        msg_part_keep(&c->part, data, len);
        return 0;
    }
    c->body_left = msg_content_length(data, head);
    c->state = BODY;
    if (msg_status(data, head) != 200)
        client_fail(l, c, LOAD_STATUS);
    else if (c->body_left != l->options.answer_bytes)
        client_fail(l, c, LOAD_LENGTH);
    return c->state == BODY ? head : 0;
}

static void on_bytes(struct load *l, struct client *c, const char *data, size_t len)
{
    if (c->state == WAITING && !c->request_left) {
        msg_part_join(&c->part, &data, &len);
        size_t head = head_take(l, c, data, len);
        if (!head)
            return;
        data += head;
        len -= head;
    }
    if (c->state != BODY || len > c->body_left) {
        client_fail(l, c, LOAD_LENGTH);
        return;
    }
    c->body_left -= len;
    if (c->body_left)
        return;
    msg_part_fini(&c->part);
    answer_end(l, c);
}

static void on_end(struct load *l, struct client *c)
{
    if (c->state != ENDING) {
        client_fail(l, c, c->proven || c->request_left == 0 ? LOAD_CLOSED : LOAD_CONNECT);
        return;
    }
    sock_close(&c->sock, l->io, true);
    c->state = CLOSED;
    client_next(l, c, 0);
}

void load_client_event(struct load *l, void *client, uint32_t events)
{
    struct client *c = client;
    int fd = c->sock.fd;
    bool drained = !(events & ~(uint32_t)EPOLLOUT);

    if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        c->sock.hung_up = true;
    if ((events & EPOLLOUT) && sock_flush(&c->sock) < 0) {
        on_end(l, c);
        return;
    }
    if (c->request_left)
        request_send(l, c);
    while (!drained && c->sock.fd == fd) {
        ssize_t got = sock_read(&c->sock, l->io, l->buf, &drained);
        if (got > 0)
            on_bytes(l, c, l->buf, (size_t)got);
        else if (got == SOCK_AGAIN && c->request_left)
            request_send(l, c); // the handshake may be done
        if (got != SOCK_AGAIN && c->sock.fd == fd && (got <= 0 || c->sock.ended)) {
            on_end(l, c);
            return; // its successor may have the same descriptor
        }
    }
}

void load_client_open(struct load *l)
{
    open_more(l);
}

void load_client_run(struct load *l)
{
    struct load_client_set *set = l->clients;

    set->running = true;
    for (uint32_t i = 0; i < l->options.connections; i++)
        client_next(l, &set->all[i], load_now_ns());
}

void load_client_hold(struct load *l)
{
    l->clients->running = false;
    if (!l->clients->busy)
        load_say("{\"event\":\"held\"}");
}

void load_client_retry(struct load *l)
{
    struct load_client_set *set = l->clients;

    for (uint32_t i = 0; i < set->opened; i++) {
        struct client *c = &set->all[i];
        if (c->state == CLOSED && (!c->proven || set->running))
            client_open(l, c);
    }
}

uint64_t load_client_stalled(const struct load *l, uint64_t now_ns)
{
    const struct load_client_set *set = l->clients;
    uint64_t stalled = 0;

    for (uint32_t i = 0; i < l->options.connections; i++) {
        const struct client *c = &set->all[i];
        stalled +=
            (c->state == WAITING || c->state == BODY) && now_ns - c->begin_ns > LOAD_STALL_NS;
    }
    return stalled;
}
