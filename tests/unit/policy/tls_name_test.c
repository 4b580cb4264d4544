/*
 * The names of groups and signature algorithms: every way to write one, the z/OS ids
 * against IANA's numbers, and the colon list that OpenSSL gets.
 */
#include "policy/tls-name.h"

#include "tests/unit/policy-text.h"
#include "tests/unit/unit.h"

static const struct {
	enum tls_name_kind kind;
	const char *text;
	const char *want; /* NULL: unknown */
} names[] = {
	{ TLS_NAME_GROUP, "0023", "secp256r1" },
	{ TLS_NAME_GROUP, "prime256v1", "secp256r1" },
	{ TLS_NAME_GROUP, "p-256", "secp256r1" },
	{ TLS_NAME_GROUP, "SECP256R1", "secp256r1" },
	{ TLS_NAME_GROUP, "0029", "x25519" },
	{ TLS_NAME_GROUP, "X25519", "x25519" },
	{ TLS_NAME_GROUP, "x25519mlkem768", "X25519MLKEM768" },
	{ TLS_NAME_GROUP, "4588", "X25519MLKEM768" },
	{ TLS_NAME_GROUP, "29", NULL },
	{ TLS_NAME_GROUP, "0403", NULL },
	{ TLS_NAME_SIGNATURE, "0403", "ecdsa_secp256r1_sha256" },
	{ TLS_NAME_SIGNATURE, "ECDSA+SHA256", "ecdsa_secp256r1_sha256" },
	{ TLS_NAME_SIGNATURE, "080a", "rsa_pss_pss_sha384" },
	{ TLS_NAME_SIGNATURE, "Ed25519", "ed25519" },
	{ TLS_NAME_SIGNATURE, "0023", NULL },
	{ TLS_NAME_SIGNATURE, "prime256v1", NULL },
};

static void test_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(names); i++) {
		const struct tls_name *name = tls_name_find(names[i].kind, names[i].text);

		if (names[i].want == NULL ? name != NULL
					  : name == NULL || strcmp(name->iana, names[i].want) != 0)
			fail_msg("%s: %s", names[i].text, name != NULL ? name->iana : "unknown");
	}
}

/* No name means two things. */
static void test_no_doubles(void **state)
{
	static const enum tls_name_kind kinds[] = { TLS_NAME_GROUP, TLS_NAME_SIGNATURE };

	(void)state;
	for (size_t k = 0; k < NELEM(kinds); k++) {
		const struct tls_name *name;

		for (size_t i = 0; (name = tls_name_at(kinds[k], i)) != NULL; i++) {
			assert_int_equal(strlen(name->zos), 4);
			assert_ptr_equal(tls_name_find(kinds[k], name->zos), name);
			assert_ptr_equal(tls_name_find(kinds[k], name->iana), name);
			if (name->openssl != NULL)
				assert_ptr_equal(tls_name_find(kinds[k], name->openssl), name);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_no_doubles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
