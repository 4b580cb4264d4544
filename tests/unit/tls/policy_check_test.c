#include "gateway/tls/policy-check.h"

#include <errno.h>
#include <stdio.h>

#include "tests/unit/temporary.h"

/* A policy that can be read; the files that it names are not there. */
#define POLICY(users)                                                                                        \
	"version: 1\n"                                                                                       \
	"keyrings: { ftpd: { certificates: [ { chain: none.pem, key: none.key } ] } }\n"                     \
	"tls_actions: { server: { keyring: ftpd } }\n"                                                       \
	"ftp_actions: { standard: {} }\n"                                                                    \
	"backends: { legacy: { address: 127.0.0.1:2021 } }\n"                                                \
	"listeners: { explicit: { address: 127.0.0.1:2121 } }\n"                                             \
	"users:\n" users "\n"                                                                                \
	"rules: { everyone: { tls: server, ftp: standard, backend: legacy } }\n"

#define USER(name, subject) "  " name ": { certificates: [ { subject: \"" subject "\" } ] }\n"

static const struct {
	const char *name;
	const char *policy;
	const char *fault;
	size_t times;
} cases[] = {
	{ "a certificate", POLICY(USER("anna", "CN=a")), "cannot read the certificate chain", 1 },
	{ "a key", POLICY(USER("anna", "CN=a")), "cannot read the private key", 1 },
	{ "a subject that is no name", POLICY(USER("anna", "nobody")), "\"subject\" of users \"anna\"", 1 },
	{ "a subject of two users", POLICY(USER("anna", "CN=a") USER("bert", "CN=a")),
	  "match the same certificates", 1 },
	{ "a good subject", POLICY(USER("anna", "CN=a")), "subject", 0 },
	{ "a password", POLICY("  anna: { certificates: [ { subject: CN=a } ], password_file: none.txt }\n"),
	  "cannot read the password file", 1 },
};

static size_t count(const struct diags *diags, const char *fault)
{
	size_t n = 0;

	for (size_t i = 0; i < diags->nitems; i++)
		n += strstr(diags->items[i].message, fault) != NULL;
	return n;
}

/* Each fault is reported once, however many parts need the faulty file. */
static void test_each_fault_once(void **state)
{
	char path[TEMPORARY_PATH];

	(void)state;
	(void)temporary_path(path, "policy");
	for (size_t i = 0; i < NELEM(cases); i++) {
		struct diags diags = { 0 };

		temporary_write(path, cases[i].policy, 0600);
		assert_int_equal(policy_check(path, NULL, &diags), -EINVAL);
		if (count(&diags, cases[i].fault) != cases[i].times) {
			diags_print(&diags, stderr);
			fail_msg("%s: told %zu times", cases[i].name, count(&diags, cases[i].fault));
		}
		diags_done(&diags);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_fault_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
