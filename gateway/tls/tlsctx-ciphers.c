/*
 * Gives OpenSSL the versions and ciphers of a tls_action, of a server as of a client.
 * OpenSSL leaves out ciphers that it does not know, so only an empty list is a fault.
 */
#include "gateway/tls/tlsctx-ciphers.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/util.h"

/*
 * TLS 1.2 ciphers when the policy names none: forward secrecy and AEAD only.
 */
#define DEFAULT_CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20"

void tlsctx_ciphers_set_versions(SSL_CTX *ctx, unsigned versions)
{
	(void)SSL_CTX_set_min_proto_version(ctx, versions & POLICY_TLS1_2 ? TLS1_2_VERSION : TLS1_3_VERSION);
	(void)SSL_CTX_set_max_proto_version(ctx, versions & POLICY_TLS1_3 ? TLS1_3_VERSION : TLS1_2_VERSION);
}

/*
 * The security level (of the system, 2 on most) leaves out ciphers that encrypt
 * nothing. Where the policy names some, these pass, and all else that the level
 * asks for stays: sizes of keys, signatures, other ciphers.
 */
static int allow_null_ciphers(const SSL *ssl, const SSL_CTX *ctx, int operation, int bits, int nid,
			      void *other, void *arg)
{
	static const int ciphers[] = { SSL_SECOP_CIPHER_SUPPORTED, SSL_SECOP_CIPHER_SHARED,
				       SSL_SECOP_CIPHER_CHECK };
	const struct tlsctx_ciphers *given = arg;

	for (size_t i = 0; i < NELEM(ciphers); i++)
		if (operation == ciphers[i] && SSL_CIPHER_get_cipher_nid(other) == NID_undef)
			return 1;
	return given->security(ssl, ctx, operation, bits, nid, other, NULL);
}

/*
 * TLS 1.2. If keys only sign, leave out suites with static RSA, which need a key that
 * decrypts. policy/rule-warn.c names those that are left out.
 */
static int set_cipher_list(const struct tls_action *action, bool isolated, SSL_CTX *ctx, struct diags *diags)
{
	static const char *const without[] = { "", ":!kRSA" };
	/* OpenSSL's words for whole profiles: ciphers, groups, signature algorithms, and chains of
	 * certificates */
	static const char *const suite_b[] = {
		[SUITE_B_128] = "SUITEB128ONLY", [SUITE_B_128MIN] = "SUITEB128", [SUITE_B_192] = "SUITEB192"
	};
	char *list;

	if (action->suite_b_profile != SUITE_B_OFF) {
		if (SSL_CTX_set_cipher_list(ctx, suite_b[action->suite_b_profile]) != 1)
			diags_add(diags, DIAG_ERROR, DIAG_OPENSSL_LACKS, action->mark,
				  "\"suite_b_profile\": OpenSSL has no %s", suite_b[action->suite_b_profile]);
		return 0;
	}
	if (action->ciphers == NULL)
		return SSL_CTX_set_cipher_list(ctx, DEFAULT_CIPHERS) == 1 ? 0 : -ENOMEM;
	if (asprintf(&list, "%s%s", action->ciphers, without[isolated]) == -1)
		return -ENOMEM;
	if (SSL_CTX_set_cipher_list(ctx, list) != 1)
		diags_add(
		    diags, DIAG_ERROR, DIAG_OPENSSL_LACKS, action->ciphers_mark,
		    isolated
			? "OpenSSL supports none of these ciphers without the private key in the worker: "
			  "%s; add suites with ECDHE, or set \"key_isolation: false\" in \"daemon\""
			: "OpenSSL supports none of these ciphers: %s",
		    action->ciphers);
	free(list);
	return 0;
}

int tlsctx_ciphers_use(struct tlsctx_ciphers *ciphers, const struct tls_action *action, bool isolated,
		       SSL_CTX *ctx, struct diags *diags)
{
	int r;

	if (action->null_ciphers) {
		ciphers->security = SSL_CTX_get_security_callback(ctx);
		SSL_CTX_set0_security_ex_data(ctx, ciphers);
		SSL_CTX_set_security_callback(ctx, allow_null_ciphers);
	}
	r = set_cipher_list(action, isolated, ctx, diags);
	if (action->ciphersuites != NULL && SSL_CTX_set_ciphersuites(ctx, action->ciphersuites) != 1)
		diags_add(diags, DIAG_ERROR, DIAG_OPENSSL_LACKS, action->ciphersuites_mark,
			  "OpenSSL supports none of these ciphersuites: %s", action->ciphersuites);
	ERR_clear_error();
	return r;
}
