/* Checks the form of what comes from the other process. A worker may be an attacker's, an acceptor too. */
#include "gateway/gssapi/request.h"

#include <string.h>

static bool has_end(const char *text, size_t size)
{
	return memchr(text, '\0', size) != NULL;
}

bool gssapi_answer_is_whole(const struct gssapi_answer *answer, size_t n)
{
	return n >= offsetof(struct gssapi_answer, context) && answer->context_len <= GSSAPI_CONTEXT_MAX &&
	       answer->token_len <= GSSAPI_REPLY_MAX && n == gssapi_answer_bytes(answer) &&
	       has_end(answer->principal, sizeof(answer->principal)) &&
	       has_end(answer->why, sizeof(answer->why));
}
