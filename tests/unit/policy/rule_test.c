/*
 * Checks and warnings across objects: for each, a policy that triggers it and one
 * that comes close and does not.
 */
#include "policy/rule.h"

#include "tests/unit/policy-text.h"

#define TRUSTED "keyrings: { ftpd: { certificates: [ { chain: a, key: b } ], trust: c } }\n"
#define LISTENERS                                                                                            \
	"listeners: { e: { address: 127.0.0.1:21 }, i: { address: 127.0.0.1:990, tls: implicit },\n"         \
	"             t: { address: 127.0.0.1:2122, transparent: true } }\n"

/* Values that are valid one by one and contradict each other. */
static const struct message_case errors[] = {
	{ "http for other hosts without a token", "daemon: { http: 192.0.2.1:8021, http_keyring: ftpd }\n",
	  "policy.yaml:1:11: other hosts can reach 192.0.2.1:8021, so \"http\" needs \"http_token_file\"" },
	{ "http for all hosts without TLS", "daemon: { http: 0.0.0.0:8021, http_token_file: t }\n",
	  "policy.yaml:1:11: other hosts can reach 0.0.0.0:8021, so \"http\" needs TLS" },
	{ "http where clients connect",
	  "daemon: { http: 127.0.0.1:21 }\nlisteners: { e: { address: 127.0.0.1:21 } }\n",
	  "policy.yaml:1:11: \"http\" cannot have the address and port of listeners \"e\"" },
	{ "http at the path of control_socket", "daemon: { http: /run/a, control_socket: /run/a }\n",
	  "policy.yaml:1:11: \"http\" cannot use the path of \"control_socket\"" },
	{ "the agent where clients connect",
	  "daemon: { agent: 0.0.0.0:21 }\nlisteners: { e: { address: 127.0.0.1:21 } }\n",
	  "policy.yaml:1:11: \"agent\" cannot have the address and port of listeners \"e\"" },
	{ "the agent where http is", "daemon: { http: 127.0.0.1:8021, agent: 127.0.0.1:8021 }\n",
	  "policy.yaml:1:33: \"agent\" cannot have the address and port of \"http\"" },
	{ "http with a key ring without a certificate",
	  "daemon: { http: 127.0.0.1:8021, http_keyring: empty }\n"
	  "keyrings: { ftpd: { certificates: [ { chain: a, key: b } ] }, empty: { trust: c } }\n",
	  "policy.yaml:1:33: a server needs a certificate, but keyrings \"empty\" has none" },
	{ "sessions must resume, but none is kept",
	  "tls_actions: { server: { keyring: ftpd, session_timeout: 0 } }\n"
	  "ftp_actions: { standard: { secure_session_reuse: required } }\n",
	  "policy.yaml:1:41: rules \"everyone\" refuses every protected transfer" },
	{ "resumption of the same user's sessions, without sessions",
	  "tls_actions: { server: { keyring: ftpd, session_timeout: 0 } }\n"
	  "ftp_actions: { standard: { secure_session_reuse: required_user } }\n",
	  "policy.yaml:1:41: rules \"everyone\" refuses every protected transfer" },
	{ "an empty match", "rules: { r: { match: {}, tls: server, ftp: standard, backend: legacy } }\n",
	  "policy.yaml:1:15: \"match\" of rules \"r\" is empty" },
	{ "a match without a value",
	  "rules:\n  r:\n    match:\n    tls: server\n    ftp: standard\n    backend: legacy\n",
	  "\"match\" of rules \"r\" is empty" },
	{ "verify_user without users",
	  TRUSTED "tls_actions: { server: { keyring: ftpd, handshake_role: server_with_client_auth } }\n"
		  "ftp_actions: { standard: { secure_login: verify_user } }\n",
	  "rules \"everyone\" admits nobody: \"secure_login\" of ftp_actions \"standard\" is verify_user" },
	{ "verify_user with users of other services",
	  TRUSTED "tls_actions: { server: { keyring: ftpd, handshake_role: server_with_client_auth } }\n"
		  "ftp_actions: { standard: { secure_login: verify_user } }\n"
		  "backends: { legacy: { address: a:1 }, b: { address: b:1 } }\n"
		  "users: { U: { certificates: [ { subject: CN=u } ], services: b } }\n",
	  "may use backends \"legacy\"" },
	{ "verifyuser without users", "ftp_actions: { standard: { verifyuser: true } }\n",
	  "rules \"everyone\" admits nobody: \"verifyuser\"" },
	{ "services that no rule asks for",
	  "users: { U: { certificates: [ { subject: CN=u } ], services: legacy } }\n",
	  "policy.yaml:1:52: \"services\" of users \"U\" has no effect" },
#ifdef HAVE_GSSAPI
	{ "Kerberos without a keytab", "ftp_actions: { standard: { extensions: auth_gssapi } }\n",
	  "policy.yaml:1:28: \"extensions\" of ftp_actions \"standard\" has auth_gssapi" },
	{ "no password for tickets",
	  "daemon: { keytab: k }\n"
	  "ftp_actions: { standard: { extensions: auth_gssapi, secure_password_kerberos: optional } }\n"
	  "users: { U: { principals: u@R }, V: { certificates: [ { subject: CN=v } ] } }\n",
	  "\"secure_password_kerberos\" can only be optional if an entry of \"users\" has \"principals\"" },
	{ "verify_user without principals",
	  "daemon: { keytab: k }\n"
	  "ftp_actions: { standard: { extensions: auth_gssapi, secure_login: verify_user } }\n",
	  "rules \"everyone\" admits nobody: \"secure_login\" of ftp_actions \"standard\" is verify_user" },
	{ "a principal of two users",
	  "daemon: { keytab: k }\nftp_actions: { standard: { extensions: auth_gssapi } }\n"
	  "users: { U: { principals: [ a@R, u@R ] }, V: { principals: [ v@R, u@R ] } }\n",
	  "\"principals\" of users \"U\" and \"V\" both have u@R; each principal must belong to one user" },
#endif
	{ "nobody could log in", "ftp_actions: { standard: { extensions: [] } }\n",
	  "policy.yaml:1:28: nobody can log in at listeners \"explicit\" through rules \"everyone\"" },
	{ "nobody could log in, because of the control connection's level",
	  "ftp_actions: { standard: { extensions: [], secure_ftp: allowed, secure_ctrlconn: safe } }\n",
	  "through rules \"everyone\": \"secure_ctrlconn: safe\", but \"extensions\" lacks auth_tls" },
	{ "the lower port is a listener's",
	  "listeners: { a: { address: 0.0.0.0:990 }, b: { address: 127.0.0.1:989 } }\n"
	  "ftp_actions: { standard: { data_port: lower } }\n",
	  "policy.yaml:2:28: \"data_port: lower\" needs port 989 for clients of listeners \"a\", but listeners "
	  "\"b\" uses it" },
	{ "the lower port is passive",
	  "ftp_actions: { standard: { data_port: lower, passivedataports: 2000-2120 } }\n",
	  "policy.yaml:1:46: \"passivedataports\" must not include port 2120, which \"data_port: lower\" needs" },
	{ "client certificates, but none asked for",
	  "ftp_actions: { standard: { secure_login: required } }\n",
	  "policy.yaml:7:22: \"secure_login\" of ftp_actions \"standard\" needs client certificates, "
	  "but tls_actions \"server\" asks for none" },
	{ "verify_user, but none asked for", "ftp_actions: { standard: { secure_login: verify_user } }\n",
	  "needs client certificates" },
	{ "client certificates, but none checked",
	  TRUSTED "tls_actions: { server: { keyring: ftpd, handshake_role: server_with_client_auth,\n"
		  "                         client_auth_type: passthru } }\n"
		  "ftp_actions: { standard: { secure_login: required } }\n",
	  "needs verified certificates" },
	{ "client certificates without trust",
	  "tls_actions: { server: { keyring: ftpd, handshake_role: server_with_client_auth } }\n",
	  "policy.yaml:1:41: tls_actions \"server\" checks client certificates, but keyrings \"ftpd\" has no "
	  "\"trust\"" },
	{ "safcheck without users",
	  TRUSTED "tls_actions:\n  server: { keyring: ftpd, handshake_role: server_with_client_auth,\n"
		  "            client_auth_type: safcheck }\n",
	  "policy.yaml:4:13: \"client_auth_type: safcheck\" admits nobody, because \"users\" names no "
	  "certificates" },
	{ "no encryption, but private",
	  "tls_actions: { server: { keyring: ftpd, ciphers: [C02F, C010] } }\n"
	  "ftp_actions: { standard: { secure_dataconn: safe } }\n",
	  "policy.yaml:7:22: \"secure_ctrlconn\" of ftp_actions \"standard\" is private, but a cipher of "
	  "tls_actions \"server\" does not encrypt; use safe, or remove the cipher" },
	{ "no encryption, but private data",
	  "tls_actions: { server: { keyring: ftpd, ciphers: NULL-SHA } }\n"
	  "ftp_actions: { standard: { secure_ctrlconn: clear } }\n",
	  "\"secure_dataconn\" of ftp_actions \"standard\" is private" },
	{ "no password without a certificate", "ftp_actions: { standard: { secure_password: optional } }\n",
	  "policy.yaml:1:28: \"secure_password\" can only be optional if \"secure_login\" is" },
	{ "no password without a credential",
	  "ftp_actions: { standard: { secure_password: optional, secure_login: verify_user } }\n"
	  "users: { U: { certificates: [ { subject: CN=u } ] } }\n",
	  "policy.yaml:1:28: \"secure_password\" can only be optional if an entry of \"users\" has" },
	{ "server without a key ring", "tls_actions: { server: {} }\n",
	  "policy.yaml:1:16: tls_actions \"server\" needs a value for \"keyring\"" },
	{ "server without a certificate", "keyrings: { ftpd: {} }\n",
	  "a server needs a certificate, but keyrings \"ftpd\" has none" },
	{ "address and addresses",
	  "backends: { legacy: { address: 127.0.0.1:2021, addresses: [ 127.0.0.1:2022 ] } }\n",
	  "policy.yaml:1:23: give \"address\" or \"addresses\", not both" },
	{ "neither of the two", "backends: { legacy: { data: auto } }\n",
	  "backends \"legacy\" needs a value for \"address\"" },
	{ "no addresses", "backends: { legacy: { addresses: [] } }\n",
	  "\"addresses\" of backends \"legacy\" needs 1 to 16 entries" },
	{ "too many addresses",
	  "backends: { legacy: { addresses: [ a:1, a:2, a:3, a:4, a:5, a:6, a:7, a:8, a:9, a:10, a:11, a:12, a:13, "
	  "a:14, a:15, a:16, a:17 ] } }\n",
	  "needs 1 to 16 entries" },
	{ "an address twice", "backends: { legacy: { addresses: [ ftp.example:21, FTP.example:21 ] } }\n",
	  "policy.yaml:1:52: \"FTP.example:21\" is in \"addresses\" of backends \"legacy\" already" },
	{ "original among others", "backends: { legacy: { addresses: [ 127.0.0.1:2021, original ] } }\n",
	  "\"original\" is one server, for \"address\" only" },
	{ "one of the addresses has no port",
	  "backends: { legacy: { addresses: [ 127.0.0.1:2021, ftp.example ] } }\n",
	  "policy.yaml:1:52: \"address\" must be host:port" },
	{ "one of the addresses is attlsd's own",
	  "backends: { legacy: { addresses: [ 127.0.0.1:2021, 127.0.0.1:2121 ] } }\n"
	  "listeners: { explicit: { address: 127.0.0.1:2121 } }\n",
	  "policy.yaml:1:52: backends \"legacy\" has the address of listeners \"explicit\": attlsd would connect to itself" },
	{ "balance of one", "backends: { legacy: { address: 127.0.0.1:2021, balance: source } }\n",
	  "\"balance\" of backends \"legacy\" has no effect with \"address\"" },
	{ "a login without a user",
	  "backends: { legacy: { addresses: 127.0.0.1:2021, health: { check: login, password_file: p } } }\n",
	  "\"check: login\" of backends \"legacy\" needs \"user\"" },
	{ "a login without a password",
	  "backends: { legacy: { addresses: 127.0.0.1:2021, health: { check: login, user: u } } }\n",
	  "\"check: login\" of backends \"legacy\" needs \"password_file\"" },
	{ "a user without a login",
	  "backends: { legacy: { addresses: 127.0.0.1:2021, health: { check: greeting, user: u } } }\n",
	  "\"user\" has no effect without \"check: login\"" },
	{ "a user of two lines",
	  "backends: { legacy: { addresses: 127.0.0.1:2021, health: { check: login, user: \"u\\nDELE x\", "
	  "password_file: p } } }\n",
	  "a value must be a single line without control characters" },
	{ "auth without TLS",
	  "backends: { legacy: { addresses: 127.0.0.1:2021, health: { check: auth } } }\n",
	  "\"check: auth\" of backends \"legacy\" needs \"tls\"" },
	{ "a timeout of no check",
	  "backends: { legacy: { addresses: 127.0.0.1:2021, health: { timeout: 2s } } }\n",
	  "\"timeout\" of backends \"legacy\" has no effect without \"check\"" },
	{ "health of one", "backends: { legacy: { address: 127.0.0.1:2021, health: { fall: 2 } } }\n",
	  "\"health\" of backends \"legacy\" has no effect with \"address\"" },
	{ "original without transparent", "backends: { legacy: { address: original } }\n",
	  "\"address: original\" of backends \"legacy\" needs transparent listeners, but listeners "
	  "\"explicit\" is not" },
	{ "source client without transparent", "backends: { legacy: { address: a:1, source: client } }\n",
	  "\"source: client\" of backends \"legacy\" needs transparent listeners" },
	{ "original, one listener of many",
	  LISTENERS
	  "backends: { legacy: { address: original } }\n"
	  "rules: { r: { match: { listener: [t, i] }, tls: server, ftp: standard, backend: legacy } }\n",
	  "but listeners \"i\" is not; set its \"transparent\" to true or leave it out of rules \"r\"" },
	{ "one address twice", "listeners: { a: { address: 127.0.0.1:21 }, b: { address: 127.0.0.1:21 } }\n",
	  "policy.yaml:1:49: listeners \"a\" and \"b\" cannot have the same address and port" },
	{ "a backend that is the gateway",
	  "listeners: { a: { address: 0.0.0.0:2121 } }\nbackends: { legacy: { address: 127.0.0.1:2121 } }\n",
	  "backends \"legacy\" has the address of listeners \"a\"" },
	{ "every address and one",
	  "listeners: { a: { address: 127.0.0.1:21 }, b: { address: 0.0.0.0:21 } }\n",
	  "listeners \"a\" and \"b\" cannot have" },
	{ "mapped address",
	  "listeners: { a: { address: 127.0.0.1:21 }, b: { address: \"[::ffff:127.0.0.1]:21\" } }\n",
	  "listeners \"a\" and \"b\" cannot have" },
	{ "passive ports with a listener's", "ftp_actions: { standard: { passivedataports: 2000-3000 } }\n",
	  "policy.yaml:1:28: \"passivedataports\" must not include port 2121, which listeners \"explicit\" uses" },
};

