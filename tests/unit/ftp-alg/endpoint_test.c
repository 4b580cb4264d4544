#include "ftp-alg/endpoint.h"

#include <errno.h>

#include "tests/unit/unit.h"

struct endpoint_case {
	const char *name;
	const char *input;
	size_t input_len;
	int want;	      /* result */
	const char *endpoint; /* as ip_endpoint_format() has it */
};

#define GOOD(endpoint) 0, endpoint
#define BAD	       -EINVAL, NULL
#define BAD_FAMILY     -EAFNOSUPPORT, NULL

typedef int parse_fn(const char *text, size_t len, struct ip_endpoint *ret_endpoint);

static const struct endpoint_case port_cases[] = {
	{ "plain", BYTES("192,0,2,1,4,1"), GOOD("192.0.2.1:1025") },
	{ "highest", BYTES("255,255,255,255,255,255"), GOOD("255.255.255.255:65535") },
	{ "port 0", BYTES("192,0,2,1,0,0"), GOOD("192.0.2.1:0") },
	{ "port 1", BYTES("192,0,2,1,0,1"), GOOD("192.0.2.1:1") },
	{ "port 1023", BYTES("192,0,2,1,3,255"), GOOD("192.0.2.1:1023") },
	{ "loopback", BYTES("127,0,0,1,4,1"), GOOD("127.0.0.1:1025") },
	{ "leading zeros are decimal", BYTES("010,008,002,001,004,001"), GOOD("10.8.2.1:1025") },
	{ "blanks around", BYTES("  192,0,2,1,4,1  "), GOOD("192.0.2.1:1025") },

	{ "nothing", BYTES(""), BAD },
	{ "blanks only", BYTES("  "), BAD },
	{ "one number", BYTES("1"), BAD },
	{ "5 numbers", BYTES("192,0,2,1,4"), BAD },
	{ "7 numbers", BYTES("192,0,2,1,4,1,1"), BAD },
	{ "many numbers", BYTES("1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1"), BAD },
	{ "256 first", BYTES("256,0,2,1,4,1"), BAD },
	{ "256 last", BYTES("192,0,2,1,4,256"), BAD },
	{ "2^32 + 1", BYTES("192,0,2,1,4,4294967297"), BAD },
	{ "2^64 + 1", BYTES("192,0,2,1,4,18446744073709551617"), BAD },
	{ "4 digits", BYTES("0192,0,2,1,4,1"), BAD },
	{ "empty number", BYTES("192,,2,1,4,1"), BAD },
	{ "comma first", BYTES(",192,0,2,1,4,1"), BAD },
	{ "comma last", BYTES("192,0,2,1,4,1,"), BAD },
	{ "minus", BYTES("192,0,2,1,4,-1"), BAD },
	{ "plus", BYTES("+192,0,2,1,4,1"), BAD },
	{ "hexadecimal", BYTES("0x1,0,2,1,4,1"), BAD },
	{ "blank inside", BYTES("192, 0,2,1,4,1"), BAD },
	{ "tab", BYTES("\t192,0,2,1,4,1"), BAD },
	{ "dots", BYTES("192.0.2.1,4,1"), BAD },
	{ "text after", BYTES("192,0,2,1,4,1 x"), BAD },
	{ "parentheses", BYTES("(192,0,2,1,4,1)"), BAD },
	{ "NUL after", BYTES("192,0,2,1,4,1\0"), BAD },
	{ "digit from 0x80", BYTES("\xb9,0,2,1,4,1"), BAD },
};

