/*
 * Loads the certificates and keys of a key ring, chooses among them by host name,
 * and knows when they expire. tlsctx.c gives them to OpenSSL.
 */
#include "gateway/tls/certs.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <time.h>

#include "gateway/key/provider.h"
#include "gateway/base/util.h"
#include "gateway/tls/certs-file.h"
#include "gateway/tls/certs-ocsp.h"
#include "gateway/tls/key-file.h"
#include "gateway/tls/pkcs12-ring.h"

struct cert {
	X509 *leaf;
	STACK_OF(X509) * chain;
	EVP_PKEY *key;
	struct certs_ocsp ocsp;
	bool refused; /* OpenSSL does, and diags has it */
};

struct certs {
	struct cert *items;
	size_t n;
	bool one_each; /* no two of one key type: a name cannot change the choice */
};

#define DAY_S  (24 * 60 * 60)
#define SOON_S (30 * DAY_S)

/* From one time to another, NULL being now; days and seconds have one sign. */
static bool seconds_between(const ASN1_TIME *from, const ASN1_TIME *to, int64_t *ret)
{
	int days, seconds;

	if (ASN1_TIME_diff(&days, &seconds, from, to) != 1)
		return false;
	*ret = (int64_t)days * DAY_S + seconds;
	return true;
}

static bool read_validity(const X509 *one, struct certs_validity *ret)
{
	const ASN1_TIME *from = X509_get0_notBefore(one), *to = X509_get0_notAfter(one);

	return seconds_between(NULL, from, &ret->starts_s) && seconds_between(NULL, to, &ret->left_s) &&
	       seconds_between(from, to, &ret->lifetime_s);
}

/* A client refuses a chain with one certificate that is not valid. `position` 1 is the server's own. */
static void check_dates(const X509 *one, int position, const struct policy_certificate *from,
			struct diags *diags)
{
	struct certs_validity validity;
	const char *fault;

	if (!read_validity(one, &validity))
		return;
	fault = validity.left_s <= 0 ? "has expired" : validity.starts_s > 0 ? "is not valid yet" : NULL;
	if (fault != NULL && position == 1) {
		diags_add(diags, DIAG_WARNING, DIAG_CERTIFICATE_DATE, from->chain_mark,
			  "the certificate in \"%s\" %s", from->chain, fault);
		diags_see(diags, from->chain, (struct diag_mark){ 0 }, "the certificate");
	} else if (fault != NULL) {
		diags_add(diags, DIAG_WARNING, DIAG_CERTIFICATE_DATE, from->chain_mark,
			  "certificate %d in \"%s\" %s", position, from->chain, fault);
		diags_see(diags, from->chain, (struct diag_mark){ 0 }, "certificate %d", position);
	}
}

/* `text`: of the certificates; NULL: they are in a file of their own. */
static void load_chain(struct cert *cert, const struct policy_certificate *from, const char *text,
		       struct diags *diags)
{
	BIO *bio = certs_file_open_kept(text, from->chain, from->chain_mark, "certificate chain", diags);
	X509 *link;

	if (bio == NULL)
		return;
	cert->leaf = PEM_read_bio_X509_AUX(bio, NULL, certs_file_passphrase, NULL);
	if (cert->leaf == NULL) {
		diags_add(diags, DIAG_ERROR, DIAG_BAD_CERTIFICATE, from->chain_mark,
			  "no certificate in \"%s\": %s", from->chain, certs_file_reason());
		diags_see(diags, from->chain, (struct diag_mark){ 0 }, "no certificate");
	} else {
		cert->chain = sk_X509_new_null();
		while (cert->chain != NULL &&
		       (link = PEM_read_bio_X509(bio, NULL, certs_file_passphrase, NULL)) != NULL)
			if (sk_X509_push(cert->chain, link) == 0)
				X509_free(link);
		if (!certs_file_at_end()) {
			diags_add(diags, DIAG_ERROR, DIAG_BAD_CERTIFICATE, from->chain_mark,
				  "certificate %d in \"%s\" is broken: %s", sk_X509_num(cert->chain) + 2,
				  from->chain, certs_file_reason());
			diags_see(diags, from->chain, (struct diag_mark){ 0 }, "certificate %d",
				  sk_X509_num(cert->chain) + 2);
		}
		check_dates(cert->leaf, 1, from, diags);
		for (int i = 0; i < sk_X509_num(cert->chain); i++)
			check_dates(sk_X509_value(cert->chain, i), i + 2, from, diags);
	}
	ERR_clear_error();
	BIO_free(bio);
}

