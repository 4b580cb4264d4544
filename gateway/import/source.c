/*
 * Reads a file and makes lines of it. What is in the file is hostile: bytes that are no
 * text are refused, and its size has a limit.
 */
#include "gateway/import/source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/import/ebcdic.h"
#include "gateway/import/records.h"

#define END_OF_FILE 0x1a /* that some transfers append */

bool source_next_line(const struct source *source, struct source_line *line)
{
	const char *end = source->diags.source + source->diags.source_len;
	const char *start = line->number == 0 ? source->diags.source : line->text + line->len + 1;
	const char *at;

	if (line->number > 0 && line->text + line->len < end && line->text[line->len] == '\r')
		start++; /* CR LF */
	if (line->number == 0 && end - start >= 3 && memcmp(start, "\xef\xbb\xbf", 3) == 0)
		start += 3; /* a byte order mark */
	if (start >= end)
		return false;
	at = memchr(start, '\n', (size_t)(end - start));
	line->text = start;
	line->len = (size_t)((at != NULL ? at : end) - start);
	if (line->len > 0 && start[line->len - 1] == '\r' && at != NULL)
		line->len--;
	line->number++;
	return true;
}

struct diag_mark source_mark(const struct source_line *line, size_t at)
{
	struct diag_mark mark = { .line = line->number, .column = 1 };

	for (size_t i = 0; i < at && i < line->len; i++)
		mark.column += ((unsigned char)line->text[i] & 0xc0) != 0x80;
	return mark;
}

/* NUL and other control characters do not belong into text; neither do bytes that are not UTF-8. */
static void check_text(struct source *source)
{
	struct source_line line = { 0 };
	unsigned bad = 0;

	while (bad < 3 && source_next_line(source, &line)) {
		for (size_t at = 0; at < line.len;) {
			uint32_t rune;
			size_t n = utf8_decode(line.text + at, line.len - at, &rune);

			if (rune != '\t' && rune != END_OF_FILE && !utf8_is_printable(rune)) {
				diags_add(&source->diags, DIAG_ERROR, DIAG_IMPORT_NOT_TEXT,
					  source_mark(&line, at),
					  "this is not text: expected UTF-8, ASCII or EBCDIC (IBM-1047)");
				bad++;
				break;
			}
			at += n;
		}
	}
}

int source_take(const char *name, const uint8_t *bytes, size_t len, struct source *ret)
{
	bool ebcdic = ebcdic_is(bytes, len);
	bool split = false;
	bool numbers = false;
	char *text = NULL;
	size_t text_len = len;
	int r;

	*ret = (struct source){ 0 };
	if (!ebcdic || ebcdic_convert(bytes, len, &text, &text_len) < 0) {
		ebcdic = false;
		text_len = len;
		text = malloc(len + 1);
		if (text == NULL)
			return -ENOMEM;
		if (len > 0)
			memcpy(text, bytes, len);
		text[len] = '\0';
	}
	if (memchr(text, '\0', text_len) == NULL) {
		split = records_split(&text, &text_len);
		numbers = records_blank_numbers(text, text_len);
	}
	(void)snprintf(ret->how, sizeof(ret->how), "%s%s%s", ebcdic ? ", EBCDIC (IBM-1047)" : "",
		       split ? ", records of 80 characters" : "", numbers ? ", with sequence numbers" : "");
	r = diags_init(&ret->diags, name, text, text_len);
	free(text);
	if (r == 0)
		check_text(ret);
	return r;
}

int source_read(const char *path, struct source *ret)
{
	FILE *in = fopen(path, "re");
	uint8_t *bytes = malloc(SOURCE_MAX_BYTES + 1);
	size_t len = 0;
	int r = 0;

	*ret = (struct source){ 0 };
	if (in == NULL)
		r = -errno;
	else if (bytes == NULL)
		r = -ENOMEM;
	if (r == 0) {
		errno = 0;
		len = fread(bytes, 1, SOURCE_MAX_BYTES + 1, in);
		if (ferror(in))
			r = errno != 0 ? -errno : -EIO;
		else if (len > SOURCE_MAX_BYTES)
			r = -EFBIG;
		else
			r = source_take(path, bytes, len, ret);
	}
	if (r == -EFBIG)
		(void)fprintf(stderr, "attlsctl: %s: such a file has at most %d MiB, this one has more\n",
			      path, SOURCE_MAX_BYTES / (1024 * 1024));
	else if (r < 0)
		(void)fprintf(stderr, "attlsctl: %s: %s\n", path, strerror(-r));
	if (in != NULL)
		(void)fclose(in); /* it was only read */
	free(bytes);
	return r;
}

void source_done(struct source *source)
{
	diags_done(&source->diags);
}
