/*
 * The server's replies, cut into lines and placed within their reply. A line
 * that merely looks like another reply's end is text (RFC 959 4.2), or a file
 * name in a listing could end the reply.
 */
#include "ftp-alg/reply.h"

#include <string.h>

#include "ftp-alg/cursor.h"

#define CODE_DIGITS    3
#define CODE_CLASS_MAX 5 /* 6yz is a protected reply (RFC 2228) */

/* What a line starts with. */
struct reply_head {
	uint16_t code; /* 0: no code */
	bool more;     /* "ddd-" */
	size_t text;   /* offset of what follows */
};

static struct reply_head reply_head_parse(struct ftp_cursor c)
{
	unsigned code = 0;

	for (int i = 0; i < CODE_DIGITS; i++) {
		int b = ftp_cursor_next(&c);

		if (b < '0' || b > '9')
			return (struct reply_head){ 0 };
		code = code * 10 + (unsigned)(b - '0');
	}
	if (code < 100 || code >= (CODE_CLASS_MAX + 1) * 100)
		return (struct reply_head){ 0 };

	bool more = ftp_cursor_accept(&c, '-');

	if (!more && !ftp_cursor_accept(&c, ' ') && !ftp_cursor_at_end(&c))
		return (struct reply_head){ 0 };
	return (struct reply_head){ .code = (uint16_t)code, .more = more, .text = c.at };
}

/* Find the line's end; fills len and consumed. FTP_REPLY_END stands for "a whole line". */
static enum ftp_reply_status reply_line_take(const uint8_t *window, size_t len, struct ftp_reply *reply)
{
	size_t lf;

	switch (ftp_eol_find(window, len, FTP_REPLY_LINE_MAX, &lf)) {
	case FTP_EOL_MORE:
		return FTP_REPLY_MORE;
	case FTP_EOL_TOO_LONG:
		reply->consumed = FTP_REPLY_LINE_MAX + 1;
		return FTP_REPLY_TOO_LONG;
	case FTP_EOL_FOUND:
		break;
	}
	reply->consumed = lf + 1;
	reply->len = lf > 0 && window[lf - 1] == '\r' ? lf - 1 : lf;
	if (memchr(window, '\0', reply->len) != NULL || memchr(window, '\r', reply->len) != NULL)
		return FTP_REPLY_MALFORMED;
	return FTP_REPLY_END;
}

enum ftp_reply_status ftp_reply_take(struct ftp_reply_parser *parser, const uint8_t *window, size_t len,
				     struct ftp_reply *ret_reply)
{
	struct ftp_reply *reply = ret_reply;
	enum ftp_reply_status status;
	struct reply_head head;

	*reply = (struct ftp_reply){ .code = parser->code,
				     .first = parser->code == 0,
				     .line = (const char *)window };
	status = reply_line_take(window, len, reply);
	if (status != FTP_REPLY_END)
		return status;
	if (reply->consumed > FTP_REPLY_BYTES_MAX - parser->bytes)
		return FTP_REPLY_TOO_LONG;
	head = reply_head_parse(ftp_cursor_make(window, reply->len));

	if (reply->first) {
		if (head.code == 0)
			return FTP_REPLY_MALFORMED;
		reply->code = head.code;
		reply->text = head.text;
		status = head.more ? FTP_REPLY_PART : FTP_REPLY_END;
	} else if (head.code == parser->code && !head.more) {
		reply->text = head.text;
		status = FTP_REPLY_END;
	} else {
		status = FTP_REPLY_PART; /* text, whatever it starts with (RFC 959 4.2) */
	}

	if (status == FTP_REPLY_END) {
		*parser = (struct ftp_reply_parser){ 0 };
	} else {
		parser->code = reply->code;
		parser->bytes += (uint32_t)reply->consumed;
	}
	return status;
}
