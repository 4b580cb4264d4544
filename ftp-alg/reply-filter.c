/*
 * What the client sees of a server's reply: all of it, nothing, or what
 * REPLYSECURITYLEVEL 1 leaves of it.
 */
#include "ftp-alg/reply-filter.h"

#include <assert.h>
#include <string.h>

#include "ftp-alg/feat.h"
#include "ftp-alg/gate.h"
#include "ftp-alg/login.h"
#include "ftp-alg/redact.h"

/*
 * Would policy refuse this feature as a command? Names that are no verb (UTF8,
 * TVFS) cannot be on a list of allowed ones, and are only for information.
 */
static bool is_denied(const struct ftp_machine *machine, const char *line, size_t len)
{
	const struct ftp_action *action = machine->action;
	size_t at = ftp_feat_name(line, len);
	struct ftp_command command = ftp_command_parse(line + at, len - at);

	if (machine_gate_hides_command(action, &command))
		return true;
	if (action->commands_denied.n > 0 && ftp_command_is_denied(&command, &action->commands_denied))
		return true;
	return action->commands_allowed.n > 0 && command.verb->name[0] != '\0' &&
	       !ftp_command_is_allowed(&command, &action->commands_allowed);
}

/* Where USER chooses the server, no HOST goes there. */
static bool is_answered_here(const struct ftp_machine *machine, const char *line, size_t len)
{
	size_t at = ftp_feat_name(line, len);

	return machine->late_choice != NULL &&
	       ftp_command_parse(line + at, len - at).verb->kind == FTP_KIND_HOST;
}

unsigned machine_features(const struct ftp_machine *machine)
{
	unsigned features = ftp_security_features(&machine->security, machine_said(machine));

	if (machine->late_choice != NULL && machine->late_choice->takes_host)
		features |= FTP_FEAT_HOST;
	for (unsigned bit = 1; bit <= features; bit <<= 1) {
		const char *line = ftp_feat_line(features & bit, 0);

		if (line != NULL && is_denied(machine, line, strlen(line)))
			features &= ~bit;
	}
	return features;
}

/* Does the client see this line? */
static bool is_shown(const struct ftp_machine *machine, enum ftp_pending pending,
		     const struct ftp_reply *reply)
{
	switch (pending) {
	case FTP_PENDING_NONE:
	case FTP_PENDING_RENEWED:
	case FTP_PENDING_HOST_TOLD:
	case FTP_PENDING_FOLDER:
	case FTP_PENDING_PLAN:
	case FTP_PENDING_USER_CERTIFICATE:
	case FTP_PENDING_PASS_CERTIFICATE:
	case FTP_PENDING_SERVER_AUTH:
	case FTP_PENDING_SERVER_HANDSHAKE:
	case FTP_PENDING_SERVER_PBSZ:
	case FTP_PENDING_SERVER_PROT:
	case FTP_PENDING_SERVER_CCC:
	case FTP_PENDING_SERVER_NOOP:
		return false;
	case FTP_PENDING_FEAT:
		/* the last line follows the gateway's own lines, see machine_feat_ends() */
		return reply->code == 211 && !reply->closing &&
		       (reply->first || (ftp_feat_keep(reply->line, reply->len) &&
					 !is_answered_here(machine, reply->line, reply->len) &&
					 !is_denied(machine, reply->line, reply->len)));
	case FTP_PENDING_TRANSFER:
		/* the client has got a 150 of the gateway's */
		if (machine->opened && machine->transfer == FTP_TRANSFER_ASKED &&
		    ftp_reply_is_preliminary(reply->code))
			return false;
		return machine->instead == FTP_LOCAL_NONE && !machine->retry.due;
	case FTP_PENDING_USER:
	case FTP_PENDING_PASS:
		return machine->instead == FTP_LOCAL_NONE;
	case FTP_PENDING_GREETING:
	case FTP_PENDING_REIN:
		return ftp_machine_trusts_server(machine);
	case FTP_PENDING_PLAIN:
	case FTP_PENDING_STAT:
	case FTP_PENDING_ABOR:
	case FTP_PENDING_QUIT:
	case FTP_PENDING_HOST:
	case FTP_PENDING_SYST:
	case FTP_PENDING_STATUS:
		return true;
	}
	return false;
}

