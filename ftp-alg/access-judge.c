/*
 * Judges the paths of commands by the entries of `access`: which parts of the argument a
 * server may read as names, what each of them may mean, and whether an entry refuses it.
 */
#include "ftp-alg/access-judge.h"

#include <string.h>
#include <strings.h>

#include "ftp-alg/access-match.h"

/* Names in one argument; more are taken for anything. */
#define NAMES_MAX 16

bool access_names(const struct ftp_command *command, const char *text)
{
	size_t len = strlen(text);

	for (size_t at = 0; at + len <= command->arg_len; at++)
		if (strncasecmp(command->arg + at, text, len) == 0)
			return true;
	return false;
}

static const char why_path[] = "path", why_pattern[] = "may-be-the-path", why_unclear[] = "unclear-name",
		  why_folder[] = "folder-unknown", why_jes[] = "jes";

/* Verbs that do the same as the first one, from which an entry that names it takes its meaning. */
static const char *const groups[][8] = {
	{ "LIST", "NLST", "MLSD", "MLST", "MLSR", "STAT", NULL },
	{ "RETR", "ERET", "THMB", NULL },
	{ "STOR", "STOU", "APPE", "ESTO", NULL },
};

/* The first verb of the command's group, as a command of its own; or the command as it is. */
static struct ftp_command leader_of(const struct ftp_command *command)
{
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		for (size_t j = 1; groups[i][j] != NULL; j++)
			if (access_is_word(command->line, command->verb_len, groups[i][j]))
				return ftp_command_parse(groups[i][0], strlen(groups[i][0]));
	return *command;
}

/* Does the entry apply to this command? Certain: as far as the verb goes, it decides. */
static enum ftp_cover covers_verb(const struct ftp_access *access, const struct ftp_command *command)
{
	struct ftp_command leader = leader_of(command);

	if (access->verbs.n == 0 || ftp_command_is_allowed(command, &access->verbs) ||
	    ftp_command_is_allowed(&leader, &access->verbs))
		return FTP_COVER_CERTAIN;
	if (!access_is_known(command->verb) || (command->verb->flags & FTP_VERB_ANY_EFFECT) != 0 ||
	    ftp_command_is_denied(command, &access->verbs))
		return FTP_COVER_MAYBE;
	return FTP_COVER_NONE;
}

static bool has_bit(const uint64_t *bits, size_t i)
{
	return (bits[i / 64] >> (i % 64) & 1) != 0;
}

static bool has_name(const struct name_list *list, const char *name)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->names[i], name) == 0)
			return true;
	return false;
}

static bool lets_in(const struct ftp_machine *machine, const struct ftp_access *access)
{
	const struct ftp_identity *identity = &machine->identity;
	size_t i = (size_t)(access - machine->action->access);

	if (access->everyone || (machine->access != NULL && has_bit(machine->access->let_in, i)))
		return true;
	if (identity->user == NULL)
		return false;
	return (identity->certificate && has_name(&access->certificates, identity->user)) ||
	       (machine->security.gssapi && has_name(&access->principals, identity->user));
}

static void refuse(struct access_judge *judge, const struct ftp_access *by, const char *why)
{
	judge->by = by;
	judge->why = why;
}

/* The first entry that covers the path for certain decides; one before it that may cover it can refuse. */
static void judge_path(struct access_judge *judge)
{
	const struct ftp_action *action = judge->machine->action;

	for (size_t i = 0; i < action->naccess && judge->by == NULL; i++) {
		const struct ftp_access *access = &action->access[i];
		enum ftp_cover verb = covers_verb(access, judge->command), cover;

		if (verb == FTP_COVER_NONE)
			continue;
		cover = ftp_access_covers(access, &judge->path);
		if (cover == FTP_COVER_NONE)
			continue;
		if (!lets_in(judge->machine, access))
			refuse(judge, access,
			       judge->path.anywhere	  ? why_unclear
			       : cover == FTP_COVER_MAYBE ? why_pattern
							  : why_path);
		else if (cover == FTP_COVER_CERTAIN && verb == FTP_COVER_CERTAIN)
			return;
	}
}

/* The command could be about any path. */
static void judge_anywhere(struct access_judge *judge, const char *why)
{
	judge->path.anywhere = true;
	judge_path(judge);
	if (judge->by != NULL)
		judge->why = why;
}

static void judge_jes(struct access_judge *judge)
{
	judge->path.anywhere = false;
	judge->path.space = FTP_SPACE_JES;
	judge_path(judge);
	if (judge->by != NULL)
		judge->why = why_jes;
}

static const struct ftp_folder_name *folder_of(const struct access_judge *judge)
{
	return &judge->machine->access->folder;
}

