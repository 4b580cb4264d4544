/*
 * Judges requests for signatures by their form and content. A worker may be in an
 * attacker's hands, so whatever is not exactly a request of TLS is refused.
 */
#include "gateway/key/request.h"

#include "gateway/base/util.h"

size_t key_request_bytes(const struct key_request *request)
{
	return offsetof(struct key_request, content) + request->len;
}

size_t key_answer_bytes(const struct key_answer *answer)
{
	return offsetof(struct key_answer, signature) + answer->len;
}

enum key_status key_request_judge(const struct key_request *request, size_t n,
				  const struct key_scheme **ret_scheme, enum key_role *ret_role)
{
	const struct key_scheme *scheme;
	unsigned version;

	*ret_scheme = NULL;
	*ret_role = KEY_ROLE_NONE;
	if (n < offsetof(struct key_request, content) || request->len > KEY_CONTENT_MAX ||
	    n != key_request_bytes(request))
		return KEY_STATUS_MALFORMED;
	if (request->ask == KEY_ASK_KNOWN)
		return request->len == 0 && request->scheme == 0 ? KEY_STATUS_DONE : KEY_STATUS_MALFORMED;
	if (request->ask != KEY_ASK_SIGN)
		return KEY_STATUS_MALFORMED;
	*ret_role = key_content_role(request->content, request->len, &version);
	if (*ret_role == KEY_ROLE_NONE)
		return KEY_STATUS_CONTENT;
	scheme = key_scheme_find(request->scheme);
	if (scheme == NULL || (scheme->versions & version) == 0)
		return KEY_STATUS_SCHEME;
	*ret_scheme = scheme;
	return KEY_STATUS_DONE;
}

bool key_answer_is_whole(const struct key_answer *answer, size_t n)
{
	return n >= offsetof(struct key_answer, signature) && answer->len <= KEY_SIGNATURE_MAX &&
	       n == key_answer_bytes(answer) && answer->status < KEY_STATUS_COUNT;
}

const char *key_status_text(uint32_t status)
{
	static const char *const texts[KEY_STATUS_COUNT] = {
		[KEY_STATUS_DONE] = "done",
		[KEY_STATUS_STARTED] = "started",
		[KEY_STATUS_MALFORMED] = "malformed request",
		[KEY_STATUS_UNKNOWN] = "no such key",
		[KEY_STATUS_CONTENT] = "not what TLS signs",
		[KEY_STATUS_SCHEME] = "not a signature scheme of this key and version of TLS",
		[KEY_STATUS_RATE] = "too many signatures in a second",
		[KEY_STATUS_ROLE] = "the key does not sign in this role of TLS",
		[KEY_STATUS_FAILED] = "OpenSSL could not sign",
		[KEY_STATUS_SILENT] = "the token did not answer within 2 seconds",
		[KEY_STATUS_LEFT_ALONE] =
		    "the token has not answered lately; attlsd does not ask it for 30 seconds",
	};

	return status < NELEM(texts) && texts[status] != NULL ? texts[status] : "unknown answer";
}
