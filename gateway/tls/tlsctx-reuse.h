/*
 * Which TLS session a connection may resume, and why it resumed none.
 *
 * Every TLS session that a control session's connections establish carries that
 * session's random id as its session id context, in the server's cache and inside
 * tickets alike. A client cannot change it there: a ticket is encrypted and
 * authenticated. A data connection resumes only what carries the id of *its*
 * control session; anything else becomes a full handshake, in TLS 1.2 and 1.3. A
 * new control connection may resume any session of its tls_action, and is given
 * new tickets with its own id. Where client certificates are requested, it resumes
 * nothing, so that the certificate of each control session is checked.
 */
#ifndef ATTLSD_GATEWAY_TLS_TLSCTX_REUSE_H
#define ATTLSD_GATEWAY_TLS_TLSCTX_REUSE_H

#include <stdbool.h>
#include <stdint.h>

#define TLS_BINDING_BYTES 16

struct ssl_ctx_st;
struct ssl_st;
struct ssl_session_st;

enum tlsctx_use { TLSCTX_CONTROL = 0, TLSCTX_DATA, TLSCTX_USES };

/* What became of the session that a client offered to resume. */
enum tls_reuse {
	TLS_REUSE_NOT_OFFERED = 0, /* it offered none */
	TLS_REUSE_UNKNOWN,	   /* no key of ours opens its ticket, or no session has its id */
	TLS_REUSE_OTHER,	   /* the session belongs to another control connection */
	TLS_REUSE_EXPIRED,
	TLS_REUSE_UNFIT, /* OpenSSL has refused it: the cipher or the key exchange differs, for example */
	TLS_REUSE_RESUMED,
};

/* Is it older than its timeout, whoever made it? */
bool tlsctx_session_is_expired(const struct ssl_session_st *session);

/* Set the callbacks. False: no memory. */
bool tlsctx_reuse_use(struct ssl_ctx_st *ctx);

/* Before the handshake: whom this connection belongs to. never: it resumes nothing. False: no memory. */
bool tlsctx_reuse_begin(struct ssl_st *ssl, enum tlsctx_use use, bool never,
			const uint8_t binding[static TLS_BINDING_BYTES]);

/* A ClientHello has come; to be called from OpenSSL's callback. */
void tlsctx_reuse_hello(struct ssl_st *ssl);

/* Once a control connection's handshake is done: bind the session that the server keeps. */
void tlsctx_bind(struct ssl_st *ssl);

/*
 * Take sessions of this id as well, and give it to those that are made from now on. On a
 * control connection: after the login.
 */
void tlsctx_reuse_user(struct ssl_st *ssl, const uint8_t binding[static TLS_BINDING_BYTES]);

/* Once the handshake is done. */
enum tls_reuse tlsctx_reuse_result(const struct ssl_st *ssl);

/*
 * A TLS 1.2 handshake without the extended master secret (RFC 7627), or one that failed for
 * lack of it. Without it, a session may have two owners, and resuming it proves nothing.
 */
bool tlsctx_lacks_extended_master_secret(const struct ssl_st *ssl);

#endif
