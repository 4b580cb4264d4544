/*
 * AUTH GSSAPI on the client's control connection (RFC 2228): the exchange of tokens, commands
 * in MIC, CONF and ENC, and replies 631, 632 and 633.
 */
#ifndef ATTLSD_GATEWAY_WORKER_CONTROL_GSSAPI_H
#define ATTLSD_GATEWAY_WORKER_CONTROL_GSSAPI_H

#include "gateway/worker/session-state.h"

/* The actions FTP_DO_GSSAPI_BEGIN, _ACCEPT and _STOP. */
void control_gssapi_begin(struct session *session);
void control_gssapi_accept(struct session *session, const struct ftp_act *act);
void control_gssapi_stop(struct session *session);

/* The longest line that the client may send now. */
size_t control_gssapi_line_max(const struct session *session);

/*
 * A new line of the client: if it is in MIC, CONF or ENC and there is a security
 * context, take what is in it out, in its place, and say how it was protected.
 */
struct envelope control_gssapi_open(struct session *session, struct ftp_line *line);

/* Then offer it to the machine. */
enum ftp_take control_gssapi_offer(struct session *session, const struct ftp_line *line,
				   const struct envelope *envelope);

/* Before actions of the machine are carried out: how it wants replies from here on. */
void control_gssapi_look(struct session *session);

/* Does this reply go out protected? Otherwise the caller sends it as it is. */
static inline bool control_gssapi_protects(const struct session *session, const struct ftp_act *act)
{
	return session->gssapi != NULL && session->gssapi->level != FTP_PROT_CLEAR && !act->clear;
}

/* A reply, or a part of a line of one, in 631, 632 or 633. */
void control_gssapi_reply(struct session *session, const struct ftp_act *act);

#endif
