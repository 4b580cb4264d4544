/*
 * One transfer: its command, its replies and the data part between them.
 */
#ifndef ATTLSD_FTP_ALG_TRANSFER_H
#define ATTLSD_FTP_ALG_TRANSFER_H

#include "ftp-alg/out.h"
#include "ftp-alg/reply.h"
#include "ftp-alg/state.h"
#include "ftp-alg/verb.h"

/* What has to be done before the command may go to the server, on both legs of its data. */
enum machine_step machine_transfer_prepare(struct ftp_machine *machine, const struct ftp_command *command,
					   struct ftp_out *out);

void machine_transfer_command(struct ftp_machine *machine, const struct ftp_command *command,
			      struct ftp_out *out);

/* Before the first line of a reply to the transfer is taken. */
enum ftp_take machine_transfer_gate(struct ftp_machine *machine, const struct ftp_reply *reply,
				    struct ftp_out *out);

/* The same for a last reply that comes after the transfer has ended for the gateway (FTP_ANSWERS_LATE). */
void machine_transfer_late_gate(struct ftp_machine *machine, const struct ftp_reply *reply);

/* After the last line of such a reply. */
void machine_transfer_late_reply(struct ftp_machine *machine, struct ftp_out *out);

/* After the last line of a reply to the transfer. */
void machine_transfer_reply(struct ftp_machine *machine, const struct ftp_reply *reply, struct ftp_out *out);

/* As ftp_machine_data_done(), _data_kept() and _data_over(). */
void machine_transfer_data_done(struct ftp_machine *machine, enum ftp_data_result result);
void machine_transfer_data_kept(struct ftp_machine *machine);
void machine_transfer_data_over(struct ftp_machine *machine, struct ftp_out *out);

#endif
