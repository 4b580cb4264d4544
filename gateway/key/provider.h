/*
 * Private keys that are in another process, as OpenSSL sees them: an EVP_PKEY whose
 * public half is here, and whose signatures the signer makes. A provider of attlsd's
 * own, which OpenSSL 3.0 requires for such keys, has a library context of its own, so
 * that only these keys use it.
 */
#ifndef ATTLSD_GATEWAY_KEY_PROVIDER_H
#define ATTLSD_GATEWAY_KEY_PROVIDER_H

#include "gateway/key/link.h"

struct evp_pkey_st;
struct x509_st;
struct key_provider;

/* With the socket to the signer, which stays the caller's. Returns 0 or a negative errno. */
int key_provider_open(int fd, struct key_provider **ret_provider);
/* Keys are in tokens, so the signer may take long to start: key_provider_key() waits for KEY_LINK_START_MS.
 */
void key_provider_is_slow(struct key_provider *provider);
/* After all its keys are freed. */
void key_provider_close(struct key_provider **provider);

/*
 * The key of a certificate; free it with EVP_PKEY_free(). Returns 0, -ENOKEY after
 * setting *ret_reason: the signer has no such key or cannot be asked, or -ENOMEM.
 */
int key_provider_key(struct key_provider *provider, struct x509_st *certificate, struct evp_pkey_st **ret_key,
		     const char **ret_reason);

/* Has key_provider_key() met a certificate whose key the signer does not have? The file is a newer one. */
bool key_provider_lacks_keys(const struct key_provider *provider);

/* The name of a certificate's key, see request.h. Returns 0 or -EINVAL. */
int key_provider_id(struct x509_st *certificate, uint8_t id[static KEY_ID_BYTES]);

#endif
