#include "ftp-alg/verb.h"

#include <ctype.h>
#include <stdio.h>

#include "tests/unit/unit.h"

static void sorted_and_unique(void **state)
{
	(void)state;
	for (size_t i = 1; i < ftp_nverbs; i++)
		if (strcmp(ftp_verbs[i - 1].name, ftp_verbs[i].name) >= 0)
			fail_msg("%s must not stand before %s", ftp_verbs[i - 1].name, ftp_verbs[i].name);
}

/* Written as in the table, in lower case, and with every second letter in lower case. */
static void every_row_is_found_in_any_case(void **state)
{
	(void)state;
	for (size_t i = 0; i < ftp_nverbs; i++) {
		const struct ftp_verb *verb = &ftp_verbs[i];
		size_t len = strlen(verb->name);
		char name[16];

		assert_true(len > 0 && len < sizeof(name));
		for (size_t step = 0; step < 3; step++) {
			for (size_t n = 0; n < len; n++) {
				assert_true(isupper((unsigned char)verb->name[n]) ||
					    isdigit((unsigned char)verb->name[n]));
				name[n] = verb->name[n];
				if (step > 0 && n % step == 0)
					name[n] = (char)tolower((unsigned char)name[n]);
			}
			assert_ptr_equal(ftp_verb_find(name, len), verb);
		}
	}
}

static void unknown_verbs_have_the_strictest_row(void **state)
{
	static const char *const names[] = { "",	 "X",	   "USE",	"USERS",    "US ER",
					     "USER\xff", "\tUSER", "CONNECTED", "OPTIONSX", "XPSV" };

	(void)state;
	for (size_t i = 0; i < NELEM(names); i++) {
		const struct ftp_verb *verb = ftp_verb_find(names[i], strlen(names[i]));

		assert_string_equal(verb->name, "");
		assert_int_equal(verb->kind, FTP_KIND_PASS_ON);
		assert_int_equal(verb->flags, 0);
	}
	/* A NUL ends no name. */
	assert_string_equal(ftp_verb_find("USER\0", 5)->name, "");
	assert_string_equal(ftp_verb_find("USER\0X", 6)->name, "");
}

static const struct {
	const char *line;
	const char *verb;
	const char *arg;
} lines[] = {
	{ "", "", "" },
	{ " ", "", "" },
	{ " USER x", "", "USER x" },
	{ "NOOP", "NOOP", "" },
	{ "NOOP ", "NOOP", "" },
	{ "pass  two  blanks ", "PASS", " two  blanks " },
	{ "USER\tx", "", "" },
	{ "CWD a b", "CWD", "a b" },
};

static void lines_are_taken_apart(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(lines); i++) {
		size_t len = strlen(lines[i].line);
		uint8_t *copy = bytes_copy(lines[i].line, len);
		struct ftp_command command = ftp_command_parse((const char *)copy, len);

		assert_string_equal(command.verb->name, lines[i].verb);
		assert_int_equal(command.arg_len, strlen(lines[i].arg));
		assert_memory_equal(command.arg, lines[i].arg, command.arg_len);
		assert_int_equal(command.len, len);
		free(copy);
	}
}

/* What may pass in the clear under SECURE_FTP REQUIRED is written down here once more: a new T is a decision.
 */
static void before_tls(void **state)
{
	static const char allowed[] = " ADAT AUTH CCC CLNT CONF CONNECT DATA DELETE EHLO ENC FEAT GET HEAD "
				      "HELO HELP HOST LANG MIC NOOP OPTIONS OPTS PATCH PBSZ POST PROT PUT "
				      "QUIT REIN SYST TRACE ";

	(void)state;
	for (size_t i = 0; i < ftp_nverbs; i++) {
		char word[16];
		bool want;

		snprintf(word, sizeof(word), " %s ", ftp_verbs[i].name);
		want = strstr(allowed, word) != NULL;
		if (want != ((ftp_verbs[i].flags & FTP_VERB_BEFORE_TLS) != 0))
			fail_msg("%s: before TLS", ftp_verbs[i].name);
		/* what may come before TLS may come before login, which needs TLS */
		if (want && !(ftp_verbs[i].flags & FTP_VERB_BEFORE_LOGIN))
			fail_msg("%s: before login", ftp_verbs[i].name);
	}
}

