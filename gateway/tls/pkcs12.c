/*
 * Reads a PKCS #12 file bag by bag, because OpenSSL's PKCS12_parse() takes one key only, keeps no
 * labels, and hashes a password as often as the file says. Here, pbe.c judges each part first.
 */
#include "gateway/tls/pkcs12.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bags may hold bags. */
#define DEPTH_MAX 4

#define WRONG_PASSWORD "the password is wrong, or the file is damaged"
#define WITHOUT	       "the file has a password; name a file with it in \"password_file\""

/* What the bags hold, before keys have found their certificates. */
struct content {
	struct pbe pbe;
	const char *password;
	int password_len;
	size_t nkeys;
	struct {
		char *label;
		EVP_PKEY *key;
	} keys[PKCS12_KEYS_MAX];
	STACK_OF(X509) * certificates;
	char **labels; /* of the certificates, in their order */
	char *why;     /* PBE_WHY_MAX bytes */
};

static int fail(const struct content *content, const char *why)
{
	(void)snprintf(content->why, PBE_WHY_MAX, "%s", why);
	return -EINVAL;
}

static int fail_to_decrypt(const struct content *content)
{
	return fail(content,
		    content->password != NULL && content->password[0] != '\0' ? WRONG_PASSWORD : WITHOUT);
}

static int take_key(struct content *content, PKCS12_SAFEBAG *bag, const PKCS8_PRIV_KEY_INFO *info)
{
	EVP_PKEY *key = info == NULL ? NULL : EVP_PKCS82PKEY(info);

	if (key == NULL)
		return fail(content, "it has a private key that OpenSSL cannot read");
	if (content->nkeys == PKCS12_KEYS_MAX) {
		EVP_PKEY_free(key);
		return fail(content, "it has more than 64 private keys");
	}
	content->keys[content->nkeys].label = PKCS12_get_friendlyname(bag);
	content->keys[content->nkeys++].key = key;
	return 0;
}

static int take_shrouded_key(struct content *content, PKCS12_SAFEBAG *bag)
{
	const X509_SIG *outer = PKCS12_SAFEBAG_get0_pkcs8(bag);
	PKCS8_PRIV_KEY_INFO *info;
	const X509_ALGOR *algorithm;
	int r;

	if (outer == NULL)
		return fail(content, "it is damaged");
	X509_SIG_get0(outer, &algorithm, NULL);
	if (pbe_check(&content->pbe, algorithm, "pkcs12", content->why) < 0)
		return -EINVAL;
	info =
	    PKCS12_decrypt_skey_ex(bag, content->password, content->password_len, content->pbe.libctx, NULL);
	r = info == NULL ? fail_to_decrypt(content) : take_key(content, bag, info);
	PKCS8_PRIV_KEY_INFO_free(info);
	return r;
}

static int take_certificate(struct content *content, PKCS12_SAFEBAG *bag)
{
	size_t n = (size_t)sk_X509_num(content->certificates);
	X509 *certificate;

	if (PKCS12_SAFEBAG_get_bag_nid(bag) != NID_x509Certificate)
		return 0; /* an older form, which nobody writes */
	certificate = PKCS12_SAFEBAG_get1_cert(bag);
	if (certificate == NULL)
		return fail(content, "it has a certificate that OpenSSL cannot read");
	if (n == PKCS12_CERTIFICATES_MAX || sk_X509_push(content->certificates, certificate) == 0) {
		X509_free(certificate);
		return fail(content, "it has more than 1024 certificates");
	}
	content->labels[n] = PKCS12_get_friendlyname(bag);
	return 0;
}

static int take_bags(struct content *content, const STACK_OF(PKCS12_SAFEBAG) * bags, int depth)
{
	int r = 0;

	if (depth == DEPTH_MAX)
		return fail(content, "its bags are nested too deeply");
	for (int i = 0; r == 0 && i < sk_PKCS12_SAFEBAG_num(bags); i++) {
		PKCS12_SAFEBAG *bag = sk_PKCS12_SAFEBAG_value(bags, i);

		switch (PKCS12_SAFEBAG_get_nid(bag)) {
		case NID_keyBag:
			r = take_key(content, bag, PKCS12_SAFEBAG_get0_p8inf(bag));
			break;
		case NID_pkcs8ShroudedKeyBag:
			r = take_shrouded_key(content, bag);
			break;
		case NID_certBag:
			r = take_certificate(content, bag);
			break;
		case NID_safeContentsBag:
			r = take_bags(content, PKCS12_SAFEBAG_get0_safes(bag), depth + 1);
			break;
		default: /* lists of revoked certificates and secrets of other programs */
			break;
		}
	}
	return r;
}

