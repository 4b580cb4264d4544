/*
 * Notes about changed meanings: for each change, a policy that relies on the old
 * meaning, and one that gives the key and so gets no note.
 */
#include "policy/changed.h"

#include "tests/unit/policy-text.h"

static const struct {
	const char *name;
	const char *text;
	const char *want;
	const char *settled; /* the same with the key */
} cases[] = {
	{ "levels of sessions without TLS",
	  "ftp_actions: { standard: { secure_ftp: allowed, secure_ctrlconn: clear } }\n",
	  "policy.yaml:1:28: note: \"secure_ctrlconn\" and \"secure_dataconn\" now apply to sessions without TLS",
	  "ftp_actions: { standard: { secure_ftp: allowed, data_policy_scope: all } }\n" },
	{ "unknown commands", "ftp_actions: { standard: {} }\n",
	  "policy.yaml:1:16: note: commands that neither attlsd nor the server's FEAT knows are now refused",
	  "ftp_actions: { standard: { unknown_commands: refuse } }\n" },
	{ "long command lines", "backends: { legacy: { address: 127.0.0.1:2021 } }\n",
	  "policy.yaml:1:13: note: command lines of more than 510 bytes are now refused",
	  "backends: { legacy: { address: 127.0.0.1:2021, command_line_max: 510 } }\n" },
	{ "reasons for a refused login", "ftp_actions: { standard: {} }\n",
	  "policy.yaml:1:16: note: \"accesserrormsgs: false\", the default, now also hides the server's reason",
	  "ftp_actions: { standard: { accesserrormsgs: false } }\n" },
	{ "the time to accept a connection", "ftp_actions: { standard: {} }\n",
	  "policy.yaml:1:16: note: the FTP server now has 60 s to accept a connection",
	  "ftp_actions: { standard: { myopentime: 60s } }\n" },
	{ "the time for the last bytes", "ftp_actions: { standard: {} }\n",
	  "policy.yaml:1:16: note: a receiver now has 120 s",
	  "ftp_actions: { standard: { dconntime: 120s } }\n" },
	{ "125- lines", "ftp_actions: { standard: { dswaittime: 5 } }\n",
	  "policy.yaml:1:28: note: a client that waits for a data set now gets a 125- line every 30 s",
	  "ftp_actions: { standard: { dswaittime: 5, dswaittimereply: 30s } }\n" },
	{ "chains of clients",
	  "keyrings: { ftpd: { certificates: [ { chain: c, key: k } ], trust: ca.pem } }\n",
	  "policy.yaml:1:61: note: certificate chains of clients may now have 16384 bytes",
	  "keyrings: { ftpd: { certificates: [ { chain: c, key: k } ], trust: ca.pem, max_client_chain: 16384 } "
	  "}\n" },
	{ "keys in other processes", "daemon: { workers: 1 }\n",
	  "policy.yaml:1:1: note: if attlsd is started as root, its workers no longer have the private keys",
	  "daemon: { key_isolation: auto }\n" },
	{ "the same without the section", "",
	  ":1: note: if attlsd is started as root, its workers no longer have the private keys",
	  "daemon: { key_isolation: false }\n" },
};

static char *notes_of(const struct parsed *p)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	diags_print_notes(&p->diags, out);
	assert_int_equal(fclose(out), 0);
	return text;
}

static bool has_note(const char *policy, const char *want)
{
	struct parsed p;
	char *notes;
	bool found;

	parse_part(&p, policy);
	assert_int_equal(p.result, 0);
	assert_null(strstr(p.printed, "note: ")); /* for attlsctl check only */
	notes = notes_of(&p);
	found = strstr(notes, want) != NULL;
	free(notes);
	parsed_done(&p);
	return found;
}

static void test_notes(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(cases); i++) {
		const char *said = strstr(cases[i].want, "note: ");

		if (!has_note(cases[i].text, cases[i].want))
			fail_msg("%s: no note", cases[i].name);
		if (has_note(cases[i].settled, said))
			fail_msg("%s: a note although the key is given", cases[i].name);
	}
}

/* A policy with errors gets no notes. */
static void test_errors_come_first(void **state)
{
	struct parsed p;
	char *notes;

	(void)state;
	parse_part(&p, "ftp_actions: { standard: { secure_ftp: allowed, inactive: x } }\n");
	notes = notes_of(&p);
	assert_string_equal(notes, "");
	free(notes);
	parsed_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_notes),
		cmocka_unit_test(test_errors_come_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
