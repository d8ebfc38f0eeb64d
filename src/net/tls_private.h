/* What the TLS sources of net share: reading PEM files with errors that name them, and the contexts
 * behind servers and clients. */
#ifndef TG_NET_TLS_PRIVATE_H
#define TG_NET_TLS_PRIVATE_H

#include "net/tls.h"

#include <openssl/ssl.h>

/* Owned by the server or client. */
SSL_CTX *tls_server_context(const struct tls_server *s);
SSL_CTX *tls_client_context(const struct tls_client *c);

/* Writes "FILE: what" (and OpenSSL's reason, if it has one) and empties OpenSSL's error queue. */
void tls_error(char error[TLS_ERROR], const char *file, const char *what);

/* The leaf, the certificates behind it, and the key: checked against each other. */
struct tls_identity {
    X509 *leaf;
    STACK_OF(X509) * chain;
    EVP_PKEY *key;
};
bool tls_identity_load(OSSL_LIB_CTX *lib, const char *certificate, const char *private_key,
                       struct tls_identity *out, char error[TLS_ERROR]);
void tls_identity_free(struct tls_identity *id);
bool tls_identity_use(SSL_CTX *ctx, const struct tls_identity *id, const char *certificate,
                      char error[TLS_ERROR]);

/* What servers and clients have in common; NULL with a text if OpenSSL refuses. */
SSL_CTX *tls_context_new(OSSL_LIB_CTX *lib, const SSL_METHOD *method, bool allow_tls12,
                         const char *groups, char error[TLS_ERROR]);
/* The list in the form of RFC 7301 §3.1: one byte of length before each; caller frees. */
unsigned char *tls_alpn_wire(const char *const *alpn, unsigned *len);

/* What session tickets are made with, fetched once; lives as long as the contexts it is installed
 * in. */
struct tls_ticket_tools {
    OSSL_LIB_CTX *lib;
    EVP_CIPHER *aes;
};
/* Tickets are encrypted and decrypted with the keys of the stream's loop. */
bool tls_ticket_install(SSL_CTX *ctx, struct tls_ticket_tools *tools);

/* Names of a certificate that a client may ask for: DNS names in lower case (the common name if
 * there are none), IP addresses as text; NULL-ended array, freed with tls_names_free. */
char **tls_names_of(X509 *leaf);
void tls_names_free(char **names);

#endif