/* Copy a line without addresses and names into the list of actions. */
static void show_redacted(enum ftp_pending pending, const struct ftp_reply *reply, struct ftp_out *out)
{
	/* some servers answer STAT with a path by 211, the code of their own status, and list files */
	uint16_t code = pending == FTP_PENDING_PLAIN && reply->code == 211 ? 213 : reply->code;
	char *to = out->text + out->used;
	size_t len = ftp_redact(code, reply->line, reply->len, to, sizeof(out->text) - out->used);

	ftp_out_text(out, FTP_DO_REPLY, to, len)->goes_on = reply->goes_on;
	out->used += len;
}

/* The client still reads a 125- reply, whatever code the server gives the last line. */
static void show_wait_end(const struct ftp_machine *machine, const struct ftp_reply *reply,
			  struct ftp_out *out)
{
	char *line = out->text + out->used;

	if (machine->action->replysecuritylevel == 0)
		ftp_out_format(out, FTP_DO_REPLY, "%.*s", (int)reply->len, reply->line)->goes_on =
		    reply->goes_on;
	else
		show_redacted(FTP_PENDING_TRANSFER, reply, out);
	if (!reply->continues)
		memcpy(line, "125", 3); /* in place of the three digits that a last line starts with */
}

static void show_syst(const struct ftp_reply *reply, struct ftp_out *out)
{
	char *to = out->text + out->used;
	size_t len = ftp_redact_syst(reply->line + reply->text, reply->len - reply->text, to,
				     sizeof(out->text) - out->used);

	ftp_out_text(out, FTP_DO_REPLY, to, len);
	out->used += len;
}

static bool is_greeting(enum ftp_pending pending)
{
	return pending == FTP_PENDING_GREETING || pending == FTP_PENDING_REIN;
}

/*
 * A greeting of 230 means that the client is logged in. If policy does not allow that
 * yet, the client gets 220 instead: curl would trust the 230 and skip AUTH.
 */
static bool is_too_early(const struct ftp_machine *machine, enum ftp_pending pending,
			 const struct ftp_reply *reply)
{
	return is_greeting(pending) && reply->code == 230 && !machine_login_may_be_greeted(machine);
}

/* Text that begins with 220 gets a blank, or it would end the reply before its last line. */
static void show_as_220(const struct ftp_reply *reply, struct ftp_out *out)
{
	bool coded = !reply->continues && reply->len >= 3;
	bool text = coded && !reply->closing && memcmp(reply->line, "220", 3) == 0;
	char *line = out->text + out->used;

	ftp_out_format(out, FTP_DO_REPLY, "%s%.*s", text ? " " : "", (int)reply->len, reply->line)->goes_on =
	    reply->goes_on;
	if (coded && memcmp(line, "230", 3) == 0)
		memcpy(line, "220", 3);
}

/* Replies that only identify the server: the gateway gives a text of its own instead. */
static bool show_instead(struct ftp_machine *machine, enum ftp_pending pending, const struct ftp_reply *reply,
			 bool last, struct ftp_out *out)
{
	bool status = pending == FTP_PENDING_STATUS || pending == FTP_PENDING_STAT;

	if (status && reply->code >= 211 && reply->code <= 213) {
		if (last)
			machine_answer(machine, FTP_LOCAL_OK_STATUS, out);
		return true;
	}
	if (pending == FTP_PENDING_SYST && reply->code == 215) {
		if (reply->closing && !reply->continues) /* only its first words are kept */
			show_syst(reply, out);
		return true;
	}
	return false;
}

