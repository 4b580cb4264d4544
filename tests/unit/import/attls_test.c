/*
 * Policies of AT-TLS: samples of the usual shapes, what parameters become, each level over
 * the one below, messages about faults, and that no statement is lost.
 */
#include "tests/unit/import-text.h"

#include "gateway/import/attls-table.h"

#define CHECK_MAX 8

/* Rules, and the blocks that most of them need. */
#define GROUP "TTLSGroupAction on\n{\nTTLSEnabled On\n}\n"
#define RULE(lines)                                                                                          \
	"TTLSRule r\n{\nDirection Inbound\nTTLSGroupActionRef on\nTTLSEnvironmentActionRef e\n" lines "}\n"
#define ENVIRONMENT(lines)                                                                                    \
	"TTLSEnvironmentAction e\n{\nHandshakeRole Server\nTTLSKeyringParms\n{\nKeyring FTPD/RING\n}\n" lines \
	"}\n"
#define ADVANCED(lines)                                                                                      \
	"TTLSEnvironmentAdvancedParms\n{\nApplicationControlled On\nSecondaryMap On\n" lines "}\n"
#define FTP_RULE    RULE("LocalPortRange 21\n")
#define USUAL	    GROUP ENVIRONMENT(ADVANCED(""))
#define WITH(lines) FTP_RULE GROUP ENVIRONMENT(ADVANCED(lines))

