/*
 * `access`: how paths are written, and the entries that say nothing or never decide.
 */
#include "tests/unit/policy-text.h"

#define ENTRIES(entries) "ftp_actions: { standard: { access: [ " entries " ] } }\n"
#define ONE(path)	 ENTRIES("{ path: " path ", users: [a] }")

static const struct message_case errors[] = {
	{ "no path", ENTRIES("{ users: [a] }"), "ftp_actions \"standard\" needs a value for \"path\"" },
	{ "relative", ONE("pub"), "must be a path that begins with a slash" },
	{ "backslash", ONE("'/a\\b'"), "without backslashes" },
	{ "drive", ONE("'C:/a'"), "must be a path that begins with a slash" },
	{ "dots", ONE("/a/../b"), "without . and .. between the slashes" },
	{ "dot", ONE("/./a"), "without . and .. between the slashes" },
	{ "data set without quotes", ONE("PROD.PAY"), "a data set in single quotes" },
	{ "one quote", ONE("\"'PROD.PAY\""), "must be a data set such as" },
	{ "empty data set", ONE("\"''\""), "must be a data set such as" },
	{ "long qualifier", ONE("\"'PROD.PAYROLL12'\""), "with qualifiers of 1 to 8 characters" },
	{ "digit", ONE("\"'PROD.1PAY'\""), "must be a data set such as" },
	{ "empty qualifier", ONE("\"'PROD..PAY'\""), "must be a data set such as" },
	{ "dot at the end", ONE("\"'PROD.'\""), "must be a data set such as" },
	{ "two rests", ONE("\"'**.PAY.**'\""), "** at most once" },
	{ "** in a qualifier", ONE("\"'PROD.P**'\""), "must be a data set such as" },
	{ "member", ONE("\"'PROD.PDS(A)'\""), "must be a data set such as" },
	{ "45 characters", ONE("\"'A2345678.A2345678.A2345678.A2345678.A2345678A'\""), "must be a data set" },
	{ "nobody named", ENTRIES("{ path: /a }"),
	  "policy.yaml:1:40: an entry of \"access\" needs \"users\", \"certificates\" or \"principals\"; \"users: []\" "
	  "lets nobody use \"/a\"" },
	{ "only verbs", ENTRIES("{ path: /a, verbs: [RETR] }"), "needs \"users\", \"certificates\" or" },
	{ "no such user", ENTRIES("{ path: /a, certificates: [smith] }"),
	  "there is no \"smith\" in users; define it there" },
	{ "verb", ENTRIES("{ path: /a, users: [a], verbs: [\"RETR;\"] }"), "\"verbs\" must be FTP commands" },
	{ "name", ENTRIES("{ path: /a, users: [\"\"] }"), "\"users\" has no value" },
	{ "long name", ENTRIES("{ path: /a, certificates: [abcdefghijklmnopqrstuvwxyzabcdefgh] }"),
	  "\"certificates\" must be names of 1 to 32 characters" },
	{ "no list", "ftp_actions: { standard: { access: { path: /a, users: [a] } } }\n",
	  "\"access\" must be a list: [ { path: ... } ]" },
	{ "unknown key", ENTRIES("{ path: /a, users: [a], verb: [RETR] }"), "did you mean \"verbs\"?" },
};

