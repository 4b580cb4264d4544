/*
 * Ranges of addresses: what is one, which addresses it has, and which lists cover or meet
 * others. A walk over small ranges compares with counting.
 */
#include "policy/ip-range.h"

#include <errno.h>
#include <stdlib.h>

#include "tests/unit/unit.h"

static const struct {
	const char *input;
	int result;
	const char *low, *high;
} ranges[] = {
	{ "10.1.1.5-10.1.1.77", 0, "10.1.1.5", "10.1.1.77" },
	{ "10.1.1.5-10.1.1.5", 0, "10.1.1.5", "10.1.1.5" },
	{ "10.0.255.250-10.1.0.5", 0, "10.0.255.250", "10.1.0.5" },
	{ "0.0.0.0-255.255.255.255", 0, "0.0.0.0", "255.255.255.255" },
	{ "2001:db8::5-2001:db8::1:0", 0, "2001:db8::5", "2001:db8::1:0" },
	{ "::ffff:10.0.0.1-::ffff:10.0.0.9", 0, "10.0.0.1", "10.0.0.9" },
	{ "::ffff:10.0.0.1-10.0.0.9", 0, "10.0.0.1", "10.0.0.9" },
	{ "10.0.0.7", 0, "10.0.0.7", "10.0.0.7" },
	{ "198.51.100.0/22", 0, "198.51.100.0", "198.51.103.255" },
	{ "0.0.0.0/0", 0, "0.0.0.0", "255.255.255.255" },
	{ "2001:db8::/33", 0, "2001:db8::", "2001:db8:7fff:ffff:ffff:ffff:ffff:ffff" },
	{ "::ffff:10.0.0.0/104", 0, "10.0.0.0", "10.255.255.255" },
	{ "10.0.0.9-10.0.0.1", -EDOM, NULL, NULL },
	{ "10.0.0.1-2001:db8::1", -EDOM, NULL, NULL },
	{ "::-::ffff:10.0.0.1", -EDOM, NULL, NULL },
	{ "198.51.100.1/24", -ERANGE, NULL, NULL },
	{ "10.0.0.1-", -EINVAL, NULL, NULL },
	{ "-10.0.0.1", -EINVAL, NULL, NULL },
	{ "-", -EINVAL, NULL, NULL },
	{ "10.0.0.1 - 10.0.0.9", -EINVAL, NULL, NULL },
	{ "10.0.0.1-10.0.0.9-10.0.0.20", -EINVAL, NULL, NULL },
	{ "10.0.0.0/8-10.0.0.9", -EINVAL, NULL, NULL },
	{ "10.0.0.1-77", -EINVAL, NULL, NULL },
	{ "", -EINVAL, NULL, NULL },
};

static struct ip_range range_of(const char *text)
{
	struct ip_range range;

	assert_int_equal(ip_range_parse(text, strlen(text), &range), 0);
	return range;
}

static struct ip_addr addr_of(const char *text)
{
	struct ip_addr addr;

	assert_int_equal(ip_addr_parse(text, strlen(text), &addr), 0);
	return addr;
}

static void test_parse(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(ranges); i++) {
		size_t len = strlen(ranges[i].input);
		char *input = (char *)bytes_copy(ranges[i].input, len);
		struct ip_range range = { .low.family = IP_NONE };
		int r = ip_range_parse(input, len, &range);
		char buf[IP_TEXT_MAX];

		free(input);
		if (r != ranges[i].result)
			fail_msg("%s: got %d, wanted %d", ranges[i].input, r, ranges[i].result);
		if (r < 0) {
			assert_int_equal(range.low.family, IP_NONE);
			continue;
		}
		assert_string_equal(ip_addr_format(&range.low, buf), ranges[i].low);
		assert_string_equal(ip_addr_format(&range.high, buf), ranges[i].high);
	}
}

static const struct {
	const char *range, *addr;
	bool want;
} contained[] = {
	{ "198.51.100.0/24", "198.51.100.0", true },
	{ "198.51.100.0/24", "198.51.100.255", true },
	{ "198.51.100.0/24", "198.51.101.0", false },
	{ "198.51.100.0/24", "::ffff:198.51.100.9", true },
	{ "198.51.100.0/22", "198.51.103.1", true },
	{ "198.51.100.0/22", "198.51.104.1", false },
	{ "198.51.100.7", "198.51.100.7", true },
	{ "198.51.100.7", "198.51.100.6", false },
	{ "0.0.0.0/0", "255.255.255.255", true },
	{ "0.0.0.0/0", "::1", false },
	{ "::/0", "192.0.2.1", false },
	{ "::/0", "2001:db8::1", true },
	{ "2001:db8::/33", "2001:db8:7fff::1", true },
	{ "2001:db8::/33", "2001:db8:8000::1", false },
	{ "::ffff:10.0.0.0/104", "10.9.8.7", true },
	{ "10.0.255.250-10.1.0.5", "10.0.255.250", true },
	{ "10.0.255.250-10.1.0.5", "10.0.255.249", false },
	{ "10.0.255.250-10.1.0.5", "10.1.0.0", true },
	{ "10.0.255.250-10.1.0.5", "10.1.0.6", false },
	{ "2001:db8::5-2001:db8::1:0", "2001:db8::ffff", true },
	{ "2001:db8::5-2001:db8::1:0", "2001:db8::1:1", false },
	/* an IPv6 range around the mapped addresses has no IPv4 address, as ::/0 has none */
	{ "::1-2001:db8::", "10.0.0.1", false },
};