static const struct {
	const char *name;
	const char *ftp_data; /* NULL: none */
	const char *attls;
	const char *want[CHECK_MAX];
} cases[] = {
	{ "the usual rule",
	  NULL,
	  FTP_RULE USUAL,
	  { "port21:", "tls: explicit", "keyring: FTPD_RING", "handshake_role: server\n",
	    "match: { listener: [port21] }", "tls: e\n", "versions: [tls1.2, tls1.3]" } },
	{ "a brace after the name, comments, text after a value, CR LF",
	  NULL,
	  "## c\r\nTTLSRule r {\r\n Direction Inbound # c\r\n LocalAddr All ZOSA\r\n LocalPortRange 21\r\n"
	  " TTLSGroupActionRef on\r\n TTLSEnvironmentActionRef e\r\n}\r\n" USUAL,
	  { "rules:\n  r:", "direction: inbound" } },
	{ "names of the Configuration Assistant",
	  NULL,
	  "TTLSRule Default_FTP-Server~1\n{\nLocalPortRangeRef portR1\nDirection Inbound\nPriority 255\n"
	  "TTLSGroupActionRef on\nTTLSEnvironmentActionRef eAct1~FTP-Server\nTTLSConnectionActionRef cAct1~FTP-Server\n}\n"
	  "PortRange portR1\n{\nPort 21\n}\n"
	  "TTLSEnvironmentAction eAct1~FTP-Server\n{\nHandshakeRole Server\nEnvironmentUserInstance 0\nTTLSKeyringParmsRef k\n}\n"
	  "TTLSKeyringParms k\n{\nKeyring tlsring\n}\nTTLSConnectionAction cAct1~FTP-Server\n{\nHandshakeRole Server\n"
	  "TTLSConnectionAdvancedParms\n{\nApplicationControlled On\nSecondaryMap On\nCertificateLabel FTP Server 2026\n}\n}\n" GROUP,
	  { "Default_FTP-Server_1:", "priority: 255", "label: \"FTP Server 2026\"", "keyring: tlsring",
	    "eAct1_FTP-Server.cAct1_FTP-Serve:" } },
	{ "the connection over the environment",
	  NULL,
	  RULE("LocalPortRange 21\nTTLSConnectionActionRef c\n")
	      GROUP ENVIRONMENT("TTLSCipherParms\n{\nV3CipherSuites4Char C02F\n}\n" ADVANCED(
		  "HandshakeTimeout 20\nTLSv1.3 Off\n")) "TTLSConnectionAction c\n{\nTTLSCipherParms\n{\nV3CipherSuites4Char C030\n}\nTTLSConnectionAdvancedParms\n{\n"
							 "HandshakeTimeout 30\n}\n}\n",
	  { "ciphers: [ECDHE-RSA-AES256-GCM-SHA384]", "handshake_timeout: 30s", "versions: [tls1.2]",
	    "overrides it", "!handshake_timeout: 20s" } },
	{ "cipher suites in all forms, none twice",
	  NULL,
	  FTP_RULE GROUP ENVIRONMENT(
	      "TTLSCipherParms\n{\nV3CipherSuites 2F350A\nV3CipherSuites TLS_RSA_WITH_AES_256_CBC_SHA\n"
	      "V3CipherSuites4Char 1301C02F0002FFFF\n}\n" ADVANCED("")),
	  { "ciphers: [AES128-SHA, AES256-SHA, ECDHE-RSA-AES128-GCM-SHA256]",
	    "ciphersuites: [TLS_AES_128_GCM_SHA256]", "TLS_RSA_WITH_3DES_EDE_CBC_SHA", "(does not encrypt)",
	    "FFFF (unknown)", "Which partners" } },
	{ "groups and signatures of the server",
	  NULL,
	  FTP_RULE GROUP ENVIRONMENT(
	      "TTLSSignatureParms\n{\nServerKexECurves 00230019\nServerKeyShareGroups 00230029\n"
	      "ClientECurves 0024\nSignaturePairs 04010203\n}\n" ADVANCED("")),
	  { "groups: [secp256r1, x25519]", "signature_algorithms: [rsa_pkcs1_sha256]",
	    "it is for the other role", "0019" } },
	{ "constants, and any curve",
	  NULL,
	  FTP_RULE GROUP ENVIRONMENT(
	      "TTLSSignatureParms\n{\nServerKexECurves Any\nClientECurves Any\nServerKeyShareGroups secp384r1\n"
	      "ServerKeyShareGroups x25519\nSignaturePairs TLS_SIGALG_SHA256_WITH_RSA\n"
	      "SignaturePairs TLS_SIGALG_SHA512_WITH_RSASSA_PSS\nSignaturePairs TLS_SIGALG_SHA1_WITH_RSA\n"
	      "SignaturePairs 0403\n}\n" ADVANCED("")),
	  { "groups: [secp384r1, x25519]", "ServerKexECurves Any - without meaning", "left out: 0201",
	    "[rsa_pkcs1_sha256, rsa_pss_rsae_sha512, ecdsa_secp256r1_sha256]" } },
	{ "a label without a value",
	  NULL,
	  "TTLSRule out\n{\nRemotePortRange 21\nDirection Outbound\nTTLSGroupActionRef on\nTTLSEnvironmentActionRef c\n"
	  "TTLSConnectionAction\n{\nTTLSConnectionAdvancedParms\n{\nCertificateLabel # none\n}\n}\n}\n" GROUP
	  "TTLSEnvironmentAction c\n{\nHandshakeRole Client\nTTLSKeyringParms\n{\nKeyring R\n}\n" ADVANCED(
	      "CertificateLabel Mine\n") "}\n",
	  { "no certificate is shown to the server", "overrides it", "!Mine.pem" } },
	{ "what would change TLS, but is not read",
	  NULL,
	  FTP_RULE
	  "TTLSGroupAction on\n{\nTTLSEnabled On\nTTLSGroupAdvancedParms\n{\nEnvfile /etc/gsk.env\n}\n}\n"
	  "TTLSEnvironmentAction e\n{\nHandshakeRole Server\nSuiteBProfile 192\nTTLSKeyringParms\n{\nKeyring R\n}\n"
	  "TTLSGskOcspParms\n{\nOcspServerStapling EndEntity\nOcspAiaEnable On\n}\n" ADVANCED("") "}\n",
	  { "Envfile /etc/gsk.env - needs a decision", "suite_b_profile: 192\n", "versions: [tls1.2]\n",
	    "OcspServerStapling EndEntity - needs a decision", "no certificate of a peer is verified" } },
	{ "revocation of client certificates",
	  NULL,
	  FTP_RULE GROUP
	  "TTLSEnvironmentAction e\n{\nHandshakeRole ServerWithClientAuth\nSuiteBProfile Off\nTTLSKeyringParms\n{\n"
	  "Keyring R\n}\nTTLSGskOcspParms\n{\nOcspUrl http://ocsp.example\nOcspAiaEnable Off\n}\n"
	  "TTLSGskHttpCdpParms\n{\nHttpCdpEnable On\n}\nTTLSGskLdapParms\n{\nGSK_LDAP_SERVER ldap.example\n}\n" ADVANCED(
	      "") "}\n",
	  { "which file has the lists?", "HttpCdpEnable On - needs a decision", "suite_b_profile: off\n",
	    "GSK_LDAP_SERVER ldap.example - needs a decision", "OcspAiaEnable Off - without meaning" } },
	{ "client certificates",
	  NULL,
	  FTP_RULE GROUP
	  "TTLSEnvironmentAction e\n{\nHandshakeRole ServerWithClientAuth\nTTLSKeyringParms\n{\nKeyring R\n}\n" ADVANCED(
	      "ClientAuthType SAFCheck\n") "}\n",
	  { "client_auth_type: safcheck", "trust: keyrings/R/trust.pem", "EXAMPLE:" } },
	{ "SECURE_LOGIN asks for what the rule does not",
	  "EXTENSIONS AUTH_TLS\nSECURE_LOGIN REQUIRED\n",
	  FTP_RULE USUAL,
	  { "handshake_role: server_with_client_auth", "client_auth_type: full", "but this rule" } },
	{ "PassThru does not verify",
	  "EXTENSIONS AUTH_TLS\nSECURE_LOGIN REQUIRED\n",
	  FTP_RULE GROUP
	  "TTLSEnvironmentAction e\n{\nHandshakeRole ServerWithClientAuth\nTTLSKeyringParms\n{\nKeyring R\n}\n" ADVANCED(
	      "ClientAuthType PassThru\n") "}\n",
	  { "client_auth_type: full" } },
	{ "times and sizes",
	  NULL,
	  FTP_RULE GROUP ENVIRONMENT(
	      "TTLSGskAdvancedParms\n{\nGSK_V3_SESSION_TIMEOUT 0\n"
	      "GSK_SESSION_TICKET_SERVER_KEY_REFRESH 300\nGSK_V3_SIDCACHE_SIZE 512\n}\n" ADVANCED(
		  "HandshakeTimeout 0\nResetCipherTimer 60\n")),
	  { "session_timeout: 0s", "session_ticket_rotation: 300s", "handshake_timeout: 600s" } },
	{ "sessions that do not last",
	  "EXTENSIONS AUTH_TLS\nSECURE_SESSION_REUSE REQUIRED\n",
	  FTP_RULE GROUP ENVIRONMENT("TTLSGskAdvancedParms\n{\nGSK_V3_SESSION_TIMEOUT 0\n}\n" ADVANCED("")),
	  { "secure_session_reuse: required", "session_timeout: 3600s", "how long?" } },
	{ "old TLS",
	  NULL,
	  WITH("SSLv3 On\nTLSv1 On\nTLSv1.1 Off\nTLSv1.2 Off\nTLSv1.3 Off\n"),
	  { "versions: [tls1.2, tls1.3]", "SSL or TLS before 1.2", "neither TLS 1.2 nor 1.3" } },
	{ "addresses: prefix, range, group",
	  NULL,
	  RULE("LocalPortRange 21\nRemoteAddrGroupRef g\nLocalAddr 192.0.2.7\n") USUAL
	  "IpAddrGroup g\n{\nIpAddrSet\n{\nPrefix 198.51.100.7/24\n}\nIpAddrSetRef s\nIpAddr\n{\nAddr 2001:db8::10\n}\n}\n"
	  "IpAddrSet s\n{\nRange 10.0.0.1-10.0.0.6\n}\n",
	  { "remote_addr: [198.51.100.0/24, 10.0.0.1-10.0.0.6, \"2001:db8::10\"]", "local_addr: [192.0.2.7]",
	    "\"[::]:21\"" } },
	{ "a whole range",
	  NULL,
	  RULE("LocalPortRange 21\nRemoteAddr 10.0.0.0-10.255.255.255\n") USUAL,
	  { "remote_addr: [10.0.0.0-10.255.255.255]" } },
	{ "ranges of IPv6, and of one address",
	  NULL,
	  RULE("LocalPortRange 21\nRemoteAddr 2001:db8::5-2001:db8::77\nLocalAddr 192.0.2.7-192.0.2.7\n")
	      USUAL,
	  { "remote_addr: [\"2001:db8::5-2001:db8::77\"]", "local_addr: [192.0.2.7]" } },
	{ "all addresses in a group",
	  NULL,
	  RULE("LocalPortRange 21\nRemoteAddrGroupRef g\n") USUAL
	  "IpAddrGroup g\n{\nIpAddr\n{\nAddr 0.0.0.0\n}\n}\n",
	  { "!remote_addr" } },
	{ "the TLS port, AT-TLS at once",
	  NULL,
	  "TTLSRule r\n{\nLocalPortRange 990\nDirection Inbound\nTTLSGroupActionRef on\nTTLSEnvironmentActionRef e\n}\n" GROUP
	      ENVIRONMENT(""),
	  { "port990:", "tls: implicit" } },
	{ "all ports", NULL, RULE("LocalPortRange 1-65535\n") USUAL, { "listener: [port21, port990]" } },
	{ "another port of an FTP server",
	  NULL,
	  RULE("LocalPortRange 4021\nJobname FTP4021*\n") USUAL,
	  { "port4021:", "there is no job" } },
	{ "the order of EBCDIC",
	  NULL,
	  "TTLSRule r1\n{\nLocalPortRange 21\nDirection Inbound\nTTLSGroupActionRef on\nTTLSEnvironmentActionRef e\n}\n"
	  "TTLSRule rA\n{\nLocalPortRange 21\nDirection Inbound\nTTLSGroupActionRef on\nTTLSEnvironmentActionRef e\nPriority 1\n}\n" USUAL,
	  { "  rA:\n", "priority: 20", "EBCDIC" } },
	{ "an exempted partner",
	  "EXTENSIONS AUTH_TLS\nPASSIVEDATAPORTS (50000,50100)\n",
	  "TTLSRule legacy\n{\nLocalPortRange 21\nRemoteAddr 10.20.30.40\nDirection Inbound\nPriority 900\nTTLSGroupActionRef off\n}\n"
	  "TTLSGroupAction off\n{\nTTLSEnabled Off\n}\n" FTP_RULE USUAL,
	  { "ftp: in_the_clear", "extensions: []", "May these clients still log in",
	    "remote_addr: [10.20.30.40]" } },
	{ "rules for others",
	  NULL,
	  FTP_RULE USUAL
	  "TTLSRule TN3270\n{\nLocalPortRange 992\nDirection Inbound\nTTLSGroupActionRef on\nTTLSEnvironmentActionRef t\n}\n"
	  "TTLSEnvironmentAction t\n{\nHandshakeRole Server\nTTLSKeyringParms\n{\nKeyring T\n}\n}\n",
	  { "this rule is not for FTP: its ports", "no rule for FTP uses it" } },
	{ "times",
	  NULL,
	  RULE("LocalPortRange 21\nIpTimeCondition\n{\nDayOfWeekMask 0111110\n}\n") USUAL,
	  { "match: { listener: [port21], time: [{ day_of_week_mask: [monday, tuesday, wednesday, thursday, friday] }] }" } },
	{ "several times, with all that they may have",
	  NULL,
	  RULE(
	      "LocalPortRange 21\nRemoteAddr 10.1.1.5-10.1.1.77\nIpTimeConditionRef night\nIpTimeCondition\n{\n"
	      "ConditionTimeRange 20260101000000:20261231235959\nMonthOfYearMask 100000000001\n"
	      "DayOfMonthMask 10000000000000000000000000000001000000000000000000000000000000\n"
	      "DayOfWeekMask 1111111\nTimeOfDayRange 08:00-12:00, 13:00-17:30\nTimeZone UTC\n}\n") USUAL
	  "IpTimeCondition night\n{\nTimeOfDayRange 22:00-06:00\nTimeZone Local\n}\n",
	  { "remote_addr: [10.1.1.5-10.1.1.77], time: [{ time_of_day_range: [\"22:00-06:00\"] }, "
	    "{ condition_time_range: \"2026-01-01T00:00/2026-12-31T24:00\", "
	    "month_of_year_mask: [january, december], day_of_month_mask: [1, -1], "
	    "time_of_day_range: [\"08:00-12:00\", \"13:00-17:30\"], time_zone: utc }] }" } },
	{ "parameters of another release",
	  NULL,
	  RULE("LocalPortRange 21\nIpTimeCondition\n{\nFromDayOfWeek 2\nDayOfWeekMask 0111110\n}\n") USUAL,
	  { "day_of_week_mask: [monday", "the rule applies more often than on z/OS" } },
	{ "outbound with a name",
	  NULL,
	  "TTLSRule out\n{\nRemotePortRange 21\nDirection Outbound\nUserid BATCH*\nTTLSGroupActionRef on\nTTLSEnvironmentActionRef c\n}\n" GROUP
	  "TTLSEnvironmentAction c\n{\nHandshakeRole Client\nTTLSKeyringParms\n{\nKeyring *AUTH*/*\n}\n" ADVANCED(
	      "HostReferenceIdDNS ftp.example.org\n") "}\n",
	  { "\"ftp.example.org:21\"", "hostname: ftp.example.org", "trust: \"*AUTH*/*\"", "tls: none",
	    "direction: outbound", "secure_mechanism: tls", "!zos:" } },
	{ "a rule has the port that clients in the clear would get",
	  NULL,
	  "TTLSRule out\n{\nRemotePortRange 21\nDirection Outbound\nPriority 9\nTTLSGroupActionRef on\n"
	  "TTLSEnvironmentActionRef c\n}\nTTLSRule out2\n{\nRemotePortRange 21\nDirection Outbound\nPriority 2\n"
	  "TTLSGroupActionRef on\nTTLSEnvironmentActionRef c\n}\n" RULE("LocalPortRange 2121\n") USUAL
	  "TTLSEnvironmentAction c\n{\nHandshakeRole Client\nTTLSKeyringParms\n{\nKeyring R\n}\n}\n",
	  { "\"0.0.0.0:2121\"", "\"127.0.0.1:2122\"", "\"127.0.0.1:2123\"", "!127.0.0.1:2121" } },
	{ "outbound with a name that no policy takes",
	  NULL,
	  "TTLSRule out\n{\nRemotePortRange 21\nDirection Outbound\nTTLSGroupActionRef on\nTTLSEnvironmentActionRef c\n}\n" GROUP
	  "TTLSEnvironmentAction c\n{\nHandshakeRole Client\nTTLSKeyringParms\n{\nKeyring *AUTH*/*\n}\n" ADVANCED(
	      "HostReferenceIdDNS ftp..example.org\n") "}\n",
	  { "HostReferenceIdDNS ftp..example.org - needs a decision", "192.0.2.1",
	    "!hostname: ftp..example.org" } },
	{ "outbound to an address, at once",
	  "SECURE_MECHANISM TLS\nSECURE_HOSTNAME OPTIONAL\nSECURE_DATACONN PRIVATE\n",
	  "TTLSRule out\n{\nRemotePortRange 990\nRemoteAddr 203.0.113.9\nDirection Outbound\nTTLSGroupActionRef on\n"
	  "TTLSEnvironmentActionRef c\n}\n" GROUP
	  "TTLSEnvironmentAction c\n{\nHandshakeRole Client\nTTLSKeyringParms\n{\nKeyring R\n}\n}\n",
	  { "\"203.0.113.9:990\"", "secure_mechanism: implicit", "secure_hostname: optional",
	    "secure_dataconn: private" } },
	{ "another file",
	  NULL,
	  "TTLSConfig /etc/other.conf FLUSH\n" FTP_RULE USUAL,
	  { "The file names another file" } },
	{ "unknown parameters of later releases",
	  NULL,
	  WITH("QuantumShield On\n"),
	  { "QuantumShield On - needs a decision" } },
	{ "passwords do not appear",
	  NULL,
	  FTP_RULE GROUP
	  "TTLSEnvironmentAction e\n{\nHandshakeRole Server\nTTLSKeyringParms\n{\nKeyring /etc/k.kdb\nKeyringPw SECRET\n}\n" ADVANCED(
	      "") "}\n",
	  { "KeyringPw (not shown)", "!SECRET", "keyring: k.kdb", "pkcs12: keyrings/k.kdb.p12",
	    "password_file: keyrings/k.kdb.password", "export each with gskkyman" } },
	{ "a PKCS #12 file with a label",
	  NULL,
	  FTP_RULE GROUP
	  "TTLSEnvironmentAction e\n{\nHandshakeRole ServerWithClientAuth\nTTLSKeyringParms\n{\nKeyring /etc/k.P12\n"
	  "KeyringStashFile /etc/k.sth\n}\n" ADVANCED("CertificateLabel My Server\n") "}\n",
	  { "pkcs12: keyrings/k.P12\n", "password_file: keyrings/k.P12.password",
	    "certificates: [{ label: \"My Server\" }]", "trust: pkcs12", "Copy the PKCS #12 files",
	    "!server.pem" } },
	{ "two files of one name",
	  NULL,
	  GROUP
	  "TTLSRule r1\n{\nLocalPortRange 21\nLocalAddr 192.0.2.1\nDirection Inbound\nTTLSGroupActionRef on\nTTLSEnvironmentActionRef e1\n}\n"
	  "TTLSEnvironmentAction e1\n{\nHandshakeRole Server\nTTLSKeyringParms\n{\nKeyring /etc/a/k.p12\n}\n" ADVANCED(
	      "") "}\n"
		  "TTLSRule r2\n{\nLocalPortRange 21\nLocalAddr 192.0.2.2\nDirection Inbound\nTTLSGroupActionRef on\nTTLSEnvironmentActionRef e2\n}\n"
		  "TTLSEnvironmentAction e2\n{\nHandshakeRole Server\nTTLSKeyringParms\n{\nKeyring /etc/b/k.p12\n}\n" ADVANCED(
		      "") "}\n",
	  { "keyring: k.p12\n", "keyring: k.p12_2\n", "pkcs12: keyrings/k.p12\n", "pkcs12: keyrings/k.p12_2",
	    "password_file: keyrings/k.p12_2.password" } },
	{ "two key rings whose names become one",
	  NULL,
	  GROUP
	  "TTLSRule r1\n{\nLocalPortRange 21\nLocalAddr 192.0.2.1\nDirection Inbound\nTTLSGroupActionRef on\nTTLSEnvironmentActionRef e1\n}\n"
	  "TTLSEnvironmentAction e1\n{\nHandshakeRole Server\nTTLSKeyringParms\n{\nKeyring FTPD/RING\n}\n" ADVANCED(
	      "") "}\n"
		  "TTLSRule r2\n{\nLocalPortRange 21\nLocalAddr 192.0.2.2\nDirection Inbound\nTTLSGroupActionRef on\nTTLSEnvironmentActionRef e2\n}\n"
		  "TTLSEnvironmentAction e2\n{\nHandshakeRole Server\nTTLSKeyringParms\n{\nKeyring FTPD_RING\n}\n" ADVANCED(
		      "") "}\n",
	  { "keyring: FTPD_RING\n", "keyring: FTPD_RING_2\n", "keyrings/FTPD_RING_2/server.pem" } },
	{ "a token",
	  NULL,
	  FTP_RULE GROUP
	  "TTLSEnvironmentAction e\n{\nHandshakeRole Server\nTTLSKeyringParms\n{\nKeyring *TOKEN*/FTP\nKeyringPw SECRET\n}\n" ADVANCED(
	      "") "}\n",
	  { "pkcs11:token=NAME;object=LABEL", "only a file has a password", "!SECRET" } },
	{ "FIPS 140 is for all of attlsd",
	  NULL,
	  FTP_RULE "TTLSGroupAction on\n{\nTTLSEnabled On\nFIPS140 Level2\n}\n" ENVIRONMENT(
	      "TTLSCipherParms\n{\nV3CipherSuites4Char 13021303C02FCCA8\n}\n" ADVANCED("")),
	  { "daemon:\n", "fips140: true", "OpenSSL's module sets the level",
	    "ciphersuites: [TLS_AES_256_GCM_SHA384]\n", "ciphers: [ECDHE-RSA-AES128-GCM-SHA256]\n",
	    "left out: TLS_CHACHA20_POLY1305_SHA256" } },
	{ "Suite B has lists of its own",
	  NULL,
	  FTP_RULE GROUP ENVIRONMENT(
	      "SuiteBProfile 128Min\nTTLSCipherParms\n{\nV3CipherSuites4Char 1302C02F\n}\n" ADVANCED(
		  "TLSv1.3 On\n")),
	  { "suite_b_profile: 128min\n", "versions: [tls1.2]\n", "!ciphers: [", "!ciphersuites: [",
	    "SuiteBProfile is for TLS 1.2 only" } },
	{ "hostile names",
	  NULL,
	  "TTLSRule \"]}:#\n{\nLocalPortRange 21\nDirection Inbound\nTTLSGroupActionRef on\nTTLSEnvironmentActionRef e\n}\n" GROUP
	      ENVIRONMENT(ADVANCED("CertificateLabel \"}], key: /etc/shadow #\\\n")),
	  { "label: \"\\\"}], key: /etc/shadow\"", "key: keyrings/FTPD_RING/____" } },
};

