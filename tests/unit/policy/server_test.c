/*
 * TLS toward servers in a policy: the values of its keys, and policies that contradict
 * themselves, promise what they do not do, or come close to it.
 */
#include "policy/policy.h"

#include "policy/match.h"
#include "tests/unit/policy-text.h"

#define RINGS                                                                                                \
	"keyrings: { ftpd: { certificates: [ { chain: a.pem, key: a.key } ] }, ca: { trust: ca.pem } }\n"
#define ACTIONS(client)                                                                                      \
	RINGS "tls_actions: { server: { keyring: ftpd }, partner: { handshake_role: client, " client " } }\n"
#define PARTNER	      ACTIONS("keyring: ca")
#define BACKEND(text) "backends: { legacy: { address: \"ftp.example.com:21\", " text " } }\n"
#define TLS(text)     PARTNER BACKEND("tls: partner, " text)
#define CLEAR                                                                                                \
	"ftp_actions: { standard: { secure_ftp: allowed, secure_ctrlconn: clear, secure_dataconn: clear } }\n"
#define INSIDE	       "listeners: { inside: { address: 127.0.0.1:2121, tls: none } }\n"
#define OUTWARD(extra) "rules: { out: { ftp: standard, backend: legacy, " extra " } }\n"

static const char *const whole = RINGS
    "tls_actions:\n"
    "  server: { keyring: ftpd }\n"
    "  partner: { handshake_role: client, keyring: ca, secure_hostname: optional,\n"
    "             pins: [\"00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:"
    "00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff\",\n"
    "                    00112233445566778899AABBCCDDEEFF00112233445566778899aabbccddeef0] }\n"
    "  strict: { handshake_role: client, keyring: ca }\n"
    "backends:\n"
    "  plain: { address: 127.0.0.1:2021, source: 127.0.0.2 }\n"
    "  defaults: { address: ftp.example.com:21, tls: strict }\n"
    "  all: { address: 192.0.2.1:21, tls: partner, hostname: ftp.example.com, secure_mechanism: SSL,\n"
    "         secure_ctrlconn: clear, secure_dataconn: never, secure_session_reuse: none, ccc: after_login,\n"
    "         tlsrfclevel: cccnonotify }\n"
    "  implicit: { address: \"[2001:db8::1]\", tls: partner, secure_mechanism: implicit,\n"
    "              secureimplicitzos: true, secure_session_reuse: required }\n"
    "  name: { address: ftp.example.com, tls: strict, secure_mechanism: implicit }\n"
    "  port: { address: ftp.example.com:2990, source: \"Interface:eth1\", tls: strict, secure_mechanism: implicit }\n"
    "  original: { address: original, tls: strict, secure_mechanism: implicit, hosts: [a.example, b.example] }\n"
    "listeners:\n"
    "  explicit: { address: 127.0.0.1:2121 }\n"
    "  inside: { address: 127.0.0.1:2122, tls: none, transparent: true }\n"
    "rules:\n"
    "  in: { direction: inbound, tls: server, ftp: standard, backend: plain }\n"
    "  out: { direction: outbound, ftp: clear, backend: original, match: { destination: [A.example, c.example] } }\n"
    "ftp_actions:\n"
    "  standard: {}\n"
    "  clear: { secure_ftp: allowed, secure_ctrlconn: clear, secure_dataconn: clear }\n";

static const struct policy_backend *backend_of(const struct policy *policy, const char *name)
{
	for (size_t i = 0; i < policy->nbackends; i++)
		if (strcmp(policy->backends[i].name, name) == 0)
			return &policy->backends[i];
	fail_msg("no backend %s", name);
	return NULL;
}

/* Toward a server of each family. NULL: policy has none of IPv4. */
static void check_source(const struct policy_backend *backend, const char *v4, int v6)
{
	char text[IP_TEXT_MAX];
	struct ip_addr source;

	assert_int_equal(policy_source_find(backend, IP_V4, &source), v4 != NULL ? 0 : -EADDRNOTAVAIL);
	assert_string_equal(ip_addr_format(&source, text), v4 != NULL ? v4 : "-");
	assert_int_equal(policy_source_find(backend, IP_V6, &source), v6);
}

