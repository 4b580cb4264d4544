/*
 * Addresses, networks and endpoints: tables of texts, what they parse to and how
 * they are printed again.
 */
#include "policy/ip.h"

#include <errno.h>

#include "tests/unit/unit.h"

static const struct {
	const char *input;
	const char *want; /* NULL: refused */
	bool any, loopback;
} addresses[] = {
	{ "192.0.2.1", "192.0.2.1", false, false },
	{ "0.0.0.0", "0.0.0.0", true, false },
	{ "127.0.0.1", "127.0.0.1", false, true },
	{ "127.255.0.9", "127.255.0.9", false, true },
	{ "255.255.255.255", "255.255.255.255", false, false },
	{ "::", "::", true, false },
	{ "::1", "::1", false, true },
	{ "2001:DB8::1", "2001:db8::1", false, false },
	{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", false,
	  false },
	{ "::ffff:192.0.2.1", "192.0.2.1", false, false },
	{ "::ffff:7f00:1", "127.0.0.1", false, true },
	{ "::ffff:0:0", "0.0.0.0", true, false },
	{ "0:0:0:0:0:ffff:192.0.2.1", "192.0.2.1", false, false },
	{ "::fffe:192.0.2.1", "::fffe:c000:201", false, false },
	{ "", NULL, false, false },
	{ "192.0.2", NULL, false, false },
	{ "192.0.2.01", NULL, false, false },
	{ "192.0.2.256", NULL, false, false },
	{ "192.0.2.1 ", NULL, false, false },
	{ "0x7f.0.0.1", NULL, false, false },
	{ "2130706433", NULL, false, false },
	{ "[::1]", NULL, false, false },
	{ "fe80::1%eth0", NULL, false, false },
	{ "1:2:3:4:5:6:7:8:9", NULL, false, false },
	{ "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.2550", NULL, false, false },
};

static void test_addresses(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(addresses); i++) {
		size_t len = strlen(addresses[i].input);
		char *input = (char *)bytes_copy(addresses[i].input, len);
		struct ip_addr addr = { .family = IP_NONE };
		int r = ip_addr_parse(input, len, &addr);
		char buf[IP_TEXT_MAX];

		free(input);
		if (r != (addresses[i].want != NULL ? 0 : -EINVAL))
			fail_msg("%s: got %d", addresses[i].input, r);
		if (addresses[i].want == NULL) {
			assert_int_equal(addr.family, IP_NONE);
			continue;
		}
		assert_ptr_equal(ip_addr_format(&addr, buf), buf);
		assert_string_equal(buf, addresses[i].want);
		if (ip_addr_is_any(&addr) != addresses[i].any ||
		    ip_addr_is_loopback(&addr) != addresses[i].loopback)
			fail_msg("%s: any or loopback is wrong", addresses[i].input);
	}
}

static const struct {
	const char *input;
	int result;
	const char *addr;
	uint8_t prefix;
} nets[] = {
	{ "198.51.100.0/24", 0, "198.51.100.0", 24 },
	{ "198.51.100.7", 0, "198.51.100.7", 32 },
	{ "0.0.0.0/0", 0, "0.0.0.0", 0 },
	{ "128.0.0.0/1", 0, "128.0.0.0", 1 },
	{ "2001:db8::/32", 0, "2001:db8::", 32 },
	{ "2001:db8::1", 0, "2001:db8::1", 128 },
	{ "::/0", 0, "::", 0 },
	{ "::ffff:10.0.0.0/104", 0, "10.0.0.0", 8 },
	{ "::ffff:0:0/96", 0, "0.0.0.0", 0 },
	{ "::ffff:0:0/95", -ERANGE, NULL, 0 },
	{ "198.51.100.1/24", -ERANGE, NULL, 0 },
	{ "2001:db8::1/64", -ERANGE, NULL, 0 },
	{ "198.51.100.0/33", -EINVAL, NULL, 0 },
	{ "::/129", -EINVAL, NULL, 0 },
	{ "198.51.100.0/", -EINVAL, NULL, 0 },
	{ "198.51.100.0/024", -EINVAL, NULL, 0 },
	{ "198.51.100.0/ 24", -EINVAL, NULL, 0 },
	{ "198.51.100.0/24/8", -EINVAL, NULL, 0 },
	{ "198.51.100.0/255.255.255.0", -EINVAL, NULL, 0 },
	{ "/24", -EINVAL, NULL, 0 },
	{ "", -EINVAL, NULL, 0 },
};

static void test_nets(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(nets); i++) {
		size_t len = strlen(nets[i].input);
		char *input = (char *)bytes_copy(nets[i].input, len);
		struct ip_net net = { .prefix = 77 };
		int r = ip_net_parse(input, len, &net);
		char buf[IP_TEXT_MAX];

		free(input);
		if (r != nets[i].result)
			fail_msg("%s: got %d, wanted %d", nets[i].input, r, nets[i].result);
		if (r < 0) {
			assert_int_equal(net.prefix, 77);
			continue;
		}
		assert_string_equal(ip_addr_format(&net.addr, buf), nets[i].addr);
		assert_int_equal(net.prefix, nets[i].prefix);
	}
}

static void test_none(void **state)
{
	const struct ip_addr none = { .family = IP_NONE };
	const struct ip_endpoint no_endpoint = { .port = 21 };
	char buf[IP_TEXT_MAX];

	(void)state;
	assert_false(ip_addr_is_any(&none));
	assert_false(ip_addr_is_loopback(&none));
	assert_string_equal(ip_addr_format(&none, buf), "-");
	assert_string_equal(ip_endpoint_format(&no_endpoint, buf), "-");
}

static void test_endpoints(void **state)
{
	static const uint8_t v4[] = { 192, 0, 2, 1 };
	static const uint8_t mapped[16] = { [10] = 0xff, [11] = 0xff, [12] = 192, [14] = 2, [15] = 1 };
	uint8_t v6[16];
	struct ip_endpoint a = { .addr = ip_addr_make(IP_V4, v4), .port = 21 };
	struct ip_endpoint b = { .addr = ip_addr_make(IP_V6, mapped), .port = 21 };
	char buf[IP_TEXT_MAX];

	(void)state;
	memset(v6, 0xff, sizeof(v6));
	assert_true(ip_endpoint_equal(&a, &b));
	assert_string_equal(ip_endpoint_format(&b, buf), "192.0.2.1:21");
	b.port = 65535;
	assert_false(ip_endpoint_equal(&a, &b));
	b.addr = ip_addr_make(IP_V6, v6);
	assert_false(ip_addr_equal(&a.addr, &b.addr));
	assert_string_equal(ip_endpoint_format(&b, buf), "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_nets),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_endpoints),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
