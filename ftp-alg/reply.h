/*
 * A server's replies, line by line (RFC 959 4.2).
 *
 * Replies are streamed: a multi-line reply may last for hours (z/OS sends
 * "125-" lines while a data set is in use), so the parser keeps where it is in
 * a reply and never the text.
 */
#ifndef ATTLSD_FTP_ALG_REPLY_H
#define ATTLSD_FTP_ALG_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FTP_REPLY_LINE_MAX  4096	  /* without CRLF */
#define FTP_REPLY_BYTES_MAX (1024 * 1024) /* of one reply, all lines */

/* Where a reply stands; all zero is "before the first line". */
struct ftp_reply_parser {
	uint16_t code;	/* of the multi-line reply that is open; 0: none is */
	uint32_t bytes; /* received of it */
};

enum ftp_reply_status {
	FTP_REPLY_MALFORMED = 0, /* not a reply line (no code, code outside 1yz..5yz, NUL or CR inside) */
	FTP_REPLY_TOO_LONG,	 /* over one of the limits */
	FTP_REPLY_MORE,		 /* only from ftp_reply_take(): no whole line yet */
	FTP_REPLY_PART,		 /* a line of a multi-line reply that goes on: first or in between */
	FTP_REPLY_END,		 /* the last or only line: the reply is complete */
};

struct ftp_reply {
	uint16_t code;	  /* of the reply, also on lines in between */
	bool first;	  /* this is the reply's first line */
	const char *line; /* the whole line as received, without its line end */
	size_t len;
	size_t text;	 /* offset of the text after "ddd " or "ddd-"; 0 on lines in between */
	size_t consumed; /* bytes of the window that are used up */
};

/*
 * Take one line from the window (ended by LF; one CR before it is stripped, a
 * server that sends bare LF is understood) and find its place in the reply.
 * "ddd" alone and "ddd " end a reply that "ddd-" opened only when the code is the same; any
 * other line in between is text. 6yz is malformed (RFC 2228 protected replies
 * have no place on a cleartext leg). Pointers live as long as the window.
 */
enum ftp_reply_status ftp_reply_take(struct ftp_reply_parser *parser, const uint8_t *window, size_t len,
				     struct ftp_reply *ret_reply);

static inline bool ftp_reply_is_preliminary(uint16_t code)
{
	return code >= 100 && code < 200;
}

static inline bool ftp_reply_is_positive(uint16_t code)
{
	return code >= 200 && code < 300;
}

#endif
