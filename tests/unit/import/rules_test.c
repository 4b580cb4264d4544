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

#define OFF "TTLSGroupAction off\n{\nTTLSEnabled Off\n}\n"
#define EXEMPT(lines)                                                                                        \
	"TTLSRule exempt\n{\nDirection Inbound\nPriority 900\nTTLSGroupActionRef off\n" lines "}\n"
#define ALL RULE("all", "")
#define OUT(lines)                                                                                           \
	"TTLSRule out\n{\nDirection Outbound\nRemotePortRange 21\nTTLSGroupActionRef on\n"                   \
	"TTLSEnvironmentActionRef c\n" lines "}\n"
#define CLIENT                                                                                               \
	"TTLSEnvironmentAction c\n{\nHandshakeRole Client\nTTLSKeyringParms\n{\nKeyring *AUTH*/*\n}\n"       \
	"TTLSEnvironmentAdvancedParms\n{\nApplicationControlled On\n}\n}\n"

#define CHECK_MAX 8

static const struct {
	const char *name, *attls, *want[CHECK_MAX];
} cases[] = {
	{ "an exemption for some ports of clients",
	  EXEMPT("LocalPortRange 21\nRemotePortRange 2000-2010\n") ALL OFF USUAL,
	  { "RemotePortRange 2000-2010 - needs a decision", "who needs the rules?", "!in_the_clear",
	    "!  exempt:", "the rule is left out", "TTLSRule exempt - needs a decision" } },
	{ "without an environment, it is an exemption, too",
	  "TTLSRule exempt\n{\nDirection Inbound\nPriority 900\nTTLSGroupActionRef on\nLocalPortRange 21\n"
	  "RemotePortRange 2000\n}\n" ALL USUAL,
	  { "!in_the_clear", "!  exempt:", "the rule is left out" } },
	{ "an exemption for all ports of clients",
	  EXEMPT("LocalPortRange 21\nRemoteAddr 10.1.2.3\nRemotePortRange 1024-65535\n") ALL OFF USUAL,
	  { "  exempt:", "in_the_clear", "!RemotePortRange 1024-65535 - needs", "!who needs the rules?" } },
	{ "all ports in other words",
	  EXEMPT("LocalPortRange 21\nRemoteAddr 10.1.2.3\nRemotePortRange 0\n")
	      RULE("one", "RemotePortRange 1-65535\n") OFF USUAL,
	  { "  exempt:", "  one:", "!who needs the rules?" } },
	{ "TLS for some ports of clients",
	  RULE("some", "RemotePortRange 2000-2010\n") USUAL,
	  { "  some:", "RemotePortRange 2000-2010 - needs a decision" } },
	{ "ports of clients in a group",
	  RULE("some", "RemotePortGroupRef g\n") USUAL
	  "PortGroup g\n{\nPortRange\n{\nPort 2000\n}\nPortRangeRef h\n}\nPortRange h\n{\nPort 3000\n}\n",
	  { "RemotePortGroupRef g - needs a decision", "Port 2000 - needs a decision",
	    "Port 3000 - needs a decision" } },
	{ "one port of a group stands for all",
	  "TTLSRule r\n{\nDirection Inbound\nTTLSGroupActionRef on\nTTLSEnvironmentActionRef e\n"
	  "LocalPortGroupRef g\n}\nPortGroup g\n{\nPortRange\n{\nPort 990\n}\nPortRange\n{\nPort 0\n}\n}\n" USUAL,
	  { "listener: [port21]" } },
	{ "an exemption for a job",
	  EXEMPT("LocalPortRange 21\nJobname FTPTEST\n") ALL OFF USUAL,
	  { "Jobname FTPTEST - needs a decision", "!in_the_clear", "!  exempt:" } },
	{ "an exemption for a user of z/OS",
	  EXEMPT("LocalPortRange 21\nUserid TEST\n") RULE("all", "Userid FTPD\n") OFF USUAL,
	  { "Userid TEST - needs a decision", "Userid FTPD - needs a decision", "!in_the_clear" } },
	{ "jobs that tell no rules apart",
	  EXEMPT("LocalPortRange 21\nRemoteAddr 10.1.2.3\nJobname FTPD*\n") RULE("all", "Jobname FTPD*\n")
	      OFF USUAL,
	  { "  exempt:", "Jobname FTPD* - without meaning" } },
	{ "any job", RULE("any", "Jobname *\n") ALL USUAL, { "Jobname * - without meaning", "!who needs" } },
	{ "jobs of other ports",
	  EXEMPT(
	      "LocalPortRange 21\nRemoteAddr 10.1.2.3\nJobname FTPD1\n") "TTLSRule two\n{\nDirection Inbound\nLocalPortRange 4021\nJobname FTPD2\nTTLSGroupActionRef on\n"
									 "TTLSEnvironmentActionRef e\n}\n" OFF
									     USUAL,
	  { "  exempt:", "!who needs the rules?", "Jobname FTPD2 - without meaning" } },
	{ "a range without port 21, TLS at once",
	  "TTLSRule r\n{\nDirection Inbound\nTTLSGroupActionRef on\nTTLSEnvironmentActionRef e\n"
	  "LocalPortRange 900-1000\n}\n" GROUP
	  "TTLSEnvironmentAction e\n{\nHandshakeRole Server\nTTLSKeyringParms\n{\nKeyring R\n}\n}\n",
	  { "listener: [port990]", "!port21", "tls: implicit", "only the ports of FTP have a listener" } },
	{ "Both is one direction here",
	  "TTLSRule r\n{\nDirection Both\nLocalPortRange 21\n"
	  "TTLSGroupActionRef on\nTTLSEnvironmentActionRef e\n}\n" USUAL,
	  { "direction: inbound", "Direction Both - differs" } },
	{ "of two actions, the last one",
	  RULE("r", "TTLSEnvironmentActionRef f\n") USUAL
	  "TTLSEnvironmentAction f\n{\nHandshakeRole Server\nTTLSKeyringParms\n{\nKeyring F\n}\n}\n",
	  { "tls: f\n", "TTLSEnvironmentActionRef e - without meaning here: a later line" } },
	{ "an unknown condition",
	  RULE("r", "Weather Fine\n") USUAL,
	  { "Weather Fine - needs a decision", "does not know some statements" } },
	{ "conditions about clients on the way out",
	  OUT("LocalAddr 10.9.9.9\nLocalPortRange 40000-40010\nUserid BATCH*\nJobname FTP1\n") GROUP CLIENT,
	  { "LocalAddr 10.9.9.9 - needs a decision", "LocalPortRange 40000-40010 - needs a decision",
	    "Userid BATCH* - needs a decision", "Jobname FTP1 - needs a decision", "who may?" } },
	{ "all clients on the way out",
	  OUT("LocalAddr All\nLocalPortRange 1024-65535\nJobname *\n") GROUP CLIENT,
	  { "!who may?", "  out:" } },
	{ "a network of servers",
	  OUT("RemoteAddr 203.0.113.0/24\n") GROUP CLIENT,
	  { "RemoteAddr 203.0.113.0/24 - needs a decision", "Which server do these clients reach" } },
	{ "one server",
	  OUT("RemoteAddr 203.0.113.9\n") GROUP CLIENT,
	  { "\"203.0.113.9:21\"", "!RemoteAddr 203.0.113.9 - " } },
	{ "several ports of servers",
	  OUT("RemoteAddr 203.0.113.9\nRemotePortRange 30-40\n") GROUP CLIENT,
	  { "RemotePortRange 30-40 - differs: the backend has one of these ports" } },
	{ "an address of z/OS",
	  RULE("r", "LocalAddr 10.1.1.98\n") USUAL,
	  { "local_addr: [10.1.1.98]", "LocalAddr 10.1.1.98 - needs a decision",
	    "These addresses belong to z/OS" } },
	{ "an address of z/OS in a set",
	  RULE("r", "LocalAddrSetRef s\n") USUAL "IpAddrSet s\n{\nPrefix 10.1.1.0/24\n}\n",
	  { "local_addr: [10.1.1.0/24]", "Prefix 10.1.1.0/24 - needs a decision" } },
	{ "all addresses of z/OS",
	  RULE("r", "LocalAddr All\n") USUAL,
	  { "!local_addr:", "!These addresses belong to z/OS" } },
	{ "questions name what the files do not have",
	  OUT("") GROUP CLIENT,
	  { "[The server of out]", "[Clients of out]", "# The server of out - needs a decision" } },
	{ "the role of a server on the way out",
	  OUT("") GROUP "TTLSEnvironmentAction c\n{\nHandshakeRole Server\nTTLSKeyringParms\n{\nKeyring "
			"*AUTH*/*\n}\n}\n",
	  { "HandshakeRole Server - needs a decision", "but its HandshakeRole is" } },
};

