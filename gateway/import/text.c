/*
 * The texts that importers make. What they read is hostile, so nothing gets from a file
 * into a policy or onto a terminal but through text_yaml() or text_safe().
 */
#include "gateway/import/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NAME_MAX_LEN 32 /* of an object of a policy */

static void *checked(void *memory)
{
	if (memory == NULL) {
		(void)fputs("attlsctl: not enough memory\n", stderr);
		exit(EXIT_FAILURE);
	}
	return memory;
}

void *text_alloc(struct arena *arena, size_t n, size_t size)
{
	return checked(arena_alloc(arena, n, size));
}

char *text_copy(struct arena *arena, const char *text, size_t len)
{
	return checked(arena_strndup(arena, text, len));
}

char *text_format(struct arena *arena, const char *fmt, ...)
{
	char *made = NULL;
	char *copy;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&made, fmt, ap) < 0)
		made = NULL;
	va_end(ap);
	copy = text_copy(arena, checked(made), strlen(made));
	free(made);
	return copy;
}

char *text_lower(struct arena *arena, const char *text)
{
	char *copy = text_copy(arena, text, strlen(text));

	for (char *at = copy; *at != '\0'; at++)
		if (*at >= 'A' && *at <= 'Z')
			*at = (char)(*at | 0x20);
	return copy;
}

bool text_is(const char *a, const char *b)
{
	return strcasecmp(a, b) == 0;
}

bool text_begins(const char *text, const char *prefix)
{
	return strncasecmp(text, prefix, strlen(prefix)) == 0;
}

bool text_is_word(const char *text, const char *words)
{
	size_t len = strlen(text);

	while (*words != '\0') {
		size_t n = strcspn(words, " ");

		if (n == len && strncasecmp(words, text, n) == 0)
			return true;
		words += n;
		words += strspn(words, " ");
	}
	return false;
}

bool text_number(const char *text, uint64_t min, uint64_t max, uint64_t *ret)
{
	uint64_t value = 0;

	if (text[0] == '\0')
		return false;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9' || value > UINT64_MAX / 10 - 1)
			return false;
		value = value * 10 + (uint64_t)(*text - '0');
	}
	if (value < min || value > max)
		return false;
	*ret = value;
	return true;
}

const char *text_plain_number(const char *text)
{
	while (text[0] == '0' && text[1] != '\0')
		text++;
	return text;
}

static bool is_plain(const char *text)
{
	static const char safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./-+";
	size_t len = strlen(text);

	if (len == 0 || strspn(text, safe) != len || text[0] == '-')
		return false;
	return !text_is_word(text, "true false yes no on off null y n ~");
}

const char *text_yaml(struct arena *arena, const char *text)
{
	char *quoted;
	char *at;

	if (is_plain(text))
		return text;
	text = text_safe(arena, text);
	quoted = at = text_alloc(arena, 2 * strlen(text) + 3, 1);
	*at++ = '"';
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			*at++ = '\\';
		*at++ = *text;
	}
	*at = '"';
	return quoted;
}

const char *text_safe(struct arena *arena, const char *text)
{
	size_t len = strlen(text);
	char *copy = text_alloc(arena, len + 1, 1);
	size_t to = 0;

	for (size_t at = 0; at < len;) {
		uint32_t rune;
		size_t n = utf8_decode(text + at, len - at, &rune);

		if (rune == '\t' || rune == 0xFEFF)
			copy[to++] = ' ';
		else if (!utf8_is_printable(rune))
			copy[to++] = '?';
		else
			for (size_t i = 0; i < n; i++)
				copy[to++] = text[at + i];
		at += n;
	}
	return copy;
}

const char *text_name(struct arena *arena, const char *text, const char *instead)
{
	static const char safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
	size_t len = strnlen(text, NAME_MAX_LEN);
	char *copy = text_copy(arena, text, len);

	for (char *at = copy; *at != '\0'; at++)
		if (strchr(safe, *at) == NULL)
			*at = '_';
	return len > 0 ? copy : instead;
}

const char *text_join(struct arena *arena, const char *list, const char *separator, const char *more)
{
	return list[0] == '\0' ? more : text_format(arena, "%s%s%s", list, separator, more);
}
