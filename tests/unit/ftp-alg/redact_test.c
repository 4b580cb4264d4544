#include "ftp-alg/redact.h"

#include "ftp-alg/reply.h"
#include "tests/unit/machine-script.h"

static const struct {
	uint16_t code;
	const char *line;
	const char *want; /* NULL: the line as it is */
} lines[] = {
	{ 211, "211 Connected to 192.0.2.1", "211 Connected to -" },
	{ 200, "200 ok.", NULL },
	{ 200, "", NULL },
	/* The code is not part of a name. */
	{ 211, "211-ftp.example.com status", "211-- status" },
	{ 211, "211-x16.....", NULL },
	{ 211, "211-2001:db8::1", "211--" },
	{ 211, "211", NULL },

	{ 250, "250 from 192.0.2.1.", "250 from -." },
	{ 250, "250 from 192.0.2.1:2121", "250 from -" },
	{ 250, "250 from 192.0.2.1:2121: refused", "250 from -: refused" },
	{ 250, "250 (192.0.2.1)", "250 (-)" },
	{ 250, "250 [192.0.2.1]:21", "250 [-]" },
	{ 250, "250 <192.0.2.1>", "250 <->" },
	{ 250, "250 192.0.2.1/24", "250 -/24" },
	{ 150, "150 Opening connection for x (192.0.2.7,3456)", "150 Opening connection for x (-,-)" },
	{ 150, "150 Opening connection for x (12 bytes)", NULL },
	{ 425, "425 Can't connect to Client:192.0.2.7", "425 Can't connect to Client:-" },
	{ 425, "425 from 192.0.2.7, 3 others", "425 from -, 3 others" },
	{ 250, "250 -192.0.2.1-", "250 ---" },
	{ 250, "250 2001:db8::1", "250 -" },
	{ 250, "250 2001:db8::", "250 -" },
	{ 250, "250 ::1", "250 -" },
	{ 250, "250 ::1: x", "250 -: x" },
	{ 250, "250 :2001:db8::.", "250 :-." },
	{ 250, "250 ::ffff:192.0.2.1", "250 -" },
	{ 250, "250 ::ffff:192.0.2.1:21", "250 -" },
	{ 250, "250 [2001:db8::1]:21", "250 [-]" },
	{ 250, "250 fe80::1%eth0", "250 -%eth0" },
	{ 250, "250 ::1]:8::8:::8b", "250 -]:-::8:::8b" }, /* no address comes about */
	{ 250, "250 :: a.b::", NULL },
	{ 250, "250 at 12:30:45", NULL },
	{ 250, "250 port 2121", "250 port -" },
	{ 250, "250 Port: 2121", "250 Port: -" },
	{ 250, "250 PORT=2121.", "250 PORT=-." },
	{ 250, "250 port:2121", "250 port:-" },
	{ 250, "250 ports 5000-5010", "250 ports -" },
	{ 250, "250 port wine", NULL },
	{ 250, "250 report 21", NULL },
	{ 250, "250 of root@example.com.", "250 of root@-." },
	{ 250, "250 of root@localhost", NULL },
	{ 250, "250 192.0.2.1@192.0.2.2", "250 -@-" },

	/* What may be a file's name stays. */
	{ 250, "250 a.b.c", NULL },
	{ 150, "150 Opening connection for USER.DATA.SET", NULL },
	{ 226, "226 backup-192.0.2.1.tar.gz", NULL },
	{ 213, "213-rw-r--r-- 1 ftp.example.com", NULL },
	{ 250, "250 std::cafe std::beef", NULL },
	{ 550, "550 1.2.3: no such file", NULL },
	{ 550, "550 '/pub/ftp.example.com': no such file", NULL },

	/* Replies without file names lose the names of hosts. */
	{ 230, "230 Welcome to ftp.example.com.", "230 Welcome to -." },
	{ 221, "221 ftp.example.com:21 says goodbye", "221 - says goodbye" },
	{ 421, "421 ftp_1.example.com: full", "421 -: full" },
	{ 421, "421 http://www.example.com:8080/x", "421 http://-/x" },
	{ 331, "331 at:2001:db8::1", "331 at:-" },
	{ 331, "331 std::cafe", "331 std-" },
	{ 530, "530 example.com", NULL },
	{ 530, "530 please wait...then log in", NULL },
	{ 230, "230 vsFTPd 3.0.5", NULL },
};

static void lines_lose_addresses_and_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(lines); i++) {
		const char *want = lines[i].want != NULL ? lines[i].want : lines[i].line;
		size_t len = strlen(lines[i].line);
		uint8_t *copy = bytes_copy(lines[i].line, len), *out = bytes_copy(lines[i].line, len);
		size_t n = ftp_redact(lines[i].code, (const char *)copy, len, (char *)out, len);

		if (n != strlen(want) || memcmp(out, want, n) != 0)
			fail_msg("%s: %.*s instead of %s", lines[i].line, (int)n, out, want);
		free(copy);
		free(out);
	}
}

