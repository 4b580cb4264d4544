/*
 * The clients that explain takes for a whole policy: each client that rules can tell
 * apart must have one that gets the same rules.
 */
#include "gateway/ctl/explain-samples.h"

#include "tests/unit/policy-text.h"

#define DOES "tls: server, ftp: standard, backend: legacy }\n"

static const char *const first =
    "listeners: { e: { address: 0.0.0.0:21 }, i: { address: 127.0.0.1:990, tls: implicit },\n"
    "             six: { address: '[::]:21' } }\n"
    "nat: { advertise: [ { to: [10.0.0.0/8], address: 10.1.1.1 }, 203.0.113.10 ] }\n"
    "rules:\n"
    "  inner: { priority: 9, match: { remote_addr: 10.9.0.0/16 }, " DOES
    "  edge: { priority: 8, match: { remote_addr: 255.255.255.0/24 }, " DOES
    "  single: { priority: 7, match: { remote_addr: 192.0.2.9, listener: e }, " DOES
    "  here: { priority: 6, match: { local_addr: 203.0.113.7 }, " DOES
    "  docs: { priority: 5, match: { remote_addr: '2001:db8::/32' }, " DOES
    "  low: { match: { remote_addr: [0.0.0.0/1, '::/1'] }, " DOES;

static const char *const second =
    "listeners: { e: { address: 0.0.0.0:21 }, new: { address: 127.0.0.1:2121 } }\n"
    "rules:\n"
    "  inner: { priority: 9, match: { remote_addr: 10.9.128.0/17 }, " DOES "  rest: { " DOES;

/* Clients in the clear, whose destination counts. */
static const char *const outbound =
    "keyrings: { ftpd: { certificates: [ { chain: a.pem, key: a.key } ] }, ca: { trust: ca.pem } }\n"
    "tls_actions: { server: { keyring: ftpd }, partner: { handshake_role: client, keyring: ca } }\n"
    "ftp_actions: { standard: { secure_ftp: allowed, secure_ctrlconn: clear, secure_dataconn: clear } }\n"
    "backends: { legacy: { address: a:1 }, any: { address: original, tls: partner, hosts: [a.example, b.example] } }\n"
    "listeners: { e: { address: 0.0.0.0:21, tls: none, transparent: true }, i: { address: 127.0.0.1:990 } }\n"
    "rules:\n"
    "  there: { priority: 2, match: { destination: c.example }, direction: outbound, ftp: standard, backend: legacy }\n"
    "  out: { direction: outbound, ftp: standard, backend: any }\n"
    "  in: { direction: inbound, tls: server, ftp: standard, backend: legacy }\n";

/* Any client may connect, so many are tried: those around each network's ends, and others. */
static const char *const clients[] = {
	"0.0.0.0",	   "0.0.0.1",	      "9.255.255.255",
	"10.0.0.0",	   "10.8.255.255",    "10.9.0.0",
	"10.9.127.255",	   "10.9.128.0",      "10.9.255.255",
	"10.10.0.0",	   "10.255.255.255",  "11.0.0.0",
	"127.255.255.255", "128.0.0.0",	      "192.0.2.8",
	"192.0.2.9",	   "192.0.2.10",      "255.255.254.255",
	"255.255.255.0",   "255.255.255.255", "::",
	"2001:db7:ffff::", "2001:db8::",      "2001:db9::",
	"7fff::",	   "8000::",	      "ffff::",
};
static const char *const locals[] = { "127.0.0.1",   "203.0.113.6", "203.0.113.7",
				      "203.0.113.8", "::1",	    "2001:db8::1" };

static struct ip_addr addr_of(const char *input)
{
	struct ip_addr addr;

	assert_int_equal(ip_addr_parse(input, strlen(input), &addr), 0);
	return addr;
}

