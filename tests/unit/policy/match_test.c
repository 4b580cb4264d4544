/*
 * Which rule of a policy matches a connection: priority, names, listeners, client
 * and local addresses.
 */
#include "policy/policy.h"

#include "tests/unit/policy-text.h"

#define DOES "tls: server, ftp: standard, backend: legacy }\n"

static const char *const text =
    "listeners: { e: { address: 127.0.0.1:21 }, i: { address: 127.0.0.1:990 },\n"
    "             o: { address: 0.0.0.0:2121 } }\n"
    "rules:\n"
    "  low: { match: { listener: e }, " DOES
    "  partners: { priority: 500, match: { listener: [e, i], remote_addr: [198.51.100.0/24,\n"
    "              \"2001:db8::/32\"] }, " DOES
    "  b: { priority: 100, match: { remote_addr: 192.0.2.0/24, listener: e }, " DOES
    "  a: { priority: 100, match: { remote_addr: 192.0.2.0/25, listener: e }, " DOES
    "  range: { priority: 450, match: { local_addr: [10.1.1.5-10.1.1.77,\n"
    "           \"2001:db8:1::5-2001:db8:1::1:0\"] }, " DOES
    "  local: { priority: 400, match: { local_addr: 203.0.113.7 }, " DOES;

static const struct {
	const char *name;
	size_t listener;
	const char *remote;
	const char *local;
	const char *want; /* NULL: no rule */
} flows[] = {
	{ "one of two networks", 0, "198.51.100.9", "127.0.0.1", "partners" },
	{ "the other family", 1, "2001:db8::9", "::1", "partners" },
	{ "a mapped address is its IPv4 address", 1, "::ffff:198.51.100.9", "127.0.0.1", "partners" },
	{ "right network, wrong listener", 2, "198.51.100.9", "127.0.0.1", NULL },
	{ "higher priority first", 0, "198.51.100.9", "203.0.113.7", "partners" },
	{ "by the local address, any listener", 2, "198.51.100.9", "203.0.113.7", "local" },
	{ "equal priority: by name", 0, "192.0.2.1", "127.0.0.1", "a" },
	{ "equal priority: the first does not match", 0, "192.0.2.200", "127.0.0.1", "b" },
	{ "the first address of a range", 2, "10.0.0.1", "10.1.1.5", "range" },
	{ "the last address of a range", 2, "10.0.0.1", "10.1.1.77", "range" },
	{ "a mapped address in a range", 2, "10.0.0.1", "::ffff:10.1.1.50", "range" },
	{ "just before a range", 2, "10.0.0.1", "10.1.1.4", NULL },
	{ "just after a range", 2, "10.0.0.1", "10.1.1.78", NULL },
	{ "in a range over a boundary of bytes", 2, "10.0.0.1", "2001:db8:1::ffff", "range" },
	{ "after a range over a boundary of bytes", 2, "10.0.0.1", "2001:db8:1::1:1", NULL },
	{ "priority 1", 0, "10.0.0.1", "127.0.0.1", "low" },
	{ "no rule", 1, "10.0.0.1", "127.0.0.1", NULL },
};

static struct ip_addr addr_of(const char *input)
{
	struct ip_addr addr;

	assert_int_equal(ip_addr_parse(input, strlen(input), &addr), 0);
	return addr;
}

static void test_match(void **state)
{
	struct parsed p;

	(void)state;
	parse_part(&p, text);
	assert_string_equal(p.printed, "");
	for (size_t i = 0; i < NELEM(flows); i++) {
		const struct policy_flow flow = { .listener = &p.policy->listeners[flows[i].listener],
						  .remote = addr_of(flows[i].remote),
						  .local = addr_of(flows[i].local) };
		const struct policy_rule *rule = policy_match(p.policy, &flow);
		const char *got = rule != NULL ? rule->name : "no rule";

		if (strcmp(got, flows[i].want != NULL ? flows[i].want : "no rule") != 0)
			fail_msg("%s: got %s", flows[i].name, got);
	}
	parsed_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_match),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
