/*
 * The connection to the server, in the two cases in which it is not simply there
 * from the start. It is renewed when the server has to forget what it was told (REIN,
 * AUTH after commands in the clear). With lazy_dial it is made when the first command
 * needs it, so that the PROXY header can tell the server about TLS; until then the
 * gateway answers by itself, and the client does not see the server's greeting.
 */
#include "ftp-alg/server-link.h"

#include "ftp-alg/access.h"
#include "ftp-alg/plan.h"
#include "ftp-alg/reply-filter.h"
#include "ftp-alg/server-tls.h"
#include "ftp-alg/urgent.h"

/* RFC 4217 13: the 220 is sent protected, then the connection is clear again. */
static void rein_ends(struct ftp_machine *machine, struct ftp_out *out)
{
	if (machine->security.implicit) { /* the secure port has no way back to the clear */
		ftp_security_init(&machine->security, machine->action, true);
		ftp_security_tls_up(&machine->security);
		return;
	}
	if (machine->security.ctrl == FTP_CTRL_TLS)
		ftp_out_add(out, FTP_DO_TLS_STOP)->notify = true;
	if (machine->security.gssapi || machine->security.adat)
		ftp_out_add(out, FTP_DO_GSSAPI_STOP);
	ftp_security_init(&machine->security, machine->action, false);
	machine->identity = (struct ftp_identity){ .certificate = false };
}

void machine_link_greet(struct ftp_machine *machine, struct ftp_out *out)
{
	machine_answer_greeting(machine, out);
	if (machine->security.implicit && machine->security.ctrl != FTP_CTRL_TLS &&
	    machine->action->secureimplicitzos)
		ftp_out_add(out, FTP_DO_TLS_START);
}

/* The greeting is the server's, and the client has it, or one in its place. */
static void greeting_counts(struct ftp_machine *machine, enum ftp_pending pending, struct ftp_out *out)
{
	if (pending == FTP_PENDING_GREETING && machine->security.implicit &&
	    machine->security.ctrl != FTP_CTRL_TLS && machine->action->secureimplicitzos)
		ftp_out_add(out, FTP_DO_TLS_START);
	if (pending == FTP_PENDING_REIN)
		rein_ends(machine, out);
}

void machine_link_greeted(struct ftp_machine *machine, enum ftp_pending pending,
			  const struct ftp_reply *reply, struct ftp_out *out)
{
	bool trusted = ftp_machine_trusts_server(machine);
	bool unseen = pending == FTP_PENDING_RENEWED || !trusted;

	if (!ftp_reply_is_positive(reply->code)) {
		machine_close(machine, unseen ? FTP_LOCAL_SERVER_DOWN : FTP_LOCAL_NONE, "server-refused",
			      out);
		return;
	}
	if (!trusted) {
		machine_server_tls_begin(machine, pending, out);
		return;
	}
	machine->greeted_in = reply->code == 230;
	greeting_counts(machine, pending, out);
}

void machine_link_tls_up(struct ftp_machine *machine, struct ftp_out *out)
{
	enum ftp_pending pending = machine_server_tls_up(machine);

	if (pending == FTP_PENDING_NONE)
		return;
	if (pending != FTP_PENDING_RENEWED) /* the server's own, in the clear, may have been another's */
		machine_answer_greeting(machine, out);
	greeting_counts(machine, pending, out);
}

void machine_link_again(struct ftp_machine *machine)
{
	enum ftp_pending pending = machine->pending;

	if (machine->closing)
		return;
	if (pending == FTP_PENDING_SERVER_AUTH || pending == FTP_PENDING_SERVER_HANDSHAKE)
		pending = machine->server_tls.greeted;
	machine->stray = false;
	machine_urgent_forget(machine);
	machine_server_tls_renew(machine);
	machine->pending = pending;
}

/* May the client still send AUTH? Then FEAT asks about that, and the gateway can answer. */
static bool may_protect(const struct ftp_machine *machine)
{
	return machine->security.ctrl == FTP_CTRL_CLEAR && !machine->security.implicit &&
	       !machine->security.clear_only && machine->action->extensions != 0;
}

bool machine_link_is_not_needed(enum ftp_verb_kind kind)
{
	switch (kind) {
	case FTP_KIND_AUTH:
	case FTP_KIND_PBSZ:
	case FTP_KIND_PROT:
	case FTP_KIND_CCC:
	case FTP_KIND_ADAT:
	case FTP_KIND_ENVELOPE:
	case FTP_KIND_UNAVAILABLE:
	case FTP_KIND_REIN:
	case FTP_KIND_PASS: /* without a USER that was passed on: the gateway refuses it */
		return true;
	default: /* Not by rule 11: all other verbs are for the server. */
		return false;
	}
}

enum machine_step machine_link_command(struct ftp_machine *machine, const struct ftp_command *command,
				       struct ftp_out *out)
{
	if (!machine->undialled || machine_link_is_not_needed(command->verb->kind))
		return MACHINE_RUNS;
	if (machine->late_choice != NULL && command->verb->kind != FTP_KIND_QUIT)
		return MACHINE_RUNS; /* late-choice.c has judged it, and the gateway answers */
	if (command->verb->kind == FTP_KIND_QUIT) {
		machine_close(machine, FTP_LOCAL_GOODBYE, "quit", out);
		return MACHINE_ANSWERED;
	}
	if (command->verb->kind == FTP_KIND_FEAT && may_protect(machine)) {
		machine_feat_ends(machine, false, out);
		return MACHINE_ANSWERED;
	}
	machine->undialled = false;
	machine_expect(machine, FTP_PENDING_RENEWED);
	ftp_out_add(out, FTP_DO_SERVER_RENEW);
	return MACHINE_WAITS;
}

/* In place of a renewal: drop the server until it is needed again. */
static void renew_later(struct ftp_machine *machine, enum ftp_pending pending, struct ftp_out *out)
{
	if (!machine->undialled)
		ftp_out_add(out, FTP_DO_SERVER_DROP);
	machine->undialled = true;
	if (pending != FTP_PENDING_REIN)
		return;
	machine_answer_greeting(machine, out);
	rein_ends(machine, out);
}

/* Each costs the server a connection: more than this in one session is an attack on it. */
#define RENEWALS_MAX 20

void machine_link_renew(struct ftp_machine *machine, enum ftp_pending pending, struct ftp_out *out)
{
	machine_say(machine, machine->usual); /* no user has been named */
	if (++machine->renewals > RENEWALS_MAX) {
		machine_close(machine, FTP_LOCAL_TOO_MANY_ERRORS, "too-many-renewals", out);
		return;
	}
	machine_plan_drop(machine, out);
	machine->pending = FTP_PENDING_NONE;
	machine->side = (struct ftp_side_replies){ .due = false };
	machine->login = FTP_LOGIN_NONE;
	machine->user_seen = machine->greeted_in = machine->told = false;
	machine->check = FTP_CHECK_NONE;
	machine->restart = false;
	machine->stray = false;
	machine->representation = (struct ftp_representation){ .asked = FTP_PARAMETER_NONE };
	machine_server_tls_renew(machine);
	machine_access_renew(machine);
	machine->epsv_all = false;
	if (machine->lazy_dial) {
		renew_later(machine, pending, out);
		return;
	}
	machine_expect(machine, pending);
	ftp_out_add(out, FTP_DO_SERVER_RENEW);
}
