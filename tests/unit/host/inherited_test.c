/* Which variables of the starter's environment stay. */
#include "gateway/host/inherited.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
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
		{ "SSLKEYLOGFILE", false }, { "HOSTALIASES", false },  { "OPENSSL_CON", false },
		{ "OPENSSL_CONF", true },   { "SOFTHSM2_CONF", true }, { "OPENSSL_CONFS", false },
		{ "NOTIFY_SOCKET", true },  { "SSL_CERT_DIR", true },
	};

	static struct inherited inherited;

	(void)state;
	if (getenv("CMOCKA_MESSAGE_OUTPUT") != NULL) /* which is about to go, too */
		cmocka_set_message_output(CM_OUTPUT_TAP);
	for (size_t i = 0; i < NELEM(rows); i++)
		assert_int_equal(setenv(rows[i].name, "value", 1), 0);
	assert_int_equal(inherited_reset(&inherited), 0);
	assert_int_equal(inherited.nsockets, 0);
	assert_int_equal(inherited.handover, -1);
	for (size_t i = 0; i < NELEM(rows); i++)
		assert_int_equal(getenv(rows[i].name) != NULL, rows[i].stays);
}

/* Sockets of the service manager, unless they are meant for another process. */
static void sockets(void **state)
{
	static const struct {
		const char *pid, *n, *names; /* pid "": the own one */
		size_t want;
		const char *first, *second;
		int r;
	} rows[] = {
		{ "", "2", "explicit:control", 2, "explicit", "control", 0 },
		{ "", "2", "explicit", 2, "explicit", "", 0 },
		{ "", "2", NULL, 2, "", "", 0 },
		{ "", "1", ":x", 1, "", "", 0 },
		{ "1", "2", "explicit:control", 0, "", "", 0 },
		{ "", "0", "", 0, "", "", 0 },
		{ "", "-1", "", 0, "", "", 0 },
		{ "", "2x", "", 0, "", "", 0 },
		{ "", "129", "", 0, "", "", -E2BIG },
		{ "", "99999999999999999999", "", 0, "", "", -E2BIG },
	};
	static struct inherited inherited;
	char own[24];

	(void)state;
	(void)snprintf(own, sizeof(own), "%d", (int)getpid());
	for (size_t i = 0; i < NELEM(rows); i++) {
		assert_int_equal(dup2(STDIN_FILENO, 3), 3);
		assert_int_equal(dup2(STDIN_FILENO, 4), 4);
		assert_int_equal(dup2(STDIN_FILENO, 5), 5);
		assert_int_equal(setenv("LISTEN_PID", rows[i].pid[0] != '\0' ? rows[i].pid : own, 1), 0);
		assert_int_equal(setenv("LISTEN_FDS", rows[i].n, 1), 0);
		if (rows[i].names != NULL)
			assert_int_equal(setenv("LISTEN_FDNAMES", rows[i].names, 1), 0);
		assert_int_equal(inherited_reset(&inherited), rows[i].r);
		assert_int_equal(inherited.nsockets, rows[i].want);
		assert_string_equal(inherited.names[0], rows[i].first);
		assert_string_equal(inherited.names[1], rows[i].second);
		assert_null(getenv("LISTEN_PID"));
		assert_null(getenv("LISTEN_FDS"));
		assert_null(getenv("LISTEN_FDNAMES"));
		if (rows[i].r < 0)
			continue;
		assert_int_equal(fcntl(3, F_GETFD), rows[i].want > 0 ? FD_CLOEXEC : -1);
		assert_int_equal(fcntl(4, F_GETFD), rows[i].want > 1 ? FD_CLOEXEC : -1);
		assert_int_equal(fcntl(5, F_GETFD), -1);
	}
}

/* The channel to an attlsd that this one replaces. */
static void handover(void **state)
{
	static struct inherited inherited;
	char own[24];

	(void)state;
	(void)snprintf(own, sizeof(own), "%d", (int)getpid());
	assert_int_equal(dup2(STDIN_FILENO, 3), 3);
	assert_int_equal(dup2(STDIN_FILENO, 4), 4);
	assert_int_equal(setenv(INHERITED_HANDOVER, own, 1), 0);
	assert_int_equal(inherited_reset(&inherited), 0);
	assert_int_equal(inherited.handover, 3);
	assert_null(getenv(INHERITED_HANDOVER));
	assert_int_equal(fcntl(3, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(4, F_GETFD), -1);
	assert_int_equal(setenv(INHERITED_HANDOVER, "1", 1), 0);
	assert_int_equal(inherited_reset(&inherited), 0);
	assert_int_equal(inherited.handover, -1);
	assert_int_equal(fcntl(3, F_GETFD), -1);
	assert_int_equal(setenv(INHERITED_HANDOVER, own, 1), 0);
	assert_int_equal(inherited_reset(&inherited), -EBADF); /* there is no such descriptor */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_environment),
		cmocka_unit_test(sockets),
		cmocka_unit_test(handover),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
