/* See fixture.h. */
#include "tests/unit/net/fixture.h"

#include "base/check.h"
#include "base/xmem.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <unistd.h>

enum { LIMIT_MS = 20000 };

static void look(struct fixture *f)
{
    if (f->done && f->done(f))
        loop_stop(f->loop);
}

void end_write(struct end *e, struct str text)
{
    struct iovec v = {(void *)(uintptr_t)text.p, text.n};
    cr_assert(stream_write(&e->stream, &v, 1) == 0);
}

void end_read(struct end *e)
{
    char *rx = e->fixture->loop->rx;
    while (stream_is_open(&e->stream) && stream_readable(&e->stream)) {
        e->last_read = stream_read(&e->stream, rx, LOOP_RX);
        if (e->last_read <= 0)
            break;
        buf_add(&e->in, rx, (size_t)e->last_read);
        if (e->echo)
            end_write(e, str_make(rx, (size_t)e->last_read));
    }
    if (e->close_at_end && e->last_read == 0)
        stream_close(&e->stream);
}

static void on_event(struct stream *s, unsigned what)
{
    struct end *e = container_of(s, struct end, stream);
    e->seen |= what;
    e->drained += (what & STREAM_DRAINED) != 0;
    if ((what & STREAM_READABLE) && !e->paused)
        end_read(e);
    look(e->fixture);
}

static void on_accept(struct listener *l, int fd, const struct addr *peer)
{
    struct fixture *f = container_of(l, struct fixture, listener);
    cr_assert(addr_is_loopback(peer));
    if (!f->server)
        f->there.seen |= STREAM_OPENED;
    stream_accept(&f->there.stream, f->loop, fd, f->server, on_event);
    if (!f->server && !f->there.paused)
        end_read(&f->there);
    look(f);
}

static void on_limit(struct timer *t)
{
    struct fixture *f = container_of(t, struct fixture, limit);
    f->timed_out = true;
    loop_stop(f->loop);
}

void fixture_open(struct fixture *f)
{
    memset(f, 0, sizeof *f);
    f->loop = loop_new();
    cr_assert(f->loop != NULL);
    f->here.fixture = f->there.fixture = f;
    f->limit.fire = on_limit;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    cr_assert(addr_parse(STR("127.0.0.1:0"), &f->addr) == 0);
    cr_assert(bind(fd, &f->addr.sa, f->addr.len) == 0 && listen(fd, 16) == 0);
    cr_assert(getsockname(fd, &f->addr.sa, &f->addr.len) == 0);
    cr_assert(listener_open(&f->listener, f->loop, fd, on_accept) == 0);
}

void fixture_tls(struct fixture *f, const char *san)
{
    char error[TLS_ERROR];
    struct pki_cert *ca = pki_issue(NULL, "Test CA", NULL, PKI_ECDSA);
    struct pki_cert *c = pki_issue(ca, "test", san, PKI_ECDSA);
    struct tls_certificate certificate = {c->certificate, c->private_key};
    struct tls_server_options so = {.certificates = &certificate, .certificate_count = 1};
    struct tls_client_options co = {.ca = ca->certificate, .verify = true};
    f->lib = tls_lib_new();
    f->loop->ticket_keys = ticket_keys_rotate(NULL);
    f->server = tls_server_new(f->lib, &so, error);
    cr_assert(f->server != NULL, "%s", error);
    f->client = tls_client_new(f->lib, &co, error);
    cr_assert(f->client != NULL, "%s", error);
}

void fixture_close(struct fixture *f)
{
    stream_close(&f->here.stream);
    stream_close(&f->there.stream);
    listener_stop(&f->listener);
    close(f->listener.fd);
    buf_free(&f->here.in);
    buf_free(&f->there.in);
    tls_server_free(f->server);
    tls_client_free(f->client);
    tls_lib_free(f->lib);
    free(f->loop->ticket_keys);
    loop_free(f->loop);
    pki_end();
}

void fixture_run(struct fixture *f, bool (*done)(struct fixture *))
{
    f->done = done;
    timer_set(f->loop, &f->limit, LIMIT_MS);
    if (!done(f))
        loop_run(f->loop);
    timer_clear(f->loop, &f->limit);
    f->done = NULL;
    cr_assert(!f->timed_out, "it did not happen");
}

void fixture_dial(struct fixture *f, const char *server_name)
{
    stream_dial(&f->here.stream, f->loop, &f->addr, f->client, server_name, on_event);
}

bool both_open(struct fixture *f)
{
    return (f->here.seen & STREAM_OPENED) && (f->there.seen & STREAM_OPENED);
}

bool here_failed(struct fixture *f)
{
    return f->here.seen & STREAM_FAILED;
}

static bool ended(const struct end *e)
{
    return !stream_is_open(&e->stream) || e->stream.ended;
}

bool here_ended(struct fixture *f)
{
    return ended(&f->here);
}

bool there_ended(struct fixture *f)
{
    return ended(&f->there);
}

bool both_ended(struct fixture *f)
{
    return ended(&f->here) && ended(&f->there);
}

void fixture_connect(struct fixture *f, const char *server_name)
{
    fixture_dial(f, server_name);
    fixture_run(f, both_open);
}

bool end_has(const struct end *e, const char *text)
{
    return str_eq(str_make(e->in.p, e->in.n), str_of(text));
}
