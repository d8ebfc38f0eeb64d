/* Certificates, names, tickets and protocols of TLS servers and clients. */
#include "tests/unit/net/fixture.h"

#include <criterion/criterion.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

static struct fixture f;
static char error[TLS_ERROR];

/* Servers and clients. */

static struct tls_server *server_of(const struct tls_certificate *c, unsigned n)
{
    struct tls_server_options o = {.certificates = c, .certificate_count = n};
    struct tls_server *s = tls_server_new(f.lib, &o, error);
    cr_assert(s != NULL, "%s", error);
    return s;
}

static struct tls_certificate paths(const struct pki_cert *c)
{
    return (struct tls_certificate){c->certificate, c->private_key};
}

static void use_server(struct tls_server *s)
{
    tls_server_free(f.server);
    f.server = s;
}

/* A new pair on the same fixture. */
static void reconnect(const char *name)
{
    stream_close(&f.here.stream);
    stream_close(&f.there.stream);
    f.here.seen = f.there.seen = 0;
    f.here.in.n = f.there.in.n = 0;
    fixture_connect(&f, name);
}

/* Names. */

static void refused(const char *san, const char *name)
{
    fixture_open(&f);
    fixture_tls(&f, san);
    fixture_dial(&f, name);
    fixture_run(&f, here_failed);
    cr_assert_eq(f.here.stream.error, NET_TLS_VERIFY);
    fixture_close(&f);
}

Test(tls, a_certificate_with_another_name_is_refused)
{
    refused("DNS:a.example", "b.example");
}

Test(tls, a_wildcard_covers_one_label_only)
{
    refused("DNS:*.example.com", "a.b.example.com");
}

Test(tls, an_address_needs_an_address_in_the_certificate)
{
    refused("DNS:127.0.0.1", NULL);
}

Test(tls, an_address_in_the_certificate_is_verified_and_no_name_is_sent)
{
    fixture_open(&f);
    fixture_tls(&f, "IP:127.0.0.1");
    fixture_connect(&f, NULL);
    cr_assert_null(stream_sni(&f.there.stream).p);
    fixture_close(&f);
}

Test(tls, an_authority_that_is_not_trusted_is_refused)
{
    fixture_open(&f);
    fixture_tls(&f, "DNS:localhost");
    struct pki_cert *other = pki_issue(NULL, "Other CA", NULL, PKI_ECDSA);
    struct tls_client_options o = {.ca = other->certificate, .verify = true};
    tls_client_free(f.client);
    f.client = tls_client_new(f.lib, &o, error);
    fixture_dial(&f, "localhost");
    fixture_run(&f, here_failed);
    cr_assert_eq(f.here.stream.error, NET_TLS_VERIFY);
    fixture_close(&f);
}

Test(tls, without_verification_any_certificate_will_do)
{
    struct tls_client_options o = {.verify = false};
    fixture_open(&f);
    fixture_tls(&f, "DNS:a.example");
    tls_client_free(f.client);
    f.client = tls_client_new(f.lib, &o, error);
    fixture_connect(&f, "b.example");
    cr_assert(str_eq(stream_sni(&f.there.stream), STR("b.example")));
    cr_assert(str_eq(stream_tls_version(&f.there.stream), STR("TLSv1.3")));
    cr_assert(str_eq(stream_tls_cipher(&f.there.stream), STR("TLS_AES_128_GCM_SHA256")));
    fixture_close(&f);
}

/* The common name of the certificate that `here` was shown. */
static const char *shown(void)
{
    static char name[64];
    X509 *x = SSL_get0_peer_certificate(f.here.stream.ssl);
    X509_NAME_get_text_by_NID(X509_get_subject_name(x), NID_commonName, name, sizeof name);
    return name;
}

static const char *shown_for(const char *sni)
{
    reconnect(sni);
    return shown();
}

static void trust_anything(void)
{
    struct tls_client_options o = {.verify = false};
    tls_client_free(f.client);
    f.client = tls_client_new(f.lib, &o, error);
}