static void test_values(void **state)
{
	const struct server_security *security;
	const struct policy_backend *backend;
	const struct tls_action *partner, *strict;
	struct parsed p;

	(void)state;
	parse_part(&p, whole);
	if (p.result < 0)
		fail_msg("%s", p.printed);
	partner = &p.policy->tls_actions[1];
	strict = &p.policy->tls_actions[2];
	assert_int_equal(partner->role, ROLE_CLIENT);
	assert_int_equal(partner->secure_hostname, SECURE_HOSTNAME_OPTIONAL);
	assert_int_equal(partner->npins, 2);
	assert_string_equal(partner->pins[0],
			    "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff");
	assert_string_equal(partner->pins[1],
			    "00112233445566778899aabbccddeeff00112233445566778899aabbccddeef0");
	assert_int_equal(strict->secure_hostname, SECURE_HOSTNAME_REQUIRED);
	assert_int_equal(strict->npins, 0);

	assert_false(backend_of(p.policy, "plain")->security.tls);
	assert_null(backend_of(p.policy, "plain")->tls);
	check_source(backend_of(p.policy, "plain"), "127.0.0.2", -EADDRNOTAVAIL);
	check_source(backend_of(p.policy, "defaults"), "-", 0);
	assert_string_equal(backend_of(p.policy, "port")->source_interface, "eth1");
	check_source(backend_of(p.policy, "port"), NULL, -EADDRNOTAVAIL);

	backend = backend_of(p.policy, "defaults");
	security = &backend->security;
	assert_ptr_equal(backend->tls, strict);
	assert_null(backend->hostname);
	assert_true(security->tls);
	assert_int_equal(security->mechanism, SECURE_MECHANISM_TLS);
	assert_false(security->secureimplicitzos);
	assert_int_equal(security->ctrlconn, SECURE_PRIVATE);
	assert_int_equal(security->dataconn, SECURE_PRIVATE);
	assert_int_equal(security->session_reuse, SESSION_REUSE_ALLOWED);
	assert_int_equal(security->ccc, SERVER_CCC_NEVER);
	assert_int_equal(security->tlsrfclevel, TLSRFCLEVEL_RFC4217);
	assert_int_equal(backend->servers[0].endpoint.port, 21);

	backend = backend_of(p.policy, "all");
	security = &backend->security;
	assert_string_equal(backend->hostname, "ftp.example.com");
	assert_int_equal(security->mechanism, SECURE_MECHANISM_SSL);
	assert_int_equal(security->ctrlconn, SECURE_CLEAR);
	assert_int_equal(security->dataconn, SECURE_NEVER);
	assert_int_equal(security->session_reuse, SESSION_REUSE_NONE);
	assert_int_equal(security->ccc, SERVER_CCC_AFTER_LOGIN);
	assert_int_equal(security->tlsrfclevel, TLSRFCLEVEL_CCCNONOTIFY);

	backend = backend_of(p.policy, "implicit");
	assert_int_equal(backend->security.mechanism, SECURE_MECHANISM_IMPLICIT);
	assert_true(backend->security.secureimplicitzos);
	assert_int_equal(backend->security.session_reuse, SESSION_REUSE_REQUIRED);
	assert_int_equal(backend->servers[0].endpoint.port, 990);
	assert_string_equal(backend->servers[0].host, "2001:db8::1");
	assert_int_equal(backend->servers[0].endpoint.addr.family, IP_V6);
	assert_int_equal(backend_of(p.policy, "name")->servers[0].endpoint.port, 990);
	assert_string_equal(backend_of(p.policy, "name")->servers[0].host, "ftp.example.com");
	assert_int_equal(backend_of(p.policy, "port")->servers[0].endpoint.port, 2990);
	backend = backend_of(p.policy, "original");
	assert_true(backend->original);
	assert_int_equal(backend->servers[0].endpoint.port, 990);
	assert_int_equal(backend->nhosts, 2);
	assert_string_equal(backend->hosts[1].name, "b.example");

	assert_int_equal(p.policy->listeners[1].tls, LISTENER_NONE);
	assert_int_equal(p.policy->rules[0].direction, DIRECTION_INBOUND);
	assert_int_equal(p.policy->rules[1].direction, DIRECTION_OUTBOUND);
	assert_null(p.policy->rules[1].tls);
	assert_int_equal(p.policy->rules[1].ndestinations, 2);
	assert_string_equal(p.policy->rules[1].destinations[0].name, "A.example");
	parsed_done(&p);
}

