/* The header of a protected message, byte by byte (RFC 4121 4.2.6.2). */
#include "gateway/gssapi/token.h"

#include "tests/unit/unit.h"

#define REST "\xff\0\0\0\0\x01\x02\x03\x04\x05\x06\x07\x08"

static const struct {
	const char *name;
	const char *bytes;
	size_t len;
	bool fits;
	struct gssapi_token want;
} rows[] = {
	{ "sealed by the initiator",
	  BYTES("\x05\x04\x06" REST),
	  true,
	  { .sealed = true, .acceptor_subkey = true, .sequence = 0x0102030405060708 } },
	{ "integrity only",
	  BYTES("\x05\x04\x04" REST),
	  true,
	  { .acceptor_subkey = true, .sequence = 0x0102030405060708 } },
	{ "with the initiator's key",
	  BYTES("\x05\x04\x02" REST),
	  true,
	  { .sealed = true, .sequence = 0x0102030405060708 } },
	{ "by the acceptor",
	  BYTES("\x05\x04\x07" REST),
	  true,
	  { .from_acceptor = true,
	    .sealed = true,
	    .acceptor_subkey = true,
	    .sequence = 0x0102030405060708 } },
	{ "with more after it",
	  BYTES("\x05\x04\x04" REST "more"),
	  true,
	  { .acceptor_subkey = true, .sequence = 0x0102030405060708 } },
	{ "a MIC", BYTES("\x04\x04\x04" REST), false, { 0 } },
	{ "of RFC 1964",
	  BYTES("\x60\x3f\x06\x09\x2a\x86\x48\x86\xf7\x12\x01\x02\x02\x02\x01\x11"),
	  false,
	  { 0 } },
	{ "an unknown flag", BYTES("\x05\x04\x0c" REST), false, { 0 } },
	{ "another filler", BYTES("\x05\x04\x04\xfe\0\0\0\0\x01\x02\x03\x04\x05\x06\x07\x08"), false, { 0 } },
	{ "a byte short", BYTES("\x05\x04\x04\xff\0\0\0\0\x01\x02\x03\x04\x05\x06\x07"), false, { 0 } },
	{ "nothing", BYTES(""), false, { 0 } },
};

static void headers(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		uint8_t *bytes = bytes_copy(rows[i].bytes, rows[i].len);
		struct gssapi_token token = { .sequence = 1 };
		bool fits = gssapi_token_parse(bytes, rows[i].len, &token);

		if (fits != rows[i].fits)
			fail_msg("%s: %d", rows[i].name, fits);
		if (fits && (token.from_acceptor != rows[i].want.from_acceptor ||
			     token.sealed != rows[i].want.sealed ||
			     token.acceptor_subkey != rows[i].want.acceptor_subkey ||
			     token.sequence != rows[i].want.sequence))
			fail_msg("%s: another header", rows[i].name);
		free(bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(headers) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
