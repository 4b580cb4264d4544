/* Lists and versions of AT-TLS that depend on each other, and whether FTP.DATA or AT-TLS decides. */
#include "tests/unit/import-text.h"

#define CHECK_MAX 8

#define RULE                                                                                                 \
	"TTLSRule r\n{\nDirection Inbound\nLocalPortRange 21\nTTLSGroupActionRef on\n"                       \
	"TTLSEnvironmentActionRef e\n}\nTTLSGroupAction on\n{\nTTLSEnabled On\n}\n"
#define WITH(lines, advanced)                                                                                \
	RULE "TTLSEnvironmentAction e\n{\nHandshakeRole Server\nTTLSKeyringParms\n{\nKeyring R\n}\n" lines   \
	     "TTLSEnvironmentAdvancedParms\n{\nApplicationControlled On\n" advanced "}\n}\n"
#define SUITES(list)	 "TTLSCipherParms\n{\nV3CipherSuites4Char " list "\n}\n"
#define SIGNATURES(list) "TTLSSignatureParms\n{\n" list "}\n"
#define OUTBOUND                                                                                             \
	"TTLSRule o\n{\nDirection Outbound\nRemotePortRange 21\nTTLSGroupActionRef on\n"                     \
	"TTLSEnvironmentActionRef c\n}\nTTLSGroupAction on\n{\nTTLSEnabled On\n}\n"                          \
	"TTLSEnvironmentAction c\n{\nHandshakeRole Client\nTTLSKeyringParms\n{\nKeyring *AUTH*/*\n}\n}\n"

static const struct {
	const char *name;
	const char *ftp_data; /* NULL: none */
	const char *attls;
	const char *want[CHECK_MAX];
} cases[] = {
	{ "suites of a version that is off",
	  NULL,
	  WITH(SUITES("1301"), "TLSv1.2 On\nTLSv1.3 Off\n"),
	  { "V3CipherSuites4Char 1301 - without meaning here: TLS 1.3 is off", "versions: [tls1.2]",
	    "!ciphersuites:" } },
	{ "one of two suites is of a version that is off",
	  NULL,
	  WITH(SUITES("1301C02F"), "TLSv1.2 Off\nTLSv1.3 On\n"),
	  { "ciphersuites: [TLS_AES_128_GCM_SHA256]", "TLS 1.2 is off", "!ciphers:" } },
	{ "without a suite of TLS 1.2, z/OS has no TLS 1.2",
	  NULL,
	  WITH(SUITES("1301"), "TLSv1.2 On\nTLSv1.3 On\n"),
	  { "versions: [tls1.3]", "TLSv1.2 On - differs: no cipher suite of TLS 1.2 is left" } },
	{ "Suite B has lists of its own",
	  NULL,
	  WITH("SuiteBProfile 128\n" SUITES("C02F")
		   SIGNATURES("ServerKexECurves 0025\nSignaturePairs 0601\nSignaturePairsCert 0601\n"),
	       ""),
	  { "V3CipherSuites4Char C02F - without meaning here: SuiteBProfile",
	    "!ciphers:", "!groups:", "!signature_algorithms:", "ServerKexECurves 0025 - without meaning here",
	    "SignaturePairs 0601 - without meaning here",
	    "SignaturePairsCert 0601 - without meaning here" } },
	{ "signatures of certificates only",
	  NULL,
	  WITH(SIGNATURES("SignaturePairsCert 0601\n"), ""),
	  { "SignaturePairsCert 0601 - needs a decision", "has one list for them" } },
	{ "signatures of certificates and of handshakes",
	  NULL,
	  WITH(SIGNATURES("SignaturePairs 0601\nSignaturePairsCert 0601\n"), ""),
	  { "SignaturePairsCert 0601 - without meaning", "signature_algorithms: [rsa_pkcs1_sha512]" } },
	{ "the server has TLS of its own, and AT-TLS has the client only",
	  "EXTENSIONS AUTH_TLS\nTLSMECHANISM FTP\nKEYRING FTPD/RING\n",
	  OUTBOUND,
	  { "keyring: FTPD_RING", "!KEYRING FTPD/RING - without meaning" } },
	{ "the client has TLS of its own, and AT-TLS has the server only",
	  "SECURE_MECHANISM TLS\nKEYRING MINE/RING\n",
	  WITH("", ""),
	  { "keyring: MINE_RING", "!names no key ring", "!KEYRING MINE/RING - without meaning" } },
	{ "the key ring is in a policy of AT-TLS that was not given",
	  "EXTENSIONS AUTH_TLS\nTLSMECHANISM ATTLS\nKEYRING FTPD/RING\n",
	  NULL,
	  { "import it with --attls", "!names no key ring" } },
	{ "the same for a client",
	  "SECURE_MECHANISM TLS\nTLSMECHANISM ATTLS\nKEYRING MINE/RING\n",
	  NULL,
	  { "import it with --attls", "!names no key ring" } },
	{ "a cipher that is left out is named once",
	  NULL,
	  WITH("TTLSCipherParms\n{\nV3CipherSuites TLS_RSA_WITH_3DES_EDE_CBC_SHA\n}\n", ""),
	  { "TLS_RSA_WITH_3DES_EDE_CBC_SHA (too weak)", "!CBC_SHA TLS_RSA" } },
	{ "AT-TLS has the server",
	  "EXTENSIONS AUTH_TLS\nTLSMECHANISM FTP\nKEYRING FTPD/RING\n",
	  WITH("", ""),
	  { "!keyring: FTPD_RING", "KEYRING FTPD/RING - without meaning" } },
	{ "passive by either statement",
	  "SECURE_MECHANISM TLS\nFWFRIENDLY TRUE\nPASSIVEONLY FALSE\n",
	  NULL,
	  { "data: passive", "PASSIVEONLY FALSE - without meaning here: FWFRIENDLY TRUE decides" } },
	{ "passive by the other one",
	  "SECURE_MECHANISM TLS\nPASSIVEONLY TRUE\nFWFRIENDLY FALSE\n",
	  NULL,
	  { "data: passive", "FWFRIENDLY FALSE - without meaning here: PASSIVEONLY TRUE decides" } },
};

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(cases); i++)
		import_wants(cases[i].name, cases[i].ftp_data, cases[i].attls, cases[i].want, CHECK_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
