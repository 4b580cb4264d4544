/* Keys of a session under GSSAPI end with it, with REIN, or with the next AUTH. */
#include "gateway/worker/session-gssapi.h"

#include <stdlib.h>
#include <string.h>

void session_gssapi_forget(struct session *session)
{
	session->facts.gssapi = NULL;
	session->facts.principal = NULL;
	if (session->gssapi == NULL)
		return;
	gssapi_context_free(&session->gssapi->context);
	explicit_bzero(session->gssapi, sizeof(*session->gssapi));
	free(session->gssapi);
	session->gssapi = NULL;
}
