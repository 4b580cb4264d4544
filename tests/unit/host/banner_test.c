/* BANNER: the text of a file, as clients get it. */
#include "gateway/host/banner.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

static void texts(void **state)
{
	static const struct {
		const char *text, *email;
		const char *want; /* or why not, with its line */
		size_t line;
	} rows[] = {
		{ "Welcome\n", NULL, "220-Welcome", 0 },
		{ "Welcome", NULL, "220-Welcome", 0 },
		{ "a\r\nb\r\n", NULL, "220-a\r\n220-b", 0 },
		{ "\n a\n\n", NULL, "220-\r\n220- a\r\n220-", 0 },
		{ "220 b\n", NULL, "220-220 b", 0 }, /* never the last line of the reply */
		{ "Gr\xc3\xbc\xc3\x9f\n", NULL, "220-Gr\xc3\xbc\xc3\x9f", 0 },
		{ "write to %E, %E!\n", "a@b.c", "220-write to a@b.c, a@b.c!", 0 },
		{ "100% %T %E %", NULL, "220-100% %T %E %", 0 },
		{ "%E", "%E", "220-%E", 0 },
		{ "", NULL, "it is empty", 0 },
		{ "a\nb\x1b[2J\n", NULL, "it has a control character", 2 },
		{ "a\tb\n", NULL, "it has a control character", 1 },
		{ "a\rb\n", NULL, "it has a control character", 1 },
		{ "a\nb\nc\xe2\x80\xae\n", NULL, "it has a control character", 3 },
		{ "\xfc\n", NULL, "it is not UTF-8", 1 },
	};

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		const char *why = NULL;
		size_t line = 0;
		char *banner = banner_make(rows[i].text, strlen(rows[i].text), rows[i].email, &line, &why);

		if (strcmp(banner != NULL ? banner : why, rows[i].want) != 0 || line != rows[i].line)
			fail_msg("%zu: %s, line %zu", i, banner != NULL ? banner : why, line);
		free(banner);
	}
}

static void limits(void **state)
{
	static const struct {
		size_t width, lines;
		const char *why; /* NULL: it is a banner */
		size_t line;
	} rows[] = {
		{ 255, 26, NULL, 0 },
		{ 255, 27, "it has more than 7000 bytes", 0 },
		{ 256, 1, "it is longer than 255 bytes", 1 },
		{ 1, 100, NULL, 0 },
		{ 1, 101, "it has more than 100 lines", 101 },
	};
	char text[BANNER_BYTES_MAX * 2];

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		const char *why = NULL;
		size_t line = 0, len = 0;
		char *banner;

		for (size_t n = 0; n < rows[i].lines; n++) {
			memset(text + len, 'x', rows[i].width);
			len += rows[i].width;
			text[len++] = '\n';
		}
		banner = banner_make(text, len, NULL, &line, &why);
		assert_int_equal(banner == NULL, rows[i].why != NULL);
		if (banner == NULL)
			assert_string_equal(why, rows[i].why);
		assert_int_equal(line, rows[i].line);
		free(banner);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts),
		cmocka_unit_test(limits),
	};

	return cmocka_run_group_tests_name("banner", tests, NULL, NULL);
}
