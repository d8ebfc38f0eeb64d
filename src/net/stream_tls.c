/* The TLS side of a stream. OpenSSL talks to the socket through one BIO per thread: its read is a
 * recv straight into OpenSSL's buffer, its write adds to a staging buffer that leaves in one send
 * at the end of each call here. Results are told by the BIO's own marks (starved, ended, error), so
 * OpenSSL's error queue is never asked, only emptied after a failure. */
#include "net/stream_private.h"

#include "base/check.h"
#include "base/xmem.h"
#include "net/loop_private.h"
#include "net/tls_private.h"

#include <arpa/inet.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

enum {
    RECORD = SSL3_RT_MAX_PLAIN_LENGTH,
    STAGE = 5 * RECORD, /* four full records and a head leave in one send */
    OWED_MAX = 65536,   /* bytes that the peer made us say and does not take */
    FULL_READS_MAX = 8, /* of the socket in a row that bring nothing to anybody: a flood of work */
};

/* One per thread; `stream` is the one that OpenSSL works for. */
struct stream_tls_io {
    BIO_METHOD *method;
    BIO *bio;
    struct stream *stream;
    bool look;           /* the next read asks the kernel even if it is unlikely to have more */
    unsigned full_reads; /* since the last byte of data */
    size_t staged;
    char stage[STAGE];
    char gather[RECORD]; /* small vectors become one record */
};

/* The BIO. */

static void stage_send(struct stream_tls_io *io)
{
    struct iovec all = {io->stage, io->staged};
    io->staged = 0;
    if (all.iov_len > 0)
        (void)stream_send(io->stream, &all, 1, all.iov_len); /* an error is in stream->error */
}

/* Records are numbered: what was held back goes first. */
static void stage_held(struct stream_tls_io *io)
{
    struct stream *s = io->stream;
    memcpy(io->stage, s->held, s->held_len);
    io->staged = s->held_len;
    free(s->held);
    s->held = NULL;
}

static int bio_write(BIO *b, const char *p, size_t n, size_t *written)
{
    struct stream_tls_io *io = BIO_get_data(b);
    *written = n;
    if (unlikely(io->stream->held != NULL))
        stage_held(io);
    while (n > STAGE - io->staged) {
        size_t room = STAGE - io->staged;
        memcpy(io->stage + io->staged, p, room);
        io->staged = STAGE;
        stage_send(io);
        p += room;
        n -= room;
    }
    memcpy(io->stage + io->staged, p, n);
    io->staged += n;
    return 1;
}

static int bio_read(BIO *b, char *p, size_t n, size_t *read)
{
    struct stream_tls_io *io = BIO_get_data(b);
    struct stream *s = io->stream;
    ssize_t got = s->can_read || io->look ? stream_recv(s, p, n) : STREAM_AGAIN;
    if (got == (ssize_t)n && ++io->full_reads > FULL_READS_MAX) {
        stream_set_error(s, NET_TLS);
        got = STREAM_ERROR;
    }
    io->look = false;
    BIO_clear_retry_flags(b);
    if (got > 0) {
        *read = (size_t)got;
        return 1;
    }
    if (got == STREAM_AGAIN) {
        s->starved = true;
        BIO_set_retry_read(b);
    } else {
        s->ended = true;
    }
    return 0;
}

static long bio_ctrl(BIO *b, int command, long n, void *p)
{
    (void)b;
    (void)n;
    (void)p;
    return command == BIO_CTRL_FLUSH;
}

static struct stream_tls_io *io_new(void)
{
    struct stream_tls_io *io = xmalloc(sizeof *io);
    io->staged = 0;
    io->method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "stream");
    ensure(io->method != NULL);
    BIO_meth_set_read_ex(io->method, bio_read);
    BIO_meth_set_write_ex(io->method, bio_write);
    BIO_meth_set_ctrl(io->method, bio_ctrl);
    io->bio = BIO_new(io->method);
    ensure(io->bio != NULL);
    BIO_set_data(io->bio, io);
    BIO_set_init(io->bio, 1);
    return io;
}

void stream_tls_io_free(struct stream_tls_io *io)
{
    if (!io)
        return;
    BIO_free(io->bio);
    BIO_meth_free(io->method);
    free(io);
}

/* To be called before any work of OpenSSL for `s`. */
static struct stream_tls_io *io_for(struct stream *s)
{
    struct stream_tls_io *io = s->loop->private->tls;
    io->stream = s;
    io->look = false;
    io->full_reads = 0;
    s->starved = false;
    return io;
}