static void test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(cases); i++)
		import_wants(cases[i].name, cases[i].ftp_data, cases[i].attls, cases[i].want, CHECK_MAX);
}

static const struct {
	const char *name, *attls, *want;
} faults[] = {
	{ "no direction", "TTLSRule r\n{\nTTLSGroupActionRef on\n}\n" GROUP,
	  "pagent.conf:1:1: TTLSRule r needs Direction\n    TTLSRule r\n    ^\n" },
	{ "no action", "TTLSRule r\n{\nDirection Inbound\n}\n",
	  "pagent.conf:1:1: TTLSRule r needs TTLSGroupActionRef\n" },
	{ "a missing block", FTP_RULE GROUP,
	  "pagent.conf:5:26: there is no TTLSEnvironmentAction e\n    TTLSEnvironmentActionRef e\n                             ^\n" },
	{ "a block of another kind", FTP_RULE "TTLSGroupAction e\n{\nTTLSEnabled On\n}\n" GROUP,
	  "there is no TTLSEnvironmentAction e\n" },
	{ "a set of addresses", RULE("RemoteAddrRef x\n") USUAL "IpAddrSet x\n{\nPrefix 10.0.0.0/8\n}\n",
	  "there is no IpAddr x, but IpAddrSet x: name it in RemoteAddrSetRef\n" },
	{ "one address", RULE("LocalAddrSetRef x\n") USUAL "IpAddr x\n{\nAddr 10.0.0.1\n}\n",
	  "there is no IpAddrSet x, but IpAddr x: name it in LocalAddrRef\n" },
	{ "a group of addresses",
	  RULE("LocalAddrRef x\n") USUAL "IpAddrGroup x\n{\nIpAddr\n{\nAddr 10.0.0.1\n}\n}\n",
	  "there is no IpAddr x, but IpAddrGroup x: name it in LocalAddrGroupRef\n" },
	{ "an address in a group",
	  RULE("RemoteAddrGroupRef g\n") USUAL "IpAddrGroup g\n{\nIpAddrRef x\n}\n"
					       "IpAddrSet x\n{\nPrefix 10.0.0.0/8\n}\n",
	  "there is no IpAddr x, but IpAddrSet x: name it in IpAddrSetRef\n" },
	{ "no addresses", RULE("RemoteAddrRef x\n") USUAL "PortRange x\n{\nPort 21\n}\n",
	  "there is no IpAddr x\n" },
	{ "a wrong word", WITH("TLSv1.2 Yes\n"),
	  "\"Yes\" is not a value of TLSv1.2: expected one of On Off\n" },
	{ "a number out of range", WITH("  HandshakeTimeout 9999\n"),
	  "pagent.conf:23:20: HandshakeTimeout needs a number from 0 to 600\n" },
	{ "no key ring", FTP_RULE GROUP "TTLSEnvironmentAction e\n{\nHandshakeRole Server\n}\n",
	  "TTLSEnvironmentAction e needs TTLSKeyringParms\n" },
	{ "not closed", "TTLSGroupAction g\n{\nTTLSEnabled On\n",
	  "pagent.conf:1:1: TTLSGroupAction g is not closed: a } is missing\n" },
	{ "a brace is missing", "TTLSGroupAction g\n{\nTTLSEnabled On\nTTLSRule r\n{\n}\n",
	  "pagent.conf:4:1: TTLSRule cannot be inside TTLSGroupAction g: is a } missing before it?\n" },
	{ "closes nothing", "}\n", "pagent.conf:1:1: this } closes nothing\n" },
	{ "opens nothing", "{\n", "pagent.conf:1:1: this { follows no statement\n" },
	{ "no block", "TTLSRule r\nTTLSRule s\n{\n}\n",
	  "pagent.conf:1:1: TTLSRule r has no block in braces\n" },
	{ "no name", "TTLSRule\n{\n}\n", "pagent.conf:1:1: TTLSRule needs a name\n" },
	{ "in the wrong block", "TTLSGroupAction g\n{\nTTLSEnabled On\nHandshakeRole Server\n}\n",
	  "pagent.conf:4:1: HandshakeRole does not belong in TTLSGroupAction g\n" },
	{ "no address", RULE("LocalPortRange 21\nRemoteAddr 10.0.0\n") USUAL,
	  "pagent.conf:7:12: \"10.0.0\" is not an address, a prefix or a range\n" },
	{ "a range the wrong way round", RULE("RemoteAddr 10.0.0.9-10.0.0.1\n") USUAL,
	  "is not an address, a prefix or a range\n" },
	{ "a short mask", RULE("LocalPortRange 21\nIpTimeCondition\n{\nDayOfWeekMask 011111\n}\n") USUAL,
	  "\"011111\" is not a mask, a range or a zone of times\n" },
	{ "no day at all", RULE("LocalPortRange 21\nIpTimeCondition\n{\nDayOfWeekMask 0000000\n}\n") USUAL,
	  "is not a mask" },
	{ "no time of day",
	  RULE("LocalPortRange 21\nIpTimeCondition\n{\nTimeOfDayRange 25:00-26:00\n}\n") USUAL,
	  "is not a mask" },
	{ "no port", RULE("LocalPortRange 70000\n") USUAL, "\"70000\" is not a port or a range of ports\n" },
	{ "nothing but cleartext",
	  "TTLSRule r\n{\nRemotePortRange 21\nDirection Outbound\nTTLSGroupActionRef off\n}\n"
	  "TTLSGroupAction off\n{\nTTLSEnabled Off\n}\n",
	  "there is nothing for attlsd to do\n" },
	{ "nothing for FTP", RULE("LocalPortRange 992\n") GROUP ENVIRONMENT(""), "no rule is for FTP" },
};

