/*
 * One transfer: its command, its replies and the data part between them.
 *
 * The server's final reply waits (FTP_HOLD) until the data part is over, so that
 * the client hears of success only when the data has arrived. If it did not
 * arrive whole, a 4yz takes the reply's place.
 */
#include "ftp-alg/transfer.h"

#include "ftp-alg/plan.h"
#include "ftp-alg/retry.h"
#include "ftp-alg/server-tls.h"
#include "ftp-alg/side-reply.h"

/* The reply to the client for this result and the server's code; FTP_LOCAL_NONE: the server's own. */
static enum ftp_local verdict(enum ftp_data_result result, uint16_t code)
{
	bool server_failed = code >= 400;

	switch (result) {
	case FTP_DATA_PENDING:
	case FTP_DATA_OK:
		return FTP_LOCAL_NONE;
	/* Only the gateway can know these, so they go to the client whatever the server said. */
	case FTP_DATA_NO_CLIENT:
		return FTP_LOCAL_NO_CLIENT;
	case FTP_DATA_TLS:
		return FTP_LOCAL_DATA_TLS;
	case FTP_DATA_NOT_REUSED:
		return FTP_LOCAL_DATA_REUSE;
	case FTP_DATA_TICKET_UNKNOWN:
		return FTP_LOCAL_DATA_TICKET_UNKNOWN;
	case FTP_DATA_TICKET_OTHER:
		return FTP_LOCAL_DATA_TICKET_OTHER;
	case FTP_DATA_TICKET_EXPIRED:
		return FTP_LOCAL_DATA_TICKET_EXPIRED;
	case FTP_DATA_TICKET_UNFIT:
		return FTP_LOCAL_DATA_TICKET_UNFIT;
	case FTP_DATA_NO_EXTENDED_SECRET:
		return FTP_LOCAL_DATA_NO_EXTENDED_SECRET;
	case FTP_DATA_NOT_PRIVATE:
		return FTP_LOCAL_DATA_NOT_PRIVATE;
	case FTP_DATA_CERTIFICATE:
		return FTP_LOCAL_DATA_CERTIFICATE;
	case FTP_DATA_SERVER_NOT_REUSED:
		return FTP_LOCAL_DATA_SERVER_REUSE;
	case FTP_DATA_UNFINISHED:
		return server_failed ? FTP_LOCAL_NONE : FTP_LOCAL_DATA_UNFINISHED;
	case FTP_DATA_CUT:
		return FTP_LOCAL_DATA_CUT;
	case FTP_DATA_GSSAPI:
		return FTP_LOCAL_DATA_GSSAPI;
	case FTP_DATA_GSSAPI_CUT:
		return FTP_LOCAL_DATA_GSSAPI_CUT;
	case FTP_DATA_STALLED:
		return FTP_LOCAL_DATA_STALLED;
	case FTP_DATA_NO_SERVER:
		return server_failed ? FTP_LOCAL_NONE : FTP_LOCAL_NO_SERVER;
	case FTP_DATA_SERVER_TLS: /* the server's own words say more, if it has any */
		return server_failed ? FTP_LOCAL_NONE : FTP_LOCAL_DATA_SERVER_TLS;
	case FTP_DATA_SERVER_CUT:
		return server_failed ? FTP_LOCAL_NONE : FTP_LOCAL_DATA_SERVER_CUT;
	case FTP_DATA_CLIENT_LOST:
	case FTP_DATA_SERVER_LOST:
	case FTP_DATA_ABORTED:
		return server_failed ? FTP_LOCAL_NONE : FTP_LOCAL_DATA_LOST;
	}
	return FTP_LOCAL_NONE;
}

/*
 * A client that sends ABOR may close its data connection before TLS has begun on it, or
 * never open it. A server that carries it out may do the same.
 */
static enum ftp_data_result aborted_result(const struct ftp_machine *machine)
{
	enum ftp_data_result result = machine->result;
	bool unmade = result == FTP_DATA_TLS || result == FTP_DATA_NO_CLIENT || result == FTP_DATA_SERVER_TLS;

	return unmade && machine_side_is_aborting(machine) ? FTP_DATA_ABORTED : result;
}

/*
 * May policy refuse the client's data connection although its handshake succeeds? A
 * session that must be resumed and a certificate that must be shown again are checked
 * at its end.
 */
static bool may_be_refused(const struct ftp_machine *machine)
{
	bool resumes = machine->action->secure_session_reuse != SESSION_REUSE_ALLOWED &&
		       machine->action->secure_session_reuse != SESSION_REUSE_NONE;

	return ftp_machine_protects_data(machine) && (resumes || machine->identity.certificate);
}

/*
 * Servers empty the file when STOR arrives, before their 150. So the command waits
 * until the data connection has passed. Clients that begin TLS only after a 150 get
 * one from the gateway, which is all that RFC 959 lets it say before the command has
 * been judged. Not for STOU, whose 150 names the file (RFC 1123 4.1.2.9): it empties
 * none.
 */
