/*
 * Verifies a client's certificate and compares host names as a handshake would, with
 * the same trust, limits, security level and Suite B profile, but without a connection.
 * attlsctl explain uses it.
 */
#include "gateway/tls/trust-judge.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/tls/certs-file.h"
#include "gateway/tls/pkcs12-ring.h"
#include "gateway/tls/trust-limits.h"
#include "gateway/tls/trust.h"

struct trust_judge {
	X509 *leaf;
	STACK_OF(X509) * others; /* all that the file holds, the leaf included */
};

int trust_judge_load(const char *path, struct trust_judge **ret_client, const char **ret_reason)
{
	struct trust_judge *client = calloc(1, sizeof(*client));
	BIO *bio = BIO_new_file(path, "r");
	X509 *link;
	int r = -EINVAL;

	*ret_reason = bio == NULL ? strerror(errno) : "it has no certificate in PEM or DER";
	if (bio != NULL && client != NULL)
		client->leaf = identity_read_certificate(bio, ret_reason);
	if (client == NULL || (client->leaf != NULL && (client->others = sk_X509_new_null()) == NULL))
		r = -ENOMEM;
	else if (client->leaf != NULL)
		r = 0;
	if (r == 0 && (X509_up_ref(client->leaf) != 1 || sk_X509_push(client->others, client->leaf) == 0))
		r = -ENOMEM;
	while (r == 0 && (link = PEM_read_bio_X509(bio, NULL, certs_file_passphrase, NULL)) != NULL)
		if (sk_X509_push(client->others, link) == 0) {
			X509_free(link);
			r = -ENOMEM;
		}
	BIO_free(bio);
	ERR_clear_error();
	if (r == 0) {
		*ret_client = client;
		client = NULL;
	}
	trust_judge_free(&client);
	return r;
}

void trust_judge_free(struct trust_judge **client)
{
	if (*client == NULL)
		return;
	X509_free((*client)->leaf);
	sk_X509_pop_free((*client)->others, X509_free);
	free(*client);
	*client = NULL;
}

/* OpenSSL's security level, which the system may have changed. -1: no memory. */
static int security_level(void)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	int level = ctx != NULL ? SSL_CTX_get_security_level(ctx) : -1;

	SSL_CTX_free(ctx);
	return level;
}

/* What a connection has from the cipher list of tlsctx-ciphers.c. */
static unsigned long chain_flags(enum suite_b profile)
{
	static const unsigned long flags[] = { [SUITE_B_128] = X509_V_FLAG_SUITEB_128_LOS_ONLY,
					       [SUITE_B_128MIN] = X509_V_FLAG_SUITEB_128_LOS,
					       [SUITE_B_192] = X509_V_FLAG_SUITEB_192_LOS };

	return flags[profile];
}

static int verify(const struct trust_judge *client, const struct trust *trust,
		  const struct tls_action *action, struct identity *ret_identity, const char **ret_reason)
{
	X509_STORE_CTX *store = X509_STORE_CTX_new();
	int level = security_level();
	int r = -ENOMEM;
	const char *weak;
	bool verified;

	if (store == NULL || level == -1 ||
	    X509_STORE_CTX_init(store, trust_store(trust), client->leaf, client->others) != 1 ||
	    X509_STORE_CTX_set_default(store, "ssl_client") != 1)
		goto out;
	X509_STORE_CTX_set_depth(store, TRUST_LIMITS_DEPTH);
	X509_STORE_CTX_set_flags(store, chain_flags(action->suite_b_profile));
	X509_VERIFY_PARAM_set_auth_level(X509_STORE_CTX_get0_param(store), level);
	weak = trust_limits_weak_key(store, action, "client");
	verified =
	    weak == NULL && !trust_limits_are_exceeded(store, "client") && X509_verify_cert(store) == 1;
	*ret_reason = verified	     ? ""
		      : weak != NULL ? weak
				     : X509_verify_cert_error_string(X509_STORE_CTX_get_error(store));
	r = identity_from_certificate(client->leaf, verified, ret_identity);
	if (r < 0)
		goto out;
	r = identity_take_issuers(ret_identity, X509_STORE_CTX_get0_chain(store), trust_store(trust));
	if (r < 0)
		identity_done(ret_identity);
out:
	X509_STORE_CTX_free(store);
	ERR_clear_error();
	return r;
}

int trust_judge_chain(const struct trust_judge *client, const struct tls_action *action, struct diags *diags,
		      struct identity *ret_identity, const char **ret_reason)
{
	size_t errors = diags->nerrors;
	struct trust *trust = NULL;
	int r = trust_load(action->keyring, diags, &trust);

	if (r == 0)
		r = diags->nerrors > errors ? -EINVAL
					    : verify(client, trust, action, ret_identity, ret_reason);
	trust_free(&trust);
	return r;
}

bool trust_judge_name(const char *name, const struct policy_keyring *keyring, struct diags *diags)
{
	struct pkcs12_ring *ring = NULL;
	bool found = false;

	if (keyring->pkcs12 != NULL && pkcs12_ring_load(keyring, diags, &ring) < 0)
		return false;
	for (size_t i = 0; i < keyring->ncertificates && !found; i++) {
		const struct policy_certificate *from = &keyring->certificates[i];
		BIO *bio = certs_file_open_kept(ring != NULL ? ring->chains[i] : NULL, from->chain,
						from->chain_mark, "certificate chain", diags);
		X509 *leaf =
		    bio != NULL ? PEM_read_bio_X509_AUX(bio, NULL, certs_file_passphrase, NULL) : NULL;

		if (bio != NULL && leaf == NULL) {
			diags_add(diags, DIAG_ERROR, DIAG_BAD_CERTIFICATE, from->chain_mark,
				  "no certificate in \"%s\": %s", from->chain, certs_file_reason());
			diags_see(diags, from->chain, (struct diag_mark){ 0 }, "no certificate");
		}
		found = leaf != NULL && X509_check_host(leaf, name, 0, 0, NULL) == 1;
		X509_free(leaf);
		BIO_free(bio);
	}
	pkcs12_ring_free(&ring);
	ERR_clear_error();
	return found;
}
