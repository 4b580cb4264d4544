/* vsftpd.conf and proftpd.conf: what becomes of settings, and what is left to the server. */
#include "tests/unit/import-text.h"

#define CHECK_MAX 8

struct server_case {
	const char *name;
	const char *text;
	const char *want[CHECK_MAX];
};

static const struct server_case vsftpd[] = {
	{ "all of TLS",
	  "# c\nlisten=YES\nlisten_port=2100\nssl_enable=YES\nrsa_cert_file=/etc/v.pem\nrsa_private_key_file=/etc/v.key\n"
	  "force_local_logins_ssl=YES\nforce_local_data_ssl=YES\nrequire_ssl_reuse=NO\nssl_tlsv1=NO\nssl_ciphers=HIGH\n"
	  "pasv_min_port=50000\npasv_max_port=50100\npasv_address=203.0.113.10\nidle_session_timeout=600\n",
	  { "chain: /etc/v.pem, key: /etc/v.key", "\"0.0.0.0:2100\"", "secure_ftp: required",
	    "secure_session_reuse: allowed", "passivedataports: 50000-50100", "advertise: 203.0.113.10",
	    "inactive: 600s", "a string of OpenSSL's" } },
	{ "the key in the file of the certificate",
	  "ssl_enable=YES\nrsa_cert_file=/etc/v.pem\n",
	  { "chain: /etc/v.pem, key: /etc/v.pem", "secure_session_reuse: required" } },
	{ "a list of ciphers",
	  "ssl_ciphers=ECDHE-RSA-AES128-GCM-SHA256:AES128-SHA\n",
	  { "ciphers: [ECDHE-RSA-AES128-GCM-SHA256, AES128-SHA]" } },
	{ "client certificates",
	  "require_cert=YES\nvalidate_cert=YES\nca_certs_file=/etc/ca.pem\n",
	  { "client_auth_type: required", "trust: /etc/ca.pem" } },
	{ "implicit, IPv6",
	  "implicit_ssl=YES\nlisten_ipv6=YES\nlisten_port=990\n",
	  { "tls: implicit", "\"[::]:990\"", "#:  listen_ipv6=NO" } },
	{ "in the clear as well",
	  "ssl_enable=YES\nforce_local_logins_ssl=NO\nforce_local_data_ssl=NO\n",
	  { "secure_ftp: allowed", "secure_ctrlconn: clear", "secure_dataconn: clear" } },
	{ "anonymous users in the clear",
	  "anonymous_enable=YES\nforce_anon_logins_ssl=NO\n",
	  { "lets anonymous users log in without TLS" } },
	{ "anonymous users in the clear, by default",
	  "ssl_enable=YES\nanonymous_enable=YES\n",
	  { "lets anonymous users log in without TLS" } },
	{ "old TLS", "ssl_sslv3=YES\nssl_tlsv1_3=NO\n", { "never in attlsd", "versions: [tls1.2]" } },
	{ "bounces",
	  "port_promiscuous=YES\npasv_promiscuous=YES\nport_enable=NO\n",
	  { "portcommandipaddr: unrestricted", "passivedataconn: unrestricted", "portcommand: reject" } },
	{ "indented, with empty strings, which stand for none",
	  "  ssl_enable=YES\nrsa_cert_file=\npasv_address=\nssl_ciphers=\nca_certs_file=\nidle_session_timeout=0600\n",
	  { "it is empty, which is vsftpd's default", "inactive: 384s", "!advertise", "!secure_ftp: required",
	    "which one does attlsd show" } },
	{ "no TLS before", "listen=YES\n", { "its clients log in without", "secure_ftp: required" } },
	{ "one address",
	  "listen=YES\nlisten_address=192.0.2.5\nlisten_address6=2001:db8::5\nlisten_port=2100\n",
	  { "\"192.0.2.5:2100\"", "vsftpd listens to the other family", "!0.0.0.0:2100" } },
	{ "one address of IPv6",
	  "listen_ipv6=YES\nlisten_address6=2001:db8::5\n",
	  { "\"[2001:db8::5]:21\"", "!0.0.0.0", "!clients_v6" } },
	{ "half a range", "pasv_min_port=50000\npasv_max_port=0\n", { "passivedataports: 50000-65535" } },
	{ "the other half", "pasv_max_port=2000\n", { "passivedataports: 1024-2000" } },
	{ "the listener among the passive ports",
	  "listen_port=2121\npasv_min_port=1024\npasv_max_port=3000\nconnect_from_port_20=YES\n",
	  { "passivedataports: 1024-2120", "only a part of them is left", "data_port: any" } },
	{ "passive mode is off, and other limits",
	  "pasv_enable=NO\nconnect_timeout=10\nmax_login_fails=5\nconnect_from_port_20=YES\nftp_data_port=2020\n"
	  "cmds_denied=PASV\n",
	  { "commands_denied: [PASV, EPSV]", "datatimeout: 10s", "login_attempts: 5", "data_port: lower",
	    "ftp_data_port 2020 - differs", "cmds_denied PASV - needs a decision" } },
	{ "two times for data connections",
	  "accept_timeout=30\nconnect_timeout=10\n",
	  { "datatimeout: 30s", "accept_timeout is the time for both ways" } },
	{ "certificates that nobody verified",
	  "require_cert=YES\nvalidate_cert=NO\n",
	  { "accepts any certificate of a client", "client_auth_type: required" } },
	{ "hosts.allow and hosts.deny",
	  "tcp_wrappers=YES\n",
	  { "tcp_wrappers YES - needs a decision", "admits or refuses clients by address" } },
	{ "no hosts.allow", "tcp_wrappers=NO\n", { "tcp_wrappers NO - without meaning" } },
	{ "commands that vsftpd answers",
	  "cmds_denied=DELE,SITE\ncmds_allowed=USER,PASS,PASV,EPSV,PORT,EPRT,RETR\n",
	  { "cmds_denied DELE,SITE - without meaning",
	    "cmds_allowed USER,PASS,PASV,EPSV,PORT,EPRT,RETR - without" } },
	{ "commands that attlsd answers",
	  "cmds_denied=DELE,eprt\ncmds_allowed=USER,PASS,PASV,RETR\n",
	  { "cmds_denied DELE,eprt - needs a decision",
	    "cmds_allowed USER,PASS,PASV,RETR - needs a decision" } },
	{ "a limit for each address",
	  "max_per_ip=3\n",
	  { "limits: { sessions_per_source: 3 }", "max_per_ip 3 - differs", "#:  max_per_ip=0" } },
	{ "no limit", "max_per_ip=0\n", { "!sessions_per_source", "max_per_ip 0 - without meaning" } },
	{ "a setting of TLS that is not known",
	  "ssl_sni_hostname=ftp.example.org\n",
	  { "ssl_sni_hostname ftp.example.org - needs a decision" } },
	{ "the server's own",
	  "local_enable=YES\nchroot_local_user=YES\nmax_per_ip=3\n",
	  { "vsftpd keeps it", "#:  max_per_ip=0", "#:  ssl_enable=NO" } },
};

