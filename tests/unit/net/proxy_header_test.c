#include "gateway/net/proxy-header.h"

#include <stdio.h>

#include "tests/unit/unit.h"

#define V2    "\r\n\r\n\0\r\nQUIT\n"
#define ADDR4 "\xC6\x33\x64\x09\xC0\x00\x02\x01\x9C\x40\x00\x15" /* 198.51.100.9:40000 192.0.2.1:21 */
#define ADDR6                                                                                                \
	"\x20\x01\x0D\xB8\0\0\0\0\0\0\0\0\0\0\0\x09"                                                         \
	"\x20\x01\x0D\xB8\0\0\0\0\0\0\0\0\0\0\0\x01\x9C\x40\x03\xDE"

static const struct {
	const char *name;
	const char *bytes;
	size_t len;
	const char *want; /* "source destination", "own", "more", or the fault */
} rows[] = {
	{ "TCP4", BYTES("PROXY TCP4 198.51.100.9 192.0.2.1 40000 21\r\n"),
	  "198.51.100.9:40000 192.0.2.1:21" },
	{ "TCP6", BYTES("PROXY TCP6 2001:db8::9 2001:db8::1 40000 990\r\n"),
	  "[2001:db8::9]:40000 [2001:db8::1]:990" },
	{ "mapped", BYTES("PROXY TCP6 ::ffff:198.51.100.9 ::ffff:192.0.2.1 1 21\r\n"),
	  "198.51.100.9:1 192.0.2.1:21" },
	{ "port 0", BYTES("PROXY TCP4 198.51.100.9 192.0.2.1 0 21\r\n"), "198.51.100.9:0 192.0.2.1:21" },
	{ "followed by a command", BYTES("PROXY TCP4 198.51.100.9 192.0.2.1 40000 21\r\nUSER x\r\n"),
	  "198.51.100.9:40000 192.0.2.1:21" },
	{ "unknown", BYTES("PROXY UNKNOWN\r\n"), "own" },
	{ "unknown with something", BYTES("PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n"), "own" },
	{ "the longest",
	  BYTES(
	      "PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
	      "65535 65535\r\n"),
	  "own" },
	{ "nothing", BYTES(""), "more" },
	{ "P", BYTES("P"), "more" },
	{ "the first word", BYTES("PROXY "), "more" },
	{ "half a line", BYTES("PROXY TCP4 198.51.100.9"), "more" },
	{ "no LF yet", BYTES("PROXY TCP4 198.51.100.9 192.0.2.1 40000 21\r"), "more" },

	{ "a command", BYTES("USER x\r\n"), "no header" },
	{ "a handshake", BYTES("\x16\x03\x01\x02\x00\x01"), "no header" },
	{ "a small letter", BYTES("proxy TCP4"), "no header" },
	{ "another word", BYTES("PROXYING"), "no header" },
	{ "nearly version 2", BYTES("\r\n\r\n\0\r\nQUIX\n"), "no header" },
	{ "too long by one",
	  BYTES(
	      "PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
	      "65535 65535 \r\n"),
	  "a version 1 line that is too long" },
	{ "nothing behind the word", BYTES("PROXY \r\n"), "a malformed version 1 line" },
	{ "LF alone", BYTES("PROXY \n"), "a malformed version 1 line" },
	{ "bare LF", BYTES("PROXY TCP4 198.51.100.9 192.0.2.1 40000 21\n"), "a malformed version 1 line" },
	{ "a family that there is not", BYTES("PROXY TCP5 198.51.100.9 192.0.2.1 40000 21\r\n"),
	  "a malformed version 1 line" },
	{ "UNKNOWN with more letters", BYTES("PROXY UNKNOWNS\r\n"), "a malformed version 1 line" },
	{ "IPv6 as TCP4", BYTES("PROXY TCP4 2001:db8::9 2001:db8::1 40000 21\r\n"),
	  "a malformed version 1 line" },
	{ "mapped as TCP4", BYTES("PROXY TCP4 ::ffff:198.51.100.9 ::ffff:192.0.2.1 40000 21\r\n"),
	  "a malformed version 1 line" },
	{ "IPv4 as TCP6", BYTES("PROXY TCP6 198.51.100.9 192.0.2.1 40000 21\r\n"),
	  "a malformed version 1 line" },
	{ "one of each", BYTES("PROXY TCP6 ::ffff:198.51.100.9 2001:db8::1 40000 21\r\n"),
	  "a malformed version 1 line" },
	{ "two blanks", BYTES("PROXY TCP4  198.51.100.9 192.0.2.1 40000 21\r\n"),
	  "a malformed version 1 line" },
	{ "a blank at the end", BYTES("PROXY TCP4 198.51.100.9 192.0.2.1 40000 21 \r\n"),
	  "a malformed version 1 line" },
	{ "a large port", BYTES("PROXY TCP4 198.51.100.9 192.0.2.1 65536 21\r\n"),
	  "a malformed version 1 line" },
	{ "a leading zero", BYTES("PROXY TCP4 198.51.100.9 192.0.2.1 40000 021\r\n"),
	  "a malformed version 1 line" },
	{ "no port", BYTES("PROXY TCP4 198.51.100.9 192.0.2.1 40000\r\n"), "a malformed version 1 line" },
	{ "a sign", BYTES("PROXY TCP4 198.51.100.9 192.0.2.1 +4000 21\r\n"), "a malformed version 1 line" },
	{ "NUL", BYTES("PROXY TCP4 198.51.100.9\0 192.0.2.1 4000 21\r\n"), "a malformed version 1 line" },

	{ "binary TCP4", BYTES(V2 "\x21\x11\0\x0C" ADDR4), "198.51.100.9:40000 192.0.2.1:21" },
	{ "binary TCP6", BYTES(V2 "\x21\x21\0\x24" ADDR6), "[2001:db8::9]:40000 [2001:db8::1]:990" },
	{ "with a TLV", BYTES(V2 "\x21\x11\0\x10" ADDR4 "\x04\0\x01x"), "198.51.100.9:40000 192.0.2.1:21" },
	{ "with an empty TLV", BYTES(V2 "\x21\x11\0\x0F" ADDR4 "\x04\0\0"),
	  "198.51.100.9:40000 192.0.2.1:21" },
	{ "LOCAL", BYTES(V2 "\x20\0\0\0"), "own" },
	{ "LOCAL with a block", BYTES(V2 "\x20\x11\0\x0C" ADDR4), "own" },
	{ "LOCAL with rubbish", BYTES(V2 "\x20\x99\0\x02xy"), "own" },
	{ "unspecified", BYTES(V2 "\x21\0\0\0"), "own" },
	{ "half the signature", BYTES("\r\n\r\n\0\r\n"), "more" },
	{ "the signature", BYTES(V2), "more" },
	{ "without the length", BYTES(V2 "\x21\x11\0"), "more" },
	{ "half the block", BYTES(V2 "\x21\x11\0\x0C\xC6\x33"), "more" },
	{ "version 1 in binary", BYTES(V2 "\x11"), "an unknown version or command" },
	{ "another command", BYTES(V2 "\x22\x11\0\x0C" ADDR4), "an unknown version or command" },
	{ "too long", BYTES(V2 "\x21\x11\x07\xF1"), "a version 2 header that is too long" },
	{ "LOCAL, too long", BYTES(V2 "\x20\0\xFF\xFF"), "a version 2 header that is too long" },
	{ "as long as may be", BYTES(V2 "\x21\x11\x07\xF0"), "more" },
	{ "UDP", BYTES(V2 "\x21\x12\0\x0C" ADDR4), "a malformed version 2 header" },
	{ "UNIX", BYTES(V2 "\x21\x31\0\0"), "a malformed version 2 header" },
	{ "short of addresses", BYTES(V2 "\x21\x11\0\x0B\xC6\x33\x64\x09\xC0\x00\x02\x01\x9C\x40\x00"),
	  "a malformed version 2 header" },
	{ "TCP6 with the addresses of TCP4", BYTES(V2 "\x21\x21\0\x0C" ADDR4),
	  "a malformed version 2 header" },
	{ "a TLV that is cut off", BYTES(V2 "\x21\x11\0\x10" ADDR4 "\x04\0\x02x"),
	  "a malformed version 2 header" },
	{ "half a TLV", BYTES(V2 "\x21\x11\0\x0E" ADDR4 "\x04\0"), "a malformed version 2 header" },
};

