/*
 * What each kind of command does once it has passed the gates of machine.c: the
 * gateway answers it, forwards it, or hands it to the part that it belongs to
 * (login, plan, transfer, retry, server-link).
 */
#include "ftp-alg/command.h"

#include <string.h>
#include <strings.h>

#include "ftp-alg/late-choice.h"
#include "ftp-alg/login.h"
#include "ftp-alg/plan.h"
#include "ftp-alg/retry.h"
#include "ftp-alg/server-link.h"
#include "ftp-alg/side-reply.h"
#include "ftp-alg/transfer.h"

static void run_auth(struct ftp_machine *machine, const struct ftp_command *command, struct ftp_out *out)
{
	enum ftp_local answer =
	    ftp_security_auth(&machine->security, machine->action, command->arg, command->arg_len);

	machine_answer(machine, answer, out);
	if (answer == FTP_LOCAL_OK_AUTH || answer == FTP_LOCAL_OK_AUTH_GSSAPI)
		machine_late_choice_forget(machine);
	if (answer == FTP_LOCAL_OK_AUTH_GSSAPI)
		ftp_out_add(out, FTP_DO_GSSAPI_BEGIN);
	if (answer != FTP_LOCAL_OK_AUTH)
		return;
	ftp_out_add(out, FTP_DO_TLS_START);
	/*
	 * RFC 4217 4.2: as if REIN. An attacker may have sent what came in the clear, such as a
	 * HOST that picks who gets the password. The server forgets only with a new connection.
	 */
	if (machine->told || machine->user_seen || machine->lazy_dial) /* or a PROXY header named no TLS */
		machine_link_renew(machine, FTP_PENDING_RENEWED, out);
	else
		machine_plan_drop(machine, out);
}

/* While policy is audited, PROT C may pass that the level of data connections would refuse. */
static void run_prot(struct ftp_machine *machine, const struct ftp_command *command, struct ftp_out *out)
{
	const struct ftp_action *audited = machine->audited;
	enum ftp_prot before = machine->security.prot;
	enum ftp_local answer =
	    ftp_security_prot(&machine->security, machine->action, command->arg, command->arg_len);

	if (audited != NULL && answer == FTP_LOCAL_OK_PROT_C &&
	    (audited->secure_dataconn == SECURE_SAFE || audited->secure_dataconn == SECURE_PRIVATE))
		machine_note(machine, FTP_LOCAL_PROT_C_DENIED, audited, out);
	machine_answer(machine, answer, out);
	if (machine->kept && machine->security.prot != before) /* it has the level of before */
		machine_plan_drop(machine, out);
}

static void run_adat(struct ftp_machine *machine, const struct ftp_command *command, struct ftp_out *out)
{
	if (machine->security.adat)
		ftp_out_text(out, FTP_DO_GSSAPI_ACCEPT, command->arg, command->arg_len);
	else
		machine_answer(machine,
			       machine->security.gssapi			? FTP_LOCAL_ADAT_DONE
			       : machine->security.ctrl == FTP_CTRL_TLS ? FTP_LOCAL_ADAT_TLS
									: FTP_LOCAL_ADAT_FIRST,
			       out);
}

/* With a security context, what is protected is read before it comes here. */
static void run_envelope(struct ftp_machine *machine, struct ftp_out *out)
{
	machine_answer(machine,
		       machine->security.gssapi			? FTP_LOCAL_ENVELOPE_NESTED
		       : machine->security.ctrl == FTP_CTRL_TLS ? FTP_LOCAL_ENVELOPE_TLS
								: FTP_LOCAL_ENVELOPE_CLEAR,
		       out);
}

static void run_pbsz(struct ftp_machine *machine, const struct ftp_command *command, struct ftp_out *out)
{
	enum ftp_local answer =
	    ftp_security_pbsz(&machine->security, machine->action, command->arg, command->arg_len);

	if (answer == FTP_LOCAL_OK_PBSZ && machine->security.gssapi)
		ftp_out_format(out, FTP_DO_REPLY, "200 PBSZ=%u", (unsigned)machine->security.block);
	else
		machine_answer(machine, answer, out);
}