static void test_contains(void **state)
{
	const struct ip_addr none = { .family = IP_NONE };
	const struct ip_range no_range = { .low.family = IP_NONE };

	(void)state;
	for (size_t i = 0; i < NELEM(contained); i++) {
		const struct ip_range range = range_of(contained[i].range);
		const struct ip_addr addr = addr_of(contained[i].addr);

		if (ip_range_contains(&range, &addr) != contained[i].want)
			fail_msg("%s in %s", contained[i].addr, contained[i].range);
	}
	assert_false(ip_range_contains(&no_range, &none));
}

static const struct {
	const char *a[3], *b[3];
	bool covers, meets;
} pairs[] = {
	{ { "10.0.0.0/8" }, { "10.1.1.5-10.1.1.77" }, true, true },
	{ { "10.1.1.5-10.1.1.77" }, { "10.0.0.0/8" }, false, true },
	{ { "10.1.1.0-10.1.1.7", "10.1.1.8-10.1.1.15" }, { "10.1.1.0/28" }, true, true },
	{ { "10.1.1.8-10.1.1.15", "10.1.1.0-10.1.1.9" }, { "10.1.1.0/28" }, true, true },
	{ { "10.1.1.0-10.1.1.6", "10.1.1.8-10.1.1.15" }, { "10.1.1.0/28" }, false, true },
	{ { "0.0.0.0/0", "::/0" }, { NULL }, true, true },
	{ { "0.0.0.0/1", "128.0.0.0/1", "::/0" }, { NULL }, true, true },
	{ { "0.0.0.0/0" }, { NULL }, false, true },
	{ { NULL }, { "10.0.0.1" }, true, true },
	{ { NULL }, { NULL }, true, true },
	{ { "10.0.0.0/8" }, { "11.0.0.0/8", "2001:db8::1" }, false, false },
	{ { "255.255.255.255" }, { "255.255.255.254-255.255.255.255" }, false, true },
	{ { "10.0.0.0-10.0.0.9" }, { "10.0.0.9-10.0.0.20" }, false, true },
};

static size_t list_of(const char *const texts[3], struct ip_range list[3])
{
	size_t n = 0;

	for (; n < 3 && texts[n] != NULL; n++)
		list[n] = range_of(texts[n]);
	return n;
}

static void test_lists(void **state)
{
	struct ip_range a[3], b[3];

	(void)state;
	for (size_t i = 0; i < NELEM(pairs); i++) {
		size_t na = list_of(pairs[i].a, a), nb = list_of(pairs[i].b, b);

		if (ip_ranges_cover(a, na, b, nb) != pairs[i].covers)
			fail_msg("row %zu: covers", i);
		if (ip_ranges_meet(a, na, b, nb) != pairs[i].meets ||
		    ip_ranges_meet(b, nb, a, na) != pairs[i].meets)
			fail_msg("row %zu: meets", i);
	}
}

enum { SMALL = 40 };

static struct ip_addr small_addr(unsigned n)
{
	/* around the end of a byte, so that ranges cross it */
	const uint8_t bytes[] = { 10, 0, (uint8_t)((n + 236) >> 8), (uint8_t)(n + 236) };

	return ip_addr_make(IP_V4, bytes);
}

/* Random lists against a table of the addresses that each has. */
static size_t random_list(struct ip_range list[3], bool has[SMALL])
{
	size_t n = 1 + (size_t)rand() % 3;

	memset(has, 0, SMALL * sizeof(*has));
	for (size_t i = 0; i < n; i++) {
		unsigned low = (unsigned)rand() % SMALL;
		unsigned high = low + (unsigned)rand() % (SMALL - low);

		list[i] = (struct ip_range){ .low = small_addr(low), .high = small_addr(high) };
		for (unsigned at = low; at <= high; at++)
			has[at] = true;
	}
	return n;
}

static void test_walk(void **state)
{
	(void)state;
	srand(21);
	for (unsigned round = 0; round < 20000; round++) {
		bool in_a[SMALL], in_b[SMALL], covers = true, meets = false;
		struct ip_range a[3], b[3];
		size_t na = random_list(a, in_a), nb = random_list(b, in_b);

		for (unsigned at = 0; at < SMALL; at++) {
			covers = covers && (in_a[at] || !in_b[at]);
			meets = meets || (in_a[at] && in_b[at]);
		}
		assert_int_equal(ip_ranges_cover(a, na, b, nb), covers);
		assert_int_equal(ip_ranges_meet(a, na, b, nb), meets);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_contains),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_walk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