static const char *parse(const void *bytes, size_t len, char *buf, size_t size, size_t *ret_consumed)
{
	uint8_t *copy = bytes_copy(bytes, len);
	char source[IP_TEXT_MAX], destination[IP_TEXT_MAX];
	struct proxy_header header;
	const char *fault = NULL;
	enum proxy_parse result = proxy_header_parse(copy, len, &header, &fault);

	free(copy);
	if (result == PROXY_PARSE_MORE)
		return "more";
	if (result == PROXY_PARSE_BAD)
		return fault;
	*ret_consumed = header.consumed;
	if (header.own)
		return "own";
	(void)snprintf(buf, size, "%s %s", ip_endpoint_format(&header.source, source),
		       ip_endpoint_format(&header.destination, destination));
	return buf;
}

static void test_parse(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		char buf[2 * IP_TEXT_MAX];
		size_t consumed = 0;
		const char *got = parse(rows[i].bytes, rows[i].len, buf, sizeof(buf), &consumed);

		if (strcmp(got, rows[i].want) != 0)
			fail_msg("%s: got %s", rows[i].name, got);
		if (consumed == 0)
			continue;
		assert_true(consumed <= rows[i].len);
		/* nothing of it is decided before it is whole, and nothing behind it counts */
		for (size_t len = 0; len < consumed; len++)
			if (strcmp(parse(rows[i].bytes, len, buf, sizeof(buf), &consumed), "more") != 0)
				fail_msg("%s: decided after %zu bytes", rows[i].name, len);
	}
}