/* The same values where they make sense: no fault. */
static const struct message_case fine[] = {
	{ "http for this host", "daemon: { http: \"[::1]:8021\" }\n", "" },
	{ "audit and xferlog in two files", "daemon: { audit: /l/a, audit_failure: refuse, xferlog: /l/x }\n",
	  "" },
	{ "audit without a file", "daemon: { audit: syslog, audit_failure: refuse, xferlog: /l/x }\n", "" },
	{ "http at a path", "daemon: { http: /run/attlsd/http.sock }\n", "" },
	{ "http for other hosts",
	  "daemon: { http: 192.0.2.1:8021, http_token_file: t, http_keyring: ftpd }\n", "" },
	{ "static RSA without isolation",
	  "daemon: { key_isolation: false }\ntls_actions: { server: { keyring: ftpd, ciphers: [ 2F, C02B ] } }\n",
	  "" },
	{ "no auth_tls, clear logins allowed",
	  "ftp_actions: { standard: { extensions: [], secure_ftp: allowed, secure_ctrlconn: clear } }\n",
	  "" },
#ifdef HAVE_GSSAPI
	{ "Kerberos only",
	  "daemon: { keytab: k }\nftp_actions: { standard: { extensions: auth_gssapi, secure_pbsz: 4096 } }\n",
	  "" },
	{ "Kerberos instead of certificates",
	  "daemon: { keytab: k }\n"
	  "ftp_actions: { standard: { extensions: auth_gssapi, secure_login: verify_user,\n"
	  "                           secure_password_kerberos: optional } }\n"
	  "users: { U: { principals: [ u@R, u/admin@R ], password_file: p } }\n",
	  "" },
	{ "principals in any case are two",
	  "daemon: { keytab: k }\nftp_actions: { standard: { extensions: auth_gssapi } }\n"
	  "users: { U: { principals: u@R }, V: { principals: U@R } }\n",
	  "" },
#endif
	{ "no auth_tls, implicit only",
	  LISTENERS "ftp_actions: { standard: { extensions: [] } }\n"
		    "rules: { r: { match: { listener: i }, tls: server, ftp: standard, backend: legacy } }\n",
	  "" },
	{ "client certificates",
	  TRUSTED "tls_actions: { server: { keyring: ftpd, handshake_role: server_with_client_auth } }\n"
		  "ftp_actions: { standard: { secure_login: verify_user, secure_password: optional } }\n"
		  "users: { U: { certificates: [ { subject: CN=u } ], password_file: p } }\n",
	  "" },
	{ "trust of the system",
	  "keyrings: { ftpd: { certificates: [ { chain: a, key: b } ], trust: \"*AUTH*/*\" } }\n"
	  "tls_actions: { server: { keyring: ftpd, handshake_role: server_with_client_auth } }\n",
	  "" },
	{ "passthru needs no trust",
	  "tls_actions: { server: { keyring: ftpd, handshake_role: server_with_client_auth, "
	  "client_auth_type: passthru } }\n",
	  "" },
	{ "original with transparent",
	  LISTENERS "backends: { legacy: { address: original, source: client } }\n"
		    "rules: { r: { match: { listener: t }, tls: server, ftp: standard, backend: legacy } }\n",
	  "" },
	{ "one port, two addresses",
	  "listeners: { a: { address: 127.0.0.1:21 }, b: { address: 127.0.0.2:21 } }\n", "" },
	{ "one port, two families",
	  "listeners: { a: { address: 0.0.0.0:21 }, b: { address: \"[::]:21\" } }\n", "" },
	{ "any port twice", "listeners: { a: { address: 127.0.0.1:0 }, b: { address: 127.0.0.1:0 } }\n", "" },
	{ "passive ports beside a listener's", "ftp_actions: { standard: { passivedataports: 2122-3000 } }\n",
	  "" },
};

