/*
 * The FTP machine's front: every event comes in here. It decides whether a line
 * may be taken now, asks gate.c whether it may go on at all, finds out which command a
 * reply answers, and hands the event to its part: command.c, login.c, plan.c,
 * transfer.c, retry.c, server-link.c or reply-filter.c.
 */
#include "ftp-alg/machine.h"

#include <assert.h>
#include <string.h>

#include "ftp-alg/access.h"
#include "ftp-alg/command.h"
#include "ftp-alg/feat.h"
#include "ftp-alg/gate.h"
#include "ftp-alg/gssapi.h"
#include "ftp-alg/late-choice.h"
#include "ftp-alg/login.h"
#include "ftp-alg/plan.h"
#include "ftp-alg/reply-filter.h"
#include "ftp-alg/retry.h"
#include "ftp-alg/server-link.h"
#include "ftp-alg/server-tls.h"
#include "ftp-alg/side-reply.h"
#include "ftp-alg/stray.h"
#include "ftp-alg/transfer.h"
#include "ftp-alg/turn.h"
#include "ftp-alg/urgent.h"

/* BSD's ftpd and its descendants read lines into 512 bytes, and run the rest as another command. */
#define COMMAND_LINE_MAX 510

void ftp_machine_init(struct ftp_machine *machine, const struct ftp_machine_setup *setup)
{
	*machine = (struct ftp_machine){
		.action = setup->action,
		.access = setup->access,
		.permitted = setup->permitted,
		.banner = setup->banner,
		.client = setup->client,
		.server_addr = setup->server,
		.modes = setup->modes,
		.low_ports = setup->low_ports,
		.shared_ways = setup->ways,
		.failures = setup->failures,
		.side_reply_ms = setup->side_reply_ms,
		.command_line_max = setup->command_line_max != 0 ? setup->command_line_max : COMMAND_LINE_MAX,
		.drops_strays = setup->drops_strays,
		.abort = setup->abort,
		.lazy_dial = setup->lazy_dial,
		.undialled = setup->lazy_dial,
		.late_choice = setup->late_choice,
		.security.clear_only = setup->clear_only,
	};
	machine_server_tls_init(machine, setup->server_security);
	machine->audited = setup->audited;
	machine->usual = machine_said(machine);
	ftp_security_init(&machine->security, setup->action, setup->implicit);
	if (!setup->lazy_dial)
		machine_expect(machine, FTP_PENDING_GREETING);
}

void ftp_machine_greet(struct ftp_machine *machine, struct ftp_out *out)
{
	machine_link_greet(machine, out);
}

/* A command that has passed the gates: what it needs first, and then the command itself. */
static enum machine_step carry_out(struct ftp_machine *machine, const struct ftp_command *command,
				   struct ftp_out *out)
{
	enum ftp_verb_kind kind = command->verb->kind;
	enum machine_step step = machine_access(machine, command, out);

	if (step != MACHINE_RUNS)
		return step;
	if (kind == FTP_KIND_DOWNLOAD || kind == FTP_KIND_UPLOAD)
		step = machine_transfer_prepare(machine, command, out);
	if (step == MACHINE_RUNS && machine->late_choice != NULL)
		step = machine_late_choice(machine, command, out);
	if (step == MACHINE_RUNS)
		step = machine_link_command(machine, command, out);
	if (step == MACHINE_RUNS && machine_login_waits(machine, command, out))
		step = MACHINE_WAITS;
	if (step == MACHINE_RUNS && machine_login_is_denied(machine, command, out))
		step = MACHINE_ANSWERED;
	if (step == MACHINE_RUNS)
		step = machine_run(machine, command, out);
	if (step != MACHINE_WAITS)
		machine_access_sent(machine, command);
	return step;
}

