/*
 * Fingerprints of ClientHellos, compared with the published ones. The ClientHellos here are made
 * from the lists in FoxIO's description of JA4 and in its examples of captures.
 */
#include "gateway/net/ja4.h"

#include <stdio.h>
#include <string.h>

#include "tests/unit/unit.h"

/* Writes a ClientHello. Lengths are filled in when a vector is closed. */
struct maker {
	uint8_t bytes[4096];
	size_t len;
};

static void byte(struct maker *maker, unsigned value)
{
	maker->bytes[maker->len++] = (uint8_t)value;
}

static void number(struct maker *maker, unsigned value)
{
	byte(maker, value >> 8);
	byte(maker, value & 0xff);
}

static size_t open_vector(struct maker *maker)
{
	maker->len += 2;
	return maker->len;
}

static void close_vector(struct maker *maker, size_t at)
{
	size_t len = maker->len - at;

	maker->bytes[at - 2] = (uint8_t)(len >> 8);
	maker->bytes[at - 1] = (uint8_t)len;
}

/* "1301,1302" */
static void numbers(struct maker *maker, const char *list)
{
	unsigned value;

	for (; sscanf(list, "%4x", &value) == 1; list += list[4] == ',' ? 5 : 4)
		number(maker, value);
}

struct offer {
	const char *name;
	unsigned version;
	const char *ciphers, *extensions, *signatures, *versions;
	const char *alpn; /* in hex; NULL: no extension */
	const char *want;
};

static void body(struct maker *maker, unsigned type, const struct offer *offer)
{
	size_t at, inner;
	unsigned value;

	switch (type) {
	case 13:
		at = open_vector(maker);
		numbers(maker, offer->signatures);
		close_vector(maker, at);
		break;
	case 10:
		at = open_vector(maker);
		number(maker, 29);
		close_vector(maker, at);
		break;
	case 43:
		byte(maker, (unsigned)(strlen(offer->versions) + 1) / 5 * 2);
		numbers(maker, offer->versions);
		break;
	case 16:
		at = open_vector(maker);
		inner = maker->len++;
		for (const char *c = offer->alpn; sscanf(c, "%2x", &value) == 1; c += 2)
			byte(maker, value);
		maker->bytes[inner] = (uint8_t)(maker->len - inner - 1);
		close_vector(maker, at);
		break;
	default:
		break;
	}
}

static void make(struct maker *maker, const struct offer *offer)
{
	size_t ciphers, extensions;
	unsigned type;

	*maker = (struct maker){ .bytes = { 1 }, .len = 4 };
	number(maker, offer->version);
	maker->len += 32;
	byte(maker, 0);
	ciphers = open_vector(maker);
	numbers(maker, offer->ciphers);
	close_vector(maker, ciphers);
	number(maker, 0x0100);
	if (offer->extensions == NULL)
		return;
	extensions = open_vector(maker);
	for (const char *list = offer->extensions; sscanf(list, "%4x", &type) == 1;
	     list += list[4] == ',' ? 5 : 4) {
		size_t at;

		number(maker, type);
		at = open_vector(maker);
		body(maker, type, offer);
		close_vector(maker, at);
	}
	close_vector(maker, extensions);
}

/* Those of the published example. */
#define CIPHERS	   "1301,1302,1303,c02b,c02f,c02c,c030,cca9,cca8,c013,c014,009c,009d,002f,0035"
#define EXTENSIONS "001b,0000,0033,0010,4469,0017,002d,000d,0005,0023,0012,002b,ff01,000b,000a,0015"
#define SIGNATURES "0403,0804,0401,0503,0805,0501,0806,0601"
#define BOTH	   "0304,0303"

