#include "ftp-alg/reply.h"

#include <stdio.h>

#include "tests/unit/unit.h"

#define LINES_MAX 8

/* What one line of a conversation must give; a row ends at the first MORE. */
struct want {
	enum ftp_reply_status status;
	uint16_t code;
	bool first;
	const char *line;
	size_t text;
};

struct reply_case {
	const char *name;
	const char *input;
	size_t input_len;
	struct want want[LINES_MAX];
};

#define PART FTP_REPLY_PART
#define END  FTP_REPLY_END
#define BAD  FTP_REPLY_MALFORMED
#define MORE                                                                                                 \
	{                                                                                                    \
		FTP_REPLY_MORE, 0, true, NULL, 0                                                             \
	}
#define MORE_OF(code)                                                                                        \
	{                                                                                                    \
		FTP_REPLY_MORE, code, false, NULL, 0                                                         \
	}

static const struct reply_case cases[] = {
	{ "nothing", BYTES(""), { MORE } },
	{ "no end yet", BYTES("220 hello"), { MORE } },
	{ "CR but no LF yet", BYTES("220 hello\r"), { MORE } },
	{ "one line", BYTES("220 hello\r\n"), { { END, 220, true, "220 hello", 4 }, MORE } },
	{ "bare LF", BYTES("220 hello\n"), { { END, 220, true, "220 hello", 4 }, MORE } },
	{ "code alone", BYTES("220\r\n"), { { END, 220, true, "220", 3 }, MORE } },
	{ "code and blank", BYTES("220 \r\n"), { { END, 220, true, "220 ", 4 }, MORE } },
	{ "preliminary, then final",
	  BYTES("125 List started OK\r\n250 List completed\r\n"),
	  { { END, 125, true, "125 List started OK", 4 },
	    { END, 250, true, "250 List completed", 4 },
	    MORE } },
	{ "multi-line",
	  BYTES("230-a\r\n230-b\r\n230 c\r\n"),
	  { { PART, 230, true, "230-a", 4 },
	    { PART, 230, false, "230-b", 0 },
	    { END, 230, false, "230 c", 4 },
	    MORE } },
	{ "lines with other codes inside",
	  BYTES("211-a\r\n227 (1,2,3,4,5,6)\r\n 211 x\r\n211x\r\n2111 x\r\n631 x\r\n211 end\r\n"),
	  { { PART, 211, true, "211-a", 4 },
	    { PART, 211, false, "227 (1,2,3,4,5,6)", 0 },
	    { PART, 211, false, " 211 x", 0 },
	    { PART, 211, false, "211x", 0 },
	    { PART, 211, false, "2111 x", 0 },
	    { PART, 211, false, "631 x", 0 },
	    { END, 211, false, "211 end", 4 },
	    MORE } },
	{ "multi-line, ended by the code alone",
	  BYTES("211-\r\n\r\n21\r\n211\r\n"),
	  { { PART, 211, true, "211-", 4 },
	    { PART, 211, false, "", 0 },
	    { PART, 211, false, "21", 0 },
	    { END, 211, false, "211", 3 },
	    MORE } },
	{ "multi-line 227 whose text names another code",
	  BYTES("227-Entering\r\n229 (|||1|)\r\n227 done\r\n"),
	  { { PART, 227, true, "227-Entering", 4 },
	    { PART, 227, false, "229 (|||1|)", 0 },
	    { END, 227, false, "227 done", 4 },
	    MORE } },
	{ "multi-line that goes on",
	  BYTES("125-wait\r\n"),
	  { { PART, 125, true, "125-wait", 4 }, MORE_OF(125) } },
	{ "bytes from 0x80",
	  BYTES("257 \"\xc3\xa4\xff\"\r\n"),
	  { { END, 257, true, "257 \"\xc3\xa4\xff\"", 4 }, MORE } },
	{ "lowest and highest code",
	  BYTES("100 a\r\n599 b\r\n"),
	  { { END, 100, true, "100 a", 4 }, { END, 599, true, "599 b", 4 }, MORE } },

	{ "tab after the code", BYTES("220\tx\r\n"), { { END, 220, true, "220\tx", 4 }, MORE } },
	{ "tab after the last code",
	  BYTES("211-a\r\n211\tend\r\n"),
	  { { PART, 211, true, "211-a", 4 }, { END, 211, false, "211\tend", 4 }, MORE } },
	{ "CR CR LF", BYTES("220 a\r\r\n"), { { END, 220, true, "220 a", 4 }, MORE } },
	{ "CR CR LF, code alone", BYTES("220\r\r\r\n"), { { END, 220, true, "220", 3 }, MORE } },
	{ "CR inside", BYTES("257 \"a\rb\"\r\n"), { { END, 257, true, "257 \"a?b\"", 4 }, MORE } },
	{ "CR inside a line in between",
	  BYTES("211-a\r\nb\r211 c\r\n211 d\r\n"),
	  { { PART, 211, true, "211-a", 4 },
	    { PART, 211, false, "b?211 c", 0 },
	    { END, 211, false, "211 d", 4 },
	    MORE } },
	{ "CR in place of the blank",
	  BYTES("211-a\r\n211\r\r x\r\n211\r\r\n"),
	  { { PART, 211, true, "211-a", 4 },
	    { PART, 211, false, "211?? x", 0 },
	    { END, 211, false, "211", 3 },
	    MORE } },

	{ "empty line", BYTES("\r\n"), { { BAD, 0, true, "", 0 } } },
	{ "LF first", BYTES("\n220 x\r\n"), { { BAD, 0, true, "", 0 } } },
	{ "no code", BYTES("hello\r\n"), { { BAD, 0, true, "hello", 0 } } },
	{ "two digits", BYTES("22 x\r\n"), { { BAD, 0, true, "22 x", 0 } } },
	{ "two digits alone", BYTES("22\r\n"), { { BAD, 0, true, "22", 0 } } },
	{ "four digits", BYTES("2200 x\r\n"), { { BAD, 0, true, "2200 x", 0 } } },
	{ "blank first", BYTES(" 220 x\r\n"), { { BAD, 0, true, " 220 x", 0 } } },
	{ "letter after the code", BYTES("220x\r\n"), { { BAD, 0, true, "220x", 0 } } },
	{ "0yz", BYTES("099 x\r\n"), { { BAD, 0, true, "099 x", 0 } } },
	{ "6yz", BYTES("631 abcd\r\n"), { { BAD, 0, true, "631 abcd", 0 } } },
	{ "6yz, multi-line", BYTES("633-abcd\r\n"), { { BAD, 0, true, "633-abcd", 0 } } },
	{ "9yz", BYTES("999 x\r\n"), { { BAD, 0, true, "999 x", 0 } } },
	{ "digits from 0x80", BYTES("\xb2\xb2\xb0 x\r\n"), { { BAD, 0, true, "\xb2\xb2\xb0 x", 0 } } },
	{ "CR in place of the first blank", BYTES("220\ra\r\n"), { { BAD, 0, true, "220?a", 0 } } },
};

