#include "ftp-alg/verb.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

const struct ftp_verb ftp_verbs[] = {
#define VERB(name, kind, flags) { name, kind, flags },
#include "ftp-alg/verb.def"
#undef VERB
};
const size_t ftp_nverbs = sizeof(ftp_verbs) / sizeof(ftp_verbs[0]);

/* Unknown verbs go to the server once the client is logged in, and never before. */
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
