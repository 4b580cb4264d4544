/* Makes the fingerprint of a ClientHello by the published rules. */
#include "gateway/net/ja4.h"

#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/util.h"

#define COUNT_MAX 99
/* Of each hash, the first so many characters are shown. */
#define HASH_TEXT 12
/* "1301," */
#define NUMBER_TEXT 5
#define NIBBLE	    4

enum {
	EXTENSION_SERVER_NAME = 0,
	EXTENSION_ALPN = 16,
	EXTENSION_PRE_SHARED_KEY = 41,
	EXTENSION_EARLY_DATA = 42,
};

static const char digits[] = "0123456789abcdef";

/* The first part, "t13d1516h2", and the text that is hashed for another one. */
struct text {
	char *bytes;
	size_t len;
};

static void put(struct text *text, char c)
{
	text->bytes[text->len++] = c;
}

/* As four digits, with a comma before it if it is not the first of its list. */
static void put_number(struct text *text, uint16_t number, bool first)
{
	if (!first)
		put(text, ',');
	for (int shift = 3 * NIBBLE; shift >= 0; shift -= NIBBLE)
		put(text, digits[number >> shift & 0xf]);
}

static void put_count(struct text *text, size_t n)
{
	if (n > COUNT_MAX)
		n = COUNT_MAX;
	put(text, digits[n / 10]);
	put(text, digits[n % 10]);
}

static void put_version(struct text *text, uint16_t version)
{
	static const struct {
		uint16_t version;
		char name[3];
	} names[] = {
		{ 0x0304, "13" }, { 0x0303, "12" }, { 0x0302, "11" },
		{ 0x0301, "10" }, { 0x0300, "s3" }, { 0x0002, "s2" },
	};
	const char *name = "00";

	for (size_t i = 0; i < NELEM(names); i++)
		if (names[i].version == version)
			name = names[i].name;
	put(text, name[0]);
	put(text, name[1]);
}

static bool is_alphanumeric(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static void put_alpn(struct text *text, const struct client_hello *hello)
{
	if (!hello->has_alpn) {
		put(text, '0');
		put(text, '0');
	} else if (is_alphanumeric(hello->alpn_first) && is_alphanumeric(hello->alpn_last)) {
		put(text, (char)hello->alpn_first);
		put(text, (char)hello->alpn_last);
	} else { /* the ends of the name in hex */
		put(text, digits[hello->alpn_first >> NIBBLE]);
		put(text, digits[hello->alpn_last & 0xf]);
	}
}

static void put_hash(struct text *text, const struct text *hashed)
{
	uint8_t hash[SHA256_DIGEST_LENGTH] = { 0 };

	if (hashed->len > 0)
		(void)SHA256((const uint8_t *)hashed->bytes, hashed->len,
			     hash); /* into memory of ours: cannot fail */
	for (size_t i = 0; i < HASH_TEXT / 2; i++) {
		put(text, digits[hash[i] >> NIBBLE]);
		put(text, digits[hash[i] & 0xf]);
	}
}

static int by_number(const void *a, const void *b)
{
	return (int)*(const uint16_t *)a - (int)*(const uint16_t *)b;
}

static void put_list(struct text *text, const struct client_hello_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		put_number(text, list->numbers[i], i == 0);
}

static bool is_of_a_resumption(uint16_t extension)
{
	return extension == EXTENSION_PRE_SHARED_KEY || extension == EXTENSION_EARLY_DATA;
}

static void put_extensions(struct text *text, const struct client_hello_list *extensions,
			   const struct client_hello_list *signatures)
{
	bool first = true;

	for (size_t i = 0; i < extensions->n; i++) {
		uint16_t number = extensions->numbers[i];

		if (number == EXTENSION_SERVER_NAME || number == EXTENSION_ALPN || is_of_a_resumption(number))
			continue;
		put_number(text, number, first);
		first = false;
	}
	if (first || signatures->n == 0)
		return;
	put(text, '_');
	put_list(text, signatures);
}

void ja4_make(const struct client_hello *hello, char ret[static JA4_TEXT_MAX])
{
	struct client_hello_list ciphers = hello->ciphers, extensions = hello->extensions;
	char buf[2 * CLIENT_HELLO_LIST_MAX * NUMBER_TEXT];
	struct text text = { .bytes = ret }, hashed = { .bytes = buf };
	size_t counted = extensions.n;

	for (size_t i = 0; i < extensions.n; i++)
		counted -= is_of_a_resumption(extensions.numbers[i]);
	qsort(ciphers.numbers, ciphers.n, sizeof(ciphers.numbers[0]), by_number);
	qsort(extensions.numbers, extensions.n, sizeof(extensions.numbers[0]), by_number);
	put(&text, 't');
	put_version(&text, hello->version);
	put(&text, client_hello_has(&extensions, EXTENSION_SERVER_NAME) ? 'd' : 'i');
	put_count(&text, ciphers.n);
	put_count(&text, counted);
	put_alpn(&text, hello);
	put(&text, '_');
	put_list(&hashed, &ciphers);
	put_hash(&text, &hashed);
	hashed.len = 0;
	put(&text, '_');
	put_extensions(&hashed, &extensions, &hello->signatures);
	put_hash(&text, &hashed);
	put(&text, '\0');
}
