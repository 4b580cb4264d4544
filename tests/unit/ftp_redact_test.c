#include "ftp-alg/redact.h"

#include "tests/unit/unit.h"

static const struct {
	uint16_t code;
	const char *line;
	const char *want;
} lines[] = {
	{ 211, "211 Connected to 192.0.2.1", "211 Connected to -" },
	{ 200, "200 ok.", "200 ok." },
	/* The code is no part of a name. */
	{ 211, "211-ftp.example.com status", "211-- status" },
	{ 211, "211-x16.....", "211-x16....." },
	{ 211, "211-2001:db8::1", "211--" },
	{ 211, "211", "211" },
};

static void lines_keep_their_code(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(lines); i++) {
		size_t len = strlen(lines[i].line);
		uint8_t *copy = bytes_copy(lines[i].line, len);
		char out[64];
		size_t n = ftp_redact(lines[i].code, (const char *)copy, len, out, sizeof(out));

		if (n != strlen(lines[i].want) || memcmp(out, lines[i].want, n) != 0)
			fail_msg("%s: %.*s instead of %s", lines[i].line, (int)n, out, lines[i].want);
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(lines_keep_their_code) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
