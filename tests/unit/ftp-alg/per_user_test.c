/*
 * per_user and audited policies: which names fit a pattern, whose levels are in force after
 * which command, and what an audit notes and lets through.
 */
#include "ftp-alg/per-user.h"

#include <ctype.h>
#include <stdlib.h>

#include "tests/unit/machine-script.h"

static const struct {
	const char *pattern, *name;
	bool want;
} names[] = {
	{ "payroll", "payroll", true },
	{ "payroll", "PAYROLL", true },
	{ "payroll", " payroll\t", true },
	{ "payroll", "payrol", false },
	{ "payroll", "payroll2", false },
	{ "payroll", "pay roll", false },
	{ "fin-*", "fin-", true },
	{ "fin-*", "FIN-x*y", true },
	{ "fin-*", "fin", false },
	{ "*", "", true },
	{ "*", "x", true },
	{ "?", "", false },
	{ "?", "x", true },
	{ "?", "xy", false },
	{ "a*b*c", "a1b2b3c", true },
	{ "a*b*c", "acb", false },
	{ "**a", "aaa", true },
	{ "*aab", "aaaab", true },
	{ "me", "DOMAIN\\me", false },
	{ "*\\me", "DOMAIN\\me", true },
};

static bool fits(const char *pattern, const char *name, size_t len)
{
	const char *patterns[] = { pattern };
	const struct ftp_action strict = { .secure_ftp = SECURE_FTP_REQUIRED };
	struct ftp_per_user entry = { .users = { patterns, 1 }, .action = &strict };
	const struct ftp_action action = { .per_user = &entry, .nper_user = 1 };

	return ftp_per_user_find(&action, name, len) == &strict;
}

static void test_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(names); i++) {
		size_t len = strlen(names[i].name);
		char *name = (char *)bytes_copy(names[i].name, len);

		if (fits(names[i].pattern, name, len) != names[i].want)
			fail_msg("%s and \"%s\"", names[i].pattern, names[i].name);
		free(name);
	}
}

/* The same by definition, in as many steps as it takes. */
static bool matches(const char *pattern, const char *name)
{
	if (*pattern == '\0')
		return *name == '\0';
	if (*pattern == '*')
		return matches(pattern + 1, name) || (*name != '\0' && matches(pattern, name + 1));
	return *name != '\0' && (*pattern == '?' || tolower(*pattern) == tolower(*name)) &&
	       matches(pattern + 1, name + 1);
}

static void random_text(char *text, const char *letters, size_t most)
{
	size_t n = (size_t)rand() % (most + 1);

	for (size_t i = 0; i < n; i++)
		text[i] = letters[(size_t)rand() % strlen(letters)];
	text[n] = '\0';
}

static void test_walk(void **state)
{
	(void)state;
	srand(21);
	for (unsigned round = 0; round < 200000; round++) {
		char pattern[8], name[8];

		random_text(pattern, "ab*?", 7);
		random_text(name, "abAB", 7);
		if (fits(pattern, name, strlen(name)) != matches(pattern, name))
			fail_msg("%s and %s", pattern, name);
	}
}

#define LAX_BUT_LOGIN                                                                                        \
	.extensions = EXTENSION_AUTH_TLS, .unknown_commands = UNKNOWN_COMMANDS_PASS,                         \
	.secure_ftp = SECURE_FTP_ALLOWED, .secure_ctrlconn = SECURE_CLEAR, .secure_dataconn = SECURE_CLEAR,  \
	.tlsrfclevel = TLSRFCLEVEL_RFC4217, .portcommand = PORTCOMMAND_ACCEPT
#define LAX LAX_BUT_LOGIN, .secure_login = SECURE_LOGIN_NO_CLIENT_AUTH

static const struct ftp_action lenient = { LAX };
static const char *some[] = { "boss" };
static const struct ftp_action usual;
static const struct ftp_action strict = {
	.extensions = EXTENSION_AUTH_TLS,
	.unknown_commands = UNKNOWN_COMMANDS_PASS,
	.secure_ftp = SECURE_FTP_REQUIRED,
	.secure_login = SECURE_LOGIN_NO_CLIENT_AUTH,
	.secure_ctrlconn = SECURE_CLEAR,
	.secure_dataconn = SECURE_PRIVATE,
	.usual = &usual,
};
static const char *shown[] = { "chief" };
static const struct ftp_action certified = { LAX_BUT_LOGIN, .secure_login = SECURE_LOGIN_REQUIRED,
					     .usual = &usual };
static struct ftp_per_user entries[] = { { .users = { some, 1 }, .action = &strict },
					 { .users = { shown, 1 }, .action = &certified } };
static const struct ftp_action usual = { LAX, .per_user = entries, .nper_user = 2 };
static const struct ftp_action planned = {
	.extensions = EXTENSION_AUTH_TLS,
	.unknown_commands = UNKNOWN_COMMANDS_PASS,
	.secure_ftp = SECURE_FTP_REQUIRED,
	.secure_login = SECURE_LOGIN_REQUIRED,
	.secure_ctrlconn = SECURE_PRIVATE,
	.secure_dataconn = SECURE_PRIVATE,
};