Test(tls, the_certificate_is_chosen_by_exact_name_then_wildcard_then_the_default)
{
    fixture_open(&f);
    fixture_tls(&f, "DNS:unused");
    struct tls_certificate c[] = {
        paths(pki_issue(NULL, "default", "DNS:default.example", PKI_ECDSA)),
        paths(pki_issue(NULL, "wild", "DNS:*.example.com", PKI_ECDSA)),
        paths(pki_issue(NULL, "exact", "DNS:A.Example.com,DNS:b.example", PKI_ECDSA)),
    };
    use_server(server_of(c, 3));
    trust_anything();
    cr_assert_str_eq(shown_for("a.example.com"), "exact");
    cr_assert_str_eq(shown_for("B.EXAMPLE"), "exact");
    cr_assert_str_eq(shown_for("c.example.com"), "wild");
    cr_assert_str_eq(shown_for("c.d.example.com"), "default");
    cr_assert_str_eq(shown_for("example.com"), "default");
    cr_assert_str_eq(shown_for(NULL), "default");
    fixture_close(&f);
}

Test(tls, a_server_knows_which_hosts_its_certificates_name)
{
    fixture_open(&f);
    f.lib = tls_lib_new();
    struct tls_certificate c[] = {
        paths(pki_issue(NULL, "x", "DNS:a.example,DNS:*.b.example,IP:127.0.0.1,IP:::1", PKI_ECDSA)),
        paths(pki_issue(NULL, "no.alternative.example", NULL, PKI_ECDSA)),
    };
    f.server = server_of(c, 2);
    const char *const yes[] = {"a.example", "A.Example.", "x.b.example",
                               "127.0.0.1", "[::1]",      "no.alternative.example"};
    const char *const no[] = {"",  "b.example", ".b.example", "x.y.b.example",
                              "x", "127.0.0.2", "."};
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++)
        cr_assert(tls_server_has_host(f.server, str_of(yes[i])), "%s", yes[i]);
    for (size_t i = 0; i < sizeof no / sizeof no[0]; i++)
        cr_assert(!tls_server_has_host(f.server, str_of(no[i])), "%s", no[i]);
    fixture_close(&f);
}

Test(tls, a_server_tells_whose_its_certificates_are_and_when_they_end)
{
    fixture_open(&f);
    f.lib = tls_lib_new();
    struct tls_certificate c[] = {
        paths(pki_issue(NULL, "a", "DNS:a.example", PKI_ECDSA)),
        paths(pki_issue(NULL, "b", "DNS:b.example", PKI_ECDSA)),
    };
    unsigned n;
    f.server = server_of(c, 2);
    const struct tls_certificate_info *info = tls_server_certificates(f.server, &n);
    cr_assert_eq(n, 2);
    cr_assert_str_eq(info[0].subject, "CN=a");
    cr_assert_str_eq(info[1].subject, "CN=b");
    for (unsigned i = 0; i < n; i++) {
        int64_t left = info[i].expiry - time(NULL);
        cr_assert(left > 86000 && left <= 86400);
    }
    fixture_close(&f);
}

static int key_shown(const char *algorithms)
{
    stream_close(&f.here.stream);
    stream_close(&f.there.stream);
    f.here.seen = f.there.seen = 0;
    fixture_dial(&f, "a.example");
    SSL_set1_sigalgs_list(f.here.stream.ssl, algorithms);
    fixture_run(&f, both_open);
    return EVP_PKEY_get_base_id(X509_get0_pubkey(SSL_get0_peer_certificate(f.here.stream.ssl)));
}

Test(tls, an_ecdsa_and_an_rsa_certificate_of_one_name_stand_side_by_side)
{
    fixture_open(&f);
    fixture_tls(&f, "DNS:unused");
    struct tls_certificate c[] = {
        paths(pki_issue(NULL, "e", "DNS:a.example", PKI_ECDSA)),
        paths(pki_issue(NULL, "r", "DNS:a.example", PKI_RSA)),
    };
    use_server(server_of(c, 2));
    trust_anything();
    cr_assert_eq(key_shown("ECDSA+SHA256"), EVP_PKEY_EC);
    cr_assert_eq(key_shown("RSA-PSS+SHA256"), EVP_PKEY_RSA);
    fixture_close(&f);
}

