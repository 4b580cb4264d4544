/*
 * The syntax of single values: numbers, durations, ports, endpoints, names.
 * Each table has valid texts and texts that are nearly valid.
 */
#include "policy/value.h"

#include <errno.h>

#include "tests/unit/unit.h"

#define S 1000u
#define M (60 * S)

static const struct {
	const char *input;
	uint64_t bare_unit_ms;
	int result;
	uint64_t want;
} durations[] = {
	{ "0", S, 0, 0 },
	{ "0ms", S, 0, 0 },
	{ "120", S, 0, 120 * S },
	{ "120", M, 0, 120 * M },
	{ "10s", M, 0, 10 * S },
	{ "500ms", S, 0, 500 },
	{ "5m", S, 0, 5 * M },
	{ "1h", S, 0, 60 * M },
	{ "1d", S, 0, 1440 * M },
	{ "", S, -EINVAL, 0 },
	{ "s", S, -EINVAL, 0 },
	{ "-1", S, -EINVAL, 0 },
	{ "+1", S, -EINVAL, 0 },
	{ "1 s", S, -EINVAL, 0 },
	{ "1.5s", S, -EINVAL, 0 },
	{ "1S", S, -EINVAL, 0 },
	{ "1sec", S, -EINVAL, 0 },
	{ "1w", S, -EINVAL, 0 },
	{ "01s", S, -EINVAL, 0 },
	{ "0x10", S, -EINVAL, 0 },
	{ "1e3", S, -EINVAL, 0 },
	{ "18446744073709551615ms", S, 0, UINT64_MAX },
	{ "18446744073709551616ms", S, -ERANGE, 0 },
	{ "18446744073709551615s", S, -ERANGE, 0 },
	{ "99999999999999999999999", S, -ERANGE, 0 },
};

static void test_durations(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(durations); i++) {
		size_t len = strlen(durations[i].input);
		char *input = (char *)bytes_copy(durations[i].input, len);
		uint64_t got = 7;
		int r = value_duration(input, len, durations[i].bare_unit_ms, &got);

		free(input);
		if (r != durations[i].result || got != (r < 0 ? 7 : durations[i].want))
			fail_msg("%s: got %d, %llu", durations[i].input, r, (unsigned long long)got);
	}
}

static void test_bools(void **state)
{
	bool value = false;

	(void)state;
	assert_int_equal(value_bool("true", 4, &value), 0);
	assert_true(value);
	assert_int_equal(value_bool("FALSE", 5, &value), 0);
	assert_false(value);
	assert_int_equal(value_bool("yes", 3, &value), -EINVAL);
	assert_int_equal(value_bool("tru", 3, &value), -EINVAL);
	assert_int_equal(value_bool("1", 1, &value), -EINVAL);
	assert_int_equal(value_bool("", 0, &value), -EINVAL);
}

static const struct {
	const char *input;
	int result;
	uint16_t low, high;
} ranges[] = {
	{ "60000-60100", 0, 60000, 60100 },
	{ "60000 - 60100", 0, 60000, 60100 },
	{ "(60000,60100)", 0, 60000, 60100 },
	{ "( 60000 , 60100 )", 0, 60000, 60100 },
	{ "1-65535", 0, 1, 65535 },
	{ "2000-2000", 0, 2000, 2000 },
	{ "2001-2000", -ERANGE, 0, 0 },
	{ "0-2000", -ERANGE, 0, 0 },
	{ "1024-65536", -ERANGE, 0, 0 },
	{ "1024", -EINVAL, 0, 0 },
	{ "1024-", -EINVAL, 0, 0 },
	{ "-1024", -EINVAL, 0, 0 },
	{ "-", -EINVAL, 0, 0 },
	{ "1024,2000", -EINVAL, 0, 0 },
	{ "(1024-2000)", -EINVAL, 0, 0 },
	{ "(1024,2000", -EINVAL, 0, 0 },
	{ "()", -EINVAL, 0, 0 },
	{ "(", -EINVAL, 0, 0 },
	{ "", -EINVAL, 0, 0 },
	{ "1-2-3", -EINVAL, 0, 0 },
};

