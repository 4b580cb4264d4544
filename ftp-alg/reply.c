/*
 * The server's replies, cut into lines and placed within their reply. A line
 * that merely looks like another reply's end is text (RFC 959 4.2), or a file
 * name in a listing could end the reply.
 */
#include "ftp-alg/reply.h"

#include "ftp-alg/cursor.h"

#define CODE_DIGITS    3
#define CODE_CLASS_MAX 5 /* 6yz is a protected reply (RFC 2228) */

/* A piece of a line may be this much shorter than it could be, to end after a blank. */
#define PIECE_SLACK 1024

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

	if (!more && !ftp_cursor_accept(&c, ' ') && !ftp_cursor_accept(&c, '\t') && !ftp_cursor_at_end(&c))
		return (struct reply_head){ 0 };
	return (struct reply_head){ .code = (uint16_t)code, .more = more, .text = c.at };
}

static bool is_letter(uint8_t byte)
{
	return (byte | 0x20) >= 'a' && (byte | 0x20) <= 'z';
}

/*
 * A piece ends after a blank, since REPLYSECURITYLEVEL 1 looks for addresses piece
 * by piece; and if it can, before a letter, since a number may be one after "port ".
 * It does not end with CR, which is the end of the line if LF follows.
 */
static size_t piece_len(const uint8_t *window)
{
	const size_t least = FTP_REPLY_LINE_MAX - PIECE_SLACK;
	size_t blank = 0, len;

	for (len = FTP_REPLY_LINE_MAX; len > least; len--) {
		if (window[len - 1] != ' ')
			continue;
		if (is_letter(window[len]))
			return len;
		if (blank == 0)
			blank = len;
	}
	if (blank > 0)
		return blank;
	len = FTP_REPLY_LINE_MAX;
	while (len > least && window[len - 1] == '\r')
		len--;
	return len > least ? len : FTP_REPLY_LINE_MAX;
}

/* Find the end of the line, or of a piece of it; fills len, consumed and goes_on. False: there is none yet.
 */
static bool reply_line_take(uint8_t *window, size_t len, struct ftp_reply *reply)
{
	size_t lf;

	switch (ftp_eol_find(window, len, FTP_REPLY_LINE_MAX, &lf)) {
	case FTP_EOL_MORE:
		return false;
	case FTP_EOL_TOO_LONG:
		reply->goes_on = true;
		reply->len = reply->consumed = piece_len(window);
		break;
	case FTP_EOL_FOUND:
		reply->consumed = lf + 1;
		reply->len = lf;
		while (reply->len > 0 && window[reply->len - 1] == '\r')
			reply->len--;
		break;
	}
	for (size_t i = 0; i < reply->len; i++)
		if (window[i] == '\0' || window[i] == '\r')
			window[i] = '?';
	return true;
}

/* Does a line inside a reply look like the end of another reply? A code alone does not: file names may be
 * numbers. */
static void reply_line_ends_otherwise(const struct ftp_reply_parser *parser, const struct reply_head *head,
				      struct ftp_reply *reply, uint8_t *window)
{
	reply->end_like = head->code != 0 && !head->more && head->text < reply->len;
	/* a code of another class may mean the opposite, so the opening code must not replace it */
	if (!parser->lenient || !reply->end_like || head->code / 100 != parser->code / 100)
		return;
	window[0] = (uint8_t)('0' + parser->code / 100);
	window[1] = (uint8_t)('0' + parser->code / 10 % 10);
	window[2] = (uint8_t)('0' + parser->code % 10);
	reply->text = head->text;
	reply->closing = true;
}

/* The beginning of a line: sets its place in the reply. False: no reply can begin so. */
static bool reply_line_begins(const struct ftp_reply_parser *parser, struct ftp_reply *reply, uint8_t *window)
{
	struct reply_head head = reply_head_parse(ftp_cursor_make(reply->line, reply->len));

	if (reply->first) {
		if (head.code == 0)
			return false;
		reply->code = head.code;
		reply->text = head.text;
		reply->closing = !head.more;
	} else if (head.code == parser->code && !head.more) {
		reply->text = head.text;
		reply->closing = true;
	} else { /* text, whatever it starts with (RFC 959 4.2) */
		reply_line_ends_otherwise(parser, &head, reply, window);
	}
	return true;
}

enum ftp_reply_status ftp_reply_take(struct ftp_reply_parser *parser, uint8_t *window, size_t len,
				     struct ftp_reply *ret_reply)
{
	struct ftp_reply *reply = ret_reply;
	bool stray;

	*reply = (struct ftp_reply){ .code = parser->code,
				     .first = parser->code == 0,
				     .closing = parser->closing,
				     .continues = parser->in_line,
				     .line = (const char *)window };
	if (!reply_line_take(window, len, reply))
		return FTP_REPLY_MORE;
	/* never look for a code inside a line: the line may contain anything, also the text of a reply */
	stray = reply->continues ? reply->first : !reply_line_begins(parser, reply, window);
	parser->in_line = reply->goes_on;
	if (stray) {
		parser->code = 0;
		return FTP_REPLY_MALFORMED;
	}
	if (reply->closing && !reply->goes_on) {
		*parser = (struct ftp_reply_parser){ .lenient = parser->lenient };
		return FTP_REPLY_END;
	}
	parser->code = reply->code;
	parser->closing = reply->closing;
	return FTP_REPLY_PART;
}