static const struct offer offers[] = {
	{ "the published example", 0x0303, CIPHERS, EXTENSIONS, SIGNATURES, BOTH, "6832",
	  "t13d1516h2_8daaf6152771_e5627efa2ab1" },
	{ "GREASE counts nowhere", 0x0303, "7a7a," CIPHERS, "1a1a," EXTENSIONS ",fafa", "2a2a," SIGNATURES,
	  "8a8a,0303,0304", "6832", "t13d1516h2_8daaf6152771_e5627efa2ab1" },
	{ "the order counts only for signature algorithms", 0x0303,
	  "0035,"
	  "1301,1302,1303,c02b,c02f,c02c,c030,cca9,cca8,c013,c014,009c,009d,002f",
	  "0015,001b,0000,0033,0010,4469,0017,002d,000d,0005,0023,0012,002b,ff01,000b,000a", SIGNATURES, BOTH,
	  "6832", "t13d1516h2_8daaf6152771_e5627efa2ab1" },
	{ "another protocol, in the first part only", 0x0303, CIPHERS, EXTENSIONS, SIGNATURES, BOTH,
	  "687474702f312e31", "t13d1516h1_8daaf6152771_e5627efa2ab1" },
	{ "a protocol of one letter", 0x0303, CIPHERS, EXTENSIONS, SIGNATURES, BOTH, "78",
	  "t13d1516xx_8daaf6152771_e5627efa2ab1" },
	{ "no name of a protocol", 0x0303, CIPHERS, EXTENSIONS, SIGNATURES, BOTH, "",
	  "t13d151600_8daaf6152771_e5627efa2ab1" },
	{ "bytes that are not alphanumeric: 0xab 0xcd", 0x0303, CIPHERS, EXTENSIONS, SIGNATURES, BOTH, "abcd",
	  "t13d1516ad_8daaf6152771_e5627efa2ab1" },
	{ "0x30 0xab", 0x0303, CIPHERS, EXTENSIONS, SIGNATURES, BOTH, "30ab",
	  "t13d15163b_8daaf6152771_e5627efa2ab1" },
	{ "0x30 0x31 0xab 0xcd", 0x0303, CIPHERS, EXTENSIONS, SIGNATURES, BOTH, "3031abcd",
	  "t13d15163d_8daaf6152771_e5627efa2ab1" },
	{ "a resumption keeps the fingerprint", 0x0303, CIPHERS, EXTENSIONS ",002a,0029", SIGNATURES, BOTH,
	  "6832", "t13d1516h2_8daaf6152771_e5627efa2ab1" },
	{ "an address has no name, and no protocol", 0x0303, CIPHERS,
	  "001b,0033,4469,0017,002d,000d,0005,0023,0012,002b,ff01,000b,000a,0015", SIGNATURES, BOTH, NULL,
	  "t13i151400_8daaf6152771_e5627efa2ab1" },
	{ "TLS 1.0 without extensions", 0x0301, "0035", NULL, NULL, NULL, NULL,
	  "t10i010000_692296a295db_000000000000" },
	{ "SSL 3", 0x0300, "0035", NULL, NULL, NULL, NULL, "s3" },
	{ "a version that nobody knows", 0x7f7f, "0035", NULL, NULL, NULL, NULL, "00" },
	{ "no ciphers but GREASE", 0x0303, "0a0a", NULL, NULL, NULL, NULL,
	  "t12i000000_000000000000_000000000000" },
	{ "only a name and a protocol", 0x0303, "0035", "0000,0010", NULL, NULL, "6832",
	  "t12d0102h2_692296a295db_000000000000" },
};

static void fingerprints_are_the_published_ones(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(offers) / sizeof(offers[0]); i++) {
		const struct offer *offer = &offers[i];
		struct client_hello hello;
		char text[JA4_TEXT_MAX];
		struct maker maker;

		make(&maker, offer);
		if (!client_hello_read(maker.bytes, maker.len, &hello))
			fail_msg("%s: unreadable", offer->name);
		ja4_make(&hello, text);
		assert_int_equal(strlen(text), JA4_TEXT_MAX - 1);
		if (strlen(offer->want) == 2 ? memcmp(text + 1, offer->want, 2) != 0
					     : strcmp(text, offer->want) != 0)
			fail_msg("%s: %s, not %s", offer->name, text, offer->want);
	}
}

/* The example without signature algorithms has a hash of its own in the description. */
static void without_signature_algorithms_there_is_no_underscore(void **state)
{
	const struct offer offer = { .version = 0x0303,
				     .ciphers = CIPHERS,
				     .extensions = EXTENSIONS,
				     .signatures = "",
				     .versions = BOTH,
				     .alpn = "6832" };
	struct client_hello hello;
	char text[JA4_TEXT_MAX];
	struct maker maker;

	(void)state;
	make(&maker, &offer);
	assert_true(client_hello_read(maker.bytes, maker.len, &hello));
	ja4_make(&hello, text);
	assert_string_equal(text, "t13d1516h2_8daaf6152771_6d807ffa2a79");
}

/* Each shorter message is unreadable, except where the extensions would begin. */
static void a_part_is_no_client_hello(void **state)
{
	const size_t without_extensions = 4 + 2 + 32 + 1 + 2 + 15 * 2 + 2;
	struct client_hello hello;
	struct maker maker;

	(void)state;
	make(&maker, &offers[0]);
	for (size_t len = 0; len < maker.len; len++) {
		bool read = client_hello_read(maker.bytes, len, &hello);

		if (read != (len == without_extensions))
			fail_msg("%zu bytes are %sreadable", len, read ? "" : "un");
	}
	maker.bytes[0] = 2;
	assert_false(client_hello_read(maker.bytes, maker.len, &hello));
}

/* Room for as many as fit, and no more. */
static void lists_have_a_limit(void **state)
{
	struct client_hello hello;
	char text[JA4_TEXT_MAX];

	(void)state;
	for (unsigned n = CLIENT_HELLO_LIST_MAX - 1; n <= CLIENT_HELLO_LIST_MAX + 1; n++) {
		struct maker maker = { .bytes = { 1 }, .len = 4 + 2 + 32 };
		size_t at;

		byte(&maker, 0);
		at = open_vector(&maker);
		for (unsigned i = 0; i < n; i++)
			number(&maker, i);
		close_vector(&maker, at);
		number(&maker, 0x0100);
		assert_int_equal(client_hello_read(maker.bytes, maker.len, &hello),
				 n <= CLIENT_HELLO_LIST_MAX);
		if (n > CLIENT_HELLO_LIST_MAX)
			continue;
		ja4_make(&hello, text);
		assert_memory_equal(text + 4, "9900", 4);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fingerprints_are_the_published_ones),
		cmocka_unit_test(without_signature_algorithms_there_is_no_underscore),
		cmocka_unit_test(a_part_is_no_client_hello),
		cmocka_unit_test(lists_have_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
