/*
 * Looking up verbs and matching commands against a policy's lists. An unknown
 * verb gets a row of its own, which no flag opens.
 */
#include "ftp-alg/verb.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const struct ftp_verb ftp_verbs[] = {
#define VERB(name, kind, flags) { name, kind, flags },
#include "ftp-alg/verb.def"
#undef VERB
};
const size_t ftp_nverbs = sizeof(ftp_verbs) / sizeof(ftp_verbs[0]);

/* No unknown verb goes to the server before the login; gate.c says which ones go after it. */
static const struct ftp_verb unknown_verb = { "", FTP_KIND_PASS_ON, 0 };

#define VERB_NAME_MAX 8

static int compare_verb(const void *key, const void *row)
{
	return strcmp(key, ((const struct ftp_verb *)row)->name);
}

const struct ftp_verb *ftp_verb_find(const char *name, size_t len)
{
	char upper[VERB_NAME_MAX + 1];
	const struct ftp_verb *verb;

	if (len == 0 || len > VERB_NAME_MAX || memchr(name, '\0', len) != NULL)
		return &unknown_verb;
	for (size_t i = 0; i < len; i++)
		upper[i] = (char)toupper((unsigned char)name[i]);
	upper[len] = '\0';
	verb = bsearch(upper, ftp_verbs, ftp_nverbs, sizeof(ftp_verbs[0]), compare_verb);
	return verb != NULL ? verb : &unknown_verb;
}

struct ftp_command ftp_command_parse(const char *line, size_t len)
{
	const char *blank = memchr(line, ' ', len);
	struct ftp_command command = { .line = line, .len = len, .arg = "" };

	command.verb_len = blank != NULL ? (size_t)(blank - line) : len;
	if (blank != NULL) {
		command.arg = blank + 1;
		command.arg_len = len - command.verb_len - 1;
	}
	command.verb = ftp_verb_find(line, command.verb_len);
	return command;
}

bool ftp_command_is(const struct ftp_command *command, const char *verb)
{
	return command->verb_len == strlen(verb) && strncasecmp(command->line, verb, command->verb_len) == 0;
}

/* RFC 775: other names for the same thing. */
static const char *const aliases[][2] = {
	{ "XCUP", "CDUP" }, { "XCWD", "CWD" }, { "XMKD", "MKD" }, { "XPWD", "PWD" }, { "XRMD", "RMD" },
};

static bool word_equal(const char *name, size_t name_len, const char *word, size_t len)
{
	return name_len == len && strncasecmp(name, word, len) == 0;
}

static bool verb_equal(const char *name, size_t name_len, const struct ftp_command *command)
{
	if (word_equal(name, name_len, command->line, command->verb_len))
		return true;
	for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++)
		if (word_equal(aliases[i][0], strlen(aliases[i][0]), command->line, command->verb_len) &&
		    word_equal(name, name_len, aliases[i][1], strlen(aliases[i][1])))
			return true;
	return false;
}

struct word {
	const char *text;
	size_t len;
};

/* The word after this one; after a word of no length at the beginning of the argument, the first. */
static struct word next_argument(const struct ftp_command *command, struct word word)
{
	const char *end = command->arg + command->arg_len, *at = word.text + word.len;
	size_t len = 0;

	while (at < end && *at == ' ')
		at++;
	while (at + len < end && at[len] != ' ')
		len++;
	return (struct word){ at, len };
}

/* The word that entries such as "SITE EXEC" name. */
static struct word first_argument(const struct ftp_command *command)
{
	return next_argument(command, (struct word){ command->arg, 0 });
}

/*
 * Does every server read this word as it stands here? Servers drop a 0xFF with its
 * neighbour, split at control characters, and remove quotes.
 */
static bool is_plain(struct word word)
{
	for (size_t i = 0; i < word.len; i++)
		if (word.text[i] <= ' ' || word.text[i] >= 0x7f || word.text[i] == '"' ||
		    word.text[i] == '\\')
			return false;
	return true;
}