static const struct server_case proftpd[] = {
	{ "all of TLS",
	  "ServerName \"x\"\nPort 2100\n<IfModule mod_tls.c>\n TLSEngine on\n TLSProtocol TLSv1.2 TLSv1.3\n"
	  " TLSRSACertificateFile /etc/p.pem\n TLSRSACertificateKeyFile /etc/p.key\n TLSRequired on\n"
	  " TLSOptions NoSessionReuseRequired\n TLSTimeoutHandshake 30\n</IfModule>\nPassivePorts 50000 50100\n"
	  "MasqueradeAddress ftp.example.org\n",
	  { "chain: /etc/p.pem, key: /etc/p.key", "\"0.0.0.0:2100\"", "versions: [tls1.2, tls1.3]",
	    "secure_dataconn: private", "secure_session_reuse: allowed", "handshake_timeout: 30s",
	    "passivedataports: 50000-50100", "advertise: ftp.example.org" } },
	{ "Global, a continued line, case",
	  "<Global>\ntlsengine ON\nTLSRequired \\\n auth+data\n</global>\n",
	  { "secure_ftp: required", "secure_ctrlconn: clear", "secure_dataconn: private",
	    "proftpd.conf:3: TLSRequired auth+data" } },
	{ "the first line counts, and the server's before that of Global",
	  "<Global>\nTLSRequired off\n</Global>\nTLSRequired on\nTLSRequired off\nPort 2100\nPort 2101\n",
	  { "secure_ftp: required", "and that counts", "\"0.0.0.0:2101\"" } },
	{ "options of all lines, and those about logins",
	  "TLSEngine on\nTLSOptions NoSessionReuseRequired\nTLSOptions UseImplicitSSL AllowDotLogin\n",
	  { "secure_session_reuse: allowed", "tls: implicit",
	    "UseImplicitSSL AllowDotLogin - needs a decision" } },
	{ "lists for a version, curves",
	  "TLSCipherSuite TLSv1.3 TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256\nTLSCipherSuite AES128-SHA\n"
	  "TLSCipherSuite TLSv1.1 HIGH\nTLSECDHCurve secp521r1:prime256v1\n",
	  { "ciphersuites: [TLS_AES_256_GCM_SHA384, TLS_AES_128_GCM_SHA256]", "ciphers: [AES128-SHA]",
	    "attlsd never uses this version", "groups: [secp521r1, secp256r1]" } },
	{ "what weakens checks or logins without a question",
	  "TLSCARevocationPath /etc/crl/\nTLSUserName CommonName\nTLSCertificateChainFile /etc/c.pem\n"
	  "TLSPKCS12File /etc/k.p12\nTLSStapling on\nTLSCACertificateFile /etc/a.pem\n"
	  "TLSCACertificatePath /etc/ca/\n<Limit LOGIN>\nAllow from 192.0.2.0/24\nAllow from all\n</Limit>\n",
	  { "TLSCARevocationPath /etc/crl/ - needs a decision", "TLSUserName CommonName - needs a decision",
	    "/etc/c.pem - needs a decision", "Name it in \"pkcs12\" of the key ring",
	    "TLSStapling on - needs a decision", "trust: /etc/a.pem",
	    "TLSCACertificatePath /etc/ca/ - needs a decision",
	    "Allow from 192.0.2.0/24 - needs a decision" } },
	{ "addresses and times",
	  "DefaultAddress 192.0.2.5\nTimeoutIdle 10min\nTimeoutStalled 00:20:00\nTLSMasqueradeAddress 203.0.113.1\n"
	  "MasqueradeAddress 203.0.113.2\nAllowForeignAddress partners\n",
	  { "\"192.0.2.5:21\"", "!0.0.0.0", "inactive: 600s", "datacttime: 1200s", "advertise: 203.0.113.1\n",
	    "attlsd has no classes", "portcommandipaddr: noredirect" } },
	{ "an interface, and no TLS before",
	  "MasqueradeAddress eth0\n",
	  { "Is this a host or an interface?", "its clients log in without", "\"[::]:21\"" } },
	{ "no IPv6, and no old TLS",
	  "UseIPv6 off\nTLSEngine on\nTLSProtocol ALL -SSLv3 -TLSv1 -TLSv1.1\n",
	  { "!\"[::]:21\"", "!TLS 1.2 or 1.3 only", "versions: [tls1.2, tls1.3]" } },
	{ "not for this server",
	  "<IfModule !mod_tls.c>\nTLSEngine on\n</IfModule>\n<Anonymous ~ftp>\nTLSRequired on\n</Anonymous>\n",
	  { "its clients log in without" } },
	{ "virtual hosts",
	  "TLSEngine on\nTLSRequired off\n<VirtualHost 192.0.2.1>\nPort 990\nTLSEngine on\n</VirtualHost>\n",
	  { "VirtualHost 192.0.2.1 - needs a decision", "Which of them move behind", "\"0.0.0.0:21\"" } },
	{ "client certificates",
	  "TLSVerifyClient optional\nTLSCACertificateFile /etc/ca.pem\nTLSCARevocationFile /etc/crl.pem\n",
	  { "client_auth_type: full", "trust: /etc/ca.pem", "crl: /etc/crl.pem" } },
	{ "old TLS", "TLSProtocol ALL -SSLv3\n", { "TLS 1.2 or 1.3 only", "versions: [tls1.2, tls1.3]" } },
	{ "includes",
	  "Include /etc/proftpd/tls.conf\nInclude /etc/proftpd/conf.d/\n",
	  { "/etc/proftpd/tls.conf - needs a decision", "/etc/proftpd/conf.d/ - needs a decision",
	    "others. Do they" } },
	{ "passwords do not appear",
	  "SQLConnectInfo db user SECRET\nLDAPBindDN \"cn=ftp\" \"SECRET\"\nRadiusServer 192.0.2.1 SECRET\n",
	  { "SQLConnectInfo (not shown)", "RadiusServer (not shown)", "!SECRET" } },
	{ "clients by address, in other modules",
	  "TCPAccessFiles /etc/ftp.allow /etc/ftp.deny\nBanOnEvent MaxLoginAttempts 2/00:10:00 04:00:00\n"
	  "<Limit LOGIN>\nDenyClass outside\nAllow from trusted\nDeny from none\nAllow all\n</Limit>\n",
	  { "/etc/ftp.deny - needs a decision", "BanOnEvent MaxLoginAttempts 2/00:10:00 04:00:00 - needs a",
	    "DenyClass outside - needs", "Allow from trusted - needs", "!Deny from none - needs",
	    "!Allow all - needs" } },
	{ "limits for each address",
	  "MaxConnectionsPerHost 5\nMaxClientsPerHost 3 \"No more\"\n",
	  { "limits: { sessions_per_source: 3 }", "MaxConnectionsPerHost 5 - differs" } },
	{ "no limit", "MaxClientsPerHost none\n", { "!sessions_per_source", "- without meaning" } },
	{ "commands that attlsd answers",
	  "<Limit EPRT PORT>\nDenyAll\n</Limit>\n<Limit WRITE>\nDenyAll\n</Limit>\n",
	  { "Limit EPRT PORT - needs a decision", "!Limit WRITE", "in commands_denied?" } },
	{ "a directive of TLS that is not known", "TLSMystery on\n", { "TLSMystery on - needs a decision" } },
	{ "implicit",
	  "TLSEngine on\nTLSOptions UseImplicitSSL NoSessionReuseRequired\nPort 990\n",
	  { "tls: implicit" } },
};

