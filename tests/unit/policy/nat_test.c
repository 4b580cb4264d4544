/*
 * The section nat: which address and port each client is given for data, and the
 * faults of advertise and advertise_ports.
 */
#include "policy/policy.h"

#include "tests/unit/policy-text.h"

#define PORTS(text) "ftp_actions: { standard: { passivedataports: " text " } }\n"

/* The endpoint that each client is given, for a data port that is open at 127.0.0.1 or ::1. */
static const struct {
	const char *name;
	const char *text;
	const char *client;
	const char *own;
	const char *want;
} told[] = {
	{ "nothing is advertised", "nat: {}\n", "198.51.100.9", "127.0.0.1:60000", "127.0.0.1:60000" },
	{ "one address for all", "nat: { advertise: 203.0.113.10 }\n", "198.51.100.9", "127.0.0.1:60000",
	  "203.0.113.10:60000" },
	{ "of the other family", "nat: { advertise: 203.0.113.10 }\n", "2001:db8::9", "[::1]:60000",
	  "[::1]:60000" },
	{ "one of each family, IPv6", "nat: { advertise: [203.0.113.10, \"2001:db8::1\"] }\n", "2001:db8::9",
	  "[::1]:60000", "[2001:db8::1]:60000" },
	{ "one of each family, IPv4", "nat: { advertise: [\"2001:db8::1\", 203.0.113.10] }\n", "198.51.100.9",
	  "127.0.0.1:60000", "203.0.113.10:60000" },
	{ "inside", "nat: { advertise: [ { to: [10.0.0.0/8], address: 10.1.1.1 }, 203.0.113.10 ] }\n",
	  "10.9.9.9", "127.0.0.1:60000", "10.1.1.1:60000" },
	{ "outside", "nat: { advertise: [ { to: [10.0.0.0/8], address: 10.1.1.1 }, 203.0.113.10 ] }\n",
	  "198.51.100.9", "127.0.0.1:60000", "203.0.113.10:60000" },
	{ "the first entry counts",
	  "nat: { advertise: [ 203.0.113.10, { to: 10.0.0.0/8, address: 10.1.1.1 } ] }\n", "10.9.9.9",
	  "127.0.0.1:60000", "203.0.113.10:60000" },
	{ "no entry is for this client", "nat: { advertise: { to: 10.0.0.0/8, address: 10.1.1.1 } }\n", NULL,
	  NULL, "must be a list" },
	{ "no entry of a list is for this client",
	  "nat: { advertise: [ { to: 10.0.0.0/8, address: 10.1.1.1 } ] }\n", "198.51.100.9",
	  "127.0.0.1:60000", "127.0.0.1:60000" },
	{ "a mapped client", "nat: { advertise: [ { to: 10.0.0.0/8, address: 10.1.1.1 } ] }\n",
	  "::ffff:10.0.0.1", "127.0.0.1:60000", "10.1.1.1:60000" },

	{ "the first port", PORTS("60000-60100") "nat: { advertise_ports: 50000-50100 }\n", "198.51.100.9",
	  "127.0.0.1:60000", "127.0.0.1:50000" },
	{ "the last port", PORTS("60000-60100") "nat: { advertise_ports: 50000-50100 }\n", "198.51.100.9",
	  "127.0.0.1:60100", "127.0.0.1:50100" },
	{ "upwards, to the end", PORTS("1024-1123") "nat: { advertise_ports: \"(65436,65535)\" }\n",
	  "198.51.100.9", "127.0.0.1:1123", "127.0.0.1:65535" },
	{ "ports and an address",
	  PORTS("60000-60100") "nat: { advertise: 203.0.113.10, advertise_ports: 50000-50100 }\n",
	  "198.51.100.9", "127.0.0.1:60001", "203.0.113.10:50001" },
	{ "inside no port is mapped",
	  PORTS("60000-60100") "nat: { advertise_ports: 50000-50100,\n"
			       "  advertise: [ { to: 10.0.0.0/8, address: 10.1.1.1, map_ports: false }, "
			       "203.0.113.10 ] }\n",
	  "10.0.0.7", "127.0.0.1:60001", "10.1.1.1:60001" },
};

static void parse_own(const char *text, struct ip_endpoint *ret)
{
	const char *colon = strrchr(text, ':');
	size_t skip = text[0] == '[' ? 1 : 0;

	assert_int_equal(ip_addr_parse(text + skip, (size_t)(colon - text) - 2 * skip, &ret->addr), 0);
	ret->port = (uint16_t)strtoul(colon + 1, NULL, 10);
}