static void run_ccc(struct ftp_machine *machine, struct ftp_out *out)
{
	enum ftp_local answer =
	    ftp_security_ccc(&machine->security, machine->action, machine->login == FTP_LOGIN_DONE);

	if (machine->audited != NULL && answer == FTP_LOCAL_OK_CCC &&
	    machine->audited->secure_ctrlconn != SECURE_CLEAR)
		machine_note(machine, FTP_LOCAL_CCC_DENIED, machine->audited, out);
	machine_answer(machine, answer, out);
	if (answer != FTP_LOCAL_OK_CCC)
		return;
	machine->clear_spoken = false;
	if (machine->security.gssapi)
		return;			      /* commands may be protected from now on, or not */
	machine->identity.server_name = NULL; /* it goes with TLS */
	ftp_out_add(out, FTP_DO_TLS_STOP)->notify = machine->action->tlsrfclevel != TLSRFCLEVEL_CCCNONOTIFY;
}

static void run_pass(struct ftp_machine *machine, const struct ftp_command *command, struct ftp_out *out)
{
	if (machine->login ==
	    FTP_LOGIN_DONE) /* the server would refuse it, and the login would seem to have failed */
		machine_answer(machine, FTP_LOCAL_OK_ALREADY_IN, out);
	else if (machine->login != FTP_LOGIN_NEED_PASS)
		machine_answer(machine, FTP_LOCAL_PASS_WITHOUT_USER, out);
	else
		machine_pass_on(machine, command, FTP_PENDING_PASS, out);
}

/* The last step of a login when the server asked for it (332); at any other time it changes no login. */
static void run_acct(struct ftp_machine *machine, const struct ftp_command *command, struct ftp_out *out)
{
	bool wanted = machine->login == FTP_LOGIN_NEED_PASS;

	machine_pass_on(machine, command, wanted ? FTP_PENDING_PASS : FTP_PENDING_PLAIN, out);
}

static void run_mode(struct ftp_machine *machine, const struct ftp_command *command, struct ftp_out *out)
{
	/* the relay has to know where a file ends: GridFTP's MODE E spreads one over many connections */
	if (command->arg_len == 1 && strchr("SsBbCcZz", command->arg[0]) != NULL)
		machine_pass_on(machine, command, FTP_PENDING_PLAIN, out);
	else
		machine_answer(machine, FTP_LOCAL_MODE_UNSUPPORTED, out);
}

static void run_abor(struct ftp_machine *machine, const struct ftp_command *command, struct ftp_out *out)
{
	if (machine->transfer ==
	    FTP_TRANSFER_WAITING) { /* the server is doing nothing that could be aborted */
		machine_retry_abort(machine, out);
		return;
	}
	if (!ftp_machine_in_transfer(machine)) {
		machine_pass_on(machine, command, FTP_PENDING_ABOR, out);
		return;
	}
	machine_side_send(machine, command, out);
	ftp_out_add(out, FTP_DO_DATA_DOUBT);
}

static void run_noop(struct ftp_machine *machine, const struct ftp_command *command, struct ftp_out *out)
{
	if (ftp_machine_in_transfer(machine))
		machine_side_send(machine, command, out);
	else
		machine_pass_on(machine, command, FTP_PENDING_PLAIN, out);
}

/* RFC 7151 3: before login only; and what SNI has said already it must say again. */
static void run_host(struct ftp_machine *machine, const struct ftp_command *command, struct ftp_out *out)
{
	const char *sni = machine->identity.server_name;
	bool tls = machine->security.ctrl == FTP_CTRL_TLS;

	if (machine->user_seen || machine_late_choice_made(machine))
		machine_answer(machine, FTP_LOCAL_HOST_LATE, out);
	else if (command->arg_len == 0 || memchr(command->arg, ' ', command->arg_len) != NULL)
		machine_answer(machine, FTP_LOCAL_HOST_SYNTAX, out);
	else if (tls && sni != NULL &&
		 (strlen(sni) != command->arg_len || strncasecmp(sni, command->arg, command->arg_len) != 0))
		machine_answer(machine, FTP_LOCAL_HOST_OTHER, out);
	else if (machine->late_choice != NULL)
		machine_late_choice_host(machine, command, out);
	else
		machine_pass_on(machine, command, FTP_PENDING_HOST, out);
}

