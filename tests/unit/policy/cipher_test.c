/*
 * The table of cipher suites: each suite is found by all its names, weak ones are
 * recognised by name, and the rows keep their order.
 */
#include "policy/cipher.h"

#include <stdio.h>

#include "tests/unit/unit.h"

static const struct {
	const char *input;
	const char *want; /* NULL: unknown; "": known and weak */
} found[] = {
	{ "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256" },
	{ "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256" },
	{ "tls_ecdhe_rsa_with_aes_128_gcm_sha256", "ECDHE-RSA-AES128-GCM-SHA256" },
	{ "C02F", "ECDHE-RSA-AES128-GCM-SHA256" },
	{ "c02f", "ECDHE-RSA-AES128-GCM-SHA256" },
	{ "C02B", "ECDHE-ECDSA-AES128-GCM-SHA256" },
	{ "1301", "TLS_AES_128_GCM_SHA256" },
	{ "TLS_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256" },
	{ "2F", "AES128-SHA" },
	{ "002F", "AES128-SHA" },
	{ "35", "AES256-SHA" },
	{ "SSL_AES_128_SHA", "AES128-SHA" },
	{ "000A", "" },
	{ "0A", "" },
	{ "SSL_3DES_SHA", "" },
	{ "05", "" },
	{ "0001", "" },
	{ "0002", "NULL-SHA" },
	{ "SSL_NULL_SHA", "NULL-SHA" },
	{ "3B", "NULL-SHA256" },
	{ "TLS_RSA_WITH_NULL_SHA256", "NULL-SHA256" },
	{ "C006", "ECDHE-ECDSA-NULL-SHA" },
	{ "C010", "ECDHE-RSA-NULL-SHA" },
	{ "ecdhe-rsa-null-sha", "ECDHE-RSA-NULL-SHA" },
	{ "C001", "" },
	{ "C00B", "" },
	{ "NULL", NULL },
	{ "eNULL", NULL },
	{ "C012", "" },
	{ "TLS_RSA_WITH_RC4_128_MD5", "" },
	{ "DES-CBC3-SHA", NULL },
	{ "HIGH", NULL },
	{ "FFFF", NULL },
	{ "0000", NULL },
	{ "C02", NULL },
	{ "C02B0", NULL },
	{ "C0 B", NULL },
	{ "@`@`", NULL },
	{ "", NULL },
};

static void test_find(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(found); i++) {
		const struct cipher *got = cipher_find(found[i].input);
		const char *name = got == NULL ? NULL : got->openssl == NULL ? "" : got->openssl;

		if ((name == NULL) != (found[i].want == NULL) ||
		    (name != NULL && strcmp(name, found[i].want) != 0))
			fail_msg("%s: got %s", found[i].input, name != NULL ? name : "nothing");
	}
}

/* Sorted by id, each name is found, and exactly the suites that are not weak have OpenSSL's name. */
static void test_table(void **state)
{
	const struct cipher *c;
	char id[8];

	(void)state;
	for (size_t i = 0; (c = cipher_at(i)) != NULL; i++) {
		if (i > 0)
			assert_true(cipher_at(i - 1)->id < c->id);
		(void)snprintf(id, sizeof(id), "%04X", c->id);
		assert_ptr_equal(cipher_find(id), c);
		assert_ptr_equal(cipher_find(c->iana), c);
		if (c->ftpdata != NULL)
			assert_ptr_equal(cipher_find(c->ftpdata), c);
		if (c->openssl != NULL)
			assert_ptr_equal(cipher_find(c->openssl), c);
		if ((c->openssl == NULL) != (cipher_weakness(c->iana) != NULL) && cipher_encrypts(c))
			fail_msg("%s: weak or not?", c->iana);
		assert_int_equal(cipher_encrypts(c), strstr(c->iana, "_NULL_") == NULL);
		assert_int_equal(cipher_is_tls13(c), strstr(c->iana, "_WITH_") == NULL);
	}
}

static void test_weakness(void **state)
{
	static const char *const weak[] = { "DES-CBC3-SHA",   "RC4-SHA",
					    "NULL-SHA256",    "EXP-RC4-MD5",
					    "ADH-AES128-SHA", "AECDH-NULL-SHA",
					    "eNULL-null-SHA", "TLS_DH_anon_WITH_AES_128_CBC_SHA" };
	static const char *const fine[] = { "AES128-SHA", "ECDHE-RSA-AES128-GCM-SHA256", "", "-",
					    "DESCRIBE" };

	(void)state;
	for (size_t i = 0; i < NELEM(weak); i++)
		assert_non_null(cipher_weakness(weak[i]));
	for (size_t i = 0; i < NELEM(fine); i++)
		assert_null(cipher_weakness(fine[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_weakness),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
