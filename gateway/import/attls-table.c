/*
 * The parameters of AT-TLS policies, as IBM's IP Configuration Reference has them up to
 * z/OS 3.1. Values of parameters that are not carried over are not checked: newer releases
 * add some. A parameter without a row is unknown, which an administrator has to decide about.
 */
#include "gateway/import/attls-table.h"

#include <string.h>
#include <strings.h>

#include "gateway/base/util.h"

#define LOGS	    "daemon.log.level sets what attlsd logs, and attlsd never logs what clients transfer"
#define JOB	    "it is about the System SSL of z/OS"
#define INSTANCE    "each reload of attlsd makes a new instance"
#define PASSWORD    "write the password of the exported file into one that only root can read: password_file"
#define SSL2	    "attlsd never uses SSL 2.0"
#define RENEGOTIATE "attlsd always refuses renegotiation"
#define SNI_NAMES   "attlsd takes the names from the certificates"
#define SNI_CLIENT  "attlsd always sends the name that it verifies"
#define COMMON_NAME "attlsd takes only subject alternative names (RFC 9525)"
#define WILDCARD    "attlsd always does as RFC 9525 says: a star is the whole first label"
#define RFC5280	    "attlsd always does as RFC 5280 says"
#define FRAGMENTS   "attlsd does not limit fragments"
#define LEVEL	    "the security level of the system's OpenSSL decides this"
#define DSA	    "attlsd does not support DSA"
#define TRIPLE_DES  "attlsd does not support 3DES"
#define MIDDLE_BOX  "OpenSSL always does this"
#define SCSV	    "attlsd always supports TLS_FALLBACK_SCSV (RFC 7507)"
#define CACHE	    "attlsd keeps its TLS sessions in tickets; see session_timeout and session_ticket_rotation"
#define CRLS	    "attlsd fetches no revocation lists: put them into a file, and name it in crl of the key ring"
#define OCSPS	    "attlsd asks no OCSP server; ocsp of a certificate names a response for stapling"
#define TIMES	    "match.time has masks and ranges instead"

#define REF(name, kind, blocks)                                                                              \
	{                                                                                                    \
		.keyword = (name), .in = (blocks), .value = ATTLS_REF, .target = ATTLS_##kind                \
	}
#define WORD(name, list, blocks)                                                                             \
	{                                                                                                    \
		.keyword = (name), .in = (blocks), .value = ATTLS_WORD, .words = (list)                      \
	}
#define NUMBER(name, low, high, blocks)                                                                      \
	{                                                                                                    \
		.keyword = (name), .in = (blocks), .value = ATTLS_NUMBER, .min = (low), .max = (high)        \
	}
#define TEXT(name, blocks)                                                                                   \
	{                                                                                                    \
		.keyword = (name), .in = (blocks), .value = ATTLS_TEXT                                       \
	}
#define LABEL(name, blocks)                                                                                  \
	{                                                                                                    \
		.keyword = (name), .in = (blocks), .value = ATTLS_LABEL                                      \
	}
#define IGNORED(name, why, blocks)                                                                           \
	{                                                                                                    \
		.keyword = (name), .in = (blocks), .text = (why)                                             \
	}