static void test_faults(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(faults); i++) {
		struct imported in;

		import_texts(&in, NULL, faults[i].attls);
		if (in.result == 0 || strstr(in.messages, faults[i].want) == NULL)
			fail_msg("%s: wanted %s in:\n%s", faults[i].name, faults[i].want, in.messages);
		imported_done(&in);
	}
}

/* Messages show the line of a fault, but not one with a password. */
static void test_messages_have_no_password(void **state)
{
	static const char *const lines[] = { "KeyringPw SECRET", "KeyringPw SECRET {", "KeyringPwd SECRET",
					     "Gsk_Ldap_User_Pw SECRET", "StashPassword SECRET" };

	(void)state;
	for (size_t i = 0; i < NELEM(lines); i++) {
		struct imported in;
		char text[200];

		(void)snprintf(text, sizeof(text), "TTLSGroupAction g\n{\nTTLSEnabled On\n%s\n}\n", lines[i]);
		import_texts(&in, NULL, text);
		if (strstr(in.messages, "SECRET") != NULL || strstr(in.messages, "line 4: ") == NULL)
			fail_msg("%s: %s", lines[i], in.messages);
		imported_done(&in);
	}
}

/* As many rules as there are; none is "not for FTP" because others came first. */
static void test_many_rules(void **state)
{
	static const char tail[] = "TTLSGroupAction g\n{\nTTLSEnabled On\n}\nTTLSEnvironmentAction e\n{\n"
				   "HandshakeRole Client\nTTLSKeyringParms\n{\nKeyring R\n}\n}\n";
	struct imported in;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	assert_non_null(out);
	for (int i = 0; i < 520; i++)
		(void)fprintf(out,
			      "TTLSRule R%d\n{\nLocalPortRange 21\nDirection Inbound\nTTLSGroupActionRef g\n"
			      "TTLSEnvironmentActionRef e\n}\n",
			      i);
	(void)fputs(tail, out);
	assert_int_equal(fclose(out), 0);
	import_texts(&in, NULL, text);
	imported_has(&in, "many rules", "R519:");
	imported_has(&in, "many rules", "!not for FTP");
	imported_has(&in, "role", "should it be outbound?");
	imported_done(&in);
	free(text);
}

