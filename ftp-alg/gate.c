/*
 * The gates of a command line: the rules of the protocol and the policy for every
 * command, before machine_run() examines the command itself. They also refuse commands
 * that a server could read differently from the gateway.
 */
#include "ftp-alg/gate.h"

#include <string.h>
#include <strings.h>

#include "ftp-alg/per-user.h"
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

static bool contains(const struct ftp_command *command, const char *name, size_t len)
{
	for (size_t at = 0; at + len <= command->verb_len; at++)
		if (strncasecmp(command->line + at, name, len) == 0)
			return true;
	return false;
}

/* Kinds that mean nothing to a server without TLS, and those of other protocols. */
static bool is_gateways(enum ftp_verb_kind kind)
{
	static const enum ftp_verb_kind kinds[] = { FTP_KIND_AUTH,   FTP_KIND_PBSZ, FTP_KIND_PROT,
						    FTP_KIND_CCC,    FTP_KIND_ADAT, FTP_KIND_ENVELOPE,
						    FTP_KIND_FOREIGN };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kind == kinds[i])
			return true;
	return false;
}

/* Would a command of this name do more at the server than answer, or does policy refuse it? */
static bool is_guarded(const struct ftp_action *action, const struct ftp_verb *verb)
{
	struct ftp_command command = ftp_command_parse(verb->name, strlen(verb->name));

	if (is_gateways(verb->kind))
		return false;
	return verb->kind != FTP_KIND_PASS_ON ||
	       (action->commands_allowed.n > 0 &&
		!ftp_command_is_allowed(&command, &action->commands_allowed));
}

bool machine_gate_hides_command(const struct ftp_action *action, const struct ftp_command *command)
{
	const struct command_list *denied = &action->commands_denied;

	if (command->verb->name[0] != '\0')
		return false;
	for (size_t i = 0; i < ftp_nverbs; i++)
		if (contains(command, ftp_verbs[i].name, strlen(ftp_verbs[i].name)) &&
		    is_guarded(action, &ftp_verbs[i]))
			return true;
	for (size_t i = 0; i < denied->n; i++)
		if (contains(command, denied->names[i], strcspn(denied->names[i], " ")))
			return true;
	return false;
}

/*
 * A verb that is not in the table may go on if policy or the server names it. busybox's
 * ftpd reads XYDELE as DELE, so even then it may hide no other command.
 */
static bool is_known(const struct ftp_machine *machine, const struct ftp_command *command)
{
	const struct ftp_action *action = machine->action;

	if (command->verb->name[0] != '\0')
		return true;
	if (machine_gate_hides_command(action, command))
		return false;
	return action->unknown_commands == UNKNOWN_COMMANDS_PASS || action->commands_allowed.n > 0 ||
	       ftp_offered_has(&machine->offered, command->line, command->verb_len);
}

/* What a client in the clear gets that has to send AUTH first. */
static enum ftp_local needs_auth(const struct ftp_action *action, enum ftp_verb_kind kind)
{
	bool tls = (action->extensions & EXTENSION_AUTH_TLS) != 0 || action->extensions == 0;

	if (kind == FTP_KIND_USER)
		return tls ? FTP_LOCAL_LOGIN_NEEDS_TLS : FTP_LOCAL_LOGIN_NEEDS_GSSAPI;
	if (kind == FTP_KIND_PASS)
		return tls ? FTP_LOCAL_PASS_NEEDS_TLS : FTP_LOCAL_PASS_NEEDS_GSSAPI;
	return tls ? FTP_LOCAL_NEEDS_TLS : FTP_LOCAL_NEEDS_GSSAPI;
}

/* The same at USER: the reply is one for all users, and only the key in the log tells them apart. */
static enum ftp_local user_needs_auth(const struct ftp_machine *machine, const struct ftp_action *action)
{
	enum ftp_local usual = needs_auth(action, FTP_KIND_USER);

