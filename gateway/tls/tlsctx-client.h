/*
 * An SSL_CTX for each tls_action with handshake_role: client, which is how the gateway
 * speaks TLS to servers.
 *
 * A server must show a certificate that the key ring trusts, that no CRL has revoked, and
 * that names the host (RFC 9525) unless policy says secure_hostname: optional. Where the
 * policy has pins, the certificate or its key must also be one of them; without authorities,
 * the pin is the only check.
 */
#ifndef ATTLSD_GATEWAY_TLS_TLSCTX_CLIENT_H
#define ATTLSD_GATEWAY_TLS_TLSCTX_CLIENT_H

#include "gateway/tls/tlsctx-reuse.h"
#include "policy/policy.h"

#define TLSCTX_SHA256_TEXT 65

struct certs;
struct ssl_session_st;
struct ssl_st;
struct tlsctx_client;
struct trust;

/*
 * certs and trust are those of the action's key ring, and outlive it; NULL: it has no
 * ring. Faults go into diags. Returns 0 or -ENOMEM.
 */
int tlsctx_client_load(const struct tls_action *action, struct certs *certs, const struct trust *trust,
		       struct diags *diags, struct tlsctx_client **ret_client);
void tlsctx_client_free(struct tlsctx_client **client);

/*
 * A new client-side SSL for one connection, without transport. host: a name or an IP
 * address, which the certificate must name; a name is sent as SNI as well. session: to be
 * resumed, stays the caller's; NULL: none. Returns NULL without memory.
 */
struct ssl_st *tlsctx_client_new(const struct tlsctx_client *client, enum tlsctx_use use, const char *host,
				 struct ssl_session_st *session);

/*
 * The newest session of an established connection that another one may resume, now the
 * caller's. NULL: there is none, yet or at all.
 */
struct ssl_session_st *tlsctx_client_session(struct ssl_st *ssl);
void tlsctx_client_session_free(struct ssl_session_st *session);

/*
 * The SHA-256 of the certificate that the server has shown, also where it was refused. ""
 * before that, and of a resumed session. Lives as long as the SSL.
 */
const char *tlsctx_client_shown(const struct ssl_st *ssl);

#endif
