/*
 * The steps that all parts of the machine take. They stand below the parts, so
 * that no part needs another one just to reply, to forward or to close.
 */
#include "ftp-alg/state.h"

#include <assert.h>
#include <string.h>

#include "ftp-alg/change.h"

struct ftp_act *machine_answer(struct ftp_machine *machine, enum ftp_local answer, struct ftp_out *out)
{
	const char *text = ftp_local_text(answer, machine->action->reply_style);
	struct ftp_act *act = ftp_out_text(out, FTP_DO_REPLY, text, strlen(text));

	/* a 421 ends the session, and the log line of that end gives the reason */
	act->refusal = text[0] >= '4' && strncmp(text, "421", 3) != 0;
	if (act->refusal)
		act->verb = out->verb != NULL ? out->verb : "";
	act->key = ftp_local_key(answer, machine->action);
	return act;
}

void machine_answer_banner(const struct ftp_machine *machine, uint16_t code, struct ftp_out *out)
{
	struct ftp_act *act;
	char *at;

	if (machine->banner == NULL)
		return;
	if (code == 220) {
		ftp_out_text(out, FTP_DO_REPLY, machine->banner, strlen(machine->banner));
		return;
	}
	/* a client waits for the last line of the code with which a reply begins */
	at = out->text + out->used;
	act = ftp_out_copy(out, FTP_DO_REPLY, machine->banner);
	for (size_t left = act->len; left >= 3; left = act->len - (size_t)(at - act->text)) {
		char *lf = memchr(at, '\n', left);

		memcpy(at, "230", 3);
		if (lf == NULL)
			return;
		at = lf + 1;
	}
}

void machine_answer_greeting(struct ftp_machine *machine, struct ftp_out *out)
{
	machine_answer_banner(machine, 220, out);
	machine_answer(machine, FTP_LOCAL_OK_GREETING, out);
}

void machine_note(struct ftp_machine *machine, enum ftp_local refusal, const struct ftp_action *action,
		  struct ftp_out *out)
{
	const char *key = ftp_local_key(refusal, action);
	const char *text = ftp_local_text(refusal, action->reply_style);
	enum ftp_would would = ftp_would_of(key);
	struct ftp_act *act;

	if (would == FTP_WOULD_NONE || (machine->noted >> would & 1) != 0)
		return;
	machine->noted |= (uint8_t)(1u << would);
	act = ftp_out_text(out, FTP_DO_WOULD_REFUSE, text, strlen(text));
	act->key = key;
	act->verb = out->verb != NULL ? out->verb : "";
	act->number = would;
}

void machine_close_125(struct ftp_machine *machine, struct ftp_out *out)
{
	if (!machine->retry.open)
		return;
	machine->retry.open = false;
	if (machine->shown_in_line)
		ftp_out_text(out, FTP_DO_REPLY, "", 0);
	machine->shown = 0;
	machine->shown_in_line = false;
	machine_answer(machine, FTP_LOCAL_WAIT_ENDS, out);
}

/*
 * End a reply that the client has got in part. A 421 inside it would count as text
 * (RFC 959 4.2), and lftp would show half a listing as complete. A preliminary reply
 * or a refusal may be ended, because its first half means the same as the whole. A
 * 2yz or 3yz must stay open: its last line would claim that the listing is complete
 * or the command done. False: the reply stays open.
 */
static bool close_shown(struct ftp_machine *machine, struct ftp_out *out)
{
	uint16_t code = machine->shown;

	if (code >= 200 && code < 400)
		return false;
	if (code == 0)
		return true;
	if (machine->shown_in_line)
		ftp_out_text(out, FTP_DO_REPLY, "", 0);
	ftp_out_format(out, FTP_DO_REPLY, "%u The FTP server did not complete this reply.", (unsigned)code);
	machine->shown = 0;
	return true;
}

void machine_close(struct ftp_machine *machine, enum ftp_local answer, const char *why, struct ftp_out *out)
{
	if (machine->closing)
		return;
	machine->closing = true;
	if (answer != FTP_LOCAL_NONE) {
		machine_close_125(machine, out);
		if (close_shown(machine, out))
			machine_answer(machine, answer, out);
	}
	ftp_out_text(out, FTP_DO_CLOSE, why, strlen(why))->key =
	    answer != FTP_LOCAL_NONE ? ftp_local_key(answer, machine->action) : NULL;
}

void machine_expect(struct ftp_machine *machine, enum ftp_pending pending)
{
	assert(machine->pending == FTP_PENDING_NONE);
	machine->pending = pending;
}

void machine_pass_on(struct ftp_machine *machine, const struct ftp_command *command, enum ftp_pending pending,
		     struct ftp_out *out)
{
	if (!(command->verb->flags & FTP_VERB_LEAVES_NOTHING))
		machine->told = true;
	ftp_out_text(out, FTP_DO_COMMAND, command->line, command->len)->forwarded = true;
	machine->changes = (uint8_t)ftp_change_of(command);
	ftp_representation_ask(&machine->representation, command);
	machine_expect(machine, pending);
}

/* This many lines in a row end a session: malformed ones, before the login refused ones as well. They come
 * from a scanner, not a client. */
#define STRIKES_MAX 10

void machine_strike(struct ftp_machine *machine, const char *why, struct ftp_out *out)
{
	if (++machine->strikes >= STRIKES_MAX && !machine->closing)
		machine_close(machine, FTP_LOCAL_TOO_MANY_ERRORS, why, out);
}

void machine_count_strikes(struct ftp_machine *machine, struct ftp_out *out)
{
	bool refused = false;

	for (size_t i = 0; i < out->n && machine->login != FTP_LOGIN_DONE; i++)
		refused |= out->acts[i].what == FTP_DO_REPLY && out->acts[i].refusal;
	if (refused)
		machine_strike(machine, "refused-lines", out);
	else
		machine->strikes = 0;
}

bool machine_is_owed_late(const struct ftp_machine *machine)
{
	for (enum ftp_side_reply kind = 0; kind < FTP_SIDE_REPLY_KINDS; kind++)
		if (machine->side.late[kind] > 0)
			return true;
	return false;
}
