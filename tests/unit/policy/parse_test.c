/*
 * Parsing whole policies: defaults, the values of each type, and one faulty policy
 * for each message of the parsers.
 */
#include "policy/policy.h"

#include "policy/schema.h"
#include "tests/unit/policy-text.h"

/* A minimal policy: every key that is not given has its default. */
static void test_minimal(void **state)
{
	const struct policy_daemon *daemon;
	const struct tls_action *tls;
	const struct ftp_action *ftp;
	struct parsed p;

	(void)state;
	parse_part(&p, "");
	assert_string_equal(p.printed, "");
	daemon = &p.policy->daemon;
	assert_string_equal(daemon->user, "attlsd");
	assert_false(daemon->user_given);
	assert_int_equal(daemon->workers, 0);
	assert_int_equal(daemon->key_isolation, KEY_ISOLATION_AUTO);
	assert_string_equal(daemon->control_socket, "/run/attlsd/control.sock");
	assert_false(daemon->control_socket_given);
	assert_int_equal(daemon->log_level, LOG_LEVEL_INFO);
	assert_int_equal(daemon->log_format, LOG_FORMAT_TEXT);
	assert_int_equal(daemon->limit_sessions, 10000);
	assert_int_equal(daemon->limit_sessions_per_source, 200);
	assert_int_equal(daemon->limit_unauthenticated_per_source, 20);

	assert_int_equal(p.policy->ntls_actions, 1);
	tls = &p.policy->tls_actions[0];
	assert_int_equal(tls->role, ROLE_SERVER);
	assert_int_equal(tls->client_auth_type, CLIENT_AUTH_REQUIRED);
	assert_int_equal(tls->versions, POLICY_TLS1_2 | POLICY_TLS1_3);
	assert_int_equal(tls->handshake_timeout_ms, 10000);
	assert_int_equal(tls->session_timeout_s, 3600);
	assert_false(tls->ktls);
	assert_null(tls->ciphers);
	assert_null(tls->ciphersuites);
	assert_ptr_equal(tls->keyring, &p.policy->keyrings[0]);

	assert_int_equal(p.policy->nftp_actions, 1);
	ftp = &p.policy->ftp_actions[0];
	assert_string_equal(ftp->name, "standard");
	assert_int_equal(ftp->extensions, EXTENSION_AUTH_TLS);
	assert_int_equal(ftp->secure_ftp, SECURE_FTP_REQUIRED);
	assert_int_equal(ftp->secure_login, SECURE_LOGIN_NO_CLIENT_AUTH);
	assert_int_equal(ftp->secure_password, SECURE_PASSWORD_REQUIRED);
	assert_int_equal(ftp->secure_ctrlconn, SECURE_PRIVATE);
	assert_int_equal(ftp->secure_dataconn, SECURE_PRIVATE);
	assert_int_equal(ftp->secure_session_reuse, SESSION_REUSE_ALLOWED);
	assert_int_equal(ftp->tlsrfclevel, TLSRFCLEVEL_RFC4217);
	assert_false(ftp->secureimplicitzos);
	assert_int_equal(ftp->passivedataports.low, 0);
	assert_int_equal(ftp->passivedataconn, NOREDIRECT);
	assert_int_equal(ftp->portcommand, PORTCOMMAND_ACCEPT);
	assert_int_equal(ftp->portcommandipaddr, NOREDIRECT);
	assert_int_equal(ftp->portcommandport, NOLOWPORTS);
	assert_int_equal(ftp->replysecuritylevel, 0);
	assert_false(ftp->accesserrormsgs);
	assert_false(ftp->session_summary);
	assert_int_equal(ftp->ftpkeepalive_s, 120);
	assert_int_equal(ftp->datakeepalive_s, 120);
	assert_int_equal(ftp->inactive_s, 300);
	assert_int_equal(ftp->dswaittime_min, 0);
	assert_int_equal(ftp->progress_s, 0);
	assert_null(ftp->login_check);
	assert_null(ftp->banner);
	assert_null(ftp->adminemailaddress);
	assert_int_equal(ftp->reply_style, REPLY_STYLE_RFC);

	assert_int_equal(p.policy->rules[0].priority, 1);
	assert_int_equal(p.policy->rules[0].nlisteners, 0);
	assert_int_equal(p.policy->nat.nadvertise, 0);
	assert_int_equal(p.policy->nat.advertise_ports.low, 0);
	assert_int_equal(p.policy->nusers, 0);
	parsed_done(&p);
}

#define LOCATED(member) offsetof(struct ftp_action, member), sizeof(((struct ftp_action *)0)->member)

/* A policy under which clients may do without TLS. */
#define CLEAR_TOO "secure_ftp: allowed, secure_ctrlconn: clear, secure_dataconn: clear"

