/*
 * Printed diagnostics: the source line, the caret under it, and what a hostile file
 * must not do to a terminal; also UTF-8 and the suggestions for misspelt words.
 */
#include "policy/diag.h"

#include <stdio.h>

#include "policy/utf8.h"
#include "tests/unit/unit.h"

static char *print(const struct diags *diags)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	diags_print(diags, out);
	assert_int_equal(fclose(out), 0);
	return text;
}

#define AT(l, c)                                                                                             \
	{                                                                                                    \
		.line = (l), .column = (c)                                                                   \
	}

#define TEN	"0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

static const struct {
	const char *name;
	const char *source;
	size_t source_len;
	struct diag_mark mark;
	enum diag_level level;
	const char *message;
	const char *want;
} prints[] = {
	{ "an error", BYTES("a: 1\nb: 2\n"), AT(2, 4), DIAG_ERROR, "no", "f:2:4: no\n    b: 2\n       ^\n" },
	{ "a warning", BYTES("a: 1\n"), AT(1, 1), DIAG_WARNING, "hm",
	  "f:1:1: warning: hm\n    a: 1\n    ^\n" },
	{ "no place", BYTES("a: 1\n"), AT(0, 0), DIAG_ERROR, "no", "f: no\n" },
	{ "no line end", BYTES("a: 1"), AT(1, 5), DIAG_ERROR, "no", "f:1:5: no\n    a: 1\n        ^\n" },
	{ "after the end", BYTES("a\n"), AT(9, 9), DIAG_ERROR, "no", "f:9:9: no\n" },
	{ "the empty last line", BYTES("a\n"), AT(2, 1), DIAG_ERROR, "no", "f:2:1: no\n    \n    ^\n" },
	{ "column after the line", BYTES("a\n"), AT(1, 4), DIAG_ERROR, "no", "f:1:4: no\n    a\n       ^\n" },
	{ "no source", BYTES(""), AT(1, 1), DIAG_ERROR, "no", "f:1:1: no\n    \n    ^\n" },
	{ "CR LF", BYTES("a\r\nb\r\n"), AT(2, 1), DIAG_ERROR, "no", "f:2:1: no\n    b\n    ^\n" },
	{ "CR", BYTES("a\rb"), AT(2, 1), DIAG_ERROR, "no", "f:2:1: no\n    b\n    ^\n" },
	{ "NEL and LS",
	  BYTES("a\xc2\x85"
		"b\xe2\x80\xa8"
		"c"),
	  AT(3, 1), DIAG_ERROR, "no", "f:3:1: no\n    c\n    ^\n" },
	{ "tabs are copied", BYTES("a:\t\tx"), AT(1, 5), DIAG_ERROR, "no",
	  "f:1:5: no\n    a:\t\tx\n      \t\t^\n" },
	{ "columns are characters", BYTES("\xc3\xa9\xe2\x82\xac: x"), AT(1, 5), DIAG_ERROR, "no",
	  "f:1:5: no\n    \xc3\xa9\xe2\x82\xac: x\n        ^\n" },
	{ "byte order mark",
	  BYTES("\xef\xbb\xbf"
		"a: x"),
	  AT(1, 4), DIAG_ERROR, "no", "f:1:4: no\n    a: x\n       ^\n" },
	{ "escapes of a terminal", BYTES("a: \x1b[31m\x9b\x7f\0x"), AT(1, 4), DIAG_ERROR, "no \x1b[0m\n",
	  "f:1:4: no ?[0m?\n    a: ?[31m???x\n       ^\n" },
	{ "C1 and direction", BYTES("\xc2\x9b|\xe2\x80\xae|"), AT(1, 1), DIAG_ERROR, "no",
	  "f:1:1: no\n    ?|?|\n    ^\n" },
	{ "bytes that are no UTF-8", BYTES("\xff\xc0\xaf\xed\xa0\x80\xe2\x82"), AT(1, 9), DIAG_ERROR, "no",
	  "f:1:9: no\n    ????????\n            ^\n" },
	{ "a long line, caret in front", BYTES(HUNDRED HUNDRED), AT(1, 11), DIAG_ERROR, "no",
	  "f:1:11: no\n    " HUNDRED TEN TEN "\n              ^\n" },
	{ "a long line, caret near its end", BYTES(HUNDRED HUNDRED), AT(1, 191), DIAG_ERROR, "no",
	  "f:1:191: no\n    " TEN TEN TEN TEN TEN TEN TEN TEN TEN "\n    "
	  "                                                                                ^\n" },
};

