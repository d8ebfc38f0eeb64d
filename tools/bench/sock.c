// Implementation of the benchmark's sockets; see sock.h.
#include "sock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>

enum {
    RECORD = 16 * 1024, // plaintext of a full TLS record
    RECORD_SPARE = 256, // its header, tag and padding, generously
    SEND_STAGE = SOCK_STAGE + 8 * 1024,
};

struct sock_io {
    size_t rx_pos, rx_len, tx_len;
    char rx[SOCK_STAGE];
    char tx[SEND_STAGE];
    BIO_METHOD *method;
};

static int stage_read(BIO *bio, char *out, size_t cap, size_t *got)
{
    struct sock_io *io = BIO_get_data(bio);

    BIO_clear_retry_flags(bio);
    if (io->rx_pos == io->rx_len) {
        BIO_set_retry_read(bio);
        return 0;
    }
    *got = cap < io->rx_len - io->rx_pos ? cap : io->rx_len - io->rx_pos;
    memcpy(out, io->rx + io->rx_pos, *got);
    io->rx_pos += *got;
    return 1;
}

static int stage_write(BIO *bio, const char *data, size_t len, size_t *put)
{
    struct sock_io *io = BIO_get_data(bio);

    if (io->tx_len + len > sizeof io->tx)
        abort();
    memcpy(io->tx + io->tx_len, data, len);
    io->tx_len += len;
    *put = len;
    return 1;
}

static long stage_ctrl(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH;
}

struct sock_io *sock_io_new(void)
{
    struct sock_io *io = calloc(1, sizeof *io);

    if (!io)
        abort();
    io->method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "stage");
    if (!io->method)
        abort();
    BIO_meth_set_read_ex(io->method, stage_read);
    BIO_meth_set_write_ex(io->method, stage_write);
    BIO_meth_set_ctrl(io->method, stage_ctrl);
    return io;
}

static SSL_CTX *ctx_new(const SSL_METHOD *method)
{
    SSL_CTX *ctx = SSL_CTX_new(method);

    if (!ctx)
        abort();
    SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
    SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256");
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(ctx, 1);
    return ctx;
}

SSL_CTX *sock_server_ctx(const char *certificate, const char *private_key)
{
    SSL_CTX *ctx = ctx_new(TLS_server_method());

    SSL_CTX_set_num_tickets(ctx, 1);
    if (SSL_CTX_use_certificate_chain_file(ctx, certificate) == 1 &&
        SSL_CTX_use_PrivateKey_file(ctx, private_key, SSL_FILETYPE_PEM) == 1)
        return ctx;
    ERR_print_errors_fp(stderr);
    SSL_CTX_free(ctx);
    return NULL;
}

static int trust_any(X509_STORE_CTX *store, void *arg)
{
    (void)store;
    (void)arg;
    return 1;
}

SSL_CTX *sock_client_ctx(void)
{
    SSL_CTX *ctx = ctx_new(TLS_client_method());

    // SSL_VERIFY_NONE alone would build and check the chain all the same.
    SSL_CTX_set_cert_verify_callback(ctx, trust_any, NULL);
    SSL_CTX_set1_groups_list(ctx, "X25519");
    SSL_CTX_set1_sigalgs_list(ctx, "ECDSA+SHA256");
    return ctx;
}

int sock_listen(uint16_t *port)
{
    struct sockaddr_in addr = {
        .sin_family = AF_INET, .sin_port = htons(*port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof addr;
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&addr, sizeof addr) || listen(fd, 65535) ||
        getsockname(fd, (struct sockaddr *)&addr, &len)) {
        close(fd);
        return -1;
    }
    *port = ntohs(addr.sin_port);
    return fd;
}

void sock_accept(struct sock *s, struct sock_io *io, int fd, SSL_CTX *ctx)
{
    int one = 1;

    memset(s, 0, sizeof *s);
    s->fd = fd;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (!ctx)
        return;
    s->ssl = SSL_new(ctx);
    BIO *bio = BIO_new(io->method);
    if (!s->ssl || !bio)
        abort();
    BIO_set_data(bio, io);
    BIO_set_init(bio, 1);
    SSL_set_bio(s->ssl, bio, bio);
    SSL_set_accept_state(s->ssl);
}

// Sends [data, data + len) and parks what the kernel refuses.
static int send_or_park(struct sock *s, const char *data, size_t len)
{
    ssize_t sent = send(s->fd, data, len, MSG_NOSIGNAL);

    if (sent == (ssize_t)len)
        return 0;
    if (sent < 0 && errno != EAGAIN)
        return -1;
    if (sent > 0) {
        data += sent;
        len -= (size_t)sent;
    }
    s->parked = malloc(len);
    if (!s->parked)
        abort();
    memcpy(s->parked, data, len);
    s->parked_pos = 0;
    s->parked_len = len;
    return 0;
}

static int send_stage(struct sock *s, struct sock_io *io)
{
    size_t len = io->tx_len;

    io->tx_len = 0;
    return len ? send_or_park(s, io->tx, len) : 0;
}

