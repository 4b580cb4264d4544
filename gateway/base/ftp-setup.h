/*
 * What the FTP machine of a session starts from, by policy alone. One function
 * for the worker and for `attlsctl explain`, so that explain shows what attlsd
 * does.
 */
#ifndef ATTLSD_GATEWAY_BASE_FTP_SETUP_H
#define ATTLSD_GATEWAY_BASE_FTP_SETUP_H

#include <stdbool.h>

#include "ftp-alg/ftp-alg.h"
#include "policy/policy.h"

/* Where control connections are expected: RFC 959, and under TLS from the start. */
#define FTP_PORT  21
#define FTPS_PORT 990

/* The two ends of the client's control connection, as the gateway sees them. */
struct ftp_setup_ends {
	const struct policy_listener *listener;
	struct ip_endpoint remote; /* the client */
	struct ip_endpoint local;  /* what it dialled */
};

/*
 * Where the server is: the backend's address, or with `address: original` what
 * the client dialled. The server speaks no TLS, so a client that dialled an
 * implicit port (990) is taken to port 21 unless policy names another one.
 */
struct ip_endpoint ftp_setup_server(const struct ftp_setup_ends *ends, const struct policy_backend *backend);

/* Does the handshake come before the greeting? Not with SECUREIMPLICITZOS TRUE (z/OS sends 220 first). */
bool ftp_setup_tls_comes_first(const struct policy_listener *listener, const struct policy_rule *rule);

/* The machine's setup. What a worker has learnt meanwhile (modes_refused, failures) is 0. */
struct ftp_machine_setup ftp_setup_make(const struct ftp_setup_ends *ends, const struct policy_rule *rule);

#endif
