/*
 * Stray lines, see stray.h. Some servers send blank lines, messages of their
 * libraries and second replies. FTP clients skip them, and so does the gateway
 * while no command waits for a reply. If one waits, a line without a code ends
 * the session, because replies could no longer be matched to commands.
 */
#include "ftp-alg/stray.h"

#include <string.h>

/* Bytes of text before a greeting. A server that sends more is not an FTP server. */
#define PREFACE_MAX 65536u

static void ends_session(struct ftp_machine *machine, const struct ftp_reply *line, const char *why,
			 struct ftp_out *out)
{
	ftp_out_text(out, FTP_DO_STRAY, line->line, line->len)->refusal = true;
	machine_close(machine, FTP_LOCAL_SERVER_CONFUSED, why, out);
}

static void skip(const struct ftp_reply *line, struct ftp_out *out)
{
	ftp_out_text(out, FTP_DO_STRAY, line->line, line->len);
}

static bool is_blank(const struct ftp_reply *line)
{
	if (line->goes_on)
		return false;
	for (size_t i = 0; i < line->len; i++)
		if (line->line[i] != ' ' && line->line[i] != '\t')
			return false;
	return true;
}

static bool awaits_greeting(const struct ftp_machine *machine)
{
	return machine->pending == FTP_PENDING_GREETING || machine->pending == FTP_PENDING_RENEWED ||
	       machine->pending == FTP_PENDING_REIN;
}

static bool owes_nothing(const struct ftp_machine *machine)
{
	return machine->pending == FTP_PENDING_NONE && machine->side.nruns == 0;
}

void machine_stray_line(struct ftp_machine *machine, const struct ftp_reply *line, struct ftp_out *out)
{
	if (awaits_greeting(machine) && machine->drops_strays) {
		machine->preface += (uint32_t)line->consumed;
		if (machine->preface > PREFACE_MAX)
			ends_session(machine, line, "no-greeting", out);
		else if (!line->continues)
			skip(line, out);
		return;
	}
	if (line->continues)
		return;
	/* A blank line cannot be a reply. It often follows one in a segment of its own. */
	if (machine->drops_strays && (owes_nothing(machine) || is_blank(line)))
		skip(line, out);
	else
		ends_session(machine, line, owes_nothing(machine) ? "stray-text" : "reply-without-code", out);
}

/*
 * Before the login, an attacker may have injected the reply to an AUTH or USER that
 * the client has not sent yet (CVE-2021-22947). A data port that the gateway did
 * not ask for is never a mistake. Dropping the reply would be safe in both cases,
 * but continuing with such a server is not.
 */
static bool may_drop(const struct ftp_machine *machine, const struct ftp_reply *reply)
{
	return machine->drops_strays && machine->login == FTP_LOGIN_DONE &&
	       !ftp_reply_names_a_port(reply->code);
}

void machine_stray_reply(struct ftp_machine *machine, const struct ftp_reply *reply, struct ftp_out *out)
{
	if (!may_drop(machine, reply)) {
		ends_session(machine, reply, "unsolicited-reply", out);
		return;
	}
	machine->stray = true;
	skip(reply, out);
}