enum ftp_take ftp_machine_protected(struct ftp_machine *machine, enum ftp_prot level, const char *line,
				    size_t len, struct ftp_out *out)
{
	struct ftp_command command = ftp_command_parse(line, len);
	enum ftp_local refusal;

	if (machine->closing)
		return FTP_TAKEN;
	if (command.verb->kind == FTP_KIND_FOREIGN) {
		out->verb = command.verb->name;
		machine_close(machine, FTP_LOCAL_FOREIGN, "foreign-protocol", out);
		return FTP_TAKEN;
	}
	if (!machine_takes_now(machine, command.verb, out))
		return FTP_HOLD;
	machine->security.command = level;
	if (!(command.verb->flags & FTP_VERB_BEFORE_LOGIN)) {
		machine_login_take_greeted(machine, out);
		if (machine_server_tls_leave(machine, out))
			return FTP_HOLD;
	}
	refusal = machine_gate(machine, &command);
	/* the client would take it for the reply to the transfer */
	if (refusal != FTP_LOCAL_NONE && ftp_machine_in_transfer(machine))
		return FTP_HOLD;
	/* Not the line itself: an unknown verb may be a password that was sent as a line of its own. */
	out->verb = command.verb->name;
	if (machine->security.ctrl == FTP_CTRL_CLEARED && command.verb->kind != FTP_KIND_PASV &&
	    command.verb->kind != FTP_KIND_EPSV)
		machine->clear_spoken = true;
	machine_gssapi_command(machine, refusal);
	if (refusal != FTP_LOCAL_NONE) {
		/* Anybody can have sent a command in the clear. Its answer must not look like the next reply.
		 */
		machine_answer(machine, refusal, out)->clear = refusal == FTP_LOCAL_GSSAPI_CLEAR;
		if (command.verb->kind == FTP_KIND_USER)
			machine_login_user_refused(machine);
		machine_count_strikes(machine, out);
		return FTP_TAKEN;
	}
	if (carry_out(machine, &command, out) == MACHINE_WAITS)
		return FTP_HOLD;
	machine_count_strikes(machine, out);
	return FTP_TAKEN;
}

enum ftp_take ftp_machine_bad_line(struct ftp_machine *machine, enum ftp_line_status status,
				   struct ftp_out *out)
{
	if (machine->closing)
		return FTP_TAKEN;
	if (status == FTP_LINE_BARE_LF) {
		machine_close(machine, FTP_LOCAL_BARE_LF, "bare-lf", out);
		return FTP_TAKEN;
	}
	if (!machine_takes_now(machine, ftp_verb_find("", 0), out))
		return FTP_HOLD;
	switch (status) {
	case FTP_LINE_TOO_LONG:
		machine_answer(machine, machine_gssapi_too_long(machine), out)->clear = true;
		break;
	case FTP_LINE_NUL:
	case FTP_LINE_BARE_CR:
		machine_answer(machine, FTP_LOCAL_BAD_BYTES, out)->clear = true;
		break;
	case FTP_LINE_BARE_LF:
	case FTP_LINE_MORE:
	case FTP_LINE_OK:
		assert(!"not a bad line that is left");
	}
	machine_strike(machine, "malformed-lines", out);
	return FTP_TAKEN;
}

/* Is this the late last reply of a transfer that has ended for the gateway? */
static bool is_late_transfer(const struct ftp_machine *machine)
{
	return machine->answer.whom == FTP_ANSWERS_LATE && machine->answer.kind == FTP_SIDE_REPLY_TRANSFER;
}

/* What to do with the first line of a reply: take it, hold it, or end the session. */
static enum ftp_take reply_begins(struct ftp_machine *machine, const struct ftp_reply *reply,
				  struct ftp_out *out)
{
	if (machine->plan == FTP_PLAN_LISTENING_CLIENT || machine->plan == FTP_PLAN_PRIMING)
		return FTP_HOLD; /* a late answer must not come between the parts of the client's 227 or 229
				  */
	machine->instead = FTP_LOCAL_NONE;
	if (reply->code == 421) {
		machine_close_125(machine, out); /* or the client would take it for text of the 125- */
		return FTP_TAKEN;
	}
	machine->answer = machine_side_whose(machine, reply->code);
	if (machine->answer.whom == FTP_ANSWERS_PENDING && machine->pending == FTP_PENDING_NONE) {
		machine_stray_reply(machine, reply, out);
		return FTP_TAKEN;
	}
	/* only the plan asks for one */
	if (ftp_reply_names_a_port(reply->code) &&
	    !(machine->answer.whom == FTP_ANSWERS_PENDING && machine->pending == FTP_PENDING_PLAN)) {
		ftp_out_text(out, FTP_DO_STRAY, reply->line, reply->len)->refusal = true;
		machine_close(machine, FTP_LOCAL_SERVER_CONFUSED, "unsolicited-data-port", out);
		return FTP_TAKEN;
	}
	if (machine->answer.whom == FTP_ANSWERS_SIDE && machine->retry.open) {
		/* the answer to ABOR: the client does not want to wait any longer */
		machine->retry.allowed = false;
		machine_close_125(machine, out);
	}
	if (is_late_transfer(machine))
		machine_transfer_late_gate(machine, reply);
	if (machine->answer.whom != FTP_ANSWERS_PENDING)
		return FTP_TAKEN;
	if (machine->pending == FTP_PENDING_TRANSFER)
		return machine_transfer_gate(machine, reply, out);
	return machine_login_gate(machine, reply->code, out);
}