static void test_conditions(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(cases); i++)
		import_wants(cases[i].name, NULL, cases[i].attls, cases[i].want, CHECK_MAX);
}

/* The only rule is an exemption that is left out. */
static void test_nothing_left(void **state)
{
	struct imported in;

	(void)state;
	import_texts(&in, NULL, EXEMPT("LocalPortRange 21\nRemotePortRange 2000\n") OFF);
	assert_true(in.result < 0);
	assert_non_null(strstr(in.messages, "there is nothing for attlsd to do"));
	imported_done(&in);
}

/* The importer keeps 64 ranges of ports, and 1024 addresses. */
static void test_too_many(void **state)
{
	struct imported in;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	assert_non_null(out);
	(void)fputs(RULE("r", "LocalPortGroupRef g\nRemoteAddrGroupRef h\n") USUAL "PortGroup g\n{\n", out);
	for (int i = 0; i < 65; i++)
		(void)fprintf(out, "PortRange\n{\nPort %d\n}\n", 2000 + i);
	(void)fputs("}\nIpAddrGroup h\n{\n", out);
	for (int i = 0; i < 1025; i++)
		(void)fprintf(out, "IpAddr\n{\nAddr 10.0.%d.%d\n}\n", i / 256, 1 + i % 256 % 255);
	(void)fputs("}\n", out);
	assert_int_equal(fclose(out), 0);
	import_texts(&in, NULL, text);
	imported_has(&in, "ports", "LocalPortGroupRef g - needs a decision");
	imported_has(&in, "addresses", "RemoteAddrGroupRef h - needs a decision");
	imported_done(&in);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes),	       cmocka_unit_test(test_order),
		cmocka_unit_test(test_order_of_rules), cmocka_unit_test(test_conditions),
		cmocka_unit_test(test_too_many),       cmocka_unit_test(test_nothing_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