/* The direction and the addresses of the destinations decide, too. */
static void test_match(void **state)
{
	static const uint8_t bytes[3][4] = { { 192, 0, 2, 1 }, { 192, 0, 2, 2 }, { 192, 0, 2, 3 } };
	struct policy_host *host;
	struct parsed p;

	(void)state;
	parse_part(&p, whole);
	host = &p.policy->rules[1].destinations[1];
	host->addresses[0] = ip_addr_make(IP_V4, bytes[0]);
	host->addresses[1] = ip_addr_make(IP_V4, bytes[1]);
	host->naddresses = 2;
	for (size_t listener = 0; listener < 2; listener++) {
		for (size_t i = 0; i < NELEM(bytes); i++) {
			const struct policy_flow flow = { .listener = &p.policy->listeners[listener],
							  .local = ip_addr_make(IP_V4, bytes[i]) };
			const struct policy_rule *rule = policy_match(p.policy, &flow);
			const char *want = listener == 0 ? "in" : i < 2 ? "out" : "none";

			assert_string_equal(rule != NULL ? rule->name : "none", want);
		}
	}
	parsed_done(&p);
}

static const struct message_case errors[] = {
	{ "nothing verifies the server",
	  RINGS "tls_actions: { server: { keyring: ftpd }, partner: { handshake_role: client } }\n",
	  "policy.yaml:2:54: tls_actions \"partner\" verifies servers, but has neither \"keyring\" nor \"pins\"" },
	{ "a key ring without trust", ACTIONS("keyring: ftpd"),
	  "tls_actions \"partner\" verifies servers, but keyrings \"ftpd\" has no \"trust\"; add it" },
	{ "any name, but no trust either", ACTIONS("keyring: ftpd, secure_hostname: optional"),
	  "keyrings \"ftpd\" has no \"trust\"" },
	{ "a pin that is too short", ACTIONS("pins: 0011"),
	  "\"pins\" must be SHA-256 fingerprints of 64 hexadecimal digits, not \"0011\"" },
	{ "a pin with a digit too many",
	  ACTIONS("pins: 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff0"),
	  "\"pins\" must be SHA-256" },
	{ "a pin in Base64", ACTIONS("pins: \"sha256/r8udi/Mxd6pLO7y7hZyUMWq8YnFnIWXCqeHsTDRqy8=\""),
	  "\"pins\" must be SHA-256" },
	{ "a pin with a colon inside a byte",
	  ACTIONS("pins: \"0:0112233445566778899aabbccddeeff00112233445566778899aabbccddeeff0\""),
	  "\"pins\" must be SHA-256" },
	{ "a pin that ends with a colon",
	  ACTIONS("pins: \"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff:\""),
	  "\"pins\" must be SHA-256" },
	{ "no pins", ACTIONS("pins: []"), "\"pins\" is an empty list" },
	{ "pins of a server",
	  "tls_actions: { server: { keyring: ftpd, pins: "
	  "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff } }\n",
	  "policy.yaml:1:41: \"pins\" has no effect without \"handshake_role: client\"; remove it" },
	{ "secure_hostname of a server",
	  "tls_actions: { server: { keyring: ftpd, secure_hostname: optional } }\n",
	  "\"secure_hostname\" has no effect without \"handshake_role: client\"" },
	{ "client_auth_type of a client", ACTIONS("keyring: ca, client_auth_type: full"),
	  "\"client_auth_type\" has no effect with \"handshake_role: client\"; remove it" },
	{ "key sizes without certificates",
	  "tls_actions: { server: { keyring: ftpd, peer_min_rsa_key_size: 3072 } }\n",
	  "policy.yaml:1:41: \"peer_min_rsa_key_size\" has no effect with \"handshake_role: server\", which asks "
	  "for no certificate; remove it" },
	{ "key sizes beyond any curve", ACTIONS("keyring: ca, peer_min_ecc_key_size: 522"),
	  "\"peer_min_ecc_key_size\" must be" },
	{ "server_handshake_sni of a client", ACTIONS("keyring: ca, server_handshake_sni: required"),
	  "\"server_handshake_sni\" has no effect with" },
	{ "a client's action for clients",
	  PARTNER "rules: { everyone: { tls: partner, ftp: standard, backend: legacy } }\n",
	  "policy.yaml:3:22: \"tls\" of rules \"everyone\" is for clients, but tls_actions \"partner\" has "
	  "\"handshake_role: client\"" },
	{ "a server's action for servers", PARTNER BACKEND("tls: server"),
	  "policy.yaml:3:54: \"tls\" of backends \"legacy\" needs tls_actions with \"handshake_role: client\"" },

	{ "a name without TLS", BACKEND("hostname: a.example"),
	  "policy.yaml:1:54: \"hostname\" of backends \"legacy\" has no effect without \"tls\"; add that, or remove it" },
	{ "a source of the other family",
	  "backends: { legacy: { address: 192.0.2.1:21, source: \"2001:db8::1\" } }\n",
	  "policy.yaml:1:46: \"source\" of backends \"legacy\" is an IPv6 address, but its \"address\" is an IPv4 address" },
	{ "a source for all", BACKEND("source: 0.0.0.0"),
	  "\"source\" must be an address of this host, not \"0.0.0.0\"" },
	{ "a source by name", BACKEND("source: gateway.example"),
	  "\"source\" must be gateway, client, an address or interface:NAME, not \"gateway.example\"" },
	{ "no interface", BACKEND("source: \"interface:\""), "\"source\" must be gateway, client" },
	{ "a mechanism without TLS", BACKEND("secure_mechanism: tls"),
	  "\"secure_mechanism\" of backends \"legacy\" has no" },
	{ "hosts without TLS", "backends: { legacy: { address: original, hosts: a.example } }\n",
	  "\"hosts\" of backends \"legacy\" has no effect without \"tls\"" },
	{ "a level without TLS", BACKEND("secure_dataconn: private"), "\"secure_dataconn\" of backends" },
	{ "CCC without TLS", BACKEND("ccc: never"), "\"ccc\" of backends" },
	{ "Kerberos", TLS("secure_mechanism: gssapi"),
	  "\"secure_mechanism\" cannot be gssapi: this gateway does not" },
	{ "no host name", TLS("hostname: \"a b\""),
	  "\"hostname\" must be a host name or an address, not \"a b\"" },
	{ "hosts of a fixed server", TLS("hosts: a.example"),
	  "\"hosts\" of backends \"legacy\" has no effect without \"address: original\"; remove it" },
	{ "hosts by address", TLS("hosts: [a.example, 192.0.2.1]"),
	  "\"hosts\" must be host names, not \"192.0.2.1\"" },
	{ "the model of z/OS without implicit TLS", TLS("secureimplicitzos: true"),
	  "\"secureimplicitzos\" of backends \"legacy\" has no effect without \"secure_mechanism: implicit\"" },
	{ "CCC, but private", TLS("ccc: after_login"),
	  "puts the control connection into the clear, but \"secure_ctrlconn\" is private; set that to clear" },
	{ "CCC, but safe", TLS("ccc: after_login, secure_ctrlconn: safe"), "\"secure_ctrlconn\" is safe" },
	{ "CCC with implicit TLS",
	  TLS("ccc: after_login, secure_ctrlconn: clear, secure_mechanism: implicit"),
	  "\"ccc: after_login\" of backends \"legacy\" needs AUTH" },
	{ "CCC of the draft", TLS("ccc: after_login, secure_ctrlconn: clear, tlsrfclevel: draft"),
	  "\"tlsrfclevel: draft\" does not permit \"ccc: after_login\"; use rfc4217" },
	{ "sessions must resume, but none is kept",
	  ACTIONS("keyring: ca, session_timeout: 0") BACKEND("tls: partner, secure_session_reuse: required"),
	  "policy.yaml:2:91: backends \"legacy\" refuses every protected transfer" },
	{ "sessions must resume, but none is made",
	  TLS("secure_session_reuse: required, secure_dataconn: never"),
	  "has no effect with \"secure_dataconn: never\"; remove one" },
	{ "no encryption, but private",
	  ACTIONS("keyring: ca, ciphers: NULL-SHA") BACKEND("tls: partner, secure_ctrlconn: safe"),
	  "\"secure_dataconn\" of backends \"legacy\" is private, but a cipher of tls_actions \"partner\" does not" },
	{ "any server, but whose name?",
	  PARTNER "backends: { legacy: { address: original, tls: partner } }\n"
		  "listeners: { t: { address: 0.0.0.0:21, transparent: true } }\n",
	  "policy.yaml:7:50: rules \"everyone\" has no name of a server to verify, which \"secure_hostname: required\"" },
	{ "no port, explicit TLS",
	  PARTNER "backends: { legacy: { address: ftp.example.com, tls: partner } }\n",
	  "policy.yaml:3:23: \"address\" must be host:port; only with \"tls\" and \"secure_mechanism: implicit\"" },
	{ "an IPv6 address without brackets or port",
	  PARTNER
	  "backends: { legacy: { address: \"2001:db8::x\", tls: partner, secure_mechanism: implicit } }\n",
	  "\"address\" must be host:port" },

	{ "TLS of clients that have none",
	  INSIDE CLEAR "rules: { out: { tls: server, ftp: standard, backend: legacy } }\n",
	  "\"tls\" of rules \"out\" has no effect: clients of listeners \"inside\" never speak TLS; remove it" },
	{ "no TLS settings for clients that may speak it",
	  "rules: { everyone: { ftp: standard, backend: legacy } }\n",
	  "policy.yaml:1:10: rules \"everyone\" needs a value for \"tls\": clients of listeners \"explicit\" may" },
	{ "the same, one listener of two",
	  "listeners: { a: { address: 127.0.0.1:1 }, b: { address: 127.0.0.1:2, tls: none } }\n" CLEAR
	      OUTWARD(""),
	  "needs a value for \"tls\": clients of listeners \"a\" may speak TLS" },
	{ "outbound at a listener of the other kind",
	  "listeners: { a: { address: 127.0.0.1:1 }, b: { address: 127.0.0.1:2, tls: none } }\n" CLEAR
	      OUTWARD("direction: outbound, match: { listener: a }"),
	  "\"direction\" of rules \"out\" fits none of its listeners" },
	{ "clients in the clear must use TLS", INSIDE OUTWARD(""),
	  "ftp_actions \"standard\" has \"secure_ftp: required\", but clients of listeners \"inside\" never speak TLS" },
	{ "their control connection must",
	  INSIDE "ftp_actions: { standard: { secure_ftp: allowed } }\n" OUTWARD(""),
	  "ftp_actions \"standard\" has \"secure_ctrlconn: private\"" },
	{ "their data must",
	  INSIDE
	  "ftp_actions: { standard: { secure_ftp: allowed, secure_ctrlconn: clear, secure_dataconn: safe } }\n" OUTWARD(
	      ""),
	  "ftp_actions \"standard\" has \"secure_dataconn: safe\"" },
	{ "a destination by address", INSIDE CLEAR OUTWARD("match: { destination: 192.0.2.1 }"),
	  "\"destination\" must be host names, not \"192.0.2.1\"; use local_addr for addresses" },
	{ "an empty match", INSIDE CLEAR OUTWARD("match: {}"), "local_addr, destination or time, or remove" },
};