static bool must_secure(struct ftp_machine *machine, const struct ftp_command *command, struct ftp_out *out)
{
	struct ftp_act *act;

	if (command->verb->kind != FTP_KIND_UPLOAD || (command->verb->flags & FTP_VERB_FILE) == 0 ||
	    !may_be_refused(machine) || machine->plan != FTP_PLAN_READY ||
	    machine->result != FTP_DATA_PENDING || machine->no_server ||
	    machine->handshake == FTP_HANDSHAKE_DECIDED)
		return false;
	if (!machine->opened) {
		machine->opened = true;
		machine_answer(machine, FTP_LOCAL_OPENING, out);
		act = ftp_out_text(out, FTP_DO_DATA_SECURE, command->line, command->len);
		act->binary = ftp_representation_is_binary(&machine->representation);
		act->mode = ftp_representation_mode(&machine->representation);
	}
	return true;
}

/*
 * A connection in block or compressed mode outlives its files, but the empty token of GSSAPI ends
 * the connection: RFC 2228 does not say what ends a file there.
 */
static enum ftp_local judge(const struct ftp_machine *machine)
{
	char mode = ftp_representation_mode(&machine->representation);

	if (machine->security.gssapi && machine->security.prot != FTP_PROT_CLEAR && mode != 'S' &&
	    mode != 'Z')
		return FTP_LOCAL_MODE_GSSAPI;
	return ftp_security_transfer(&machine->security, machine->action);
}

enum machine_step machine_transfer_prepare(struct ftp_machine *machine, const struct ftp_command *command,
					   struct ftp_out *out)
{
	bool refused = machine->plan != FTP_PLAN_READY || machine->result != FTP_DATA_PENDING ||
		       machine->no_server || judge(machine) != FTP_LOCAL_NONE;
	/* the client may have sent PROT since its data connection was planned */
	enum machine_step step = refused ? MACHINE_RUNS : machine_server_tls_settle(machine, out);

	if (step != MACHINE_RUNS)
		return step;
	if (machine->kept) /* both were done for the transfer before */
		return MACHINE_RUNS;
	return machine_plan_must_dial(machine, out) || must_secure(machine, command, out) ? MACHINE_WAITS
											  : MACHINE_RUNS;
}

void machine_transfer_command(struct ftp_machine *machine, const struct ftp_command *command,
			      struct ftp_out *out)
{
	enum ftp_local refusal = judge(machine);
	struct ftp_act *act;

	if (refusal == FTP_LOCAL_NONE && machine->plan != FTP_PLAN_READY)
		refusal = FTP_LOCAL_NO_PLAN; /* the default data port (RFC 959 3.2) cannot pass a gateway */
	if (refusal == FTP_LOCAL_NONE && (machine->result != FTP_DATA_PENDING || machine->no_server)) {
		refusal = verdict(machine->no_server ? FTP_DATA_NO_SERVER : machine->result, 0);
		machine_plan_drop(machine, out);
	}
	if (refusal != FTP_LOCAL_NONE) {
		machine_answer(machine, refusal, out);
		return;
	}
	if (machine->audited != NULL) {
		refusal = ftp_security_transfer(&machine->security, machine->audited);
		if (refusal != FTP_LOCAL_NONE)
			machine_note(machine, refusal, machine->audited, out);
	}
	machine->transfer = FTP_TRANSFER_ASKED;
	machine->result = FTP_DATA_PENDING;
	machine->handshake = FTP_HANDSHAKE_NONE; /* it belongs to this transfer now */
	machine_side_transfer_begins(machine, out);
	machine->retry.allowed = (command->verb->flags & FTP_VERB_FILE) != 0 && !machine->restart;
	machine->retry.begun = false;
	machine->restart = false;
	machine_pass_on(machine, command, FTP_PENDING_TRANSFER, out);
	act = ftp_out_text(out, FTP_DO_DATA_START, command->line, command->len);
	act->upload = command->verb->kind == FTP_KIND_UPLOAD;
	act->binary = ftp_representation_is_binary(&machine->representation);
	act->listing = !act->upload && (command->verb->flags & FTP_VERB_FILE) == 0;
	act->mode = ftp_representation_mode(&machine->representation);
	act->protect = ftp_machine_protects_data(machine);
	act->gssapi = (uint8_t)(machine->security.gssapi ? machine->security.prot : FTP_PROT_CLEAR);
	act->number = machine->security.block;
	act->protect_server = machine_server_tls_protects(machine);
}

/*
 * A server may end its data in order and then report a failure. Under GSSAPI the end of a
 * download is a proof that the file is whole, so that it comes after the server's word.
 */
