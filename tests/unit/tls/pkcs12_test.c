/* PKCS #12 files that OpenSSL makes, changed into hostile ones. */
#include "gateway/tls/pkcs12.h"

#include <errno.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include "tests/unit/unit.h"

#define PASSWORD "geheim"
#define HUGE	 2147483647

static EVP_PKEY *make_key(void)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");

	assert_non_null(key);
	return key;
}

static X509 *make_certificate(EVP_PKEY *key, const char *name)
{
	X509 *x = X509_new();

	assert_non_null(x);
	assert_int_equal(X509_set_version(x, 2), 1);
	assert_int_equal(X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC,
						    (const uint8_t *)name, -1, -1, 0),
			 1);
	assert_int_equal(X509_set_issuer_name(x, X509_get_subject_name(x)), 1);
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(x), 0));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(x), 3600));
	assert_int_equal(X509_set_pubkey(x, key), 1);
	assert_true(X509_sign(x, key, EVP_sha256()) > 0);
	return x;
}

/* What the rows below change. */
struct recipe {
	const char *password;		    /* NULL: none is hashed */
	int key_cipher, certificate_cipher; /* NID; 0: AES; -1: in the clear */
	int iterations;
	int mac; /* iterations; -1: no MAC */
	bool no_key, two_certificates;
	int huge; /* 1: the MAC, 2: the key, 3: the certificates */
};

static void make_huge(X509_SIG *outer)
{
	X509_ALGOR *algorithm, *huge;

	X509_SIG_getm(outer, &algorithm, NULL);
	huge = PKCS5_pbe2_set(EVP_aes_256_cbc(), HUGE, NULL, 8);
	assert_non_null(huge);
	assert_int_equal(X509_ALGOR_copy(algorithm, huge), 1);
	X509_ALGOR_free(huge);
}

static void add_key(STACK_OF(PKCS7) * *parts, EVP_PKEY *key, const struct recipe *recipe)
{
	STACK_OF(PKCS12_SAFEBAG) *bags = NULL;
	PKCS12_SAFEBAG *bag;
	int nid = recipe->key_cipher == 0 ? NID_aes_256_cbc : recipe->key_cipher;

	bag = PKCS12_add_key(&bags, key, 0, recipe->iterations, nid, recipe->password);
	assert_non_null(bag);
	assert_int_equal(PKCS12_add_friendlyname_utf8(bag, "the key", -1), 1);
	if (recipe->huge == 2)
		make_huge((X509_SIG *)(uintptr_t)PKCS12_SAFEBAG_get0_pkcs8(bag));
	assert_int_equal(PKCS12_add_safe(parts, bags, -1, 0, NULL), 1);
	sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
}

static void add_certificates(STACK_OF(PKCS7) * *parts, X509 *const *certificates, size_t n,
			     const struct recipe *recipe)
{
	STACK_OF(PKCS12_SAFEBAG) *bags = NULL;
	int nid = recipe->certificate_cipher == 0 ? NID_aes_256_cbc : recipe->certificate_cipher;
	PKCS7 *part;

	for (size_t i = 0; i < n; i++) {
		PKCS12_SAFEBAG *bag = PKCS12_add_cert(&bags, certificates[i]);

		assert_non_null(bag);
		assert_int_equal(PKCS12_add_friendlyname_utf8(bag, i == 0 ? "FTP \xc3\xa4" : "other", -1), 1);
	}
	assert_int_equal(PKCS12_add_safe(parts, bags, nid, recipe->iterations, recipe->password), 1);
	part = sk_PKCS7_value(*parts, sk_PKCS7_num(*parts) - 1);
	if (recipe->huge == 3) {
		X509_ALGOR *huge = PKCS5_pbe2_set(EVP_aes_256_cbc(), HUGE, NULL, 8);

		assert_int_equal(X509_ALGOR_copy(part->d.encrypted->enc_data->algorithm, huge), 1);
		X509_ALGOR_free(huge);
	}
	sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
}

static uint8_t *make(const struct recipe *recipe, size_t *ret_len)
{
	EVP_PKEY *key = make_key(), *other = make_key();
	X509 *certificates[] = { make_certificate(key, "server"),
				 make_certificate(recipe->two_certificates ? key : other, "other") };
	STACK_OF(PKCS7) *parts = NULL;
	uint8_t *der = NULL, *copy;
	PKCS12 *file;
	int len;

	add_certificates(&parts, certificates, 2, recipe);
	if (!recipe->no_key)
		add_key(&parts, key, recipe);
	file = PKCS12_add_safes(parts, 0);
	assert_non_null(file);
	if (recipe->mac != -1)
		assert_int_equal(PKCS12_set_mac(file, recipe->password, -1, NULL, 0, recipe->mac, NULL), 1);
	if (recipe->huge == 1) {
		const ASN1_INTEGER *iterations;

		PKCS12_get0_mac(NULL, NULL, NULL, &iterations, file);
		assert_int_equal(ASN1_INTEGER_set((ASN1_INTEGER *)(uintptr_t)iterations, HUGE), 1);
	}
	len = i2d_PKCS12(file, &der);
	assert_true(len > 0);
	copy = bytes_copy((const char *)der, (size_t)len);
	*ret_len = (size_t)len;
	OPENSSL_free(der);
	PKCS12_free(file);
	sk_PKCS7_pop_free(parts, PKCS7_free);
	for (size_t i = 0; i < 2; i++)
		X509_free(certificates[i]);
	EVP_PKEY_free(key);
	EVP_PKEY_free(other);
	return copy;
}

