/*
 * Loads a private key from PEM: PKCS #8 (RFC 5958) and the older forms, each in the clear or
 * encrypted. What decrypts is a library context of its own (pbe.c); the key belongs to the one
 * that all of attlsd has.
 */
#include "gateway/tls/key-file.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "gateway/tls/certs-file.h"
#include "gateway/tls/password-file.h"
#include "gateway/tls/pbe.h"

#define ENCRYPTED_PKCS8 "ENCRYPTED PRIVATE KEY"
#define DAMAGED		"the password is wrong, or the file is damaged"

/* A block of PEM, as PEM_read_bio() gives it. */
struct block {
	char *name, *header;
	unsigned char *data;
	long len;
};

static void block_done(struct block *block)
{
	OPENSSL_free(block->name);
	OPENSSL_free(block->header);
	OPENSSL_clear_free(block->data, block->len > 0 ? (size_t)block->len : 0);
	*block = (struct block){ .name = NULL };
}

static bool is_private_key(const char *name)
{
	static const char end[] = "PRIVATE KEY";
	size_t len = strlen(name);

	return len >= strlen(end) && strcmp(name + len - strlen(end), end) == 0;
}

/* The first private key of the file; certificates and parameters may come before it. */
static bool find_key(BIO *bio, struct block *block)
{
	while (PEM_read_bio(bio, &block->name, &block->header, &block->data, &block->len) == 1) {
		if (is_private_key(block->name))
			return true;
		block_done(block);
	}
	return false;
}

static bool is_encrypted(const struct block *block)
{
	return strcmp(block->name, ENCRYPTED_PKCS8) == 0 || strstr(block->header, "ENCRYPTED") != NULL;
}

static EVP_PKEY *parse(const unsigned char *data, long len)
{
	return d2i_AutoPrivateKey(NULL, &data, len);
}

static EVP_PKEY *decrypt_pkcs8(const struct block *block, const char *password, char why[static PBE_WHY_MAX])
{
	const unsigned char *at = block->data;
	X509_SIG *outer = d2i_X509_SIG(NULL, &at, block->len);
	PKCS8_PRIV_KEY_INFO *inner = NULL;
	const X509_ALGOR *algorithm;
	EVP_PKEY *key = NULL;
	struct pbe pbe;

	(void)snprintf(why, PBE_WHY_MAX, DAMAGED);
	if (outer == NULL || pbe_open(&pbe) < 0) {
		X509_SIG_free(outer);
		return NULL;
	}
	X509_SIG_get0(outer, &algorithm, NULL);
	if (pbe_check(&pbe, algorithm, "pkey", why) == 0)
		inner = PKCS8_decrypt_ex(outer, password, (int)strlen(password), pbe.libctx, NULL);
	if (inner != NULL)
		key = EVP_PKCS82PKEY(inner);
	PKCS8_PRIV_KEY_INFO_free(inner);
	X509_SIG_free(outer);
	pbe_close(&pbe);
	return key;
}

static int give_password(char *buf, int size, int rwflag, void *arg)
{
	size_t len = strlen(arg);

	(void)rwflag;
	if (size < 0 || len > (size_t)size)
		return -1;
	memcpy(buf, arg, len);
	return (int)len;
}

/* RFC 1421's headers; the cipher and the MD5 that makes its key are looked up in the thread's context. */
static EVP_PKEY *decrypt_older(struct block *block, char *password, char why[static PBE_WHY_MAX])
{
	EVP_CIPHER_INFO info;
	OSSL_LIB_CTX *before;
	EVP_PKEY *key = NULL;
	struct pbe pbe;
	bool ok;

	(void)snprintf(why, PBE_WHY_MAX, DAMAGED);
	if (PEM_get_EVP_CIPHER_INFO(block->header, &info) != 1 || info.cipher == NULL) {
		(void)snprintf(why, PBE_WHY_MAX, "its header names no cipher that OpenSSL knows");
		return NULL;
	}
	if (pbe_open(&pbe) < 0)
		return NULL;
	if (pbe_check_cipher(&pbe, EVP_CIPHER_get0_name(info.cipher), "pkey", why) == 0) {
		before = OSSL_LIB_CTX_set0_default(pbe.libctx);
		ok = PEM_do_header(&info, block->data, &block->len, give_password, password) == 1;
		(void)OSSL_LIB_CTX_set0_default(before);
		if (ok)
			key = parse(block->data, block->len);
	}
	pbe_close(&pbe);
	return key;
}

static EVP_PKEY *load_encrypted(struct block *block, const struct policy_certificate *from,
				struct diags *diags)
{
	char *password = NULL, why[PBE_WHY_MAX];
	EVP_PKEY *key;

	if (from->password_file == NULL) {
		diags_add(
		    diags, DIAG_ERROR, DIAG_BAD_KEY, from->key_mark,
		    "the private key in \"%s\" has a password; write it into a file that only root can read, "
		    "and name that file in \"password_file\"",
		    from->key);
		diags_see(diags, from->key, (struct diag_mark){ 0 }, "the key");
		return NULL;
	}
	if (password_file_read(from->password_file, from->password_file_mark, diags, &password) < 0)
		return NULL;
	key = strcmp(block->name, ENCRYPTED_PKCS8) == 0 ? decrypt_pkcs8(block, password, why)
							: decrypt_older(block, password, why);
	if (key == NULL) {
		diags_add(diags, DIAG_ERROR, DIAG_BAD_KEY, from->key_mark,
			  "cannot decrypt the private key in \"%s\" with the password in \"%s\": %s",
			  from->key, from->password_file, why);
		diags_see(diags, from->key, (struct diag_mark){ 0 }, "the key");
	}
	password_file_free(&password);
	return key;
}

static EVP_PKEY *load_clear(const struct block *block, const struct policy_certificate *from,
			    struct diags *diags)
{
	EVP_PKEY *key = parse(block->data, block->len);

	if (key == NULL) {
		diags_add(diags, DIAG_ERROR, DIAG_BAD_KEY, from->key_mark,
			  "no usable private key in \"%s\": %s", from->key, certs_file_reason());
		diags_see(diags, from->key, (struct diag_mark){ 0 }, "the key");
	} else if (from->password_file != NULL) {
		diags_add(diags, DIAG_WARNING, DIAG_NO_EFFECT, from->password_file_mark,
			  "\"password_file\" has no effect: the private key in \"%s\" has no password",
			  from->key);
	}
	return key;
}

EVP_PKEY *key_file_load(const struct policy_certificate *from, struct diags *diags)
{
	BIO *bio = certs_file_open(from->key, from->key_mark, "private key", DIAG_ERROR, diags);
	struct block block = { .name = NULL };
	EVP_PKEY *key = NULL;

	if (bio == NULL)
		return NULL;
	if (!find_key(bio, &block)) {
		diags_add(diags, DIAG_ERROR, DIAG_BAD_KEY, from->key_mark,
			  "no usable private key in \"%s\": %s (it must be PEM)", from->key,
			  certs_file_reason());
		diags_see(diags, from->key, (struct diag_mark){ 0 }, "the key");
	} else {
		key = is_encrypted(&block) ? load_encrypted(&block, from, diags)
					   : load_clear(&block, from, diags);
	}
	block_done(&block);
	ERR_clear_error();
	BIO_free(bio);
	return key;
}