static void run(const struct server_case *cases, size_t n, import_server_fn *import, const char *file)
{
	for (size_t i = 0; i < n; i++) {
		struct imported in;
		struct source_line line = { 0 };

		import_server(&in, import, file, cases[i].text);
		for (size_t j = 0; j < CHECK_MAX && cases[i].want[j] != NULL; j++)
			imported_has(&in, cases[i].name, cases[i].want[j]);
		while (source_next_line(&in.sources[0], &line)) {
			char mark[64];

			if (line.len == 0 || strchr("#< ", line.text[0]) != NULL)
				continue;
			(void)snprintf(mark, sizeof(mark), "%s:%u: ", file, line.number);
			imported_has(&in, cases[i].name, mark);
		}
		imported_done(&in);
	}
}

static void test_vsftpd(void **state)
{
	(void)state;
	run(vsftpd, NELEM(vsftpd), import_vsftpd, "vsftpd.conf");
}

static void test_proftpd(void **state)
{
	(void)state;
	run(proftpd, NELEM(proftpd), import_proftpd, "proftpd.conf");
}

static void test_faults(void **state)
{
	static const struct {
		import_server_fn *import;
		const char *text, *want;
	} faults[] = {
		{ import_vsftpd, "listen\n",
		  "f:1:1: expected setting=value, as vsftpd does\n    listen\n    ^\n" },
		{ import_vsftpd, "listen_port=0\n", "f:1:13: listen_port needs a port from 1 to 65535\n" },
		{ import_vsftpd, "idle_session_timeout=long\n",
		  "f:1:22: idle_session_timeout needs a number\n" },
		{ import_vsftpd, "ssl_enable=Yess\n", "f:1:12: ssl_enable is YES or NO\n" },
		{ import_vsftpd, "  ssl_enable =YES\n", "f:1:3: vsftpd accepts no blank before =\n" },
		{ import_vsftpd, "ssl_enable=\n", "f:1:12: ssl_enable needs a value\n" },
		{ import_proftpd, "<Global>\n", "f:1:1: <Global> is not closed\n" },
		{ import_proftpd, "</Global>\n", "f:1:1: this closes no section that is open\n" },
		{ import_proftpd, "TLSRequired maybe\n",
		  "f:1:13: \"maybe\" is not a value of TLSRequired\n" },
		{ import_proftpd, "Port 0\n", "f:1:6: Port needs a port from 1 to 65535\n" },
	};

	(void)state;
	for (size_t i = 0; i < NELEM(faults); i++) {
		struct imported in;

		import_server(&in, faults[i].import, "f", faults[i].text);
		if (in.result == 0 || strstr(in.messages, faults[i].want) == NULL)
			fail_msg("wanted %s in:\n%s", faults[i].want, in.messages);
		imported_done(&in);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vsftpd),
		cmocka_unit_test(test_proftpd),
		cmocka_unit_test(test_faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
