/* Server side of tls.h. Certificates of the same names and different key types share one SSL_CTX,
 * in which OpenSSL picks what the client can verify; SNI picks the SSL_CTX. All contexts of a
 * server have the same options, so switching between them changes nothing but the certificate. */
#include "net/tls_private.h"

#include "base/check.h"
#include "base/xmem.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* One SSL_CTX and the names it answers to. */
struct site {
    SSL_CTX *ctx;
    char **names;
    unsigned key_types; /* a bit for each kind of key it has */
};

struct host {
    const char *name; /* of a site; "*.example.com" for wildcards */
    const struct site *site;
    unsigned rank; /* place among all names: the first configured wins */
};

struct tls_server {
    struct site *sites;
    unsigned site_count;
    struct host *hosts; /* sorted by name */
    size_t host_count;
    unsigned char *alpn;
    unsigned alpn_len;
    struct tls_certificate_info *certificates;
    unsigned certificate_count;
    struct tls_ticket_tools ticket;
};

enum { HOST_MAX = 253 };

SSL_CTX *tls_server_context(const struct tls_server *s)
{
    return s->sites[0].ctx;
}

const struct tls_certificate_info *tls_server_certificates(const struct tls_server *s,
                                                           unsigned *count)
{
    *count = s->certificate_count;
    return s->certificates;
}

/* Names. */

static int compare_hosts(const void *a, const void *b)
{
    const struct host *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order ? order : (x->rank > y->rank) - (x->rank < y->rank);
}

static void index_hosts(struct tls_server *s)
{
    size_t n = 0, kept = 0;
    for (unsigned i = 0; i < s->site_count; i++)
        for (char **name = s->sites[i].names; *name; name++)
            n++;
    s->hosts = xcalloc(n, sizeof *s->hosts);
    n = 0;
    for (unsigned i = 0; i < s->site_count; i++)
        for (char **name = s->sites[i].names; *name; name++, n++)
            s->hosts[n] = (struct host){*name, &s->sites[i], (unsigned)n};
    qsort(s->hosts, n, sizeof *s->hosts, compare_hosts);
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || strcmp(s->hosts[kept - 1].name, s->hosts[i].name) != 0)
            s->hosts[kept++] = s->hosts[i];
    s->host_count = kept;
}

static const struct site *find_exact(const struct tls_server *s, const char *name)
{
    size_t low = 0, high = s->host_count;
    while (low < high) {
        size_t mid = (low + high) / 2;
        int order = strcmp(name, s->hosts[mid].name);
        if (order == 0)
            return s->hosts[mid].site;
        if (order < 0)
            high = mid;
        else
            low = mid + 1;
    }
    return NULL;
}

/* Exact, then "*." in place of the first label; NULL if no certificate names it. */
static const struct site *find_site(const struct tls_server *s, struct str host)
{
    char name[HOST_MAX + 1], *dot;
    if (host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']')
        host = str_make(host.p + 1, host.n - 2);
    if (host.n > 0 && host.p[host.n - 1] == '.')
        host.n--;
    if (host.n == 0 || host.n > HOST_MAX)
        return NULL;
    for (size_t i = 0; i < host.n; i++)
        name[i] = ascii_lower(host.p[i]);
    name[host.n] = 0;
    const struct site *site = find_exact(s, name);
    if (site || (dot = strchr(name, '.')) == NULL || dot == name)
        return site;
    dot[-1] = '*';
    return find_exact(s, dot - 1);
}

bool tls_server_has_host(const struct tls_server *s, struct str host)
{
    return find_site(s, host) != NULL;
}

static int on_sni(SSL *ssl, int *alert, void *arg)
{
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    const struct site *site = name ? find_site(arg, str_of(name)) : NULL;
    (void)alert;
    if (site && site->ctx != SSL_get_SSL_CTX(ssl) && !SSL_set_SSL_CTX(ssl, site->ctx))
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    return SSL_TLSEXT_ERR_OK;
}

