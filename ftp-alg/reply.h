/*
 * A server's replies, line by line (RFC 959 4.2).
 *
 * Replies are streamed: a multi-line reply may last for hours (z/OS sends
 * "125-" lines while a data set is in use) and a line may be of any length, so
 * the parser keeps where it is in a reply and never the text. It is strict where
 * a reply begins, and takes anything as text inside one.
 */
#ifndef ATTLSD_FTP_ALG_REPLY_H
#define ATTLSD_FTP_ALG_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FTP_REPLY_LINE_MAX 4096 /* without CRLF; a longer line is taken in pieces of at most this */

/* The state between two lines. All zero: no reply is open, and the parser is strict. */
struct ftp_reply_parser {
	bool lenient;  /* set by the caller: another code of the same class ends a multi-line reply, too */
	uint16_t code; /* of the open reply; 0: none is open */
	bool in_line;  /* the last piece did not end its line; the line may belong to no reply */
	bool closing;  /* in_line: it is the last line of its reply */
};

enum ftp_reply_status {
	FTP_REPLY_MALFORMED = 0, /* where a reply may begin: no code, or one outside 1yz..5yz */
	FTP_REPLY_MORE,		 /* only from ftp_reply_take(): no whole line yet */
	FTP_REPLY_PART,		 /* a line or a piece of one; the reply goes on */
	FTP_REPLY_END,		 /* the last or only line, or its last piece: the reply is complete */
};

struct ftp_reply {
	uint16_t code;	  /* of the reply, also on lines in between */
	bool first;	  /* the reply's first line begins here */
	bool closing;	  /* this is the last or only line of the reply, or a piece of it */
	bool continues;	  /* not the first piece of its line */
	bool goes_on;	  /* not the last piece of its line */
	bool end_like;	  /* a line in between that looks like the end of another reply */
	const char *line; /* the whole line or piece, without its line end */
	size_t len;
	size_t text;	 /* offset of the text after "ddd " or "ddd-"; 0 on lines in between */
	size_t consumed; /* bytes of the window that are used up */
};

/*
 * Take one line from the window (ended by LF; CRs before it are stripped, a
 * server that sends bare LF is understood) and find its place in the reply.
 * "ddd" alone, "ddd " and "ddd" with a tab end a reply that "ddd-" opened only
 * when the code is the same; any other line in between is text. For a lenient
 * parser, "ddd " of the same class ends the reply, too. The parser then writes the
 * opening code into the window, because clients wait for it. 6yz is malformed (RFC 2228 protected
 * replies have no place on a cleartext leg).
 *
 * A CR inside a line and a NUL become '?' in the window, as `ls -q` shows them.
 * Some clients end a line there (Java's and Python's text readers at CR, C strings at
 * NUL), so a file name could contain a forged reply.
 *
 * FTP_REPLY_MALFORMED leaves the parser so that the line can be skipped. Pointers
 * live as long as the window.
 */
enum ftp_reply_status ftp_reply_take(struct ftp_reply_parser *parser, uint8_t *window, size_t len,
				     struct ftp_reply *ret_reply);

static inline bool ftp_reply_is_preliminary(uint16_t code)
{
	return code >= 100 && code < 200;
}

static inline bool ftp_reply_is_positive(uint16_t code)
{
	return code >= 200 && code < 300;
}

/*
 * Does this code, in reply to USER or (password) to PASS or ACCT, say that the user is logged in?
 * RFC 959 5.4 and RFC 2228 5.1 have 230, 232 and 202. Some servers answer a password with 200 or 220. Any
 * other 2yz is the answer to something else, such as a late 213 of STAT.
 */
static inline bool ftp_reply_is_login(uint16_t code, bool password)
{
	return code == 230 || code == 232 || (password && (code == 200 || code == 202 || code == 220));
}

/* Does a reply with this code announce a data port? */
static inline bool ftp_reply_names_a_port(uint16_t code)
{
	return code >= 227 && code <= 229;
}

#endif