#define USER(name) "C USER " name "\n  user " name "\n  s USER " name "\nS 331 ok\n  c 331 ok\n"
#define PASS	   "C PASS p\n  s PASS p\nS 230 in\n  c 230 in\n  logged-in\n"
#define REFUSED	   "  c 530 Server requires authentication: send AUTH TLS before USER.\n"
#define NAME                                                                                                 \
	"  c 501 USER needs a name without quotes, control characters, leading or trailing blanks, or words like -x.\n"
#define NO_USER "  c 503 Send USER before PASS.\n"

static const struct script_case cases[] = {
	{ "a named user in the clear", { .action = &usual }, GREETED, "C USER BOSS\n" REFUSED },
	{ "another user in the clear", { .action = &usual }, GREETED, USER("u") PASS },
	{ "a named user while another is in",
	  { .action = &usual },
	  GREETED,
	  USER("u") PASS "C USER boss\n" REFUSED "C PWD\n  s PWD\nS 257 here\n  c 257 here\n" },
	{ "the password after a named user is not that of the user before",
	  { .action = &usual },
	  GREETED,
	  USER("u") "C USER boss\n" REFUSED "C PASS p\n" NO_USER },
	{ "nor is it if a certificate is missing",
	  { .action = &usual },
	  WITH_TLS,
	  USER("u") "C USER chief\n  user chief\n"
		    "  c 531 Policy requires a client certificate.\n"
		    "C PASS p\n" NO_USER },
	{ "nobody dials for the password of a named user",
	  { .action = &usual, .lazy_dial = true },
	  "G -\n",
	  "C USER boss\n" REFUSED "C PASS p\n" NO_USER },
	{ "a server that greets with 230 lets nobody in after a named user has failed",
	  { .action = &usual },
	  "S 230 in\n",
	  "C AUTH TLS\n  c 234 Security environment established - ready for negotiation\n  tls-start\n"
	  "! tls\nC USER boss\n  user boss\n  s USER boss\nS 530 no\n  hidden 530 no\n"
	  "  c 530 PASS command failed\n  login-failed\nC PWD\n  c 530 Not logged in: send USER and PASS first.\n" },
	{ "audited: USER in the clear, once",
	  { .action = &lenient, .audited = &planned },
	  GREETED,
	  "C USER u\n  user u\n  would-refuse secure_ftp\n  s USER u\nS 331 ok\n  c 331 ok\n" PASS USER(
	      "v") },
	{ "audited: a certificate is missing",
	  { .action = &lenient, .audited = &planned },
	  WITH_TLS,
	  "C USER u\n  user u\n  would-refuse secure_login\n  s USER u\nS 331 ok\n  c 331 ok\n" },
	{ "a name that a server may read as a named user's",
	  { .action = &usual },
	  GREETED,
	  "C USER bo\xffxss\n" NAME "C USER boss \n" NAME "C USER  boss\n" NAME "C USER bo\x01ss\n" NAME
	  "C USER bo\"ss\n" NAME "C USER -x boss\n" NAME "C USER boss -x\n" NAME "C USER\n" NAME
	  "C USER bo-ss x\n  user bo-ss x\n  s USER bo-ss x\nS 331 ok\n  c 331 ok\n"
	  "C USER b\xc3\xb6ss\n  user b\xc3\xb6ss\n  s USER b\xc3\xb6ss\n" },
	{ "is no way back to the password of another",
	  { .action = &usual },
	  GREETED,
	  USER("u") "C USER bo\xffxss\n" NAME "C PASS p\n" NO_USER },
	{ "without per_user, it is the server's business",
	  { .action = &lenient },
	  GREETED,
	  "C USER bo\xffxss\n  user bo\xffxss\n  s USER bo\xffxss\n" },
	{ "audited: such a name is noted",
	  { .action = &lenient, .audited = &usual },
	  GREETED,
	  "C USER bo\xffxss\n  user bo\xffxss\n  would-refuse per_user\n  s USER bo\xffxss\n" },
	{ "audited: levels of some users",
	  { .action = &lenient, .audited = &usual },
	  GREETED,
	  "C USER boss\n  user boss\n  would-refuse per_user\n  s USER boss\nS 331 ok\n  c 331 ok\n" },
};

static void test_dialogues(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(cases); i++)
		script_check(&cases[i]);
}

/* Every key that a reply names is either audited or not, and the table knows which. */
static void test_keys(void **state)
{
	static const char *const audited[] = { "secure_ftp",   "secure_ctrlconn", "secure_dataconn",
					       "secure_login", "per_user",	  "secure_session_reuse" };

	(void)state;
	for (size_t i = 0; i < FTP_LOCAL_COUNT; i++) {
		const char *key = ftp_local_key_at(i);
		bool want = false;

		for (size_t j = 0; j < NELEM(audited) && key != NULL; j++)
			want = want || strcmp(key, audited[j]) == 0;
		if ((ftp_would_of(key) != FTP_WOULD_NONE) != want)
			fail_msg("%s", key != NULL ? key : "no key");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_walk),
		cmocka_unit_test(test_dialogues),
		cmocka_unit_test(test_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
