/*
 * A policy as structs, one for each section of the file. Types only: what is done
 * with them is in the modules above.
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
#include "policy/ip.h"

enum log_format { LOG_FORMAT_TEXT = 0, LOG_FORMAT_JSON };
enum log_level { LOG_LEVEL_ERROR = 0, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

struct policy_daemon {
	const char *user; /* default "attlsd" */
	bool user_given;  /* the file names it (then it must exist) */
	struct diag_mark user_mark;
	uint32_t workers;	    /* 0: one per CPU ("auto") */
	const char *control_socket; /* default "/run/attlsd/control.sock"; NULL: none */
	bool control_socket_given;  /* the file names it (then it must be made) */
	struct diag_mark control_socket_mark;
	enum log_level log_level;
	enum log_format log_format;
	uint32_t limit_sessions;		   /* default 10000 */
	uint32_t limit_sessions_per_source;	   /* default 200 */
	uint32_t limit_unauthenticated_per_source; /* default 20 */
};

struct policy_certificate {
	const char *label; /* NULL: none */
	const char *chain; /* path, made absolute or relative to the policy's folder, see policy_parse() */
	const char *key;
	const char *ocsp; /* path of an OCSP response to staple; NULL: none */
	struct diag_mark chain_mark;
	struct diag_mark key_mark;
	struct diag_mark ocsp_mark;
};

struct policy_keyring {
	const char *name;
	struct policy_certificate *certificates;
	size_t ncertificates;
	const char *trust; /* path of a file or folder; NULL: none */
	bool trust_system; /* "*AUTH*" slash "*": the system's CA store (virtual key ring) */
	const char *crl;   /* path; NULL: none */
	struct diag_mark mark, trust_mark, crl_mark;
};

enum handshake_role { ROLE_SERVER_WITH_CLIENT_AUTH = 0, ROLE_SERVER, ROLE_CLIENT };
enum client_auth_type {
	CLIENT_AUTH_REQUIRED = 0,
	CLIENT_AUTH_SAFCHECK,
	CLIENT_AUTH_FULL,
	CLIENT_AUTH_PASSTHRU
};

/* ServerHandshakeSNI: has the name that a client asks for to be one of ours, and has it to ask for one? */
enum handshake_sni { HANDSHAKE_SNI_REQUIRED = 0, HANDSHAKE_SNI_OPTIONAL, HANDSHAKE_SNI_OFF };

/* Bits of tls_action.versions */
#define POLICY_TLS1_2 1u
#define POLICY_TLS1_3 2u

struct tls_action {
	const char *name;
	enum handshake_role role;
	enum client_auth_type client_auth_type;
	enum handshake_sni server_handshake_sni;
	const struct policy_keyring *keyring;
	unsigned versions;
	const char *ciphersuites; /* TLS 1.3: OpenSSL's colon list; NULL: OpenSSL's default */
	const char *ciphers;	  /* TLS 1.2: the same; NULL: a secure default chosen by the gateway */
	bool null_ciphers;	  /* some of them encrypt nothing: the level of a connection may be SAFE */
	struct diag_mark mark, ciphersuites_mark, ciphers_mark;
	uint32_t handshake_timeout_ms;
	uint32_t session_timeout_s;
	bool ktls;    /* the kernel may do the TLS of what is sent on data connections */
	size_t index; /* its place in policy.tls_actions */
};

enum backend_source { BACKEND_SOURCE_GATEWAY = 0, BACKEND_SOURCE_CLIENT };
enum backend_data { BACKEND_DATA_AUTO = 0, BACKEND_DATA_PASSIVE, BACKEND_DATA_ACTIVE };
enum backend_epsv { BACKEND_EPSV_AUTO = 0, BACKEND_EPSV_ALWAYS, BACKEND_EPSV_NEVER };

/* What the server is told of the client before anything else (PROXY protocol). */
enum backend_proxy { BACKEND_PROXY_NONE = 0, BACKEND_PROXY_V1, BACKEND_PROXY_V2 };

struct policy_backend {
	const char *name;
	bool original;		     /* endpoint.port 0: the port dialled; on implicit listeners 21 */
	const char *host;	     /* as written, without brackets; NULL when original */
	struct ip_endpoint endpoint; /* addr.family is IP_NONE when host is a name to be resolved */
	enum backend_source source;
	enum backend_data data;
	enum backend_epsv epsv;
	enum backend_proxy proxy;
	bool proxy_data; /* on data connections as well */
	struct diag_mark mark, address_mark;
	size_t index;
};

enum listener_tls { LISTENER_EXPLICIT = 0, LISTENER_IMPLICIT };

struct policy_listener {
	const char *name;
	struct ip_endpoint endpoint; /* port 0 is allowed: the kernel picks one (the ready line names it) */
	enum listener_tls tls;
	bool transparent;
	struct ip_net
	    *proxies; /* load balancers, which say who the client is; nproxies 0: clients come themselves */
	size_t nproxies;
	bool proxy_data; /* passive data connections may come from them as well */
	struct diag_mark mark, address_mark;
	size_t index;
};

/* How the kernel is told of data connections: not, as expectations (RELATED), as elements of an nftables set.
 */
enum nat_conntrack { NAT_CONNTRACK_OFF = 0, NAT_CONNTRACK_EXPECT, NAT_CONNTRACK_SET };

/*
 * What some clients are told to dial for data. An address stands in that of its
 * family; what names an interface or a host is filled in by whoever does I/O
 * (policy-file.h), of either family or both.
 */
struct policy_advertise {
	struct ip_net *to; /* these clients; nto 0: all */
	size_t nto;
	const char *interface; /* NULL: none */
	const char *host;      /* a name to be resolved; NULL: none */
	struct ip_addr v4, v6; /* IP_NONE: it has none of this family */
	bool map_ports;	       /* advertise_ports hold for them, too */
	struct diag_mark address_mark;
};

struct policy_nat {
	struct policy_advertise *advertise; /* in the order in which they are tried */
	size_t nadvertise;
	struct port_range advertise_ports; /* stands for passivedataports, port by port; low 0: not mapped */
	enum nat_conntrack conntrack;
	const char *nft_set; /* "family table name"; IPv6 goes to a set named with a 6 behind it */
};

struct policy_rule {
	const char *name;
	uint32_t priority;			  /* 1..2000000000, larger first */
	const struct policy_listener **listeners; /* nlisteners 0: any */
	size_t nlisteners;
	struct ip_net *remote_addrs; /* nremote_addrs 0: any */
	size_t nremote_addrs;
	struct ip_net *local_addrs; /* the address that the client dialled; 0: any */
	size_t nlocal_addrs;
	const struct tls_action *tls;
	const struct ftp_action *ftp;
	const struct policy_backend *backend;
	struct diag_mark mark;
};

struct policy_user {
	const char *name;
	const char **subjects; /* RFC 2253 text of the certificate's subject */
	size_t nsubjects;
	const struct policy_backend **services; /* 0: all */
	size_t nservices;
	const char *password_file; /* NULL: none */
	struct diag_mark mark, password_file_mark;
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
};

/* One arriving control connection. */
struct policy_flow {
	const struct policy_listener *listener;
	struct ip_addr remote;
	struct ip_addr local;
};

#endif