static void test_errors(void **state)
{
	(void)state;
	check_messages(errors, NELEM(errors), true);
}

static const struct message_case warnings[] = {
	{ "clients in the clear on a network",
	  "listeners: { inside: { address: 0.0.0.0:2121, tls: none } }\n" CLEAR OUTWARD(""),
	  "policy.yaml:1:47: warning: passwords and files of clients of listeners \"inside\" cross the network" },
	{ "clients in the clear, redirected",
	  "listeners: { inside: { address: 127.0.0.1:2121, transparent: true, tls: none } }\n" CLEAR OUTWARD(
	      ""),
	  "passwords and files of clients of listeners \"inside\" cross the network in the clear" },
	{ "a variant of CCC, but no CCC", TLS("tlsrfclevel: cccnonotify"),
	  "\"tlsrfclevel\" of backends \"legacy\" has no effect while \"ccc\" is never" },
	{ "an action for nobody", PARTNER, "tls_actions \"partner\" is not used by any rule or backend" },
};

static const struct message_case no_warnings[] = {
	{ "a client in the clear on this host", INSIDE CLEAR PARTNER BACKEND("tls: partner") OUTWARD("") "",
	  "passwords and files" },
	{ "trust for servers", TLS("data: passive"), "\"trust\" of keyrings" },
	{ "an action of a backend", TLS("data: passive"), "not used" },
	{ "static RSA needs no key of a client",
	  ACTIONS("keyring: ca, ciphers: [ 2F, C02B ]") BACKEND("tls: partner, secure_dataconn: private"),
	  "does not offer" },
	{ "another destination",
	  "listeners: { inside: { address: 127.0.0.1:2121, tls: none } }\n" CLEAR
	  "rules: { a: { priority: 2, match: { destination: a.example }, ftp: standard, backend: legacy },\n"
	  "         b: { match: { destination: b.example }, ftp: standard, backend: legacy } }\n",
	  "can never match" },
	{ "another direction",
	  "listeners: { i: { address: 127.0.0.1:2121, tls: none }, o: { address: 127.0.0.1:2122 } }\n" CLEAR
	  "rules: { a: { priority: 2, direction: outbound, ftp: standard, backend: legacy },\n"
	  "         b: { direction: inbound, tls: server, ftp: standard, backend: legacy } }\n",
	  "can never match" },
};

