/* Client side of tls.h: who the gateway trusts and, with a certificate, who it is. */
#include "net/tls_private.h"

#include "base/check.h"
#include "base/xmem.h"

#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The system's authorities, twice: all in one file, and one file each, named by a hash of its name.
 */
static const char system_ca[] = "/etc/ssl/certs/ca-certificates.crt";
static const char system_ca_folder[] = "/etc/ssl/certs";

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

/* Reading all of the system's authorities takes 20 ms for each context; from the folder, the one
 * that signed is read when it is first needed. */
static bool trust_system(SSL_CTX *ctx)
{
    return access(system_ca, R_OK) == 0 && SSL_CTX_load_verify_dir(ctx, system_ca_folder) == 1;
}

static bool set_trust(SSL_CTX *ctx, const struct tls_client_options *o, char error[TLS_ERROR])
{
    if (!o->verify)
        return true;
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    if (o->ca ? SSL_CTX_load_verify_file(ctx, o->ca) == 1 : trust_system(ctx))
        return true;
    tls_error(error, o->ca ? o->ca : system_ca, "no certificate authorities could be read");
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