/* Beginning and end. */

/* The session object of a stream, on the thread's BIO; false: OpenSSL has no memory. */
static bool begin(struct stream *s, SSL_CTX *ctx)
{
    struct loop_private *p = s->loop->private;
    if (!p->tls)
        p->tls = io_new();
    s->ssl = SSL_new(ctx);
    if (!s->ssl) {
        ERR_clear_error();
        return false;
    }
    BIO_up_ref(p->tls->bio);
    SSL_set_bio(s->ssl, p->tls->bio, p->tls->bio);
    SSL_set_app_data(s->ssl, s);
    return true;
}

bool stream_tls_accept(struct stream *s, struct tls_server *tls)
{
    if (!begin(s, tls_server_context(tls)))
        return false;
    SSL_set_accept_state(s->ssl);
    return true;
}

static bool is_ip(const char *name)
{
    unsigned char any[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, name, any) == 1 || inet_pton(AF_INET6, name, any) == 1;
}

/* Whom the certificate must name; false if nobody was named or OpenSSL refuses. */
static bool expect_peer(struct stream *s, const char *name, const struct addr *to)
{
    char text[ADDR_TEXT];
    X509_VERIFY_PARAM *param = SSL_get0_param(s->ssl);
    if (!name) {
        addr_format_ip(to, text);
        name = text;
    }
    if (is_ip(name))
        return X509_VERIFY_PARAM_set1_ip_asc(param, name) == 1;
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return X509_VERIFY_PARAM_set1_host(param, name, 0) == 1 &&
           (name == text || SSL_set_tlsext_host_name(s->ssl, name) == 1);
}

bool stream_tls_dial(struct stream *s, struct tls_client *tls, const char *name,
                     const struct addr *to)
{
    if (!begin(s, tls_client_context(tls)))
        return false;
    SSL_set_connect_state(s->ssl);
    if (expect_peer(s, name, to))
        return true;
    ERR_clear_error();
    return false;
}

void stream_tls_free(struct stream *s)
{
    struct stream_tls_io *io = io_for(s);
    SSL_free(s->ssl);
    s->ssl = NULL;
    free(s->held);
    s->held = NULL;
    io->staged = 0;
}

void stream_tls_notify(struct stream *s)
{
    struct stream_tls_io *io = io_for(s);
    if (SSL_shutdown(s->ssl) < 0)
        ERR_clear_error();
    stage_send(io);
}

/* Handshake. */

static enum net_error handshake_error(struct stream *s)
{
    ERR_clear_error();
    if (SSL_get_verify_result(s->ssl) != X509_V_OK)
        return NET_TLS_VERIFY;
    return s->ended ? NET_RESET : NET_TLS;
}

/* A request came with the end of the handshake, so an answer will follow: the ticket, all that
 * TLS 1.3 has to say here, waits for it and saves a send. */
static void ticket_hold(struct stream *s, struct stream_tls_io *io)
{
    if (io->staged == 0 || io->staged > UINT16_MAX)
        return;
    s->held = xmalloc(io->staged);
    s->held_len = (uint16_t)io->staged;
    memcpy(s->held, io->stage, io->staged);
    io->staged = 0;
}

int stream_tls_handshake(struct stream *s)
{
    struct stream_tls_io *io = io_for(s);
    int r = SSL_do_handshake(s->ssl);
    enum net_error error = r == 1 || s->starved ? NET_OK : handshake_error(s);
    bool pending = r == 1 && SSL_has_pending(s->ssl);
    if (pending && SSL_is_server(s->ssl) && SSL_version(s->ssl) == TLS1_3_VERSION)
        ticket_hold(s, io);
    stage_send(io); /* an alert too */
    if (error)
        s->error = (uint8_t)error;
    if (s->error)
        return -1;
    if (r != 1)
        return 0;
    s->unread = pending;
    return 1;
}

/* Reading and writing. */

/* What a read that is neither data nor waiting means; an alert may be staged. */
static ssize_t read_ended(struct stream *s, struct stream_tls_io *io)
{
    stage_send(io);
    /* A fatal alert counts as shutdown too, but leaves the session in an unfinished state. */
    bool notified = (SSL_get_shutdown(s->ssl) & SSL_RECEIVED_SHUTDOWN) && !SSL_in_init(s->ssl);
    if (!notified && !s->ended)
        stream_set_error(s, NET_TLS);
    s->truncated = !notified && !s->error;
    s->ended = true;
    ERR_clear_error();
    return s->error ? STREAM_ERROR : 0;
}