/* Of servers that end a reply with another code. */
static const struct reply_case lenient_cases[] = {
	{ "another code of the class",
	  BYTES("211-a\r\n b\r\n200 end\r\n220 x\r\n"),
	  { { PART, 211, true, "211-a", 4 },
	    { PART, 211, false, " b", 0 },
	    { END, 211, false, "211 end", 4 },
	    { END, 220, true, "220 x", 4 },
	    MORE } },
	{ "its own code",
	  BYTES("211-a\r\n211 end\r\n"),
	  { { PART, 211, true, "211-a", 4 }, { END, 211, false, "211 end", 4 }, MORE } },
	{ "another class",
	  BYTES("230-a\r\n530 no\r\n331 x\r\n099 x\r\n150 x\r\n"),
	  { { PART, 230, true, "230-a", 4 },
	    { PART, 230, false, "530 no", 0 },
	    { PART, 230, false, "331 x", 0 },
	    { PART, 230, false, "099 x", 0 },
	    { PART, 230, false, "150 x", 0 },
	    MORE_OF(230) } },
	{ "no end",
	  BYTES("211-a\r\n200-b\r\n200\r\n200x\r\n 200 x\r\n2000 x\r\n"),
	  { { PART, 211, true, "211-a", 4 },
	    { PART, 211, false, "200-b", 0 },
	    { PART, 211, false, "200", 0 },
	    { PART, 211, false, "200x", 0 },
	    { PART, 211, false, " 200 x", 0 },
	    { PART, 211, false, "2000 x", 0 },
	    MORE_OF(211) } },
};

static void expect(const struct reply_case *c, size_t n, const struct ftp_reply *reply,
		   enum ftp_reply_status status)
{
	const struct want *w = &c->want[n];

	if (status != w->status)
		fail_msg("%s: line %zu: status %d, not %d", c->name, n, status, w->status);
	if (reply->code != w->code || reply->first != w->first)
		fail_msg("%s: line %zu: code %d, not %d, first %d", c->name, n, reply->code, w->code,
			 reply->first);
	if (status == FTP_REPLY_MORE)
		return;
	if (reply->len != strlen(w->line) || memcmp(reply->line, w->line, reply->len) != 0)
		fail_msg("%s: line %zu: \"%.*s\", not \"%s\"", c->name, n, (int)reply->len, reply->line,
			 w->line);
	if (reply->text != w->text)
		fail_msg("%s: line %zu: text at %zu, not %zu", c->name, n, reply->text, w->text);
}

