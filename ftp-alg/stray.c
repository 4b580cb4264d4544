/*
 * Lenient between replies, strict where one is due. Servers send blank lines,
 * messages of their libraries and second replies, and their own clients skip
 * them; so does the gateway while no command waits for its reply. Where one
 * waits, a line that is not a reply leaves no way to tell what answers what.
 */
#include "ftp-alg/stray.h"

#include <string.h>

/* Of text before a greeting. A server that sends more is not an FTP server. */
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
	/* A blank line says nothing, so it cannot be the reply either. It often follows one in a segment of
	 * its own. */
	if (machine->drops_strays && (owes_nothing(machine) || is_blank(line)))
		skip(line, out);
	else
		ends_session(machine, line, owes_nothing(machine) ? "stray-text" : "reply-without-code", out);
}

/*
 * Before the login it could be the reply to AUTH or USER that somebody put there
 * before the client has sent them (CVE-2021-22947), and a port that nobody asked
 * for is never a slip. Dropping would be safe in both cases, but to go on with
 * such a server is not.
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