static const struct attls_row rows[] = {
	REF("LocalAddrRef", ADDR, ATTLS_IN(RULE)),
	REF("LocalAddrSetRef", ADDR_SET, ATTLS_IN(RULE)),
	REF("LocalAddrGroupRef", ADDR_GROUP, ATTLS_IN(RULE)),
	REF("LocalPortRangeRef", PORT_RANGE, ATTLS_IN(RULE)),
	REF("LocalPortGroupRef", PORT_GROUP, ATTLS_IN(RULE)),
	TEXT("LocalAddr", ATTLS_IN(RULE)),
	LABEL("LocalPortRange", ATTLS_IN(RULE)),
	REF("RemoteAddrRef", ADDR, ATTLS_IN(RULE)),
	REF("RemoteAddrSetRef", ADDR_SET, ATTLS_IN(RULE)),
	REF("RemoteAddrGroupRef", ADDR_GROUP, ATTLS_IN(RULE)),
	REF("RemotePortRangeRef", PORT_RANGE, ATTLS_IN(RULE)),
	REF("RemotePortGroupRef", PORT_GROUP, ATTLS_IN(RULE)),
	TEXT("RemoteAddr", ATTLS_IN(RULE)),
	LABEL("RemotePortRange", ATTLS_IN(RULE)),
	REF("IpAddrRef", ADDR, ATTLS_IN(ADDR_GROUP)),
	REF("IpAddrSetRef", ADDR_SET, ATTLS_IN(ADDR_GROUP)),
	REF("PortRangeRef", PORT_RANGE, ATTLS_IN(PORT_GROUP)),
	REF("IpTimeConditionRef", TIME, ATTLS_IN(RULE)),
	REF("TTLSGroupActionRef", GROUP, ATTLS_IN(RULE)),
	REF("TTLSEnvironmentActionRef", ENVIRONMENT, ATTLS_IN(RULE)),
	REF("TTLSConnectionActionRef", CONNECTION, ATTLS_IN(RULE)),
	REF("TTLSGroupAdvancedParmsRef", GROUP_ADVANCED, ATTLS_IN(GROUP)),
	REF("TTLSEnvironmentAdvancedParmsRef", ENVIRONMENT_ADVANCED, ATTLS_IN(ENVIRONMENT)),
	REF("TTLSConnectionAdvancedParmsRef", CONNECTION_ADVANCED, ATTLS_IN(CONNECTION)),
	REF("TTLSKeyringParmsRef", KEYRING, ATTLS_IN(ENVIRONMENT)),
	REF("TTLSCipherParmsRef", CIPHER, ATTLS_IN(ENVIRONMENT) | ATTLS_IN(CONNECTION)),
	REF("TTLSSignatureParmsRef", SIGNATURE, ATTLS_IN(ENVIRONMENT) | ATTLS_IN(CONNECTION)),
	REF("TTLSGskAdvancedParmsRef", GSK, ATTLS_IN(ENVIRONMENT)),
	REF("TTLSGskLdapParmsRef", LDAP, ATTLS_IN(ENVIRONMENT) | ATTLS_IN(GSK)),
	REF("TTLSGskOcspParmsRef", OCSP, ATTLS_IN(ENVIRONMENT) | ATTLS_IN(GSK)),
	REF("TTLSGskHttpCdpParmsRef", CDP, ATTLS_IN(ENVIRONMENT) | ATTLS_IN(GSK)),
	TEXT("Jobname", ATTLS_IN(RULE)),
	TEXT("Userid", ATTLS_IN(RULE)),
	WORD("Direction", "Inbound Outbound Both", ATTLS_IN(RULE)),
	NUMBER("Priority", 1, 2000000000, ATTLS_IN(RULE)),
	TEXT("Addr", ATTLS_IN(ADDR)),
	TEXT("Prefix", ATTLS_IN(ADDR_SET)),
	TEXT("Range", ATTLS_IN(ADDR_SET)),
	LABEL("Port", ATTLS_IN(PORT_RANGE)),
	WORD("TTLSEnabled", "On Off", ATTLS_IN(GROUP)),
	WORD("HandshakeRole", "Client Server ServerWithClientAuth",
	     ATTLS_IN(ENVIRONMENT) | ATTLS_IN(CONNECTION)),
	TEXT("Keyring", ATTLS_IN(KEYRING)),
	LABEL("CertificateLabel", ATTLS_IN(ENVIRONMENT_ADVANCED) | ATTLS_IN(CONNECTION_ADVANCED)),
	LABEL("ServerCertificateLabel", ATTLS_IN(ENVIRONMENT_ADVANCED) | ATTLS_IN(CONNECTION_ADVANCED)),
	TEXT("V3CipherSuites", ATTLS_IN(CIPHER)),
	TEXT("V3CipherSuites4Char", ATTLS_IN(CIPHER)),
	TEXT("ClientECurves", ATTLS_IN(SIGNATURE)),
	TEXT("ServerKexECurves", ATTLS_IN(SIGNATURE)),
	TEXT("ServerKeyShareGroups", ATTLS_IN(SIGNATURE)),
	TEXT("ClientKeyShareGroups", ATTLS_IN(SIGNATURE)),
	TEXT("SignaturePairs", ATTLS_IN(SIGNATURE)),
	TEXT("SignaturePairsCert", ATTLS_IN(SIGNATURE)),
	WORD("SSLv2", "On Off", ATTLS_IN(ENVIRONMENT_ADVANCED) | ATTLS_IN(CONNECTION_ADVANCED)),
	WORD("SSLv3", "On Off", ATTLS_IN(ENVIRONMENT_ADVANCED) | ATTLS_IN(CONNECTION_ADVANCED)),
	WORD("TLSv1", "On Off", ATTLS_IN(ENVIRONMENT_ADVANCED) | ATTLS_IN(CONNECTION_ADVANCED)),
	WORD("TLSv1.1", "On Off", ATTLS_IN(ENVIRONMENT_ADVANCED) | ATTLS_IN(CONNECTION_ADVANCED)),
	WORD("TLSv1.2", "On Off", ATTLS_IN(ENVIRONMENT_ADVANCED) | ATTLS_IN(CONNECTION_ADVANCED)),
	WORD("TLSv1.3", "On Off", ATTLS_IN(ENVIRONMENT_ADVANCED) | ATTLS_IN(CONNECTION_ADVANCED)),
	WORD("ApplicationControlled", "On Off",
	     ATTLS_IN(ENVIRONMENT_ADVANCED) | ATTLS_IN(CONNECTION_ADVANCED)),
	WORD("SecondaryMap", "On Off", ATTLS_IN(ENVIRONMENT_ADVANCED) | ATTLS_IN(CONNECTION_ADVANCED)),
	NUMBER("HandshakeTimeout", 0, 600, ATTLS_IN(ENVIRONMENT_ADVANCED) | ATTLS_IN(CONNECTION_ADVANCED)),
	NUMBER("ResetCipherTimer", 0, 1440, ATTLS_IN(ENVIRONMENT_ADVANCED) | ATTLS_IN(CONNECTION_ADVANCED)),
	WORD("ClientAuthType", "PassThru Full Required SAFCheck",
	     ATTLS_IN(ENVIRONMENT_ADVANCED) | ATTLS_IN(CONNECTION_ADVANCED)),
	WORD("ServerHandshakeSNI", "Required Optional Off",
	     ATTLS_IN(ENVIRONMENT_ADVANCED) | ATTLS_IN(CONNECTION_ADVANCED)),
	TEXT("HostReferenceIdDNS", ATTLS_IN(ENVIRONMENT_ADVANCED) | ATTLS_IN(CONNECTION_ADVANCED)),
	WORD("TruncatedHMAC", "Required Optional Off",
	     ATTLS_IN(ENVIRONMENT_ADVANCED) | ATTLS_IN(CONNECTION_ADVANCED)),
	NUMBER("GSK_V3_SESSION_TIMEOUT", 0, 86400, ATTLS_IN(GSK)),
	NUMBER("GSK_SESSION_TICKET_SERVER_KEY_REFRESH", 0, 86400, ATTLS_IN(GSK)),
	IGNORED("Trace", LOGS, ATTLS_IN(GROUP) | ATTLS_IN(ENVIRONMENT) | ATTLS_IN(CONNECTION)),
	IGNORED("CtraceClearText", LOGS, ATTLS_IN(GROUP) | ATTLS_IN(ENVIRONMENT) | ATTLS_IN(CONNECTION)),
	IGNORED("SyslogFacility", LOGS, ATTLS_IN(GROUP_ADVANCED)),
	IGNORED("Envfile", JOB, ATTLS_IN(GROUP_ADVANCED)),
	WORD("FIPS140", "Off On Level1 Level2 Level3", ATTLS_IN(GROUP)),
	WORD("SuiteBProfile", "Off 128 128Min 192 192Min All", ATTLS_IN(ENVIRONMENT)),
	IGNORED("GroupUserInstance", INSTANCE, ATTLS_IN(GROUP)),
	IGNORED("EnvironmentUserInstance", INSTANCE, ATTLS_IN(ENVIRONMENT)),
	IGNORED("ConnectionUserInstance", INSTANCE, ATTLS_IN(CONNECTION)),
	IGNORED("KeyringPw", PASSWORD, ATTLS_IN(KEYRING)),
	IGNORED("KeyringStashFile", PASSWORD, ATTLS_IN(KEYRING)),
	IGNORED("V2CipherSuites", SSL2, ATTLS_IN(CIPHER)),
	IGNORED("Renegotiation", RENEGOTIATE, ATTLS_IN(ENVIRONMENT_ADVANCED) | ATTLS_IN(CONNECTION_ADVANCED)),
	IGNORED("RenegotiationIndicator", RENEGOTIATE,
		ATTLS_IN(ENVIRONMENT_ADVANCED) | ATTLS_IN(CONNECTION_ADVANCED)),
	IGNORED("RenegotiationCertCheck", RENEGOTIATE,
		ATTLS_IN(ENVIRONMENT_ADVANCED) | ATTLS_IN(CONNECTION_ADVANCED)),
	IGNORED("ServerHandshakeSNIMatch", SNI_NAMES,
		ATTLS_IN(ENVIRONMENT_ADVANCED) | ATTLS_IN(CONNECTION_ADVANCED)),
	IGNORED("ServerHandshakeSNIList", SNI_NAMES,
		ATTLS_IN(ENVIRONMENT_ADVANCED) | ATTLS_IN(CONNECTION_ADVANCED)),
	IGNORED("ClientHandshakeSNI", SNI_CLIENT,
		ATTLS_IN(ENVIRONMENT_ADVANCED) | ATTLS_IN(CONNECTION_ADVANCED)),
	IGNORED("ClientHandshakeSNIMatch", SNI_CLIENT,
		ATTLS_IN(ENVIRONMENT_ADVANCED) | ATTLS_IN(CONNECTION_ADVANCED)),
	IGNORED("ClientHandshakeSNIList", SNI_CLIENT,
		ATTLS_IN(ENVIRONMENT_ADVANCED) | ATTLS_IN(CONNECTION_ADVANCED)),
	IGNORED("HostReferenceIdCN", COMMON_NAME,
		ATTLS_IN(ENVIRONMENT_ADVANCED) | ATTLS_IN(CONNECTION_ADVANCED)),
	IGNORED("HostRefWildcardValidation", WILDCARD,
		ATTLS_IN(ENVIRONMENT_ADVANCED) | ATTLS_IN(CONNECTION_ADVANCED)),
	IGNORED("CertValidationMode", RFC5280,
		ATTLS_IN(ENVIRONMENT_ADVANCED) | ATTLS_IN(CONNECTION_ADVANCED)),
	IGNORED("ClientMaxSSLFragment", FRAGMENTS,
		ATTLS_IN(ENVIRONMENT_ADVANCED) | ATTLS_IN(CONNECTION_ADVANCED)),
	IGNORED("ClientMaxSSLFragmentLength", FRAGMENTS,
		ATTLS_IN(ENVIRONMENT_ADVANCED) | ATTLS_IN(CONNECTION_ADVANCED)),
	IGNORED("ServerMaxSSLFragment", FRAGMENTS,
		ATTLS_IN(ENVIRONMENT_ADVANCED) | ATTLS_IN(CONNECTION_ADVANCED)),
	WORD("PeerMinCertVersion", "Any 3", ATTLS_IN(ENVIRONMENT_ADVANCED) | ATTLS_IN(CONNECTION_ADVANCED)),
	IGNORED("PeerMinDHKeySize", LEVEL, ATTLS_IN(ENVIRONMENT_ADVANCED) | ATTLS_IN(CONNECTION_ADVANCED)),
	IGNORED("PeerMinDsaKeySize", DSA, ATTLS_IN(ENVIRONMENT_ADVANCED) | ATTLS_IN(CONNECTION_ADVANCED)),
	NUMBER("PeerMinECCKeySize", 0, 521, ATTLS_IN(ENVIRONMENT_ADVANCED) | ATTLS_IN(CONNECTION_ADVANCED)),
	NUMBER("PeerMinRsaKeySize", 0, 4096, ATTLS_IN(ENVIRONMENT_ADVANCED) | ATTLS_IN(CONNECTION_ADVANCED)),
	IGNORED("3DesKeyCheck", TRIPLE_DES, ATTLS_IN(ENVIRONMENT_ADVANCED) | ATTLS_IN(CONNECTION_ADVANCED)),
	IGNORED("ClientEDHGroupSize", LEVEL, ATTLS_IN(ENVIRONMENT_ADVANCED) | ATTLS_IN(CONNECTION_ADVANCED)),
	IGNORED("ServerEDHGroupSize", LEVEL, ATTLS_IN(ENVIRONMENT_ADVANCED) | ATTLS_IN(CONNECTION_ADVANCED)),
	WORD("ClientExtendedMasterSecret", "On Off Required",
	     ATTLS_IN(ENVIRONMENT_ADVANCED) | ATTLS_IN(CONNECTION_ADVANCED)),
	WORD("ServerExtendedMasterSecret", "On Off Required",
	     ATTLS_IN(ENVIRONMENT_ADVANCED) | ATTLS_IN(CONNECTION_ADVANCED)),
	IGNORED("MiddleBoxCompatMode", MIDDLE_BOX,
		ATTLS_IN(ENVIRONMENT_ADVANCED) | ATTLS_IN(CONNECTION_ADVANCED)),
	IGNORED("ServerScsv", SCSV, ATTLS_IN(ENVIRONMENT_ADVANCED) | ATTLS_IN(CONNECTION_ADVANCED)),
	IGNORED("GSK_SYSPLEX_SIDCACHE", CACHE, ATTLS_IN(GSK)),
	IGNORED("GSK_SYSPLEX_SESSION_TICKET_CACHE", CACHE, ATTLS_IN(GSK)),
	IGNORED("GSK_V2_SESSION_TIMEOUT", CACHE, ATTLS_IN(GSK)),
	IGNORED("GSK_V2_SIDCACHE_SIZE", CACHE, ATTLS_IN(GSK)),
	IGNORED("GSK_V3_SIDCACHE_SIZE", CACHE, ATTLS_IN(GSK)),
	IGNORED("GSK_SESSION_TICKET_CLIENT_ENABLE", CACHE, ATTLS_IN(GSK)),
	IGNORED("GSK_SESSION_TICKET_CLIENT_MAXCACHED", CACHE, ATTLS_IN(GSK)),
	IGNORED("GSK_SESSION_TICKET_CLIENT_MAXSIZE", CACHE, ATTLS_IN(GSK)),
	IGNORED("GSK_SESSION_TICKET_SERVER_ENABLE", CACHE, ATTLS_IN(GSK)),
	IGNORED("GSK_SESSION_TICKET_SERVER_ALGORITHM", CACHE, ATTLS_IN(GSK)),
	IGNORED("GSK_SESSION_TICKET_SERVER_COUNT", CACHE, ATTLS_IN(GSK)),
	IGNORED("GSK_SESSION_TICKET_SERVER_TIMEOUT", CACHE, ATTLS_IN(GSK)),
	IGNORED("AIACDPPriority", CRLS, ATTLS_IN(GSK)),
	IGNORED("MaxSrcRevExtLocValues", CRLS, ATTLS_IN(GSK)),
	IGNORED("MaxValidRevExtLocValues", CRLS, ATTLS_IN(GSK)),
	IGNORED("RevocationSecurityLevel", CRLS, ATTLS_IN(GSK)),
	IGNORED("CrlSigAlgPairs", CRLS, ATTLS_IN(GSK)),
	IGNORED("GSK_LDAP_SERVER", CRLS, ATTLS_IN(LDAP)),
	IGNORED("GSK_LDAP_USER", CRLS, ATTLS_IN(LDAP)),
	IGNORED("GSK_LDAP_USER_PW", CRLS, ATTLS_IN(LDAP)),
	IGNORED("GSK_LDAP_SERVER_PORT", CRLS, ATTLS_IN(LDAP)),
	IGNORED("GSK_CRL_CACHE_TIMEOUT", CRLS, ATTLS_IN(LDAP)),
	IGNORED("GSK_CRL_SECURITY_LEVEL", CRLS, ATTLS_IN(LDAP)),
	IGNORED("CRLCacheSize", CRLS, ATTLS_IN(LDAP)),
	IGNORED("CRLCacheEntryMaxsize", CRLS, ATTLS_IN(LDAP)),
	IGNORED("CRLCacheExtended", CRLS, ATTLS_IN(LDAP)),
	IGNORED("CRLCacheTempCRL", CRLS, ATTLS_IN(LDAP)),
	IGNORED("CRLCacheTempCRLTimeout", CRLS, ATTLS_IN(LDAP)),
	IGNORED("LDAPResponseTimeout", CRLS, ATTLS_IN(LDAP)),
	IGNORED("HttpCdpEnable", CRLS, ATTLS_IN(CDP)),
	IGNORED("HttpCdpProxyServerName", CRLS, ATTLS_IN(CDP)),
	IGNORED("HttpCdpProxyServerPort", CRLS, ATTLS_IN(CDP)),
	IGNORED("HttpCdpResponseTimeout", CRLS, ATTLS_IN(CDP)),
	IGNORED("HttpCdpMaxResponseSize", CRLS, ATTLS_IN(CDP)),
	IGNORED("HttpCdpCacheSize", CRLS, ATTLS_IN(CDP)),
	IGNORED("HttpCdpCacheEntryMaxsize", CRLS, ATTLS_IN(CDP)),
	IGNORED("OcspUrl", OCSPS, ATTLS_IN(OCSP)),
	IGNORED("OcspAiaEnable", OCSPS, ATTLS_IN(OCSP)),
	IGNORED("OcspProxyServerName", OCSPS, ATTLS_IN(OCSP)),
	IGNORED("OcspProxyServerPort", OCSPS, ATTLS_IN(OCSP)),
	IGNORED("OcspRetrieveViaGet", OCSPS, ATTLS_IN(OCSP)),
	IGNORED("OcspUrlPriority", OCSPS, ATTLS_IN(OCSP)),
	IGNORED("OcspRequestSigkeylabel", OCSPS, ATTLS_IN(OCSP)),
	IGNORED("OcspRequestSigalg", OCSPS, ATTLS_IN(OCSP)),
	IGNORED("OcspResponseSigAlgPairs", OCSPS, ATTLS_IN(OCSP)),
	IGNORED("OcspServerStapling", OCSPS, ATTLS_IN(OCSP)),
	IGNORED("OcspClientCacheSize", OCSPS, ATTLS_IN(OCSP)),
	IGNORED("OcspCliCacheEntryMaxsize", OCSPS, ATTLS_IN(OCSP)),
	IGNORED("OcspNonceGenEnable", OCSPS, ATTLS_IN(OCSP)),
	IGNORED("OcspNonceCheckEnable", OCSPS, ATTLS_IN(OCSP)),
	IGNORED("OcspNonceSize", OCSPS, ATTLS_IN(OCSP)),
	IGNORED("OcspResponseTimeout", OCSPS, ATTLS_IN(OCSP)),
	IGNORED("OcspMaxResponseSize", OCSPS, ATTLS_IN(OCSP)),
	TEXT("ConditionTimeRange", ATTLS_IN(TIME)),
	TEXT("MonthOfYearMask", ATTLS_IN(TIME)),
	TEXT("DayOfMonthMask", ATTLS_IN(TIME)),
	TEXT("DayOfWeekMask", ATTLS_IN(TIME)),
	LABEL("TimeOfDayRange", ATTLS_IN(TIME)),
	TEXT("TimeZone", ATTLS_IN(TIME)),
	IGNORED("FromTimeOfDay", TIMES, ATTLS_IN(TIME)),
	IGNORED("ToTimeOfDay", TIMES, ATTLS_IN(TIME)),
	IGNORED("FromDayOfWeek", TIMES, ATTLS_IN(TIME)),
	IGNORED("ToDayOfWeek", TIMES, ATTLS_IN(TIME)),
	IGNORED("FromDayOfMonth", TIMES, ATTLS_IN(TIME)),
	IGNORED("ToDayOfMonth", TIMES, ATTLS_IN(TIME)),
	IGNORED("FromMonthOfYear", TIMES, ATTLS_IN(TIME)),
	IGNORED("ToMonthOfYear", TIMES, ATTLS_IN(TIME))
};

