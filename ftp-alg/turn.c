/*
 * Whose turn it is: a command of the client waits until replies, transfers and side
 * commands before it leave room for it.
 */
#include "ftp-alg/turn.h"

#include "ftp-alg/side-reply.h"

/* May this command go on now, while others may have no reply yet? */
static bool may_run_now(const struct ftp_machine *machine, const struct ftp_verb *verb)
{
	if (machine->plan == FTP_PLAN_LISTENING_SERVER || machine->plan == FTP_PLAN_LISTENING_CLIENT ||
	    machine->plan == FTP_PLAN_PRIMING)
		return false;
	if (machine->transfer == FTP_TRANSFER_WAITING)
		return machine->pending == FTP_PENDING_NONE && !machine->reply_open &&
		       verb->kind == FTP_KIND_ABOR;
	if (machine->transfer == FTP_TRANSFER_NONE && machine->handshake == FTP_HANDSHAKE_RUNNING &&
	    verb->kind == FTP_KIND_UPLOAD)
		return false; /* the server would empty a file that may not come */
	if (machine->transfer == FTP_TRANSFER_NONE)
		return machine->pending == FTP_PENDING_NONE && !machine->reply_open &&
		       !machine_side_holds(machine);
	if (!(verb->flags & FTP_VERB_DURING_TRANSFER))
		return false;
	if (machine->retry.open && verb->kind != FTP_KIND_ABOR)
		return false; /* the client's 125- reply is still open */
	if (machine->retry.due)
		return false; /* after the refusal's last line, no transfer runs */
	return machine_side_has_room(machine, verb);
}

bool machine_takes_now(struct ftp_machine *machine, const struct ftp_verb *verb, struct ftp_out *out)
{
	if (!may_run_now(machine, verb)) {
		machine_side_held(machine, out);
		if (!may_run_now(machine, verb))
			return false;
	}
	if (machine->transfer == FTP_TRANSFER_NONE)
		machine_side_stop_waiting(machine, out);
	return true;
}