	if (ftp_security_needs_tls(&machine->security, machine->usual))
		return usual;
	return usual == FTP_LOCAL_LOGIN_NEEDS_TLS ? FTP_LOCAL_USER_NEEDS_TLS : FTP_LOCAL_USER_NEEDS_GSSAPI;
}

/* A token of Kerberos is longer than the lines that servers read, and goes to none of them. */
static bool is_token(const struct ftp_machine *machine, const struct ftp_verb *verb)
{
	return verb->kind == FTP_KIND_ADAT && machine->security.adat;
}

/* Whose levels a command has to satisfy: USER has those of the user that it names. */
static const struct ftp_action *levels_for(const struct ftp_machine *machine,
					   const struct ftp_command *command)
{
	if (command->verb->kind != FTP_KIND_USER || machine->audited != NULL)
		return machine->action;
	return ftp_per_user_find(machine->usual, command->arg, command->arg_len);
}

/* With a security context: is the command protected as these levels want it? */
static enum ftp_local check_envelope(const struct ftp_machine *machine, const struct ftp_action *levels,
				     enum ftp_verb_kind kind)
{
	bool secret = kind == FTP_KIND_PASS || kind == FTP_KIND_ACCT;
	enum ftp_local refusal = ftp_security_command(&machine->security, levels, secret);

	if (refusal == FTP_LOCAL_GSSAPI_LEVEL && kind == FTP_KIND_USER &&
	    ftp_security_command(&machine->security, machine->usual, false) == FTP_LOCAL_NONE)
		return FTP_LOCAL_USER_GSSAPI_LEVEL;
	return refusal;
}

enum ftp_local machine_gate(const struct ftp_machine *machine, const struct ftp_command *command)
{
	const struct ftp_action *action = machine->action, *levels = levels_for(machine, command);
	const struct ftp_verb *verb = command->verb;
	enum ftp_local unprotected = check_envelope(machine, levels, verb->kind);

	if (unprotected != FTP_LOCAL_NONE)
		return unprotected;
	if (command->len > machine->command_line_max && !is_token(machine, verb))
		return FTP_LOCAL_TOO_LONG;
	if (command->verb_len == 0)
		return FTP_LOCAL_EMPTY;
	if (!is_word(command->line, command->verb_len))
		return FTP_LOCAL_BAD_VERB;
	if (verb->kind == FTP_KIND_USER && machine->audited == NULL) {
		if (!ftp_per_user_takes(machine->usual, command->arg, command->arg_len))
			return FTP_LOCAL_USER_NAME;
		if (ftp_security_needs_tls(&machine->security, levels))
			return user_needs_auth(machine, action);
	} else if (ftp_security_needs_tls(&machine->security, action)) {
		/* After CCC the user is logged in; only a new login would send a password in the clear. */
		bool cleared = machine->security.ctrl == FTP_CTRL_CLEARED;

		if (verb->kind == FTP_KIND_PASS || (!cleared && !(verb->flags & FTP_VERB_BEFORE_TLS)))
			return needs_auth(action, verb->kind);
	}
	if (machine->server_tls.ctrl == FTP_CTRL_CLEARED &&
	    (verb->kind == FTP_KIND_USER || verb->kind == FTP_KIND_ACCT))
		return FTP_LOCAL_SERVER_CLEARED;
	if (machine->login != FTP_LOGIN_DONE && !(verb->flags & FTP_VERB_BEFORE_LOGIN))
		return FTP_LOCAL_NOT_LOGGED_IN;
	if (action->commands_denied.n > 0 && ftp_command_is_denied(command, &action->commands_denied))
		return FTP_LOCAL_COMMAND_DENIED;
	if (action->commands_allowed.n > 0 && !ftp_command_is_allowed(command, &action->commands_allowed))
		return FTP_LOCAL_COMMAND_NOT_ALLOWED;
	return is_known(machine, command) ? FTP_LOCAL_NONE : FTP_LOCAL_COMMAND_UNKNOWN;
}
