/* A QUIT that the client sends during the upload is the line that is held. */
#include "gateway/worker/client-gone.h"

bool client_gone_quits(const struct session *session)
{
	const char *window = (const char *)session->client_in.bytes + session->client_in.start;

	return session->holding && session->held.status == FTP_LINE_OK && session->data.upload &&
	       ftp_machine_holds_quit(&session->machine, window + session->held.at, session->held.line.len);
}

bool client_gone_early(const struct session *session)
{
	return session->phase == PHASE_CLIENT_EOF && data_conn_asks_client(&session->data) &&
	       !session->quitting && !client_gone_quits(session);
}