static void test_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(told); i++) {
		struct ip_endpoint own, got;
		struct ip_addr client;
		struct parsed p;
		char buf[IP_TEXT_MAX];

		parse_part(&p, told[i].text);
		if (told[i].client == NULL) {
			assert_non_null(strstr(p.printed, told[i].want));
			parsed_done(&p);
			continue;
		}
		if (p.result < 0)
			fail_msg("%s: %s", told[i].name, p.printed);
		parse_own(told[i].own, &own);
		assert_int_equal(ip_addr_parse(told[i].client, strlen(told[i].client), &client), 0);
		got = policy_advertised(p.policy, &p.policy->ftp_actions[0], &client, &own);
		if (strcmp(ip_endpoint_format(&got, buf), told[i].want) != 0)
			fail_msg("%s: got %s", told[i].name, buf);
		parsed_done(&p);
	}
}

/* A name stays a name: policy/ does not resolve it. */
static void test_names(void **state)
{
	const struct policy_advertise *entry;
	struct parsed p;

	(void)state;
	parse_part(&p, "nat:\n  advertise:\n    - { to: \"::1\", address: \"interface:eth0.7\" }\n"
		       "    - gate.example.com\n");
	assert_string_equal(p.printed, "");
	assert_int_equal(p.policy->nat.nadvertise, 2);
	entry = p.policy->nat.advertise;
	assert_string_equal(entry[0].interface, "eth0.7");
	assert_null(entry[0].host);
	assert_int_equal(entry[0].nto, 1);
	assert_true(entry[0].map_ports);
	assert_int_equal(entry[0].address_mark.line, 3);
	assert_int_equal(entry[0].address_mark.column, 29);
	assert_string_equal(entry[1].host, "gate.example.com");
	assert_null(entry[1].interface);
	assert_int_equal(entry[1].v4.family, IP_NONE);
	assert_int_equal(entry[1].v6.family, IP_NONE);
	assert_int_equal(entry[1].address_mark.line, 4);
	assert_int_equal(entry[1].address_mark.column, 7);
	parsed_done(&p);
}

static const struct message_case faults[] = {
	{ "no host name", "nat: { advertise: \"a b\" }\n",
	  "policy.yaml:1:19: \"address\" must be an address, interface:NAME or a host name, not \"a b\"" },
	{ "an address gone wrong", "nat: { advertise: 10.1.1.300 }\n",
	  "policy.yaml:1:19: \"address\" must be" },
	{ "no interface", "nat: { advertise: \"interface:\" }\n", "policy.yaml:1:19: \"address\" must be" },
	{ "any address", "nat: { advertise: 0.0.0.0 }\n", "must be an address that clients can connect to" },
	{ "nothing", "nat: { advertise: }\n", "\"address\" has no value" },
	{ "an entry without an address", "nat: { advertise: [ { to: 10.0.0.0/8 } ] }\n",
	  "policy.yaml:1:21: an entry of \"advertise\" needs a value for \"address\"" },
	{ "an unknown key", "nat: { advertise: [ { address: a, form: b } ] }\n",
	  "unknown key \"form\" in advertise" },
	{ "no network", "nat: { advertise: [ { address: a, to: b } ] }\n",
	  "\"to\" must be addresses, networks" },
	{ "other size", PORTS("60000-60100") "nat: { advertise_ports: 50000-50099 }\n",
	  "policy.yaml:2:8: \"advertise_ports\" has 100 ports, but \"passivedataports\" of ftp_actions "
	  "\"standard\" has 101; make both the same size" },
	{ "nothing to stand for", "nat: { advertise_ports: 50000-50099 }\n",
	  "policy.yaml:1:8: \"advertise_ports\" needs \"passivedataports\", which ftp_actions \"standard\" "
	  "lacks" },
	{ "two ranges",
	  "ftp_actions: { a: { passivedataports: 60000-60001 }, standard: { passivedataports: 60002-60003 } "
	  "}\n"
	  "nat: { advertise_ports: 50000-50001 }\n",
	  "policy.yaml:2:8: \"advertise_ports\" can map to one range only, but \"passivedataports\" of "
	  "ftp_actions \"a\" and \"standard\" differ" },
	{ "no range", "nat: { advertise_ports: 50000 }\n", "\"advertise_ports\" must be two ports" },
};

static void test_faults(void **state)
{
	(void)state;
	check_messages(faults, NELEM(faults), true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_told),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
