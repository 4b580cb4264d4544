/*
 * A data set that was copied in binary has no line ends: each record has 80 characters.
 * ISPF numbers the lines in the last eight columns. Columns of messages stay those of the
 * data set, so the numbers are overwritten, not cut.
 */
#include "gateway/import/records.h"

#include <stdlib.h>
#include <string.h>

static bool starts_character(char byte)
{
	return ((unsigned char)byte & 0xc0) != 0x80;
}

static size_t characters(const char *text, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += starts_character(text[i]);
	return n;
}

bool records_split(char **text, size_t *len)
{
	size_t n = characters(*text, *len);
	size_t to = 0;
	size_t in_record = 0;
	char *split;

	if (n == 0 || n % RECORDS_LRECL != 0 || memchr(*text, '\n', *len) != NULL)
		return false;
	split = malloc(*len + n / RECORDS_LRECL + 1);
	if (split == NULL)
		return false; /* a single line then, which will be refused */
	for (size_t i = 0; i < *len; i++) {
		if (starts_character((*text)[i]) && in_record++ == RECORDS_LRECL) {
			split[to++] = '\n';
			in_record = 1;
		}
		split[to++] = (*text)[i];
	}
	split[to++] = '\n';
	split[to] = '\0';
	free(*text);
	*text = split;
	*len = to;
	return true;
}

/* The bytes of a line after its 72nd character. */
static char *after_column(char *line, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		if (starts_character(line[i]) && n++ == RECORDS_SEQUENCE)
			return line + i;
	return NULL;
}

static bool is_number(const char *text, const char *end)
{
	size_t n = strspn(text, "0123456789");

	if (n != RECORDS_LRECL - RECORDS_SEQUENCE)
		return false;
	for (text += n; text < end; text++)
		if (*text != ' ' && *text != '\r')
			return false;
	return true;
}

static bool visit(char *text, size_t len, bool blank)
{
	bool any = false;

	for (char *line = text; line < text + len;) {
		char *end = memchr(line, '\n', (size_t)(text + len - line));
		char *number;

		if (end == NULL)
			end = text + len;
		number = after_column(line, (size_t)(end - line));
		if (number != NULL && blank)
			memset(number, ' ', (size_t)(end - number));
		else if (number != NULL && !is_number(number, end))
			return false;
		any = any || number != NULL;
		line = end + 1;
	}
	return any;
}

bool records_blank_numbers(char *text, size_t len)
{
	return visit(text, len, false) && visit(text, len, true);
}