/* step: how many more bytes of the input are shown whenever the parser asks for more. */
static void check(const struct reply_case *c, bool lenient, size_t step)
{
	struct ftp_reply_parser parser = { .lenient = lenient };
	size_t at = 0, shown = step < c->input_len ? step : c->input_len;

	for (size_t n = 0; n < LINES_MAX;) {
		uint8_t *window = bytes_copy(c->input + at, shown - at);
		struct ftp_reply reply;
		enum ftp_reply_status status = ftp_reply_take(&parser, window, shown - at, &reply);

		if (status == FTP_REPLY_MORE && shown < c->input_len) {
			assert_int_equal(reply.consumed, 0);
			shown += step < c->input_len - shown ? step : c->input_len - shown;
		} else {
			expect(c, n, &reply, status);
			at += reply.consumed;
			n++;
		}
		free(window);
		if (status == FTP_REPLY_MALFORMED || (status == FTP_REPLY_MORE && shown == c->input_len))
			break;
	}
}

static void test_replies(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(cases); i++) {
		check(&cases[i], false, SIZE_MAX);
		check(&cases[i], false, 1);
	}
	for (size_t i = 0; i < NELEM(lenient_cases); i++) {
		check(&lenient_cases[i], true, SIZE_MAX);
		check(&lenient_cases[i], true, 1);
	}
}

static void test_nul(void **state)
{
	struct ftp_reply_parser parser = { 0 };
	struct ftp_reply reply;
	uint8_t input[] = "220 a\0b\r\n";

	(void)state;
	assert_int_equal(ftp_reply_take(&parser, input, sizeof(input) - 1, &reply), FTP_REPLY_END);
	assert_int_equal(reply.consumed, sizeof(input) - 1);
	assert_int_equal(reply.len, 7);
	assert_memory_equal(reply.line, "220 a?b", 7);
}

/* Lines up to the limit are taken whole. */
static void test_line_limit(void **state)
{
	static const struct {
		const char *name;
		size_t len; /* of the line */
		const char *tail;
		size_t tail_len;
		enum ftp_reply_status want;
	} rows[] = {
		{ "max", FTP_REPLY_LINE_MAX, BYTES("\r\n"), FTP_REPLY_END },
		{ "max, bare LF", FTP_REPLY_LINE_MAX, BYTES("\n"), FTP_REPLY_END },
		{ "max, more to come", FTP_REPLY_LINE_MAX, BYTES(""), FTP_REPLY_MORE },
		{ "max and CR", FTP_REPLY_LINE_MAX, BYTES("\r"), FTP_REPLY_MORE },
		{ "max and a bare CR", FTP_REPLY_LINE_MAX, BYTES("\rx\r\n"), FTP_REPLY_PART },
		{ "max + 1", FTP_REPLY_LINE_MAX + 1, BYTES("\r\n"), FTP_REPLY_PART },
		{ "max + 1, bare LF", FTP_REPLY_LINE_MAX + 1, BYTES("\n"), FTP_REPLY_PART },
		{ "max + 1, more to come", FTP_REPLY_LINE_MAX + 1, BYTES(""), FTP_REPLY_PART },
		{ "64 KiB", 65536, BYTES(""), FTP_REPLY_PART },
	};

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		size_t len = rows[i].len + rows[i].tail_len;
		char *input = bytes_repeat('a', rows[i].len, rows[i].tail, rows[i].tail_len);
		uint8_t *window;
		struct ftp_reply_parser parser = { 0 };
		struct ftp_reply reply;
		enum ftp_reply_status status;

		memcpy(input, "220 ", 4);
		window = bytes_copy(input, len);
		status = ftp_reply_take(&parser, window, len, &reply);
		if (status != rows[i].want)
			fail_msg("%s: status %d, not %d", rows[i].name, status, rows[i].want);
		if (status == FTP_REPLY_END)
			assert_int_equal(reply.len, rows[i].len);
		if (status == FTP_REPLY_PART)
			assert_true(reply.goes_on && reply.closing && reply.first);
		free(window);
		free(input);
	}
}

/* Take all that the window has; the pieces joined and the line ends as LF give `joined`. */
static enum ftp_reply_status take_all(const char *input, size_t len, char *joined, size_t *ret_pieces)
{
	struct ftp_reply_parser parser = { 0 };
	enum ftp_reply_status status = FTP_REPLY_MORE;
	bool within = false;

