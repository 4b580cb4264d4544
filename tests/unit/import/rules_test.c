/*
 * Rules of AT-TLS: their order, and their conditions, of which none may be lost without a
 * question.
 */
#include "tests/unit/import-text.h"

#include "gateway/import/ebcdic.h"

#define GROUP "TTLSGroupAction on\n{\nTTLSEnabled On\n}\n"
#define SERVER                                                                                               \
	"TTLSEnvironmentAction e\n{\nHandshakeRole Server\nTTLSKeyringParms\n{\nKeyring R\n}\n"              \
	"TTLSEnvironmentAdvancedParms\n{\nApplicationControlled On\nSecondaryMap On\n}\n}\n"
#define USUAL GROUP SERVER

/* The table of the module is that of iconv(3). */
static void test_bytes(void **state)
{
	(void)state;
	for (char c = ' '; c <= '~'; c++) {
		uint8_t byte = (uint8_t)ebcdic_byte(c);
		char *text = NULL;
		size_t len = 0;

		assert_int_equal(ebcdic_convert(&byte, 1, &text, &len), 0);
		assert_int_equal(len, 1);
		assert_int_equal(text[0], c);
		free(text);
	}
}

/* z/OS takes the first one first. */
static const struct {
	const char *first, *second;
} orders[] = {
	{ "FTP.A", "FTP-A" },  { "FTP-A", "FTP_A" }, { "FTP_A", "FTPaA" }, { "FTPaA", "FTPAA" },
	{ "FTPAA", "FTP0A" },  { "FTP.A", "FTP$A" }, { "FTP$A", "FTP-A" }, { "FTP_A", "FTP#A" },
	{ "FTP#A", "FTP@A" },  { "FTP", "FTP.A" },   { "FTPi", "FTPj" },   { "FTPZ", "FTP0" },
	{ "FTP~A", "FTPzzz" },
};

static void test_order(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(orders); i++) {
		assert_true(ebcdic_compare(orders[i].first, orders[i].second) < 0);
		assert_true(ebcdic_compare(orders[i].second, orders[i].first) > 0);
		assert_int_equal(ebcdic_compare(orders[i].first, orders[i].first), 0);
	}
}

#define RULE(name, lines)                                                                                    \
	"TTLSRule " name "\n{\nLocalPortRange 21\nDirection Inbound\nPriority 100\nTTLSGroupActionRef on\n"  \
	"TTLSEnvironmentActionRef e\n" lines "}\n"

static void test_order_of_rules(void **state)
{
	struct imported in;

	(void)state;
	import_texts(&in, NULL, RULE("FTP-A", "") RULE("FTP.A", "RemoteAddr 10.0.0.0/8\n") USUAL);
	assert_int_equal(in.parsed->nrules, 2);
	assert_string_equal(in.parsed->rules[0].name, "FTP.A");
	assert_int_equal(in.parsed->rules[0].priority, 20);
	imported_done(&in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_order_of_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
