/*
 * The table of what people may see of a client's commands: passwords, accounts, and the
 * tokens of RFC 2228 are secrets. Log, audit trail, trace and lists of sessions ask here.
 */
#include "ftp-alg/shown.h"

#include <string.h>
#include <strings.h>

#include "ftp-alg/change.h"

/* How much of an argument may be shown. */
static size_t shown_of_secret(const struct ftp_command *command)
{
	(void)command;
	return 0;
}

/* A mechanism is no secret, but anything else may be. */
static size_t shown_of_auth(const struct ftp_command *command)
{
	static const char *const mechanisms[] = { "TLS", "TLS-C", "TLS-P", "SSL", "GSSAPI", "KERBEROS_V4" };

	for (size_t i = 0; i < sizeof(mechanisms) / sizeof(mechanisms[0]); i++)
		if (strlen(mechanisms[i]) == command->arg_len &&
		    strncasecmp(mechanisms[i], command->arg, command->arg_len) == 0)
			return command->arg_len;
	return 0;
}

static const struct {
	enum ftp_verb_kind kind;
	size_t (*shown)(const struct ftp_command *command);
} rows[] = {
	{ FTP_KIND_PASS, shown_of_secret },    { FTP_KIND_ACCT, shown_of_secret },
	{ FTP_KIND_ADAT, shown_of_secret },    { FTP_KIND_ENVELOPE, shown_of_secret },
	{ FTP_KIND_FOREIGN, shown_of_secret }, /* of HTTP: an URL may hold a token */
	{ FTP_KIND_AUTH, shown_of_auth },
};

size_t ftp_argument_shown(const struct ftp_command *command)
{
	if (command->verb->name[0] == '\0')
		return 0;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].kind == command->verb->kind)
			return rows[i].shown(command);
	return ftp_change_shown(command);
}

size_t ftp_command_shown(const struct ftp_command *command)
{
	size_t shown = ftp_argument_shown(command);

	if (command->verb->name[0] == '\0')
		return 0;
	return shown > 0 ? (size_t)(command->arg - command->line) + shown : command->verb_len;
}

bool ftp_command_has_secret(const struct ftp_command *command)
{
	return command->verb->name[0] == '\0' || ftp_argument_shown(command) < command->arg_len;
}
