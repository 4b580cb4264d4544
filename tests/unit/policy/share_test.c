/* passivedatashare: what it needs, and which ports it keeps open. */
#include "tests/unit/policy-text.h"

#define SHARED(more) "ftp_actions: { standard: { passivedatashare: source" more " } }\n"
#define TWO_PORTS    ", passivedataports: 61000-61001"
#define RULE	     "tls: server, ftp: standard, backend: legacy"

static const struct message_case errors[] = {
	{ "no ports", SHARED(""),
	  "policy.yaml:1:28: \"passivedatashare: source\" of ftp_actions \"standard\" needs \"passivedataports\"" },
	{ "too many ports", SHARED(", passivedataports: 61000-61064"),
	  "policy.yaml:1:54: \"passivedataports\" of ftp_actions \"standard\" has 65 ports" },
	{ "connections from anywhere", SHARED(TWO_PORTS ", passivedataconn: unrestricted"),
	  "needs \"passivedataconn: noredirect\"" },
	{ "a transparent listener",
	  SHARED(TWO_PORTS) "listeners: { t: { address: 127.0.0.1:2121, transparent: true } }\n",
	  "policy.yaml:1:28: \"passivedatashare: source\" of ftp_actions \"standard\" is not possible on the "
	  "transparent listeners \"t\"" },
	{ "ports of an action that does not share",
	  "ftp_actions: { standard: { passivedatashare: source, passivedataports: 61000-61001 },\n"
	  "  other: { passivedataports: 61001-61100 } }\n",
	  "policy.yaml:2:12: \"passivedataports\" of ftp_actions \"standard\" and \"other\" overlap" },
	{ "too many sockets",
	  SHARED(
	      ", passivedataports: 61000-61063") "listeners: { a: { address: 127.0.0.1:21 }, b: { address: "
						 "127.0.0.2:21 },\n  c: { address: 127.0.0.3:21 },\n"
						 "  d: { address: 127.0.0.4:21 }, e: { address: 127.0.0.5:21 } }\n",
	  "these are more than 256" },
	{ "a word that it does not know", "ftp_actions: { standard: { passivedatashare: address } }\n",
	  "\"passivedatashare\"" },
};

static const struct message_case warnings[] = {
	{ "all data from a load balancer",
	  SHARED(TWO_PORTS) "listeners: { e: { address: 127.0.0.1:2121, proxy_protocol: 127.0.0.1/32, "
			    "proxy_data: true } }\n",
	  "all sessions together have 2 at a time" },
};

static const char *const fine[] = {
	SHARED(", passivedataports: 61000-61063"),
	SHARED(TWO_PORTS) "listeners: { e: { address: 127.0.0.1:2121, proxy_protocol: 127.0.0.1/32 } }\n",
	"daemon: { workers: 8 }\n" SHARED(TWO_PORTS),
	SHARED(TWO_PORTS) "listeners: { e: { address: 127.0.0.1:2121 },\n"
			  "  t: { address: 127.0.0.1:2122, transparent: true } }\n"
			  "rules: { r: { match: { listener: e }, " RULE " },\n"
			  "  s: { match: { listener: t }, tls: server, ftp: plain, backend: legacy } }\n",
};

static const struct {
	const char *name, *text, *want;
} ports[] = {
	{ "none", "ftp_actions: { standard: { passivedataports: 61000-61001 } }\n", "" },
	{ "one port", SHARED(", passivedataports: 61000-61000"), "127.0.0.1:61000" },
	{ "listeners with one address",
	  SHARED(TWO_PORTS) "listeners: { e: { address: 127.0.0.1:21 }, i: { address: 127.0.0.1:990, tls: "
			    "implicit } }\n",
	  "127.0.0.1:61000 127.0.0.1:61001" },
	{ "two addresses",
	  SHARED(TWO_PORTS) "listeners: { e: { address: 127.0.0.1:21 }, i: { address: 127.0.0.2:21 } }\n",
	  "127.0.0.1:61000 127.0.0.1:61001 127.0.0.2:61000 127.0.0.2:61001" },
	{ "every address covers one",
	  SHARED(TWO_PORTS) "listeners: { e: { address: 127.0.0.1:21 }, i: { address: 0.0.0.0:990, tls: "
			    "implicit } }\n",
	  "0.0.0.0:61000 0.0.0.0:61001" },
	{ "but not one of the other family",
	  SHARED(TWO_PORTS) "listeners: { e: { address: 127.0.0.1:21 }, i: { address: \"[::]:21\" } }\n",
	  "[::]:61000 [::]:61001 127.0.0.1:61000 127.0.0.1:61001" },
	{ "listeners of other rules have none",
	  SHARED(TWO_PORTS) "listeners: { e: { address: 127.0.0.1:21 }, x: { address: 127.0.0.2:21 } }\n"
			    "rules: { r: { match: { listener: e }, " RULE " } }\n",
	  "127.0.0.1:61000 127.0.0.1:61001" },
};

static void faults_are_named(void **state)
{
	(void)state;
	check_messages(errors, NELEM(errors), true);
	check_messages(warnings, NELEM(warnings), false);
	for (size_t i = 0; i < NELEM(fine); i++) {
		struct parsed p;

		parse_part(&p, fine[i]);
		if (strstr(p.printed, "passivedata") != NULL)
			fail_msg("%s:\n%s", fine[i], p.printed);
		parsed_done(&p);
	}
}

static void ports_are_listed_once(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(ports); i++) {
		struct ip_endpoint list[8];
		char text[IP_TEXT_MAX], all[512] = "";
		struct parsed p;
		size_t n;

		parse_part(&p, ports[i].text);
		assert_non_null(p.policy);
		n = policy_shared_ports(p.policy, list, NELEM(list));
		for (size_t j = 0; j < n; j++) {
			if (j > 0)
				(void)strncat(all, " ", sizeof(all) - strlen(all) - 1);
			(void)strncat(all, ip_endpoint_format(&list[j], text), sizeof(all) - strlen(all) - 1);
		}
		if (strcmp(all, ports[i].want) != 0)
			fail_msg("%s: %s", ports[i].name, all);
		parsed_done(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(faults_are_named),
		cmocka_unit_test(ports_are_listed_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
