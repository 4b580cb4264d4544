/* Blocks of protected data, in pieces of every size. */
#include "gateway/gssapi/blocks.h"

#include <errno.h>

#include "tests/unit/unit.h"

#define MAX 512

/* Feed a stream in pieces; collect its tokens, a bar after each. Returns the last result. */
static int feed(const uint8_t *bytes, size_t len, size_t piece, char *ret, size_t *ret_len)
{
	struct gssapi_blocks blocks;
	size_t n = 0, token_len, room, at = 0;
	uint8_t *token;
	int r = 0;

	assert_int_equal(gssapi_blocks_init(&blocks, MAX), 0);
	while (r == 0) {
		while ((r = gssapi_blocks_next(&blocks, &token, &token_len)) == 1) {
			memcpy(ret + n, token, token_len);
			n += token_len;
			ret[n++] = '|';
		}
		if (r < 0 || at == len)
			break;
		token = gssapi_blocks_room(&blocks, &room);
		assert_true(room > 0);
		room = room < piece ? room : piece;
		room = room < len - at ? room : len - at;
		memcpy(token, bytes + at, room);
		gssapi_blocks_add(&blocks, room);
		at += room;
	}
	gssapi_blocks_done(&blocks);
	*ret_len = n;
	return r;
}

static const struct {
	const char *name;
	const char *bytes;
	size_t len;
	const char *want;
	int result;
} rows[] = {
	{ "nothing", BYTES(""), "", 0 },
	{ "two blocks", BYTES("\0\0\0\3abc\0\0\0\1d"), "abc|d|", 0 },
	{ "a part of a head", BYTES("\0\0\0\3abc\0\0\0"), "abc|", 0 },
	{ "a part of a token", BYTES("\0\0\0\3abc\0\0\0\2d"), "abc|", 0 },
	{ "a length of 0", BYTES("\0\0\0\3abc\0\0\0\0"), "abc|", -EBADMSG },
	{ "above PBSZ", BYTES("\0\0\2\1abc"), "", -EMSGSIZE },
	{ "far above", BYTES("\xff\xff\xff\xff"), "", -EMSGSIZE },
};

static void pieces(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++)
		for (size_t piece = 1; piece <= rows[i].len + 1; piece++) {
			char got[64];
			size_t len;
			int r = feed((const uint8_t *)rows[i].bytes, rows[i].len, piece, got, &len);

			if (r != rows[i].result || len != strlen(rows[i].want) ||
			    memcmp(got, rows[i].want, len) != 0)
				fail_msg("%s in pieces of %zu: %d, %.*s", rows[i].name, piece, r, (int)len,
					 got);
		}
}

/* The largest blocks, one after the other, through a buffer that they do not fit into together. */
static void large(void **state)
{
	static uint8_t bytes[200 * (GSSAPI_BLOCK_HEAD + MAX)];
	static char got[sizeof(bytes)];
	size_t len;

	(void)state;
	for (size_t i = 0; i < 200; i++) {
		gssapi_blocks_head(bytes + i * (GSSAPI_BLOCK_HEAD + MAX), MAX);
		memset(bytes + i * (GSSAPI_BLOCK_HEAD + MAX) + GSSAPI_BLOCK_HEAD, (int)i, MAX);
	}
	for (size_t piece = 1; piece < 100000; piece = piece * 3 + 1) {
		assert_int_equal(feed(bytes, sizeof(bytes), piece, got, &len), 0);
		assert_int_equal(len, 200 * (MAX + 1));
		for (size_t i = 0; i < 200; i++)
			assert_int_equal((uint8_t)got[i * (MAX + 1) + MAX - 1], i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(pieces), cmocka_unit_test(large) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
