/*
 * Lines of the control connections for the trace, without the secrets that they may have:
 * those of PASS, ACCT, ADAT and the like, words that are no command and may be a password
 * on a line of its own, and replies that repeat one of them. A secret must not get into a
 * record, so this is the only way for a line into the trace.
 */
#ifndef ATTLSD_GATEWAY_WORKER_TRACE_LINE_H
#define ATTLSD_GATEWAY_WORKER_TRACE_LINE_H

#include <stddef.h>

#include "gateway/worker/session-state.h"
#include "gateway/worker/trace.h"

/* What may be shown of a command: writes it to buf and returns its length. */
size_t trace_line_command(const char *line, size_t len, char buf[static TRACE_TEXT_MAX], bool *ret_cut);

/*
 * What may be shown of a server's line after a command that had this secret (`echo`), or that
 * may have been one (`doubtful`). The same.
 */
size_t trace_line_reply(const struct echo *echo, bool doubtful, const char *line, size_t len,
			char buf[static TRACE_TEXT_MAX], bool *ret_cut);

/* A command line, from the client or to the server. */
void trace_command(const struct session *session, enum trace_kind kind, const char *line, size_t len);
/* A line of the client's that is not one, and why. */
void trace_bad_command(const struct session *session, enum ftp_line_status status);
/* A command or a reply begins: the first lines after it are shown. */
void trace_reply_begins(struct session *session);
/* Lines of a reply, from the server or to the client. */
void trace_reply(struct session *session, enum trace_kind kind, const char *text, size_t len);

#endif