static void check_key(const struct cert *cert, const struct policy_certificate *from, struct diags *diags)
{
	if (cert->key != NULL && cert->leaf != NULL && X509_check_private_key(cert->leaf, cert->key) != 1) {
		diags_add(diags, DIAG_ERROR, DIAG_WRONG_KEY, from->key_mark,
			  "the key in \"%s\" does not belong to the certificate in \"%s\"", from->key,
			  from->chain);
		diags_see(diags, from->key, (struct diag_mark){ 0 }, "the key");
	}
	ERR_clear_error();
}

/* Of a key in a token, only the process that has the token can use the private half: token.c. */
static void load_key(struct cert *cert, const struct policy_certificate *from, struct diags *diags)
{
	cert->key = !policy_key_is_in_token(from) ? key_file_load(from, diags)
		    : cert->leaf != NULL	  ? X509_get_pubkey(cert->leaf)
						  : NULL;
	check_key(cert, from, diags);
}

/* Of a PKCS #12 file, whose certificates another process may have read before. */
static void take_key(struct cert *cert, const struct policy_certificate *from, EVP_PKEY *key,
		     struct diags *diags)
{
	cert->key = EVP_PKEY_up_ref(key) == 1 ? key : NULL;
	check_key(cert, from, diags);
}

/* The key is in another process, which checks that it belongs to the certificate. */
static void find_key(struct cert *cert, const struct policy_certificate *from, struct key_provider *provider,
		     struct diags *diags)
{
	const char *reason = "out of memory";

	if (cert->leaf != NULL && key_provider_key(provider, cert->leaf, &cert->key, &reason) < 0)
		diags_add(diags, DIAG_ERROR, DIAG_BAD_KEY, from->key_mark,
			  "cannot use the key of the certificate in \"%s\": %s", from->chain, reason);
}

static bool same_type(const struct cert *a, const struct cert *b)
{
	return EVP_PKEY_get_base_id(a->key) == EVP_PKEY_get_base_id(b->key);
}

static bool is_whole(const struct cert *cert)
{
	return cert->leaf != NULL && cert->key != NULL;
}

/*
 * The file of a key ring with pkcs12. Where keys are in another process, it stays closed, because keys
 * are in it as well: the loader of the policy has kept the certificates.
 */
static int open_ring(const struct policy_keyring *keyring, const struct key_provider *provider,
		     struct diags *diags, struct pkcs12_ring **ret_ring)
{
	bool kept = !keyring->trust_pkcs12 || keyring->trust_pem != NULL;

	if (provider == NULL)
		return pkcs12_ring_load(keyring, diags, ret_ring);
	for (size_t i = 0; i < keyring->ncertificates; i++)
		kept = kept && keyring->certificates[i].chain_pem != NULL;
	if (kept)
		return 0;
	diags_add(diags, DIAG_ERROR, DIAG_LOAD_FAILED, keyring->pkcs12_mark,
		  "the certificates in \"%s\" have not been read", keyring->pkcs12);
	return -EINVAL;
}

int certs_load(const struct policy_keyring *keyring, struct key_provider *provider, struct diags *diags,
	       struct certs **ret_certs)
{
	struct certs *certs = calloc(1, sizeof(*certs));
	struct pkcs12_ring *ring = NULL;
	int r = 0;