static const struct {
	const char *text; /* inside { } of an ftp action */
	size_t offset;
	size_t width;
	uint32_t want;
} ftp_values[] = {
	{ "extensions: []", LOCATED(extensions), false },
	{ "extensions: auth_tls", LOCATED(extensions), true },
	{ "extensions: [AUTH_TLS]", LOCATED(extensions), EXTENSION_AUTH_TLS },
	{ "tlsmechanism: attls", LOCATED(secure_pbsz), 16384 },
	{ "secure_password_kerberos: required", LOCATED(secure_password_kerberos), SECURE_PASSWORD_REQUIRED },
	{ "tlsmechanism: attls", LOCATED(extensions), true },
	{ CLEAR_TOO, LOCATED(secure_ftp), SECURE_FTP_ALLOWED },
	{ "secure_ftp: Required", LOCATED(secure_ftp), SECURE_FTP_REQUIRED },
	{ "data_port: any", LOCATED(data_port), DATA_PORT_ANY },
	{ "data_port: lower", LOCATED(data_port), DATA_PORT_LOWER },
	{ "ftplogging: truenodns", LOCATED(ftplogging), FTPLOGGING_TRUENODNS },
	{ "ftplogging: false", LOCATED(ftplogging), FTPLOGGING_FALSE },
	{ "data_policy_scope: all", LOCATED(data_policy_scope), DATA_POLICY_ALL },
	{ CLEAR_TOO ", data_policy_scope: protected", LOCATED(data_policy_scope), DATA_POLICY_PROTECTED },
	{ "secure_login: no_client_auth", LOCATED(secure_login), SECURE_LOGIN_NO_CLIENT_AUTH },
	{ "secure_ctrlconn: clear", LOCATED(secure_ctrlconn), SECURE_CLEAR },
	{ "secure_ctrlconn: safe", LOCATED(secure_ctrlconn), SECURE_SAFE },
	{ "secure_dataconn: NEVER", LOCATED(secure_dataconn), SECURE_NEVER },
	{ "secure_dataconn: clear", LOCATED(secure_dataconn), SECURE_CLEAR },
	{ "secure_dataconn: safe", LOCATED(secure_dataconn), SECURE_SAFE },
	{ "secure_session_reuse: none", LOCATED(secure_session_reuse), SESSION_REUSE_NONE },
	{ "secure_session_reuse: required", LOCATED(secure_session_reuse), SESSION_REUSE_REQUIRED },
	{ "secure_session_reuse: required_user", LOCATED(secure_session_reuse), SESSION_REUSE_REQUIRED_USER },
	{ "tlsrfclevel: draft", LOCATED(tlsrfclevel), TLSRFCLEVEL_DRAFT },
	{ "tlsrfclevel: cccnonotify, secure_ctrlconn: clear", LOCATED(tlsrfclevel), TLSRFCLEVEL_CCCNONOTIFY },
	{ "secureimplicitzos: true", LOCATED(secureimplicitzos), true },
	{ "secureimplicitzos: TRUE", LOCATED(secureimplicitzos), true },
	{ "passivedataports: 60000-60100", LOCATED(passivedataports.low), 60000 },
	{ "passivedataports: \"(60000,60100)\"", LOCATED(passivedataports.high), 60100 },
	{ "passivedataconn: unrestricted", LOCATED(passivedataconn), REDIRECT_UNRESTRICTED },
	{ "passivedatashare: source, passivedataports: 60000-60001", LOCATED(passivedatashare),
	  PASSIVEDATASHARE_SOURCE },
	{ "portcommand: reject", LOCATED(portcommand), PORTCOMMAND_REJECT },
	{ "portcommandipaddr: unrestricted", LOCATED(portcommandipaddr), REDIRECT_UNRESTRICTED },
	{ "portcommandport: unrestricted", LOCATED(portcommandport), LOWPORTS_UNRESTRICTED },
	{ "ftpkeepalive: 0", LOCATED(ftpkeepalive_s), 0 },
	{ "progress: 0", LOCATED(progress_s), 0 },
	{ "progress: 10", LOCATED(progress_s), 10 },
	{ "progress: 1m", LOCATED(progress_s), 60 },
	{ "ftpkeepalive: 60", LOCATED(ftpkeepalive_s), 60 },
	{ "ftpkeepalive: 1d", LOCATED(ftpkeepalive_s), 86400 },
	{ "datakeepalive: 2m", LOCATED(datakeepalive_s), 120 },
	{ "inactive: 0", LOCATED(inactive_s), 0 },
	{ "inactive: 1", LOCATED(inactive_s), 1 },
	{ "inactive: 3000ms", LOCATED(inactive_s), 3 },
	{ "reply_style: zos", LOCATED(reply_style), REPLY_STYLE_ZOS },
};

static void test_ftp_values(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(ftp_values); i++) {
		uint32_t got = 0;
		char text[256];
		struct parsed p;

		(void)snprintf(text, sizeof(text),
			       "listeners: { i: { address: \"0.0.0.0:990\", tls: implicit } }\n"
			       "ftp_actions: { standard: { %s } }\n",
			       ftp_values[i].text);
		parse_part(&p, text);
		if (p.result < 0 || p.printed[0] != '\0')
			fail_msg("%s: %s", ftp_values[i].text, p.printed);
		memcpy(&got, (const char *)&p.policy->ftp_actions[0] + ftp_values[i].offset,
		       ftp_values[i].width);
		if (got != ftp_values[i].want)
			fail_msg("%s: got %u", ftp_values[i].text, got);
		parsed_done(&p);
	}
}