static STACK_OF(PKCS12_SAFEBAG) * decrypt(struct content *content, PKCS7 *part)
{
	const PKCS7_ENCRYPT *encrypted = part->d.encrypted;
	STACK_OF(PKCS12_SAFEBAG) *bags = NULL;

	if (encrypted == NULL || encrypted->enc_data == NULL || encrypted->enc_data->algorithm == NULL)
		(void)fail(content, "it is damaged");
	else if (pbe_check(&content->pbe, encrypted->enc_data->algorithm, "pkcs12", content->why) == 0) {
		bags = PKCS12_unpack_p7encdata(part, content->password, content->password_len);
		if (bags == NULL)
			(void)fail_to_decrypt(content);
	}
	return bags;
}

static int take_part(struct content *content, PKCS7 *part)
{
	STACK_OF(PKCS12_SAFEBAG) *bags = NULL;
	int r;

	if (PKCS7_type_is_data(part) && part->d.data != NULL) {
		bags = PKCS12_unpack_p7data(part);
		if (bags == NULL)
			return fail(content, "it is damaged");
	} else if (PKCS7_type_is_encrypted(part)) {
		bags = decrypt(content, part);
	} else {
		return fail(content, "it has a part that is not encrypted with a password");
	}
	r = bags == NULL ? -EINVAL : take_bags(content, bags, 0);
	sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
	return r;
}

/* Without a password, some programs hash none, and some an empty one. */
static bool has_mac_of(struct content *content, PKCS12 *file, const char *password)
{
	content->password = password;
	content->password_len = password != NULL ? (int)strlen(password) : 0;
	return PKCS12_verify_mac(file, password, password != NULL ? -1 : 0) == 1;
}

static int check_mac(struct content *content, PKCS12 *file, const char *password)
{
	const ASN1_INTEGER *iterations;
	const X509_ALGOR *algorithm;
	const ASN1_OBJECT *name;
	const void *parameter;
	uint64_t n = 1;
	int form, r;

	content->password = password;
	content->password_len = password != NULL ? (int)strlen(password) : 0;
	if (PKCS12_mac_present(file) != 1)
		return 0;
	PKCS12_get0_mac(NULL, &algorithm, NULL, &iterations, file);
	X509_ALGOR_get0(&name, &form, &parameter, algorithm);
	if (form == V_ASN1_SEQUENCE) /* not of a hash, but of PBMAC1 */
		r = pbe_check(&content->pbe, algorithm, "pkcs12", content->why);
	else if (iterations != NULL && ASN1_INTEGER_get_uint64(&n, iterations) != 1)
		r = pbe_spend(&content->pbe, UINT64_MAX, content->why);
	else
		r = pbe_spend(&content->pbe, password == NULL && n < UINT64_MAX / 2 ? 2 * n : n,
			      content->why);
	if (r < 0)
		return r;
	if (has_mac_of(content, file, password) || (password == NULL && has_mac_of(content, file, "")))
		return 0;
	return fail(content, password != NULL ? WRONG_PASSWORD : WITHOUT);
}

static int take_file(struct content *content, PKCS12 *file, const char *password)
{
	STACK_OF(PKCS7) * parts;
	int r = check_mac(content, file, password);

	if (r < 0)
		return r;
	parts = PKCS12_unpack_authsafes(file);
	if (parts == NULL)
		return fail(content, "it is damaged");
	for (int i = 0; r == 0 && i < sk_PKCS7_num(parts); i++)
		r = take_part(content, sk_PKCS7_value(parts, i));
	sk_PKCS7_pop_free(parts, PKCS7_free);
	return r;
}

/* -1: none. */
static int key_of(const struct content *content, X509 *certificate)
{
	for (size_t i = 0; i < content->nkeys; i++)
		if (X509_check_private_key(certificate, content->keys[i].key) == 1)
			return (int)i;
	return -1;
}

