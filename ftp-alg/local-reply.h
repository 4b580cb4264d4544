/*
 * The replies that the gateway gives itself, in the style that policy asks for.
 */
#ifndef ATTLSD_FTP_ALG_LOCAL_REPLY_H
#define ATTLSD_FTP_ALG_LOCAL_REPLY_H

#include <stddef.h>

#include "policy/ftp-action.h"

enum ftp_local {
	FTP_LOCAL_NONE = 0, /* no objection */
#define REPLY(id, rfc, zos, key) FTP_LOCAL_##id,
#include "ftp-alg/local-reply.def"
#undef REPLY
	FTP_LOCAL_COUNT
};

/* The keys whose refusals policy may audit. */
enum ftp_would {
	FTP_WOULD_NONE = 0,
	FTP_WOULD_SECURE_FTP,
	FTP_WOULD_SECURE_CTRLCONN,
	FTP_WOULD_SECURE_DATACONN,
	FTP_WOULD_SECURE_LOGIN,
	FTP_WOULD_SECURE_SESSION_REUSE,
	FTP_WOULD_PER_USER,
	FTP_WOULD_COUNT
};

/* FTP_WOULD_NONE: a refusal by this key is never audited. */
enum ftp_would ftp_would_of(const char *key);

/* Room for any reply with its CRLF and a NUL. */
#define FTP_LOCAL_LINE_MAX 512

/* The reply's text, one line or more with CRLF between them and none at the end. Static. */
const char *ftp_local_text(enum ftp_local reply, enum reply_style style);

/*
 * The policy's key that decides on this reply, as policy/policy-where.h writes it. NULL: none
 * does. Static.
 */
const char *ftp_local_key(enum ftp_local reply, const struct ftp_action *action);

/* The key in the table, by the number of the reply. NULL: none. */
const char *ftp_local_key_at(size_t reply);

/* The text with CRLF at its end, for a caller that has no machine yet. Returns the length. */
size_t ftp_local_line(enum ftp_local reply, enum reply_style style, char buf[static FTP_LOCAL_LINE_MAX]);

#endif
