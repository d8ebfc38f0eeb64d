/* Session tickets without server state (RFC 5077 §4, as RFC 8446 §4.6.1 uses them): AES-256-CBC and
 * HMAC-SHA-256 under keys that all workers share; rotated by swapping the loop's pointer. */
#include "net/tls_private.h"

#include "base/check.h"
#include "base/xmem.h"
#include "net/loop.h"
#include "net/stream.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <sys/random.h>

enum { IV = 16 };

struct ticket_keys *ticket_keys_rotate(const struct ticket_keys *old)
{
    struct ticket_keys *k = xcalloc(1, sizeof *k);
    ensure(getrandom(&k->key[0], sizeof k->key[0], 0) == (ssize_t)sizeof k->key[0]);
    k->count = 1;
    for (unsigned i = 0; old && i < old->count && k->count < TICKET_KEYS; i++)
        k->key[k->count++] = old->key[i];
    return k;
}

static const struct ticket_key *find(const struct ticket_keys *keys, const unsigned char *name)
{
    for (unsigned i = 0; i < keys->count; i++)
        if (memcmp(keys->key[i].name, name, sizeof keys->key[i].name) == 0)
            return &keys->key[i];
    return NULL;
}

static bool set_mac_key(EVP_MAC_CTX *mac, const struct ticket_key *k)
{
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, (void *)(uintptr_t)k->hmac,
                                          sizeof k->hmac),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char[]){"SHA256"}, 0),
        OSSL_PARAM_construct_end(),
    };
    return EVP_MAC_CTX_set_params(mac, params) == 1;
}

/* SSL_CTX_set_tlsext_ticket_key_evp_cb(3): 1 go on, 2 and give a new ticket, 0 no ticket, -1 error.
 */
static int on_ticket(SSL *ssl, unsigned char name[16], unsigned char *iv, EVP_CIPHER_CTX *cipher,
                     EVP_MAC_CTX *mac, int encrypt)
{
    const struct stream *s = SSL_get_app_data(ssl);
    const struct ticket_keys *keys = s->loop->ticket_keys;
    const struct tls_ticket_tools *tools = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    if (!keys || keys->count == 0)
        return 0;
    const struct ticket_key *k = encrypt ? &keys->key[0] : find(keys, name);
    if (!k)
        return 0;
    if (encrypt) {
        memcpy(name, k->name, sizeof k->name);
        if (RAND_bytes_ex(tools->lib, iv, IV, 0) != 1)
            return -1;
    }
    if (EVP_CipherInit_ex2(cipher, tools->aes, k->aes, iv, encrypt, NULL) != 1 ||
        !set_mac_key(mac, k))
        return -1;
    return k == &keys->key[0] ? 1 : 2;
}

bool tls_ticket_install(SSL_CTX *ctx, struct tls_ticket_tools *tools)
{
    return SSL_CTX_set_num_tickets(ctx, 1) == 1 && SSL_CTX_set_app_data(ctx, tools) == 1 &&
           SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, on_ticket) == 1;
}