/* Reading makes OpenSSL write: it answers each key update. Who sends them on and on and takes no
 * answer would fill the memory. */
static bool owes_too_much(struct stream *s, size_t parked_before)
{
    size_t parked = stream_parked(s);
    if (likely(parked <= parked_before))
        return false;
    s->owed += (uint32_t)(parked - parked_before);
    if (s->owed <= OWED_MAX)
        return false;
    stream_set_error(s, NET_TLS);
    s->ended = true;
    return true;
}

ssize_t stream_tls_read(struct stream *s, void *buf, size_t cap)
{
    struct stream_tls_io *io = io_for(s);
    size_t total = 0, got, parked = stream_parked(s);
    ssize_t result = STREAM_AGAIN;
    s->unread = false;
    io->look = !s->dry;
    do {
        if (!SSL_read_ex(s->ssl, (char *)buf + total, cap - total, &got)) {
            if (!s->starved)
                result = read_ended(s, io);
            break;
        }
        total += got;
        io->full_reads = 0;
        s->unread = SSL_has_pending(s->ssl) == 1;
    } while (total < cap && (s->unread || s->can_read));
    if (s->starved)
        s->unread = false;
    stage_send(io);
    if (owes_too_much(s, parked))
        result = STREAM_ERROR;
    if (total == 0)
        return result;
    s->unread |= s->ended; /* the end is told by the next call */
    return (ssize_t)total;
}

/* Encrypts into the staging buffer; false: broken. */
static bool encrypt(struct stream *s, const void *p, size_t n)
{
    size_t written;
    if (n == 0 || SSL_write_ex(s->ssl, p, n, &written))
        return true;
    ERR_clear_error();
    stream_set_error(s, NET_TLS);
    return false;
}

/* Full records straight from the vectors where they are long, gathered where they are short. */
static bool encrypt_gathered(struct stream *s, char *gather, const struct iovec *iov, int n)
{
    size_t held = 0;
    for (int i = 0; i < n; i++) {
        const char *p = iov[i].iov_base;
        size_t left = iov[i].iov_len;
        while (left > 0) {
            size_t part = held || left < RECORD ? RECORD - held : left - left % RECORD;
            part = part < left ? part : left;
            if (held == 0 && part >= RECORD) {
                if (!encrypt(s, p, part))
                    return false;
            } else {
                memcpy(gather + held, p, part);
                held += part;
            }
            if (held == RECORD) {
                if (!encrypt(s, gather, held))
                    return false;
                held = 0;
            }
            p += part;
            left -= part;
        }
    }
    return encrypt(s, gather, held);
}

int stream_tls_write(struct stream *s, const struct iovec *iov, int n, size_t total)
{
    struct stream_tls_io *io = io_for(s);
    (void)total;
    if (n == 1)
        (void)encrypt(s, iov->iov_base, iov->iov_len);
    else
        (void)encrypt_gathered(s, io->gather, iov, n);
    SSL_free_buffers(
        s->ssl); /* 16 KiB that OpenSSL 3.0 keeps after a write, whatever the mode says */
    stage_send(io);
    return s->error ? -1 : 0;
}

/* What was agreed. */

static struct str text(const char *z)
{
    return z ? str_of(z) : STR_NULL;
}

struct str stream_sni(const struct stream *s)
{
    return s->ssl ? text(SSL_get_servername(s->ssl, TLSEXT_NAMETYPE_host_name)) : STR_NULL;
}

struct str stream_alpn(const struct stream *s)
{
    const unsigned char *p = NULL;
    unsigned n = 0;
    if (s->ssl)
        SSL_get0_alpn_selected(s->ssl, &p, &n);
    return p ? str_make((const char *)p, n) : STR_NULL;
}

struct str stream_tls_version(const struct stream *s)
{
    return s->ssl ? text(SSL_get_version(s->ssl)) : STR_NULL;
}

struct str stream_tls_cipher(const struct stream *s)
{
    return s->ssl ? text(SSL_get_cipher_name(s->ssl)) : STR_NULL;
}

bool stream_tls_resumed(const struct stream *s)
{
    return s->ssl && SSL_session_reused(s->ssl);
}
