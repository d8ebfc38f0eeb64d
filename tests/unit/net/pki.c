/* See pki.h. */
#include "tests/unit/net/pki.h"

#include "base/check.h"
#include "base/xmem.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MADE_MAX = 64, VALID_SECONDS = 86400 };

static struct {
    char dir[64];
    char *files[MADE_MAX];
    struct pki_cert *certs[MADE_MAX];
    int file_count, cert_count;
} made;

static FILE *create(char *path, size_t cap, const char *name)
{
    if (!made.dir[0]) {
        strcpy(made.dir, "/tmp/tg-pki-XXXXXX");
        ensure(mkdtemp(made.dir) != NULL);
    }
    ensure(made.file_count < MADE_MAX);
    snprintf(path, cap, "%s/%d-%s", made.dir, made.file_count, name);
    made.files[made.file_count++] = xstrdup(path);
    FILE *f = fopen(path, "w");
    ensure(f != NULL);
    return f;
}

static const char *last_file(void)
{
    return made.files[made.file_count - 1];
}

static void extend(X509 *x, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX v3;
    X509V3_set_ctx(&v3, issuer, x, NULL, NULL, 0);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &v3, nid, value);
    ensure(e != NULL);
    X509_add_ext(x, e, -1);
    X509_EXTENSION_free(e);
}

static X509 *sign(const struct pki_cert *ca, const char *name, const char *san, EVP_PKEY *key)
{
    X509 *x = X509_new();
    X509_set_version(x, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x), made.cert_count + 1);
    X509_gmtime_adj(X509_getm_notBefore(x), -60);
    X509_gmtime_adj(X509_getm_notAfter(x), VALID_SECONDS);
    X509_set_pubkey(x, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
                               (const unsigned char *)name, -1, -1, 0);
    X509 *issuer = ca ? ca->x509 : x;
    X509_set_issuer_name(x, X509_get_subject_name(issuer));
    extend(x, issuer, NID_basic_constraints, ca ? "critical,CA:FALSE" : "critical,CA:TRUE");
    if (san)
        extend(x, issuer, NID_subject_alt_name, san);
    ensure(X509_sign(x, ca ? ca->key : key, EVP_sha256()) > 0);
    return x;
}

struct pki_cert *pki_issue(const struct pki_cert *ca, const char *name, const char *san,
                           enum pki_key type)
{
    struct pki_cert *c = xcalloc(1, sizeof *c);
    EVP_PKEY *key = type == PKI_RSA ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");
    ensure(key != NULL && made.cert_count < MADE_MAX);
    c->key = key;
    c->x509 = sign(ca, name, san, key);
    made.certs[made.cert_count++] = c;
    FILE *f = create(c->certificate, sizeof c->certificate, "cert.pem");
    PEM_write_X509(f, c->x509);
    fclose(f);
    f = create(c->private_key, sizeof c->private_key, "key.pem");
    PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
    fclose(f);
    return c;
}

const char *pki_file(const char *name, const char *text)
{
    char path[128];
    FILE *f = create(path, sizeof path, name);
    fputs(text, f);
    fclose(f);
    return last_file();
}

const char *pki_encrypted_key(const struct pki_cert *c)
{
    char path[128], password[] = "secret";
    FILE *f = create(path, sizeof path, "encrypted.pem");
    PEM_write_PrivateKey(f, c->key, EVP_aes_128_cbc(), NULL, 0, NULL, password);
    fclose(f);
    return last_file();
}

const char *pki_crl(const struct pki_cert *ca, const struct pki_cert *revoked)
{
    char path[128];
    X509_CRL *crl = X509_CRL_new();
    ASN1_TIME *now = X509_gmtime_adj(NULL, -30), *later = X509_gmtime_adj(NULL, VALID_SECONDS);
    X509_CRL_set_version(crl, X509_CRL_VERSION_2);
    X509_CRL_set_issuer_name(crl, X509_get_subject_name(ca->x509));
    X509_CRL_set1_lastUpdate(crl, now);
    X509_CRL_set1_nextUpdate(crl, later);
    if (revoked) {
        X509_REVOKED *r = X509_REVOKED_new();
        X509_REVOKED_set_serialNumber(r, X509_get_serialNumber(revoked->x509));
        X509_REVOKED_set_revocationDate(r, now);
        X509_CRL_add0_revoked(crl, r);
    }
    ensure(X509_CRL_sign(crl, ca->key, EVP_sha256()) > 0);
    FILE *f = create(path, sizeof path, "crl.pem");
    PEM_write_X509_CRL(f, crl);
    fclose(f);
    ASN1_TIME_free(now);
    ASN1_TIME_free(later);
    X509_CRL_free(crl);
    return last_file();
}

void pki_end(void)
{
    for (int i = 0; i < made.cert_count; i++) {
        X509_free(made.certs[i]->x509);
        EVP_PKEY_free(made.certs[i]->key);
        free(made.certs[i]);
    }
    for (int i = 0; i < made.file_count; i++) {
        unlink(made.files[i]);
        free(made.files[i]);
    }
    if (made.dir[0])
        rmdir(made.dir);
    memset(&made, 0, sizeof made);
}