/* Protocols. */

static struct str agreed(const char *const *server, const char *const *client)
{
    struct pki_cert *c = pki_issue(NULL, "x", "DNS:localhost", PKI_ECDSA);
    struct tls_certificate certificate = paths(c);
    struct tls_server_options so = {
        .certificates = &certificate, .certificate_count = 1, .alpn = server};
    struct tls_client_options co = {.alpn = client};
    use_server(tls_server_new(f.lib, &so, error));
    tls_client_free(f.client);
    f.client = tls_client_new(f.lib, &co, error);
    f.here.seen = f.there.seen = 0;
    stream_close(&f.here.stream);
    stream_close(&f.there.stream);
    fixture_dial(&f, "localhost");
    fixture_run(&f, both_open);
    cr_assert(str_eq(stream_alpn(&f.here.stream), stream_alpn(&f.there.stream)));
    return stream_alpn(&f.there.stream);
}

Test(tls, the_server_chooses_the_protocol_it_likes_best)
{
    const char *const both[] = {"h2", "http/1.1", NULL}, *const turned[] = {"http/1.1", "h2", NULL},
                      *const one[] = {"http/1.1", NULL};
    fixture_open(&f);
    fixture_tls(&f, "DNS:localhost");
    cr_assert(str_eq(agreed(both, turned), STR("h2")));
    cr_assert(str_eq(agreed(turned, both), STR("http/1.1")));
    cr_assert(str_eq(agreed(both, one), STR("http/1.1")));
    cr_assert_null(agreed(both, NULL).p);
    cr_assert_null(agreed(NULL, both).p);
    fixture_close(&f);
}

static bool there_failed(struct fixture *x)
{
    return x->there.seen & STREAM_FAILED;
}

Test(tls, no_protocol_in_common_ends_the_handshake)
{
    const char *const h2[] = {"h2", NULL}, *const h1[] = {"http/1.1", NULL};
    fixture_open(&f);
    fixture_tls(&f, "DNS:localhost");
    struct tls_certificate c = paths(pki_issue(NULL, "x", NULL, PKI_ECDSA));
    struct tls_server_options so = {.certificates = &c, .certificate_count = 1, .alpn = h2};
    struct tls_client_options co = {.alpn = h1};
    use_server(tls_server_new(f.lib, &so, error));
    tls_client_free(f.client);
    f.client = tls_client_new(f.lib, &co, error);
    fixture_dial(&f, "localhost");
    fixture_run(&f, there_failed);
    fixture_run(&f, here_failed);
    cr_assert_eq(f.here.stream.error, NET_TLS);
    fixture_close(&f);
}

static void dial_at_most_tls12(bool allowed)
{
    fixture_open(&f);
    fixture_tls(&f, "DNS:localhost");
    struct tls_certificate c = paths(pki_issue(NULL, "x", NULL, PKI_ECDSA));
    struct tls_server_options so = {
        .certificates = &c, .certificate_count = 1, .allow_tls12 = allowed};
    use_server(tls_server_new(f.lib, &so, error));
    trust_anything();
    fixture_dial(&f, "localhost");
    SSL_set_max_proto_version(f.here.stream.ssl, TLS1_2_VERSION);
}

Test(tls, tls_1_2_is_refused_unless_it_is_allowed)
{
    dial_at_most_tls12(false);
    fixture_run(&f, here_failed);
    fixture_close(&f);
    dial_at_most_tls12(true);
    fixture_run(&f, both_open);
    cr_assert(str_eq(stream_tls_cipher(&f.there.stream), STR("ECDHE-ECDSA-AES128-GCM-SHA256")));
    fixture_close(&f);
}

