/*
 * The connection to the server, in the two cases in which it is not simply there
 * from the start. It is renewed when the server has to forget what it was told (REIN,
 * AUTH after commands in the clear). With lazy_dial it is made when the first command
 * needs it, so that the PROXY header can tell the server about TLS; until then the
 * gateway answers by itself, and the client does not see the server's greeting.
 */
#include "ftp-alg/server-link.h"

#include "ftp-alg/plan.h"
#include "ftp-alg/reply-filter.h"

/* RFC 4217 13: the 220 is sent protected, then the connection is clear again. */
void machine_link_rein_ends(struct ftp_machine *machine, struct ftp_out *out)
{
	if (machine->security.implicit) { /* the secure port has no way back to the clear */
		ftp_security_init(&machine->security, machine->action, true);
		ftp_security_tls_up(&machine->security);
		return;
	}
	if (machine->security.ctrl == FTP_CTRL_TLS)
		ftp_out_add(out, FTP_DO_TLS_STOP)->notify = true;
	ftp_security_init(&machine->security, machine->action, false);
	machine->identity = (struct ftp_identity){ .certificate = false };
}

void machine_link_greet(struct ftp_machine *machine, struct ftp_out *out)
{
	machine_answer(machine, FTP_LOCAL_OK_GREETING, out);
	if (machine->security.implicit && machine->security.ctrl != FTP_CTRL_TLS &&
	    machine->action->secureimplicitzos)
		ftp_out_add(out, FTP_DO_TLS_START);
}

/* May the client still send AUTH? Then FEAT asks about that, and the gateway can answer. */
static bool may_protect(const struct ftp_machine *machine)
{
	return machine->security.ctrl == FTP_CTRL_CLEAR && !machine->security.implicit &&
	       machine->action->auth_tls;
}

enum machine_link machine_link_command(struct ftp_machine *machine, const struct ftp_command *command,
				       struct ftp_out *out)
{
	if (!machine->undialled)
		return MACHINE_LINK_RUN;
	switch (command->verb->kind) {
	case FTP_KIND_AUTH:
	case FTP_KIND_PBSZ:
	case FTP_KIND_PROT:
	case FTP_KIND_CCC:
	case FTP_KIND_ADAT:
	case FTP_KIND_ENVELOPE:
	case FTP_KIND_UNAVAILABLE:
	case FTP_KIND_REIN:
		return MACHINE_LINK_RUN;
	case FTP_KIND_QUIT:
		machine_close(machine, FTP_LOCAL_GOODBYE, "quit", out);
		return MACHINE_LINK_ANSWERED;
	case FTP_KIND_FEAT:
		if (!may_protect(machine))
			break;
		machine_feat_ends(machine, false, out);
		return MACHINE_LINK_ANSWERED;
	default: /* Not by rule 11: all other verbs go to the server. */
		break;
	}
	machine->undialled = false;
	machine_expect(machine, FTP_PENDING_RENEWED);
	ftp_out_add(out, FTP_DO_SERVER_RENEW);
	return MACHINE_LINK_DIALS;
}

/* In place of a renewal: drop the server until it is needed again. */
static void renew_later(struct ftp_machine *machine, enum ftp_pending pending, struct ftp_out *out)
{
	if (!machine->undialled)
		ftp_out_add(out, FTP_DO_SERVER_DROP);
	machine->undialled = true;
	if (pending != FTP_PENDING_REIN)
		return;
	machine_answer(machine, FTP_LOCAL_OK_GREETING, out);
	machine_link_rein_ends(machine, out);
}

/* Each costs the server a connection: more than this in one session is an attack on it. */
#define RENEWALS_MAX 20

void machine_link_renew(struct ftp_machine *machine, enum ftp_pending pending, struct ftp_out *out)
{
	if (++machine->renewals > RENEWALS_MAX) {
		machine_close(machine, FTP_LOCAL_TOO_MANY_ERRORS, "too-many-renewals", out);
		return;
	}
	machine_plan_drop(machine, out);
	machine->pending = FTP_PENDING_NONE;
	machine->side = (struct ftp_side_replies){ .due = false };
	machine->login = FTP_LOGIN_NONE;
	machine->user_seen = machine->greeted_in = machine->told = false;
	machine->restart = false;
	machine->stray = false;
	machine->epsv_all = false;
	if (machine->lazy_dial) {
		renew_later(machine, pending, out);
		return;
	}
	machine_expect(machine, pending);
	ftp_out_add(out, FTP_DO_SERVER_RENEW);
}
