#include "ftp-alg/line.h"

#include "tests/unit/unit.h"

struct line_case {
	const char *name;
	const char *input;
	size_t input_len;
	enum ftp_line_status want;
	const char *text; /* of an FTP_LINE_OK line */
	size_t text_len;
	size_t consumed;
};

#define OK(literal) FTP_LINE_OK, literal, sizeof(literal) - 1
#define NOT(status) status, "", 0

static const struct line_case cases[] = {
	{ "nothing", BYTES(""), NOT(FTP_LINE_MORE), 0 },
	{ "no end yet", BYTES("NOOP"), NOT(FTP_LINE_MORE), 0 },
	{ "CR but no LF yet", BYTES("NOOP\r"), NOT(FTP_LINE_MORE), 0 },
	{ "a line", BYTES("NOOP\r\n"), OK("NOOP"), 6 },
	{ "an empty line", BYTES("\r\n"), OK(""), 2 },
	{ "first of two", BYTES("NOOP\r\nQUIT\r\n"), OK("NOOP"), 6 },
	{ "blanks are kept", BYTES("PASS  a b \r\n"), OK("PASS  a b "), 12 },
	{ "bytes from 0x80", BYTES("RETR \x80\xc3\xa4\xfe\r\n"), OK("RETR \x80\xc3\xa4\xfe"), 11 },
	{ "control characters", BYTES("RETR \x01\t\x1b\x7f\r\n"), OK("RETR \x01\t\x1b\x7f"), 11 },

	{ "LF first", BYTES("\nNOOP\r\n"), NOT(FTP_LINE_BARE_LF), 1 },
	{ "LF alone", BYTES("\n"), NOT(FTP_LINE_BARE_LF), 1 },
	{ "bare LF as a separator", BYTES("NOOP\nDELE x\r\n"), NOT(FTP_LINE_BARE_LF), 5 },
	{ "LF CR", BYTES("NOOP\n\r"), NOT(FTP_LINE_BARE_LF), 5 },
	{ "bare LF after a bare CR", BYTES("A\rB\n"), NOT(FTP_LINE_BARE_LF), 4 },
	{ "bare LF after a NUL", BYTES("A\0B\n"), NOT(FTP_LINE_BARE_LF), 4 },
	{ "bare CR as a separator", BYTES("NOOP\rDELE x\r\n"), NOT(FTP_LINE_BARE_CR), 13 },
	{ "bare CR, end still to come", BYTES("NOOP\rDELE x"), NOT(FTP_LINE_MORE), 0 },
	{ "CR CR LF", BYTES("NOOP\r\r\n"), NOT(FTP_LINE_BARE_CR), 7 },
	{ "CR NUL as a separator", BYTES("NOOP\r\0DELE x\r\n"), NOT(FTP_LINE_BARE_CR), 14 },
	{ "NUL", BYTES("RETR a\0b\r\n"), NOT(FTP_LINE_NUL), 10 },
	{ "NUL first", BYTES("\0NOOP\r\nQUIT\r\n"), NOT(FTP_LINE_NUL), 7 },
	{ "NUL before CRLF", BYTES("NOOP\0\r\n"), NOT(FTP_LINE_NUL), 7 },

	{ "IAC IP IAC DM",
	  BYTES("\xff\xf4\xff\xf2"
		"ABOR\r\n"),
	  OK("ABOR"), 10 },
	{ "IAC IP, DM as a letter",
	  BYTES("\xff\xf4\xf2"
		"ABOR\r\n"),
	  OK("\xf2"
	     "ABOR"),
	  9 },
	{ "Telnet in the middle", BYTES("AB\xff\xf1OR\r\n"), OK("ABOR"), 8 },
	{ "Telnet before CRLF", BYTES("ABOR\xff\xf2\r\n"), OK("ABOR"), 8 },
	{ "Telnet alone", BYTES("\xff\xf4\xff\xf2\r\n"), OK(""), 6 },
	{ "IAC SE without SB",
	  BYTES("A\xff\xf0"
		"B\r\n"),
	  OK("AB"), 6 },
	{ "WILL WONT DO DONT", BYTES("\xff\xfb\x01\xff\xfc\x02\xff\xfd\x03\xff\xfe\x04NOOP\r\n"), OK("NOOP"),
	  18 },
	{ "DO of option 0", BYTES("\xff\xfd\0NOOP\r\n"), OK("NOOP"), 9 },
	{ "DO of option 255", BYTES("\xff\xfd\xffNOOP\r\n"), OK("NOOP"), 9 },
	{ "DO of option 13", BYTES("\xff\xfd\rNOOP\r\n"), OK("NOOP"), 9 },
	{ "DO of option 10 hides no LF", BYTES("\xff\xfd\nNOOP\r\n"), NOT(FTP_LINE_BARE_LF), 3 },
	{ "DO cut off by the end", BYTES("NOOP\xff\xfd\r\nQUIT\r\n"), OK("NOOP"), 8 },
	{ "SB to SE",
	  BYTES("A\xff\xfa\x18\0xterm\xff\xf0"
		"B\r\n"),
	  OK("AB"), 15 },
	{ "SB with IAC IAC in it",
	  BYTES("A\xff\xfa\xff\xff\xf0\xff\xf0"
		"B\r\n"),
	  OK("AB"), 11 },
	{ "SB cut off by the end", BYTES("RETR \xff\xfa.txt\r\nQUIT\r\n"), OK("RETR "), 13 },
	{ "SB with IAC last",
	  BYTES("A\xff\xfa"
		"B\xff\r\n"),
	  OK("A"), 7 },
	{ "IAC between CR and LF", BYTES("NOOP\r\xff\xf1\n"), NOT(FTP_LINE_BARE_LF), 8 },
	{ "CR, IAC, CRLF", BYTES("NOOP\r\xff\xf1\r\n"), NOT(FTP_LINE_BARE_CR), 9 },
	{ "IAC IAC stays doubled", BYTES("RETR \xff\xff\r\n"), OK("RETR \xff\xff"), 9 },
	{ "IAC IAC IP is 0xFF and a letter",
	  BYTES("A\xff\xff\xf4"
		"B\r\n"),
	  OK("A\xff\xff\xf4"
	     "B"),
	  7 },
	{ "IAC IAC IAC IAC", BYTES("A\xff\xff\xff\xff\r\n"), OK("A\xff\xff\xff\xff"), 7 },
	{ "IAC IAC IAC IP", BYTES("A\xff\xff\xff\xf4\r\n"), OK("A\xff\xff"), 7 },
	{ "IAC IAC IAC as letters", BYTES("A\xff\xff\xff\r\n"), OK("A\xff\xff\xff"), 6 },
	{ "a command between two letters",
	  BYTES("A\xff\xff\xff\xf1\xf1"
		"B\r\n"),
	  OK("A\xff\xff\xf1"
	     "B"),
	  9 },
	{ "0xFF as a letter",
	  BYTES("RETR \xff"
		"a\r\n"),
	  OK("RETR \xff"
	     "a"),
	  9 },
	{ "0xFF before 0xEF", BYTES("A\xff\xef\r\n"), OK("A\xff\xef"), 5 },
	{ "0xFF last", BYTES("RETR \xff\r\n"), OK("RETR \xff"), 8 },
	{ "0xFF NUL", BYTES("A\xff\0\r\n"), NOT(FTP_LINE_NUL), 5 },
};