/* The bad sample: all of its faults in one run. */
static void test_all_faults_at_once(void **state)
{
	struct imported in;

	(void)state;
	import_texts(
	    &in, NULL,
	    "TTLSRule NoDir\n{\n  LocalPortRange 21\n  TTLSGroupActionRef missing\n}\nTTLSEnvironmentAction e1\n{\n"
	    "  HandshakeRole Servr\n  TTLSEnvironmentAdvancedParms\n  {\n    HandshakeTimeout 9999\n  }\n}\n"
	    "TTLSEnvironmentAction e1\n{\n  HandshakeRole Server\n");
	assert_int_equal(in.sources[0].diags.nerrors, 6);
	assert_non_null(strstr(
	    in.messages, "warning: TTLSEnvironmentAction e1 replaces the one of the same name in line 6"));
	assert_non_null(strstr(in.messages, "did you mean Server?"));
	imported_done(&in);
}

/* Each parameter in each block that may have it: its line is in the policy, by itself or in a range. */
static void test_every_parameter_is_accounted_for(void **state)
{
	const struct attls_row *row;

	(void)state;
	for (size_t i = 0; (row = attls_row_at(i)) != NULL; i++) {
		assert_true(row->in != 0);
		assert_true((row->value == ATTLS_IGNORED) == (row->text != NULL));
		assert_ptr_equal(attls_row_find(row->keyword), row);
		for (int kind = 1; row->value == ATTLS_IGNORED && kind < ATTLS_KINDS; kind++) {
			bool connection = kind == ATTLS_CONNECTION_ADVANCED;
			char text[1024], mark[64];
			struct imported in;

			if (kind != ATTLS_ENVIRONMENT_ADVANCED && !connection)
				continue;
			if ((row->in & (UINT64_C(1) << kind)) == 0)
				continue;
			(void)snprintf(text, sizeof(text),
				       "TTLSConnectionAction c\n{\nTTLS%sAdvancedParms\n{\n%s 1\n}\n}\n%s",
				       "Connection", row->keyword,
				       RULE("LocalPortRange 21\nTTLSConnectionActionRef c\n") USUAL);
			import_texts(&in, NULL, text);
			(void)snprintf(mark, sizeof(mark), "pagent.conf:5: %s", row->keyword);
			imported_has(&in, row->keyword, mark);
			imported_done(&in);
		}
	}
}

