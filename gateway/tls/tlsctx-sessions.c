/*
 * Takes TLS sessions out of the server's cache when a newer one replaces them or
 * their control session ends. A client can only resume them in data connections of
 * that control session, so nobody misses them.
 */
#include "gateway/tls/tlsctx-sessions.h"

#include <openssl/ssl.h>
#include <stdbool.h>

/* TLS 1.3 and clients with tickets leave nothing in the cache. */
static bool is_cached(const SSL *ssl, const SSL_SESSION *session)
{
	unsigned len = 0;

	if (session == NULL || SSL_version(ssl) >= TLS1_3_VERSION)
		return false;
	(void)SSL_SESSION_get_id(session, &len);
	return len > 0;
}

static void drop(struct tlsctx_sessions *sessions, enum tlsctx_use use)
{
	if (sessions->kept[use] != NULL)
		(void)SSL_CTX_remove_session(sessions->ctx, sessions->kept[use]); /* it may have expired */
	SSL_SESSION_free(sessions->kept[use]);
	sessions->kept[use] = NULL;
}

void tlsctx_sessions_keep(struct tlsctx_sessions *sessions, enum tlsctx_use use, SSL *ssl)
{
	SSL_SESSION *session;

	if (SSL_session_reused(ssl) == 1 || !is_cached(ssl, SSL_get_session(ssl)))
		return;
	session = SSL_get1_session(ssl);
	drop(sessions, use);
	sessions->ctx = SSL_get_SSL_CTX(ssl);
	sessions->kept[use] = session;
}

void tlsctx_sessions_forget(struct tlsctx_sessions *sessions)
{
	drop(sessions, TLSCTX_CONTROL);
	drop(sessions, TLSCTX_DATA);
}
