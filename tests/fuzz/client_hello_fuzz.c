/*
 * The input is a handshake message. Whatever it is, it is read in bounds, and what is read gives
 * a fingerprint of the right form.
 */
#include "gateway/net/ja4.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = fuzz_copy(data, size);
	struct client_hello hello;
	char text[JA4_TEXT_MAX];

	if (client_hello_read(copy, size, &hello)) {
		ja4_make(&hello, text);
		assert(strlen(text) == JA4_TEXT_MAX - 1);
		for (const char *c = text; *c != '\0'; c++)
			assert((*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'z') ||
			       (*c >= 'A' && *c <= 'Z') || *c == '_');
	}
	free(copy);
	return 0;
}
