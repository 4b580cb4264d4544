/* A growing buffer for the bodies of answers. */
#include "gateway/http/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_INITIAL 4096
/* 10,000 sessions take about 10 MiB. */
#define TEXT_MAX (32 * 1024 * 1024)

static bool make_room(struct text *text, size_t len)
{
	size_t cap = text->cap == 0 ? TEXT_INITIAL : text->cap;
	char *longer;

	if (text->failed || len > TEXT_MAX - text->len) {
		text->failed = true;
		return false;
	}
	while (cap - text->len < len)
		cap *= 2;
	longer = cap == text->cap ? text->bytes : realloc(text->bytes, cap);
	if (longer == NULL) {
		text->failed = true;
		return false;
	}
	text->bytes = longer;
	text->cap = cap;
	return true;
}

void text_add(struct text *text, const char *bytes, size_t len)
{
	if (!make_room(text, len))
		return;
	memcpy(text->bytes + text->len, bytes, len);
	text->len += len;
}

void text_print(struct text *text, const char *format, ...)
{
	char line[512];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= sizeof(line))
		text->failed = true;
	else
		text_add(text, line, (size_t)n);
}

int text_add_piece(const char *bytes, size_t len, void *context)
{
	struct text *text = context;

	text_add(text, bytes, len);
	return text->failed ? -1 : 0;
}

void text_done(struct text *text)
{
	free(text->bytes);
	*text = (struct text){ .bytes = NULL };
}
