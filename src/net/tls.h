/* TLS contexts: one OpenSSL library context per worker, and in it servers and clients built from
 * files. Built by the loader thread for one worker, handed over, then used by that worker alone.
 * No openssl.cnf; ciphers, groups and versions are set here. RFC 8446, RFC 5077 (as TLS 1.3 has
 * it). */
#ifndef TG_NET_TLS_H
#define TG_NET_TLS_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct ossl_lib_ctx_st;
struct tls_server;
struct tls_client;

enum { TLS_ERROR = 512 };

/* A library context with the default provider only; NULL if OpenSSL cannot. */
struct ossl_lib_ctx_st *tls_lib_new(void);
void tls_lib_free(struct ossl_lib_ctx_st *lib);

struct tls_certificate {
    const char *certificate, *private_key; /* PEM files */
};

struct tls_server_options {
    /* Chosen by SNI and key type; the first is the default. */
    const struct tls_certificate *certificates;
    unsigned certificate_count;
    bool allow_tls12;                   /* AEAD suites only */
    const char *groups;                 /* "X25519:P-256", NULL: that */
    const char *const *alpn;            /* in the order we prefer, NULL-ended */
    const char *client_ca, *client_crl; /* PEM files or NULL */
    int client_auth;                    /* 0 none, 1 request, 2 require */
};

/* NULL and a text that names the file if something in the options does not fit. */
struct tls_server *tls_server_new(struct ossl_lib_ctx_st *lib, const struct tls_server_options *o,
                                  char error[TLS_ERROR]);
/* Not before the last of its streams is closed. */
void tls_server_free(struct tls_server *s);
/* True if a certificate of this server names `host` (RFC 6125, one wildcard label). */
bool tls_server_has_host(const struct tls_server *s, struct str host);
/* Its certificates in the order given. */
struct tls_certificate_info {
    char *subject;  /* "CN=api.example.com" (RFC 4514) */
    int64_t expiry; /* seconds since 1970 */
};
const struct tls_certificate_info *tls_server_certificates(const struct tls_server *s,
                                                           unsigned *count);

struct tls_client_options {
    const char *ca;                        /* PEM file; NULL: the system's */
    const char *certificate, *private_key; /* or NULL */
    bool verify;
    const char *const *alpn; /* NULL-ended, or NULL */
};

struct tls_client *tls_client_new(struct ossl_lib_ctx_st *lib, const struct tls_client_options *o,
                                  char error[TLS_ERROR]);
/* As tls_server_free. */
void tls_client_free(struct tls_client *c);

/* Keys of stateless session tickets, newest first: the first encrypts, all decrypt. An immutable
 * version; workers point to it from their loop. */
enum { TICKET_KEYS = 3 };
struct ticket_key {
    uint8_t name[16], aes[32], hmac[32];
};
struct ticket_keys {
    unsigned count;
    struct ticket_key key[TICKET_KEYS];
};
/* A fresh key in front of those of `old` (or NULL); caller frees. */
struct ticket_keys *ticket_keys_rotate(const struct ticket_keys *old);

#endif