static void test_ranges(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(ranges); i++) {
		size_t len = strlen(ranges[i].input);
		char *input = (char *)bytes_copy(ranges[i].input, len);
		struct port_range got = { 0 };
		int r = value_port_range(input, len, &got);

		free(input);
		if (r != ranges[i].result || got.low != ranges[i].low || got.high != ranges[i].high)
			fail_msg("%s: got %d, %u-%u", ranges[i].input, r, got.low, got.high);
	}
}

static const struct {
	const char *input;
	const char *host; /* NULL: refused */
	const char *endpoint;
} hosts[] = {
	{ "127.0.0.1:21", "127.0.0.1", "127.0.0.1:21" },
	{ "127.0.0.1:0", "127.0.0.1", "127.0.0.1:0" },
	{ "[::1]:990", "::1", "[::1]:990" },
	{ "[::ffff:192.0.2.1]:21", "::ffff:192.0.2.1", "192.0.2.1:21" },
	{ "mvs098.example.com:21", "mvs098.example.com", "-" },
	{ "mvs_098:65535", "mvs_098", "-" },
	{ "a-b.c:21", "a-b.c", "-" },
	{ "3com.example:21", "3com.example", "-" },
	{ "127.0.0.1", NULL, NULL },
	{ "127.0.0.1:", NULL, NULL },
	{ ":21", NULL, NULL },
	{ "127.0.0.1:65536", NULL, NULL },
	{ "127.0.0.1:021", NULL, NULL },
	{ "127.0.0.1:-1", NULL, NULL },
	{ "127.0.0.256:21", NULL, NULL },
	{ "127.1:21", NULL, NULL },
	{ "::1:21", NULL, NULL },
	{ "[::1]", NULL, NULL },
	{ "[127.0.0.1]:21", NULL, NULL },
	{ "[mvs098]:21", NULL, NULL },
	{ "[]:21", NULL, NULL },
	{ "[::1:21", NULL, NULL },
	{ "[fe80::1%eth0]:21", NULL, NULL },
	{ "-a:21", NULL, NULL },
	{ "a-:21", NULL, NULL },
	{ "a..b:21", NULL, NULL },
	{ "a.-b:21", NULL, NULL },
	{ ".a:21", NULL, NULL },
	{ "a.:21", NULL, NULL },
	{ "a b:21", NULL, NULL },
	{ "a/b:21", NULL, NULL },
	{ "", NULL, NULL },
};

static void test_hosts(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(hosts); i++) {
		size_t len = strlen(hosts[i].input);
		char *input = (char *)bytes_copy(hosts[i].input, len);
		struct ip_endpoint endpoint = { .port = 7 };
		const char *host = NULL;
		size_t host_len = 0;
		int r = value_host_port(input, len, &host, &host_len, &endpoint);
		char buf[IP_TEXT_MAX];

		if ((r == 0) != (hosts[i].host != NULL))
			fail_msg("%s: got %d", hosts[i].input, r);
		if (r == 0) {
			assert_int_equal(host_len, strlen(hosts[i].host));
			assert_memory_equal(host, hosts[i].host, host_len);
			assert_string_equal(ip_endpoint_format(&endpoint, buf), hosts[i].endpoint);
		}
		/* the same without names */
		r = value_endpoint(input, len, &endpoint);
		assert_int_equal(r == 0, hosts[i].host != NULL && strcmp(hosts[i].endpoint, "-") != 0);
		free(input);
	}
}

static void test_names(void **state)
{
	char longest[VALUE_NAME_MAX + 1];

	(void)state;
	memset(longest, 'x', sizeof(longest));
	assert_true(value_is_name("a", 1));
	assert_true(value_is_name("Mvs_098.x-9", 11));
	assert_true(value_is_name(longest, VALUE_NAME_MAX));
	assert_false(value_is_name(longest, VALUE_NAME_MAX + 1));
	assert_false(value_is_name("", 0));
	assert_false(value_is_name("a b", 3));
	assert_false(value_is_name("a/b", 3));
	assert_false(value_is_name("a\0", 2));
	assert_false(value_is_name("\xc3\xa9", 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_durations), cmocka_unit_test(test_bools), cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_hosts),	  cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
