/*
 * Regular expressions for the JSON schema of a policy. A range of numbers becomes
 * alternatives of digits, because "30s" is text, for which JSON Schema has no minimum.
 */
#include "gateway/ctl/schema-pattern.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#define DIGITS_MAX 20 /* of a uint64_t */

static void any_digits(FILE *out, size_t n)
{
	if (n > 0)
		(void)fputs("[0-9]", out);
	if (n > 1)
		(void)fprintf(out, "{%zu}", n);
}

static bool is_only(const char *digits, char digit)
{
	return digits[strspn(digits, (const char[]){ digit, '\0' })] == '\0';
}

static void one_digit(FILE *out, char low, char high)
{
	(void)fprintf(out, low == high ? "%c" : "[%c-%c]", low, high);
}

/* Alternatives for the texts low..high, which have the same length; all begin with `before`. */
static void same_length(FILE *out, const char *before, const char *low, const char *high, bool *first)
{
	size_t rest = strlen(low) - 1;
	char prefix[DIGITS_MAX + 2];
	char nines[DIGITS_MAX + 1] = { 0 };
	char zeros[DIGITS_MAX + 1] = { 0 };
	char from = low[0];
	char to = high[0];

	(void)snprintf(prefix, sizeof(prefix), "%s%c", before, low[0]);
	if (from == to && rest > 0) {
		same_length(out, prefix, low + 1, high + 1, first);
		return;
	}
	memset(nines, '9', rest);
	memset(zeros, '0', rest);
	if (!is_only(low + 1, '0')) { /* the first digit of low allows only a part of what follows */
		same_length(out, prefix, low + 1, nines, first);
		from++;
	}
	if (!is_only(high + 1, '9'))
		to--;
	if (from <= to) {
		(void)fprintf(out, "%s%s", *first ? "" : "|", before);
		one_digit(out, from, to);
		any_digits(out, rest);
		*first = false;
	}
	if (to < high[0]) {
		(void)snprintf(prefix, sizeof(prefix), "%s%c", before, high[0]);
		same_length(out, prefix, zeros, high + 1, first);
	}
}

void schema_pattern_range(FILE *out, uint64_t low, uint64_t high)
{
	uint64_t least = 0; /* of the numbers of this length */
	uint64_t most = 9;
	bool first = true;

	(void)fputc('(', out);
	for (;;) {
		if (low <= most && high >= least) {
			char from[DIGITS_MAX + 1];
			char to[DIGITS_MAX + 1];

			(void)snprintf(from, sizeof(from), "%" PRIu64, low > least ? low : least);
			(void)snprintf(to, sizeof(to), "%" PRIu64, high < most ? high : most);
			same_length(out, "", from, to, &first);
		}
		if (high <= most || most > UINT64_MAX / 10 - 1)
			break;
		least = most + 1;
		most = least * 10 - 1;
	}
	(void)fputc(')', out);
}

void schema_pattern_word(FILE *out, const char *word)
{
	for (; *word != '\0'; word++) {
		if (isalpha((unsigned char)*word))
			(void)fprintf(out, "[%c%c]", tolower((unsigned char)*word),
				      toupper((unsigned char)*word));
		else if (strchr(".+*/()[]", *word) != NULL)
			(void)fprintf(out, "\\%c", *word);
		else
			(void)fputc(*word, out);
	}
}