/* The last line of a final reply to the command that is pending. */
static void pending_ends(struct ftp_machine *machine, const struct ftp_reply *reply, struct ftp_out *out)
{
	enum ftp_pending pending = machine->pending;

	machine->pending = FTP_PENDING_NONE;
	machine_access_ends(machine, pending, reply->code);
	switch (pending) {
	case FTP_PENDING_FEAT:
		/* the client gets a list whatever the server said */
		machine_feat_ends(machine, machine->shown != 0, out);
		break;
	case FTP_PENDING_USER:
	case FTP_PENDING_PASS:
	case FTP_PENDING_USER_CERTIFICATE:
	case FTP_PENDING_PASS_CERTIFICATE:
		if (machine_login_reply(machine, pending, reply->code, out))
			machine_link_renew(machine, FTP_PENDING_RENEWED, out);
		(void)machine_server_tls_leave(machine, out); /* the next command waits for its replies */
		break;
	case FTP_PENDING_QUIT:
		machine_close(machine, FTP_LOCAL_NONE, "quit", out);
		break;
	case FTP_PENDING_TRANSFER:
		machine_transfer_reply(machine, reply, out);
		break;
	case FTP_PENDING_GREETING:
	case FTP_PENDING_RENEWED:
	case FTP_PENDING_REIN:
		machine_link_greeted(machine, pending, reply, out);
		break;
	case FTP_PENDING_PLAIN:
		if (!ftp_reply_is_positive(reply->code) || reply->code == 202) /* superfluous */
			break;
		ftp_representation_agree(&machine->representation);
		if (machine->changes)
			ftp_out_add(out, FTP_DO_CHANGED)->number = machine->changes;
		break;
	case FTP_PENDING_ABOR: /* without a transfer: it ends the data connection that was planned */
		if (ftp_reply_is_positive(reply->code))
			machine_plan_drop(machine, out);
		break;
	case FTP_PENDING_SERVER_AUTH:
	case FTP_PENDING_SERVER_PBSZ:
	case FTP_PENDING_SERVER_PROT:
	case FTP_PENDING_SERVER_CCC:
	case FTP_PENDING_SERVER_NOOP:
		machine_server_tls_reply(machine, pending, reply, out);
		break;
	case FTP_PENDING_SERVER_HANDSHAKE: /* see machine_server_tls_is_injected() */
	case FTP_PENDING_PLAN:		   /* see ftp_machine_reply() */
	case FTP_PENDING_HOST_TOLD:
	case FTP_PENDING_FOLDER:
	case FTP_PENDING_NONE:
	case FTP_PENDING_STAT:
	case FTP_PENDING_HOST:
	case FTP_PENDING_SYST:
	case FTP_PENDING_STATUS:
		break;
	}
}

static void reply_ends(struct ftp_machine *machine, const struct ftp_reply *reply, struct ftp_out *out)
{
	if (machine->answer.whom == FTP_ANSWERS_PENDING)
		pending_ends(machine, reply, out);
	else
		machine_side_answered(machine, reply->code, out);
	if (is_late_transfer(machine))
		machine_transfer_late_reply(machine, out);
	if (machine->draining && ftp_machine_is_idle(machine))
		machine_close(machine, FTP_LOCAL_SHUTDOWN, "shutdown", out);
}

