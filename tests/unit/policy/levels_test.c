/*
 * per_user and `action: audit` in a policy: the actions that come of them, and what is
 * refused or warned about.
 */
#include "policy/policy.h"

#include "tests/unit/policy-text.h"

#define LAX	    "secure_ftp: allowed, secure_ctrlconn: clear, secure_dataconn: clear"
#define ENTRY(text) "ftp_actions: { standard: { " LAX ", per_user: [ " text " ] } }\n"

static const struct message_case faults[] = {
	{ "no users", ENTRY("{ secure_ftp: required }"), "needs a value for \"users\"" },
	{ "no level", ENTRY("{ users: a }"),
	  "an entry of \"per_user\" of ftp_actions \"standard\" changes nothing" },
	{ "a blank in a name", ENTRY("{ users: [ \"a b\" ], secure_ftp: required }"),
	  "must be names of users" },
	{ "no laxer level",
	  "ftp_actions: { standard: { per_user: [ { users: a, secure_ftp: allowed } ] } }\n",
	  "\"secure_ftp\" in \"per_user\" must be stricter than that of ftp_actions \"standard\"" },
	{ "not the same level", ENTRY("{ users: a, secure_dataconn: clear }"),
	  "\"secure_dataconn\" in \"per_user\" must be stricter" },
	{ "never is no level of a user", ENTRY("{ users: a, secure_dataconn: never }"),
	  "must be one of: clear" },
	{ "certificates that nobody asks for", ENTRY("{ users: a, secure_login: required }"),
	  "\"secure_login\" of ftp_actions \"standard\" needs client certificates" },
	{ "certificates that nobody has",
	  "tls_actions: { server: { keyring: ftpd, handshake_role: server_with_client_auth } }\n"
	  "keyrings: { ftpd: { certificates: [ { chain: c, key: k } ], trust: ca.pem } }\n" ENTRY(
	      "{ users: a, secure_ftp: required, secure_login: verify_user }"),
	  "admits nobody with \"secure_login: verify_user\" in \"per_user\"" },
	{ "a cipher that does not encrypt",
	  "tls_actions: { server: { keyring: ftpd, ciphers: [ ECDHE-ECDSA-NULL-SHA ] } }\n" ENTRY(
	      "{ users: a, secure_ctrlconn: private }"),
	  "is private, but a cipher" },
	{ "an unknown key", ENTRY("{ users: a, passivedataports: 5000-6000 }"), "unknown key" },
	{ "no such action", "rules: { r: { action: log, tls: server, ftp: standard, backend: legacy } }\n",
	  "\"action\" must be one of: enforce, audit" },
};

static void test_faults(void **state)
{
	(void)state;
	check_messages(faults, NELEM(faults), true);
}

static const struct message_case warnings[] = {
	{ "nothing to audit",
	  "ftp_actions: { standard: { " LAX " } }\n"
	  "rules: { r: { action: audit, tls: server, ftp: standard, backend: legacy } }\n",
	  "\"action: audit\" of rules \"r\" has no effect" },
	{ "certificates are for TLS",
	  "tls_actions: { server: { keyring: ftpd, handshake_role: server_with_client_auth } }\n"
	  "keyrings: { ftpd: { certificates: [ { chain: c, key: k } ], trust: ca.pem } }\n" ENTRY(
	      "{ users: a, secure_login: required }"),
	  "\"secure_login\" in \"per_user\" does not apply to clients without TLS" },
	{ "levels are for TLS",
	  "ftp_actions: { standard: { " LAX
	  ", data_policy_scope: protected, per_user: [ { users: a, secure_dataconn: private } ] } }\n",
	  "the levels of an entry of \"per_user\" do not apply to clients without TLS" },
};

static void test_warnings(void **state)
{
	(void)state;
	check_messages(warnings, NELEM(warnings), false);
}

static void test_actions(void **state)
{
	const struct ftp_action *ftp, *made;
	struct parsed p;

	(void)state;
	parse_part(
	    &p,
	    ENTRY(
		"{ users: [ a, \"b*\" ], secure_ftp: required, secure_dataconn: private }") "rules: { r: { action: audit, tls: server, ftp: standard, backend: legacy },\n"
											    "         s: { tls: server, ftp: standard, backend: legacy, match: { remote_addr: 10.0.0.1 } } }\n");
	assert_non_null(p.policy);
	ftp = &p.policy->ftp_actions[0];
	assert_int_equal(ftp->nper_user, 1);
	assert_int_equal(ftp->per_user[0].users.n, 2);
	made = ftp->per_user[0].action;
	assert_int_equal(made->secure_ftp, SECURE_FTP_REQUIRED);
	assert_int_equal(made->secure_dataconn, SECURE_PRIVATE);
	assert_int_equal(made->secure_ctrlconn, SECURE_CLEAR);
	assert_ptr_equal(made->usual, ftp);
	assert_int_equal(made->nper_user, 0);
	assert_int_equal(made->login_attempts, ftp->login_attempts);
	assert_non_null(p.policy->rules[0].lenient);
	assert_null(p.policy->rules[1].lenient);
	parsed_done(&p);
}

/* An audit opens exactly these levels, and nothing else. */
static void test_lenient(void **state)
{
	const struct ftp_action *lenient;
	struct ftp_action was;
	struct parsed p;

	(void)state;
	parse_part(&p, "ftp_actions: { standard: { secure_session_reuse: required } }\n"
		       "rules: { r: { action: audit, tls: server, ftp: standard, backend: legacy } }\n");
	assert_non_null(p.policy);
	lenient = p.policy->rules[0].lenient;
	was = *p.policy->rules[0].ftp;
	assert_int_equal(was.secure_ftp, SECURE_FTP_REQUIRED);
	was.secure_ftp = SECURE_FTP_ALLOWED;
	was.secure_ctrlconn = SECURE_CLEAR;
	was.secure_dataconn = SECURE_CLEAR;
	was.secure_session_reuse = SESSION_REUSE_ALLOWED;
	assert_memory_equal(lenient, &was, sizeof(was));
	parsed_done(&p);
}

/* `services` has an effect if only some users must prove who they are. */
static void test_services(void **state)
{
	struct parsed p;

	(void)state;
	parse_part(&p, "tls_actions: { server: { keyring: ftpd, handshake_role: server_with_client_auth } }\n"
		       "keyrings: { ftpd: { certificates: [ { chain: c, key: k } ], trust: ca.pem } }\n"
		       "users: { u: { certificates: [ { subject: CN=u } ], services: legacy } }\n" ENTRY(
			   "{ users: u, secure_ftp: required, secure_login: verify_user }"));
	assert_non_null(p.policy);
	parsed_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_faults),	 cmocka_unit_test(test_warnings),
		cmocka_unit_test(test_actions),	 cmocka_unit_test(test_lenient),
		cmocka_unit_test(test_services),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