/* Is the working directory there to be judged? If it cannot be known, it may be any. */
static bool has_folder(struct access_judge *judge)
{
	if (machine_is_owed_late(judge->machine)) { /* a reply may be taken for another command's */
		judge_anywhere(judge, why_folder);
		return false;
	}
	switch (folder_of(judge)->state) {
	case FTP_FOLDER_KNOWN:
		return true;
	case FTP_FOLDER_STALE:
		judge->needs_folder = true;
		break;
	case FTP_FOLDER_UNKNOWN:
		judge_anywhere(judge, why_folder);
		break;
	}
	return false;
}

static void judge_folder(struct access_judge *judge, bool up)
{
	if (!has_folder(judge))
		return;
	ftp_path_of_folder(&judge->path, folder_of(judge), up);
	judge->path.deep |= judge->deep || (judge->listing && judge->path.space == FTP_SPACE_MVS);
	judge_path(judge);
}

static void judge_reading(struct access_judge *judge, const char *name, size_t len)
{
	ftp_path_read(&judge->path, folder_of(judge), name, len, judge->listing);
	judge->path.deep |= judge->deep;
	judge_path(judge);
}

/*
 * Up from the working directory: another session may have renamed it since the server named it, and then
 * it has another parent. Commands that move into it are judged as ever, since the server is asked again.
 */
static bool leads_up(const struct access_judge *judge, const char *name, size_t len)
{
	return folder_of(judge)->space == FTP_SPACE_HFS && len >= 2 && memcmp(name, "..", 2) == 0 &&
	       (len == 2 || name[2] == '/') && (judge->command->verb->flags & FTP_VERB_MOVES) == 0;
}

/* All that a server may read this name as. */
static void judge_name(struct access_judge *judge, const char *name, size_t len)
{
	const struct ftp_folder_name *folder = folder_of(judge);
	size_t end = len;

	if (judge->by != NULL || len == 0)
		return;
	if (ftp_name_is_unclear(name, len)) {
		judge_anywhere(judge, why_unclear);
		return;
	}
	if (name[0] == '/') {
		judge_reading(judge, name, len);
		return;
	}
	if (!has_folder(judge))
		return;
	if (leads_up(judge, name, len)) {
		judge_anywhere(judge, why_unclear);
		return;
	}
	judge_reading(judge, name, len);
	if (name[0] != '\'') {
		if (folder->members)
			judge_folder(judge, false);
		return;
	}
	if (folder->space != FTP_SPACE_HFS || judge->by != NULL)
		return;
	/* to a server without data sets, the quotes are part of the name, or nothing */
	ftp_path_read_plain(&judge->path, folder, name, len);
	judge->path.deep |= judge->deep;
	judge_path(judge);
	while (end > 1 && name[end - 1] == '\'')
		end--;
	judge_name(judge, name + 1, end - 1);
}

static size_t blanks(const char *text, size_t len)
{
	size_t n = 0;

	while (n < len && text[n] == ' ')
		n++;
	return n;
}

/* As it stands, and without blanks before it, which most servers skip. */
static void judge_argument(struct access_judge *judge, const char *arg, size_t len)
{
	size_t skip = blanks(arg, len);

	judge_name(judge, arg + skip, len - skip);
	if (skip > 0 && skip < len)
		judge_name(judge, arg, len);
}

/* An option with R lists everything beneath; so may one with a name. */
static bool is_deep_option(const char *word, size_t len)
{
	return memchr(word, 'R', len) != NULL || (len > 1 && word[1] == '-');
}

/* LIST -la one two: servers read options, and several names, or one name with blanks. */
static void judge_listing(struct access_judge *judge, const char *arg, size_t len)
{
	size_t names = 0, options = 0, words = 0, n;

	judge->listing = true;
	for (size_t at = blanks(arg, len); at < len; at += n + blanks(arg + at + n, len - at - n)) {
		const char *blank = memchr(arg + at, ' ', len - at);

		n = blank != NULL ? (size_t)(blank - arg) - at : len - at;
		/* some servers run ls, which takes options after names, too */
		judge->deep |= arg[at] == '-' && is_deep_option(arg + at, n);
		if (arg[at] == '-' && names == 0)
			options++;
		else
			names++;
		if (++words > NAMES_MAX) {
			judge_anywhere(judge, why_unclear);
			return;
		}
	}
	if (options > 0 || names > 1) {
		for (size_t at = blanks(arg, len); at < len; at += n + blanks(arg + at + n, len - at - n)) {
			const char *blank = memchr(arg + at, ' ', len - at);

			n = blank != NULL ? (size_t)(blank - arg) - at : len - at;
			if (arg[at] == '-' && options > 0) {
				options--;
				continue;
			}
			judge_name(judge, arg + at, n);
			judge_name(judge, arg + at, len - at);
		}
	}
	if (names == 0)
		judge_folder(judge, false);
	judge_argument(judge, arg, len);
}

