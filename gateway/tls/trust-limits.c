/*
 * Refuses chains of certificates that a peer sends only to cost us time: too many of
 * them, or keys so large that one signature takes long to verify. And keys that are
 * smaller than the policy permits, or of DSA, which it has no size for.
 */
#include "gateway/tls/trust-limits.h"

#include <openssl/err.h>
#include <openssl/x509.h>

/* A peer sends a chain beyond these limits only to cost us time. */
#define CHAIN_CERTIFICATES_MAX 20
#define CHAIN_KEY_BITS_MAX     8192

bool trust_limits_are_exceeded(X509_STORE_CTX *verify, const char *whose)
{
	STACK_OF(X509) *chain = X509_STORE_CTX_get0_untrusted(verify);
	bool absurd = sk_X509_num(chain) > CHAIN_CERTIFICATES_MAX;

	if (absurd)
		ERR_raise_data(ERR_LIB_USER, ERR_R_PASSED_INVALID_ARGUMENT,
			       "the %s has sent a chain of %d certificates", whose, sk_X509_num(chain));
	for (int i = 0; i < sk_X509_num(chain) && !absurd; i++) {
		const EVP_PKEY *key = X509_get0_pubkey(sk_X509_value(chain, i));

		absurd = key != NULL && EVP_PKEY_get_bits(key) > CHAIN_KEY_BITS_MAX;
		if (absurd)
			ERR_raise_data(ERR_LIB_USER, ERR_R_PASSED_INVALID_ARGUMENT,
				       "the %s's certificate chain has a key of %d bits", whose,
				       EVP_PKEY_get_bits(key));
	}
	if (absurd)
		X509_STORE_CTX_set_error(verify, X509_V_ERR_APPLICATION_VERIFICATION);
	return absurd;
}

/* TLS 1.3 has no DSA (RFC 8446 4.2.3), but OpenSSL asks clients of TLS 1.2 for it. */
static const char *refuse_dsa(X509_STORE_CTX *verify, const char *whose)
{
	ERR_raise_data(ERR_LIB_USER, ERR_R_PASSED_INVALID_ARGUMENT, "the %s's certificate has a key of DSA",
		       whose);
	X509_STORE_CTX_set_error(verify, X509_V_ERR_APPLICATION_VERIFICATION);
	return "attlsd takes no keys of DSA";
}

const char *trust_limits_weak_key(X509_STORE_CTX *verify, const struct tls_action *action, const char *whose)
{
	const X509 *leaf = X509_STORE_CTX_get0_cert(verify);
	const EVP_PKEY *key = leaf != NULL ? X509_get0_pubkey(leaf) : NULL;
	uint32_t least = action->peer_min_ecc_key_size;
	bool rsa;
	int bits;

	if (key == NULL)
		return NULL;
	if (EVP_PKEY_is_a(key, "DSA"))
		return refuse_dsa(verify, whose);
	rsa = EVP_PKEY_is_a(key, "RSA") || EVP_PKEY_is_a(key, "RSA-PSS");
	if (rsa)
		least = action->peer_min_rsa_key_size;
	bits = EVP_PKEY_get_bits(key);
	if (bits >= (int)least)
		return NULL;
	ERR_raise_data(ERR_LIB_USER, ERR_R_PASSED_INVALID_ARGUMENT,
		       "the %s's certificate has a key of %d bits; peer_min_%s_key_size is %u", whose, bits,
		       rsa ? "rsa" : "ecc", (unsigned)least);
	X509_STORE_CTX_set_error(verify, X509_V_ERR_EE_KEY_TOO_SMALL);
	return rsa ? "the key is smaller than peer_min_rsa_key_size"
		   : "the key is smaller than peer_min_ecc_key_size";
}