static void long_lines_take_no_time(void **state)
{
	static const char *const patterns[] = { ":",  "::", "1:", "a:",	      ".",
						"1.", "a.", "@",  "1.2.3.4:", "port:" };
	static const uint16_t codes[] = { 230, 250 };

	(void)state;
	for (size_t i = 0; i < NELEM(patterns) * NELEM(codes); i++) {
		const char *pattern = patterns[i / NELEM(codes)];
		char line[4096], out[4096];

		for (size_t at = 0; at < sizeof(line); at++)
			line[at] = pattern[at % strlen(pattern)];
		assert_true(ftp_redact(codes[i % NELEM(codes)], line, sizeof(line), out, sizeof(out)) <=
			    sizeof(out));
	}
}

/* Long lines are redacted piece by piece, and what hides a number stands before it. */
static void pieces_hide_what_lines_hide(void **state)
{
	static const char *const hidden_parts[] = { " port 2121 ", " ports:  5000-5010 ", " Port\t2121 ",
						    " from 192.0.2.1:2121 ", " (192.0.2.1,2121) " };

	(void)state;
	for (size_t i = 0; i < NELEM(hidden_parts) * 64; i++) {
		const char *part = hidden_parts[i / 64];
		size_t len = strlen(part), at = 0, n = 0, line_len = FTP_REPLY_LINE_MAX + 600;
		uint8_t line[FTP_REPLY_LINE_MAX + 602];
		char out[sizeof(line) + 1];
		struct ftp_reply_parser parser = { 0 };
		struct ftp_reply reply = { .goes_on = true };

		for (size_t k = 0; k < line_len; k++)
			line[k] = (uint8_t) "ab "[k % 3];
		memcpy(line, "250 ", 4);
		memcpy(line + FTP_REPLY_LINE_MAX - 32 + i % 64, part, len);
		memcpy(line + line_len, "\r\n", 2);
		for (; reply.goes_on; at += reply.consumed) {
			(void)ftp_reply_take(&parser, line + at, sizeof(line) - at, &reply);
			n += ftp_redact(250, reply.line, reply.len, out + n, sizeof(out) - 1 - n);
		}
		out[n] = '\0';
		if (strpbrk(out + 4, "0123456789") != NULL)
			fail_msg("%s, %zu: %s", part, i % 64, strpbrk(out + 4, "0123456789"));
	}
}

static const struct {
	const char *text;
	const char *want;
} systems[] = {
	{ "UNIX Type: L8", "215 UNIX Type: L8" },
	{ "UNIX Type: L8 Version: BSD-44", "215 UNIX Type: L8" },
	{ "UNIX type: l8", "215 UNIX Type: L8" },
	{ "MVS is the operating system of this server. FTP Server is running on z/OS.", "215 MVS" },
	{ "Windows_NT version 10.0", "215 Windows_NT" },
	{ "", "215 " },
	{ "0123456789012345678901234567890123456789012345678901234567890123456789",
	  "215 0123456789012345678901234567890123456789012345678901234567890123" },
};

static void systems_lose_their_level(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(systems); i++) {
		size_t len = strlen(systems[i].text);
		uint8_t *copy = bytes_copy(systems[i].text, len);
		char out[128];
		size_t n = ftp_redact_syst((const char *)copy, len, out, sizeof(out));

		assert_int_equal(n, strlen(systems[i].want));
		assert_memory_equal(out, systems[i].want, n);
		assert_int_equal(ftp_redact_syst((const char *)copy, len, out, 6), n < 6 ? n : 5);
		free(copy);
	}
}

static const struct ftp_action hidden = {
	.secure_login = SECURE_LOGIN_NO_CLIENT_AUTH,
	.unknown_commands = UNKNOWN_COMMANDS_PASS,
	.extensions = EXTENSION_AUTH_TLS,
	.secure_ftp = SECURE_FTP_ALLOWED,
	.data_policy_scope = DATA_POLICY_PROTECTED,
	.secure_dataconn = SECURE_CLEAR,
	.replysecuritylevel = 1,
};

