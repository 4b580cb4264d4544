/*
 * The input is a packet from a worker to its signer. Nothing but a content of TLS is
 * signed: what passes has the length that its kind has, and is refused with any byte
 * less or more.
 */
#include "gateway/key/request.h"

#include "tests/fuzz/fuzz.h"

static void check_content(const struct key_request *request, const struct key_scheme *scheme,
			  enum key_role role)
{
	unsigned version, less_version;
	uint8_t *less = fuzz_copy(request->content, request->len - 1u);

	assert(key_content_role(request->content, request->len, &version) == role);
	assert(role == KEY_ROLE_SERVER || role == KEY_ROLE_CLIENT);
	assert(version == KEY_TLS1_2 || version == KEY_TLS1_3);
	assert((scheme->versions & version) != 0 && key_scheme_find(request->scheme) == scheme);
	assert(key_content_role(less, request->len - 1u, &less_version) == KEY_ROLE_NONE);
	free(less);
	if (version == KEY_TLS1_3)
		assert(request->len == 64 + 34 + 32 || request->len == 64 + 34 + 48);
	else if (role == KEY_ROLE_CLIENT)
		assert(request->content[0] == 1 && request->content[4] == 3 && request->content[5] == 3);
	else
		assert(request->len == 64 + 4 + request->content[67] && request->content[64] == 3);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *bytes = fuzz_copy(data, size);
	struct key_request request = { .ask = 0 };
	const struct key_scheme *scheme;
	enum key_role role;
	enum key_status status;
	unsigned version;

	(void)key_content_role(bytes, size, &version);
	memcpy(&request, bytes, size < sizeof(request) ? size : sizeof(request));
	status = key_request_judge(&request, size, &scheme, &role);
	assert(status >= KEY_STATUS_DONE && status < KEY_STATUS_COUNT && status != KEY_STATUS_STARTED);
	assert(scheme == NULL || (status == KEY_STATUS_DONE && request.ask == KEY_ASK_SIGN));
	if (scheme != NULL)
		check_content(&request, scheme, role);
	free(bytes);
	return 0;
}