/* "RECFM" of z/OS's "SITE RECFM=FB" */
static struct word leading_letters(struct word word)
{
	size_t len = 0;

	while (len < word.len && isalnum((unsigned char)word.text[len]))
		len++;
	return (struct word){ word.text, len };
}

/* z/OS's "RECFM=FB": the key of this word, or a word of no length. */
static struct word key_of(struct word word)
{
	const char *equals = memchr(word.text, '=', word.len);

	return (struct word){ word.text, equals != NULL ? (size_t)(equals - word.text) : 0 };
}

static bool names(const char *argument, struct word word)
{
	return word_equal(argument, strlen(argument), word.text, word.len);
}

/* An entry of a list: a verb, and its first argument; argument NULL: with any. */
struct entry {
	const char *verb;
	size_t verb_len;
	const char *argument;
};

static struct entry entry_of(const char *text)
{
	const char *blank = strchr(text, ' ');

	if (blank == NULL)
		return (struct entry){ text, strlen(text), NULL };
	return (struct entry){ text, (size_t)(blank - text), blank + 1 };
}

/* The SITE of z/OS takes many parameters at once: "SITE LRECL=80 FILETYPE=JES". */
static bool takes_parameters(const struct ftp_command *command)
{
	return word_equal("SITE", 4, command->line, command->verb_len);
}

/* z/OS takes "REC=FB" for RECFM, and other servers have other shortest forms: every beginning counts. */
static bool shortens(const char *argument, struct word word, size_t least)
{
	return word.len >= least && word.len <= strlen(argument) &&
	       strncasecmp(argument, word.text, word.len) == 0;
}

/* The shortest parameter without "=" after the first word: a single letter there is more likely a name. */
#define LATER_LEAST 2

/* A later argument of SITE: is it the parameter, or something that a server could read as it? */
static bool later_is_denied(const struct ftp_command *command, struct word word, const char *argument)
{
	if (!takes_parameters(command))
		return false;
	while ((word = next_argument(command, word)).len > 0)
		if (shortens(argument, word, LATER_LEAST) || shortens(argument, key_of(word), 1) ||
		    (key_of(word).len > 0 && !is_plain(word)))
			return true;
	return false;
}

bool ftp_command_is_denied(const struct ftp_command *command, const struct command_list *list)
{
	struct word word = first_argument(command), letters = leading_letters(word);

	for (size_t i = 0; i < list->n; i++) {
		struct entry entry = entry_of(list->names[i]);

		if (verb_equal(entry.verb, entry.verb_len, command) &&
		    (entry.argument == NULL || !is_plain(word) || names(entry.argument, letters) ||
		     (takes_parameters(command) && shortens(entry.argument, letters, 1)) ||
		     later_is_denied(command, word, entry.argument)))
			return true;
	}
	return false;
}

/* Does the list name the word, or its key, as an argument of the command? */
static bool is_listed(const struct ftp_command *command, struct word word, const struct command_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		struct entry entry = entry_of(list->names[i]);

		if (verb_equal(entry.verb, entry.verb_len, command) &&
		    (entry.argument == NULL || (is_plain(word) && (names(entry.argument, word) ||
								   names(entry.argument, key_of(word))))))
			return true;
	}
	return false;
}

/*
 * After "SITE CHMOD", other words are no parameters. But "KEY=value" may be one, and
 * after it each word may be.
 */
bool ftp_command_is_allowed(const struct ftp_command *command, const struct command_list *list)
{
	struct word word = first_argument(command);
	bool keyed = key_of(word).len > 0;

	if (!is_listed(command, word, list))
		return false;
	if (!takes_parameters(command))
		return true;
	while ((word = next_argument(command, word)).len > 0) {
		if ((keyed || key_of(word).len > 0) && !is_listed(command, word, list))
			return false;
	}
	return true;
}