	if (certs != NULL)
		certs->items = calloc(keyring->ncertificates + 1, sizeof(*certs->items));
	if (certs == NULL || certs->items == NULL) {
		free(certs);
		return -ENOMEM;
	}
	certs->one_each = true;
	if (keyring->pkcs12 != NULL)
		r = open_ring(keyring, provider, diags, &ring);
	for (size_t i = 0; i < keyring->ncertificates && r == 0; i++) {
		const struct policy_certificate *from = &keyring->certificates[i];
		struct cert *cert = &certs->items[certs->n++];

		load_chain(cert, from,
			   from->chain_pem == NULL && ring != NULL ? ring->chains[i] : from->chain_pem,
			   diags);
		if (provider != NULL)
			find_key(cert, from, provider, diags);
		else if (ring != NULL)
			take_key(cert, from, ring->keys[i], diags);
		else
			load_key(cert, from, diags);
		r = certs_ocsp_load(from, cert->leaf, diags, &cert->ocsp);
		for (size_t j = 0; j < i && is_whole(cert); j++)
			if (is_whole(&certs->items[j]) && same_type(cert, &certs->items[j]))
				certs->one_each = false;
	}
	pkcs12_ring_free(&ring);
	if (r == -EINVAL) { /* diags says why; the ring has no certificate */
		certs->n = 0;
		r = 0;
	}
	if (r == 0)
		*ret_certs = certs;
	else
		certs_free(&certs);
	return r;
}

void certs_free(struct certs **certs)
{
	if (*certs == NULL)
		return;
	for (size_t i = 0; i < (*certs)->n; i++) {
		X509_free((*certs)->items[i].leaf);
		sk_X509_pop_free((*certs)->items[i].chain, X509_free);
		EVP_PKEY_free((*certs)->items[i].key);
		certs_ocsp_done(&(*certs)->items[i].ocsp);
	}
	free((*certs)->items);
	free(*certs);
	*certs = NULL;
}

int certs_key(const struct certs *certs, size_t index, uint8_t id[static KEY_ID_BYTES], EVP_PKEY **ret_key)
{
	if (index >= certs->n || !is_whole(&certs->items[index]))
		return -ENOENT;
	*ret_key = certs->items[index].key;
	return key_provider_id(certs->items[index].leaf, id);
}

/* Why OpenSSL's security level refuses a certificate. */
static const struct {
	int reason;
	const char *cause;
} too_weak[] = {
	{ SSL_R_EE_KEY_TOO_SMALL, "its key is too short" },
	{ SSL_R_CA_KEY_TOO_SMALL, "the key of an issuer in that file is too short" },
	{ SSL_R_CA_MD_TOO_WEAK, "its signature, or that of an issuer in that file, uses a weak hash" },
};

static void say_refused(const SSL_CTX *ctx, const struct policy_certificate *from, struct diags *diags)
{
	int reason = ERR_GET_REASON(ERR_peek_last_error());

	for (size_t i = 0; i < NELEM(too_weak); i++)
		if (too_weak[i].reason == reason) {
			diags_add(diags, DIAG_ERROR, DIAG_WEAK_CERTIFICATE, from->chain_mark,
				  "OpenSSL's security level %d refuses the certificate in \"%s\": %s; use a "
				  "certificate with a key of RSA 3072 or ECDSA P-256 and signatures with "
				  "SHA-256",
				  SSL_CTX_get_security_level(ctx), from->chain, too_weak[i].cause);
			diags_see(diags, from->chain, (struct diag_mark){ 0 }, "the certificate");
			return;
		}
	diags_add(diags, DIAG_ERROR, DIAG_WEAK_CERTIFICATE, from->chain_mark,
		  "OpenSSL refuses the certificate in \"%s\": %s", from->chain, certs_file_reason());
	diags_see(diags, from->chain, (struct diag_mark){ 0 }, "the certificate");
}

/* What OpenSSL's security levels ask of a signature. */
static const int level_bits[] = { 0, 80, 112, 128, 192, 256 };

/* OpenSSL 3.5 takes a certificate with any hash, but clients refuse it. */
static bool has_weak_hash(const SSL_CTX *ctx, X509 *certificate)
{
	int level = SSL_CTX_get_security_level(ctx), bits = 0;

	if (level < 0 || (size_t)level >= NELEM(level_bits) ||
	    (X509_get_extension_flags(certificate) & EXFLAG_SS) != 0) /* a root, which nobody verifies */
		return false;
	return X509_get_signature_info(certificate, NULL, NULL, &bits, NULL) == 1 && bits < level_bits[level];
}