static const struct {
	const char *name;
	struct recipe recipe;
	const char *password;
	const char *why; /* NULL: it is good */
	size_t pairs;
	int others;
} rows[] = {
	{ "plain", { .password = PASSWORD, .iterations = 9, .mac = 9 }, PASSWORD, NULL, 1, 1 },
	{ "a certificate for each label",
	  { .password = PASSWORD, .iterations = 9, .mac = 9, .two_certificates = true },
	  PASSWORD,
	  NULL,
	  2,
	  0 },
	{ "without a MAC", { .password = PASSWORD, .iterations = 9, .mac = -1 }, PASSWORD, NULL, 1, 1 },
	{ "authorities only",
	  { .password = PASSWORD, .iterations = 9, .mac = 9, .no_key = true },
	  PASSWORD,
	  NULL,
	  0,
	  2 },
	{ "an empty password", { .password = "", .iterations = 9, .mac = 9 }, NULL, NULL, 1, 1 },
	{ "in the clear",
	  { .key_cipher = -1, .certificate_cipher = -1, .iterations = 9, .mac = -1 },
	  NULL,
	  NULL,
	  1,
	  1 },
	{ "3DES of RFC 7292",
	  { .password = PASSWORD,
	    .key_cipher = NID_pbe_WithSHA1And3_Key_TripleDES_CBC,
	    .certificate_cipher = NID_pbe_WithSHA1And3_Key_TripleDES_CBC,
	    .iterations = 9,
	    .mac = 9 },
	  PASSWORD,
	  NULL,
	  1,
	  1 },
	{ "another password",
	  { .password = PASSWORD, .iterations = 9, .mac = 9 },
	  "falsch",
	  "password is wrong",
	  0,
	  0 },
	{ "another password, no MAC",
	  { .password = PASSWORD, .iterations = 9, .mac = -1 },
	  "falsch",
	  "password is wrong",
	  0,
	  0 },
	{ "no password",
	  { .password = PASSWORD, .iterations = 9, .mac = 9 },
	  NULL,
	  "name a file with it",
	  0,
	  0 },
	{ "no password, no MAC",
	  { .password = PASSWORD, .iterations = 9, .mac = -1 },
	  NULL,
	  "name a file with it",
	  0,
	  0 },
	{ "a MAC of years",
	  { .password = PASSWORD, .iterations = 9, .mac = 9, .huge = 1 },
	  PASSWORD,
	  "more than 5000000 times",
	  0,
	  0 },
	{ "a key of years",
	  { .password = PASSWORD, .iterations = 9, .mac = -1, .huge = 2 },
	  PASSWORD,
	  "more than 5000000 times",
	  0,
	  0 },
	{ "certificates of years",
	  { .password = PASSWORD, .iterations = 9, .mac = -1, .huge = 3 },
	  PASSWORD,
	  "more than 5000000 times",
	  0,
	  0 },
};

static void test_files(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		struct pkcs12 *pkcs12 = NULL;
		char why[PBE_WHY_MAX];
		size_t len;
		uint8_t *bytes = make(&rows[i].recipe, &len);
		int r = pkcs12_open(bytes, len, rows[i].password, &pkcs12, why);

		if (rows[i].why == NULL && r != 0)
			fail_msg("%s: %d, %s", rows[i].name, r, why);
		if (rows[i].why != NULL && (r != -EINVAL || strstr(why, rows[i].why) == NULL))
			fail_msg("%s: %d, wanted \"%s\", not \"%s\"", rows[i].name, r, rows[i].why, why);
		if (r == 0 &&
		    (pkcs12->npairs != rows[i].pairs || sk_X509_num(pkcs12->others) != rows[i].others))
			fail_msg("%s: %zu with keys, %d without", rows[i].name, pkcs12->npairs,
				 sk_X509_num(pkcs12->others));
		if (r == 0 && pkcs12->npairs > 0)
			assert_string_equal(pkcs12->pairs[0].label, "FTP \xc3\xa4");
		pkcs12_close(&pkcs12);
		free(bytes);
	}
}

/* Cut off or changed anywhere, a file is refused or read; the sanitizers look on. */
static void test_damage(void **state)
{
	const struct recipe recipe = { .password = PASSWORD, .iterations = 1, .mac = -1 };
	size_t len;
	uint8_t *bytes = make(&recipe, &len);
	char why[PBE_WHY_MAX];

	(void)state;
	for (size_t at = 0; at < len; at += 3) {
		struct pkcs12 *pkcs12 = NULL;
		uint8_t *cut = bytes_copy((const char *)bytes, at);

		assert_true(pkcs12_open(cut, at, PASSWORD, &pkcs12, why) < 0);
		free(cut);
		if (at > 200 && at % 9 != 0) /* most of the rest is encrypted */
			continue;
		bytes[at] ^= 0x21;
		(void)pkcs12_open(bytes, len, PASSWORD, &pkcs12, why); /* either is right */
		pkcs12_close(&pkcs12);
		bytes[at] ^= 0x21;
	}
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_damage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