Test(tls, a_client_that_prefers_chacha20_gets_it)
{
    fixture_open(&f);
    fixture_tls(&f, "DNS:localhost");
    fixture_dial(&f, "localhost");
    SSL_set_ciphersuites(f.here.stream.ssl, "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256");
    fixture_run(&f, both_open);
    cr_assert(str_eq(stream_tls_cipher(&f.there.stream), STR("TLS_CHACHA20_POLY1305_SHA256")));
    fixture_close(&f);
}

/* Session tickets. */

static bool here_has_answer(struct fixture *x)
{
    return x->here.in.n == 5;
}

/* Talks once, with `session` offered if it is not NULL; returns the session of the ticket that
 * came. */
static SSL_SESSION *talk(SSL_SESSION *session, bool *resumed)
{
    stream_close(&f.here.stream);
    stream_close(&f.there.stream);
    f.here.seen = f.there.seen = 0;
    f.here.in.n = f.there.in.n = 0;
    fixture_dial(&f, "localhost");
    if (session)
        SSL_set_session(f.here.stream.ssl, session);
    SSL_SESSION_free(session);
    fixture_run(&f, both_open);
    end_write(&f.there, STR("hello"));
    fixture_run(&f, here_has_answer);
    cr_assert_eq(stream_tls_resumed(&f.here.stream), stream_tls_resumed(&f.there.stream));
    *resumed = stream_tls_resumed(&f.there.stream);
    return SSL_get1_session(f.here.stream.ssl);
}

static void rotate(void)
{
    struct ticket_keys *old = f.loop->ticket_keys;
    f.loop->ticket_keys = ticket_keys_rotate(old);
    free(old);
}

Test(tls, a_ticket_resumes_at_another_worker_and_until_its_key_is_rotated_out)
{
    bool resumed;
    fixture_open(&f);
    fixture_tls(&f, "DNS:localhost");
    struct tls_certificate c = paths(pki_issue(NULL, "x", "DNS:localhost", PKI_ECDSA));
    struct ossl_lib_ctx_st *other_lib = tls_lib_new();
    struct tls_server_options so = {.certificates = &c, .certificate_count = 1};
    struct tls_server *first = server_of(&c, 1), *second = tls_server_new(other_lib, &so, error);
    use_server(first);
    trust_anything();
    SSL_SESSION *s = talk(NULL, &resumed);
    cr_assert(!resumed);
    cr_assert(SSL_SESSION_has_ticket(s));
    f.server = second;
    s = talk(s, &resumed);
    cr_assert(resumed, "at another worker");
    rotate();
    s = talk(s, &resumed);
    cr_assert(resumed, "after a rotation");
    for (int i = 0; i < TICKET_KEYS; i++)
        rotate();
    s = talk(s, &resumed);
    cr_assert(!resumed, "after its key is gone");
    SSL_SESSION_free(s);
    stream_close(&f.here.stream);
    stream_close(&f.there.stream);
    f.server = first;
    tls_server_free(second);
    tls_lib_free(other_lib);
    fixture_close(&f);
}

Test(tls, without_ticket_keys_there_are_no_tickets)
{
    bool resumed;
    fixture_open(&f);
    fixture_tls(&f, "DNS:localhost");
    free(f.loop->ticket_keys);
    f.loop->ticket_keys = NULL;
    SSL_SESSION *s = talk(NULL, &resumed);
    cr_assert(!SSL_SESSION_has_ticket(s));
    SSL_SESSION_free(s);
    fixture_close(&f);
}

/* Client certificates. */

struct mutual {
    struct pki_cert *ca, *client, *server;
};

static struct mutual mutual_open(int client_auth, const char *crl)
{
    struct mutual m;
    fixture_open(&f);
    fixture_tls(&f, "DNS:unused");
    m.ca = pki_issue(NULL, "Client CA", NULL, PKI_ECDSA);
    m.client = pki_issue(m.ca, "client", NULL, PKI_ECDSA);
    m.server = pki_issue(NULL, "server", "DNS:localhost", PKI_ECDSA);
    struct tls_certificate c = paths(m.server);
    struct tls_server_options so = {.certificates = &c,
                                    .certificate_count = 1,
                                    .client_ca = m.ca->certificate,
                                    .client_auth = client_auth};
    if (crl)
        so.client_crl = pki_crl(m.ca, strcmp(crl, "client") == 0 ? m.client : NULL);
    use_server(tls_server_new(f.lib, &so, error));
    cr_assert(f.server != NULL, "%s", error);
    trust_anything();
    return m;
}