static bool has_weak_hashes(const SSL_CTX *ctx, const struct cert *cert)
{
	bool weak = has_weak_hash(ctx, cert->leaf);

	for (int i = 0; i < sk_X509_num(cert->chain); i++)
		weak = weak || has_weak_hash(ctx, sk_X509_value(cert->chain, i));
	if (weak)
		ERR_raise(ERR_LIB_SSL, SSL_R_CA_MD_TOO_WEAK);
	return weak;
}

void certs_use(struct certs *certs, const struct policy_keyring *keyring, SSL_CTX *ctx, struct diags *diags)
{
	/* last to first: of two with one key type, the one that the policy names first stays */
	for (size_t i = certs->n; i-- > 0;) {
		struct cert *cert = &certs->items[i];

		if (!is_whole(cert) || X509_check_private_key(cert->leaf, cert->key) != 1)
			continue; /* diags has it */
		ERR_clear_error();
		if (SSL_CTX_use_cert_and_key(ctx, cert->leaf, cert->key, cert->chain, 1) == 1 &&
		    !has_weak_hashes(ctx, cert))
			continue;
		if (!cert->refused) /* by another tls_action with this ring */
			say_refused(ctx, &keyring->certificates[i], diags);
		cert->refused = true;
	}
	ERR_clear_error();
}

int certs_select(const struct certs *certs, SSL *ssl, const char *name)
{
	bool cleared = false;

	if (name == NULL || certs->one_each)
		return 1;
	for (size_t i = certs->n; i-- > 0;) {
		const struct cert *cert = &certs->items[i];

		if (!is_whole(cert) || X509_check_host(cert->leaf, name, 0, 0, NULL) != 1)
			continue;
		if (!cleared)
			SSL_certs_clear(ssl);
		cleared = true;
		if (SSL_use_cert_and_key(ssl, cert->leaf, cert->key, cert->chain, 1) != 1)
			return 0;
	}
	return 1;
}

bool certs_has_name(const struct certs *certs, const char *name)
{
	for (size_t i = 0; i < certs->n; i++)
		if (is_whole(&certs->items[i]) &&
		    X509_check_host(certs->items[i].leaf, name, 0, 0, NULL) == 1)
			return true;
	return false;
}

bool certs_validity(const struct certs *certs, size_t index, size_t position, struct certs_validity *ret)
{
	const struct cert *cert = index < certs->n ? &certs->items[index] : NULL;

	if (cert == NULL || cert->leaf == NULL)
		return false;
	if (position == 0)
		return read_validity(cert->leaf, ret);
	return position <= (size_t)sk_X509_num(cert->chain) &&
	       read_validity(sk_X509_value(cert->chain, (int)position - 1), ret);
}

bool certs_expires_soon(const struct certs_validity *validity)
{
	return validity->left_s < SOON_S && validity->left_s < validity->lifetime_s / 3;
}

int64_t certs_ocsp_until(const struct certs *certs, size_t index)
{
	return index < certs->n && certs->items[index].ocsp.der != NULL
		   ? (int64_t)certs->items[index].ocsp.until
		   : 0;
}

bool certs_staple(const struct certs *certs, SSL *ssl)
{
	const X509 *shown = SSL_get_certificate(ssl);

	for (size_t i = 0; i < certs->n; i++) {
		const struct certs_ocsp *ocsp = &certs->items[i].ocsp;
		uint8_t *copy;

		if (certs->items[i].leaf != shown || ocsp->der == NULL ||
		    (ocsp->until != 0 && time(NULL) > ocsp->until))
			continue;
		copy = OPENSSL_memdup(ocsp->der, ocsp->len);
		if (copy == NULL)
			return false;
		SSL_set_tlsext_status_ocsp_resp(ssl, copy, (long)ocsp->len); /* the SSL's now */
		return true;
	}
	return false;
}