static bool separates(char byte)
{
	return strchr(" ,;=\"", byte) != NULL;
}

/*
 * Any part of the argument may be a name: from each separator to the next one, to a quote or a blank,
 * or to the end. To some servers, the separators other than blanks are part of the name.
 */
static void judge_words(struct access_judge *judge, const char *arg, size_t len)
{
	size_t starts = 0;

	for (size_t at = 0; at < len && judge->by == NULL; at++) {
		size_t word = at, name = at, quotes;

		if (arg[at] == ' ' || (at > 0 && !separates(arg[at - 1])))
			continue;
		if (++starts > NAMES_MAX) {
			judge_anywhere(judge, why_unclear);
			return;
		}
		while (word < len && !separates(arg[word]))
			word++;
		while (name < len && arg[name] != ' ' && arg[name] != '"')
			name++;
		for (quotes = name; quotes < len && arg[quotes] != ' ';)
			quotes++;
		judge_name(judge, arg + at, word - at);
		if (name > word)
			judge_name(judge, arg + at, name - at);
		if (quotes > name)
			judge_name(judge, arg + at, quotes - at);
		judge_name(judge, arg + at, len - at);
	}
}

/* "a b": servers take the quotes away, or read them as part of the name. */
static void judge_unquoted(struct access_judge *judge,
			   void (*fn)(struct access_judge *, const char *, size_t))
{
	const struct ftp_command *command = judge->command;
	char plain[FTP_FOLDER_MAX];
	size_t len = 0;

	fn(judge, command->arg, command->arg_len);
	if (judge->by != NULL || memchr(command->arg, '"', command->arg_len) == NULL)
		return;
	if (command->arg_len > sizeof(plain)) {
		judge_anywhere(judge, why_unclear);
		return;
	}
	for (size_t i = 0; i < command->arg_len; i++)
		if (command->arg[i] != '"')
			plain[len++] = command->arg[i];
	fn(judge, plain, len);
}

/* The spool: its state, and the parameters of SITE that lead to it or reconfigure it. */
static void judge_spool(struct access_judge *judge)
{
	if (judge->machine->access->jes && !access_is_site(judge->command))
		judge_jes(judge);
	if (judge->by == NULL && access_is_site(judge->command) && access_names(judge->command, "JES"))
		judge_jes(judge);
	/* z/OS: SITE CTRLCONN gives the letters of names another meaning */
	if (judge->by == NULL && access_is_site(judge->command) && access_names(judge->command, "CTRL"))
		judge_anywhere(judge, why_unclear);
}

static void judge_command(struct access_judge *judge)
{
	unsigned flags = judge->command->verb->flags;
	bool known = access_is_known(judge->command->verb);

	judge->deep = !known || (flags & FTP_VERB_DEEP) != 0;
	judge_spool(judge);
	if (judge->by != NULL || !judge->files)
		return;
	if ((flags & FTP_VERB_UP) != 0) {
		judge_folder(judge, true);
		return;
	}
	if ((flags & FTP_VERB_HERE_TOO) != 0 ||
	    ((flags & FTP_VERB_HERE) != 0 && judge->command->arg_len == 0)) {
		judge->listing = (flags & FTP_VERB_LISTS) != 0;
		judge_folder(judge, false);
	}
	if ((flags & FTP_VERB_PATH) != 0)
		judge_unquoted(judge, judge_argument);
	else if ((flags & FTP_VERB_LISTS) != 0 && judge->command->arg_len > 0)
		judge_unquoted(judge, judge_listing);
	else if (!known || (flags & FTP_VERB_WORDS) != 0)
		judge_unquoted(judge, judge_words);
}

/* Does any entry about such a command shut this client out? *ret_files: one that is not about the spool. */
static bool may_refuse(const struct ftp_machine *machine, const struct ftp_command *command, bool *ret_files)
{
	const struct ftp_action *action = machine->action;
	bool any = false;

	for (size_t i = 0; i < action->naccess && !*ret_files; i++) {
		if (lets_in(machine, &action->access[i]) ||
		    covers_verb(&action->access[i], command) == FTP_COVER_NONE)
			continue;
		any = true;
		*ret_files = action->access[i].space != FTP_SPACE_JES;
	}
	return any;
}

void access_judge(struct access_judge *judge)
{
	if (may_refuse(judge->machine, judge->command, &judge->files))
		judge_command(judge);
}
