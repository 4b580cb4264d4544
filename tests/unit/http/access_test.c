/* Host names and tokens that are accepted, and those that are not. */
#include "gateway/http/access.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"

static struct http_setup setup = { .nhosts = 1, .hosts = { "gate.example" } };

static void hosts(void **state)
{
	static const struct {
		const char *host;
		bool ours, ours6; /* at 127.0.0.1:8080, and at [::1]:8080 */
	} rows[] = {
		{ "127.0.0.1:8080", true, false },
		{ "127.0.0.1", true, false },
		{ "localhost:8080", true, true },
		{ "LocalHost", true, true },
		{ "[::1]:8080", false, true },
		{ "[::1]", false, true },
		{ "[0:0:0:0:0:0:0:1]:8080", false, true },
		{ "gate.example", true, true },
		{ "GATE.example:443", true, true },
		{ "gate.example.evil", false, false },
		{ "gate.exampl", false, false },
		{ "evil.example", false, false },
		{ "localhost.evil", false, false },
		{ "localhost:8081", false, false },
		{ "localhost:", false, false },
		{ "localhost:080800", false, false },
		{ "localhost:8080x", false, false },
		{ "localhost:-1", false, false },
		{ "127.0.0.2:8080", false, false },
		{ "127.1", false, false },
		{ "0x7f000001", false, false },
		{ "2130706433", false, false },
		{ "[127.0.0.1]:8080", false, false },
		{ "::1", false, false },
		{ "[::1", false, false },
		{ "::1]", false, false },
		{ "[]", false, false },
		{ "[", false, false },
		{ "]:8080", false, false },
		{ ":8080", false, false },
		{ "", false, false },
		{ NULL, true, true },
	};
	const struct access access = { .setup = &setup };
	struct ip_endpoint v4 = { .port = 8080 }, v6 = { .port = 8080 };

	(void)state;
	assert_int_equal(ip_addr_parse("127.0.0.1", 9, &v4.addr), 0);
	assert_int_equal(ip_addr_parse("::1", 3, &v6.addr), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (access_host_is_ours(&access, rows[i].host, &v4) != rows[i].ours ||
		    access_host_is_ours(&access, rows[i].host, &v6) != rows[i].ours6)
			fail_msg("Host: %s", rows[i].host);
}

static void a_long_host(void **state)
{
	const struct access access = { .setup = &setup };
	const struct ip_endpoint local = { .port = 8080 };
	char host[5000];

	(void)state;
	memset(host, 'a', sizeof(host) - 1);
	host[sizeof(host) - 1] = '\0';
	assert_false(access_host_is_ours(&access, host, &local));
}

static void tokens(void **state)
{
	static const struct {
		const char *authorization;
		bool granted;
	} rows[] = {
		{ "Bearer 0123456789abcdef", true },
		{ "bearer  0123456789abcdef", true },
		{ "Bearer 0123456789abcdeF", false },
		{ "Bearer 0123456789abcde", false },
		{ "Bearer 0123456789abcdef0", false },
		{ "Bearer 0123456789abcdef ", false },
		{ "Bearer ", false },
		{ "Bearer", false },
		{ "Bearer0123456789abcdef", false },
		{ "Basic 0123456789abcdef", false },
		{ "0123456789abcdef", false },
		{ "", false },
		{ NULL, false },
	};
	struct access access = { .setup = &setup, .token = "0123456789abcdef" };
	char long_one[4000] = "Bearer ";

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (access_is_granted(&access, rows[i].authorization) != rows[i].granted)
			fail_msg("Authorization: %s", rows[i].authorization);
	memset(long_one + 7, 'x', sizeof(long_one) - 8);
	assert_false(access_is_granted(&access, long_one));
	memset(access.token, 0, sizeof(access.token));
	assert_true(access_is_granted(&access, NULL)); /* the policy has no token */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts),
		cmocka_unit_test(a_long_host),
		cmocka_unit_test(tokens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