static void test_warnings(void **state)
{
	(void)state;
	check_messages(warnings, NELEM(warnings), false);
	for (size_t i = 0; i < NELEM(no_warnings); i++) {
		struct parsed p;

		parse_part(&p, no_warnings[i].text);
		if (p.result < 0 || strstr(p.printed, no_warnings[i].want) != NULL)
			fail_msg("%s: %s", no_warnings[i].name, p.printed);
		parsed_done(&p);
	}
}

/* The same where it makes sense. */
static const struct message_case fine[] = {
	{ "a pin alone",
	  ACTIONS("pins: 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff")
	      BACKEND("tls: partner"),
	  "" },
	{ "a pin makes the name optional",
	  ACTIONS(
	      "pins: 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff") "backends: { legacy: { address: original, tls: partner } }\n"
											"listeners: { t: { address: 0.0.0.0:21, transparent: true } }\n",
	  "" },
	{ "the authorities of the system",
	  "keyrings: { ftpd: { certificates: [ { chain: a.pem, key: a.key } ] }, ca: { trust: \"*AUTH*/*\" } }\n"
	  "tls_actions: { server: { keyring: ftpd }, partner: { handshake_role: client, keyring: ca } }\n" BACKEND(
	      "tls: partner"),
	  "" },
	{ "original with a host",
	  PARTNER "backends: { legacy: { address: original, tls: partner, hosts: ftp.example.com } }\n"
		  "listeners: { t: { address: 0.0.0.0:21, transparent: true } }\n",
	  "" },
	{ "original with a destination",
	  PARTNER "backends: { legacy: { address: original, tls: partner } }\n"
		  "listeners: { t: { address: 127.0.0.1:21, transparent: true, tls: none } }\n" CLEAR OUTWARD(
		      "match: { destination: ftp.example.com }"),
	  "" },
	{ "CCC", TLS("ccc: after_login, secure_ctrlconn: clear"), "" },
	{ "a name that is an address", TLS("hostname: 192.0.2.1"), "" },
	{ "PROXY before TLS", TLS("proxy_protocol: v2, proxy_data: true"), "" },
	{ "clear sessions beyond the levels",
	  INSIDE
	  "ftp_actions: { standard: { secure_ftp: allowed, data_policy_scope: protected } }\n" OUTWARD(""),
	  "" },
};

static void test_fine(void **state)
{
	(void)state;
	check_messages(fine, NELEM(fine), false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),	 cmocka_unit_test(test_match), cmocka_unit_test(test_errors),
		cmocka_unit_test(test_warnings), cmocka_unit_test(test_fine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