#define RULES(text) "rules:\n" text
#define DOES	    "tls: server, ftp: standard, backend: legacy }\n"

static const struct message_case warnings[] = {
	{ "audit_failure without audit", "daemon: { audit_failure: refuse, xferlog: /l/x }\n",
	  "policy.yaml:1:11: warning: \"audit_failure: refuse\" has no effect without \"audit\"" },
	{ "audit and xferlog in one file", "daemon: { audit: /l/a, xferlog: /l/a }\n",
	  "policy.yaml:1:24: warning: \"audit\" and \"xferlog\" have the same path" },
	{ "a token without http", "daemon: { http_token_file: t }\n",
	  "policy.yaml:1:11: warning: \"http_token_file\" has no effect without \"http\"" },
	{ "a group without a socket", "daemon: { control_socket: none, control_group: ftpops }\n",
	  "policy.yaml:1:33: warning: \"control_group\" has no effect with \"control_socket: none\"" },
	{ "TLS on a UNIX socket", "daemon: { http: /run/a, http_keyring: ftpd }\n",
	  "policy.yaml:1:25: warning: \"http_keyring\" has no effect" },
	{ "names of a UNIX socket", "daemon: { http: /run/a, http_hosts: [ gw.example ] }\n",
	  "policy.yaml:1:25: warning: \"http_hosts\" has no effect" },
	{ "one source may take all sessions",
	  "daemon: { limits: { sessions: 10, sessions_per_source: 20 } }\n",
	  "policy.yaml:1:35: warning: \"sessions_per_source\" has no effect" },
	{ "more logins than sessions of a source",
	  "daemon: { limits: { sessions_per_source: 10, unauthenticated_per_source: 20 } }\n",
	  "\"unauthenticated_per_source\" has no effect" },
	{ "a set that nobody fills", "nat: { nft_set: inet a b }\n", "\"nft_set\" has no effect unless" },
	{ "ports that nobody is told",
	  "nat: { advertise_ports: 3000-3999 }\nftp_actions: { standard: { passivedataports: 4000-4999 } }\n",
	  "\"advertise_ports\" has no effect without \"advertise\"" },
	{ "trust that nobody uses", TRUSTED, "\"trust\" of keyrings \"ftpd\" has no effect" },
	{ "an interval of nothing", "ftp_actions: { standard: { dswaitinterval: 10s } }\n",
	  "\"dswaitinterval\" has no effect while \"dswaittime\" is 0" },
	{ "an interval beyond the time",
	  "ftp_actions: { standard: { dswaitinterval: 10m, dswaittime: 5m } }\n",
	  "so nothing is tried again" },
	{ "implicit, but no such listener", "ftp_actions: { standard: { secureimplicitzos: true } }\n",
	  "\"secureimplicitzos\" has no effect" },
	{ "certificates for those who start TLS",
	  TRUSTED "tls_actions: { server: { keyring: ftpd, handshake_role: server_with_client_auth } }\n"
		  "ftp_actions: { standard: { secure_login: required, secure_ftp: allowed } }\n",
	  "\"secure_login\" does not apply to clients without TLS" },
	{ "fewer ports than workers",
	  "daemon: { workers: 8 }\nftp_actions: { standard: { passivedataports: 4000-4003 } }\n",
	  "\"passivedataports\" has 4 ports for 8 workers" },
	{ "a keytab that nobody needs", "daemon: { keytab: k }\n", "\"keytab\" has no effect" },
	{ "principals that nobody asks for", "users: { U: { principals: u@R } }\n",
	  "\"principals\" has no effect" },
	{ "the size of blocks that nobody sends", "ftp_actions: { standard: { secure_pbsz: 4096 } }\n",
	  "\"secure_pbsz\" has no effect" },
	{ "a password that nobody sends", "users: { U: { password_file: p } }\n",
	  "\"password_file\" has no effect unless" },
	{ "a client of another family",
	  "rules: { r: { match: { remote_addr: \"2001:db8::/32\" }, tls: server, ftp: standard, backend: legacy } }\n",
	  "rules \"r\" can never match: no connection to its listeners has" },
	{ "an address that no listener has",
	  "rules: { r: { match: { local_addr: 192.0.2.1 }, tls: server, ftp: standard, backend: legacy } }\n",
	  "rules \"r\" can never match: no connection to its listeners has" },
	{ "no USER", "ftp_actions: { standard: { commands_denied: [USER] } }\n",
	  "\"commands_denied\" refuses USER from clients of rules \"everyone\", and without it nobody can log in" },
	{ "no PASS", "ftp_actions: { standard: { commands_allowed: [AUTH, PBSZ, PROT, USER] } }\n",
	  "\"commands_allowed\" refuses PASS" },
	{ "names that nobody looks up", "ftp_actions: { standard: { ftplogging: true } }\n",
	  "policy.yaml:1:28: warning: \"ftplogging: true\" logs the addresses of clients, not their names" },
	{ "allowed, but the control connection must be private",
	  "ftp_actions: { standard: { secure_ftp: allowed } }\n",
	  "policy.yaml:1:28: warning: \"secure_ftp: allowed\" admits no client without TLS, because "
	  "\"secure_ctrlconn\" is private; set that to clear, or \"secure_ftp\" to required" },
	{ "allowed, but data must be protected",
	  "ftp_actions: { standard: { secure_ftp: allowed, secure_ctrlconn: clear, secure_dataconn: safe } }\n",
	  "policy.yaml:1:28: warning: \"secure_ftp: allowed\" lets clients log in without TLS, but transfer "
	  "nothing, because \"secure_dataconn\" is safe" },
	{ "sessions without TLS are exempt",
	  "ftp_actions: { standard: { secure_ftp: allowed, data_policy_scope: protected } }\n",
	  "policy.yaml:1:49: warning: \"data_policy_scope: protected\" lets clients that do not start TLS log "
	  "in and transfer in the clear" },
	{ "an exemption that applies to nobody",
	  "ftp_actions: { standard: { data_policy_scope: protected } }\n",
	  "policy.yaml:1:28: warning: \"data_policy_scope: protected\" has no effect while \"secure_ftp\" is required" },
	{ "lists without AUTH, because of the control connection's level",
	  "ftp_actions: { standard: { secure_ftp: allowed, commands_allowed: [USER, PASS] } }\n",
	  "\"commands_allowed\" refuses AUTH from clients of rules \"everyone\"" },
	{ "a rule that covers another", RULES("  a: { priority: 2, " DOES "  b: { " DOES),
	  "policy.yaml:3:3: warning: rules \"b\" can never match: rules \"a\" comes first and covers it; "
	  "raise the \"priority\" of \"b\" above 2" },
	{ "by name", RULES("  a: { " DOES "  b: { match: { remote_addr: 10.0.0.0/8 }, " DOES),
	  "rules \"b\" can never" },
	{ "by network",
	  RULES("  a: { priority: 9, match: { remote_addr: [192.0.2.0/24, 10.0.0.0/8] }, " DOES
		"  b: { match: { remote_addr: [10.1.0.0/16, 192.0.2.7] }, " DOES),
	  "rules \"b\" can never" },
	{ "by every network",
	  RULES("  a: { priority: 9, match: { local_addr: [0.0.0.0/0, \"::/0\"] }, " DOES "  b: { " DOES),
	  "rules \"b\" can never" },
	{ "by listener", RULES("  a: { priority: 9, match: { listener: explicit }, " DOES "  b: { " DOES),
	  "rules \"b\" can never" },
	{ "key ring", "keyrings: { ftpd: { certificates: [ { chain: a, key: b } ] }, x: {} }\n",
	  "policy.yaml:1:63: warning: keyrings \"x\" is not used by any entry of tls_actions" },
	{ "tls action", "tls_actions: { server: { keyring: ftpd }, x: { keyring: ftpd } }\n",
	  "policy.yaml:1:43: warning: tls_actions \"x\" is not used by any rule" },
	{ "ftp action", "ftp_actions: { x: {}, standard: {} }\n",
	  "policy.yaml:1:16: warning: ftp_actions \"x\" is not used by any rule" },
	{ "backend", "backends: { legacy: { address: a:1 }, x: { address: b:1 } }\n",
	  "policy.yaml:1:39: warning: backends \"x\" is not used by any rule" },
	{ "listener",
	  "listeners: { a: { address: 127.0.0.1:1 }, b: { address: 127.0.0.1:2 } }\n" RULES(
	      "  r: { match: { listener: a }, " DOES),
	  "policy.yaml:1:43: warning: no rule matches listeners \"b\"" },
	{ "CCC and draft", "ftp_actions: { standard: { secure_ctrlconn: clear, tlsrfclevel: draft } }\n",
	  "policy.yaml:1:28: warning: \"secure_ctrlconn: clear\" does not permit CCC" },
	{ "cccnonotify without CCC", "ftp_actions: { standard: { tlsrfclevel: cccnonotify } }\n",
	  "policy.yaml:1:28: warning: \"tlsrfclevel: cccnonotify\" has no effect" },
	{ "PORT is rejected anyway",
	  "ftp_actions: { standard: { portcommand: reject, portcommandport: nolowports } }\n",
	  "\"portcommandipaddr\" and \"portcommandport\" have no effect" },
	{ "a list without AUTH", "ftp_actions: { standard: { commands_allowed: [USER, PASS, RETR] } }\n",
	  "policy.yaml:1:28: warning: \"commands_allowed\" refuses AUTH from clients of rules \"everyone\", "
	  "and without it nobody can log in where TLS is explicit" },
	{ "a list without PROT", "ftp_actions: { standard: { commands_allowed: [AUTH TLS, PBSZ, USER] } }\n",
	  "refuses PROT from clients of rules \"everyone\", and without it nobody can transfer a file" },
	{ "a list with AUTH", "ftp_actions: { standard: { commands_denied: [auth] } }\n",
	  "policy.yaml:1:28: warning: \"commands_denied\" refuses AUTH from clients" },
	{ "static RSA",
	  "tls_actions: { server: { keyring: ftpd, ciphers: [ 2F, C02B, TLS_RSA_WITH_AES_256_GCM_SHA384 ] } }\n",
	  "policy.yaml:1:41: warning: attlsd does not offer AES128-SHA, AES256-GCM-SHA384 when it is started as "
	  "root: such a cipher needs a private key that decrypts, but with \"key_isolation\" the keys only sign; use ciphers "
	  "with ECDHE, or set \"key_isolation: false\" in \"daemon\"" },
	{ "static RSA, isolation in any case",
	  "daemon: { key_isolation: true }\ntls_actions: { server: { keyring: ftpd, ciphers: [ 2F, C02B ] } }\n",
	  "policy.yaml:2:41: warning: attlsd does not offer AES128-SHA: such" },
	{ "no encryption",
	  "tls_actions: { server: { keyring: ftpd, ciphers: [C02F, 003B] } }\n"
	  "ftp_actions: { standard: { secure_ctrlconn: safe, secure_dataconn: clear } }\n",
	  "policy.yaml:1:57: warning: \"003B\" does not encrypt" },
	{ "CRL without trust", "keyrings: { ftpd: { certificates: [ { chain: a, key: b } ], crl: c } }\n",
	  "policy.yaml:1:61: warning: \"crl\" has no effect without \"trust\"" },
	{ "ciphers without TLS 1.2",
	  "tls_actions: { server: { keyring: ftpd, versions: tls1.3, ciphers: C02B } }\n",
	  "\"ciphers\" has no effect" },
	{ "ciphersuites without TLS 1.3",
	  "tls_actions: { server: { keyring: ftpd, versions: tls1.2, ciphersuites: 1301 } }\n",
	  "\"ciphersuites\" has no effect" },
};

