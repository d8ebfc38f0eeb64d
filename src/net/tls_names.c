/* Whom a certificate names (RFC 6125), for the choice by SNI and for the check of a request's
 * host. */
#include "net/tls_private.h"

#include "base/check.h"
#include "base/xmem.h"

#include <arpa/inet.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

struct names {
    char **at;
    size_t n;
};

static void add(struct names *names, const char *p, size_t n)
{
    if (n == 0 || memchr(p, 0, n))
        return;
    names->at = xrealloc(names->at, (names->n + 2) * sizeof *names->at);
    char *name = xstrndup(p, n);
    for (char *c = name; *c; c++)
        *c = ascii_lower(*c);
    names->at[names->n++] = name;
    names->at[names->n] = NULL;
}

static void add_string(struct names *names, const ASN1_STRING *s)
{
    add(names, (const char *)ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s));
}

static void add_ip(struct names *names, const ASN1_OCTET_STRING *ip)
{
    char text[INET6_ADDRSTRLEN];
    int n = ASN1_STRING_length(ip);
    if (n != 4 && n != 16)
        return;
    inet_ntop(n == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(ip), text, sizeof text);
    add(names, text, strlen(text));
}

static void add_common_name(struct names *names, X509 *leaf)
{
    X509_NAME *subject = X509_get_subject_name(leaf);
    int i = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (i >= 0)
        add_string(names, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, i)));
}

char **tls_names_of(X509 *leaf)
{
    struct names names = {xcalloc(1, sizeof(char *)), 0};
    GENERAL_NAMES *all = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
    bool dns = false;
    for (int i = 0; i < sk_GENERAL_NAME_num(all); i++) {
        const GENERAL_NAME *g = sk_GENERAL_NAME_value(all, i);
        if (g->type == GEN_DNS)
            add_string(&names, g->d.dNSName);
        else if (g->type == GEN_IPADD)
            add_ip(&names, g->d.iPAddress);
        dns = dns || g->type == GEN_DNS;
    }
    GENERAL_NAMES_free(all);
    if (!dns)
        add_common_name(&names, leaf);
    return names.at;
}

void tls_names_free(char **names)
{
    for (char **n = names; n && *n; n++)
        free(*n);
    free(names);
}