static void test_print(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(prints); i++) {
		struct diags diags;
		char *got;

		assert_int_equal(diags_init(&diags, "f", prints[i].source, prints[i].source_len), 0);
		diags_add(&diags, prints[i].level, DIAG_BAD_WORD, prints[i].mark, "%s", prints[i].message);
		got = print(&diags);
		if (strcmp(got, prints[i].want) != 0)
			fail_msg("%s: got\n%swanted\n%s", prints[i].name, got, prints[i].want);
		assert_int_equal(diags.nerrors, prints[i].level == DIAG_ERROR);
		free(got);
		diags_done(&diags);
		assert_null(diags.items);
	}
}

/* Not in the source line, nor in a message that quotes it. */
static void test_pins(void **state)
{
	static const char source[] = "key: \"pkcs11:token=t?pin-value=97531&x=y\"\nk: pin-value=86420\n";
	struct diags diags;
	char *text;

	(void)state;
	assert_int_equal(diags_init(&diags, "p.yaml", source, strlen(source)), 0);
	diags_add(&diags, DIAG_ERROR, DIAG_BAD_TOKEN_URI, (struct diag_mark)AT(1, 6), "not \"%s\"",
		  "pkcs11:token=t?pin-value=97531");
	diags_see(&diags, NULL, (struct diag_mark)AT(2, 1), "as in pin-value=86420");
	text = print(&diags);
	assert_string_equal(text, "p.yaml:1:6: not \"pkcs11:token=t?pin-value=*****\"\n"
				  "    key: \"pkcs11:token=t?pin-value=*****&x=y\"\n         ^\n");
	assert_string_equal(diags.items[0].other.message, "as in pin-value=*****");
	free(text);
	diags_done(&diags);
}

/* Sorted by mark, whatever order they were found in; the source line of a mark is shown once. */
static void test_order(void **state)
{
	struct diags diags;
	char *got;

	(void)state;
	assert_int_equal(diags_init(&diags, "f", BYTES("a\nb")), 0);
	diags_add(&diags, DIAG_ERROR, DIAG_BAD_WORD, (struct diag_mark)AT(2, 1), "third");
	diags_add(&diags, DIAG_WARNING, DIAG_BAD_WORD, (struct diag_mark)AT(2, 1), "fourth");
	diags_add(&diags, DIAG_ERROR, DIAG_BAD_WORD, (struct diag_mark)AT(1, 1), "second");
	diags_add(&diags, DIAG_ERROR, DIAG_BAD_WORD, (struct diag_mark)AT(0, 0), "%s", "first");
	got = print(&diags);
	assert_string_equal(got, "f: first\nf:1:1: second\n    a\n    ^\n"
				 "f:2:1: third\nf:2:1: warning: fourth\n    b\n    ^\n");
	assert_int_equal(diags.nerrors, 3);
	free(got);
	diags_done(&diags);
}

static void test_limit(void **state)
{
	struct diags diags;

	(void)state;
	assert_int_equal(diags_init(&diags, "f", NULL, 0), 0);
	for (int i = 0; i < 3 * DIAGS_MAX; i++)
		diags_add(&diags, DIAG_ERROR, DIAG_BAD_WORD, (struct diag_mark)AT(1, 1), "%d", i);
	assert_int_equal(diags.nitems, DIAGS_MAX);
	assert_int_equal(diags.nerrors, 3 * DIAGS_MAX);
	diags_done(&diags);
}

/* What belongs to the last fault stays with it, and goes with it if it is not kept. */
static void test_more(void **state)
{
	static const struct diag_mark first = AT(1, 1), none = { 0 };
	struct diags diags;
	const struct diag *items;

	(void)state;
	assert_int_equal(diags_init(&diags, "f", BYTES("a\nb")), 0);
	diags_see(&diags, "g", none, "nothing was added");
	diags_add(&diags, DIAG_ERROR, DIAG_BAD_WORD, first, "one");
	diags_see(&diags, NULL, none, "no place");
	diags_see(&diags, NULL, first, "the %s", "first");
	diags_fix(&diags, "x");
	diags_add(&diags, DIAG_ERROR, DIAG_BAD_WORD, first, "two");
	diags_see(&diags, "g", none, "all of it");
	for (int i = 2; i < DIAGS_MAX + 1; i++)
		diags_add(&diags, DIAG_ERROR, DIAG_BAD_WORD, first, "%d", i);
	diags_see(&diags, "g", none, "not kept");
	diags_fix(&diags, "not kept");
	items = diags.items;
	assert_null(items[0].other.file);
	assert_string_equal(items[0].other.message, "the first");
	assert_string_equal(items[0].fix, "x");
	assert_string_equal(items[1].other.file, "g");
	assert_int_equal(items[1].other.mark.line, 0);
	assert_null(items[1].fix);
	assert_null(items[DIAGS_MAX - 1].other.message);
	assert_null(items[DIAGS_MAX - 1].fix);
	diags_done(&diags);
}

