/*
 * Every FTP verb that the gateway knows, and what each does to a session.
 *
 * One sorted table (verb.def); a verb that is not in it is FTP_VERB_UNKNOWN,
 * whose row says how such verbs are treated, so that the miss is a row too.
 */
#ifndef ATTLSD_FTP_ALG_VERB_H
#define ATTLSD_FTP_ALG_VERB_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/ftp-action.h"

/* How the machine treats a command; each kind has a handler in command.c. */
enum ftp_verb_kind {
	FTP_KIND_PASS_ON = 0, /* forward it, relay the one reply */
	FTP_KIND_USER,
	FTP_KIND_PASS,
	FTP_KIND_ACCT,
	FTP_KIND_AUTH,
	FTP_KIND_PBSZ,
	FTP_KIND_PROT,
	FTP_KIND_CCC,
	FTP_KIND_FEAT,
	FTP_KIND_PASV,
	FTP_KIND_EPSV,
	FTP_KIND_PORT,
	FTP_KIND_EPRT,
	FTP_KIND_DOWNLOAD,
	FTP_KIND_UPLOAD,
	FTP_KIND_ABOR,
	FTP_KIND_QUIT,
	FTP_KIND_REIN,
	FTP_KIND_MODE,
	FTP_KIND_STAT,
	FTP_KIND_NOOP,
	FTP_KIND_HOST,
	FTP_KIND_SYST,
	FTP_KIND_REST,
	FTP_KIND_ADAT,
	FTP_KIND_ENVELOPE,    /* MIC, CONF, ENC: RFC 2228 protected commands, not under TLS */
	FTP_KIND_UNAVAILABLE, /* known, never offered: 502 */
	FTP_KIND_FOREIGN,     /* another protocol's verb (HTTP, SMTP): ends the session */
	FTP_KIND_COUNT
};

#define FTP_VERB_BEFORE_TLS	 1u  /* allowed in the clear although SECURE_FTP is REQUIRED */
#define FTP_VERB_BEFORE_LOGIN	 2u  /* allowed before login */
#define FTP_VERB_DURING_TRANSFER 4u  /* served while a transfer runs; others wait for its end */
#define FTP_VERB_LEAVES_NOTHING	 16u /* nothing of it stays in force at the server after its reply */
#define FTP_VERB_FILE		 8u  /* transfers a file that others may be using (DSWAITTIME) */

/* Where a command names paths, for `access`; a verb without one of the first five is none that is known. */
#define FTP_VERB_NO_PATH    0x20u
#define FTP_VERB_PATH	    0x40u   /* the whole argument */
#define FTP_VERB_LISTS	    0x80u   /* after options, perhaps several */
#define FTP_VERB_WORDS	    0x100u  /* any part of the argument may be one */
#define FTP_VERB_UP	    0x200u  /* the parent of the working directory */
#define FTP_VERB_HERE	    0x400u  /* without an argument: the working directory */
#define FTP_VERB_HERE_TOO   0x800u  /* with one as well */
#define FTP_VERB_DEEP	    0x1000u /* and all beneath the path */
#define FTP_VERB_ANY_EFFECT 0x2000u /* it can do what other verbs do */
#define FTP_VERB_MOVES	    0x4000u /* the working directory may be another one afterwards */

struct ftp_verb {
	const char *name; /* upper case; "" in the row of unknown verbs */
	enum ftp_verb_kind kind;
	unsigned flags;
};

/* A command line taken apart. Pointers go into the line. */
struct ftp_command {
	const struct ftp_verb *verb; /* never NULL */
	const char *line;	     /* the whole line, without its CRLF */
	size_t len;
	const char *arg; /* after the first blank; "" when there is none */
	size_t arg_len;
	size_t verb_len;
};

/* Take a line apart and look its verb up, in any case. An empty line has the unknown verb and verb_len 0. */
struct ftp_command ftp_command_parse(const char *line, size_t len);

/* Is this its verb? RFC 959 5.3: in any case. */
bool ftp_command_is(const struct ftp_command *command, const char *verb);

/* The row of a verb by its upper-case name; the row of unknown verbs when there is none. */
const struct ftp_verb *ftp_verb_find(const char *name, size_t len);

/*
 * Is a command on a policy's list? An entry is a verb, or a verb and its first
 * argument ("SITE EXEC"), in upper case; with SITE, later arguments can be parameters, too, as
 * on z/OS, and a shorter form of a denied argument is denied with it (SITE REC=FB). The X forms of RFC 775
 * (XRMD) count as the verbs that they stand for. Servers differ in how they read an argument with bytes from
 * 0x80, control characters or quotes: with an entry for an argument of its verb, it counts as denied and as
 * not allowed.
 */
bool ftp_command_is_denied(const struct ftp_command *command, const struct command_list *list);
bool ftp_command_is_allowed(const struct ftp_command *command, const struct command_list *list);

/* The table itself, for its test. */
extern const struct ftp_verb ftp_verbs[];
extern const size_t ftp_nverbs;

#endif
