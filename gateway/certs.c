#include "gateway/certs.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

struct cert {
	X509 *leaf;
	STACK_OF(X509) * chain;
	EVP_PKEY *key;
};

struct certs {
	struct cert *items;
	size_t n;
	bool one_each; /* no two of one key type: a name cannot change the choice */
};

/* The last thing that OpenSSL complained of, in words for a user. */
static const char *openssl_reason(void)
{
	unsigned long error = ERR_peek_last_error();

	if (error == 0)
		return "unknown error";
	if (ERR_SYSTEM_ERROR(error))
		return strerror(ERR_GET_REASON(error));
	if (ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE)
		return "there is no such thing in the file (it has to be PEM)";
	return ERR_reason_error_string(error) != NULL ? ERR_reason_error_string(error) : "unknown error";
}

/* No passphrase is ever asked for: a daemon has no terminal. */
static int no_passphrase(char *buf, int size, int rwflag, void *arg)
{
	(void)buf, (void)size, (void)rwflag, (void)arg;
	return -1;
}

static BIO *open_file(const char *path, struct diag_mark mark, const char *what, struct diags *diags)
{
	BIO *bio = BIO_new_file(path, "r");

	if (bio == NULL)
		diags_add(diags, DIAG_ERROR, mark, "cannot read the %s \"%s\": %s", what, path,
			  strerror(errno));
	ERR_clear_error();
	return bio;
}

static void load_chain(struct cert *cert, const struct policy_certificate *from, struct diags *diags)
{
	BIO *bio = open_file(from->chain, from->chain_mark, "certificate chain", diags);
	X509 *link;

	if (bio == NULL)
		return;
	cert->leaf = PEM_read_bio_X509_AUX(bio, NULL, no_passphrase, NULL);
	if (cert->leaf == NULL) {
		diags_add(diags, DIAG_ERROR, from->chain_mark, "no certificate in \"%s\": %s", from->chain,
			  openssl_reason());
	} else {
		cert->chain = sk_X509_new_null();
		while (cert->chain != NULL &&
		       (link = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL)) != NULL)
			if (sk_X509_push(cert->chain, link) == 0)
				X509_free(link);
		if (X509_cmp_current_time(X509_get0_notAfter(cert->leaf)) < 0)
			diags_add(diags, DIAG_WARNING, from->chain_mark,
				  "the certificate in \"%s\" has expired", from->chain);
		else if (X509_cmp_current_time(X509_get0_notBefore(cert->leaf)) > 0)
			diags_add(diags, DIAG_WARNING, from->chain_mark,
				  "the certificate in \"%s\" is not valid yet", from->chain);
	}
	ERR_clear_error();
	BIO_free(bio);
}

static void load_key(struct cert *cert, const struct policy_certificate *from, struct diags *diags)
{
	BIO *bio = open_file(from->key, from->key_mark, "private key", diags);

	if (bio == NULL)
		return;
	cert->key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
	if (cert->key == NULL)
		diags_add(diags, DIAG_ERROR, from->key_mark,
			  "no usable private key in \"%s\": %s (an encrypted key has to be decrypted first)",
			  from->key, openssl_reason());
	else if (cert->leaf != NULL && X509_check_private_key(cert->leaf, cert->key) != 1)
		diags_add(diags, DIAG_ERROR, from->key_mark,
			  "the key in \"%s\" does not belong to the certificate in \"%s\"", from->key,
			  from->chain);
	ERR_clear_error();
	BIO_free(bio);
}

static bool same_type(const struct cert *a, const struct cert *b)
{
	return EVP_PKEY_get_base_id(a->key) == EVP_PKEY_get_base_id(b->key);
}

static bool is_whole(const struct cert *cert)
{
	return cert->leaf != NULL && cert->key != NULL;
}

int certs_load(const struct policy_keyring *keyring, struct diags *diags, struct certs **ret_certs)
{
	struct certs *certs = calloc(1, sizeof(*certs));

	if (certs != NULL)
		certs->items = calloc(keyring->ncertificates + 1, sizeof(*certs->items));
	if (certs == NULL || certs->items == NULL) {
		free(certs);
		return -ENOMEM;
	}
	certs->one_each = true;
	for (size_t i = 0; i < keyring->ncertificates; i++) {
		struct cert *cert = &certs->items[certs->n++];

		load_chain(cert, &keyring->certificates[i], diags);
		load_key(cert, &keyring->certificates[i], diags);
		for (size_t j = 0; j < i && is_whole(cert); j++)
			if (is_whole(&certs->items[j]) && same_type(cert, &certs->items[j]))
				certs->one_each = false;
	}
	*ret_certs = certs;
	return 0;
}

void certs_free(struct certs **certs)
{
	if (*certs == NULL)
		return;
	for (size_t i = 0; i < (*certs)->n; i++) {
		X509_free((*certs)->items[i].leaf);
		sk_X509_pop_free((*certs)->items[i].chain, X509_free);
		EVP_PKEY_free((*certs)->items[i].key);
	}
	free((*certs)->items);
	free(*certs);
	*certs = NULL;
}

int certs_use(const struct certs *certs, SSL_CTX *ctx)
{
	/* last to first: of two with one key type, the one that the policy names first stays */
	for (size_t i = certs->n; i-- > 0;) {
		const struct cert *cert = &certs->items[i];

		if (!is_whole(cert) || X509_check_private_key(cert->leaf, cert->key) != 1)
			continue; /* diags has it */
		if (SSL_CTX_use_cert_and_key(ctx, cert->leaf, cert->key, cert->chain, 1) != 1) {
			ERR_clear_error();
			return -ENOMEM;
		}
	}
	ERR_clear_error();
	return 0;
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