/* Every command of RFC 775, 959 and 3659 is known, or unknown_commands: refuse would take it away. */
static void commands_of_the_standards_are_known(void **state)
{
	static const char *const names[] = {
		"USER", "PASS", "ACCT", "CWD",	"CDUP", "SMNT", "QUIT", "REIN", "PORT", "PASV",
		"TYPE", "STRU", "MODE", "RETR", "STOR", "STOU", "APPE", "ALLO", "REST", "RNFR",
		"RNTO", "ABOR", "DELE", "RMD",	"MKD",	"PWD",	"LIST", "NLST", "SITE", "SYST",
		"STAT", "HELP", "NOOP", "XMKD", "XRMD", "XPWD", "XCUP", "XCWD", "FEAT", "OPTS",
		"EPRT", "EPSV", "SIZE", "MDTM", "MLST", "MLSD", "LANG", "HOST",
	};

	(void)state;
	for (size_t i = 0; i < NELEM(names); i++)
		if (ftp_verb_find(names[i], strlen(names[i]))->name[0] == '\0')
			fail_msg("%s is not known", names[i]);
}

static const struct {
	const char *line;
	const char *entry;
	bool denied;
	bool allowed;
} listed[] = {
	{ "DELE x", "DELE", true, true },
	{ "dele x", "DELE", true, true },
	{ "DELE", "DELE", true, true },
	{ "DELEX x", "DELE", false, false },
	{ "DEL x", "DELE", false, false },
	{ "RMD d", "RMD", true, true },
	{ "XRMD d", "RMD", true, true },
	{ "xrmd d", "RMD", true, true },
	{ "XCUP", "CDUP", true, true },
	{ "XCWD d", "CWD", true, true },
	{ "XMKD d", "MKD", true, true },
	{ "XPWD", "PWD", true, true },
	{ "XRMD d", "MKD", false, false },
	{ "XRMD d", "XRMD", true, true },
	{ "RMD d", "XRMD", false, false }, /* a policy names the verb itself */
	{ "SITE", "SITE", true, true },
	{ "SITE CHMOD 600 x", "SITE", true, true },
	{ "SITE", "SITE EXEC", false, false },
	{ "SITE ", "SITE EXEC", false, false },
	{ "SITE EXEC", "SITE EXEC", true, true },
	{ "SITE EXEC ls", "SITE EXEC", true, true },
	{ "site exec ls", "SITE EXEC", true, true },
	{ "SITE EXECX ls", "SITE EXEC", false, false },
	{ "SITE EXE ls", "SITE EXEC", true, false }, /* servers accept shorter forms, as z/OS does */
	{ "SITE e", "SITE EXEC", true, false },
	{ "SITE rec=FB", "SITE RECFM", true, false },
	{ "SITE LRECL=80 REC=FB", "SITE RECFM", true, false },
	{ "SITE LRECL=80 R=FB", "SITE RECFM", true, false },
	{ "SITE LRECL=80 asa", "SITE ASATRANS", true, false },
	{ "SITE CHMOD 600 a", "SITE ASATRANS", false, false }, /* a name */
	{ "SITE XREC=FB", "SITE RECFM", false, false },
	{ "SITE =FB", "SITE RECFM", false, false },
	{ "OPTS UT", "OPTS UTF8", false, false },
	{ "SITE CHMOD EXEC", "SITE EXEC", true, false },
	{ "SITE   EXEC   ls", "SITE EXEC", true, true },
	{ "SITE \tEXEC\tls", "SITE EXEC", true, false },
	{ "SITE \t \tEXEC", "SITE EXEC", true, false },
	{ "SITE \vEXEC\fls", "SITE EXEC", true, false },
	{ "SITE \x01"
	  "EXEC\x1f",
	  "SITE EXEC", true, false },
	{ "SITE EXEC\x7f", "SITE EXEC", true, false },
	{ "SITE  ", "SITE EXEC", false, false },
	{ "OPTS EXEC", "SITE EXEC", false, false },
	{ "XCWD up", "CWD UP", true, true },
	{ "", "DELE", false, false },
	{ "SITE EX\xffx"
	  "EC ls",
	  "SITE EXEC", true, false }, /* inetutils-ftpd reads EXEC */
	{ "SITE \xff\xff"
	  "EXEC",
	  "SITE EXEC", true, false },
	{ "SITE \xc3\xa9", "SITE EXEC", true, false },
	{ "SITE \"EXEC\" ls", "SITE EXEC", true, false }, /* so does ProFTPD */
	{ "SITE \"CHMOD\" 600 x", "SITE EXEC", true, false },
	{ "SITE EX\\EC", "SITE EXEC", true, false },
	{ "SITE \tCHMOD", "SITE EXEC", true, false },
	{ "SITE CHMOD \xff\xff", "SITE EXEC", false, false }, /* a name, not the word */
	{ "SITE \"EXEC\" ls", "SITE", true, true },
	{ "SITE \"EXEC\" ls", "DELE", false, false },
	{ "SITE RECFM=FB", "SITE RECFM", true, true },
	{ "SITE RECFMX=FB", "SITE RECFM", false, false },
	{ "SITE recfm=fb lrecl=80", "SITE RECFM", true, false }, /* z/OS takes many parameters at once */
	{ "SITE LRECL=80 RECFM=FB", "SITE RECFM", true, false },
	{ "SITE LRECL=80  RDW ", "SITE RDW", true, false },
	{ "SITE RDW LRECL=80", "SITE RDW", true, false },
	{ "SITE RDW ASATRANS", "SITE RDW", true, true }, /* it may be a name, as after CHMOD */
	{ "SITE RECFM=FB RECFM=VB", "SITE RECFM", true, true },
	{ "SITE LRECL=80 REC\xff"
	  "xFM=FB",
	  "SITE RECFM", true, false },
	{ "SITE CHMOD 600 \xc3\xa9", "SITE RECFM", false, false },
	{ "SITE CHMOD 600 x=y", "SITE CHMOD", true, false },
	{ "SITE CHMOD 600 RECFMS", "SITE RECFM", false, false },
	{ "SITE LRECL=80 RDW", "SITE", true, true },
	{ "OPTS UTF8 RECFM=x", "OPTS RECFM", false, false },
	{ "OPTS UTF8 a=b", "OPTS UTF8", true, true },
	{ "SITE EXEC;ls", "SITE EXEC", true, false },
	{ "SITE exec", "SITE EXEC", true, true },
};

