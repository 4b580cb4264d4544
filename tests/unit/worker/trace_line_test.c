#include "gateway/worker/trace-line.h"

#include "tests/unit/unit.h"

static const struct {
	const char *line, *want;
} commands[] = {
	{ "USER me", "USER me" },
	{ "PASS secret", "PASS ****" },
	{ "pass secret", "pass ****" },
	{ "PASS", "PASS" },
	{ "PASS  ", "PASS ****" },
	{ "PASS secret with blanks", "PASS ****" },
	{ "ACCT secret", "ACCT ****" },
	{ "ADAT c2VjcmV0", "ADAT ****" },
	{ "MIC c2VjcmV0", "MIC ****" },
	{ "CONF c2VjcmV0", "CONF ****" },
	{ "ENC c2VjcmV0", "ENC ****" },
	{ "AUTH TLS", "AUTH TLS" },
	{ "AUTH tls-p", "AUTH tls-p" },
	{ "AUTH secret", "AUTH ****" },
	{ "AUTH TLS secret", "AUTH ****" },
	{ "GET /?token=secret HTTP/1.1", "GET ****" },
	{ "SITE CHMOD 600 a", "SITE CHMOD 600 a" },
	{ "SITE PSWD old new", "SITE PSWD ****" },
	{ "site gpass secret", "site gpass ****" },
	{ "SITE CHPASS secret", "SITE CHPASS ****" },
	{ "SITE  PSWD secret", "SITE  PSWD ****" },
	{ "SITE PSWD=secret", "SITE PSWD ****" },
	{ "SITE CHANGEPASSWORD secret", "SITE CHANGEPASSWORD ****" },
	{ "SITE SETPWD a b", "SITE SETPWD ****" },
	{ "SITE ADDUSER anna secret *@*", "SITE ADDUSER ****" },
	{ "SITE gadduser group anna secret", "SITE gadduser ****" },
	{ "SITE LOGIN anna secret", "SITE LOGIN ****" },
	{ "STOR a b", "STOR a b" },
	{ "secret", "(hidden: not a command of FTP, 6 bytes)" },
	{ "secret word", "(hidden: not a command of FTP, 11 bytes)" },
	{ " PASS secret", "(hidden: not a command of FTP, 12 bytes)" },
	{ "PASS\tsecret", "(hidden: not a command of FTP, 11 bytes)" },
	{ "PASSsecret", "(hidden: not a command of FTP, 10 bytes)" },
	{ "XPASS secret", "(hidden: not a command of FTP, 12 bytes)" },
	{ "", "(hidden: not a command of FTP, 0 bytes)" },
};

static void commands_are_masked(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(commands); i++) {
		size_t len = strlen(commands[i].line);
		uint8_t *copy = bytes_copy(commands[i].line, len);
		char buf[TRACE_TEXT_MAX];
		bool cut;
		size_t got = trace_line_command((const char *)copy, len, buf, &cut);

		if (got != strlen(commands[i].want) || memcmp(buf, commands[i].want, got) != 0 || cut)
			fail_msg("%s: %.*s", commands[i].line, (int)got, buf);
		free(copy);
	}
}

static const struct {
	const char *secret;
	bool doubtful;
	const char *line, *want;
} replies[] = {
	{ "", false, "230 Welcome", "230 Welcome" },
	{ "hunter2", false, "530 Login incorrect", "530 Login incorrect" },
	{ "hunter2", false, "530 Wrong password hunter2", "530 (hidden: it may repeat a password)" },
	{ "hunter2", false, "530-HUNTER2?", "530-(hidden: it may repeat a password)" },
	{ "hunter2", false, " hunter2", "(hidden: it may repeat a password)" },
	{ "530", false, "530 Login incorrect", "(hidden: it may repeat a password)" },
	{ "x", false, "xyz", "(hidden: it may repeat a password)" },
	{ "", true, "500 hunter2: what?", "500 (hidden: it may repeat a password)" },
	{ "", true, "500hunter2", "(hidden: it may repeat a password)" },
	{ "", true, "500", "(hidden: it may repeat a password)" },
};

static void replies_that_repeat_are_hidden(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(replies); i++) {
		size_t len = strlen(replies[i].line);
		uint8_t *copy = bytes_copy(replies[i].line, len);
		char buf[TRACE_TEXT_MAX];
		struct echo echo;
		size_t got;
		bool cut;

		echo_note(&echo, replies[i].secret, strlen(replies[i].secret));
		got = trace_line_reply(&echo, replies[i].doubtful, (const char *)copy, len, buf, &cut);
		if (got != strlen(replies[i].want) || memcmp(buf, replies[i].want, got) != 0 || cut)
			fail_msg("%s: %.*s", replies[i].line, (int)got, buf);
		free(copy);
	}
}

/* No part of a password at the end of a cut line is shown, either. */
static void long_lines_are_cut(void **state)
{
	char line[2 * TRACE_TEXT_MAX], buf[TRACE_TEXT_MAX];
	struct echo echo;
	bool cut;

	(void)state;
	memset(line, 'a', sizeof(line));
	memcpy(line, "STOR ", 5);
	for (size_t len = TRACE_TEXT_MAX - 8; len <= sizeof(line); len++) {
		size_t got = trace_line_command(line, len, buf, &cut);

		assert_int_equal(got, len < TRACE_TEXT_MAX ? len : TRACE_TEXT_MAX);
		assert_int_equal(cut, len > TRACE_TEXT_MAX);
		assert_memory_equal(line, buf, got);
	}
	memcpy(line, "SITE PSWD ", 10);
	assert_int_equal(trace_line_command(line, sizeof(line), buf, &cut), 14);
	memcpy(line, "230 ", 4);
	echo_note(&echo, "secret", 6);
	memcpy(line + TRACE_TEXT_MAX - 3, "secret", 6);
	assert_int_equal(trace_line_reply(&echo, false, line, sizeof(line), buf, &cut), 4 + 34);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commands_are_masked),
		cmocka_unit_test(replies_that_repeat_are_hidden),
		cmocka_unit_test(long_lines_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
