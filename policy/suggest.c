/*
 * Finds the word that was probably meant, by edit distance. The parser's hints use
 * it, and attlsctl does for its commands.
 */
#include "policy/diag.h"

#include <string.h>

/* Nothing that a policy names is longer; it bounds the table below. */
#define WORD_MAX 64

/* Independent of the locale, and cheap. */
static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* Levenshtein distance in which two swapped neighbours count as one step; case does not matter. */
static size_t distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t rows[3][WORD_MAX + 1];

	for (size_t j = 0; j <= b_len; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		size_t *row = rows[i % 3];
		const size_t *prev = rows[(i + 2) % 3];
		const size_t *prev2 = rows[(i + 1) % 3];
		char ca = lower(a[i - 1]);

		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			char cb = lower(b[j - 1]);

			row[j] = min3(prev[j] + 1, row[j - 1] + 1, prev[j - 1] + (ca != cb));
			if (i > 1 && j > 1 && ca == lower(b[j - 2]) && cb == lower(a[i - 2]) &&
			    prev2[j - 2] + 1 < row[j])
				row[j] = prev2[j - 2] + 1;
		}
	}
	return rows[a_len % 3][b_len];
}

const char *diag_suggest(const char *word, const char *const *candidates)
{
	size_t word_len = strnlen(word, WORD_MAX + 1);
	size_t best = word_len / 3;
	const char *found = NULL;

	if (word_len > WORD_MAX)
		return NULL;
	for (; *candidates != NULL; candidates++) {
		size_t len = strnlen(*candidates, WORD_MAX + 1);
		size_t d;

		/* a difference in length takes at least as many steps */
		if (len > WORD_MAX || len > word_len + best || len + best < word_len)
			continue;
		d = distance(word, word_len, *candidates, len);
		if (d < best || (d == best && found == NULL)) {
			best = d;
			found = *candidates;
		}
	}
	return found;
}
