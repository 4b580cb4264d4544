/*
 * Turns the marks of diagnostics into ranges of editors. libyaml counts characters, and takes
 * more characters for line breaks than editors do, so a mark first becomes an offset into the
 * text, from which the lines are counted again.
 */
#include "gateway/ctl/check-range.h"

#include <string.h>

#include "policy/utf8.h"

#define FIRST_OF_TWO_UNITS 0x10000u /* from here on, a character has two units of UTF-16 */

static size_t line_start(const char *text, size_t len, uint32_t line)
{
	size_t at = 0;

	for (uint32_t i = 1; i < line && at < len;) {
		uint32_t rune;
		size_t n = utf8_line_break(text + at, len - at);

		if (n > 0)
			i++;
		else
			n = utf8_decode(text + at, len - at, &rune);
		at += n;
	}
	return at;
}

/* The offset of a column, or of the end of the line if that comes first. */
static size_t offset_of(const char *text, size_t len, uint32_t line, uint32_t column)
{
	size_t at = line_start(text, len, line);

	for (uint32_t i = 1; i < column && at < len && utf8_line_break(text + at, len - at) == 0; i++) {
		uint32_t rune;

		at += utf8_decode(text + at, len - at, &rune);
	}
	return at;
}

/* The end of a line, without the blanks before it. */
static size_t line_end(const char *text, size_t len, size_t start)
{
	size_t end = start;

	for (size_t at = start; at < len && utf8_line_break(text + at, len - at) == 0;) {
		uint32_t rune;

		at += utf8_decode(text + at, len - at, &rune);
		if (rune != ' ' && rune != '\t')
			end = at;
	}
	return end;
}

static struct check_position position_of(const char *text, size_t offset)
{
	struct check_position position = { 0, 0 };

	for (size_t at = 0; at < offset;) {
		uint32_t rune;
		size_t n = utf8_decode(text + at, offset - at, &rune);

		if (rune == '\n' || (rune == '\r' && (at + 1 == offset || text[at + 1] != '\n'))) {
			position.line++;
			position.character = 0;
		} else if (rune != '\r') {
			position.character += rune >= FIRST_OF_TWO_UNITS && rune != UTF8_BAD ? 2 : 1;
		}
		at += n;
	}
	return position;
}

struct check_range check_range_of(const char *source, size_t len, struct diag_mark mark)
{
	struct check_range range = { { 0, 0 }, { 0, 0 } };
	size_t start, end;

	if (mark.line == 0)
		return range;
	if (len >= 3 && memcmp(source, "\xef\xbb\xbf", 3) == 0) {
		source += 3;
		len -= 3;
	}
	start = offset_of(source, len, mark.line, mark.column);
	end = mark.end_line > 0 ? offset_of(source, len, mark.end_line, mark.end_column)
				: line_end(source, len, start);
	range.start = position_of(source, start);
	range.end = position_of(source, end > start ? end : start);
	return range;
}