/* RFC 7301 §3.2: no protocol in common ends the handshake. */
static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                   const unsigned char *in, unsigned in_len, void *arg)
{
    const struct tls_server *s = arg;
    unsigned char *chosen;
    (void)ssl;
    if (SSL_select_next_proto(&chosen, out_len, s->alpn, s->alpn_len, in, in_len) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

/* Client certificates. */

static bool load_crl(X509_STORE *store, const char *file, char error[TLS_ERROR])
{
    X509_LOOKUP *lookup = X509_STORE_add_lookup(store, X509_LOOKUP_file());
    if (lookup && X509_load_crl_file(lookup, file, X509_FILETYPE_PEM) > 0 &&
        X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK) == 1)
        return true;
    tls_error(error, file, "no certificate revocation list could be read");
    return false;
}

/* The first site's store serves all sites. */
static bool set_client_auth(struct tls_server *s, OSSL_LIB_CTX *lib,
                            const struct tls_server_options *o, char error[TLS_ERROR])
{
    if (o->client_auth == 0)
        return true;
    if (!o->client_ca) {
        tls_error(error, "client_ca", "needed to check client certificates");
        return false;
    }
    X509_STORE *store = SSL_CTX_get_cert_store(s->sites[0].ctx);
    STACK_OF(X509_NAME) *names = SSL_load_client_CA_file_ex(o->client_ca, lib, NULL);
    if (!names || SSL_CTX_load_verify_file(s->sites[0].ctx, o->client_ca) != 1) {
        sk_X509_NAME_pop_free(names, X509_NAME_free);
        tls_error(error, o->client_ca, "no certificate authorities could be read");
        return false;
    }
    int mode = SSL_VERIFY_PEER | (o->client_auth == 2 ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0);
    for (unsigned i = 0; i < s->site_count; i++) {
        SSL_CTX *ctx = s->sites[i].ctx;
        SSL_CTX_set_verify(ctx, mode, NULL);
        SSL_CTX_set_client_CA_list(ctx, SSL_dup_CA_list(names));
        if (i > 0)
            SSL_CTX_set1_cert_store(ctx, store);
    }
    sk_X509_NAME_pop_free(names, X509_NAME_free);
    return !o->client_crl || load_crl(store, o->client_crl, error);
}

/* Adds the bytes of a file, if there is one, to the digest. */
static bool digest_file(EVP_MD_CTX *md, const char *file)
{
    char buf[4096];
    size_t n;
    FILE *f = file ? fopen(file, "re") : NULL;
    if (!f)
        return file == NULL;
    while ((n = fread(buf, 1, sizeof buf, f)) > 0)
        EVP_DigestUpdate(md, buf, n);
    bool read = !ferror(f);
    fclose(f);
    return read;
}

/* Tickets resume only where the same rules for client certificates hold: a ticket from a listener
 * that asks for none must not open one that requires it. */
static bool set_ticket_scope(struct tls_server *s, OSSL_LIB_CTX *lib,
                             const struct tls_server_options *o, char error[TLS_ERROR])
{
    unsigned char scope[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    unsigned char auth = (unsigned char)o->client_auth;
    EVP_MD *sha256 = EVP_MD_fetch(lib, "SHA256", NULL);
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    ensure(sha256 && md);
    bool done = EVP_DigestInit_ex2(md, sha256, NULL) && EVP_DigestUpdate(md, &auth, 1) &&
                digest_file(md, auth ? o->client_ca : NULL) &&
                digest_file(md, auth ? o->client_crl : NULL) && EVP_DigestFinal_ex(md, scope, &len);
    EVP_MD_CTX_free(md);
    EVP_MD_free(sha256);
    for (unsigned i = 0; done && i < s->site_count; i++)
        done = SSL_CTX_set_session_id_context(s->sites[i].ctx, scope, len) == 1;
    if (!done)
        tls_error(error, o->client_ca ? o->client_ca : "TLS", "cannot be read");
    return done;
}

/* Sites. */

static bool same_names(char *const *a, char *const *b)
{
    while (*a && *b && strcmp(*a, *b) == 0)
        a++, b++;
    return !*a && !*b;
}

static unsigned key_type_bit(EVP_PKEY *key)
{
    switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA: return 1;
    case EVP_PKEY_EC: return 2;
    default: return 4;
    }
}

/* The site of the same names that has no such key yet, or a new one; takes over `names`. */
static struct site *site_for(struct tls_server *s, char **names, unsigned key_type)
{
    for (unsigned i = 0; i < s->site_count; i++) {
        struct site *site = &s->sites[i];
        if ((site->key_types & key_type) || !same_names(site->names, names))
            continue;
        tls_names_free(names);
        return site;
    }
    struct site *site = &s->sites[s->site_count++];
    site->names = names;
    return site;
}

static int64_t expiry_of(X509 *leaf)
{
    struct tm t;
    return ASN1_TIME_to_tm(X509_get0_notAfter(leaf), &t) == 1 ? (int64_t)timegm(&t) : 0;
}

static char *subject_of(X509 *leaf)
{
    char *text = NULL;
    BIO *out = BIO_new(BIO_s_mem());
    ensure(out && X509_NAME_print_ex(out, X509_get_subject_name(leaf), 0, XN_FLAG_RFC2253) >= 0);
    long n = BIO_get_mem_data(out, &text);
    text = xstrndup(n > 0 ? text : "", (size_t)n);
    BIO_free(out);
    return text;
}

static bool set_callbacks(struct tls_server *s, SSL_CTX *ctx)
{
    SSL_CTX_set_tlsext_servername_callback(ctx, on_sni);
    SSL_CTX_set_tlsext_servername_arg(ctx, s);
    if (s->alpn_len > 0)
        SSL_CTX_set_alpn_select_cb(ctx, on_alpn, s);
    return tls_ticket_install(ctx, &s->ticket);
}

static bool add_certificate(struct tls_server *s, OSSL_LIB_CTX *lib,
                            const struct tls_server_options *o, const struct tls_certificate *c,
                            char error[TLS_ERROR])
{
    struct tls_identity id;
    if (!tls_identity_load(lib, c->certificate, c->private_key, &id, error))
        return false;
    unsigned key_type = key_type_bit(id.key);
    struct site *site = site_for(s, tls_names_of(id.leaf), key_type);
    bool done = true;
    if (!site->ctx) {
        site->ctx = tls_context_new(lib, TLS_server_method(), o->allow_tls12, o->groups, error);
        done = site->ctx && set_callbacks(s, site->ctx);
    }
    done = done && tls_identity_use(site->ctx, &id, c->certificate, error);
    site->key_types |= key_type;
    s->certificates[s->certificate_count++] =
        (struct tls_certificate_info){subject_of(id.leaf), expiry_of(id.leaf)};
    tls_identity_free(&id);
    return done;
}

struct tls_server *tls_server_new(struct ossl_lib_ctx_st *lib, const struct tls_server_options *o,
                                  char error[TLS_ERROR])
{
    struct tls_server *s = xcalloc(1, sizeof *s);
    s->ticket = (struct tls_ticket_tools){lib, EVP_CIPHER_fetch(lib, "AES-256-CBC", NULL)};
    s->sites = xcalloc(o->certificate_count, sizeof *s->sites);
    s->certificates = xcalloc(o->certificate_count, sizeof *s->certificates);
    if (o->alpn && o->alpn[0])
        s->alpn = tls_alpn_wire(o->alpn, &s->alpn_len);
    snprintf(error, TLS_ERROR, "no certificate given");
    bool done = o->certificate_count > 0 && s->ticket.aes;
    for (unsigned i = 0; done && i < o->certificate_count; i++)
        done = add_certificate(s, lib, o, &o->certificates[i], error);
    if (done && set_client_auth(s, lib, o, error) && set_ticket_scope(s, lib, o, error)) {
        index_hosts(s);
        return s;
    }
    tls_server_free(s);
    return NULL;
}

void tls_server_free(struct tls_server *s)
{
    if (!s)
        return;
    for (unsigned i = 0; i < s->site_count; i++) {
        SSL_CTX_free(s->sites[i].ctx);
        tls_names_free(s->sites[i].names);
    }
    for (unsigned i = 0; i < s->certificate_count; i++)
        free(s->certificates[i].subject);
    EVP_CIPHER_free(s->ticket.aes);
    free(s->certificates);
    free(s->sites);
    free(s->hosts);
    free(s->alpn);
    free(s);
}