static void expect(const struct line_case *c, size_t inbuf_len)
{
	uint8_t *window = bytes_copy(c->input, inbuf_len);
	struct ftp_line line = { 0 };
	enum ftp_line_status status = ftp_line_take(window, inbuf_len, &line);

	if (status != c->want)
		fail_msg("%s: status %d, not %d (window of %zu)", c->name, status, c->want, inbuf_len);
	if (status != FTP_LINE_MORE && line.consumed != c->consumed)
		fail_msg("%s: consumed %zu, not %zu", c->name, line.consumed, c->consumed);
	if (status == FTP_LINE_OK && (line.len != c->text_len || memcmp(line.text, c->text, line.len) != 0))
		fail_msg("%s: \"%.*s\", not \"%s\"", c->name, (int)line.len, line.text, c->text);
	free(window);
}

/* The window as a whole, and then growing byte by byte: MORE until the same result. */
static void check(const struct line_case *c)
{
	size_t len = 0;
	enum ftp_line_status status = FTP_LINE_MORE;

	expect(c, c->input_len);
	for (; status == FTP_LINE_MORE && len <= c->input_len; len++) {
		uint8_t *window = bytes_copy(c->input, len);
		struct ftp_line line;

		status = ftp_line_take(window, len, &line);
		if (status == FTP_LINE_MORE && memcmp(window, c->input, len) != 0)
			fail_msg("%s: window of %zu bytes changed by MORE", c->name, len);
		free(window);
	}
	if (status != FTP_LINE_MORE || c->want != FTP_LINE_MORE)
		expect(c, len - 1);
}

static void test_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(cases); i++)
		check(&cases[i]);
}

