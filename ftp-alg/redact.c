#include "ftp-alg/redact.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "policy/ip.h"

/* Replies that name no files: connection, login, status, goodbye. */
static const uint16_t nameless[] = { 120, 211, 214, 220, 221, 230, 231, 232, 331, 332, 421, 530 };

static bool is_nameless(uint16_t code)
{
	for (size_t i = 0; i < sizeof(nameless) / sizeof(nameless[0]); i++)
		if (nameless[i] == code)
			return true;
	return false;
}

/* What addresses, host names and mail addresses are made of. */
static bool is_token(char c)
{
	return isalnum((unsigned char)c) || strchr(".:-_@%", c) != NULL;
}

static bool is_address(const char *token, size_t len)
{
	struct ip_addr addr;
	const char *colon;

	if (ip_addr_parse(token, len, &addr) == 0)
		return true;
	/* "192.0.2.1:21" */
	colon = memchr(token, ':', len);
	return colon != NULL && ip_addr_parse(token, (size_t)(colon - token), &addr) == 0 &&
	       addr.family == IP_V4;
}

/* a.b.c with letters at the end: ftp.example.com */
static bool is_host_name(const char *token, size_t len)
{
	size_t dots = 0;

	for (size_t i = 0; i < len; i++) {
		if (token[i] == '.')
			dots++;
		else if (!isalnum((unsigned char)token[i]) && token[i] != '-')
			return false;
	}
	return dots >= 2 && len > 2 && isalpha((unsigned char)token[len - 1]) && token[0] != '.';
}

static bool is_number(const char *token, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!isdigit((unsigned char)token[i]))
			return false;
	return len > 0;
}

struct text {
	char *bytes;
	size_t len, size;
};

static void put(struct text *out, const char *bytes, size_t len)
{
	if (len > out->size - out->len)
		len = out->size - out->len;
	memcpy(out->bytes + out->len, bytes, len);
	out->len += len;
}

/* One token, of which trailing full stops and colons are the sentence's. */
static void put_token(struct text *out, const char *token, size_t len, bool names, bool behind_port)
{
	size_t core = len;
	const char *at;

	while (core > 0 && (token[core - 1] == '.' || token[core - 1] == ':') && !is_address(token, core))
		core--;
	at = memchr(token, '@', core);
	if (is_address(token, core) || (behind_port && is_number(token, core)) ||
	    (names && is_host_name(token, core)))
		put(out, "-", 1);
	else if (at != NULL && memchr(at, '.', core - (size_t)(at - token)) != NULL) {
		put(out, token, (size_t)(at - token) + 1);
		put(out, "-", 1);
	} else {
		put(out, token, core);
	}
	put(out, token + core, len - core);
}

/* How much of a line is a reply's code and what sets it off: never a part of a name, as in
 * "220-ftp.example.com". */
static size_t code_len(const char *line, size_t len)
{
	if (len < 4 || !is_number(line, 3) || (line[3] != '-' && line[3] != ' '))
		return 0;
	return 4;
}

size_t ftp_redact(uint16_t code, const char *line, size_t len, char *out, size_t size)
{
	struct text text = { .bytes = out, .size = size };
	bool names = is_nameless(code);
	bool behind_port = false;
	size_t start = code_len(line, len);

	put(&text, line, start);
	for (size_t at = start; at < len;) {
		size_t end = at;

		while (end < len && is_token(line[end]))
			end++;
		if (end == at) {
			put(&text, line + at++, 1);
			continue;
		}
		put_token(&text, line + at, end - at, names, behind_port);
		behind_port = end - at == 4 && strncasecmp(line + at, "port", 4) == 0;
		at = end;
	}
	return text.len;
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
	return n < 0 ? 0 : (size_t)n < size ? (size_t)n : size - 1;
}