static const struct message_case warnings[] = {
	{ "beneath", ENTRIES("{ path: /a, users: [a] }, { path: /a/b, users: [b] }"),
	  "policy.yaml:1:66: warning: \"/a/b\" of \"access\" has no effect: \"/a\" before it covers all" },
	{ "everything", ENTRIES("{ path: /, users: [a] }, { path: /a/b, users: [a] }"),
	  "has no effect: \"/\"" },
	{ "the same", ENTRIES("{ path: /a, users: [a] }, { path: /a/, users: [a] }"), "has no effect" },
	{ "contradiction", ENTRIES("{ path: /a, users: [a] }, { path: /a, users: [b] }"),
	  "\"/a\" of \"access\" contradicts an earlier entry with the same path, which decides" },
	{ "verbs",
	  ENTRIES("{ path: /a, users: [a], verbs: [RETR, STOR] }, { path: /a, users: [b], verbs: [STOR] }"),
	  "contradicts" },
	{ "any name", ENTRIES("{ path: /u/*, users: [a] }, { path: /u/b/c, users: [b] }"), "has no effect" },
	{ "data sets", ENTRIES("{ path: \"'A.**'\", users: [a] }, { path: \"'A.B.C'\", users: [b] }"),
	  "has no effect" },
	{ "the spool", ENTRIES("{ path: jes, users: [a] }, { path: JES, users: [b] }"), "contradicts" },
};

static const char *const fine[] = {
	ENTRIES("{ path: /a/b, users: [a] }, { path: /a, users: [b] }, { path: /, users: [] }"),
	ENTRIES("{ path: /a, users: [a], verbs: [RETR] }, { path: /a, users: [b] }"),
	ENTRIES("{ path: /a, users: [a] }, { path: /ab, users: [b] }"),
	ENTRIES("{ path: /, users: [a] }, { path: \"'A.B'\", users: [b] }, { path: jes, users: [c] }"),
	ENTRIES("{ path: \"'A.*'\", users: [a] }, { path: \"'A.B.C'\", users: [b] }"),
	ENTRIES("{ path: \"'A.B'\", users: [a] }, { path: \"'A.B.C'\", users: [b] }"),
	ENTRIES("{ path: \"'a.#b@$-%'\", users: '*', verbs: [SITE CHMOD] }"),
};

static void test_errors(void **state)
{
	(void)state;
	check_messages(errors, NELEM(errors), true);
}

static void test_warnings(void **state)
{
	(void)state;
	check_messages(warnings, NELEM(warnings), false);
	for (size_t i = 0; i < NELEM(fine); i++) {
		struct parsed p;

		parse_part(&p, fine[i]);
		if (p.result != 0 || strstr(p.printed, "access") != NULL)
			fail_msg("%s\n%s", fine[i], p.printed);
		parsed_done(&p);
	}
}

static void test_limit(void **state)
{
	char text[16384] = "ftp_actions: { standard: { access: [\n";
	struct parsed p;

	(void)state;
	for (size_t i = 0; i <= FTP_ACCESS_MAX; i++)
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text),
			       "{ path: /d%zu, users: [a] },\n", i);
	(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "] } }\n");
	parse_part(&p, text);
	assert_true(p.result < 0);
	assert_non_null(strstr(p.printed, "\"access\" of ftp_actions \"standard\" may have 128 entries"));
	parsed_done(&p);
}

static void test_values(void **state)
{
	const struct ftp_access *access;
	struct parsed p;

	(void)state;
	parse_part(&p,
		   "ftp_actions:\n  standard:\n    access:\n      - path: //pub//x/\n        users: \"*\"\n"
		   "        verbs: retr\n      - { path: \"'prod.**'\", users: [pay, PAT] }\n");
	assert_int_equal(p.result, 0);
	assert_int_equal(p.policy->ftp_actions[0].naccess, 2);
	access = &p.policy->ftp_actions[0].access[0];
	assert_int_equal(access->space, FTP_SPACE_HFS);
	assert_int_equal(access->nparts, 2);
	assert_string_equal(access->parts[1], "x");
	assert_true(access->everyone);
	assert_string_equal(access->verbs.names[0], "RETR");
	assert_int_equal(access->line, 4);
	access++;
	assert_int_equal(access->space, FTP_SPACE_MVS);
	assert_string_equal(access->parts[0], "PROD");
	assert_string_equal(access->parts[1], "**");
	assert_false(access->everyone);
	assert_int_equal(access->users.n, 2);
	assert_int_equal(access->line, 7);
	parsed_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_warnings),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
