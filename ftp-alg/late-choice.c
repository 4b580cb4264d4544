/*
 * Which server a client gets is decided by the name in its USER, so the name that is judged
 * must be the one that the server reads: plain-name.c has those. Another name gets a new
 * connection, whichever server it leads to: nobody can tell the map from that. The server
 * gets HOST, too, before USER: it may have virtual hosts.
 */
#include "ftp-alg/late-choice.h"

#include <string.h>

#include "ftp-alg/plain-name.h"
#include "ftp-alg/reply-filter.h"
#include "ftp-alg/server-link.h"
#include "ftp-alg/urgent.h"

static bool is_usable(const char *name, size_t len)
{
	return len <= FTP_LATE_NAME_MAX && ftp_name_is_plain(name, len);
}

static void keep(char to[static FTP_LATE_NAME_MAX + 1], const char *text, size_t len)
{
	memcpy(to, text, len);
	to[len] = '\0';
}

/* What the server before has said about itself may be wrong for this one. */
static void forget_server(struct ftp_machine *machine)
{
	machine->offered = (struct ftp_offered){ .n = 0 };
	machine->late_choice->host_told = false;
	machine_urgent_forget(machine);
}

/* The client already has an answer, so the gateway ignores that of the server. RFC 7151 3.2: without a HOST
 * that it takes, a server is what it is by default. */
static bool tell_host(struct ftp_machine *machine, struct ftp_out *out)
{
	struct ftp_late_choice *choice = machine->late_choice;

	if (choice->host[0] == '\0' || choice->host_told)
		return false;
	choice->host_told = true;
	ftp_out_format(out, FTP_DO_COMMAND, "HOST %s", choice->host);
	machine_expect(machine, FTP_PENDING_HOST_TOLD);
	return true;
}

static enum machine_step run_user(struct ftp_machine *machine, const struct ftp_command *command,
				  struct ftp_out *out)
{
	struct ftp_late_choice *choice = machine->late_choice;

	if (!is_usable(command->arg, command->arg_len)) {
		machine_answer(machine, FTP_LOCAL_USER_SYNTAX, out);
		return MACHINE_ANSWERED;
	}
	if (!machine->undialled) {
		if (strlen(choice->user) == command->arg_len &&
		    memcmp(choice->user, command->arg, command->arg_len) == 0)
			return tell_host(machine, out) ? MACHINE_WAITS : MACHINE_RUNS;
		machine_link_renew(machine, FTP_PENDING_RENEWED, out); /* what HOST has said still counts */
		if (machine->closing)
			return MACHINE_ANSWERED;
	}
	keep(choice->user, command->arg, command->arg_len);
	forget_server(machine);
	machine->undialled = false;
	machine_expect(machine, FTP_PENDING_RENEWED);
	ftp_out_text(out, FTP_DO_SERVER_RENEW, choice->user, command->arg_len);
	return MACHINE_WAITS;
}

enum machine_step machine_late_choice(struct ftp_machine *machine, const struct ftp_command *command,
				      struct ftp_out *out)
{
	if (command->verb->kind == FTP_KIND_USER)
		return run_user(machine, command, out);
	if (!machine->undialled)
		return MACHINE_RUNS;
	if (machine_link_is_not_needed(command->verb->kind) || command->verb->kind == FTP_KIND_QUIT ||
	    (command->verb->kind == FTP_KIND_HOST && machine->late_choice->takes_host))
		return MACHINE_RUNS;
	if (command->verb->kind == FTP_KIND_FEAT)
		machine_feat_ends(machine, false, out);
	else /* all other verbs are for a server, and there is none */
		machine_answer(machine,
			       command->verb->kind == FTP_KIND_HOST ? FTP_LOCAL_UNAVAILABLE
								    : FTP_LOCAL_NOT_LOGGED_IN,
			       out);
	return MACHINE_ANSWERED;
}

void machine_late_choice_host(struct ftp_machine *machine, const struct ftp_command *command,
			      struct ftp_out *out)
{
	if (!is_usable(command->arg, command->arg_len)) {
		machine_answer(machine, FTP_LOCAL_HOST_SYNTAX, out);
		return;
	}
	keep(machine->late_choice->host, command->arg, command->arg_len);
	machine_answer(machine, FTP_LOCAL_OK_GREETING, out);
}

bool machine_late_choice_made(const struct ftp_machine *machine)
{
	return machine->late_choice != NULL && !machine->undialled;
}

void machine_late_choice_forget(struct ftp_machine *machine)
{
	if (machine->late_choice == NULL)
		return;
	machine->late_choice->host[0] = '\0';
	machine->late_choice->user[0] = '\0';
}