/* The rule and advertised address of a client at a policy; "": it cannot connect to such a listener. */
static void outcome(const struct policy *policy, const struct explain_sample *sample, char buf[static 128])
{
	const struct policy_rule *rule;
	struct explain_place place;
	struct ip_endpoint own = { .addr = sample->local.addr, .port = 60000 };
	char text[IP_TEXT_MAX], address[IP_TEXT_MAX];
	const char *server;

	buf[0] = '\0';
	if (policy == NULL || !explain_sample_place(sample, policy, &place))
		return;
	rule = policy_match(policy, &place.flow);
	if (rule == NULL) {
		(void)snprintf(buf, 128, "none");
		return;
	}
	own = policy_advertised(policy, rule->ftp, &sample->remote, &own);
	server = rule->backend->nhosts > 0
		     ? policy_server_name(rule, &rule->backend->servers[0], &sample->local.addr, address)
		     : "";
	(void)snprintf(buf, 128, "%s %s %s", rule->name, server != NULL ? server : "none",
		       ip_addr_equal(&own.addr, &sample->local.addr) ? "-" : ip_addr_format(&own.addr, text));
}

static bool is_covered(const struct explain_samples *samples, const struct policy *const policies[2],
		       const struct explain_sample *client)
{
	char want[2][128], got[2][128];

	for (size_t i = 0; i < 2; i++)
		outcome(policies[i], client, want[i]);
	if (want[0][0] == '\0' && want[1][0] == '\0')
		return true; /* nobody can connect like this */
	for (size_t i = 0; i < samples->n; i++) {
		if (strcmp(samples->items[i].listener, client->listener) != 0)
			continue;
		for (size_t j = 0; j < 2; j++)
			outcome(policies[j], &samples->items[i], got[j]);
		if (strcmp(got[0], want[0]) == 0 && strcmp(got[1], want[1]) == 0)
			return true;
	}
	return false;
}

static void check_cover(const struct policy *a, const struct policy *b, size_t most)
{
	static const char *const listeners[] = { "e", "i", "six", "new" };
	const struct policy *const policies[2] = { a, b };
	const struct explain_question all = { .listener = NULL };
	struct explain_samples samples = { .n = 0 };

	assert_int_equal(explain_samples_make(a, b, &all, &samples), 0);
	for (size_t i = 0; i < NELEM(listeners) * NELEM(clients) * NELEM(locals); i++) {
		const struct explain_sample client = {
			.listener = listeners[i % NELEM(listeners)],
			.remote = addr_of(clients[i / NELEM(listeners) % NELEM(clients)]),
			.local = { .addr = addr_of(locals[i / NELEM(listeners) / NELEM(clients)]) },
		};

		if (client.remote.family == client.local.addr.family &&
		    !is_covered(&samples, policies, &client))
			fail_msg("no sample for %s at %s", clients[i / NELEM(listeners) % NELEM(clients)],
				 client.listener);
	}
	assert_in_range(samples.n, 4, most); /* and not one for each address */
	explain_samples_free(&samples);
}

static void test_each_client_has_a_sample(void **state)
{
	struct parsed a, b;

	(void)state;
	parse_part(&a, first);
	parse_part(&b, second);
	assert_non_null(a.policy);
	assert_non_null(b.policy);
	check_cover(a.policy, NULL, 24);
	check_cover(b.policy, NULL, 24);
	check_cover(a.policy, b.policy, 40);
	check_cover(b.policy, a.policy, 40);
	parsed_done(&a);
	parsed_done(&b);
}

static void set_address(struct policy_host *host, const char *input)
{
	host->addresses[0] = addr_of(input);
	host->naddresses = 1;
}

static void test_each_destination_has_a_sample(void **state)
{
	struct parsed p;

	(void)state;
	parse_part(&p, outbound);
	if (p.policy == NULL)
		fail_msg("%s", p.printed);
	set_address(&p.policy->backends[1].hosts[0], "203.0.113.6");
	set_address(&p.policy->backends[1].hosts[1], "203.0.113.7");
	set_address(&p.policy->rules[0].destinations[0], "203.0.113.8");
	check_cover(p.policy, NULL, 5);
	parsed_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_client_has_a_sample),
		cmocka_unit_test(test_each_destination_has_a_sample),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
