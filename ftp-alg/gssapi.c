/*
 * RFC 2228 with the mechanism of its appendix. The gateway has the keys and reads the
 * tokens; this is what they mean to a session.
 */
#include "ftp-alg/gssapi.h"

#include "ftp-alg/late-choice.h"
#include "ftp-alg/plan.h"
#include "ftp-alg/server-link.h"
#include "ftp-alg/turn.h"

void machine_gssapi_command(struct ftp_machine *machine, enum ftp_local refusal)
{
	if (machine->security.gssapi && refusal != FTP_LOCAL_GSSAPI_CLEAR)
		ftp_security_answer_as(&machine->security, ftp_machine_in_transfer(machine));
}

enum ftp_take ftp_machine_bad_envelope(struct ftp_machine *machine, enum ftp_envelope why,
				       struct ftp_out *out)
{
	if (machine->closing)
		return FTP_TAKEN;
	if (why == FTP_ENVELOPE_SEQUENCE) {
		machine_close(machine, FTP_LOCAL_ENVELOPE_SEQUENCE, "out-of-sequence", out);
		return FTP_TAKEN;
	}
	if (!machine_takes_now(machine, ftp_verb_find("", 0), out))
		return FTP_HOLD;
	/* in the clear, as for a command in the clear: nobody knows who has sent it */
	machine_answer(machine, why == FTP_ENVELOPE_BAD ? FTP_LOCAL_ENVELOPE_BAD : FTP_LOCAL_ENVELOPE_REFUSED,
		       out)
	    ->clear = true;
	machine_strike(machine, "bad-tokens", out);
	return FTP_TAKEN;
}

/* As after AUTH TLS, see run_auth(): nothing that came in the clear may count. */
static void begin(struct ftp_machine *machine, const char *token, struct ftp_out *out)
{
	ftp_security_gssapi_up(&machine->security, machine->action);
	machine_late_choice_forget(machine); /* a HOST can have come after AUTH as well */
	ftp_out_format(out, FTP_DO_REPLY, "235 ADAT=%s", token)->clear = true;
	if (machine->told || machine->user_seen || machine->lazy_dial)
		machine_link_renew(machine, FTP_PENDING_RENEWED, out);
	else
		machine_plan_drop(machine, out);
	machine->login = FTP_LOGIN_NONE;
}

/* It counts like a wrong password, so that a session cannot try without end. */
static void ticket_refused(struct ftp_machine *machine, struct ftp_out *out)
{
	uint32_t most = machine->action->login_attempts;

	if (machine->failures_here < UINT8_MAX)
		machine->failures_here++;
	if (most != 0 && machine->failures_here >= most)
		machine_close(machine, FTP_LOCAL_TOO_MANY_LOGINS, "too-many-failed-logins", out);
}

void ftp_machine_adat(struct ftp_machine *machine, enum ftp_adat result, const char *token,
		      struct ftp_out *out)
{
	switch (result) {
	case FTP_ADAT_REFUSED:
	case FTP_ADAT_BAD:
		ftp_security_gssapi_failed(&machine->security);
		machine_answer(machine, result == FTP_ADAT_BAD ? FTP_LOCAL_ADAT_BAD : FTP_LOCAL_ADAT_REFUSED,
			       out);
		ticket_refused(machine, out);
		break;
	case FTP_ADAT_MORE:
		ftp_out_format(out, FTP_DO_REPLY, "335 ADAT=%s", token);
		break;
	case FTP_ADAT_DONE:
		begin(machine, token, out);
		break;
	}
}