/* Greetings, of which the gateway gives its own. RFC 7151 3.1: a server may greet once more after HOST. */
static bool greet_instead(struct ftp_machine *machine, enum ftp_pending pending,
			  const struct ftp_reply *reply, bool last, struct ftp_out *out)
{
	bool greets = is_greeting(pending) && (reply->code == 220 || is_too_early(machine, pending, reply));
	bool host = pending == FTP_PENDING_HOST && reply->code == 220;

	if (!ftp_action_hides_greeting(machine->action) || (!greets && !host))
		return false;
	if (last && greets)
		machine_answer_greeting(machine, out);
	else if (last)
		machine_answer(machine, FTP_LOCAL_OK_GREETING, out);
	return true;
}

/* While a 125- reply is open, the client would take a reply to another command for its text. */
static bool is_inside_125(const struct ftp_machine *machine, const struct ftp_reply *reply)
{
	return machine->retry.open && machine->answer.whom != FTP_ANSWERS_PENDING && reply->code != 421;
}

/* Pass the line on to the client, changed if policy requires it. False: the gateway sends its own text. */
static bool show(struct ftp_machine *machine, enum ftp_pending pending, const struct ftp_reply *reply,
		 bool last, struct ftp_out *out)
{
	if (machine->retry.open && pending == FTP_PENDING_TRANSFER && reply->closing) {
		machine->retry.open = !last;
		show_wait_end(machine, reply, out);
		return true;
	}
	if (greet_instead(machine, pending, reply, last, out))
		return false;
	if (is_greeting(pending) && reply->first && !reply->continues && ftp_reply_is_positive(reply->code))
		machine_answer_banner(machine, is_too_early(machine, pending, reply) ? 220 : reply->code,
				      out);
	if (machine->action->replysecuritylevel != 0) {
		if (show_instead(machine, pending, reply, last, out))
			return false;
		show_redacted(pending, reply, out);
		return true;
	}
	if (is_too_early(machine, pending, reply))
		show_as_220(reply, out);
	else
		ftp_out_text(out, FTP_DO_REPLY, reply->line, reply->len)->goes_on = reply->goes_on;
	return true;
}

/* The client has been told that the server knows this verb. */
static void learn_feature(struct ftp_machine *machine, const struct ftp_reply *reply)
{
	size_t at = ftp_feat_name(reply->line, reply->len);
	struct ftp_command command = ftp_command_parse(reply->line + at, reply->len - at);

	ftp_offered_add(&machine->offered, command.line, command.verb_len);
}

void machine_relay_reply(struct ftp_machine *machine, enum ftp_pending pending, const struct ftp_reply *reply,
			 bool last, struct ftp_out *out)
{
	if (!reply->continues)
		machine->line_shown = is_shown(machine, pending, reply) && !is_inside_125(machine, reply);
	if (machine->instead == FTP_LOCAL_LOGIN_REFUSED && !reply->continues &&
	    (reply->first || reply->closing)) /* the reason stands in one of them */
		ftp_out_text(out, FTP_DO_LOGIN_HIDDEN, reply->line, reply->len);
	if (!machine->line_shown || !show(machine, pending, reply, last, out))
		return;
	if (pending == FTP_PENDING_FEAT && !reply->first && !reply->continues)
		learn_feature(machine, reply);
	machine->shown = last ? 0 : reply->code;
	machine->shown_in_line = reply->goes_on;
}

void machine_feat_ends(struct ftp_machine *machine, bool open, struct ftp_out *out)
{
	unsigned features = machine_features(machine);
	const char *first = ftp_local_text(FTP_LOCAL_OK_FEATURES, machine->action->reply_style);
	const char *last = strstr(first, "\r\n");
	const char *line;

	assert(last != NULL);
	machine->shown = 0;
	if (!open)
		ftp_out_text(out, FTP_DO_REPLY, first, (size_t)(last - first));
	last += strlen("\r\n");
	for (size_t i = 0; (line = ftp_feat_line(features, i)) != NULL; i++)
		ftp_out_text(out, FTP_DO_REPLY, line, strlen(line));
	ftp_out_text(out, FTP_DO_REPLY, last, strlen(last));
}