/*
 * RFC 3659 5.3: the server forgets the offset with the transfer that it refuses,
 * so that a second attempt would begin with the file's first byte.
 */
static void run_rest(struct ftp_machine *machine, const struct ftp_command *command, struct ftp_out *out)
{
	machine->restart = false;
	for (size_t i = 0; i < command->arg_len; i++)
		machine->restart |= command->arg[i] != '0' && command->arg[i] != ' ';
	machine_pass_on(machine, command, FTP_PENDING_PLAIN, out);
}

static void run_stat(struct ftp_machine *machine, const struct ftp_command *command, struct ftp_out *out)
{
	enum ftp_pending pending = command->arg_len == 0 ? FTP_PENDING_STATUS : FTP_PENDING_PLAIN;

	if (ftp_machine_in_transfer(machine))
		machine_side_send(machine, command, out);
	else
		machine_pass_on(machine, command, pending, out);
}

enum machine_step machine_run(struct ftp_machine *machine, const struct ftp_command *command,
			      struct ftp_out *out)
{
	switch (command->verb->kind) {
	case FTP_KIND_USER:
		if (machine->kept) /* another user's */
			machine_plan_drop(machine, out);
		machine_login_user(machine, command, out);
		break;
	case FTP_KIND_PASS:
		run_pass(machine, command, out);
		break;
	case FTP_KIND_ACCT:
		run_acct(machine, command, out);
		break;
	case FTP_KIND_AUTH:
		run_auth(machine, command, out);
		break;
	case FTP_KIND_PBSZ:
		run_pbsz(machine, command, out);
		break;
	case FTP_KIND_PROT:
		run_prot(machine, command, out);
		break;
	case FTP_KIND_CCC:
		run_ccc(machine, out);
		break;
	case FTP_KIND_FEAT:
		machine_pass_on(machine, command, FTP_PENDING_FEAT, out);
		break;
	case FTP_KIND_PASV:
	case FTP_KIND_EPSV:
	case FTP_KIND_PORT:
	case FTP_KIND_EPRT:
		return machine_plan_command(machine, command, out);
	case FTP_KIND_DOWNLOAD:
	case FTP_KIND_UPLOAD:
		machine_transfer_command(machine, command, out);
		break;
	case FTP_KIND_ABOR:
		run_abor(machine, command, out);
		break;
	case FTP_KIND_QUIT:
		machine_pass_on(machine, command, FTP_PENDING_QUIT, out);
		break;
	case FTP_KIND_REIN:
		machine_late_choice_forget(machine);
		machine_link_renew(machine, FTP_PENDING_REIN, out);
		break;
	case FTP_KIND_MODE:
		run_mode(machine, command, out);
		break;
	case FTP_KIND_STAT:
		run_stat(machine, command, out);
		break;
	case FTP_KIND_NOOP:
		run_noop(machine, command, out);
		break;
	case FTP_KIND_HOST:
		run_host(machine, command, out);
		break;
	case FTP_KIND_REST:
		run_rest(machine, command, out);
		break;
	case FTP_KIND_SYST:
		machine_pass_on(machine, command, FTP_PENDING_SYST, out);
		break;
	case FTP_KIND_ADAT:
		run_adat(machine, command, out);
		break;
	case FTP_KIND_ENVELOPE:
		run_envelope(machine, out);
		break;
	case FTP_KIND_UNAVAILABLE:
		machine_answer(machine, FTP_LOCAL_UNAVAILABLE, out);
		break;
	case FTP_KIND_PASS_ON:
		machine_pass_on(machine, command, FTP_PENDING_PLAIN, out);
		break;
	case FTP_KIND_FOREIGN: /* ended the session before */
	case FTP_KIND_COUNT:
		break;
	}
	return MACHINE_ANSWERED;
}