int sock_flush(struct sock *s)
{
    if (!s->parked)
        return 1;
    ssize_t sent =
        send(s->fd, s->parked + s->parked_pos, s->parked_len - s->parked_pos, MSG_NOSIGNAL);
    if (sent < 0)
        return errno == EAGAIN ? 0 : -1;
    s->parked_pos += (size_t)sent;
    if (s->parked_pos < s->parked_len)
        return 0;
    free(s->parked);
    s->parked = NULL;
    return 1;
}

bool sock_ready(const struct sock *s)
{
    return !s->parked && (!s->ssl || SSL_is_init_finished(s->ssl));
}

// Takes the handshake as far as the staged input allows: 1 done, 0 more input needed, -1 failed.
// The caller has exactly this connection's bytes in the stage.
static int handshake(struct sock *s, struct sock_io *io)
{
    ERR_clear_error();
    int done = SSL_do_handshake(s->ssl);
    int error = SSL_get_error(s->ssl, done);

    if (s->parked)
        return -1; // a flight before the former one left: no peer of ours does that
    if (send_stage(s, io))
        return -1;
    if (done == 1)
        return 1;
    return error == SSL_ERROR_WANT_READ ? 0 : -1;
}

int sock_connect(struct sock *s, struct sock_io *io, uint16_t port, uint32_t source, SSL_CTX *ctx)
{
    struct sockaddr_in from = {.sin_family = AF_INET,
                               .sin_addr.s_addr = htonl(0x7f000000 + source)};
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -1;
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&from, sizeof from) ||
        (connect(fd, (struct sockaddr *)&to, sizeof to) && errno != EINPROGRESS)) {
        close(fd);
        return -1;
    }
    sock_accept(s, io, fd, ctx);
    if (!s->ssl)
        return 0;
    SSL_set_connect_state(s->ssl);
    io->rx_pos = io->rx_len = 0;
    if (handshake(s, io) >= 0)
        return 0;
    sock_close(s, io, false);
    errno = ECONNABORTED;
    return -1;
}

void sock_close(struct sock *s, struct sock_io *io, bool polite)
{
    if (s->fd < 0)
        return;
    if (s->ssl && polite && sock_ready(s)) {
        SSL_shutdown(s->ssl);
        if (send_stage(s, io) < 0)
            s->ended = true;
    }
    SSL_free(s->ssl);
    close(s->fd);
    free(s->parked);
    s->ssl = NULL;
    s->parked = NULL;
    s->fd = -1;
}

// Decrypts everything staged into buf; the count, SOCK_AGAIN or -1. Sets s->ended at close_notify.
static ssize_t decrypt(struct sock *s, struct sock_io *io, char *buf)
{
    size_t total = 0, got;

    if (!SSL_is_init_finished(s->ssl)) {
        int done = handshake(s, io);
        if (done <= 0)
            return done ? -1 : SOCK_AGAIN;
    }
    while (io->rx_pos < io->rx_len || SSL_has_pending(s->ssl)) {
        if (SSL_read_ex(s->ssl, buf + total, SOCK_READ_MAX - total, &got)) {
            total += got;
            continue;
        }
        int error = SSL_get_error(s->ssl, 0);
        if (error == SSL_ERROR_WANT_READ)
            break;
        if (error != SSL_ERROR_ZERO_RETURN) {
            ERR_clear_error(); // what stays in the queue would be read as the next one's error
            return -1;
        }
        s->ended = true;
        break;
    }
    if (total)
        return (ssize_t)total;
    return s->ended ? 0 : SOCK_AGAIN;
}

ssize_t sock_read(struct sock *s, struct sock_io *io, char *buf, bool *drained)
{
    size_t cap = s->ssl ? sizeof io->rx : SOCK_READ_MAX;
    ssize_t got = recv(s->fd, s->ssl ? io->rx : buf, cap, 0);

    *drained = got < (ssize_t)cap && !s->hung_up;
    if (got < 0) {
        *drained = true;
        return errno == EAGAIN ? SOCK_AGAIN : -1;
    }
    if (got == 0)
        s->ended = true;
    if (!s->ssl || got == 0)
        return got;
    io->rx_pos = 0;
    io->rx_len = (size_t)got;
    return decrypt(s, io, buf);
}

static ssize_t write_tls(struct sock *s, struct sock_io *io, const char *data, size_t len)
{
    size_t taken = 0, put;

    while (taken < len && !s->parked) {
        while (taken < len && io->tx_len + RECORD + RECORD_SPARE <= sizeof io->tx) {
            size_t part = len - taken < RECORD ? len - taken : RECORD;
            if (!SSL_write_ex(s->ssl, data + taken, part, &put)) {
                io->tx_len = 0;
                return -1;
            }
            taken += put;
        }
        if (send_stage(s, io))
            return -1;
    }
    return (ssize_t)taken;
}

ssize_t sock_write(struct sock *s, struct sock_io *io, const char *data, size_t len)
{
    if (!sock_ready(s))
        return 0;
    if (s->ssl)
        return write_tls(s, io, data, len);
    ssize_t sent = send(s->fd, data, len, MSG_NOSIGNAL);
    return sent < 0 && errno == EAGAIN ? 0 : sent;
}
