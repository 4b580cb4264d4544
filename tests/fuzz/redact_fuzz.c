/*
 * The input is one line of a reply; the first byte chooses its code.
 * What comes out is read once more, by rules of its own: no word of it is an
 * address, with or without a port, and where no files are named none stands
 * behind a colon, either. Nothing is said that the line did not say.
 */
#include <ctype.h>

#include "ftp-alg/redact.h"
#include "policy/ip.h"

#include "tests/fuzz/fuzz.h"

static bool is_address(const char *text, size_t len)
{
	struct ip_addr addr;

	return ip_addr_parse(text, len, &addr) == 0;
}

/* Is an address what starts at one of the first letters and ends at one of the last? */
static void check_word(const char *word, size_t len)
{
	size_t first = 0, last = len;

	while (first < len && !isalnum((unsigned char)word[first]))
		first++;
	while (last > first && !isalnum((unsigned char)word[last - 1]))
		last--;
	if (first == last)
		return;
	/* what is left beside a hidden word, as in "::1:x:192.0.2.1" or "192.0.2.1:b::" */
	if (memchr(word, '-', first) != NULL || memchr(word + last, '-', len - last) != NULL)
		return;
	for (size_t from = first < 2 ? 0 : first - 2; from <= first; from++)
		for (size_t to = last; to <= len && to <= last + 2; to++)
			assert(!is_address(word + from, to - from));
}

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || (c != '\0' && strchr(".:-_", c) != NULL);
}

static void check_token(const char *token, size_t len, bool nameless)
{
	check_word(token, len);
	for (size_t at = 0; at < len; at++) {
		const char *colon = memchr(token + at, ':', len - at);
		size_t end = colon != NULL ? (size_t)(colon - token) : len;

		check_word(token + at, end - at);
		if (nameless)
			check_word(token + at, len - at);
		at = end;
	}
}

static void check_text(const char *text, size_t len, bool nameless)
{
	for (size_t at = 0; at < len; at++) {
		size_t end = at;

		while (end < len && is_word(text[end]))
			end++;
		if (end > at)
			check_token(text + at, end - at, nameless);
		at = end;
	}
}

/* Every byte of the output but for "-" comes from the line, in its order. */
static void check_nothing_new(const char *line, size_t len, const char *out, size_t out_len)
{
	size_t at = 0;

	for (size_t i = 0; i < out_len; i++) {
		while (at < len && line[at] != out[i] && out[i] != '-')
			at++;
		if (out[i] != '-' || (at < len && line[at] == '-')) {
			assert(at < len);
			at++;
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint16_t codes[] = {
		120, 150, 200, 211, 213, 220, 226, 230, 250, 331, 421, 425, 530, 550
	};
	static const uint16_t nameless[] = { 120, 211, 220, 230, 331, 421, 530 };
	const uint16_t code = size > 0 ? codes[data[0] % (sizeof(codes) / sizeof(codes[0]))] : 200;
	size_t len = size > 1 ? size - 1 : 0, n, short_len;
	char *line = (char *)fuzz_copy(data + (size > 0), len), *out = (char *)fuzz_copy(line, len), *less;
	bool names = false;

	for (size_t i = 0; i < sizeof(nameless) / sizeof(nameless[0]); i++)
		names |= nameless[i] == code;
	n = ftp_redact(code, line, len, out, len);
	assert(n <= len);
	if (len >= 4 && isdigit((unsigned char)line[0]) && isdigit((unsigned char)line[1]) &&
	    isdigit((unsigned char)line[2]) && (line[3] == ' ' || line[3] == '-')) {
		assert(memcmp(out, line, 4) == 0);
		check_text(out + 4, n - 4, names);
	} else {
		check_text(out, n, names);
	}
	check_nothing_new(line, len, out, n);

	/* room for less: the same, cut off */
	less = (char *)fuzz_copy(line, len / 2);
	short_len = ftp_redact(code, line, len, less, len / 2);
	assert(short_len == (n < len / 2 ? n : len / 2) && memcmp(less, out, short_len) == 0);
	free(less);

	n = ftp_redact_syst(line, len, out, len);
	assert(len == 0 ? n == 0 : n < len);
	free(out);
	free(line);
	return 0;
}
