/* Lists and versions of AT-TLS that depend on each other, and whether FTP.DATA or AT-TLS decides. */
#include "tests/unit/import-text.h"

#define CHECK_MAX 8

#define RULE                                                                                                 \
	"TTLSRule r\n{\nDirection Inbound\nLocalPortRange 21\nTTLSGroupActionRef on\n"                       \
	"TTLSEnvironmentActionRef e\n}\nTTLSGroupAction on\n{\nTTLSEnabled On\n}\n"
#define AS(role, lines, advanced)                                                                            \
	"TTLSEnvironmentAction e\n{\nHandshakeRole " role "\nTTLSKeyringParms\n{\nKeyring R\n}\n" lines      \
	"TTLSEnvironmentAdvancedParms\n{\nApplicationControlled On\n" advanced "}\n}\n"
#define WITH(lines, advanced)	  RULE AS("Server", lines, advanced)
#define VERIFIES(lines, advanced) RULE AS("ServerWithClientAuth", lines, advanced)
#define SUITES(list)		  "TTLSCipherParms\n{\nV3CipherSuites4Char " list "\n}\n"
#define SIGNATURES(list)	  "TTLSSignatureParms\n{\n" list "}\n"
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
	{ "how good a peer's certificate has to be",
	  NULL,
	  VERIFIES(
	      "",
	      "PeerMinRsaKeySize 4096\nPeerMinECCKeySize 384\nPeerMinDHKeySize 2048\nPeerMinCertVersion 3\n"
	      "PeerMinDsaKeySize 2048\n"),
	  { "peer_min_rsa_key_size: 4096\n", "peer_min_ecc_key_size: 384\n",
	    "PeerMinCertVersion 3 - needs a decision", "attlsd does not support DSA" } },
	{ "no peer has a certificate",
	  NULL,
	  WITH("", "PeerMinRsaKeySize 4096\nPeerMinCertVersion 3\n"),
	  { "PeerMinRsaKeySize 4096 - without meaning here: no certificate of a peer is verified",
	    "PeerMinCertVersion 3 - without meaning here: no certificate of a peer is verified",
	    "!peer_min_rsa_key_size" } },
	{ "any version of certificates",
	  NULL,
	  VERIFIES("", "PeerMinCertVersion Any\n"),
	  { "PeerMinCertVersion Any - without meaning" } },
	{ "SECURE_LOGIN asks, and the sizes count",
	  "EXTENSIONS AUTH_TLS\nSECURE_LOGIN REQUIRED\n",
	  WITH("", "PeerMinRsaKeySize 3072\n"),
	  { "handshake_role: server_with_client_auth", "peer_min_rsa_key_size: 3072\n" } },
	{ "numbers that begin with zeros",
	  NULL,
	  VERIFIES("TTLSGskAdvancedParms\n{\nGSK_V3_SESSION_TIMEOUT 00\n"
		   "GSK_SESSION_TICKET_SERVER_KEY_REFRESH 0300\n}\n",
		   "HandshakeTimeout 00\nPeerMinRsaKeySize 02048\nPeerMinECCKeySize 000\n"),
	  { "peer_min_rsa_key_size: 2048\n", "peer_min_ecc_key_size: 0\n", "session_timeout: 0s\n",
	    "session_ticket_rotation: 300s\n", "handshake_timeout: 600s\n" } },
	{ "the extended master secret of each role",
	  NULL,
	  WITH("", "ServerExtendedMasterSecret Required\nClientExtendedMasterSecret Required\n"),
	  { "ServerExtendedMasterSecret Required - needs a decision",
	    "only with secure_session_reuse: required",
	    "ClientExtendedMasterSecret Required - without meaning here: it is for the other role" } },
	{ "and toward servers",
	  NULL,
	  "TTLSRule o\n{\nDirection Outbound\nRemotePortRange 21\nTTLSGroupActionRef on\n"
	  "TTLSEnvironmentActionRef e\n}\nTTLSGroupAction on\n{\nTTLSEnabled On\n}\n" AS(
	      "Client", "",
	      "PeerMinRsaKeySize 3072\nPeerMinCertVersion 3\nServerExtendedMasterSecret Required\n"
	      "ClientExtendedMasterSecret Required\n"),
	  { "peer_min_rsa_key_size: 3072\n", "PeerMinCertVersion 3 - needs a decision",
	    "ServerExtendedMasterSecret Required - without meaning here: it is for the other role",
	    "ClientExtendedMasterSecret Required - needs a decision", "!secure_session_reuse: required" } },
	{ "TLS 1.3 alone has it",
	  NULL,
	  WITH("", "TLSv1.2 Off\nTLSv1.3 On\nServerExtendedMasterSecret Required\n"),
	  { "ServerExtendedMasterSecret Required - without meaning here: TLS 1.3 always has it" } },
	{ "and without it, none is demanded",
	  NULL,
	  WITH("", "ServerExtendedMasterSecret Off\n"),
	  { "ServerExtendedMasterSecret Off - without meaning here: attlsd uses it" } },
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