	*ret_pieces = 0;
	for (size_t at = 0; at < len;) {
		size_t shown = len - at < 2 * FTP_REPLY_LINE_MAX ? len - at : 2 * FTP_REPLY_LINE_MAX;
		uint8_t *window = bytes_copy(input + at, shown);
		struct ftp_reply reply;

		status = ftp_reply_take(&parser, window, shown, &reply);
		assert_int_not_equal(status, FTP_REPLY_MORE);
		assert_int_equal(reply.continues, within);
		within = reply.goes_on;
		memcpy(joined, reply.line, reply.len);
		joined += reply.len;
		if (!within)
			*joined++ = '\n';
		at += reply.consumed;
		++*ret_pieces;
		free(window);
	}
	*joined = '\0';
	assert_int_equal(parser.code, 0);
	assert_false(parser.in_line);
	return status;
}

#define TEXT_MAX 32768

static void add(char *text, const char *more)
{
	size_t len = strlen(text);

	(void)snprintf(text + len, TEXT_MAX - len, "%s", more);
}

/* What a longer line holds is never taken for a line, wherever a piece begins. */
static void test_pieces(void **state)
{
	static const struct {
		const char *name;
		const char *head, *middle, *tail; /* the middle is repeated */
		enum ftp_reply_status want;
		const char *want_tail;
	} rows[] = {
		{ "one line", "257 ", "211 x", "\r\n", FTP_REPLY_END, "\n" },
		{ "one line without a blank", "257 ", "211-x", "\r\n", FTP_REPLY_END, "\n" },
		{ "a line in between", "211-a\n", "211 x", "\r\n211 end\r\n", FTP_REPLY_END, "\n211 end\n" },
		{ "the first line", "211-", "211 x", "\r\n211 end\r\n", FTP_REPLY_END, "\n211 end\n" },
		{ "the last line", "211-a\n211 ", "b211 x", "\r\n", FTP_REPLY_END, "\n" },
		{ "CR CR LF", "257 ", "x", "\r\r\n", FTP_REPLY_END, "\n" },
		{ "no reply", "hello ", "211 x", "\r\n", FTP_REPLY_MALFORMED, "\n" },
		{ "no reply, then one", "hello ", "211 x", "\r\n220 hi\r\n", FTP_REPLY_END, "\n220 hi\n" },
	};

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		/* so that each byte of the middle is the first of a piece in some row */
		for (size_t times = 900; times < 1900; times += 13) {
			char *input = calloc(1, TEXT_MAX), *joined = calloc(1, TEXT_MAX);
			char *want = calloc(1, TEXT_MAX);
			enum ftp_reply_status status;
			size_t pieces;

			assert_true(input != NULL && joined != NULL && want != NULL);
			add(input, rows[i].head);
			for (size_t n = 0; n < times; n++)
				add(input, rows[i].middle);
			add(want, input);
			add(input, rows[i].tail);
			add(want, rows[i].want_tail);
			status = take_all(input, strlen(input), joined, &pieces);
			if (status != rows[i].want || strcmp(joined, want) != 0)
				fail_msg("%s: %zu times: status %d, %zu pieces", rows[i].name, times, status,
					 pieces);
			free(input);
			free(joined);
			free(want);
		}
	}
}

/* A reply may be of any size. */
static void test_size(void **state)
{
	struct ftp_reply_parser parser = { 0 };
	struct ftp_reply reply;
	uint8_t line[] = "213-a line of a listing\r\n", last[] = "213 end\r\n";

	(void)state;
	for (size_t bytes = 0; bytes < (size_t)8 * 1024 * 1024; bytes += sizeof(line))
		assert_int_equal(ftp_reply_take(&parser, line, sizeof(line) - 1, &reply), FTP_REPLY_PART);
	assert_int_equal(ftp_reply_take(&parser, last, sizeof(last) - 1, &reply), FTP_REPLY_END);
}

static void test_classes(void **state)
{
	(void)state;
	assert_false(ftp_reply_is_preliminary(0));
	assert_true(ftp_reply_is_preliminary(100));
	assert_true(ftp_reply_is_preliminary(199));
	assert_false(ftp_reply_is_preliminary(200));
	assert_false(ftp_reply_is_positive(199));
	assert_true(ftp_reply_is_positive(200));
	assert_true(ftp_reply_is_positive(299));
	assert_false(ftp_reply_is_positive(300));
	for (uint16_t code = 100; code < 600; code++) {
		bool any = code == 230 || code == 232;

		assert_int_equal(ftp_reply_is_login(code, false), any);
		assert_int_equal(ftp_reply_is_login(code, true),
				 any || code == 200 || code == 202 || code == 220);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_replies),	   cmocka_unit_test(test_nul),
		cmocka_unit_test(test_line_limit), cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_size),	   cmocka_unit_test(test_classes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
