/* Base 64, as strict as RFC 4648 3.5 allows: the rows of its section 10, and what is not base 64. */
#include "gateway/gssapi/base64.h"

#include "tests/unit/unit.h"

static const struct {
	const char *bytes, *text;
} pairs[] = {
	{ "", "" },
	{ "f", "Zg==" },
	{ "fo", "Zm8=" },
	{ "foo", "Zm9v" },
	{ "foob", "Zm9vYg==" },
	{ "fooba", "Zm9vYmE=" },
	{ "foobar", "Zm9vYmFy" },
	{ "\xff\xef\xbe", "/+++" },
};

static void both_ways(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(pairs); i++) {
		size_t len = strlen(pairs[i].bytes), chars = strlen(pairs[i].text), got;
		uint8_t *bytes = bytes_copy(pairs[i].text, chars); /* in place, and not a byte further */
		char text[16];

		base64_encode((const uint8_t *)pairs[i].bytes, len, text);
		assert_string_equal(text, pairs[i].text);
		assert_int_equal(BASE64_CHARS(len), chars);
		assert_int_equal(base64_decode((const char *)bytes, chars, bytes, &got), 0);
		assert_int_equal(got, len);
		assert_memory_equal(bytes, pairs[i].bytes, len);
		assert_true(got <= BASE64_BYTES(chars));
		free(bytes);
	}
}

static void refused(void **state)
{
	static const char *const texts[] = {
		"Z",	"Zg",	    "Zg=",	"Zg===",   "====",  "=",    "Zh==",
		"Zm9=", "Zm8=Zm8=", "Zg==\n",	" Zg==",   "Zm 9v", "Zm-_", "Zm9v=",
		"Z===", "Zm9v====", "Zg==Zg==", "Zm9\xc3", "AB=C",  "A=BC", "Zm9vZ",
	};

	(void)state;
	for (size_t i = 0; i < NELEM(texts); i++) {
		uint8_t bytes[16];
		size_t len;

		if (base64_decode(texts[i], strlen(texts[i]), bytes, &len) == 0)
			fail_msg("%s is base 64", texts[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(both_ways), cmocka_unit_test(refused) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
