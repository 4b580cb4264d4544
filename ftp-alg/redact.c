/*
 * REPLYSECURITYLEVEL 1: addresses, ports and host names are taken out of a reply.
 * A line is cut into tokens; each token is judged by itself and by what it comes
 * after ("port 2121", "name@host"). A word that could be a file's name stays.
 */
#include "ftp-alg/redact.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "policy/ip.h"

/* Replies that name no files: connection, login, status, goodbye. */
static const uint16_t nameless[] = { 120, 211, 214, 220, 221, 230, 231, 232, 331, 332, 421, 530 };

/* What the last text means for the next token. */
enum after {
	AFTER_NOTHING = 0,
	AFTER_PORT,    /* the word: a number is one */
	AFTER_ADDRESS, /* "192.0.2.1," or "[2001:db8::1]:": likewise */
	AFTER_AT,      /* of a mail address */
};

struct redaction {
	bool names; /* host names may stand here */
	enum after after;
	char *out;
	size_t len, size;
};

static bool is_nameless(uint16_t code)
{
	for (size_t i = 0; i < sizeof(nameless) / sizeof(nameless[0]); i++)
		if (nameless[i] == code)
			return true;
	return false;
}

/* Punctuation that may be part of an address or a name, and at its ends is the sentence's. */
static bool is_punctuation(char c)
{
	return c == '.' || c == ':' || c == '-' || c == '_';
}

/* Is it a character of addresses and host names? */
static bool is_token(char c)
{
	return isalnum((unsigned char)c) || is_punctuation(c);
}

static bool is_address(const char *token, size_t len)
{
	struct ip_addr addr;

	return ip_addr_parse(token, len, &addr) == 0;
}

/* a.b.c with a letter at the end: ftp.example.com */
static bool is_host_name(const char *token, size_t len)
{
	size_t dots = 0;

	for (size_t i = 1; i < len; i++) {
		if (token[i] == '.' && token[i - 1] == '.') /* "wait...then" */
			return false;
		dots += token[i] == '.';
	}
	return dots >= 2 && isalpha((unsigned char)token[len - 1]);
}

/* "2121" or "5000-5010" */
static bool is_port(const char *token, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!isdigit((unsigned char)token[i]) && token[i] != '-')
			return false;
	return len > 0;
}

static bool is_port_word(const char *token, size_t len)
{
	return (len == 4 && strncasecmp(token, "port", 4) == 0) ||
	       (len == 5 && strncasecmp(token, "ports", 5) == 0);
}

static void put(struct redaction *r, const char *bytes, size_t len)
{
	if (len > r->size - r->len)
		len = r->size - r->len;
	memcpy(r->out + r->len, bytes, len);
	r->len += len;
}

/* A token without colons. */
static void put_word(struct redaction *r, const char *word, size_t len)
{
	size_t start = 0, end = len;
	enum after after = r->after;
	const char *core;
	size_t core_len;
	bool hidden;

	while (end > start && is_punctuation(word[end - 1]))
		end--;
	while (start < end && is_punctuation(word[start]))
		start++;
	core = word + start;
	core_len = end - start;
	if (core_len == 0) {
		put(r, word, len);
		return;
	}
	hidden = is_address(core, core_len) || (r->names && is_host_name(core, core_len)) ||
		 (after == AFTER_AT && memchr(core, '.', core_len) != NULL);
	if (hidden)
		r->after = AFTER_ADDRESS;
	else
		r->after = is_port_word(core, core_len) ? AFTER_PORT : AFTER_NOTHING;
	if ((after == AFTER_PORT || after == AFTER_ADDRESS) && is_port(core, core_len))
		hidden = true;
	put(r, word, start);
	put(r, hidden ? "-" : core, hidden ? 1 : core_len);
	put(r, word + end, len - end);
}

/*
 * Where the IPv6 address that begins at `start` ends; 0: there is none. `end` is
 * the end of the token's last letter, and an address may have "::" after that.
 */
static size_t v6_end(const char *token, size_t start, size_t end, size_t len)
{
	for (size_t to = end; to <= len && to <= end + 2; to++)
		if (memchr(token + start, ':', to - start) != NULL && is_address(token + start, to - start))
			return to;
	return 0;
}