static const char *const whole =
    "version: 1\n"
    "daemon:\n"
    "  user: gate\n"
    "  workers: 4\n"
    "  key_isolation: false\n"
    "  log: { level: DEBUG, format: json }\n"
    "  limits: { sessions: 5, sessions_per_source: 4, unauthenticated_per_source: 3 }\n"
    "rules:\n"
    "  b: { priority: 5, match: { listener: one, remote_addr: 10.0.0.0/8,\n"
    "       local_addr: [192.0.2.1, \"2001:db8::/32\"] }, tls: t, ftp: f, backend: name }\n"
    "  c: { priority: 7, match: { listener: [two, one], remote_addr: \"::1\" }, tls: t, ftp: f, backend: six "
    "}\n"
    "  a: { priority: 5, match: { listener: two }, tls: t, ftp: f, backend: four }\n"
    "keyrings:\n"
    "  r:\n"
    "    certificates:\n"
    "      - { label: FTP Server 2026, chain: certs/a.pem, key: /etc/a.key }\n"
    "      - { chain: b.pem, key: b.key }\n"
    "tls_actions:\n"
    "  t:\n"
    "    handshake_role: server\n"
    "    keyring: r\n"
    "    versions: tls1.2\n"
    "    ciphers: [C02B, ECDHE-RSA-AES128-GCM-SHA256, TLS_RSA_WITH_AES_128_CBC_SHA, \"35\"]\n"
    "    handshake_timeout: 1500ms\n"
    "    session_timeout: 0\n"
    "    ktls: true\n"
    "ftp_actions:\n"
    "  f:\n"
    "backends:\n"
    "  name: { address: mvs098.example.com:21, data: active, epsv: never, stray_replies: close, multiline: lenient, abort: urgent,\n"
    "          server_greeting_timeout: 5m, connect_timeout: 2s }\n"
    "  four: { address: 127.0.0.1:2021, source: gateway, data: passive, epsv: always, low_ports: true,\n"
    "          greet_first: true, command_line_max: 4096 }\n"
    "  six: { address: \"[2001:db8::1]:21\", data: auto, proxy_protocol: v2, proxy_data: true }\n"
    "listeners:\n"
    "  one: { address: 0.0.0.0:0, tls: auto }\n"
    "  two: { address: \"[::]:990\", tls: implicit, transparent: false,\n"
    "         proxy_protocol: [10.0.0.0/8, \"2001:db8::/32\"], proxy_data: true }\n"
    "nat: { advertise: 203.0.113.10, conntrack: off }\n"
    "users: {}\n";

