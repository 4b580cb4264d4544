/*
 * A policy as structs, one for each section of the file. Types only: the functions
 * are in the modules that include this header.
 *
 * All strings and arrays belong to the struct policy and live until policy_free().
 * Cross references of the file (a rule's tls action, an action's key ring) are
 * pointers here.
 */
#ifndef ATTLSD_POLICY_TYPES_H
#define ATTLSD_POLICY_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/diag.h"
#include "policy/ftp-action.h"
#include "policy/ip-range.h"
#include "policy/ip.h"
#include "policy/time-condition.h"

struct locations;

enum log_format { LOG_FORMAT_TEXT = 0, LOG_FORMAT_JSON };
enum log_level { LOG_LEVEL_ERROR = 0, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Whether the private keys are in a process of their own; auto: if attlsd is started as root. */
enum key_isolation { KEY_ISOLATION_AUTO = 0, KEY_ISOLATION_TRUE, KEY_ISOLATION_FALSE };

/* Where the audit trail goes; the word or path is in `audit`. */
enum audit_kind { AUDIT_NONE = 0, AUDIT_FILE, AUDIT_SYSLOG, AUDIT_JOURNAL };

/* What new sessions get while the audit trail cannot be written. */
/* SuiteBProfile (RFC 6460): the bits of security. */
enum suite_b { SUITE_B_OFF = 0, SUITE_B_128, SUITE_B_128MIN, SUITE_B_192 };

enum audit_failure { AUDIT_FAILURE_CONTINUE = 0, AUDIT_FAILURE_REFUSE };

struct policy_keyring;
struct policy_host;

#define POLICY_HTTP_HOSTS_MAX 32

/* The HTTP listener. */
struct policy_http {
	const char *path;		      /* of a UNIX socket; NULL: none */
	struct ip_endpoint endpoint;	      /* addr.family IP_NONE: none */
	const char *token_file;		      /* NULL: whoever reaches the listener may read */
	const struct policy_keyring *keyring; /* NULL: without TLS */
	struct policy_host *hosts;	      /* names by which browsers may ask for it */
	size_t nhosts;
	struct diag_mark mark, token_file_mark;
};

/* The listener for HAProxy's agent-check. */
struct policy_agent {
	struct ip_endpoint endpoint; /* addr.family IP_NONE: none */
	struct diag_mark mark;
};

/* The longest daemon.node. */
#define POLICY_NODE_MAX 63

struct policy_daemon {
	const char *node; /* which gateway of several this is; NULL: not named */
	const char *user; /* default "attlsd" */
	bool user_given;  /* the file names it (then it must exist) */
	struct diag_mark user_mark;
	bool fips140; /* only OpenSSL's FIPS provider does cryptography */
	struct diag_mark fips140_mark;
	uint32_t workers;	    /* 0: one per CPU ("auto") */
	const char *control_socket; /* default "/run/attlsd/control.sock"; NULL: none */
	bool control_socket_given;  /* the file names it (then attlsd must be able to make it) */
	struct diag_mark control_socket_mark;
	const char *control_group; /* its members may ask; NULL: nobody but the owner of the socket */
	struct diag_mark control_group_mark;
	enum key_isolation key_isolation;
	const char *keytab; /* path, for AUTH GSSAPI; NULL: none */
	struct diag_mark keytab_mark;
	struct policy_http http;
	struct policy_agent agent;
	enum log_level log_level;
	enum log_format log_format;
	const char *audit; /* "syslog", "journal" or the path of a file; NULL: none */
	enum audit_failure audit_failure;
	const char *xferlog; /* path; NULL: none */
	struct diag_mark audit_mark, xferlog_mark;
	uint32_t trace_memory;		    /* bytes in each worker; default 1048576. 0: nothing is kept */
	uint32_t limit_sessions;	    /* default 10000 */
	uint32_t limit_sessions_per_source; /* default 200 */
	uint32_t limit_unauthenticated_per_source; /* default 20 */
};

struct policy_certificate {
	const char *label; /* NULL: none */
	const char *chain; /* path, made absolute or relative to the policy's folder, see policy_parse() */
	const char *key;   /* of a key ring with pkcs12, both are the path of that file; or a pkcs11: URI */
	const char *password_file; /* of the key, or the PIN of its token; NULL: it has no password */
	const char *ocsp;	   /* path of an OCSP response to staple; NULL: none */
	const char *chain_pem;	   /* what policy_keep() has kept of a pkcs12; NULL: read the file */
	struct diag_mark mark, chain_mark, key_mark, password_file_mark, ocsp_mark;
};

struct policy_keyring {
	const char *name;
	struct policy_certificate *certificates;
	size_t ncertificates;
	const char *pkcs12;	   /* path of a file with keys, certificates and authorities; NULL: none */
	const char *password_file; /* of pkcs12; NULL: it has no password */
	const char *trust;	   /* path of a file or folder; NULL: none */
	bool trust_pkcs12;	   /* the authorities in pkcs12, which is `trust` then */
	const char *trust_pem;	   /* of these, what policy_keep() has kept; NULL: read the file */
	bool trust_system;	   /* "*AUTH*" slash "*": the system's CA store (virtual key ring) */
	const char *crl;	   /* path; NULL: none */
	uint32_t max_client_chain; /* bytes of a client's Certificate message; default 16384 */
	struct diag_mark mark, pkcs12_mark, password_file_mark, trust_mark, crl_mark;
};

enum handshake_role { ROLE_SERVER_WITH_CLIENT_AUTH = 0, ROLE_SERVER, ROLE_CLIENT };
enum client_auth_type {
	CLIENT_AUTH_REQUIRED = 0,
	CLIENT_AUTH_SAFCHECK,
	CLIENT_AUTH_FULL,
	CLIENT_AUTH_PASSTHRU
};

/* SECURE_HOSTNAME: must a server's certificate name the host (RFC 9525)? */
enum secure_hostname { SECURE_HOSTNAME_REQUIRED = 0, SECURE_HOSTNAME_OPTIONAL };

/* ServerHandshakeSNI: must a client ask for a name, and must that be one of ours? */
enum handshake_sni { HANDSHAKE_SNI_REQUIRED = 0, HANDSHAKE_SNI_OPTIONAL, HANDSHAKE_SNI_OFF };

/* Bits of tls_action.versions */
#define POLICY_TLS1_2 1u
#define POLICY_TLS1_3 2u

/* How many addresses of a name count. */
#define POLICY_ADDRESSES_MAX 8

/* The name of a server, and its addresses, which gateway/host/policy-file.c looks up. */
struct policy_host {
	const char *name;
	struct ip_addr addresses[POLICY_ADDRESSES_MAX];
	size_t naddresses;
	struct diag_mark mark;
};

struct tls_action {
	const char *name;
	enum handshake_role role;
	enum client_auth_type client_auth_type;
	enum handshake_sni server_handshake_sni;
	enum secure_hostname secure_hostname; /* ROLE_CLIENT */
	/* ROLE_CLIENT: SHA-256, in lower-case hex, of certificates or public keys (SubjectPublicKeyInfo) of
	 * servers, one of which the server must show; npins 0: any */
	const char **pins;
	size_t npins;
	const struct policy_keyring *keyring; /* ROLE_CLIENT: NULL or without certificates: none is shown */
	unsigned versions;
	const char *ciphersuites; /* TLS 1.3: OpenSSL's colon list; NULL: OpenSSL's default */
	const char *ciphers;	  /* TLS 1.2: the same; NULL: a secure default chosen by the gateway */
	bool null_ciphers;	  /* one of them does not encrypt: a connection may only be SAFE */
	const char *groups;	  /* of key exchanges: OpenSSL's colon list; NULL: OpenSSL's default */
	const char *signature_algorithms; /* the same */
	enum suite_b suite_b_profile;	  /* instead of the four above */
	/* PeerMinRsaKeySize, PeerMinECCKeySize: bits of the key in the peer's own certificate; 0: any */
	uint32_t peer_min_rsa_key_size, peer_min_ecc_key_size;
	struct diag_mark mark, ciphersuites_mark, ciphers_mark, groups_mark, signature_algorithms_mark;
	uint32_t handshake_timeout_ms;
	uint32_t session_timeout_s;
	uint32_t session_ticket_rotation_s;
	const char *session_ticket_keys; /* path; NULL: the keys are random */
	struct diag_mark session_ticket_keys_mark;
	bool ktls;    /* the kernel may encrypt what is sent on data connections */
	size_t index; /* its place in policy.tls_actions */
};

/*
 * The address from which the server is dialled: the kernel's choice, the client's, or one of
 * the gateway's own, which the policy names or takes from an interface.
 */
enum backend_source { BACKEND_SOURCE_GATEWAY = 0, BACKEND_SOURCE_CLIENT, BACKEND_SOURCE_ADDRESS };
enum backend_data { BACKEND_DATA_AUTO = 0, BACKEND_DATA_PASSIVE, BACKEND_DATA_ACTIVE };
enum backend_epsv { BACKEND_EPSV_AUTO = 0, BACKEND_EPSV_ALWAYS, BACKEND_EPSV_NEVER };

/* What ends a multi-line reply of the server: its own code, or any of its class. */
enum backend_multiline { BACKEND_MULTILINE_STRICT = 0, BACKEND_MULTILINE_LENIENT };

/* What to do with lines from the server that answer no command. */
enum backend_stray { BACKEND_STRAY_CLOSE = 0, BACKEND_STRAY_DROP };

/* How ABOR goes to the server: as it wants it, after urgent data, or as a line. */
enum backend_abort { BACKEND_ABORT_AUTO = 0, BACKEND_ABORT_URGENT, BACKEND_ABORT_PLAIN };

/* The PROXY protocol: whether the server first gets a header about the client. */
enum backend_proxy { BACKEND_PROXY_NONE = 0, BACKEND_PROXY_V1, BACKEND_PROXY_V2 };

/* Which of a backend's servers a session gets. */
enum backend_balance { BALANCE_FIRST = 0, BALANCE_ROUND_ROBIN, BALANCE_LEAST_SESSIONS, BALANCE_SOURCE };

/* How far a health check of a server goes; each includes those before it. */
enum health_check {
	HEALTH_CHECK_NONE = 0,
	HEALTH_CHECK_CONNECT,
	HEALTH_CHECK_GREETING,
	HEALTH_CHECK_AUTH,
	HEALTH_CHECK_LOGIN
};

/* When a server is taken for dead, and for alive again. */
struct policy_health {
	uint32_t interval_ms; /* between two checks; without checks, until one that failed is tried again */
	uint32_t fall, rise;  /* failures, and successes, in a row */
	enum health_check check;
	uint32_t timeout_ms; /* of a check */
	const char *user;    /* whom a check logs in; NULL: nobody */
	const char *password_file;
	struct diag_mark password_file_mark;
};

/* More are an error: a session notes in a word which it has tried. */
#define POLICY_SERVERS_MAX 16

/* One server of a backend. */
struct policy_server {
	const char *text;	     /* as written; NULL when original */
	const char *host;	     /* the same without port and brackets */
	struct ip_endpoint endpoint; /* addr.family is IP_NONE when host is a name to be resolved */
	/* of a name, in the order in which sessions try them; the first is in `endpoint`, too */
	struct ip_addr addresses[POLICY_ADDRESSES_MAX];
	size_t naddresses; /* 0: no name */
	struct diag_mark mark;
};

struct policy_backend {
	const char *name;
	bool original; /* its one server: endpoint.port 0: the port dialled; on implicit listeners 21 */
	struct policy_server *servers; /* at least one, unless the backend is faulty */
	size_t nservers;
	bool balanced; /* `addresses` lists them: the monitor says which one a session gets */
	enum backend_balance balance;
	struct policy_health health;
	enum backend_source source;
	/* with BACKEND_SOURCE_ADDRESS; IP_NONE: it has none of this family. An interface is looked up as in
	 * struct policy_advertise */
	struct ip_addr source_v4, source_v6;
	const char *source_interface; /* NULL: none */
	/* toward a server that speaks TLS */
	const struct tls_action *tls; /* with handshake_role: client; NULL: it does not */
	const char *hostname;	      /* what its certificate must name, and SNI; NULL: `host` */
	struct policy_host *hosts;    /* original: only their addresses are dialled; nhosts 0: any */
	size_t nhosts;
	struct server_security security;
	enum backend_data data;
	enum backend_epsv epsv;
	enum backend_stray stray_replies;
	enum backend_multiline multiline;
	enum backend_abort abort;
	uint32_t connect_timeout_ms; /* for one address; 0: an equal share of MYOPENTIME */
	uint32_t greeting_timeout_ms;
	bool greet_first; /* the gateway greets clients, and dials the server for a command that needs it */
	const char *server_map; /* path of a file: which server a login gets; NULL: `balance` says that */
	const char *server_map_text; /* what policy_keep() has kept of it; NULL: read the file */
	struct diag_mark server_map_mark;
	bool low_ports; /* the server may name a data port below 1024 */
	enum backend_proxy proxy;
	bool proxy_data;	    /* on data connections as well */
	uint32_t side_reply_ms;	    /* how long an unanswered side command may hold the next command */
	uint32_t command_line_max;  /* bytes of the longest line that the server reads as one, without CRLF */
	struct name_list permitted; /* the users whose services include this one */
	struct diag_mark mark, source_mark;
	size_t index;
};

/* auto: the client's first byte decides (z/OS: TTLS_ALLOW_HSTIMEOUT). none: clients never speak TLS. */
enum listener_tls { LISTENER_EXPLICIT = 0, LISTENER_IMPLICIT, LISTENER_AUTO, LISTENER_NONE };

struct policy_listener {
	const char *name;
	struct ip_endpoint endpoint; /* port 0 is allowed: the kernel picks one (the ready line names it) */
	enum listener_tls tls;
	bool transparent;
	struct ip_range
	    *proxies; /* load balancers that name the client; nproxies 0: clients connect directly */
	size_t nproxies;
	bool proxy_data; /* passive data connections may come from them as well */
	struct diag_mark mark, address_mark;
	size_t index;
};

/* How data connections are announced to the kernel: not, as expectations (RELATED), in an nftables set. */
enum nat_conntrack { NAT_CONNTRACK_OFF = 0, NAT_CONNTRACK_EXPECT, NAT_CONNTRACK_SET };

/*
 * The address that some clients are given for data. A literal address is stored in
 * v4 or v6. For an interface or a host name, gateway/host/policy-file.c looks up
 * the addresses and fills in one or both.
 */
struct policy_advertise {
	struct ip_range *to; /* these clients; nto 0: all */
	size_t nto;
	const char *interface; /* NULL: none */
	const char *host;      /* a name to be resolved; NULL: none */
	struct ip_addr v4, v6; /* IP_NONE: it has none of this family */
	bool map_ports;	       /* advertise_ports apply to these clients */
	struct diag_mark address_mark;
};

struct policy_nat {
	struct policy_advertise *advertise; /* in the order in which they are tried */
	size_t nadvertise;
	struct port_range advertise_ports; /* mapped to passivedataports, port by port; low 0: not mapped */
	enum nat_conntrack conntrack;
	const char *nft_set; /* "family table name"; the set for IPv6 has a 6 appended to its name */
};

/* Direction of AT-TLS: of a session whose client speaks TLS to us (or could), or of one in the clear that is
 * on its way to a server elsewhere (listeners with tls: none). */
enum rule_direction { DIRECTION_BOTH = 0, DIRECTION_INBOUND, DIRECTION_OUTBOUND };

/* What a rule does with refusals: it makes them, or notes them and lets the client go on. */
enum rule_action { RULE_ENFORCE = 0, RULE_AUDIT };

struct policy_rule {
	const char *name;
	uint32_t priority;			  /* 1..2000000000, larger first */
	const struct policy_listener **listeners; /* nlisteners 0: any */
	size_t nlisteners;
	struct ip_range *remote_addrs; /* nremote_addrs 0: any */
	size_t nremote_addrs;
	struct ip_range *local_addrs; /* the address that the client dialled; 0: any */
	size_t nlocal_addrs;
	struct policy_host *destinations; /* the address that the client dialled is one of theirs; 0: any */
	size_t ndestinations;
	struct policy_time *times; /* when the session begins; 0: at any time */
	size_t ntimes;
	enum rule_direction direction;
	const struct tls_action *tls; /* toward the client; NULL: only listeners with tls: none */
	const struct ftp_action *ftp;
	enum rule_action action;
	const struct ftp_action *lenient; /* RULE_AUDIT: `ftp` with what is in force meanwhile; else NULL */
	const struct policy_backend *backend;
	struct diag_mark mark;
};

/* What an entry may name of a certificate. All that it names must match. */
enum certificate_part {
	CERTIFICATE_SUBJECT, /* RFC 2253 */
	CERTIFICATE_ISSUER,  /* the same */
	CERTIFICATE_SERIAL,  /* hex */
	CERTIFICATE_SHA256,  /* hex, of the certificate in DER */
	CERTIFICATE_SAN,     /* DNS:, email:, URI: or IP: */
	CERTIFICATE_PARTS
};

struct policy_user_certificate {
	const char *text[CERTIFICATE_PARTS]; /* NULL: not named */
	struct diag_mark marks[CERTIFICATE_PARTS];
	struct diag_mark mark;
};

/* Bytes of the name of a principal. */
#define PRINCIPAL_MAX 255

struct policy_user {
	const char *name;
	struct policy_user_certificate *certificates;
	size_t ncertificates;
	const char **principals; /* of Kerberos, with their realm */
	size_t nprincipals;
	const struct policy_backend **services; /* 0: all */
	size_t nservices;
	const char *password_file; /* NULL: none */
	struct diag_mark mark, password_file_mark;
};

/* A value of the file of a node. */
struct policy_own_value {
	const char *key; /* "listeners.explicit.address" */
	struct diag_mark mark;
};

struct policy {
	struct policy_daemon daemon;
	struct policy_keyring *keyrings;
	size_t nkeyrings;
	struct tls_action *tls_actions;
	size_t ntls_actions;
	struct ftp_action *ftp_actions;
	size_t nftp_actions;
	struct policy_backend *backends;
	size_t nbackends;
	struct policy_listener *listeners;
	size_t nlisteners;
	struct policy_nat nat;
	struct policy_rule *rules; /* in the order in which they are tried: priority, then name */
	size_t nrules;
	struct policy_user *users;
	size_t nusers;
	struct policy_own_value *own; /* what the file of this node has set */
	size_t nown;
	const struct locations *locations; /* which values the file gives, see policy_is_given() */
};

/* A new control connection. */
struct policy_flow {
	const struct policy_listener *listener;
	struct ip_addr remote;
	struct ip_addr local;
	int64_t at_s; /* when it came, in seconds since 1970 */
};

#endif
