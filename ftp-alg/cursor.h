/*
 * A reading position in bytes from the network. Every read is checked against
 * the end, so code that only uses these functions cannot run past it.
 *
 * A cursor is a value: copy it to look ahead, assign the copy back to commit.
 * It does not own the bytes, which must outlive it.
 */
#ifndef ATTLSD_FTP_ALG_CURSOR_H
#define ATTLSD_FTP_ALG_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct ftp_cursor {
	const uint8_t *bytes;
	size_t len;
	size_t at; /* <= len */
};

static inline struct ftp_cursor ftp_cursor_make(const void *bytes, size_t len)
{
	return (struct ftp_cursor){ .bytes = bytes, .len = len };
}

static inline bool ftp_cursor_at_end(const struct ftp_cursor *c)
{
	return c->at == c->len;
}

/* The byte under the cursor, or -1 at the end. */
static inline int ftp_cursor_peek(const struct ftp_cursor *c)
{
	return c->at < c->len ? c->bytes[c->at] : -1;
}

/* The byte under the cursor, which moves on, or -1 at the end. */
static inline int ftp_cursor_next(struct ftp_cursor *c)
{
	return c->at < c->len ? c->bytes[c->at++] : -1;
}

/* Move on if this byte is under the cursor. */
static inline bool ftp_cursor_accept(struct ftp_cursor *c, uint8_t byte)
{
	if (ftp_cursor_peek(c) != byte)
		return false;
	c->at++;
	return true;
}

/*
 * Move to the next `byte`, which stays under the cursor, or to the end.
 * Returns whether it was found.
 */
static inline bool ftp_cursor_find(struct ftp_cursor *c, uint8_t byte)
{
	const uint8_t *found = c->at < c->len ? memchr(c->bytes + c->at, byte, c->len - c->at) : NULL;

	c->at = found != NULL ? (size_t)(found - c->bytes) : c->len;
	return found != NULL;
}

/* The bytes up to `end`, which is swallowed; false, and nothing moves, when there is none. */
static inline bool ftp_cursor_field(struct ftp_cursor *c, uint8_t end, struct ftp_cursor *ret_field)
{
	struct ftp_cursor to = *c;

	if (!ftp_cursor_find(&to, end))
		return false;
	*ret_field = ftp_cursor_make(c->bytes + c->at, to.at - c->at);
	c->at = to.at + 1;
	return true;
}

/*
 * A run of decimal digits. It is swallowed as a whole; the result is true when
 * it has 1 to digits_max (at most 9) digits and its value is at most value_max.
 * Leading zeros count as digits and mean nothing (no octal).
 */
static inline bool ftp_cursor_number(struct ftp_cursor *c, unsigned digits_max, uint32_t value_max,
				     uint32_t *ret_value)
{
	uint32_t value = 0;
	size_t digits = 0;

	for (int b = ftp_cursor_peek(c); b >= '0' && b <= '9'; b = ftp_cursor_peek(c)) {
		if (++digits <= digits_max)
			value = value * 10 + (uint32_t)(b - '0');
		c->at++;
	}
	if (digits == 0 || digits > digits_max || value > value_max)
		return false;
	*ret_value = value;
	return true;
}

enum ftp_eol {
	FTP_EOL_MORE = 0, /* no LF yet, and the line may still turn out short enough */
	FTP_EOL_FOUND,
	FTP_EOL_TOO_LONG,
};

/*
 * Look for the LF of a line that has at most line_max bytes before its LF or
 * CRLF; *ret_lf is its offset. What is decided from a window does not change
 * when more bytes follow, so a result is the same however the bytes came in.
 */
static inline enum ftp_eol ftp_eol_find(const uint8_t *window, size_t len, size_t line_max, size_t *ret_lf)
{
	struct ftp_cursor c = ftp_cursor_make(window, len);

	if (len > line_max + 2)
		c.len = line_max + 2;
	if (!ftp_cursor_find(&c, '\n') && c.at <= line_max)
		return FTP_EOL_MORE;
	if (c.at > line_max && window[line_max] != '\r')
		return FTP_EOL_TOO_LONG;
	if (ftp_cursor_at_end(&c)) /* a CR at the limit: is it the one of CRLF? */
		return len == line_max + 1 ? FTP_EOL_MORE : FTP_EOL_TOO_LONG;
	*ret_lf = c.at;
	return FTP_EOL_FOUND;
}

#endif