/* A name is a word of small letters and hyphens, and belongs to one code. */
static void test_codes(void **state)
{
	static const enum diag_code codes[] = {
#define DIAG_CODE(id, name, meaning) DIAG_##id,
#include "policy/diag-codes.def"
#undef DIAG_CODE
	};

	(void)state;
	for (size_t i = 0; i < NELEM(codes); i++) {
		const char *name = diag_code_name(codes[i]);

		assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-"), strlen(name));
		assert_true(strlen(name) > 2);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(name, diag_code_name(codes[j]));
	}
}

static const char *const keys[] = { "secure_ftp", "secure_login", "secure_password", "tls", "ftp", "backend",
				    NULL };

static const struct {
	const char *word;
	const char *want;
} suggestions[] = {
	{ "secure_ftpp", "secure_ftp" },
	{ "secure_fpt", "secure_ftp" },
	{ "SECURE_FTP", "secure_ftp" },
	{ "secure-login", "secure_login" },
	{ "securelogin", "secure_login" },
	{ "secure_pasword", "secure_password" },
	{ "bakcend", "backend" },
	{ "tsl", "tls" },
	{ "ftp", "ftp" },
	{ "", NULL },
	{ "x", NULL },
	{ "xyz", NULL },
	{ "dswaittime", NULL },
	{ HUNDRED, NULL },
};

static void test_suggest(void **state)
{
	static const char *const nothing[] = { NULL };

	(void)state;
	for (size_t i = 0; i < NELEM(suggestions); i++) {
		const char *got = diag_suggest(suggestions[i].word, keys);
		const char *want = suggestions[i].want;

		if ((got == NULL) != (want == NULL) || (got != NULL && strcmp(got, want) != 0))
			fail_msg("%s: got %s, wanted %s", suggestions[i].word, got, want);
		assert_null(diag_suggest(suggestions[i].word, nothing));
	}
}

static void test_utf8(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		size_t want;
		uint32_t rune;
	} cases[] = {
		{ BYTES("a"), 1, 'a' },
		{ BYTES("\0"), 1, 0 },
		{ BYTES("\xc3\xa9"), 2, 0xe9 },
		{ BYTES("\xe2\x82\xac"), 3, 0x20ac },
		{ BYTES("\xf0\x9f\x98\x80"), 4, 0x1f600 },
		{ BYTES("\xf4\x8f\xbf\xbf"), 4, 0x10ffff },
		{ BYTES("\xf4\x90\x80\x80"), 1, UTF8_BAD },
		{ BYTES("\xc3"), 1, UTF8_BAD },
		{ BYTES("\xc3z"), 1, UTF8_BAD },
		{ BYTES("\x80"), 1, UTF8_BAD },
		{ BYTES("\xc1\x81"), 1, UTF8_BAD },
		{ BYTES("\xe0\x80\x80"), 1, UTF8_BAD },
		{ BYTES("\xed\xa0\x80"), 1, UTF8_BAD },
		{ BYTES("\xf0\x80\x80\x80"), 1, UTF8_BAD },
		{ BYTES("\xff"), 1, UTF8_BAD },
	};

	(void)state;
	for (size_t i = 0; i < NELEM(cases); i++) {
		char *text = (char *)bytes_copy(cases[i].text, cases[i].len);
		uint32_t rune;

		assert_int_equal(utf8_decode(text, cases[i].len, &rune), cases[i].want);
		assert_int_equal(rune, cases[i].rune);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_print), cmocka_unit_test(test_order), cmocka_unit_test(test_limit),
		cmocka_unit_test(test_more),  cmocka_unit_test(test_codes), cmocka_unit_test(test_suggest),
		cmocka_unit_test(test_utf8),  cmocka_unit_test(test_pins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
