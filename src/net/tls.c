/* See tls.h: what servers and clients share. */
#include "net/tls_private.h"

#include "base/check.h"
#include "base/xmem.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <stdio.h>
#include <stdlib.h>

/* AES-128 first: the cheapest with AES instructions; a client that prefers ChaCha20 gets it. */
static const char suites_tls13[] =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
static const char suites_tls12[] = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
                                   "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
                                   "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
static const char default_groups[] = "X25519:P-256";

enum { SECURITY_LEVEL = 2 }; /* RSA of 2048 bits and more, no SHA-1 */

struct ossl_lib_ctx_st *tls_lib_new(void)
{
    OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
    OSSL_LIB_CTX *lib = OSSL_LIB_CTX_new();
    if (lib && OSSL_PROVIDER_load(lib, "default"))
        return lib;
    OSSL_LIB_CTX_free(lib);
    return NULL;
}

static int unload(OSSL_PROVIDER *provider, void *unused)
{
    (void)unused;
    OSSL_PROVIDER_unload(provider);
    return 1;
}

void tls_lib_free(struct ossl_lib_ctx_st *lib)
{
    if (!lib)
        return;
    OSSL_PROVIDER_do_all(lib, unload, NULL);
    OSSL_LIB_CTX_free(lib);
}

void tls_error(char error[TLS_ERROR], const char *file, const char *what)
{
    unsigned long code = ERR_peek_last_error();
    const char *reason = code ? ERR_reason_error_string(code) : NULL;
    if (reason)
        snprintf(error, TLS_ERROR, "%s: %s (%s)", file, what, reason);
    else
        snprintf(error, TLS_ERROR, "%s: %s", file, what);
    ERR_clear_error();
}

/* Never asks at a terminal. */
static int on_password(char *buf, int size, int writing, void *asked)
{
    (void)buf;
    (void)size;
    (void)writing;
    *(bool *)asked = true;
    return -1;
}

static BIO *open_file(const char *file, char error[TLS_ERROR])
{
    BIO *b = BIO_new_file(file, "r");
    if (b)
        return b;
    int failed = errno;
    ERR_clear_error();
    tls_error(error, file, failed ? strerror(failed) : "cannot be read");
    return NULL;
}

static X509 *read_certificate(OSSL_LIB_CTX *lib, BIO *b)
{
    X509 *x = X509_new_ex(lib, NULL);
    ensure(x != NULL);
    if (PEM_read_bio_X509(b, &x, NULL, NULL))
        return x;
    X509_free(x);
    return NULL;
}

static bool load_chain(OSSL_LIB_CTX *lib, const char *file, struct tls_identity *id,
                       char error[TLS_ERROR])
{
    BIO *b = open_file(file, error);
    if (!b)
        return false;
    X509 *x;
    id->chain = sk_X509_new_null();
    ensure(id->chain != NULL);
    id->leaf = read_certificate(lib, b);
    while (id->leaf && (x = read_certificate(lib, b)) != NULL)
        ensure(sk_X509_push(id->chain, x) > 0);
    BIO_free(b);
    bool all_read = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    if (id->leaf && all_read) {
        ERR_clear_error();
        return true;
    }
    if (all_read)
        ERR_clear_error();
    tls_error(error, file, id->leaf ? "a certificate is damaged" : "holds no PEM certificate");
    return false;
}

static bool load_key(OSSL_LIB_CTX *lib, const char *file, EVP_PKEY **out, char error[TLS_ERROR])
{
    bool asked = false;
    BIO *b = open_file(file, error);
    if (!b)
        return false;
    *out = PEM_read_bio_PrivateKey_ex(b, NULL, on_password, &asked, lib, NULL);
    BIO_free(b);
    if (*out) {
        ERR_clear_error();
        return true;
    }
    ERR_clear_error();
    tls_error(error, file,
              asked ? "private key is encrypted; store it decrypted, readable by the gateway only"
                    : "holds no PEM private key");
    return false;
}

bool tls_identity_load(OSSL_LIB_CTX *lib, const char *certificate, const char *private_key,
                       struct tls_identity *out, char error[TLS_ERROR])
{
    *out = (struct tls_identity){0};
    if (!load_chain(lib, certificate, out, error) || !load_key(lib, private_key, &out->key, error))
        goto fail;
    if (X509_check_private_key(out->leaf, out->key) == 1)
        return true;
    ERR_clear_error();
    snprintf(error, TLS_ERROR, "%s: private key does not belong to the certificate %s", private_key,
             certificate);
fail:
    tls_identity_free(out);
    return false;
}

void tls_identity_free(struct tls_identity *id)
{
    X509_free(id->leaf);
    sk_X509_pop_free(id->chain, X509_free);
    EVP_PKEY_free(id->key);
    *id = (struct tls_identity){0};
}

bool tls_identity_use(SSL_CTX *ctx, const struct tls_identity *id, const char *certificate,
                      char error[TLS_ERROR])
{
    if (SSL_CTX_use_cert_and_key(ctx, id->leaf, id->key, id->chain, 1) == 1)
        return true;
    tls_error(error, certificate, "certificate refused");
    return false;
}

SSL_CTX *tls_context_new(OSSL_LIB_CTX *lib, const SSL_METHOD *method, bool allow_tls12,
                         const char *groups, char error[TLS_ERROR])
{
    SSL_CTX *ctx = SSL_CTX_new_ex(lib, NULL, method);
    if (!ctx) {
        tls_error(error, "TLS", "no context");
        return NULL;
    }
    groups = groups ? groups : default_groups;
    SSL_CTX_set_security_level(ctx, SECURITY_LEVEL);
    SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(ctx, 1);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    if (SSL_CTX_set_min_proto_version(ctx, allow_tls12 ? TLS1_2_VERSION : TLS1_3_VERSION) &&
        SSL_CTX_set_ciphersuites(ctx, suites_tls13) && SSL_CTX_set_cipher_list(ctx, suites_tls12) &&
        SSL_CTX_set1_groups_list(ctx, groups))
        return ctx;
    tls_error(error, groups, "groups or ciphers refused");
    SSL_CTX_free(ctx);
    return NULL;
}

unsigned char *tls_alpn_wire(const char *const *alpn, unsigned *len)
{
    size_t n = 0;
    for (size_t i = 0; alpn[i]; i++)
        n += 1 + strlen(alpn[i]);
    unsigned char *wire = xmalloc(n), *p = wire;
    for (size_t i = 0; alpn[i]; i++) {
        size_t one = strlen(alpn[i]);
        ensure(one > 0 && one < 256);
        *p = (unsigned char)one;
        memcpy(p + 1, alpn[i], one);
        p += 1 + one;
    }
    *len = (unsigned)n;
    return wire;
}
