/* Certificates for tests, made on the spot in a temporary folder. */
#ifndef TG_TEST_PKI_H
#define TG_TEST_PKI_H

enum pki_key { PKI_ECDSA, PKI_RSA };

struct pki_cert {
    char certificate[128], private_key[128];
    void *x509, *key; /* of OpenSSL */
};

/* `san` in OpenSSL's form ("DNS:a.example,IP:127.0.0.1") or NULL; signed by `ca`, or by itself and
 * then an authority. Files are removed by pki_end. */
struct pki_cert *pki_issue(const struct pki_cert *ca, const char *name, const char *san,
                           enum pki_key type);
/* A PEM file with other contents; returns its path. */
const char *pki_file(const char *name, const char *text);
/* The key of `c` once more, encrypted with a password; returns its path. */
const char *pki_encrypted_key(const struct pki_cert *c);
/* A revocation list of `ca` that names `revoked` (or nothing if NULL); returns its path. */
const char *pki_crl(const struct pki_cert *ca, const struct pki_cert *revoked);
void pki_end(void);

#endif
