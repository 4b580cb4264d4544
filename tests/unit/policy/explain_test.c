/*
 * Settings in words: each has its value, and says whether the file gives it.
 */
#include "policy/policy.h"

#include "tests/unit/policy-text.h"

static const char *const text =
    "keyrings: { ftpd: { certificates: [ { chain: a.pem, key: a.key } ], trust: ca.pem },\n"
    "            all: { certificates: [ { chain: a.pem, key: a.key } ], trust: '*AUTH*/*', crl: c.pem,\n"
    "                   max_client_chain: 16384 } }\n"
    "tls_actions: { server: { keyring: ftpd, handshake_timeout: 10s },\n"
    "               second: { keyring: all, versions: tls1.3 } }\n"
    "ftp_actions: { standard: { passivedataports: 60000-60100, secure_ftp: required },\n"
    "               plain: { commands_denied: [DELE, \"SITE EXEC\"] } }\n"
    "backends: { legacy: { address: 127.0.0.1:2021, epsv: never } }\n";

enum section { KEYRINGS, TLS_ACTIONS, FTP_ACTIONS, BACKENDS };

static const char *const sections[] = { "keyrings", "tls_actions", "ftp_actions", "backends" };

static const struct {
	enum section section;
	size_t index;
	const char *key;
	const char *want;
	bool given;
} settings[] = {
	{ KEYRINGS, 0, "trust", "ca.pem", true },
	{ KEYRINGS, 0, "crl", "none", false },
	{ KEYRINGS, 0, "max_client_chain", "16384", false },
	{ KEYRINGS, 1, "trust", "*AUTH*/*", true },
	{ KEYRINGS, 1, "crl", "c.pem", true },
	{ KEYRINGS, 1, "max_client_chain", "16384", true }, /* the default's value, but written */
	{ TLS_ACTIONS, 0, "keyring", "ftpd", true },
	{ TLS_ACTIONS, 0, "handshake_timeout", "10s", true },
	{ TLS_ACTIONS, 0, "versions", "tls1.2, tls1.3", false },
	{ TLS_ACTIONS, 0, "ciphers", "default", false },
	{ TLS_ACTIONS, 1, "versions", "tls1.3", true },
	{ FTP_ACTIONS, 0, "passivedataports", "60000-60100", true },
	{ FTP_ACTIONS, 0, "secure_ftp", "required", true },
	{ FTP_ACTIONS, 0, "secure_dataconn", "private", false },
	{ FTP_ACTIONS, 0, "commands_denied", "not given", false },
	{ FTP_ACTIONS, 1, "passivedataports", "any", false },
	{ FTP_ACTIONS, 1, "secure_ftp", "required", false },
	{ FTP_ACTIONS, 1, "commands_denied", "DELE, SITE EXEC", true },
	{ BACKENDS, 0, "epsv", "never", true },
	{ BACKENDS, 0, "data", "auto", false },
};

struct search {
	size_t row;
	bool found;
};

static void take(void *context, const char *key, const char *value, bool given)
{
	struct search *search = context;

	if (strcmp(key, settings[search->row].key) != 0)
		return;
	search->found = true;
	if (strcmp(value, settings[search->row].want) != 0 || given != settings[search->row].given)
		fail_msg("row %zu: %s is %s, %sgiven", search->row, key, value, given ? "" : "not ");
}

static const void *object_of(const struct policy *policy, enum section section, size_t index)
{
	switch (section) {
	case KEYRINGS:
		return &policy->keyrings[index];
	case TLS_ACTIONS:
		return &policy->tls_actions[index];
	case FTP_ACTIONS:
		return &policy->ftp_actions[index];
	case BACKENDS:
		return &policy->backends[index];
	}
	return NULL;
}

static void test_settings(void **state)
{
	struct parsed p;

	(void)state;
	parse_part(&p, text);
	assert_non_null(p.policy);
	for (size_t i = 0; i < NELEM(settings); i++) {
		struct search search = { .row = i };

		policy_explain_settings(p.policy, sections[settings[i].section],
					object_of(p.policy, settings[i].section, settings[i].index), take,
					&search);
		if (!search.found)
			fail_msg("row %zu: no setting %s", i, settings[i].key);
	}
	parsed_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_settings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