/* An IPv6 address in a token: all of it, or, in replies that name no files, a part after punctuation. */
static bool find_v6(const struct redaction *r, const char *token, size_t len, size_t *ret_start,
		    size_t *ret_end)
{
	size_t end = len, first = 0;

	while (end > 0 && is_punctuation(token[end - 1]))
		end--;
	while (first < end && is_punctuation(token[first]))
		first++;
	for (size_t start = 0; start < end; start++) {
		/* before the first letter, where "::" may be, or at the first letter */
		bool whole = start <= first && start + 2 >= first;
		bool tail =
		    r->names && start > 0 && (is_punctuation(token[start - 1]) || token[start] == ':');

		if (!whole && !tail)
			continue;
		*ret_end = v6_end(token, start, end, len);
		*ret_start = start;
		if (*ret_end > 0)
			return true;
	}
	return false;
}

/* ":21" after an address goes with it when the token has nothing else; returns where it ends. */
static size_t skip_port(const struct redaction *r, const char *token, size_t at, size_t len)
{
	size_t end = at + 1, left;

	if (r->after != AFTER_ADDRESS)
		return at;
	while (end < len && isdigit((unsigned char)token[end]))
		end++;
	left = end;
	while (left < len && is_punctuation(token[left]))
		left++;
	return end > at + 1 && left == len ? end : at;
}

static void put_words(struct redaction *r, const char *token, size_t len)
{
	for (size_t at = 0; at < len;) {
		const char *colon = memchr(token + at, ':', len - at);
		size_t end = colon != NULL ? (size_t)(colon - token) : len;

		put_word(r, token + at, end - at);
		if (colon == NULL)
			return;
		at = skip_port(r, token, end, len);
		if (at == end) {
			put(r, colon, 1);
			at++;
		}
	}
}

/* The same before a port: "::ffff:192.0.2.1:21". */
static bool find_v6_port(const struct redaction *r, const char *token, size_t len, size_t *ret_start,
			 size_t *ret_end)
{
	size_t at = len;

	while (at > 0 && isdigit((unsigned char)token[at - 1]))
		at--;
	return at > 0 && at < len && token[at - 1] == ':' && find_v6(r, token, at - 1, ret_start, ret_end);
}

static void put_token(struct redaction *r, const char *token, size_t len)
{
	size_t start, end;

	if (!find_v6(r, token, len, &start, &end) && !find_v6_port(r, token, len, &start, &end)) {
		put_words(r, token, len);
		return;
	}
	put_words(r, token, start);
	put(r, "-", 1);
	r->after = AFTER_ADDRESS;
	put_words(r, token + end, len - end);
}

/* Copy a character that is between tokens. */
static void put_other(struct redaction *r, char c)
{
	if (c == '@')
		r->after = AFTER_AT;
	else if (r->after == AFTER_AT || (r->after == AFTER_ADDRESS && c != ',' && c != ']' && c != '#'))
		r->after = AFTER_NOTHING;
	put(r, &c, 1);
}

/* Length of the code and its separator, which are never part of a name: "220-ftp.example.com". */
static size_t code_len(const char *line, size_t len)
{
	if (len < 4 || (line[3] != '-' && line[3] != ' '))
		return 0;
	for (size_t i = 0; i < 3; i++)
		if (!isdigit((unsigned char)line[i]))
			return 0;
	return 4;
}

size_t ftp_redact(uint16_t code, const char *line, size_t len, char *out, size_t size)
{
	struct redaction r = { .names = is_nameless(code), .out = out, .size = size };
	size_t start = code_len(line, len);

	put(&r, line, start);
	for (size_t at = start; at < len;) {
		size_t end = at;

		while (end < len && is_token(line[end]))
			end++;
		if (end > at) {
			put_token(&r, line + at, end - at);
			at = end;
		} else {
			put_other(&r, line[at++]);
		}
	}
	return r.len;
}

size_t ftp_redact_syst(const char *text, size_t len, char *out, size_t size)
{
	size_t word = 0;
	bool l8 = false;
	int n;

	while (word < len && text[word] != ' ')
		word++;
	for (size_t at = 0; at + 8 <= len; at++)
		l8 |= strncasecmp(text + at, "Type: L8", 8) == 0;
	n = snprintf(out, size, "215 %.*s%s", (int)(word < 64 ? word : 64), text, l8 ? " Type: L8" : "");
	if (n < 0 || size == 0)
		return 0;
	return (size_t)n < size ? (size_t)n : size - 1;
}