static void test_whole(void **state)
{
	const struct policy_rule *b;
	const struct policy *policy;
	struct parsed p;
	char buf[IP_TEXT_MAX];

	(void)state;
	parse_folder(&p, whole, strlen(whole), "/etc/attlsd");
	assert_string_equal(p.printed, "");
	policy = p.policy;
	assert_string_equal(policy->daemon.user, "gate");
	assert_true(policy->daemon.user_given);
	assert_int_equal(policy->daemon.user_mark.line, 3);
	assert_int_equal(policy->daemon.user_mark.column, 9);
	assert_int_equal(policy->daemon.workers, 4);
	assert_int_equal(policy->daemon.key_isolation, KEY_ISOLATION_FALSE);
	assert_int_equal(policy->daemon.log_level, LOG_LEVEL_DEBUG);
	assert_int_equal(policy->daemon.log_format, LOG_FORMAT_JSON);
	assert_int_equal(policy->daemon.limit_unauthenticated_per_source, 3);

	assert_int_equal(policy->keyrings[0].ncertificates, 2);
	assert_string_equal(policy->keyrings[0].certificates[0].label, "FTP Server 2026");
	assert_string_equal(policy->keyrings[0].certificates[0].chain, "/etc/attlsd/certs/a.pem");
	assert_string_equal(policy->keyrings[0].certificates[0].key, "/etc/a.key");
	assert_int_equal(policy->keyrings[0].certificates[0].key_mark.column, 60);
	assert_null(policy->keyrings[0].certificates[1].label);
	assert_int_equal(policy->keyrings[0].mark.line, 14);

	assert_int_equal(policy->tls_actions[0].versions, POLICY_TLS1_2);
	assert_string_equal(
	    policy->tls_actions[0].ciphers,
	    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:AES128-SHA:AES256-SHA");
	assert_int_equal(policy->tls_actions[0].ciphers_mark.line, 23);
	assert_int_equal(policy->tls_actions[0].handshake_timeout_ms, 1500);
	assert_int_equal(policy->tls_actions[0].session_timeout_s, 0);
	assert_true(policy->tls_actions[0].ktls);

	assert_string_equal(policy->backends[0].servers[0].host, "mvs098.example.com");
	assert_int_equal(policy->backends[0].servers[0].endpoint.addr.family, IP_NONE);
	assert_int_equal(policy->backends[0].servers[0].endpoint.port, 21);
	assert_int_equal(policy->backends[0].data, BACKEND_DATA_ACTIVE);
	assert_int_equal(policy->backends[0].epsv, BACKEND_EPSV_NEVER);
	assert_int_equal(policy->backends[0].stray_replies, BACKEND_STRAY_CLOSE);
	assert_int_equal(policy->backends[0].abort, BACKEND_ABORT_URGENT);
	assert_int_equal(policy->backends[1].abort, BACKEND_ABORT_AUTO);
	assert_int_equal(policy->backends[1].stray_replies, BACKEND_STRAY_DROP);
	assert_int_equal(policy->backends[0].greeting_timeout_ms, 300000);
	assert_int_equal(policy->backends[0].connect_timeout_ms, 2000);
	assert_int_equal(policy->backends[1].connect_timeout_ms, 0);
	assert_int_equal(policy->backends[1].greeting_timeout_ms, 60000);
	assert_int_equal(policy->backends[0].multiline, BACKEND_MULTILINE_LENIENT);
	assert_int_equal(policy->backends[1].multiline, BACKEND_MULTILINE_STRICT);
	assert_false(policy->backends[0].low_ports);
	assert_false(policy->backends[0].greet_first);
	assert_true(policy->backends[1].greet_first);
	assert_true(policy->backends[1].low_ports);
	assert_int_equal(policy->backends[0].command_line_max, 510);
	assert_int_equal(policy->backends[1].command_line_max, 4096);
	assert_string_equal(ip_endpoint_format(&policy->backends[1].servers[0].endpoint, buf),
			    "127.0.0.1:2021");
	assert_string_equal(policy->backends[2].servers[0].host, "2001:db8::1");
	assert_string_equal(ip_endpoint_format(&policy->backends[2].servers[0].endpoint, buf),
			    "[2001:db8::1]:21");
	assert_int_equal(policy->backends[2].index, 2);
	assert_int_equal(policy->backends[1].proxy, BACKEND_PROXY_NONE);
	assert_int_equal(policy->backends[2].proxy, BACKEND_PROXY_V2);
	assert_true(policy->backends[2].proxy_data);

	assert_int_equal(policy->listeners[0].endpoint.port, 0);
	assert_int_equal(policy->listeners[1].tls, LISTENER_IMPLICIT);
	assert_int_equal(policy->listeners[1].index, 1);
	assert_int_equal(policy->listeners[0].tls, LISTENER_AUTO);
	assert_int_equal(policy->listeners[1].nproxies, 2);
	assert_true(policy->listeners[1].proxy_data);
	assert_true(policy_is_proxy(&policy->listeners[1], &policy->backends[2].servers[0].endpoint.addr));
	assert_false(policy_is_proxy(&policy->listeners[1], &policy->backends[1].servers[0].endpoint.addr));
	assert_false(policy_is_proxy(&policy->listeners[0], &policy->backends[1].servers[0].endpoint.addr));
	assert_string_equal(ip_addr_format(&policy->nat.advertise[0].v4, buf), "203.0.113.10");

	/* larger priority first, then by name */
	assert_int_equal(policy->nrules, 3);
	assert_string_equal(policy->rules[0].name, "c");
	assert_string_equal(policy->rules[1].name, "a");
	assert_string_equal(policy->rules[2].name, "b");
	b = &policy->rules[2];
	assert_int_equal(b->nlisteners, 1);
	assert_ptr_equal(b->listeners[0], &policy->listeners[0]);
	assert_int_equal(b->nremote_addrs, 1);
	assert_string_equal(ip_addr_format(&b->remote_addrs[0].low, buf), "10.0.0.0");
	assert_string_equal(ip_addr_format(&b->remote_addrs[0].high, buf), "10.255.255.255");
	assert_int_equal(b->nlocal_addrs, 2);
	assert_string_equal(ip_addr_format(&b->local_addrs[0].high, buf), "192.0.2.1");
	assert_string_equal(ip_addr_format(&b->local_addrs[1].low, buf), "2001:db8::");
	assert_ptr_equal(b->tls, &policy->tls_actions[0]);
	assert_ptr_equal(b->ftp, &policy->ftp_actions[0]);
	assert_ptr_equal(b->backend, &policy->backends[0]);
	assert_int_equal(b->mark.line, 9);
	assert_int_equal(policy->rules[0].nlisteners, 2);
	assert_ptr_equal(policy->rules[0].listeners[0], &policy->listeners[1]);
	parsed_done(&p);
}

static void test_control_socket(void **state)
{
	struct parsed p;

	(void)state;
	parse_part(&p, "daemon: { control_socket: none }\n");
	assert_string_equal(p.printed, "");
	assert_null(p.policy->daemon.control_socket);
	assert_true(p.policy->daemon.control_socket_given);
	parsed_done(&p);
	parse_part(&p, "daemon: { control_socket: /tmp/attlsd.sock }\n");
	assert_string_equal(p.printed, "");
	assert_string_equal(p.policy->daemon.control_socket, "/tmp/attlsd.sock");
	assert_true(p.policy->daemon.control_socket_given);
	assert_int_equal(p.policy->daemon.control_socket_mark.column, 27);
	assert_null(p.policy->daemon.control_group);
	parsed_done(&p);
	parse_part(&p, "daemon: { control_group: ftpops }\n");
	assert_string_equal(p.printed, "");
	assert_string_equal(p.policy->daemon.control_group, "ftpops");
	assert_int_equal(p.policy->daemon.control_group_mark.column, 26);
	parsed_done(&p);
}

#define NODE_63 "123456789-123456789-123456789-123456789-123456789-123456789-123"

static void test_http(void **state)
{
	struct parsed p;

	(void)state;
	parse_part(&p, "daemon: { http: 127.0.0.1:8021, http_token_file: t, http_keyring: ftpd, "
		       "http_hosts: [ gw.example ] }\n");
	assert_string_equal(p.printed, "");
	assert_null(p.policy->daemon.http.path);
	assert_int_equal(p.policy->daemon.http.endpoint.port, 8021);
	assert_string_equal(p.policy->daemon.http.token_file, "t");
	assert_ptr_equal(p.policy->daemon.http.keyring, &p.policy->keyrings[0]);
	assert_int_equal(p.policy->daemon.http.nhosts, 1);
	assert_string_equal(p.policy->daemon.http.hosts[0].name, "gw.example");
	assert_int_equal(p.policy->daemon.http.mark.column, 17);
	parsed_done(&p);
	parse_part(&p, "daemon: { http: /run/attlsd/http.sock }\n");
	assert_string_equal(p.printed, "");
	assert_string_equal(p.policy->daemon.http.path, "/run/attlsd/http.sock");
	assert_int_equal(p.policy->daemon.http.endpoint.addr.family, IP_NONE);
	parsed_done(&p);
	parse_part(&p, "daemon: { node: Edge_1.example-2 }\n");
	assert_string_equal(p.printed, "");
	assert_string_equal(p.policy->daemon.node, "Edge_1.example-2");
	parsed_done(&p);
	parse_part(&p, "daemon: { node: " NODE_63 " }\n");
	assert_string_equal(p.policy->daemon.node, NODE_63);
	parsed_done(&p);
	parse_part(&p, "daemon: { agent: \"[::1]:8022\" }\n");
	assert_string_equal(p.printed, "");
	assert_int_equal(p.policy->daemon.agent.endpoint.port, 8022);
	parsed_done(&p);
	parse_part(&p, "daemon: { agent: none }\n");
	assert_string_equal(p.printed, "");
	assert_int_equal(p.policy->daemon.agent.endpoint.addr.family, IP_NONE);
	parsed_done(&p);
	parse_part(&p, "daemon: { http: none }\n");
	assert_null(p.policy->daemon.http.path);
	assert_int_equal(p.policy->daemon.http.endpoint.addr.family, IP_NONE);
	parsed_done(&p);
}

#define TLS(text)      "tls_actions: { server: { keyring: ftpd, " text " } }\n"
#define FTP(text)      "ftp_actions: { standard: { " text " } }\n"
#define BACKEND(text)  "backends: { legacy: { " text " } }\n"
#define LISTENER(text) "listeners: { explicit: { " text " } }\n"
#define RULE(text)     "rules: { everyone: { tls: server, ftp: standard, backend: legacy, " text " } }\n"

static const struct message_case faults[] = {
	{ "a node with a blank", "daemon: { node: \"edge 1\" }\n",
	  "policy.yaml:1:17: \"node\" must be a name: 1 to 63 letters, digits and _ . -" },
	{ "a node that is too long", "daemon: { node: " NODE_63 "4 }\n",
	  "policy.yaml:1:17: \"node\" must be a name: 1 to 63 letters, digits and _ . -" },
	{ "http at a name", "daemon: { http: localhost:8021 }\n",
	  "policy.yaml:1:17: \"http\" must be address:port, the path of a socket" },
	{ "the agent at a path", "daemon: { agent: /run/agent }\n",
	  "policy.yaml:1:18: \"agent\" must be address:port or \"[IPv6 address]:port\" with a port from 0 to 65535, or none" },
	{ "http at a path without a slash", "daemon: { http: http.sock }\n",
	  "policy.yaml:1:17: \"http\" must be address:port, the path of a socket" },
	{ "http with an unknown key ring", "daemon: { http: 127.0.0.1:8021, http_keyring: other }\n",
	  "policy.yaml:1:47: there is no \"other\"" },
	{ "a group that is no name", "daemon: { control_group: \"ftp ops\" }\n",
	  "policy.yaml:1:26: \"control_group\"" },
	{ "version 2", "version: 2\n", "policy.yaml:1:10: \"version\" must be 1" },
	{ "unknown section", "rulez: {}\n",
	  "policy.yaml:1:1: unknown key \"rulez\"; did you mean \"rules\"?" },
	{ "section in the singular", "keyring: {}\n",
	  "policy.yaml:1:1: unknown key \"keyring\"; did you mean \"keyrings\"?" },
	{ "another one", "listener: {}\n", "did you mean \"listeners\"?" },
	{ "unknown key", FTP("secure_ftpp: required"),
	  "policy.yaml:1:28: unknown key \"secure_ftpp\" in ftp_actions \"standard\"; did you mean "
	  "\"secure_ftp\"?\n"
	  "    ftp_actions: { standard: { secure_ftpp: required } }\n"
	  "                               ^\n" },
	{ "unknown key, nothing like it", FTP("colour: red"),
	  "policy.yaml:1:28: unknown key \"colour\" in ftp_actions \"standard\"\n" },
	{ "key of another section", LISTENER("passivedataports: 61000-61100"),
	  "unknown key \"passivedataports\" in listeners \"explicit\"; it belongs to ftp_actions" },
	{ "key of a group", LISTENER("sessions_per_source: 3"),
	  "unknown key \"sessions_per_source\" in listeners \"explicit\"; it belongs to limits" },
	{ "key of the top level", FTP("nat: {}"),
	  "unknown key \"nat\" in ftp_actions \"standard\"; it belongs to the top level" },
	{ "key of several sections", FTP("address: x"),
	  "unknown key \"address\" in ftp_actions \"standard\"" },
	{ "key in capitals", FTP("SECURE_FTP: required"), "did you mean \"secure_ftp\"?" },
	{ "unknown key of a group", RULE("match: { listner: explicit }"),
	  "unknown key \"listner\" in match of rules \"everyone\"; did you mean \"listener\"?" },
	{ "unknown key of a list", "keyrings: { ftpd: { certificates: [ { chain: a, keyy: b } ] } }\n",
	  "unknown key \"keyy\" in certificates of keyrings \"ftpd\"; did you mean \"key\"?" },
	{ "unknown key of the daemon", "daemon: { usr: x }\n",
	  "policy.yaml:1:11: unknown key \"usr\" in daemon; did you mean \"user\"?" },
	{ "a merge key", "ftp_actions: { standard: { <<: x } }\n", "unknown key \"<<\"" },

	{ "empty section", "backends: {}\n", "policy.yaml:1:11: \"backends\" needs at least one entry" },
	{ "empty section without a value", "rules:\n", "\"rules\" needs at least one entry" },
	{ "section that is a list", "backends: [a]\n", "policy.yaml:1:11: \"backends\" must be a mapping" },
	{ "entry that is a word", "keyrings: { ftpd: { certificates: [ server.pem ] } }\n",
	  "an entry of \"certificates\" must be a mapping of keys to values" },
	{ "no space after the only colon", "ftp_actions:\n  standard:\n    secure_ftp:required\n",
	  ":3:5: \"standard\" must be a mapping of keys to values; a colon after a key must be "
	  "followed by a space" },
	{ "object that is a word", "backends: { a: b }\n", "policy.yaml:1:16: \"a\" must be a mapping" },
	{ "a bad name", "backends: { \"a b\": { address: a:1 } }\n",
	  "policy.yaml:1:13: \"a b\" is not a valid name" },
	{ "a long name", "backends: { a23456789012345678901234567890123: { address: a:1 } }\n",
	  "is not a valid name" },
	{ "missing key", "backends: { legacy: {} }\n",
	  "policy.yaml:1:13: backends \"legacy\" needs a value for \"address\"" },
	{ "missing keys of a rule", "rules: { everyone: { tls: server } }\n",
	  "policy.yaml:1:10: rules \"everyone\" needs a value for \"backend\"" },
	{ "no value", FTP("secure_ftp: "), "policy.yaml:1:41: \"secure_ftp\" has no value" },
	{ "list for a value", FTP("secure_ftp: [required]"),
	  "policy.yaml:1:40: \"secure_ftp\" must be a single value" },
	{ "mapping for a list", RULE("match: { listener: {} }"), "\"listener\" must be a list" },
	{ "empty list", RULE("match: { remote_addr: [] }"), "\"remote_addr\" is an empty list" },
	{ "empty list of versions", TLS("versions: []"), "\"versions\" is an empty list" },

	{ "unknown word", FTP("secure_dataconn: maybe"),
	  "policy.yaml:1:45: \"secure_dataconn\" must be one of: never, clear, safe, private\n" },
	{ "word with a slip", FTP("secure_dataconn: privat"),
	  "\"secure_dataconn\" must be one of: never, clear, safe, private; did you mean \"private\"?" },
	{ "never on a control connection", FTP("secure_ctrlconn: never"),
	  "\"secure_ctrlconn\" must be one of: clear, safe, private\n" },
	{ "the only word", FTP("tlsmechanism: gssapi"), "\"tlsmechanism\" must be attls\n" },
	{ "tlsmechanism ftp", FTP("tlsmechanism: FTP"),
	  "policy.yaml:1:42: \"tlsmechanism\" cannot be ftp: this gateway does TLS for the FTP server" },
#ifdef HAVE_GSSAPI
	{ "Kerberos without keys", FTP("extensions: [auth_tls, auth_gssapi]"),
	  "\"extensions\" of ftp_actions \"standard\" has auth_gssapi, which needs the keys of this service" },
#else
	{ "Kerberos", FTP("extensions: [auth_tls, auth_gssapi]"),
	  "\"extensions\" cannot be auth_gssapi: this attlsd was built without GSSAPI" },
#endif
	{ "a principal without its realm", "users: { U: { principals: [ u ] } }\n",
	  "policy.yaml:1:29: \"principals\" must be names with a realm, such as user@EXAMPLE.COM, not \"u\"" },
	{ "a principal with an empty realm", "users: { U: { principals: [ u@ ] } }\n", "with a realm" },
	{ "a principal without a name", "users: { U: { principals: [ \"@R\" ] } }\n", "with a realm" },
	{ "a principal of two realms", "users: { U: { principals: [ u@R@S ] } }\n", "with a realm" },
	{ "a principal with an escape", "users: { U: { principals: [ 'u\\@v@R' ] } }\n", "with a realm" },
	{ "a principal with a blank", "users: { U: { principals: [ \"u v@R\" ] } }\n", "with a realm" },
	{ "no principals", "users: { U: { principals: [] } }\n", "\"principals\" is an empty list" },
	{ "a ticket for no password", FTP("secure_password_kerberos: optional"),
	  "\"secure_password_kerberos\" can only be optional if \"extensions\" has auth_gssapi" },
	{ "blocks too small", FTP("secure_pbsz: 511"), "\"secure_pbsz\" must be a number from 512 to 32768" },
	{ "blocks too large", FTP("secure_pbsz: 32769"),
	  "\"secure_pbsz\" must be a number from 512 to 32768" },
	{ "old TLS", TLS("versions: [tls1.1, tls1.2]"),
	  "\"versions\" cannot be tls1.1: it is insecure (RFC 8996)" },
	{ "no bool", FTP("secureimplicitzos: yes"), "\"secureimplicitzos\" must be true or false" },

	{ "number too large", "daemon: { limits: { sessions: 1000001 } }\n",
	  "\"sessions\" must be a number from 1 to 1000000" },
	{ "number or word", "daemon: { workers: 0 }\n",
	  "\"workers\" must be auto or a number from 1 to 256" },
	{ "word", "daemon: { key_isolation: maybe }\n", "\"key_isolation\" must be" },
	{ "octal", "daemon: { limits: { sessions: 010 } }\n", "\"sessions\" must be a number" },
	{ "priority 0", RULE("priority: 0"), "\"priority\" must be a number from 1 to 2000000000" },
	{ "keepalive below its range", FTP("ftpkeepalive: 59"),
	  "\"ftpkeepalive\" must be 0 or from 60s to 86400s" },
	{ "keepalive above its range", FTP("datakeepalive: 25h"),
	  "\"datakeepalive\" must be 0 or from 60s to" },
	{ "inactive above its range", FTP("inactive: 86401"), "\"inactive\" must be from 0s to 86400s" },
	{ "part of a second", FTP("inactive: 1500ms"), "\"inactive\" must be a whole number of seconds" },
	{ "no duration", FTP("inactive: soon"), "\"inactive\" must be a duration such as" },
	{ "a number too large for anything", FTP("inactive: 99999999999999999999d"),
	  "\"inactive\" must be from 0s" },
	{ "dswaittime above its range", FTP("dswaittime: 14401"),
	  "\"dswaittime\" must be from 0m to 14400m" },
	{ "dswaittime in seconds", FTP("dswaittime: 30s"),
	  "\"dswaittime\" must be a whole number of minutes" },
	{ "handshake_timeout 0", TLS("handshake_timeout: 0"),
	  "\"handshake_timeout\" must be from 1s to 600s" },
	{ "session_timeout above its range", TLS("session_timeout: 2d"),
	  "\"session_timeout\" must be from 0s to" },
	{ "passive ports below 1024", FTP("passivedataports: 1023-2000"),
	  "\"passivedataports\" must be two ports from 1024 to 65535" },
	{ "passive ports upside down", FTP("passivedataports: 3000-2000"), "the lower one first" },
	{ "passive ports, one", FTP("passivedataports: 3000"), "\"passivedataports\" must be two ports" },

	{ "dangling keyring", "tls_actions: { server: { keyring: ftp } }\n",
	  "policy.yaml:1:35: there is no \"ftp\" in keyrings; did you mean \"ftpd\"?" },
	{ "dangling reference", "rules: { everyone: { tls: server, ftp: standard, backend: x } }\n",
	  "policy.yaml:1:59: there is no \"x\" in backends; define it there" },
	{ "names have a case", "rules: { everyone: { tls: Server, ftp: standard, backend: legacy } }\n",
	  "there is no \"Server\" in tls_actions; did you mean \"server\"?" },
	{ "dangling in a list", RULE("match: { listener: [explicit, implcit] }"),
	  "there is no \"implcit\" in listeners" },

	{ "TLS 1.3 in ciphers", TLS("ciphers: [1301]"),
	  "policy.yaml:1:51: \"1301\" is a cipher of TLS 1.3; move it to \"ciphersuites\"" },
	{ "TLS 1.2 in ciphersuites", TLS("ciphersuites: [C02B]"),
	  "\"C02B\" is a cipher of TLS 1.2; move it to \"ciphers\"" },
	{ "short group", TLS("groups: [0029, 0021]"),
	  "policy.yaml:1:56: \"0021\" (secp224r1) is refused: it is shorter than 256 bits; remove it" },
	{ "group with a slip", TLS("groups: x25591"), "is not a known group; did you mean \"x25519\"?" },
	{ "groups as a colon list", TLS("groups: \"P-256:P-384\""), "must be a list of names, [ A, B ]" },
	{ "SHA-1", TLS("signature_algorithms: [0403, RSA+SHA1]"),
	  "\"RSA+SHA1\" (rsa_pkcs1_sha1) is refused: it uses SHA-1" },
	{ "group as signature", TLS("signature_algorithms: [0023]"),
	  "\"0023\" is not a known signature algorithm" },
	{ "weak id", TLS("ciphers: [000A]"),
	  "\"000A\" (TLS_RSA_WITH_3DES_EDE_CBC_SHA) is too weak (3DES) and is refused" },
	{ "weak name", TLS("ciphers: [RC4-SHA]"), "\"RC4-SHA\" is too weak (RC4) and is refused" },
	{ "cipher with a slip", TLS("ciphers: [ECDHE-RSA-AES128-GCM-SHA265]"),
	  "is not a known cipher; did you mean \"ECDHE-RSA-AES128-GCM-SHA256\"?" },
	{ "cipher string", TLS("ciphers: [HIGH]"), "\"HIGH\" is not a known cipher\n" },
	{ "colon list", TLS("ciphers: \"A:B\""),
	  "\"ciphers\" must be a list of names, [ A, B ], not OpenSSL's colon list" },

	{ "listener with a name", LISTENER("address: \"localhost:21\""), "\"address\" must be address:port" },
	{ "backend without a port", BACKEND("address: mvs098"), "\"address\" must be host:port" },
	{ "backend with port 0", BACKEND("address: \"mvs098:0\""), "with a port from 1 to 65535" },
	{ "balancers by name", LISTENER("address: 127.0.0.1:1, proxy_protocol: balancer"),
	  "\"proxy_protocol\" must be addresses, networks (10.0.0.0/8) or ranges (10.1.1.5-10.1.1.77), not \"balancer\"" },
	{ "no balancers", LISTENER("address: 127.0.0.1:1, proxy_protocol: []"),
	  "\"proxy_protocol\" is an empty list" },
	{ "a version that there is not", BACKEND("address: a:1, proxy_protocol: v3"),
	  "\"proxy_protocol\" must be one of: none, v1, v2" },
	{ "data from nobody", LISTENER("address: 127.0.0.1:1, proxy_data: true"),
	  "policy.yaml:1:48: \"proxy_data\" of listeners \"explicit\" has no effect without "
	  "\"proxy_protocol\"" },
	{ "balancers in a transparent way",
	  LISTENER("address: 127.0.0.1:1, transparent: true, proxy_protocol: 10.0.0.1"),
	  "listeners \"explicit\" cannot be transparent and have \"proxy_protocol\"" },
	{ "nothing to tell with the data", BACKEND("address: a:1, proxy_data: true"),
	  "\"proxy_data\" of backends \"legacy\" has no effect without \"proxy_protocol\"; "
	  "set it to v1 or v2" },
	{ "host bits", RULE("match: { remote_addr: 10.0.0.1/8 }"), "\"10.0.0.1/8\" has host bits set" },
	{ "a range from the last to the first", RULE("match: { remote_addr: 10.1.1.77-10.1.1.5 }"),
	  "\"10.1.1.77-10.1.1.5\" is no range: the first address must come before the second" },
	{ "a range of two families", RULE("match: { remote_addr: \"10.1.1.77-2001:db8::1\" }"),
	  "is no range" },
	{ "no network", RULE("match: { local_addr: [here] }"), "\"local_addr\" must be addresses, networks" },
	{ "no user name", "daemon: { user: \"a b\" }\n", "\"user\" must be a name" },
	{ "certificates without a list", "keyrings: { ftpd: { certificates: { chain: a } } }\n",
	  "\"certificates\" must be a list: [ { chain: ... } ]" },
	{ "certificate without a key", "keyrings: { ftpd: { certificates: [ { chain: a } ] } }\n",
	  "policy.yaml:1:37: keyrings \"ftpd\" needs a value for \"key\"" },
	{ "user without a subject", "users: { U: { certificates: [ {} ] } }\n",
	  "an entry of \"certificates\" of users \"U\" is empty" },
	{ "certificates that are no list", "users: { U: { certificates: CN=u } }\n",
	  "\"certificates\" must be a list: [ { subject: ... } ]" },
	{ "a key that no certificate has", "users: { U: { certificates: [ { serail: 01 } ] } }\n",
	  "unknown key \"serail\" in certificates of users \"U\"; did you mean \"serial\"?" },
};

static void test_faults(void **state)
{
	(void)state;
	check_messages(faults, NELEM(faults), true);
}

/* One run reports all faults. */
static void test_all_in_one_go(void **state)
{
	struct parsed p;

	(void)state;
	parse_part(&p, "ftp_actions:\n"
		       "  standard:\n"
		       "    secure_ftpp: required\n"
		       "    inactive: x\n"
		       "    replysecuritylevel: 3\n"
		       "tls_actions: { server: { keyring: nowhere } }\n"
		       "listeners: { a: { address: 127.0.0.1:21 }, b: { address: 127.0.0.1:21 } }\n"
		       "colour: red\n");
	assert_int_equal(p.diags.nerrors, 6);
	parsed_done(&p);
}

/* One fault must not cause reports of others. */
static void test_one_fault_one_error(void **state)
{
	static const char *const texts[] = {
		"tls_actions: { server: { keyring: nowhere } }\n",
		"keyrings: { ftpd: { certificates: [ { chain: a } ] } }\n",
		"ftp_actions: { standard: { secure_login: x } }\n",
		"backends: { legacy: { address: x } }\n",
		"listeners: { a: { address: x } }\n",
		"rules: { everyone: { tls: server, ftp: standard, backend: nowhere } }\n",
		"ftp_actions: { standard: *x }\n",
		"ftp_actions: *x\n",
		"ftp_actions: { standard: { secure_ftp: *x, inactive: 0 } }\n",
	};

	(void)state;
	for (size_t i = 0; i < NELEM(texts); i++) {
		struct parsed p;

		parse_part(&p, texts[i]);
		/* without the section, its objects are unknown as well */
		if (p.diags.nerrors != 1 && !(i == 7 && p.diags.nerrors == 2))
			fail_msg("%s: %s", texts[i], p.printed);
		parsed_done(&p);
	}
}

static void test_missing(void **state)
{
	static const char *const wants[] = { "the policy needs \"version: 1\"\n",
					     "the policy needs \"tls_actions\" with at least one entry\n",
					     "the policy needs \"ftp_actions\"",
					     "the policy needs \"backends\"",
					     "the policy needs \"listeners\"",
					     "the policy needs \"rules\"" };
	struct parsed p;

	(void)state;
	parse_whole(&p, "nat: {}\n");
	assert_int_equal(p.diags.nerrors, NELEM(wants));
	for (size_t i = 0; i < NELEM(wants); i++)
		assert_non_null(strstr(p.printed, wants[i]));
	parsed_done(&p);
}

static void test_free_nothing(void **state)
{
	struct policy *policy = NULL;

	(void)state;
	policy_free(&policy);
	assert_null(policy);
}

/* The example shows the whole language and can be used as it is. */
static void test_example(void **state)
{
	static char text[64 * 1024];
	FILE *file = fopen("contrib/policy.example.yaml", "r");
	struct parsed p;
	size_t len;

	(void)state;
	if (file == NULL)
		fail_msg("contrib/policy.example.yaml: run this from the top of the tree");
	len = fread(text, 1, sizeof(text), file);
	assert_int_equal(fclose(file), 0);
	parse_folder(&p, text, len, "");
	if (p.result < 0 || p.diags.nitems > 0)
		fail_msg("%s", p.printed);
	parsed_done(&p);
}

/* Whatever its place in its table, a key is found when its last letter is doubled. */
static void test_every_key_is_suggested(void **state)
{
	const struct field *sections = schema_root()->fields;

	(void)state;
	for (const struct field *section = sections; section->key != NULL; section++) {
		if (section->type != FIELD_OBJECTS)
			continue;
		for (const struct field *f = section->sub->fields; f->key != NULL; f++) {
			char text[256], want[128];
			struct parsed p;

			(void)snprintf(text, sizeof(text), "%s: { a: { %s%c: 1 } }\n", section->key, f->key,
				       f->key[strlen(f->key) - 1]);
			(void)snprintf(want, sizeof(want), "did you mean \"%s\"?", f->key);
			parse_part(&p, text);
			if (strstr(p.printed, want) == NULL)
				fail_msg("%swanted %s in:\n%s", text, want, p.printed);
			parsed_done(&p);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_key_is_suggested),
		cmocka_unit_test(test_minimal),
		cmocka_unit_test(test_ftp_values),
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_control_socket),
		cmocka_unit_test(test_http),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_all_in_one_go),
		cmocka_unit_test(test_one_fault_one_error),
		cmocka_unit_test(test_missing),
		cmocka_unit_test(test_free_nothing),
		cmocka_unit_test(test_example),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
