/*
 * DSWAITTIME: when the server refuses a transfer because the file is in use, the
 * gateway sends the command again at intervals, and 125- lines tell the client.
 * They open a 125 reply, so the server's final words reach the client with that
 * code. A client that has got a 150 of the gateway's waits without these lines.
 */
#include "ftp-alg/retry.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "ftp-alg/plan.h"
#include "ftp-alg/side-reply.h"

/* Does a reply's text hold one of these words, in any case? */
static bool text_has(const struct ftp_reply *reply, const char *word)
{
	size_t len = strlen(word);

	for (size_t at = reply->text; at + len <= reply->len; at++)
		if (strncasecmp(reply->line + at, word, len) == 0)
			return true;
	return false;
}

/* RFC 959 has 450 for a busy file; z/OS and others send 550 and explain in words. */
static bool is_busy(const struct ftp_reply *reply)
{
	static const char *const words[] = { "in use", "used exclusively", "being used", "busy",
					     "is held by" };

	if (reply->code == 450)
		return true;
	for (size_t i = 0; reply->code == 550 && i < sizeof(words) / sizeof(words[0]); i++)
		if (text_has(reply, words[i]))
			return true;
	return false;
}

bool machine_retry_wanted(struct ftp_machine *machine, const struct ftp_reply *reply)
{
	if (machine->action->dswaittime_min == 0 || !machine->retry.allowed || !is_busy(reply))
		return false;
	/* The answer to a side command would get between the 125- lines. A drain does not wait. */
	if (machine->side.nruns > 0 || machine->draining)
		return false;
	if (!machine->retry.begun)
		machine->retry.attempts_left = (uint32_t)((uint64_t)machine->action->dswaittime_min * 60 /
							  machine->action->dswaitinterval_s);
	return machine->retry.attempts_left > 0;
}

/* "1 minute", "30 seconds" */
static const char *interval_text(uint32_t seconds, char buf[static 32])
{
	bool minutes = seconds % 60 == 0;

	(void)snprintf(buf, 32, "%u %s", (unsigned)(minutes ? seconds / 60 : seconds),
		       minutes ? "minute" : "second");
	return buf;
}

/* Pause until the next attempt, or until the client has to hear something (DSWAITTIMEREPLY). */
static void pause_next(struct ftp_machine *machine, struct ftp_out *out)
{
	uint32_t every_s = machine->action->dswaittimereply_s;
	uint32_t now_s = machine->retry.wait_left_s;

	if (every_s != 0 && every_s < now_s)
		now_s = every_s;
	machine->retry.wait_left_s -= now_s;
	ftp_out_add(out, FTP_DO_PAUSE)->number = now_s * 1000;
}

bool machine_retry_waits(struct ftp_machine *machine, struct ftp_out *out)
{
	if (machine->retry.wait_left_s == 0)
		return false;
	if (!machine->opened)
		ftp_out_format(out, FTP_DO_REPLY, "125-Seconds until the next attempt: %u",
			       (unsigned)machine->retry.wait_left_s);
	pause_next(machine, out);
	return true;
}

/* Tell the client why it waits, and open the 125 reply. */
static void tell(struct ftp_machine *machine, const struct ftp_reply *reply, struct ftp_out *out)
{
	char text[FTP_REPLY_LINE_MAX + 1] = "The file is in use.";
	char interval[32];

	/* the server's words name the holder: for level 0 only */
	if (machine->action->replysecuritylevel == 0)
		(void)snprintf(text, sizeof(text), "%.*s", (int)(reply->len - reply->text),
			       reply->line + reply->text);
	ftp_out_format(out, FTP_DO_REPLY, "125-%s", text);
	ftp_out_format(out, FTP_DO_REPLY,
		       "125-Data set access will be retried in %s intervals - %u attempts remaining",
		       interval_text(machine->action->dswaitinterval_s, interval),
		       (unsigned)machine->retry.attempts_left);
	machine->retry.open = true;
}

void machine_retry_later(struct ftp_machine *machine, const struct ftp_reply *reply, struct ftp_out *out)
{
	if (!machine->opened)
		tell(machine, reply, out);
	machine->retry.attempts_left--;
	machine->retry.begun = true;
	machine->transfer = FTP_TRANSFER_WAITING;
	ftp_out_add(out, FTP_DO_DATA_REFUSED);
	machine->retry.wait_left_s = machine->action->dswaitinterval_s;
	pause_next(machine, out);
}

void machine_retry_now(struct ftp_machine *machine, struct ftp_out *out)
{
	machine->retry.replanning = false;
	machine->transfer = FTP_TRANSFER_ASKED;
	machine->result = FTP_DATA_PENDING;
	machine_side_transfer_begins(machine, out);
	ftp_out_add(out, FTP_DO_RETRY);
	machine_expect(machine, FTP_PENDING_TRANSFER);
}

void machine_retry_abort(struct ftp_machine *machine, struct ftp_out *out)
{
	machine->retry.wait_left_s = 0;
	machine_close_125(machine, out);
	machine_answer(machine, FTP_LOCAL_WAIT_ABORTED, out);
	machine_answer(machine, FTP_LOCAL_ABORTED, out);
	machine->transfer = FTP_TRANSFER_NONE;
	machine->retry.replanning = false;
	machine_plan_drop(machine, out);
}
