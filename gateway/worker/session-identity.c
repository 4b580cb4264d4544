/*
 * The facts keep the certificate of a TLS session that has ended, since data connections are still
 * compared with it. But it proves nothing about who speaks in the clear, so it must not be asked
 * about, logged or matched with a login that comes later.
 */
#include "gateway/worker/session-identity.h"

#include "ftp-alg/ftp-alg.h"

const struct identity *session_identity(const struct session *session)
{
	const struct identity *identity = &session->facts.identity;

	return session->client.ssl != NULL && identity->present ? identity : NULL;
}

const char *session_principal(const struct session *session)
{
	return ftp_machine_is_cleared(&session->machine) ? NULL : session->facts.principal;
}
