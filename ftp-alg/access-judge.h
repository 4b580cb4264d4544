/*
 * Which entry of `access` refuses a command, if one does.
 */
#ifndef ATTLSD_FTP_ALG_ACCESS_JUDGE_H
#define ATTLSD_FTP_ALG_ACCESS_JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "ftp-alg/access-path.h"
#include "ftp-alg/state.h"
#include "ftp-alg/verb.h"

#define FTP_ACCESS_WORDS (FTP_ACCESS_MAX / 64)

/* What a session with `access` needs beside the machine. The caller owns it; all zero is a new one. */
struct ftp_access_state {
	struct ftp_folder_name folder;
	uint64_t named[FTP_ACCESS_WORDS];  /* the entries that name the user of the last USER */
	uint64_t let_in[FTP_ACCESS_WORDS]; /* and those that name the user who is logged in */
	bool had_login;			   /* on this connection to the server */
	bool asked;			   /* the reply to the client's PWD is pending */
	bool jes;			   /* SITE FILETYPE=JES may be in force */
	bool jes_ends;			   /* unless the server agrees to the command that is pending */
};

struct access_judge {
	/* filled in by the caller */
	const struct ftp_machine *machine;
	const struct ftp_command *command;
	/* the result */
	const struct ftp_access *by; /* the entry that refuses; NULL: none does */
	const char *why;	     /* for the log, static */
	bool needs_folder;	     /* and by is NULL: it depends on the server's working directory */
	/* inside */
	bool files; /* entries about files or data sets may refuse */
	bool listing, deep;
	struct ftp_path path;
};

void access_judge(struct access_judge *judge);

static inline bool access_is_word(const char *text, size_t len, const char *word)
{
	return len == strlen(word) && strncasecmp(text, word, len) == 0;
}

/* Is this text anywhere in the argument, in any case? */
bool access_names(const struct ftp_command *command, const char *text);

static inline bool access_is_site(const struct ftp_command *command)
{
	return access_is_word(command->line, command->verb_len, "SITE");
}

/* Is it known where this verb has its paths? */
static inline bool access_is_known(const struct ftp_verb *verb)
{
	return (verb->flags &
		(FTP_VERB_NO_PATH | FTP_VERB_PATH | FTP_VERB_LISTS | FTP_VERB_WORDS | FTP_VERB_UP)) != 0;
}

#endif
