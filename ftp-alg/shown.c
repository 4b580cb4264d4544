/*
 * Commands whose argument is a secret: passwords, accounts, and the tokens of RFC 2228.
 * What operators see of a client's commands goes through here.
 */
#include "ftp-alg/shown.h"

#include "ftp-alg/change.h"

size_t ftp_command_shown(const struct ftp_command *command)
{
	size_t before = (size_t)(command->arg - command->line);

	if (command->arg_len == 0)
		return command->len;
	if (command->verb->name[0] == '\0' || command->verb->kind == FTP_KIND_PASS ||
	    command->verb->kind == FTP_KIND_ACCT || command->verb->kind == FTP_KIND_ADAT ||
	    command->verb->kind == FTP_KIND_ENVELOPE)
		return command->verb_len;
	if (ftp_change_of(command) == FTP_CHANGE_SERVER)
		return before + ftp_change_shown(command);
	return command->len;
}