static const struct endpoint_case eprt_cases[] = {
	{ "IPv4", BYTES("|1|192.0.2.1|6275|"), GOOD("192.0.2.1:6275") },
	{ "IPv6", BYTES("|2|2001:db8::1|5282|"), GOOD("[2001:db8::1]:5282") },
	{ "IPv6 in full", BYTES("|2|2001:0db8:0:0:0:0:0:1|5282|"), GOOD("[2001:db8::1]:5282") },
	{ "any address", BYTES("|2|::|5282|"), GOOD("[::]:5282") },
	{ "mapped is IPv4", BYTES("|2|::ffff:10.0.0.1|5282|"), GOOD("10.0.0.1:5282") },
	{ "mapped, hexadecimal", BYTES("|2|::FFFF:0a00:1|5282|"), GOOD("10.0.0.1:5282") },
	{ "another delimiter", BYTES("!1!192.0.2.1!6275!"), GOOD("192.0.2.1:6275") },
	{ "lowest delimiter", BYTES("!2!::1!1!"), GOOD("[::1]:1") },
	{ "highest delimiter", BYTES("~2~::1~1~"), GOOD("[::1]:1") },
	{ "comma as delimiter", BYTES(",1,192.0.2.1,6275,"), GOOD("192.0.2.1:6275") },
	{ "digit as delimiter", BYTES("9192.0.2.1962759"), GOOD("2.0.2.1:6275") },
	{ "digit as delimiter, in the address", BYTES("919192.0.2.1962759"), BAD },
	{ "colon before IPv4", BYTES(":1:192.0.2.1:6275:"), GOOD("192.0.2.1:6275") },
	{ "port 0", BYTES("|1|192.0.2.1|0|"), GOOD("192.0.2.1:0") },
	{ "port 65535", BYTES("|1|192.0.2.1|65535|"), GOOD("192.0.2.1:65535") },
	{ "port with leading zeros", BYTES("|1|192.0.2.1|00021|"), GOOD("192.0.2.1:21") },

	{ "port 65536", BYTES("|1|192.0.2.1|65536|"), BAD },
	{ "port of 6 digits", BYTES("|1|192.0.2.1|000021|"), BAD },
	{ "port 2^32 + 21", BYTES("|1|192.0.2.1|4294967317|"), BAD },
	{ "port -1", BYTES("|1|192.0.2.1|-1|"), BAD },
	{ "no port", BYTES("|1|192.0.2.1||"), BAD },
	{ "blank before the port", BYTES("|1|192.0.2.1| 21|"), BAD },
	{ "af 0", BYTES("|0|192.0.2.1|6275|"), BAD_FAMILY },
	{ "af 3", BYTES("|3|192.0.2.1|6275|"), BAD_FAMILY },
	{ "af 3, some address", BYTES("|3|what.ever|6275|"), BAD_FAMILY },
	{ "af 3, no port", BYTES("|3|192.0.2.1|x|"), BAD },
	{ "af 16", BYTES("|16|192.0.2.1|6275|"), BAD_FAMILY },
	{ "af 65537", BYTES("|65537|192.0.2.1|6275|"), BAD },
	{ "af 2^32 + 1", BYTES("|4294967297|192.0.2.1|6275|"), BAD },
	{ "no af", BYTES("||192.0.2.1|6275|"), BAD },
	{ "af is a word", BYTES("|IP|192.0.2.1|6275|"), BAD },
	{ "no address", BYTES("|1||6275|"), BAD },
	{ "IPv6 as IPv4", BYTES("|1|2001:db8::1|6275|"), BAD },
	{ "mapped as IPv4", BYTES("|1|::ffff:10.0.0.1|6275|"), BAD },
	{ "IPv4 as IPv6", BYTES("|2|192.0.2.1|6275|"), BAD },
	{ "octet of 256", BYTES("|1|192.0.2.256|6275|"), BAD },
	{ "zone", BYTES("|2|fe80::1%lo|6275|"), BAD },
	{ "brackets", BYTES("|2|[2001:db8::1]|6275|"), BAD },
	{ "NUL in the address", BYTES("|1|192.0.2.1\0|6275|"), BAD },
	{ "address that goes on and on",
	  BYTES("|2|0000000000000000000000000000000000000000000000000000000000000000000000000000000:0|6275|"),
	  BAD },
	{ "colon before IPv6", BYTES(":2:2001:db8::1:6275:"), BAD },
	{ "mixed delimiters", BYTES("|1!192.0.2.1!6275|"), BAD },
	{ "last delimiter missing", BYTES("|1|192.0.2.1|6275"), BAD },
	{ "text after", BYTES("|1|192.0.2.1|6275|x"), BAD },
	{ "blank after", BYTES("|1|192.0.2.1|6275| "), BAD },
	{ "fifth field", BYTES("|1|192.0.2.1|6275|1|"), BAD },
	{ "blank as delimiter", BYTES(" 1 192.0.2.1 6275 "), BAD },
	{ "DEL as delimiter",
	  BYTES("\x7f"
		"1\x7f"
		"192.0.2.1\x7f"
		"6275\x7f"),
	  BAD },
	{ "0xFF as delimiter",
	  BYTES("\xff"
		"1\xff"
		"192.0.2.1\xff"
		"6275\xff"),
	  BAD },
	{ "NUL as delimiter",
	  BYTES("\0"
		"1\0"
		"192.0.2.1\0"
		"6275\0"),
	  BAD },
	{ "nothing", BYTES(""), BAD },
	{ "delimiter only", BYTES("|"), BAD },
	{ "delimiters only", BYTES("||||"), BAD },
};