/* The server's part of the data plan stands: for a transfer that waited, or for one that the client plans. */
static void plan_is_agreed(struct ftp_machine *machine, struct ftp_out *out)
{
	if (machine->retry.replanning)
		machine_retry_now(machine, out);
	else
		machine_plan_tell_client(machine, out);
}

enum ftp_take ftp_machine_reply(struct ftp_machine *machine, const struct ftp_reply *reply, bool last,
				struct ftp_out *out)
{
	bool ends = last && !ftp_reply_is_preliminary(reply->code);

	if (machine->closing || machine_server_tls_is_injected(machine, out))
		return FTP_TAKEN;
	if (reply->first && reply_begins(machine, reply, out) == FTP_HOLD)
		return FTP_HOLD;
	if (machine->closing)
		return FTP_TAKEN;
	if (machine->stray) { /* it holds no command */
		machine->stray = !last;
		return FTP_TAKEN;
	}
	machine->reply_open = !last;
	if (reply->code == 421) {
		bool trusted = ftp_machine_trusts_server(machine);

		if (trusted)
			machine_relay_reply(machine, FTP_PENDING_PLAIN, reply, last, out);
		if (last)
			machine_close(machine, trusted ? FTP_LOCAL_NONE : FTP_LOCAL_SERVER_DOWN, "server-421",
				      out);
		return FTP_TAKEN;
	}
	if (machine->answer.whom == FTP_ANSWERS_PENDING && machine->pending == FTP_PENDING_PLAN) {
		/* the client does not see these lines; one of them has to carry the port */
		machine_plan_line(machine, reply);
		if (ends) {
			machine->pending = FTP_PENDING_NONE;
			if (machine_plan_reply(machine, reply, out))
				plan_is_agreed(machine, out);
		}
		return FTP_TAKEN;
	}
	machine_urgent_learn(machine, reply);
	machine_access_line(machine, reply);
	machine_relay_reply(machine, machine_side_shown_as(machine, reply->code), reply, last, out);
	if (ends)
		reply_ends(machine, reply, out);
	else if (last && machine->pending == FTP_PENDING_TRANSFER &&
		 machine->answer.whom == FTP_ANSWERS_PENDING)
		machine_transfer_reply(machine, reply, out);
	return FTP_TAKEN;
}

void ftp_machine_stray_line(struct ftp_machine *machine, const struct ftp_reply *line, struct ftp_out *out)
{
	if (!machine->closing && !machine_server_tls_is_injected(machine, out))
		machine_stray_line(machine, line, out);
}

void ftp_machine_listening(struct ftp_machine *machine, enum ftp_side side,
			   const struct ip_endpoint *endpoint, struct ftp_out *out)
{
	if (!machine->closing)
		machine_plan_listening(machine, side, endpoint, out);
}

void ftp_machine_dialled(struct ftp_machine *machine, bool up, struct ftp_out *out)
{
	if (!machine->closing)
		machine_plan_dialled(machine, up, out);
}

bool ftp_machine_holds_quit(const struct ftp_machine *machine, const char *line, size_t len)
{
	return ftp_machine_in_transfer(machine) && ftp_command_parse(line, len).verb->kind == FTP_KIND_QUIT;
}

void ftp_machine_data_handshake(struct ftp_machine *machine, enum ftp_handshake state,
				enum ftp_data_result result)
{
	if (machine->transfer != FTP_TRANSFER_NONE)
		return;
	machine->handshake = state;
	machine->result = result;
}

void ftp_machine_data_done(struct ftp_machine *machine, enum ftp_data_result result, struct ftp_out *out)
{
	(void)out; /* nothing yet: the client hears of it with the server's final reply */
	machine_transfer_data_done(machine, result);
}

void ftp_machine_data_kept(struct ftp_machine *machine)
{
	machine_transfer_data_kept(machine);
}

void ftp_machine_data_over(struct ftp_machine *machine, struct ftp_out *out)
{
	machine_transfer_data_over(machine, out);
}

bool ftp_machine_tries_login(const struct ftp_machine *machine)
{
	/* what still waits for its turn has told the client nothing */
	return machine->login_turn == FTP_LOGIN_TURN_OURS || machine->pending == FTP_PENDING_PASS ||
	       machine->pending == FTP_PENDING_USER_CERTIFICATE ||
	       machine->pending == FTP_PENDING_PASS_CERTIFICATE;
}

