/*
 * Follows the TLS sessions of a control connection to a server and of its data
 * connections. Servers that require resumption compare: some with the control
 * connection, some only with what they have given out lately.
 */
#include "gateway/tls/tlsctx-follow.h"

#include <openssl/ssl.h>

#include "gateway/tls/tlsctx-client.h"

/* The place now has this session, which was the caller's. */
static void put(SSL_SESSION **place, SSL_SESSION *session)
{
	SSL_SESSION_free(*place);
	*place = session;
}

void tlsctx_follow_control(struct tlsctx_follow *follow, SSL *ssl)
{
	SSL_SESSION *session = ssl != NULL ? tlsctx_client_session(ssl) : NULL;

	if (session != NULL)
		put(&follow->control, session);
}

SSL_SESSION *tlsctx_follow_next(struct tlsctx_follow *follow)
{
	if (follow->control != NULL && follow->control == follow->used && follow->newer != NULL)
		return follow->newer;
	put(&follow->newer, NULL);
	put(&follow->used, follow->control);
	if (follow->control != NULL && SSL_SESSION_up_ref(follow->control) != 1)
		follow->used = NULL;
	return follow->control;
}

void tlsctx_follow_data(struct tlsctx_follow *follow, SSL *ssl)
{
	SSL_SESSION *session = tlsctx_client_session(ssl);

	if (session != NULL)
		put(&follow->newer, session);
}

void tlsctx_follow_done(struct tlsctx_follow *follow)
{
	put(&follow->control, NULL);
	put(&follow->used, NULL);
	put(&follow->newer, NULL);
}