static const struct endpoint_case pasv_cases[] = {
	{ "canonical", BYTES("Entering Passive Mode (192,0,2,1,4,1)."), GOOD("192.0.2.1:1025") },
	{ "no parentheses", BYTES("Entering Passive Mode 192,0,2,1,4,1"), GOOD("192.0.2.1:1025") },
	{ "numbers only", BYTES("192,0,2,1,4,1"), GOOD("192.0.2.1:1025") },
	{ "equals sign", BYTES("=192,0,2,1,4,1"), GOOD("192.0.2.1:1025") },
	{ "comma before", BYTES("Entering Passive Mode,192,0,2,1,4,1"), GOOD("192.0.2.1:1025") },
	{ "comma and text after", BYTES("192,0,2,1,4,1, go on"), GOOD("192.0.2.1:1025") },
	{ "other numbers before", BYTES("Mode 1 of 2,3 (192,0,2,1,4,1)"), GOOD("192.0.2.1:1025") },
	{ "bad numbers before", BYTES("1,2,3,4,5,256 (192,0,2,1,4,1)"), GOOD("192.0.2.1:1025") },
	{ "7 numbers before", BYTES("1,2,3,4,5,6,7 (192,0,2,1,4,1)"), GOOD("192.0.2.1:1025") },
	{ "first of two", BYTES("(192,0,2,1,4,1) (192,0,2,2,4,2)"), GOOD("192.0.2.1:1025") },
	{ "another host", BYTES("(10,9,8,7,0,22)"), GOOD("10.9.8.7:22") },
	{ "address 0", BYTES("(0,0,0,0,4,1)"), GOOD("0.0.0.0:1025") },
	{ "port 0", BYTES("(192,0,2,1,0,0)"), GOOD("192.0.2.1:0") },
	{ "leading zeros are decimal", BYTES("(192,000,002,001,004,001)"), GOOD("192.0.2.1:1025") },
	{ "blanks inside", BYTES("(192, 0, 2, 1, 4, 1)"), GOOD("192.0.2.1:1025") },
	{ "blanks everywhere", BYTES("( 192 ,0 , 2,\t1, 4, 1 )"), GOOD("192.0.2.1:1025") },
	{ "blanks, no parentheses", BYTES("Entering 192, 0, 2, 1, 4, 1."), GOOD("192.0.2.1:1025") },
	{ "a number and a comma before", BYTES("Mode 1, (192,0,2,1,4,1)"), GOOD("192.0.2.1:1025") },
	{ "a number, a comma and blanks before", BYTES("Mode 2, 192,0,2,1,4,1"), GOOD("192.0.2.1:1025") },

	{ "nothing", BYTES(""), BAD },
	{ "no numbers", BYTES("Entering Passive Mode"), BAD },
	{ "5 numbers", BYTES("(192,0,2,1,4)"), BAD },
	{ "7 numbers", BYTES("(192,0,2,1,4,1,1)"), BAD },
	{ "7 numbers and blanks", BYTES("(192, 0, 2, 1, 4, 1, 1)"), BAD },
	{ "blanks only", BYTES("(192 0 2 1 4 1)"), BAD },
	{ "256", BYTES("(192,0,2,1,256,1)"), BAD },
	{ "256 before six good ones", BYTES("(256,192,0,2,1,4,1)"), BAD },
	{ "4 digits", BYTES("(0192,0,2,1,4,1)"), BAD },
	{ "dots", BYTES("(192.0.2.1,4,1)"), BAD },
	{ "cut off", BYTES("(192,0,2,1,4,"), BAD },
	{ "229 text", BYTES("Entering Extended Passive Mode (|||1025|)"), BAD },
};