void ftp_machine_resume(struct ftp_machine *machine, struct ftp_out *out)
{
	if (machine->closing)
		return;
	if (machine_plan_primed(machine, out))
		return;
	if (machine->transfer != FTP_TRANSFER_WAITING || machine->pending != FTP_PENDING_NONE ||
	    machine->reply_open)
		return;
	if (machine_retry_waits(machine, out))
		return;
	/* On some servers the refusal has used up the passive port, so ask for a new one. */
	machine->retry.replanning = true;
	if (machine->kept || !machine_plan_again(machine, out))
		machine_retry_now(machine, out);
}

void ftp_machine_side_due(struct ftp_machine *machine, struct ftp_out *out)
{
	if (machine->closing)
		return;
	machine_side_due(machine, out);
	if (machine->draining && ftp_machine_is_idle(machine) && !machine->reply_open)
		machine_close(machine, FTP_LOCAL_SHUTDOWN, "shutdown", out);
}

/* The signals that end the session, whatever it is doing. */
static const struct {
	enum ftp_local answer;
	const char *why;
} endings[] = {
	[FTP_SIGNAL_SERVER_DOWN] = { FTP_LOCAL_SERVER_DOWN, "server-down" },
	[FTP_SIGNAL_SERVER_LOST] = { FTP_LOCAL_SERVER_LOST, "server-lost" },
	[FTP_SIGNAL_SERVER_SILENT] = { FTP_LOCAL_SERVER_SILENT, "server-silent" },
	[FTP_SIGNAL_SERVER_UNFINISHED] = { FTP_LOCAL_SERVER_CONFUSED, "reply-unfinished" },
	[FTP_SIGNAL_TLS_UNBOUND] = { FTP_LOCAL_TLS_UNBOUND, "no-extended-master-secret" },
	[FTP_SIGNAL_TLS_SAFE] = { FTP_LOCAL_TLS_SAFE, "not-encrypted" },
	[FTP_SIGNAL_SERVER_TLS_FAILED] = { FTP_LOCAL_SERVER_TLS, "server-tls-failed" },
	[FTP_SIGNAL_SERVER_INJECTED] = { FTP_LOCAL_SERVER_INJECTED, "server-injected" },
	[FTP_SIGNAL_LOGIN_TIMEOUT] = { FTP_LOCAL_LOGIN_TIMEOUT, "login-timeout" },
	[FTP_SIGNAL_IDLE_TIMEOUT] = { FTP_LOCAL_IDLE_TIMEOUT, "inactive" },
	[FTP_SIGNAL_SHUTDOWN] = { FTP_LOCAL_SHUTDOWN, "shutdown" },
	[FTP_SIGNAL_STOPPED] = { FTP_LOCAL_SHUTDOWN, "shutdown" },
	[FTP_SIGNAL_DISMISSED] = { FTP_LOCAL_DISMISSED, "operator" },
};

void ftp_machine_server_again(struct ftp_machine *machine)
{
	machine_link_again(machine);
}

void ftp_machine_signal(struct ftp_machine *machine, enum ftp_signal signal, struct ftp_out *out)
{
	enum ftp_local answer = endings[signal].answer;
	const char *why = endings[signal].why;

	if (machine->closing)
		return;
	if (signal == FTP_SIGNAL_SERVER_TLS_FAILED || signal == FTP_SIGNAL_SERVER_INJECTED)
		answer = machine_server_tls_reason(machine, answer);
	if (signal == FTP_SIGNAL_TLS_UP)
		ftp_security_tls_up(&machine->security);
	else if (signal == FTP_SIGNAL_SERVER_TLS_UP)
		machine_link_tls_up(machine, out);
	else if (signal == FTP_SIGNAL_SHUTDOWN && ftp_machine_in_transfer(machine) &&
		 machine->transfer != FTP_TRANSFER_WAITING)
		machine->draining = true;
	else
		machine_close(machine, answer,
			      signal == FTP_SIGNAL_SERVER_LOST && machine->reply_open ? "reply-cut" : why,
			      out);
}

const char *ftp_machine_feature(const struct ftp_machine *machine, size_t n)
{
	return ftp_feat_line(machine_features(machine), n);
}
