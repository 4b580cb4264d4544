/*
 * What the machine's own files share; nobody else includes this.
 */
#ifndef ATTLSD_FTP_ALG_MACHINE_PARTS_H
#define ATTLSD_FTP_ALG_MACHINE_PARTS_H

#include "ftp-alg/local-reply.h"
#include "ftp-alg/machine.h"
#include "ftp-alg/verb.h"

/* server-link.c: the connection to the server, dialled anew or when it is needed */
enum machine_late { MACHINE_LATE_NO = 0, MACHINE_LATE_DONE, MACHINE_LATE_DIAL };
/* What becomes of a command that passed the gates: run it; it was answered; hold it till the server is there.
 */
enum machine_late machine_late_command(struct ftp_machine *machine, const struct ftp_command *command,
				       struct ftp_out *out);
void machine_renew(struct ftp_machine *machine, enum ftp_pending pending, struct ftp_out *out);
/* The client's REIN is answered: explicit TLS ends behind the answer. */
void machine_rein_ends(struct ftp_machine *machine, struct ftp_out *out);

/* command.c: a command that passed the gates */
void machine_run(struct ftp_machine *machine, const struct ftp_command *command, struct ftp_out *out);

/* plan.c: agreeing on a data connection with both sides */
void machine_plan_command(struct ftp_machine *machine, const struct ftp_command *command,
			  struct ftp_out *out);
/* Each line of the server's answer. */
void machine_plan_line(struct ftp_machine *machine, const struct ftp_reply *reply);
/* After the last one: has the server agreed? If not, the client was told, or the server is asked in another
 * way. */
bool machine_plan_reply(struct ftp_machine *machine, const struct ftp_reply *reply, struct ftp_out *out);
/* The server has agreed; now the client's leg. */
void machine_plan_tell_client(struct ftp_machine *machine, struct ftp_out *out);
void machine_plan_drop(struct ftp_machine *machine, struct ftp_out *out);

/* transfer.c */
void machine_transfer_command(struct ftp_machine *machine, const struct ftp_command *command,
			      struct ftp_out *out);
/* Before the first line of a reply to the transfer is taken. */
enum ftp_take machine_transfer_gate(struct ftp_machine *machine, const struct ftp_reply *reply,
				    struct ftp_out *out);
/* Behind the last line of one. */
void machine_transfer_reply(struct ftp_machine *machine, const struct ftp_reply *reply, struct ftp_out *out);

/* login.c */
void machine_login_user(struct ftp_machine *machine, const struct ftp_command *command, struct ftp_out *out);
/* Before the first line of a reply to USER or PASS is taken. */
enum ftp_take machine_login_gate(struct ftp_machine *machine, uint16_t code, struct ftp_out *out);
/* Behind the last line of one. */
void machine_login_reply(struct ftp_machine *machine, enum ftp_pending pending, uint16_t code,
			 struct ftp_out *out);
/* by: who did not let him in, for the log; static. */
void machine_login_failed(struct ftp_machine *machine, const char *by, struct ftp_out *out);

/* wait.c: DSWAITTIME */
bool machine_wait_begins(struct ftp_machine *machine, const struct ftp_reply *reply);
void machine_wait(struct ftp_machine *machine, const struct ftp_reply *reply, struct ftp_out *out);
void machine_wait_retry(struct ftp_machine *machine, struct ftp_out *out);
void machine_wait_abort(struct ftp_machine *machine, struct ftp_out *out);
/* plan.c: the server's part of the plan once more; false: it need not be asked. */
bool machine_plan_primed(struct ftp_machine *machine, struct ftp_out *out); /* the rest of a primed 227 */
bool machine_plan_again(struct ftp_machine *machine, struct ftp_out *out);

/* reply-filter.c: a line of the server's reply, as the client may see it */
void machine_relay_reply(struct ftp_machine *machine, enum ftp_pending pending, const struct ftp_reply *reply,
			 bool last, struct ftp_out *out);
/* A FEAT reply's end, with the gateway's lines in it; open: its first line is out. */
void machine_feat_ends(struct ftp_machine *machine, bool open, struct ftp_out *out);

#endif