static void check(parse_fn *parse, const struct endpoint_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct endpoint_case *c = &cases[i];
		uint8_t *input = bytes_copy(c->input, c->input_len);
		struct ip_endpoint before, endpoint;
		char buf[IP_TEXT_MAX];
		int r;

		memset(&before, 0xA5, sizeof(before));
		memset(&endpoint, 0xA5, sizeof(endpoint));
		r = parse((const char *)input, c->input_len, &endpoint);
		if (r != c->want)
			fail_msg("%s: %d, not %d", c->name, r, c->want);
		if (r == 0 && strcmp(ip_endpoint_format(&endpoint, buf), c->endpoint) != 0)
			fail_msg("%s: %s, not %s", c->name, buf, c->endpoint);
		if (r != 0 && memcmp(&before, &endpoint, sizeof(before)) != 0)
			fail_msg("%s: the result was touched", c->name);
		free(input);
	}
}

static void test_port(void **state)
{
	(void)state;
	check(ftp_port_parse, port_cases, NELEM(port_cases));
}

static void test_eprt(void **state)
{
	(void)state;
	check(ftp_eprt_parse, eprt_cases, NELEM(eprt_cases));
}

static void test_227(void **state)
{
	(void)state;
	check(ftp_227_parse, pasv_cases, NELEM(pasv_cases));
}