/* The label is the certificate's, or else the key's. */
static int add_pair(struct content *content, struct pkcs12 *pkcs12, int certificate, int key)
{
	struct pkcs12_pair *pair = &pkcs12->pairs[pkcs12->npairs];
	char **label =
	    content->labels[certificate] != NULL ? &content->labels[certificate] : &content->keys[key].label;

	if (pkcs12->npairs == PKCS12_KEYS_MAX)
		return fail(content, "it has more than 64 certificates with private keys");
	pair->leaf = sk_X509_value(content->certificates, certificate);
	(void)X509_up_ref(pair->leaf); /* the count of references is far from its end, here and below */
	pair->key = content->keys[key].key;
	(void)EVP_PKEY_up_ref(pair->key);
	pair->label = *label == NULL ? NULL : OPENSSL_strdup(*label);
	pkcs12->npairs++;
	return *label != NULL && pair->label == NULL ? -ENOMEM : 0;
}

/* A certificate belongs to the key whose public half it has. Two may have one, such as a renewed one. */
static int pair_up(struct content *content, struct pkcs12 *pkcs12)
{
	int r = 0;

	for (int i = 0; r == 0 && i < sk_X509_num(content->certificates); i++) {
		X509 *certificate = sk_X509_value(content->certificates, i);
		int key = key_of(content, certificate);

		if (key >= 0)
			r = add_pair(content, pkcs12, i, key);
		else if (sk_X509_push(pkcs12->others, certificate) == 0)
			r = -ENOMEM;
		else
			(void)X509_up_ref(certificate);
	}
	return r;
}

static void content_done(struct content *content)
{
	for (size_t i = 0; i < content->nkeys; i++) {
		EVP_PKEY_free(content->keys[i].key);
		OPENSSL_free(content->keys[i].label);
	}
	for (size_t i = 0; content->labels != NULL && i < PKCS12_CERTIFICATES_MAX; i++)
		OPENSSL_free(content->labels[i]);
	free(content->labels);
	sk_X509_pop_free(content->certificates, X509_free);
	pbe_close(&content->pbe);
	free(content);
}

static int read_file(struct content *content, const uint8_t *bytes, size_t len, const char *password)
{
	PKCS12 *file = PKCS12_init_ex(NID_pkcs7_data, content->pbe.libctx, NULL);
	BIO *bio = BIO_new_mem_buf(bytes, (int)len);
	int r = -ENOMEM;

	if (file == NULL || bio == NULL)
		goto out;
	if (len >= 5 && memcmp(bytes, "-----", 5) == 0)
		r = fail(content,
			 "it is PEM, not PKCS #12: name it in \"chain\" and \"key\" of \"certificates\"");
	else if (d2i_PKCS12_bio(bio, &file) == NULL) /* this one keeps the file's library context */
		r = fail(content, "it is not PKCS #12");
	else
		r = take_file(content, file, password);
out:
	BIO_free(bio);
	PKCS12_free(file);
	return r;
}

int pkcs12_open(const uint8_t *bytes, size_t len, const char *password, struct pkcs12 **ret_pkcs12,
		char why[static PBE_WHY_MAX])
{
	struct content *content = calloc(1, sizeof(*content));
	struct pkcs12 *pkcs12 = calloc(1, sizeof(*pkcs12));
	int r = -ENOMEM;

	(void)snprintf(why, PBE_WHY_MAX, "there is not enough memory");
	if (content == NULL || pkcs12 == NULL)
		goto out;
	content->why = why;
	content->certificates = sk_X509_new_null();
	content->labels = calloc(PKCS12_CERTIFICATES_MAX, sizeof(*content->labels));
	pkcs12->others = sk_X509_new_null();
	if (content->certificates != NULL && content->labels != NULL && pkcs12->others != NULL)
		r = pbe_open(&content->pbe);
	if (r == 0)
		r = read_file(content, bytes, len, password);
	if (r == 0)
		r = pair_up(content, pkcs12);
	if (r == 0) {
		*ret_pkcs12 = pkcs12;
		pkcs12 = NULL;
	}
out:
	pkcs12_close(&pkcs12);
	if (content != NULL)
		content_done(content);
	ERR_clear_error();
	return r;
}

void pkcs12_close(struct pkcs12 **pkcs12)
{
	if (*pkcs12 == NULL)
		return;
	for (size_t i = 0; i < (*pkcs12)->npairs; i++) {
		OPENSSL_free((*pkcs12)->pairs[i].label);
		X509_free((*pkcs12)->pairs[i].leaf);
		EVP_PKEY_free((*pkcs12)->pairs[i].key);
	}
	sk_X509_pop_free((*pkcs12)->others, X509_free);
	free(*pkcs12);
	*pkcs12 = NULL;
}
