/*
 * What `access` needs of a session: who is logged in, the server's working directory, and
 * whether names mean jobs. The directory is never computed: when a command needs it, the
 * server is asked with PWD, since only the server knows where its CWD led to.
 */
#include "ftp-alg/access.h"

#include <string.h>

static void answer(struct ftp_machine *machine, const struct access_judge *judge, struct ftp_out *out)
{
	struct ftp_act *act = machine_answer(machine, FTP_LOCAL_ACCESS, out);

	act->line = judge->by->line;
	act->why = judge->why;
}

static enum machine_step judge_command(struct ftp_machine *machine, const struct ftp_command *command,
				       struct ftp_out *out)
{
	struct access_judge judge = { .machine = machine, .command = command };

	access_judge(&judge);
	if (judge.by == NULL && !judge.needs_folder)
		return MACHINE_RUNS;
	/* the client would take the refusal for the reply to the transfer, and the server reads no PWD now */
	if (ftp_machine_in_transfer(machine))
		return MACHINE_WAITS;
	if (judge.by != NULL) {
		answer(machine, &judge, out);
		return MACHINE_ANSWERED;
	}
	ftp_out_text(out, FTP_DO_COMMAND, "PWD", strlen("PWD"));
	machine_expect(machine, FTP_PENDING_FOLDER);
	return MACHINE_WAITS;
}

enum machine_step machine_access(struct ftp_machine *machine, const struct ftp_command *command,
				 struct ftp_out *out)
{
	if (machine->action->naccess == 0 || (command->verb->flags & FTP_VERB_NO_PATH) != 0 ||
	    machine->login != FTP_LOGIN_DONE)
		return MACHINE_RUNS;
	if (machine->access != NULL)
		return judge_command(machine, command, out);
	machine_answer(machine, FTP_LOCAL_ACCESS, out); /* without it nothing can be judged */
	return MACHINE_ANSWERED;
}

void machine_access_sent(struct ftp_machine *machine, const struct ftp_command *command)
{
	struct ftp_access_state *access = machine->access;
	bool filetype;

	if (access == NULL)
		return;
	filetype = access_is_site(command) && access_names(command, "FILE");
	access->asked = access_is_word(command->line, command->verb_len, "PWD") ||
			access_is_word(command->line, command->verb_len, "XPWD");
	access->jes_ends = filetype && !access_names(command, "JES") &&
			   (access_names(command, "SEQ") || access_names(command, "SQL"));
	access->jes |= filetype && access_names(command, "JES");
	/* whatever the reply: a server may move and still complain */
	if (!access_is_known(command->verb) || (command->verb->flags & FTP_VERB_MOVES) != 0)
		access->folder.state = FTP_FOLDER_STALE;
}

/* 257 "a ""b"" c" text: the name, with doubled quotes inside. False: there is none, or more than one. */
static bool read_name(const struct ftp_reply *reply, char name[static FTP_FOLDER_MAX], size_t *ret_len)
{
	const char *end = reply->line + reply->len, *at = reply->line + reply->text;
	size_t len = 0;

	at = memchr(at, '"', (size_t)(end - at));
	if (at == NULL)
		return false;
	for (at++; at < end && len < FTP_FOLDER_MAX; at++) {
		if (*at == '"' && (at + 1 == end || at[1] != '"'))
			break;
		if (*at == '"')
			at++;
		name[len++] = *at;
	}
	*ret_len = len;
	return at < end && *at == '"' && memchr(at + 1, '"', (size_t)(end - at) - 1) == NULL;
}

void machine_access_line(struct ftp_machine *machine, const struct ftp_reply *reply)
{
	struct ftp_access_state *access = machine->access;
	char name[FTP_FOLDER_MAX];
	size_t len;
	bool ours = machine->pending == FTP_PENDING_FOLDER;

	if (access == NULL || machine->answer.whom != FTP_ANSWERS_PENDING || !reply->first ||
	    reply->continues || reply->code != 257)
		return;
	if (!ours && !(machine->pending == FTP_PENDING_PLAIN && access->asked))
		return;
	if (machine_is_owed_late(machine)) /* this may answer an earlier PWD */
		access->folder.state = FTP_FOLDER_STALE;
	else if (read_name(reply, name, &len))
		ftp_folder_name_read(&access->folder, name, len);
	else
		access->folder.state = FTP_FOLDER_UNKNOWN;
}

void machine_access_ends(struct ftp_machine *machine, enum ftp_pending pending, uint16_t code)
{
	struct ftp_access_state *access = machine->access;

	if (access == NULL)
		return;
	if (pending == FTP_PENDING_FOLDER && access->folder.state == FTP_FOLDER_STALE)
		access->folder.state = FTP_FOLDER_UNKNOWN;
	if (pending == FTP_PENDING_PLAIN && access->jes_ends && ftp_reply_is_positive(code) &&
	    !machine_is_owed_late(machine))
		access->jes = false;
}

void machine_access_user(struct ftp_machine *machine, const char *name, size_t len)
{
	struct ftp_access_state *access = machine->access;

	if (access == NULL)
		return;
	memset(access->named, 0, sizeof(access->named));
	for (size_t i = 0; i < machine->action->naccess; i++) {
		const struct name_list *users = &machine->action->access[i].users;

		for (size_t j = 0; j < users->n; j++)
			if (access_is_word(name, len, users->names[j]))
				access->named[i / 64] |= (uint64_t)1 << (i % 64);
	}
}

/*
 * A server that ignores a second USER may still say 230 to it, and the first user stays. So
 * without a new connection no login gives more rights than the one before it.
 */
void machine_access_logged_in(struct ftp_machine *machine)
{
	struct ftp_access_state *access = machine->access;

	if (access == NULL)
		return;
	for (size_t i = 0; i < FTP_ACCESS_WORDS; i++)
		access->let_in[i] =
		    access->had_login ? access->let_in[i] & access->named[i] : access->named[i];
	access->had_login = true;
	access->folder.state = FTP_FOLDER_STALE;
}

void machine_access_renew(struct ftp_machine *machine)
{
	if (machine->access != NULL)
		memset(machine->access, 0, sizeof(*machine->access));
}
