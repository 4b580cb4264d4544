/*
 * Remembers the last command that may change something. The machine keeps no text, and
 * the line is gone from the buffer when the server answers.
 */
#include "gateway/worker/changes.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "ftp-alg/ftp-alg.h"
#include "gateway/worker/session-audit.h"
#include "gateway/worker/session-log.h"

static void forget(char **text)
{
	free(*text);
	*text = NULL;
}

void changes_command(struct changes *changes, const char *line, size_t len)
{
	const struct ftp_command command = ftp_command_parse(line, len);
	size_t shown;

	forget(&changes->command);
	changes->name = NULL;
	changes->what = FTP_CHANGE_NONE;
	if (ftp_command_is(&command, "RNFR")) {
		forget(&changes->renamed);
		changes->renamed = strndup(command.arg, command.arg_len);
		return;
	}
	if (!ftp_command_is(&command, "RNTO"))
		forget(&changes->renamed);
	changes->what = ftp_change_of(&command);
	if (changes->what == FTP_CHANGE_NONE || (changes->what == FTP_CHANGE_FOLDER && !audit_is_on()))
		return;
	shown = command.verb_len;
	if (command.arg_len > 0) /* it stands after a blank */
		shown += 1 + ftp_change_shown(&command);
	changes->command = strndup(line, shown);
	if (changes->command == NULL)
		return;
	changes->name = changes->command + command.verb_len;
	if (command.arg_len > 0)
		*changes->name++ = '\0';
	for (char *at = changes->command; *at != '\0'; at++)
		if (*at >= 'a' && *at <= 'z')
			*at = (char)(*at - 'a' + 'A');
}

static const char *or_unknown(const char *text)
{
	return text != NULL ? text : "?";
}

static void log_change(const struct changes *changes, const struct facts *facts)
{
	if (facts->rule->ftp->ftplogging != FTPLOGGING_FALSE)
		session_log(facts, LOG_LEVEL_INFO, "change", LOG_TEXT("user", facts->user),
			    LOG_TEXT("command", or_unknown(changes->command)),
			    LOG_TEXT("name", or_unknown(changes->name)),
			    LOG_TEXT("renamed", changes->renamed != NULL ? changes->renamed : ""));
	facts->summary->changes++;
	session_audit(facts, "change", AUDIT_TEXT("command", or_unknown(changes->command)),
		      AUDIT_TEXT("name", changes->name), AUDIT_TEXT("renamed", changes->renamed));
}

void changes_agreed(struct changes *changes, const struct facts *facts)
{
	switch (changes->what) {
	case FTP_CHANGE_NONE:
		break;
	case FTP_CHANGE_SERVER:
		log_change(changes, facts);
		break;
	case FTP_CHANGE_FOLDER:
		session_audit(facts, "directory", AUDIT_TEXT("command", or_unknown(changes->command)),
			      AUDIT_TEXT("name", changes->name));
		break;
	}
	changes_done(changes);
}

void changes_done(struct changes *changes)
{
	forget(&changes->renamed);
	forget(&changes->command);
	changes->name = NULL;
}