static void lists_hold_what_servers_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(listed); i++) {
		size_t len = strlen(listed[i].line);
		uint8_t *copy = bytes_copy(listed[i].line, len);
		struct ftp_command command = ftp_command_parse((const char *)copy, len);
		const char *two[] = { "NEVER", listed[i].entry };
		struct command_list last = { two, 2 }, first = { two + 1, 1 }, none = { two, 0 };

		if (ftp_command_is_denied(&command, &last) != listed[i].denied ||
		    ftp_command_is_denied(&command, &first) != listed[i].denied ||
		    ftp_command_is_allowed(&command, &last) != listed[i].allowed ||
		    ftp_command_is_allowed(&command, &first) != listed[i].allowed)
			fail_msg("\"%s\" on the list of \"%s\"", listed[i].line, listed[i].entry);
		assert_false(ftp_command_is_denied(&command, &none));
		assert_false(ftp_command_is_allowed(&command, &none));
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sorted_and_unique),
		cmocka_unit_test(every_row_is_found_in_any_case),
		cmocka_unit_test(unknown_verbs_have_the_strictest_row),
		cmocka_unit_test(lines_are_taken_apart),
		cmocka_unit_test(commands_of_the_standards_are_known),
		cmocka_unit_test(lists_hold_what_servers_read),
		cmocka_unit_test(before_tls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
