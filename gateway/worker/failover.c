/*
 * Decides whether a server has failed before its greeting counted: it has closed, refuses,
 * or speaks something else. Once a line of its greeting has reached the client, it is the
 * session's server for good.
 */
#include "gateway/worker/failover.h"

#include <stdio.h>

#include "gateway/worker/control-dial.h"
#include "gateway/worker/server-choice.h"

/* More than messages of a library that come before a greeting, see stray_replies. */
#define JUNK_MAX 4096

/* Is this, instead of a greeting, a reason to take another server? status: of the line, MORE: the end. */
static enum server_failure why_no_greeting(struct session *session, enum ftp_reply_status status,
					   const struct ftp_reply *reply)
{
	if (session->choice.settled || session->parser.code != 0 || session->server_state < SERVER_GREETING)
		return SERVER_FAILURE_NONE;
	switch (status) {
	case FTP_REPLY_MORE:
		return SERVER_FAILURE_CLOSED;
	case FTP_REPLY_MALFORMED:
		session->junk_bytes += reply->consumed;
		if (session->junk_bytes > JUNK_MAX ||
		    session->facts.rule->backend->stray_replies == BACKEND_STRAY_CLOSE)
			return SERVER_FAILURE_NOT_FTP;
		break;
	case FTP_REPLY_PART:
	case FTP_REPLY_END:
		if (session->server_state == SERVER_GREETING && reply->code >= 300)
			return SERVER_FAILURE_TURNED_AWAY;
		break;
	}
	return SERVER_FAILURE_NONE;
}

bool failover_takes(struct session *session, enum ftp_reply_status status, const struct ftp_reply *reply)
{
	enum server_failure failure = why_no_greeting(session, status, reply);
	char text[128];

	if (failure == SERVER_FAILURE_NONE)
		return false;
	if (!server_choice_has_more(session)) {
		server_choice_report(session, failure);
		return false;
	}
	(void)snprintf(text, sizeof(text), "%.*s", status == FTP_REPLY_MORE ? 0 : (int)reply->len,
		       status == FTP_REPLY_MORE ? "" : reply->line);
	control_server_failed(session, failure,
			      status == FTP_REPLY_MORE ? "the connection ended before a greeting" : text);
	return true;
}
