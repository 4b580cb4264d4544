/*
 * The gates of a command line: what the protocol and the policy say of every command,
 * before machine_run() examines the command itself. Commands that servers could read in
 * another way than the gateway end here, too.
 */
#include "ftp-alg/gate.h"

#include "ftp-alg/security.h"

/*
 * Is this verb of letters and digits only? Some servers skip or split at any
 * white space: they would read "\tPORT" or "PORT\t" as the verb that the table
 * did not find, and so bypass the bounce rules.
 */
static bool is_word(const char *verb, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		char letter = (char)(verb[i] | 0x20);

		if ((letter < 'a' || letter > 'z') && (verb[i] < '0' || verb[i] > '9'))
			return false;
	}
	return true;
}

enum ftp_local machine_gate(const struct ftp_machine *machine, const struct ftp_command *command)
{
	const struct ftp_action *action = machine->action;
	const struct ftp_verb *verb = command->verb;

	if (command->len > machine->command_line_max)
		return FTP_LOCAL_TOO_LONG;
	if (command->verb_len == 0)
		return FTP_LOCAL_EMPTY;
	if (!is_word(command->line, command->verb_len))
		return FTP_LOCAL_BAD_VERB;
	if (ftp_security_needs_tls(&machine->security, machine->action)) {
		/* After CCC the user is logged in; only a new login would send a password in the clear. */
		bool cleared = machine->security.ctrl == FTP_CTRL_CLEARED;

		if (verb->kind == FTP_KIND_USER)
			return FTP_LOCAL_LOGIN_NEEDS_TLS;
		if (verb->kind == FTP_KIND_PASS)
			return FTP_LOCAL_PASS_NEEDS_TLS;
		if (!cleared && !(verb->flags & FTP_VERB_BEFORE_TLS))
			return FTP_LOCAL_NEEDS_TLS;
	}
	if (machine->login != FTP_LOGIN_DONE && !(verb->flags & FTP_VERB_BEFORE_LOGIN))
		return FTP_LOCAL_NOT_LOGGED_IN;
	if (action->commands_denied.n > 0 && ftp_command_is_denied(command, &action->commands_denied))
		return FTP_LOCAL_COMMAND_DENIED;
	if (action->commands_allowed.n > 0 && !ftp_command_is_allowed(command, &action->commands_allowed))
		return FTP_LOCAL_COMMAND_DENIED;
	if (verb->name[0] == '\0' && action->unknown_commands == UNKNOWN_COMMANDS_REFUSE)
		return FTP_LOCAL_COMMAND_UNKNOWN;
	return FTP_LOCAL_NONE;
}
