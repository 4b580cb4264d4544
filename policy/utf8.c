/*
 * Decodes UTF-8 and finds YAML's line breaks, so that diag.c and node.c count
 * columns as libyaml does, and print nothing that a terminal would act on.
 */
#include "policy/utf8.h"

#include <string.h>

#include "policy/nelem.h"

size_t utf8_decode(const char *text, size_t len, uint32_t *ret_rune)
{
	/* by length: the smallest rune that needs it (a smaller one would be an overlong encoding) */
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	uint8_t first = (uint8_t)text[0];
	uint32_t rune;
	size_t n;

	*ret_rune = UTF8_BAD;
	if (first < 0x80) {
		*ret_rune = first;
		return 1;
	}
	n = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
	if (first < 0xc2 || first > 0xf4 || n > len)
		return 1;
	rune = first & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if (((uint8_t)text[i] & 0xc0) != 0x80)
			return 1;
		rune = rune << 6 | ((uint8_t)text[i] & 0x3f);
	}
	if (rune < smallest[n] || rune > 0x10ffff || (rune >= 0xd800 && rune <= 0xdfff))
		return 1;
	*ret_rune = rune;
	return n;
}

bool utf8_is_printable(uint32_t rune)
{
	static const struct {
		uint32_t first, last;
	} unsafe[] = {
		{ 0x00, 0x1f },	    { 0x7f, 0x9f }, /* DEL and C1 */
		{ 0x200b, 0x200f },		    /* invisible, and marks of direction */
		{ 0x2028, 0x202e },		    /* line breaks, embedding and override of direction */
		{ 0x2060, 0x206f }, { 0xfeff, 0xfeff }, { 0x10ffff, UTF8_BAD },
	};

	for (size_t i = 0; i < NELEM(unsafe); i++)
		if (rune >= unsafe[i].first && rune <= unsafe[i].last)
			return false;
	return true;
}

size_t utf8_line_break(const char *text, size_t len)
{
	static const char *const breaks[] = {
		"\r\n", "\n", "\r", "\xc2\x85", "\xe2\x80\xa8", "\xe2\x80\xa9"
	};

	for (size_t i = 0; i < NELEM(breaks); i++) {
		size_t n = strlen(breaks[i]);

		if (n <= len && memcmp(text, breaks[i], n) == 0)
			return n;
	}
	return 0;
}
