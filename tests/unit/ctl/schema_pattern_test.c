/*
 * The patterns of the JSON schema, compared with the numbers that they stand for. POSIX
 * reads them in the same way as ECMA-262 does.
 */
#include "gateway/ctl/schema-pattern.h"

#include <inttypes.h>
#include <regex.h>
#include <stdbool.h>

#include "tests/unit/unit.h"

static void compile(regex_t *regex, uint64_t low, uint64_t high)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	(void)fputc('^', out);
	schema_pattern_range(out, low, high);
	(void)fputc('$', out);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(regcomp(regex, text, REG_EXTENDED | REG_NOSUB), 0);
	free(text);
}

static void check_number(const regex_t *regex, uint64_t low, uint64_t high, uint64_t number)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRIu64, number);
	if ((regexec(regex, text, 0, NULL, 0) == 0) != (number >= low && number <= high))
		fail_msg("%s in %" PRIu64 "..%" PRIu64, text, low, high);
}

/* Every range within 0..130, and every number near each. */
static void test_small(void **state)
{
	(void)state;
	for (uint64_t low = 0; low <= 130; low += 1 + low / 20)
		for (uint64_t high = low; high <= 130; high++) {
			regex_t regex;

			compile(&regex, low, high);
			for (uint64_t number = 0; number <= 140; number++)
				check_number(&regex, low, high, number);
			regfree(&regex);
		}
}

/* The ends of ranges as policies have them. */
static void test_ends(void **state)
{
	static const uint64_t ranges[][2] = {
		{ 1, 86400 },	{ 0, 86400000 },    { 1024, 65535 },	      { 1, 2000000000 },
		{ 133, 4096 },	{ 1000, 600000 },   { 10000, 10000 },	      { 999, 1000 },
		{ 1, 1000000 }, { 60000, 8640000 }, { 0, UINT64_MAX / 1000 }, { 99, 101 },
	};

	(void)state;
	for (size_t i = 0; i < NELEM(ranges); i++) {
		uint64_t low = ranges[i][0];
		uint64_t high = ranges[i][1];
		regex_t regex;

		compile(&regex, low, high);
		for (uint64_t power = 1; power < UINT64_MAX / 100; power *= 10)
			for (uint64_t digit = 0; digit < 10; digit++) {
				check_number(&regex, low, high, digit * power);
				check_number(&regex, low, high, low + digit * power);
				check_number(&regex, low, high,
					     high > digit * power ? high - digit * power : 0);
				check_number(&regex, low, high, high + digit * power);
			}
		if (low > 0)
			check_number(&regex, low, high, low - 1);
		assert_int_equal(regexec(&regex, "00", 0, NULL, 0), REG_NOMATCH);
		assert_int_equal(regexec(&regex, "01024", 0, NULL, 0), REG_NOMATCH);
		regfree(&regex);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_small),
		cmocka_unit_test(test_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
