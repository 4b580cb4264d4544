/*
 * Agreeing on a data connection with both sides.
 */
#ifndef ATTLSD_FTP_ALG_PLAN_H
#define ATTLSD_FTP_ALG_PLAN_H

#include <stdbool.h>

#include "ftp-alg/out.h"
#include "ftp-alg/reply.h"
#include "ftp-alg/state.h"
#include "ftp-alg/verb.h"
#include "policy/ip.h"

/* PASV, EPSV, PORT or EPRT of the client's. */
enum machine_step machine_plan_command(struct ftp_machine *machine, const struct ftp_command *command,
				       struct ftp_out *out);

/* Each line of the server's answer to the gateway's own EPSV, PASV, EPRT or PORT. */
void machine_plan_line(struct ftp_machine *machine, const struct ftp_reply *reply);

/*
 * After the last line: has the server agreed? If not, the client has been told,
 * or the server is being asked in another way.
 */
bool machine_plan_reply(struct ftp_machine *machine, const struct ftp_reply *reply, struct ftp_out *out);

/* The server has agreed; now the client's leg. */
void machine_plan_tell_client(struct ftp_machine *machine, struct ftp_out *out);

/* As ftp_machine_listening(). */
void machine_plan_listening(struct ftp_machine *machine, enum ftp_side side,
			    const struct ip_endpoint *endpoint, struct ftp_out *out);

/* The client has the first line of a 227 or 229: send the rest. False: none was sent ahead. */
bool machine_plan_primed(struct ftp_machine *machine, struct ftp_out *out);

/* Ask for the server's part of the plan once more. False: it need not be asked. */
bool machine_plan_again(struct ftp_machine *machine, struct ftp_out *out);

/* As ftp_machine_dialled(). */
void machine_plan_dialled(struct ftp_machine *machine, bool up, struct ftp_out *out);

/* Must a transfer command wait until the server's port has been tried? */
bool machine_plan_must_dial(struct ftp_machine *machine, struct ftp_out *out);

/* Record whether the way of this transfer worked; code: of the transfer's last reply, or 0. */
void machine_plan_learn(struct ftp_machine *machine, enum ftp_data_result result, uint16_t code);

void machine_plan_drop(struct ftp_machine *machine, struct ftp_out *out);

#endif
