/*
 * Remembers the last command that may change something. The machine keeps no text, and
 * the line is gone from the buffer when the server answers.
 */
#include "gateway/worker/audit.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ftp-alg/ftp-alg.h"
#include "gateway/worker/session-log.h"

static bool is_verb(const struct ftp_command *command, const char *verb)
{
	return command->verb_len == strlen(verb) && strncasecmp(command->line, verb, command->verb_len) == 0;
}

static void forget(char **text)
{
	free(*text);
	*text = NULL;
}

void audit_command(struct audit *audit, const char *line, size_t len)
{
	const struct ftp_command command = ftp_command_parse(line, len);
	size_t shown;

	forget(&audit->command);
	audit->name = NULL;
	if (is_verb(&command, "RNFR")) {
		forget(&audit->renamed);
		audit->renamed = strndup(command.arg, command.arg_len);
		return;
	}
	if (!is_verb(&command, "RNTO"))
		forget(&audit->renamed);
	if (!ftp_is_change(&command))
		return;
	shown = command.verb_len;
	if (command.arg_len > 0) /* it stands after a blank */
		shown += 1 + ftp_change_shown(&command);
	audit->command = strndup(line, shown);
	if (audit->command == NULL)
		return;
	audit->name = audit->command + command.verb_len;
	if (command.arg_len > 0)
		*audit->name++ = '\0';
	for (char *at = audit->command; *at != '\0'; at++)
		if (*at >= 'a' && *at <= 'z')
			*at = (char)(*at - 'a' + 'A');
}

void audit_log(struct audit *audit, const struct facts *facts, const char *user)
{
	if (facts->rule->ftp->ftplogging != FTPLOGGING_FALSE)
		session_log(facts, LOG_LEVEL_INFO, "change", LOG_TEXT("user", user),
			    LOG_TEXT("command", audit->command != NULL ? audit->command : "?"),
			    LOG_TEXT("name", audit->name != NULL ? audit->name : "?"),
			    LOG_TEXT("renamed", audit->renamed != NULL ? audit->renamed : ""));
	audit_done(audit);
}

void audit_done(struct audit *audit)
{
	forget(&audit->renamed);
	forget(&audit->command);
	audit->name = NULL;
}
