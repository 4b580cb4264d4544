/* A private key that is not in a file, but in a PKCS #11 token (RFC 7512). */
#ifndef ATTLSD_POLICY_KEY_URI_H
#define ATTLSD_POLICY_KEY_URI_H

#include <stdbool.h>
#include <string.h>

#include "policy/types.h"

#define POLICY_KEY_URI "pkcs11:"

static inline bool policy_key_is_in_token(const struct policy_certificate *certificate)
{
	return certificate->key != NULL &&
	       strncmp(certificate->key, POLICY_KEY_URI, strlen(POLICY_KEY_URI)) == 0;
}

static inline bool policy_has_token_keys(const struct policy *policy)
{
	for (size_t i = 0; i < policy->nkeyrings; i++)
		for (size_t j = 0; j < policy->keyrings[i].ncertificates; j++)
			if (policy_key_is_in_token(&policy->keyrings[i].certificates[j]))
				return true;
	return false;
}

#endif
