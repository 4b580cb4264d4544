/* Key rings of AT-TLS: which certificates a server and a client show. */
#include "tests/unit/import-text.h"

#define CHECK_MAX 8

#define GROUP "TTLSGroupAction on\n{\nTTLSEnabled On\n}\n"
#define OUT                                                                                                  \
	"TTLSRule out\n{\nDirection Outbound\nRemotePortRange 21\nTTLSGroupActionRef on\n"                   \
	"TTLSEnvironmentActionRef c\n}\n" GROUP
#define CLIENT(ring, label)                                                                                  \
	"TTLSEnvironmentAction c\n{\nHandshakeRole Client\nTTLSKeyringParms\n{\nKeyring " ring "\n}\n"       \
	"TTLSEnvironmentAdvancedParms\n{\nApplicationControlled On\n" label "}\n}\n"
#define SERVER(ring, label)                                                                                  \
	"TTLSRule in\n{\nDirection Inbound\nLocalPortRange 21\nTTLSGroupActionRef on\n"                      \
	"TTLSEnvironmentActionRef s\n}\nTTLSEnvironmentAction s\n{\nHandshakeRole Server\n"                  \
	"TTLSKeyringParms\n{\nKeyring " ring "\n}\nTTLSEnvironmentAdvancedParms\n{\n"                        \
	"ApplicationControlled On\n" label "}\n}\n"
#define SHARES(name, role)                                                                                   \
	"TTLSEnvironmentAction " name "\n{\nHandshakeRole " role "\nTTLSKeyringParmsRef k\n"                 \
	"TTLSEnvironmentAdvancedParms\n{\nApplicationControlled On\n}\n}\n"

static const struct {
	const char *name, *attls, *want[CHECK_MAX];
} cases[] = {
	{ "a file and an empty label",
	  OUT CLIENT("/etc/k.p12", "CertificateLabel\n"),
	  { "certificates: []", "no certificate is shown to the server", "!to servers that ask" } },
	{ "a file without a label",
	  OUT CLIENT("/etc/k.p12", ""),
	  { "certificates: []", "to servers that ask", "CertificateLabel none - needs a decision" } },
	{ "a file with a label",
	  OUT CLIENT("/etc/k.p12", "CertificateLabel Mine\n"),
	  { "certificates: [{ label: Mine }]", "!to servers that ask" } },
	{ "a file of a server, without a label",
	  SERVER("/etc/k.p12", "") GROUP,
	  { "!certificates:", "!to servers that ask" } },
	{ "a file of a server and a client",
	  OUT CLIENT("/etc/k.p12", "CertificateLabel\n") SERVER("/etc/k.p12", ""),
	  { "keyring: k.p12\n", "keyring: k.p12_2\n", "certificates: []" } },
	{ "a label of servers is not for clients",
	  OUT CLIENT("/etc/k.p12", "ServerCertificateLabel Theirs\n"),
	  { "certificates: []", "!label: Theirs", "ServerCertificateLabel Theirs - without meaning",
	    "to servers that ask" } },
	{ "a key ring of RACF without a label",
	  OUT CLIENT("R", ""),
	  { "!certificates: [", "CertificateLabel none - needs a decision" } },
	{ "a key ring of RACF and an empty label",
	  OUT CLIENT("R", "CertificateLabel\n"),
	  { "!certificates: [", "!to servers that ask" } },
	{ "authorities have no keys",
	  OUT CLIENT("*AUTH*/*", ""),
	  { "!certificates: [", "!to servers that ask" } },
	{ "a client does not show the certificate of a server",
	  OUT CLIENT("R", "CertificateLabel\n") SERVER("R", ""),
	  { "keyring: R\n", "keyring: R_2\n" } },
	{ "two actions with one key ring",
	  "TTLSKeyringParms k\n{\nKeyring R\n}\n" OUT
	  "TTLSRule in\n{\nDirection Inbound\nLocalPortRange 21\nTTLSGroupActionRef on\n"
	  "TTLSEnvironmentActionRef s\n}\n" SHARES("s", "Server") SHARES("c", "Client"),
	  { "pagent.conf:3]", "!pagent.conf:3,", "CertificateLabel]", "!CertificateLabel," } },
	{ "whichever comes first",
	  SERVER("R", "") OUT CLIENT("R", "CertificateLabel\n"),
	  { "keyring: R\n", "keyring: R_2\n" } },
};

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(cases); i++)
		import_wants(cases[i].name, NULL, cases[i].attls, cases[i].want, CHECK_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
