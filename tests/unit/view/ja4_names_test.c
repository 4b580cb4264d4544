/* Names of fingerprints: by their hashes, whatever SNI and ALPN make of the first part. */
#include "gateway/view/ja4-names.h"

#include "tests/unit/unit.h"

static void the_hashes_count(void **state)
{
	(void)state;
	assert_string_equal(ja4_name("t13i311000_e8f1e7e78f70_b26ce05bbdd6"), "curl with OpenSSL 3.0");
	assert_string_equal(ja4_name("t13d311100_e8f1e7e78f70_b26ce05bbdd6"), "curl with OpenSSL 3.0");
	assert_string_equal(ja4_name("t13d291300_723694b0fccc_2cc26d266019"), "lftp with GnuTLS 3.7");
	assert_null(ja4_name("t13d311100_e8f1e7e78f70_b26ce05bbdd7"));
	assert_null(ja4_name(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_hashes_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
