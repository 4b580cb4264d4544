/*
 * Names a policy by the hash of its text, so that an auditor can compare what was in force with
 * the file in a repository.
 */
#include "gateway/tls/policy-digest.h"

#include <openssl/evp.h>
#include <stdio.h>

void policy_digest(const char *text, size_t len, char buf[static POLICY_DIGEST_TEXT])
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	buf[0] = '\0';
	if (text == NULL || EVP_Digest(text, len, hash, &n, EVP_sha256(), NULL) != 1)
		return;
	for (unsigned i = 0; i < n && 2 * i + 2 < POLICY_DIGEST_TEXT; i++)
		(void)snprintf(buf + (size_t)2 * i, 3, "%02x", hash[i]);
}