static void show_certificate(const struct pki_cert *c)
{
    struct tls_client_options o = {.certificate = c->certificate, .private_key = c->private_key};
    tls_client_free(f.client);
    f.client = tls_client_new(f.lib, &o, error);
    cr_assert(f.client != NULL, "%s", error);
}

Test(tls, a_required_client_certificate_lets_in_who_has_it)
{
    struct mutual m = mutual_open(2, NULL);
    show_certificate(m.client);
    fixture_connect(&f, "localhost");
    cr_assert_not_null(SSL_get0_peer_certificate(f.there.stream.ssl));
    fixture_close(&f);
}

Test(tls, a_required_client_certificate_that_is_missing_ends_the_handshake)
{
    mutual_open(2, NULL);
    fixture_dial(&f, "localhost");
    fixture_run(&f, there_failed);
    cr_assert_eq(f.there.stream.error, NET_TLS);
    fixture_run(&f, here_ended);
    cr_assert_eq(f.here.stream.error, NET_TLS);
    fixture_close(&f);
}

Test(tls, a_requested_client_certificate_may_be_missing_but_not_wrong)
{
    struct mutual m = mutual_open(1, NULL);
    fixture_connect(&f, "localhost");
    stream_close(&f.here.stream);
    stream_close(&f.there.stream);
    f.here.seen = f.there.seen = 0;
    show_certificate(m.server);
    fixture_dial(&f, "localhost");
    fixture_run(&f, there_failed);
    cr_assert_eq(f.there.stream.error, NET_TLS_VERIFY);
    fixture_close(&f);
}

Test(tls, a_revoked_client_certificate_is_refused)
{
    struct mutual m = mutual_open(2, "client");
    show_certificate(m.client);
    fixture_dial(&f, "localhost");
    fixture_run(&f, there_failed);
    cr_assert_eq(f.there.stream.error, NET_TLS_VERIFY);
    fixture_close(&f);
    m = mutual_open(2, "nobody");
    show_certificate(m.client);
    fixture_connect(&f, "localhost");
    fixture_close(&f);
}

Test(tls, a_ticket_of_a_server_without_client_certificates_does_not_open_one_with)
{
    bool resumed;
    struct mutual m = mutual_open(2, NULL);
    struct tls_server *strict = f.server;
    struct tls_certificate c = paths(m.server);
    f.server = server_of(&c, 1);
    SSL_SESSION *s = talk(NULL, &resumed);
    stream_close(&f.here.stream);
    stream_close(&f.there.stream);
    use_server(strict);
    f.here.seen = f.there.seen = 0;
    fixture_dial(&f, "localhost");
    SSL_set_session(f.here.stream.ssl, s);
    SSL_SESSION_free(s);
    fixture_run(&f, there_failed);
    cr_assert(!stream_tls_resumed(&f.there.stream));
    fixture_close(&f);
}

/* Mistakes in the configuration. */

static void no_server(struct tls_server_options o, const char *file, const char *what)
{
    error[0] = 0;
    cr_assert_null(tls_server_new(f.lib, &o, error));
    cr_assert_not_null(strstr(error, file), "%s", error);
    cr_assert_not_null(strstr(error, what), "%s", error);
}

