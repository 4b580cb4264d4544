/*
 * Compares hashes of each part of a text that is as long as the password. A server's
 * refusal is short, so this costs little, and a wrong match only hides a text.
 */
#include "gateway/worker/echo.h"

#include <ctype.h>
#include <string.h>

/* FNV-1a, 64 bits */
#define HASH_START 0xcbf29ce484222325u
#define HASH_PRIME 0x100000001b3u

static uint64_t hash_of(const char *text, size_t len)
{
	uint64_t hash = HASH_START;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (uint64_t)(unsigned char)tolower((unsigned char)text[i])) * HASH_PRIME;
	return hash;
}

void echo_note(struct echo *echo, const char *secret, size_t len)
{
	*echo = (struct echo){ .len = len, .hash = hash_of(secret, len) };
}

bool echo_is_in(const struct echo *echo, const char *text, size_t len)
{
	if (echo->len == 0)
		return false;
	for (size_t i = 0; i + echo->len <= len; i++)
		if (hash_of(text + i, echo->len) == echo->hash)
			return true;
	return false;
}

void echo_forget(struct echo *echo)
{
	explicit_bzero(echo, sizeof(*echo));
}