static const struct script_case dialogues[] = {
	{ "the greeting",
	  { .action = &hidden },
	  NULL,
	  "S 120 ftp.example.com at 192.0.2.1 is starting\n  c 120 - at - is starting\n"
	  "S 220-Welcome to ftp.example.com\nS  vsFTPd 3.0.5\nS 220 go on\n  c 220 FTP server ready.\n" },
	{ "it refuses",
	  { .action = &hidden },
	  NULL,
	  "S 530-ftp.example.com:\n  c 530--:\nS  not from 192.0.2.7\n  c  not from -\nS 530 no\n  c 530 no\n"
	  "  close server-refused\n" },
	{ "after REIN",
	  { .action = &hidden },
	  LOGGED_IN "C REIN\n",
	  "S 220 ftp.example.com ready\n  c 220 FTP server ready.\n" },
	{ "a renewed server says nothing",
	  { .action = &hidden },
	  LOGGED_IN "C AUTH TLS\n! tls\n",
	  "S 220 ftp.example.com ready\n" },
	{ "421",
	  { .action = &hidden },
	  LOGGED_IN,
	  "S 421-ftp.example.com (192.0.2.1:21):\n  c 421-- (-):\nS 421 idle\n  c 421 idle\n"
	  "  close server-421\n" },
	{ "SYST",
	  { .action = &hidden },
	  GREETED,
	  "C SYST\n  s SYST\nS 215 UNIX Type: L8 Version: SunOS 5.8\n  c 215 UNIX Type: L8\n"
	  "C SYST\n  s SYST\nS 215-MVS is it\nS 215 MVS and so on\n  c 215 MVS\n"
	  "C SYST\n  s SYST\nS 502 not at 192.0.2.1\n  c 502 not at -\n" },
	{ "STAT",
	  { .action = &hidden },
	  LOGGED_IN,
	  "C STAT\n  s STAT\nS 211-ftp.example.com FTP server status:\nS  Connected to 192.0.2.7\nS 211 End\n"
	  "  c 211 Status is not shown here.\nC STAT\n  s STAT\nS 502 no\n  c 502 no\n" },
	{ "STAT of files",
	  { .action = &hidden },
	  LOGGED_IN,
	  "C STAT d\n  s STAT d\nS 213-d:\n  c 213-d:\nS  -rw 1 10 a.b.c\n  c  -rw 1 10 a.b.c\nS 213 end\n  "
	  "c 213 end\n"
	  "C STAT d\n  s STAT d\nS 211-d:\n  c 211-d:\nS  -rw 1 10 a.b.c\n  c  -rw 1 10 a.b.c\nS 211 end\n  "
	  "c 211 end\n" },
	{ "FEAT",
	  { .action = &hidden },
	  GREETED,
	  "C FEAT\n  s FEAT\nS 211-Features of ftp.example.com:\n  c 211-Features of -:\n"
	  "S  MLST type*;size*;UNIX.mode*;\n  c  MLST type*;size*;UNIX.mode*;\nS  REST STREAM\n  c  REST "
	  "STREAM\n"
	  "S 211 End\n  c  AUTH TLS\n  c  PBSZ\n  c  PROT\n  c  EPSV\n  c 211 End\n" },
	{ "227 and 229 are the gateway's own",
	  { .action = &hidden },
	  LOGGED_IN,
	  "C PASV\n  s EPSV\nS 229 x (|||2000|)\n  dial server 10.0.0.1:2000\n  listen client\n"
	  "L client 192.0.2.1:5001\n  c 227 Entering Passive Mode (192,0,2,1,19,137).\n"
	  "C EPSV\n  close-data\n  s EPSV\nS 229 x (|||2000|)\n  dial server 10.0.0.1:2000\n  listen client\n"
	  "L client 192.0.2.1:5002\n  c 229 Entering Extended Passive Mode (|||5002|)\n" },
	{ "a transfer",
	  { .action = &hidden },
	  PASSIVE,
	  "C STOR a.b.c\n  s STOR a.b.c\n  start upload clear\nS 150 a.b.c from 10.0.0.9:4000\n  c 150 a.b.c "
	  "from -\n  go\n"
	  "C STAT\n  s STAT\nS 211-10.0.0.1 sends\nS 211 to 10.0.0.9\n  c 211 Status is not shown here.\n"
	  "D ok\nS 226 a.b.c is there\n  c 226 a.b.c is there\n  close-data\n" },
	{ "a refused plan",
	  { .action = &hidden },
	  LOGGED_IN "C EPSV\n",
	  "S 425 not to 10.0.0.9\n  close-data\n  c 425 not to -\n" },
	{ "logins",
	  { .action = &hidden },
	  GREETED,
	  "C USER u\n  user u\n  s USER u\nS 331 u of ftp.example.com?\n  c 331 u of -?\nC PASS p\n  s PASS "
	  "p\n"
	  "S 230-at 2001:db8::1\n  c 230-at -\nS 230 in\n  c 230 in\n  logged-in\n"
	  "C QUIT\n  s QUIT\nS 221 ftp.example.com says goodbye\n  c 221 - says goodbye\n  close quit\n" },
};

static void level_1_dialogues(void **state)
{
	(void)state;
	SCRIPT_CHECK_ALL(dialogues);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_lose_addresses_and_names),
		cmocka_unit_test(long_lines_take_no_time),
		cmocka_unit_test(pieces_hide_what_lines_hide),
		cmocka_unit_test(systems_lose_their_level),
		cmocka_unit_test(level_1_dialogues),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
