// Sockets of the benchmark's programs: non-blocking TCP, plain or TLS 1.3, for one thread on one
// edge-triggered epoll. TLS runs through a custom BIO over one receive and one send buffer that
// all connections share, so that a record costs one recv and any number of records one send.
#ifndef BENCH_SOCK_H
#define BENCH_SOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <openssl/ssl.h>

enum {
    SOCK_STAGE = 32 * 1024,                 // most that one recv takes off a TLS connection
    SOCK_READ_MAX = SOCK_STAGE + 17 * 1024, // what the caller's read buffer must hold
    SOCK_AGAIN = -2,                        // nothing to read now
};

struct sock_io;

struct sock {
    int fd;
    SSL *ssl;     // NULL: plain
    bool hung_up; // the event loop saw EPOLLRDHUP: read until the end
    bool ended;   // the peer will send nothing more
    char *parked; // ciphertext that the kernel refused, or NULL
    size_t parked_pos, parked_len;
};

// Makes what the sockets of a thread share; never fails (out of memory ends the program).
struct sock_io *sock_io_new(void);

// A TLS 1.3 server's context on that BIO; NULL with a message on stderr when a file is unusable.
SSL_CTX *sock_server_ctx(const char *certificate, const char *private_key);

// A TLS 1.3 client's context that keeps no sessions and trusts any certificate.
SSL_CTX *sock_client_ctx(void);

// Listens on 127.0.0.1:port (0: the kernel chooses) and writes the port back; -1 with errno.
int sock_listen(uint16_t *port);

// Makes `s` from a connected fd; ctx NULL means plain.
void sock_accept(struct sock *s, struct sock_io *io, int fd, SSL_CTX *ctx);

// Begins a connection to 127.0.0.1:port from 127.0.0.0+source; -1 with errno. With TLS the
// handshake begins at once.
int sock_connect(struct sock *s, struct sock_io *io, uint16_t port, uint32_t source, SSL_CTX *ctx);

// Closes the descriptor (no close_notify unless `polite`) and frees what belongs to it.
void sock_close(struct sock *s, struct sock_io *io, bool polite);

// Reads once into buf (SOCK_READ_MAX bytes): the count, 0 at the end, -1 on an error, or
// SOCK_AGAIN. *drained says that no further read is needed until the next event.
ssize_t sock_read(struct sock *s, struct sock_io *io, char *buf, bool *drained);

// Writes as much as the kernel takes: the count taken (0: wait for EPOLLOUT) or -1.
ssize_t sock_write(struct sock *s, struct sock_io *io, const char *data, size_t len);

// Sends parked ciphertext on EPOLLOUT: 1 all gone, 0 still blocked, -1 on an error.
int sock_flush(struct sock *s);

// Whether application data can be written now.
bool sock_ready(const struct sock *s);

#endif