/* Is a line of the file named in the policy? */
static bool names_line(const struct imported *in, unsigned line)
{
	for (const struct account *one = in->draft.accounts; one != NULL; one = one->next) {
		const struct statement *st = one->statement;
		unsigned last = st->last_line > st->mark.line ? st->last_line : st->mark.line;

		if (st->source != NULL && line >= st->mark.line && line <= last)
			return true;
	}
	return false;
}

static void test_no_line_is_lost(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(cases); i++) {
		struct imported in;
		struct source_line line = { 0 };

		import_texts(&in, NULL, cases[i].attls);
		while (in.result == 0 && source_next_line(&in.sources[0], &line)) {
			const char *text = line.text;

			if (line.len == 0 || (line.len == 1 && strchr("{}", *text) != NULL) || *text == '#')
				continue;
			if (!names_line(&in, line.number))
				fail_msg("%s: line %u (%.*s) is lost in:\n%s", cases[i].name, line.number,
					 (int)line.len, line.text, in.policy);
		}
		imported_done(&in);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_messages_have_no_password),
		cmocka_unit_test(test_many_rules),
		cmocka_unit_test(test_all_faults_at_once),
		cmocka_unit_test(test_every_parameter_is_accounted_for),
		cmocka_unit_test(test_no_line_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