static struct ip_endpoint endpoint(const char *addr, uint16_t port)
{
	struct ip_endpoint result = { .port = port };

	assert_int_equal(ip_addr_parse(addr, strlen(addr), &result.addr), 0);
	return result;
}

static const struct {
	const char *name;
	const char *source, *destination;
	struct proxy_facts facts;
	const char *v1;
	const char *v2;
	size_t v2_len;
} made[] = {
	{ "IPv4",
	  "198.51.100.9",
	  "192.0.2.1",
	  { .tls = NULL },
	  "PROXY TCP4 198.51.100.9 192.0.2.1 40000 21\r\n",
	  BYTES(V2 "\x21\x11\0\x0C" ADDR4) },
	{ "IPv6",
	  "2001:db8::9",
	  "2001:db8::1",
	  { .tls = NULL },
	  "PROXY TCP6 2001:db8::9 2001:db8::1 40000 21\r\n",
	  BYTES(V2 "\x21\x21\0\x24"
		   "\x20\x01\x0D\xB8\0\0\0\0\0\0\0\0\0\0\0\x09"
		   "\x20\x01\x0D\xB8\0\0\0\0\0\0\0\0\0\0\0\x01\x9C\x40\0\x15") },
	{ "one of each",
	  "2001:db8::9",
	  "192.0.2.1",
	  { .tls = "TLSv1.3" },
	  "PROXY UNKNOWN\r\n",
	  BYTES(V2 "\x21\0\0\0") },
	{ "TLS",
	  "198.51.100.9",
	  "192.0.2.1",
	  { .tls = "TLSv1.3", .cipher = "X" },
	  "PROXY TCP4 198.51.100.9 192.0.2.1 40000 21\r\n",
	  BYTES(V2 "\x21\x11\0\x22" ADDR4 "\x20\0\x13\x01\0\0\0\x01\x21\0\x07TLSv1.3\x23\0\x01X") },
	{ "TLS with everything",
	  "198.51.100.9",
	  "192.0.2.1",
	  { .tls = "TLSv1.2",
	    .certificate = true,
	    .verified = true,
	    .common_name = "u",
	    .authority = "host",
	    .alpn = "ftp" },
	  "PROXY TCP4 198.51.100.9 192.0.2.1 40000 21\r\n",
	  BYTES(V2 "\x21\x11\0\x2F" ADDR4 "\x20\0\x13\x07\0\0\0\0\x21\0\x07TLSv1.2\x22\0\x01u"
		   "\x02\0\x04host\x01\0\x03"
		   "ftp") },
	{ "a certificate that nobody checked",
	  "198.51.100.9",
	  "192.0.2.1",
	  { .tls = "T", .certificate = true },
	  "PROXY TCP4 198.51.100.9 192.0.2.1 40000 21\r\n",
	  BYTES(V2 "\x21\x11\0\x18" ADDR4 "\x20\0\x09\x07\0\0\0\x01\x21\0\x01T") },
};

static void test_make(void **state)
{
	uint8_t buf[PROXY_HEADER_MAX];

	(void)state;
	for (size_t i = 0; i < NELEM(made); i++) {
		struct ip_endpoint source = endpoint(made[i].source, 40000);
		struct ip_endpoint destination = endpoint(made[i].destination, 21);
		size_t len = proxy_header_v1(&source, &destination, buf);

		if (len != strlen(made[i].v1) || memcmp(buf, made[i].v1, len) != 0)
			fail_msg("%s: version 1 is %.*s", made[i].name, (int)len, (const char *)buf);
		len = proxy_header_v2(&source, &destination, &made[i].facts, buf);
		if (len != made[i].v2_len || memcmp(buf, made[i].v2, len) != 0)
			fail_msg("%s: version 2 is wrong", made[i].name);
	}
}

/* Texts of a client that have no room are left out, and the header stays one. */
static void test_make_long(void **state)
{
	static char longest[PROXY_HEADER_MAX];
	struct ip_endpoint source = endpoint("198.51.100.9", 40000);
	uint8_t buf[PROXY_HEADER_MAX];

	(void)state;
	for (size_t n = 0; n < sizeof(longest) - 1; n++) {
		struct proxy_facts facts = { .tls = "TLSv1.3",
					     .certificate = true,
					     .common_name = longest,
					     .authority = longest,
					     .alpn = "ftp" };
		struct proxy_header header;
		const char *fault;
		size_t len;

		longest[n] = 'x';
		len = proxy_header_v2(&source, &source, &facts, buf);
		assert_true(len <= sizeof(buf));
		assert_int_equal(proxy_header_parse(buf, len, &header, &fault), PROXY_PARSE_OK);
		assert_int_equal(header.consumed, len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_make),
		cmocka_unit_test(test_make_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