Test(tls, each_mistake_names_its_file)
{
    fixture_open(&f);
    f.lib = tls_lib_new();
    struct pki_cert *a = pki_issue(NULL, "a", NULL, PKI_ECDSA),
                    *b = pki_issue(NULL, "b", NULL, PKI_ECDSA);
    const char *encrypted = pki_encrypted_key(a), *garbage = pki_file("garbage", "hello\n"),
               *cut = pki_file("cut", "-----BEGIN CERTIFICATE-----\nMIIB\n");
    struct {
        struct tls_certificate c;
        const char *file, *what;
    } bad[] = {
        {{"/nonexistent/cert.pem", a->private_key}, "/nonexistent/cert.pem", "No such file"},
        {{a->certificate, "/nonexistent/key.pem"}, "/nonexistent/key.pem", "No such file"},
        {{garbage, a->private_key}, garbage, "no PEM certificate"},
        {{cut, a->private_key}, cut, "no PEM certificate"},
        {{a->certificate, garbage}, garbage, "no PEM private key"},
        {{a->certificate, encrypted}, encrypted, "encrypted"},
        {{a->certificate, b->private_key}, b->private_key, "does not belong"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        no_server((struct tls_server_options){.certificates = &bad[i].c, .certificate_count = 1},
                  bad[i].file, bad[i].what);
    struct tls_certificate good = paths(a);
    struct tls_server_options o = {.certificates = &good, .certificate_count = 1};
    o.groups = "X25519:nonsense";
    no_server(o, "X25519:nonsense", "groups");
    o.groups = NULL;
    o.client_auth = 2;
    no_server(o, "client_ca", "needed");
    o.client_ca = garbage;
    no_server(o, garbage, "authorities");
    o.client_ca = a->certificate;
    o.client_crl = garbage;
    no_server(o, garbage, "revocation");
    struct tls_client_options c = {.ca = garbage, .verify = true};
    cr_assert_null(tls_client_new(f.lib, &c, error));
    cr_assert_not_null(strstr(error, garbage));
    fixture_close(&f);
}

static size_t sent_x;

static bool there_took_all_or_gave_up(struct fixture *x)
{
    return x->there.in.n >= sent_x || x->there.stream.error != NET_OK;
}

Test(tls, answers_to_key_updates_do_not_pile_up_for_who_does_not_read, .timeout = 60)
{
    enum { BATCH = 500, TOO_MUCH = 1 << 20 };
    fixture_open(&f);
    fixture_tls(&f, "DNS:localhost");
    fixture_connect(&f, "localhost");
    f.here.paused = true;
    setsockopt(f.there.stream.fd, SOL_SOCKET, SO_SNDBUF, &(int){4096}, sizeof(int));
    sent_x = 0;
    while (f.there.stream.error == NET_OK && stream_parked(&f.there.stream) < TOO_MUCH) {
        for (int i = 0; i < BATCH; i++, sent_x++) {
            cr_assert_eq(SSL_key_update(f.here.stream.ssl, SSL_KEY_UPDATE_REQUESTED), 1);
            end_write(&f.here, STR("x"));
        }
        fixture_run(&f, there_took_all_or_gave_up);
    }
    cr_assert_lt(stream_parked(&f.there.stream), TOO_MUCH);
    fixture_close(&f);
}

static bool there_read_or_gave_up(struct fixture *x)
{
    return x->there.in.n > 0 || x->there.stream.error != NET_OK;
}

Test(tls, a_flood_of_key_updates_without_data_is_cut_off, .timeout = 60)
{
    enum { UPDATES = 20000, ROOM = 200000 };
    fixture_open(&f);
    fixture_tls(&f, "DNS:localhost");
    fixture_connect(&f, "localhost");
    setsockopt(f.here.stream.fd, SOL_SOCKET, SO_SNDBUF, &(int){ROOM}, sizeof(int));
    setsockopt(f.there.stream.fd, SOL_SOCKET, SO_RCVBUF, &(int){ROOM}, sizeof(int));
    end_write(&f.here, STR("x"));
    fixture_run(&f, there_read_or_gave_up);
    f.there.in.n = 0;
    for (int i = 0; i < UPDATES; i++) {
        cr_assert_eq(SSL_key_update(f.here.stream.ssl, SSL_KEY_UPDATE_NOT_REQUESTED), 1);
        cr_assert_eq(SSL_do_handshake(f.here.stream.ssl), 1);
    }
    end_write(&f.here, STR("x"));
    fixture_run(&f, there_read_or_gave_up);
    cr_assert_eq(f.there.stream.error, NET_TLS);
    fixture_close(&f);
}
