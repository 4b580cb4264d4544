#include "policy/policy.h"

#include "ftp-alg/local-reply.h"
#include "policy/schema.h"

#include "tests/unit/policy-text.h"

/* One key a line, so that a line number names a key. */
static const char text[] = "version: 1\n"
			   "daemon:\n"
			   "  limits:\n"
			   "    sessions_per_source: 7\n"
			   "keyrings:\n"
			   "  ftpd: { certificates: [ { chain: a.pem, key: a.key } ],\n"
			   "          max_client_chain: 2048 }\n"
			   "  partners: { trust: \"*AUTH*/*\" }\n"
			   "tls_actions:\n"
			   "  server: { keyring: ftpd,\n"
			   "            handshake_timeout: 5s }\n"
			   "  client: { handshake_role: client, keyring: partners,\n"
			   "            secure_hostname: required,\n"
			   "            handshake_timeout: 6s }\n"
			   "ftp_actions:\n"
			   "  standard:\n"
			   "    secure_ftp: required\n"
			   "    secure_dataconn: private\n"
			   "    verifyuser: true\n"
			   "  other: { inactive: 60s }\n"
			   "backends:\n"
			   "  legacy: { address: 192.0.2.1:21, tls: client, hostname: ftp.example,\n"
			   "            secure_dataconn: clear }\n"
			   "listeners:\n"
			   "  one: { address: 127.0.0.1:2121 }\n"
			   "  two: { address: 127.0.0.1:2122,\n"
			   "         tls: implicit }\n"
			   "rules:\n"
			   "  everyone: { tls: server, ftp: standard, backend: legacy }\n"
			   "users:\n"
			   "  alice: { certificates: [ { subject: CN=alice, issuer: CN=ca } ],\n"
			   "           services: [ legacy ] }\n"
			   "  bob: { certificates: [ { subject: CN=bob, issuer: CN=ca } ] }\n";

static void finds_the_line_of_a_key(void **state)
{
	static const struct {
		const char *key;
		size_t listener;
		uint32_t want;
	} rows[] = {
		{ "secure_ftp", 0, 17 },
		{ "secure_dataconn", 0, 18 },
		{ "backend.secure_dataconn", 0, 23 },
		{ "listener.tls", 0, 0 },
		{ "listener.tls", 1, 27 },
		{ "backend.tls", 0, 22 },
		{ "handshake_timeout", 0, 11 },
		{ "server_tls.handshake_timeout", 0, 14 },
		{ "server_tls.secure_hostname", 0, 13 },
		{ "keyring.max_client_chain", 0, 7 },
		{ "server_keyring.trust", 0, 8 },
		{ "sessions_per_source", 0, 4 },
		{ "inactive", 0, 0 }, /* another action has it */
		{ "unknown_commands", 0, 0 },
		{ "backend.", 0, 0 },
		{ "backendsecure_dataconn", 0, 0 },
		{ "", 0, 0 },
	};
	struct parsed p;

	(void)state;
	parse_whole(&p, text);
	assert_non_null(p.policy);
	for (size_t i = 0; i < NELEM(rows); i++) {
		const struct policy_place place = { .listener = &p.policy->listeners[rows[i].listener],
						    .rule = &p.policy->rules[0] };
		uint32_t got = policy_where(p.policy, &place, rows[i].key);

		if (got != rows[i].want)
			fail_msg("%s: line %u, not %u", rows[i].key, got, rows[i].want);
	}
	parsed_done(&p);
}

static void a_key_of_users_is_that_of_the_certificate_s_user(void **state)
{
	struct parsed p;

	(void)state;
	parse_whole(&p, text);
	assert_int_equal(p.policy->nusers, 2);
	for (size_t i = 0; i < 2; i++) {
		const struct policy_place place = { .rule = &p.policy->rules[0],
						    .user = &p.policy->users[i] };
		bool alice = strcmp(p.policy->users[i].name, "alice") == 0;

		assert_int_equal(policy_where(p.policy, &place, "user.services"), alice ? 32 : 0);
	}
	assert_int_equal(
	    policy_where(p.policy, &(struct policy_place){ .rule = &p.policy->rules[0] }, "user.services"),
	    0);
	parsed_done(&p);
}

static void a_session_without_a_rule_has_only_its_listener(void **state)
{
	struct parsed p;

	(void)state;
	parse_whole(&p, text);
	assert_int_equal(policy_where(p.policy, &(struct policy_place){ .listener = &p.policy->listeners[1] },
				      "listener.tls"),
			 27);
	assert_int_equal(policy_where(p.policy, &(struct policy_place){ 0 }, "listener.tls"), 0);
	assert_int_equal(policy_where(p.policy, &(struct policy_place){ 0 }, "secure_ftp"), 0);
	assert_int_equal(policy_where(p.policy, &(struct policy_place){ 0 }, "sessions_per_source"), 4);
	parsed_done(&p);
}

static const struct schema *section(const char *name)
{
	const struct field *field = schema_find(schema_root(), name);

	assert_non_null(field);
	return field->sub;
}

/* A decision that names a key which the policy does not have would send an administrator astray. */
static void every_reply_names_a_key_of_the_policy(void **state)
{
	static const struct {
		const char *kind, *section;
	} kinds[] = {
		{ "backend.", "backends" },
		{ "listener.", "listeners" },
		{ "user.", "users" },
		{ "", "ftp_actions" },
	};
	static const struct ftp_action actions[] = { { .secure_ftp = SECURE_FTP_REQUIRED },
						     { .secure_ftp = SECURE_FTP_ALLOWED } };

	(void)state;
	for (int reply = FTP_LOCAL_NONE + 1; reply < FTP_LOCAL_COUNT; reply++)
		for (size_t a = 0; a < NELEM(actions); a++) {
			const char *key = ftp_local_key((enum ftp_local)reply, &actions[a]);
			size_t kind = 0;

			if (key == NULL)
				continue;
			while (strncmp(key, kinds[kind].kind, strlen(kinds[kind].kind)) != 0)
				kind++;
			if (schema_find(section(kinds[kind].section), key + strlen(kinds[kind].kind)) == NULL)
				fail_msg("%s", key);
		}
	assert_string_equal(ftp_local_key(FTP_LOCAL_NEEDS_TLS, &actions[0]), "secure_ftp");
	assert_string_equal(ftp_local_key(FTP_LOCAL_NEEDS_TLS, &actions[1]), "secure_ctrlconn");
	assert_string_equal(ftp_local_key(FTP_LOCAL_COMMAND_DENIED, &actions[0]), "commands_denied");
	assert_string_equal(ftp_local_key(FTP_LOCAL_COMMAND_NOT_ALLOWED, &actions[0]), "commands_allowed");
	assert_null(ftp_local_key(FTP_LOCAL_NOT_LOGGED_IN, &actions[0]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_line_of_a_key),
		cmocka_unit_test(a_key_of_users_is_that_of_the_certificate_s_user),
		cmocka_unit_test(a_session_without_a_rule_has_only_its_listener),
		cmocka_unit_test(every_reply_names_a_key_of_the_policy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
