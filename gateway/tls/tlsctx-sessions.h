/*
 * The TLS sessions that the server's cache holds for one control session. Only
 * clients of TLS 1.2 without tickets put any there. OpenSSL keeps the whole chain
 * of the client's certificate with each, so none outlives its control session.
 */
#ifndef ATTLSD_GATEWAY_TLS_TLSCTX_SESSIONS_H
#define ATTLSD_GATEWAY_TLS_TLSCTX_SESSIONS_H

#include "gateway/tls/tlsctx.h"

struct ssl_session_st;

/* All zero: none. */
struct tlsctx_sessions {
	struct ssl_ctx_st *ctx;
	struct ssl_session_st *kept[TLSCTX_USES]; /* the last of the control connection, and of data */
};

/* A handshake is done: its session takes the place of the last one of this use, unless it was resumed. */
void tlsctx_sessions_keep(struct tlsctx_sessions *sessions, enum tlsctx_use use, struct ssl_st *ssl);

/* The control session ends: the cache forgets all of them. */
void tlsctx_sessions_forget(struct tlsctx_sessions *sessions);

#endif
