/* Which variables of the starter's environment stay. */
#include "gateway/host/inherited.h"

#include <stdlib.h>
#include <unistd.h>

#include "gateway/base/util.h"
#include "tests/unit/unit.h"

static void the_environment(void **state)
{
	static const struct {
		const char *name;
		bool stays;
	} rows[] = {
		{ "SSLKEYLOGFILE", false }, { "HOSTALIASES", false },	{ "OPENSSL_CON", false },
		{ "OPENSSL_CONF", true },   { "OPENSSL_CONFS", false }, { "NOTIFY_SOCKET", true },
		{ "SSL_CERT_DIR", true },
	};

	(void)state;
	if (getenv("CMOCKA_MESSAGE_OUTPUT") != NULL) /* which is about to go, too */
		cmocka_set_message_output(CM_OUTPUT_TAP);
	for (size_t i = 0; i < NELEM(rows); i++)
		assert_int_equal(setenv(rows[i].name, "value", 1), 0);
	assert_int_equal(inherited_reset(), 0);
	for (size_t i = 0; i < NELEM(rows); i++)
		assert_int_equal(getenv(rows[i].name) != NULL, rows[i].stays);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_environment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