static const char *const no_warnings[] = {
	"ftp_actions: { standard: { data_port: lower, passivedataports: 2122-3000 } }\n",
	RULES("  a: { priority: 9, match: { remote_addr: 10.0.0.0/8 }, " DOES "  b: { " DOES),
	RULES("  a: { priority: 9, match: { remote_addr: 0.0.0.0/0 }, " DOES "  b: { " DOES),
	RULES("  a: { priority: 9, match: { remote_addr: 10.0.0.0/16 }, " DOES
	      "  b: { match: { remote_addr: 10.0.0.0/8 }, " DOES),
	RULES("  a: { priority: 9, match: { remote_addr: 10.0.0.0/8 }, " DOES
	      "  b: { match: { local_addr: 127.0.0.0/8 }, " DOES),
	"listeners: { a: { address: 127.0.0.1:1 }, b: { address: 127.0.0.1:2 } }\n" RULES(
	    "  x: { match: { listener: a }, " DOES "  y: { match: { listener: [a, b] }, " DOES),
	RULES("  b: { " DOES "  a: { match: { remote_addr: 10.0.0.0/8 }, " DOES),
	"ftp_actions: { standard: { commands_allowed: [AUTH, PBSZ, PROT, USER, PASS] } }\n",
	"ftp_actions: { standard: { commands_denied: [AUTH SSL, DELE] } }\n",
	("ftp_actions: { standard: { secure_ftp: allowed, secure_ctrlconn: clear, secure_dataconn: never,\n"
	 "                           commands_allowed: [USER, PASS] } }\n"),
	"ftp_actions: { standard: { secure_ftp: allowed, secure_ctrlconn: clear, secure_dataconn: clear } }\n",
	("listeners: { i: { address: 127.0.0.1:1, tls: implicit } }\n"
	 "ftp_actions: { standard: { commands_allowed: [USER, PASS] } }\n"),
};

static void test_errors(void **state)
{
	(void)state;
	check_messages(errors, NELEM(errors), true);
}

static void test_fine(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(fine); i++) {
		struct parsed p;

		parse_part(&p, fine[i].text);
		for (size_t j = 0; j < p.diags.nitems; j++)
			if (p.diags.items[j].level == DIAG_ERROR)
				fail_msg("%s: %s", fine[i].name, p.printed);
		parsed_done(&p);
	}
}

static void test_warnings(void **state)
{
	(void)state;
	check_messages(warnings, NELEM(warnings), false);
	for (size_t i = 0; i < NELEM(no_warnings); i++) {
		struct parsed p;

		parse_part(&p, no_warnings[i]);
		assert_string_equal(p.printed, "");
		parsed_done(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_fine),
		cmocka_unit_test(test_warnings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
