/* Client side of tls.h: who the gateway trusts and, with a certificate, who it is. */
#include "net/tls_private.h"

#include "base/check.h"
#include "base/xmem.h"

#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char system_ca[] = "/etc/ssl/certs/ca-certificates.crt";

struct tls_client {
    SSL_CTX *ctx;
};

SSL_CTX *tls_client_context(const struct tls_client *c)
{
    return c->ctx;
}

static bool set_identity(OSSL_LIB_CTX *lib, SSL_CTX *ctx, const struct tls_client_options *o,
                         char error[TLS_ERROR])
{
    struct tls_identity id;
    if (!o->certificate)
        return true;
    if (!o->private_key) {
        tls_error(error, o->certificate, "no private key given for this certificate");
        return false;
    }
    if (!tls_identity_load(lib, o->certificate, o->private_key, &id, error))
        return false;
    bool used = tls_identity_use(ctx, &id, o->certificate, error);
    tls_identity_free(&id);
    return used;
}

static bool set_trust(SSL_CTX *ctx, const struct tls_client_options *o, char error[TLS_ERROR])
{
    if (!o->verify)
        return true;
    const char *ca = o->ca ? o->ca : system_ca;
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    if (SSL_CTX_load_verify_file(ctx, ca) == 1)
        return true;
    tls_error(error, ca, "no certificate authorities could be read");
    return false;
}

static bool set_alpn(SSL_CTX *ctx, const struct tls_client_options *o, char error[TLS_ERROR])
{
    if (!o->alpn || !o->alpn[0])
        return true;
    unsigned len;
    unsigned char *wire = tls_alpn_wire(o->alpn, &len);
    bool refused = SSL_CTX_set_alpn_protos(ctx, wire, len) != 0;
    free(wire);
    if (refused)
        tls_error(error, "ALPN", "refused");
    return !refused;
}

struct tls_client *tls_client_new(struct ossl_lib_ctx_st *lib, const struct tls_client_options *o,
                                  char error[TLS_ERROR])
{
    SSL_CTX *ctx = tls_context_new(lib, TLS_client_method(), true, NULL, error);
    if (!ctx)
        return NULL;
    if (!set_identity(lib, ctx, o, error) || !set_trust(ctx, o, error) ||
        !set_alpn(ctx, o, error)) {
        SSL_CTX_free(ctx);
        return NULL;
    }
    struct tls_client *c = xcalloc(1, sizeof *c);
    c->ctx = ctx;
    return c;
}

void tls_client_free(struct tls_client *c)
{
    if (!c)
        return;
    SSL_CTX_free(c->ctx);
    free(c);
}
