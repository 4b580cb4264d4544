/*
 * OpenSSL's decoder accepts blanks and leaves bits unused, so that many texts would
 * stand for one token. This one is strict, and works in place.
 */
#include "gateway/gssapi/base64.h"

#include <errno.h>
#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(const uint8_t *bytes, size_t len, char *text)
{
	for (size_t i = 0; i < len; i += 3) {
		size_t left = len - i;
		uint32_t word = (uint32_t)bytes[i] << 16;

		word |= left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0;
		word |= left > 2 ? bytes[i + 2] : 0;
		*text++ = alphabet[word >> 18];
		*text++ = alphabet[word >> 12 & 63];
		*text++ = left > 1 ? alphabet[word >> 6 & 63] : '=';
		*text++ = left > 2 ? alphabet[word & 63] : '=';
	}
	*text = '\0';
}

/* Returns -1 if it is no letter of the alphabet. */
static int value_of(char letter)
{
	if (letter >= 'A' && letter <= 'Z')
		return letter - 'A';
	if (letter >= 'a' && letter <= 'z')
		return letter - 'a' + 26;
	if (letter >= '0' && letter <= '9')
		return letter - '0' + 52;
	return letter == '+' ? 62 : letter == '/' ? 63 : -1;
}

int base64_decode(const char *text, size_t len, uint8_t *bytes, size_t *ret_len)
{
	size_t letters = len, n = 0;
	uint32_t word = 0;

	while (letters > 0 && len - letters < 2 && text[letters - 1] == '=')
		letters--;
	if (len % 4 != 0)
		return -EINVAL;
	for (size_t i = 0; i < letters; i++) {
		int value = value_of(text[i]);

		if (value < 0)
			return -EINVAL;
		word = word << 6 | (uint32_t)value;
		if (i % 4 == 3) {
			bytes[n++] = (uint8_t)(word >> 16);
			bytes[n++] = (uint8_t)(word >> 8);
			bytes[n++] = (uint8_t)word;
		}
	}
	if (letters % 4 == 2 && (word & 15) == 0)
		bytes[n++] = (uint8_t)(word >> 4);
	else if (letters % 4 == 3 && (word & 3) == 0) {
		bytes[n++] = (uint8_t)(word >> 10);
		bytes[n++] = (uint8_t)(word >> 2);
	} else if (letters % 4 != 0)
		return -EINVAL; /* bits that no byte has */
	*ret_len = n;
	return 0;
}
