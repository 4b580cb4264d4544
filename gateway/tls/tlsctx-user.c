/*
 * Sessions of one user share an id, which stands inside their tickets. It is a keyed
 * hash, so no client can make one, and no ticket shows a user's name.
 */
#include "gateway/tls/tlsctx-user.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

/* Of a rule's name, an address and a user's name. */
#define TEXT_MAX 256

bool tlsctx_user_binding(const uint8_t key[static TLS_USER_KEY_BYTES], const char *rule, const char *user,
			 const struct ip_addr *client, uint8_t ret_binding[static TLS_BINDING_BYTES])
{
	char address[IP_TEXT_MAX];
	char text[TEXT_MAX];
	uint8_t hash[EVP_MAX_MD_SIZE];
	/* neither a rule's name nor an address has a blank */
	int len = snprintf(text, sizeof(text), "%s %s %s", rule, ip_addr_format(client, address), user);

	if (len < 0 || (size_t)len >= sizeof(text) ||
	    HMAC(EVP_sha256(), key, TLS_USER_KEY_BYTES, (const uint8_t *)text, (size_t)len, hash, NULL) ==
		NULL)
		return false;
	memcpy(ret_binding, hash, TLS_BINDING_BYTES);
	return true;
}
