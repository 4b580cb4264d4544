/*
 * What strangers send under AUTH GSSAPI, before the library of Kerberos sees it. The first byte picks
 * the format: text in base 64, blocks of data, the header of a message, or a packet of the
 * process that holds the keytab.
 */
#include "gateway/gssapi/base64.h"
#include "gateway/gssapi/blocks.h"
#include "gateway/gssapi/request.h"
#include "gateway/gssapi/token.h"

#include "tests/fuzz/fuzz.h"

#define TOKEN_MAX 512

/* One text for each sequence of bytes, decoded in its own place. */
static void base64(const uint8_t *data, size_t size)
{
	char *text = (char *)fuzz_copy(data, size), *again;
	size_t len;

	if (base64_decode(text, size, (uint8_t *)text, &len) == 0) {
		assert(len <= BASE64_BYTES(size));
		again = malloc(BASE64_CHARS(len) + 1);
		assert(again != NULL);
		base64_encode((uint8_t *)text, len, again);
		assert(strlen(again) == size && memcmp(again, data, size) == 0);
		free(again);
	}
	free(text);
}

/* Bytes that come `step` at a time: how many whole tokens, how many bytes in them, and how it ends. */
static int cut(const uint8_t *data, size_t size, size_t step, size_t *ret_tokens, size_t *ret_bytes)
{
	struct gssapi_blocks blocks;
	size_t at = 0, len, room, n;
	uint8_t *token, *to;
	int r;

	*ret_tokens = *ret_bytes = 0;
	assert(gssapi_blocks_init(&blocks, TOKEN_MAX) == 0);
	for (;;) {
		while ((r = gssapi_blocks_next(&blocks, &token, &len)) == 1) {
			assert(len > 0 && len <= TOKEN_MAX);
			memset(token, 0, len); /* it is ours to change */
			++*ret_tokens;
			*ret_bytes += len;
		}
		if (r < 0 || at == size)
			break;
		to = gssapi_blocks_room(&blocks, &room);
		assert(room > 0);
		n = size - at < step ? size - at : step;
		n = n < room ? n : room;
		memcpy(to, data + at, n);
		gssapi_blocks_add(&blocks, n);
		at += n;
	}
	gssapi_blocks_done(&blocks);
	return r;
}

static void blocks(const uint8_t *data, size_t size)
{
	size_t tokens, bytes, tokens_too, bytes_too;
	int r = cut(data, size, SIZE_MAX, &tokens, &bytes);

	assert(cut(data, size, 1, &tokens_too, &bytes_too) == r);
	assert(tokens == tokens_too && bytes == bytes_too);
}

static void token(const uint8_t *data, size_t size)
{
	uint8_t *copy = fuzz_copy(data, size);
	struct gssapi_token found;

	if (gssapi_token_parse(copy, size, &found)) {
		assert(size >= GSSAPI_TOKEN_HEADER);
		copy[GSSAPI_TOKEN_HEADER - 1] ^= 1;
		assert(gssapi_token_parse(copy, size, &found));
	}
	free(copy);
}

/* From a process that an attacker may have. Only what is filled is sent, so only that is there. */
static void answer(const uint8_t *data, size_t size)
{
	static struct gssapi_answer found;

	memset(&found, 'x', sizeof(found));
	memcpy(&found, data, size < sizeof(found) ? size : sizeof(found));
	if (!gssapi_answer_is_whole(&found, size))
		return;
	assert(gssapi_answer_bytes(&found) == size && size <= sizeof(found));
	assert(found.token_len <= sizeof(found.token) && found.context_len <= sizeof(found.context));
	assert(strlen(found.principal) < sizeof(found.principal) && strlen(found.why) < sizeof(found.why));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const formats[])(const uint8_t *data, size_t size) = { base64, blocks, token, answer };

	if (size > 0)
		formats[data[0] % 4](data + 1, size - 1);
	return 0;
}
