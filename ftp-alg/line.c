/*
 * Command lines out of received bytes. This is where request smuggling is kept
 * out: what counts as the end of a line is decided here, before policy is asked.
 */
#include "ftp-alg/line.h"

#include "ftp-alg/cursor.h"

enum telnet_byte {
	TELNET_SE = 0xF0, /* the lowest byte that makes a command after IAC */
	TELNET_SB = 0xFA,
	TELNET_WILL = 0xFB,
	TELNET_DONT = 0xFE,
	TELNET_IAC = 0xFF,
};

/* After IAC SB: skip to after IAC SE, or to the end of the line. IAC IAC inside is one data byte. */
static void telnet_skip_subnegotiation(struct ftp_cursor *in)
{
	while (ftp_cursor_find(in, TELNET_IAC)) {
		ftp_cursor_next(in);
		if (ftp_cursor_next(in) == TELNET_SE)
			return;
	}
}

/* After IAC: how many 0xFF go on. 0: it began a Telnet command, which is skipped. */
static size_t telnet_iac_data(struct ftp_cursor *in)
{
	int command = ftp_cursor_peek(in);

	/* Some clients do not double 0xFF: before a byte that makes no command it is a letter. */
	if (command < TELNET_SE)
		return 1;
	ftp_cursor_next(in);
	if (command == TELNET_IAC)
		return 2;
	if (command == TELNET_SB)
		telnet_skip_subnegotiation(in);
	else if (command >= TELNET_WILL && command <= TELNET_DONT)
		ftp_cursor_next(in); /* the option */
	return 0;
}

/*
 * Take the Telnet commands out of a line, in place; returns its new length. A 0xFF
 * that is data stays as the client sent it, doubled or single: half of the servers
 * read Telnet and half do not, and each must read what it would read natively.
 */
static size_t telnet_strip(uint8_t *line, size_t len)
{
	struct ftp_cursor in = ftp_cursor_make(line, len);
	size_t out = 0; /* never overtakes the cursor: each byte written was read before */

	while (!ftp_cursor_at_end(&in)) {
		int byte = ftp_cursor_next(&in);
		size_t times = byte == TELNET_IAC ? telnet_iac_data(&in) : 1;

		while (times-- > 0)
			line[out++] = (uint8_t)byte;
	}
	return out;
}

/*
 * The end of a line is searched in the bytes as received, before Telnet commands
 * are taken out. So there is no way to hide an LF in a Telnet command, a command
 * that is cut off by the line's end cannot swallow the next line (a file name
 * with 0xFF 0xFA in it would), and ftp_line_skip() needs no Telnet state.
 *
 * The limit, too, counts bytes as received: Telnet commands alone must not fill
 * a window.
 */
enum ftp_line_status ftp_line_take_up_to(uint8_t *window, size_t len, size_t max, struct ftp_line *ret_line)
{
	size_t lf;

	*ret_line = (struct ftp_line){ .text = (const char *)window };
	switch (ftp_eol_find(window, len, max, &lf)) {
	case FTP_EOL_MORE:
		return FTP_LINE_MORE;
	case FTP_EOL_TOO_LONG:
		ret_line->consumed = max + 1; /* no LF among them */
		return FTP_LINE_TOO_LONG;
	case FTP_EOL_FOUND:
		break;
	}
	ret_line->consumed = lf + 1;
	if (lf == 0 || window[lf - 1] != '\r')
		return FTP_LINE_BARE_LF;

	ret_line->len = telnet_strip(window, lf - 1);
	for (size_t i = 0; i < ret_line->len; i++) {
		if (window[i] == '\0')
			return FTP_LINE_NUL;
		if (window[i] == '\r')
			return FTP_LINE_BARE_CR;
	}
	return FTP_LINE_OK;
}

enum ftp_line_status ftp_line_take(uint8_t *window, size_t len, struct ftp_line *ret_line)
{
	return ftp_line_take_up_to(window, len, FTP_LINE_MAX, ret_line);
}

size_t ftp_line_skip(const uint8_t *window, size_t len, int *ret_done)
{
	struct ftp_cursor c = ftp_cursor_make(window, len);

	*ret_done = ftp_cursor_find(&c, '\n');
	return *ret_done ? c.at + 1 : c.at;
}
