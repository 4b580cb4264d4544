/*
 * Which TLS session the data connections to a server resume: the control connection's as
 * it is now. A ticket of TLS 1.3 serves one connection (RFC 8446 C.4), so if the last data
 * connection has used that very session, the one that the server gave it is next.
 */
#ifndef ATTLSD_GATEWAY_TLS_TLSCTX_FOLLOW_H
#define ATTLSD_GATEWAY_TLS_TLSCTX_FOLLOW_H

struct ssl_session_st;
struct ssl_st;

/* All zero: none yet. */
struct tlsctx_follow {
	struct ssl_session_st *control; /* the control connection's newest */
	struct ssl_session_st *used;	/* by the last data connection, if it was that */
	struct ssl_session_st *newer;	/* what that got for it */
};

/* Look at the control connection. To be called before its TLS ends, too (CCC). ssl: NULL: it has ended. */
void tlsctx_follow_control(struct tlsctx_follow *follow, struct ssl_st *ssl);

/* For the next data connection; borrowed. NULL: none can be resumed. */
struct ssl_session_st *tlsctx_follow_next(struct tlsctx_follow *follow);

/* A data connection has ended. */
void tlsctx_follow_data(struct tlsctx_follow *follow, struct ssl_st *ssl);

void tlsctx_follow_done(struct tlsctx_follow *follow);

#endif
