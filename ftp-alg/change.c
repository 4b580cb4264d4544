/*
 * The commands of RFC 959, RFC 775 and the MFMT draft that change files, folders or
 * the session at the server. All of SITE counts, since each server has its own.
 */
#include "ftp-alg/change.h"

#include <string.h>
#include <strings.h>

static bool is_one_of(const char *word, size_t len, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(names[i]) == len && strncasecmp(names[i], word, len) == 0)
			return true;
	return false;
}

#define IS_ONE_OF(word, len, names) is_one_of((word), (len), (names), sizeof(names) / sizeof((names)[0]))

enum ftp_change ftp_change_of(const struct ftp_command *command)
{
	static const char *const server[] = { "DELE", "RMD",  "XRMD", "MKD", "XMKD", "RNTO",
					      "SITE", "MFMT", "MFCT", "MFF", "XRMF", "SMNT" };
	static const char *const folder[] = { "CWD", "XCWD", "CDUP", "XCUP" };

	if (IS_ONE_OF(command->line, command->verb_len, server))
		return FTP_CHANGE_SERVER;
	return IS_ONE_OF(command->line, command->verb_len, folder) ? FTP_CHANGE_FOLDER : FTP_CHANGE_NONE;
}

/* Servers have many names for such a subcommand: PSWD, GPASS, CHPASSWD, SETPWD, ADDUSER ... */
static bool is_about_secret(const char *word, size_t len)
{
	static const char *const parts[] = { "PASS",  "PSW",  "PWD",  "ACCT", "SECRET",
					     "TOKEN", "CRED", "USER", "LOGIN" };

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		for (size_t at = 0; at + strlen(parts[i]) <= len; at++)
			if (strncasecmp(word + at, parts[i], strlen(parts[i])) == 0)
				return true;
	return false;
}

/* Servers disagree about what ends the subcommand, so whatever may end it does. */
static size_t word_end(const struct ftp_command *command, size_t at)
{
	static const char ends[] = { ' ', '\t', '=', ':', ',', ';' };

	while (at < command->arg_len && memchr(ends, command->arg[at], sizeof(ends)) == NULL)
		at++;
	return at;
}

size_t ftp_change_shown(const struct ftp_command *command)
{
	bool site = command->verb_len == 4 && strncasecmp(command->line, "SITE", 4) == 0;
	size_t begin = 0, end;

	while (begin < command->arg_len && (command->arg[begin] == ' ' || command->arg[begin] == '\t'))
		begin++;
	end = word_end(command, begin);
	return site && is_about_secret(command->arg + begin, end - begin) ? end : command->arg_len;
}