static void test_limit(void **state)
{
	static const struct {
		const char *name;
		size_t fill;
		const char *tail;
		size_t tail_len;
		enum ftp_line_status want;
		size_t consumed;
	} rows[] = {
		{ "max", FTP_LINE_MAX, BYTES("\r\n"), FTP_LINE_OK, FTP_LINE_MAX + 2 },
		{ "max, more to come", FTP_LINE_MAX, BYTES(""), FTP_LINE_MORE, 0 },
		{ "max and CR", FTP_LINE_MAX, BYTES("\r"), FTP_LINE_MORE, 0 },
		{ "max and a bare CR", FTP_LINE_MAX, BYTES("\rA\r\n"), FTP_LINE_TOO_LONG, FTP_LINE_MAX + 1 },
		{ "max and a bare LF", FTP_LINE_MAX, BYTES("\n"), FTP_LINE_BARE_LF, FTP_LINE_MAX + 1 },
		{ "max + 1", FTP_LINE_MAX + 1, BYTES("\r\n"), FTP_LINE_TOO_LONG, FTP_LINE_MAX + 1 },
		{ "max + 1, more to come", FTP_LINE_MAX + 1, BYTES(""), FTP_LINE_TOO_LONG, FTP_LINE_MAX + 1 },
		{ "max + 1 and a bare LF", FTP_LINE_MAX + 1, BYTES("\n"), FTP_LINE_TOO_LONG,
		  FTP_LINE_MAX + 1 },
	};

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		char *input = bytes_repeat('A', rows[i].fill, rows[i].tail, rows[i].tail_len);
		struct line_case c = {
			.name = rows[i].name,
			.input = input,
			.input_len = rows[i].fill + rows[i].tail_len,
			.want = rows[i].want,
			.text = input,
			.text_len = rows[i].fill,
			.consumed = rows[i].consumed,
		};

		check(&c);
		free(input);
	}
}

/* 64 KiB of one byte, then CRLF and a command that must come out whole. */
static void test_overlong_then_good(void **state)
{
	static const uint8_t fills[] = { 0xFF, 'A', 0x80, '\0', '\r' };
	const size_t fill_len = 65536;
	const char tail[] = "\r\nNOOP\r\n";

	(void)state;
	for (size_t i = 0; i < NELEM(fills); i++) {
		char *input = bytes_repeat(fills[i], fill_len, tail, sizeof(tail) - 1);
		uint8_t *window = bytes_copy(input, fill_len + sizeof(tail) - 1);
		size_t len = fill_len + sizeof(tail) - 1;
		struct ftp_line line;
		size_t at;
		int done;

		assert_int_equal(ftp_line_take(window, len, &line), FTP_LINE_TOO_LONG);
		assert_int_equal(line.consumed, FTP_LINE_MAX + 1);
		at = line.consumed;
		/* In two parts: the first has no LF. */
		assert_int_equal(ftp_line_skip(window + at, 1000, &done), 1000);
		assert_false(done);
		at += 1000;
		assert_int_equal(ftp_line_skip(window + at, len - at, &done), fill_len + 2 - at);
		assert_true(done);
		at = fill_len + 2;
		assert_int_equal(ftp_line_take(window + at, len - at, &line), FTP_LINE_OK);
		assert_int_equal(line.len, 4);
		assert_memory_equal(line.text, "NOOP", 4);
		free(window);
		free(input);
	}
}

/* Telnet commands alone must not fill a window either: the limit counts what was received. */
static void test_telnet_flood(void **state)
{
	uint8_t window[FTP_LINE_MAX + 2];
	struct ftp_line line;

	(void)state;
	for (size_t i = 0; i < sizeof(window); i += 2) {
		window[i] = 0xFF;
		window[i + 1] = 0xF1;
	}
	assert_int_equal(ftp_line_take(window, sizeof(window), &line), FTP_LINE_TOO_LONG);
	memcpy(window + FTP_LINE_MAX, "\r\n", 2);
	assert_int_equal(ftp_line_take(window, sizeof(window), &line), FTP_LINE_OK);
	assert_int_equal(line.len, 0);
}

static void test_skip_nothing(void **state)
{
	uint8_t window[1] = { '\n' };
	int done = 1;

	(void)state;
	assert_int_equal(ftp_line_skip(window, 0, &done), 0);
	assert_false(done);
	assert_int_equal(ftp_line_skip(window, 1, &done), 1);
	assert_true(done);
}

/* Every line of up to four bytes out of those that matter is the same line when the server takes it. */
static void test_taken_twice(void **state)
{
	static const char letters[] = { 'a', ' ', '\x01', '\xef', '\xf0', '\xfa', '\xfb', '\xfe', '\xff' };
	size_t n = NELEM(letters);

	(void)state;
	for (size_t i = 0; i < n * n * n * n; i++) {
		char wire[] = { letters[i % n],
				letters[i / n % n],
				letters[i / n / n % n],
				letters[i / n / n / n],
				'\r',
				'\n' };
		char first[sizeof(wire)];
		struct ftp_line line, again;

		assert_int_equal(ftp_line_take((uint8_t *)wire, sizeof(wire), &line), FTP_LINE_OK);
		assert_int_equal(line.consumed, sizeof(wire));
		memcpy(first, line.text, line.len);
		memcpy(wire + line.len, "\r\n", 2);
		assert_int_equal(ftp_line_take((uint8_t *)wire, line.len + 2, &again), FTP_LINE_OK);
		assert_int_equal(again.len, line.len);
		assert_memory_equal(again.text, first, line.len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_overlong_then_good),
		cmocka_unit_test(test_telnet_flood),
		cmocka_unit_test(test_skip_nothing),
		cmocka_unit_test(test_taken_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
