/*
 * The setup of a session's FTP machine, which depends on the policy alone. The
 * worker and `attlsctl explain` share it, so that explain shows what attlsd does.
 */
#ifndef ATTLSD_GATEWAY_BASE_FTP_SETUP_H
#define ATTLSD_GATEWAY_BASE_FTP_SETUP_H

#include <stdbool.h>

#include "ftp-alg/ftp-alg.h"
#include "policy/policy.h"

/* The ports for control connections: of RFC 959, and with TLS from the start. */
#define FTP_PORT  21
#define FTPS_PORT 990

/* The two ends of the client's control connection, as the gateway sees them. */
struct ftp_setup_ends {
	const struct policy_listener *listener;
	bool implicit;		   /* TLS without AUTH: of an implicit listener, or with `tls: auto` */
	struct ip_endpoint remote; /* the client */
	struct ip_endpoint local;  /* the address that it dialled */
};

/*
 * The server's address: the backend's, or with `address: original` the one that the
 * client dialled. The server has no TLS, so for a client that dialled an implicit
 * port (990) it is port 21 unless policy names another one.
 */
struct ip_endpoint ftp_setup_server(const struct ftp_setup_ends *ends, const struct policy_backend *backend);

/*
 * Is this address the server's, or one of those that its name has? server: the one that the
 * session has; NULL: it has none, unless the backend has only one.
 */
bool ftp_setup_is_server(const struct ftp_setup_ends *ends, const struct policy_backend *backend,
			 const struct policy_server *server, const struct ip_addr *addr);

/*
 * Does the handshake of implicit TLS come before the greeting? Not with SECUREIMPLICITZOS TRUE (z/OS sends
 * 220 first), but with `tls: auto` the client has begun already.
 */
bool ftp_setup_tls_comes_first(const struct policy_listener *listener, const struct policy_rule *rule);

/* The machine's setup. What a worker has learnt meanwhile (ways, failures) is 0. */
struct ftp_machine_setup ftp_setup_make(const struct ftp_setup_ends *ends, const struct policy_rule *rule);

#endif
