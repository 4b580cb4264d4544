/* FTCHKPWD: a session asks the monitor whether its user may log in. */
#ifndef ATTLSD_GATEWAY_WORKER_LOGIN_ASK_H
#define ATTLSD_GATEWAY_WORKER_LOGIN_ASK_H

#include "gateway/worker/session-state.h"

/* A command goes to the server. The name in a USER is the one that will be asked about. */
void login_ask_note(struct session *session, const struct ftp_act *act);

/* FTP_DO_LOGIN_CHECK. The machine gets the answer later, or at once. */
void login_ask(struct session *session);

/* MSG_LOGIN_CHECKED: tell the machine. Its text lives as long as the session, or until the next answer. */
void login_ask_answered(struct session *session, const struct msg *msg);

#endif
