/*
 * One FTP command line out of a window of received bytes (RFC 959 5.3.1, RFC 854 Telnet).
 *
 * The gateway must split where the server splits, or a client could smuggle a
 * second command past the policy. So only CRLF ends a line, and no CR, LF or NUL
 * ever gets through inside one.
 */
#ifndef ATTLSD_FTP_ALG_LINE_H
#define ATTLSD_FTP_ALG_LINE_H

#include <stddef.h>
#include <stdint.h>

/* Longest command line that is accepted, without its CRLF. */
#define FTP_LINE_MAX 4096

enum ftp_line_status {
	FTP_LINE_MORE = 0, /* no whole line yet: read more */
	FTP_LINE_OK,	   /* a line */
	FTP_LINE_NUL,	   /* a NUL byte inside: the line is refused, the next one may be good */
	FTP_LINE_BARE_CR,  /* a CR that no LF follows: refused likewise */
	FTP_LINE_BARE_LF,  /* an LF without CR. Where the next command starts is a guess: end the session */
	FTP_LINE_TOO_LONG, /* longer than FTP_LINE_MAX: drop `consumed` bytes, then the rest of the line with
			      ftp_line_skip() */
};

struct ftp_line {
	const char *text; /* points into the window; no terminator; Telnet commands already taken out */
	size_t len;
	size_t consumed; /* bytes of the window that are used up, also after a refusal */
};

/*
 * Look for a line at the start of the window. On FTP_LINE_OK the window's
 * bytes are rearranged in place (Telnet: IAC IP, IAC DM and other two-byte
 * commands vanish, IAC WILL/WONT/DO/DONT x vanish, IAC SB ... IAC SE vanish;
 * IAC IAC stays two bytes, and an 0xFF before a byte below 0xF0 is a Latin-1
 * letter and stays one), so *ret_line is valid until the window changes. Text and
 * CRLF are what goes to the server: taken once more, it is the same line.
 * Every status except FTP_LINE_MORE sets ret_line->consumed.
 */
enum ftp_line_status ftp_line_take(uint8_t *window, size_t len, struct ftp_line *ret_line);

/* The same with another limit than FTP_LINE_MAX: a line with a token of Kerberos is long. */
enum ftp_line_status ftp_line_take_up_to(uint8_t *window, size_t len, size_t max, struct ftp_line *ret_line);

/*
 * Drop the rest of an overlong line: returns how many bytes of the window
 * belong to it (up to and including its LF) and sets *ret_done when the LF was
 * among them.
 */
size_t ftp_line_skip(const uint8_t *window, size_t len, int *ret_done);

#endif