static void agree(struct ftp_machine *machine, struct ftp_out *out)
{
	if (!machine->agreed && machine->security.gssapi && machine->security.prot != FTP_PROT_CLEAR)
		ftp_out_add(out, FTP_DO_DATA_AGREED);
	machine->agreed = true;
}

enum ftp_take machine_transfer_gate(struct ftp_machine *machine, const struct ftp_reply *reply,
				    struct ftp_out *out)
{
	uint16_t code = reply->code;

	machine->retry.due = false;
	if (ftp_reply_is_preliminary(code))
		return FTP_TAKEN;
	if (machine->transfer == FTP_TRANSFER_ASKED && ftp_reply_is_positive(code)) {
		/* this server sends no 150: its data may still be under way */
		machine->transfer = FTP_TRANSFER_GOING;
		ftp_out_add(out, FTP_DO_DATA_GO);
		agree(machine, out);
		return FTP_HOLD;
	}
	if (machine->transfer == FTP_TRANSFER_GOING) {
		/*
		 * The client sent ABOR and may have stopped reading, so the data would never end. Or the
		 * server failed: the client still gets all bytes that arrive, although the file is
		 * incomplete.
		 */
		if (machine_side_is_aborting(machine))
			ftp_out_add(out, FTP_DO_DATA_ABORT);
		else if (!ftp_reply_is_positive(code) && !machine->failing)
			machine_side_transfer_fails(machine, out);
		else if (ftp_reply_is_positive(code))
			agree(machine, out);
		return FTP_HOLD;
	}
	if (machine->transfer == FTP_TRANSFER_OVER)
		machine->instead = verdict(aborted_result(machine), code);
	else
		machine->retry.due = machine_retry_wanted(machine, reply);
	if (!machine->retry.due)
		machine_close_125(machine, out);
	return FTP_TAKEN;
}

/* The client may take this reply for the transfer's, so it must not report success after a failure. */
void machine_transfer_late_gate(struct ftp_machine *machine, const struct ftp_reply *reply)
{
	machine->instead = verdict(machine->side.late_result, reply->code);
}

static void answer_instead(struct ftp_machine *machine, struct ftp_out *out)
{
	if (machine->instead != FTP_LOCAL_NONE)
		machine_answer(machine, machine->instead, out);
	machine->instead = FTP_LOCAL_NONE;
}

void machine_transfer_late_reply(struct ftp_machine *machine, struct ftp_out *out)
{
	if (machine->retry.open)
		return; /* the client would take it for text of the 125- */
	answer_instead(machine, out);
}

void machine_transfer_reply(struct ftp_machine *machine, const struct ftp_reply *reply, struct ftp_out *out)
{
	if (ftp_reply_is_preliminary(reply->code)) {
		if (machine->transfer == FTP_TRANSFER_ASKED) {
			machine->transfer = FTP_TRANSFER_GOING;
			machine_side_transfer_begins(machine, out);
			ftp_out_add(out, FTP_DO_DATA_GO);
		} else if (machine->transfer == FTP_TRANSFER_OVER && machine->result != FTP_DATA_OK) {
			machine_side_transfer_marked(machine);
		}
		return;
	}
	if (machine->retry.due) {
		machine->retry.due = false;
		machine_retry_later(machine, reply, out);
		return;
	}
	machine_plan_learn(machine, FTP_DATA_PENDING, reply->code);
	answer_instead(machine, out);
	if (machine->transfer == FTP_TRANSFER_ASKED && machine->opened) {
		ftp_out_add(out, FTP_DO_DATA_DISMISS);
		machine_plan_drop(machine, out);
	} else if (machine->transfer == FTP_TRANSFER_ASKED)
		/* some clients then send NLST after LIST for the same data connection */
		ftp_out_add(out, FTP_DO_DATA_REFUSED);
	else if (!machine->kept || !ftp_reply_is_positive(reply->code))
		machine_plan_drop(machine, out);
	machine->transfer = FTP_TRANSFER_NONE;
	machine->result = FTP_DATA_PENDING;
	machine->opened = false; /* a kept connection has no new plan, and its next transfer no such 150 */
	machine_side_transfer_ended(machine, out);
}

void machine_transfer_data_done(struct ftp_machine *machine, enum ftp_data_result result)
{
	if (machine->transfer != FTP_TRANSFER_ASKED && machine->transfer != FTP_TRANSFER_GOING)
		return;
	machine->transfer = FTP_TRANSFER_OVER;
	machine->result = result;
	machine->kept = false;
	machine_plan_learn(machine, result, 0);
}

void machine_transfer_data_kept(struct ftp_machine *machine)
{
	machine->kept = machine->transfer == FTP_TRANSFER_OVER && machine->plan == FTP_PLAN_READY;
}

void machine_transfer_data_over(struct ftp_machine *machine, struct ftp_out *out)
{
	bool idle = machine->kept && machine->transfer == FTP_TRANSFER_NONE;

	machine->kept = false;
	if (idle)
		machine_plan_drop(machine, out);
}