static void test_229(void **state)
{
	static const struct {
		const char *name;
		const char *input;
		size_t input_len;
		int want;
		uint16_t port;
	} rows[] = {
		{ "canonical", BYTES("Entering Extended Passive Mode (|||6446|)"), 0, 6446 },
		{ "full stop", BYTES("Entering Extended Passive Mode (|||6446|)."), 0, 6446 },
		{ "another delimiter", BYTES("ok (!!!6446!)"), 0, 6446 },
		{ "parenthesis as delimiter", BYTES("ok (((((6446()"), 0, 6446 },
		{ "closing parenthesis as delimiter", BYTES("ok ()))6446))"), 0, 6446 },
		{ "digit as delimiter", BYTES("ok (111645361)"), 0, 64536 },
		{ "digit as delimiter, in the port", BYTES("ok (11164161)"), -EINVAL, 0 },
		{ "other parentheses before", BYTES("Entering (really) Extended (||) Mode (|||6446|)"), 0,
		  6446 },
		{ "first of two", BYTES("(|||6446|) (|||6447|)"), 0, 6446 },
		{ "port 1", BYTES("(|||1|)"), 0, 1 },
		{ "port 65535", BYTES("(|||65535|)"), 0, 65535 },
		{ "leading zeros", BYTES("(|||00021|)"), 0, 21 },
		{ "blank", BYTES("(||| 21|)"), 0, 21 },
		{ "blanks everywhere", BYTES("( | | |\t6446 | )"), 0, 6446 },
		{ "family filled", BYTES("(|1||6446|)"), 0, 6446 },
		{ "address filled", BYTES("(||192.0.2.1|6446|)"), 0, 6446 },
		{ "both filled", BYTES("(|1|192.0.2.1|6446|)"), 0, 6446 },
		{ "both filled, IPv6", BYTES("(!2!2001:db8::1!6446!)"), 0, 6446 },
		{ "no parentheses", BYTES("Entering |||6446|"), 0, 6446 },
		{ "no parentheses, both filled", BYTES("Entering |1|192.0.2.1|6446|."), 0, 6446 },
		{ "no closing parenthesis", BYTES("(|||6446|"), 0, 6446 },
		{ "the usual form wins", BYTES("(|1|192.0.2.1|6447|) (|||6446|)"), 0, 6446 },

		{ "port 0", BYTES("(|||0|)"), -EINVAL, 0 },
		{ "port 65536", BYTES("(|||65536|)"), -EINVAL, 0 },
		{ "6 digits", BYTES("(|||000021|)"), -EINVAL, 0 },
		{ "port 2^32 + 21", BYTES("(|||4294967317|)"), -EINVAL, 0 },
		{ "no port", BYTES("(||||)"), -EINVAL, 0 },
		{ "mixed delimiters", BYTES("(|||6446!)"), -EINVAL, 0 },
		{ "mixed delimiters in front", BYTES("(|!|6446|)"), -EINVAL, 0 },
		{ "blank as delimiter", BYTES("(   6446 )"), -EINVAL, 0 },
		{ "0xFF as delimiter",
		  BYTES("(\xff\xff\xff"
			"6446\xff)"),
		  -EINVAL, 0 },
		{ "cut off", BYTES("(|||6446"), -EINVAL, 0 },
		{ "both filled, port 0", BYTES("(|1|192.0.2.1|0|)"), -EINVAL, 0 },
		{ "both filled, port 65536", BYTES("(|1|192.0.2.1|65536|)"), -EINVAL, 0 },
		{ "a word as family", BYTES("(|IP|192.0.2.1|6446|)"), -EINVAL, 0 },
		{ "no parentheses, another delimiter", BYTES("wait...6446."), -EINVAL, 0 },
		{ "opened only", BYTES("("), -EINVAL, 0 },
		{ "227 text", BYTES("(192,0,2,1,4,1)"), -EINVAL, 0 },
		{ "nothing", BYTES(""), -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		uint8_t *input = bytes_copy(rows[i].input, rows[i].input_len);
		uint16_t port = 0;
		int r = ftp_229_parse((const char *)input, rows[i].input_len, &port);

		if (r != rows[i].want || port != rows[i].port)
			fail_msg("%s: %d and port %u, not %d and %u", rows[i].name, r, port, rows[i].want,
				 rows[i].port);
		free(input);
	}
}

static struct ip_endpoint endpoint_of(const char *addr, uint16_t port)
{
	struct ip_endpoint ep = { .port = port };

	assert_int_equal(ip_addr_parse(addr, strlen(addr), &ep.addr), 0);
	return ep;
}

static void test_format(void **state)
{
	const struct ip_endpoint v4 = endpoint_of("192.0.2.1", 1025);
	const struct ip_endpoint top = endpoint_of("255.255.255.255", 65535);
	const struct ip_endpoint v6 = endpoint_of("2001:db8::1", 21);
	const struct ip_endpoint longest = endpoint_of("2001:db8:1111:2222:3333:4444:5555:6666", 65535);
	const struct ip_endpoint mapped = endpoint_of("::ffff:192.0.2.1", 1025);
	char buf[FTP_ENDPOINT_TEXT_MAX];

	(void)state;
	assert_string_equal(ftp_port_format(&v4, buf), "PORT 192,0,2,1,4,1");
	assert_string_equal(ftp_port_format(&top, buf), "PORT 255,255,255,255,255,255");
	assert_string_equal(ftp_port_format(&mapped, buf), "PORT 192,0,2,1,4,1");
	assert_string_equal(ftp_eprt_format(&v4, buf), "EPRT |1|192.0.2.1|1025|");
	assert_string_equal(ftp_eprt_format(&v6, buf), "EPRT |2|2001:db8::1|21|");
	assert_string_equal(ftp_eprt_format(&longest, buf),
			    "EPRT |2|2001:db8:1111:2222:3333:4444:5555:6666|65535|");
	assert_string_equal(ftp_eprt_format(&mapped, buf), "EPRT |1|192.0.2.1|1025|");
	assert_string_equal(ftp_227_format(&v4, buf), "227 Entering Passive Mode (192,0,2,1,4,1).");
	assert_string_equal(ftp_227_format(&top, buf),
			    "227 Entering Passive Mode (255,255,255,255,255,255).");
	assert_string_equal(ftp_229_format(1025, buf), "229 Entering Extended Passive Mode (|||1025|)");
	assert_string_equal(ftp_229_format(65535, buf), "229 Entering Extended Passive Mode (|||65535|)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_port), cmocka_unit_test(test_eprt),   cmocka_unit_test(test_227),
		cmocka_unit_test(test_229),  cmocka_unit_test(test_format),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