static const char *const kinds[ATTLS_KINDS] = {
#define BLOCK(id, keyword) [ATTLS_##id] = (keyword),
#include "gateway/import/attls-blocks.def"
#undef BLOCK
};

const char *attls_kind_name(enum attls_kind kind)
{
	return kinds[kind];
}

enum attls_kind attls_kind_find(const char *keyword)
{
	for (int i = ATTLS_NONE + 1; i < ATTLS_KINDS; i++)
		if (strcasecmp(kinds[i], keyword) == 0)
			return (enum attls_kind)i;
	return ATTLS_NONE;
}

int attls_may_contain(enum attls_kind outer, enum attls_kind inner)
{
	for (size_t i = 0; i < NELEM(rows); i++)
		if (rows[i].value == ATTLS_REF && rows[i].target == inner &&
		    (rows[i].in & (UINT64_C(1) << outer)) != 0)
			return 1;
	return 0;
}

const struct attls_row *attls_row_at(size_t index)
{
	return index < NELEM(rows) ? &rows[index] : NULL;
}

const struct attls_row *attls_row_find(const char *keyword)
{
	for (size_t i = 0; i < NELEM(rows); i++)
		if (strcasecmp(rows[i].keyword, keyword) == 0)
			return &rows[i];
	return NULL;
}

int attls_is_secret(const char *keyword)
{
	return strncasecmp(keyword, "KeyringP", strlen("KeyringP")) == 0 ||
	       strcasestr(keyword, "PW") != NULL || strcasestr(keyword, "PASS") != NULL;
}
