/*
 * What every unit test starts with: cmocka and its includes, and bytes as
 * (pointer, length) in tables.
 */
#ifndef ATTLSD_TESTS_UNIT_UNIT_H
#define ATTLSD_TESTS_UNIT_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A string literal that may hold NUL bytes, as two members of a table row. */
#define BYTES(literal) (literal), sizeof(literal) - 1

#define NELEM(array) (sizeof(array) / sizeof((array)[0]))

/* A copy in a block of exactly this size, so that a sanitizer sees any read beyond it. Free it. */
static inline uint8_t *bytes_copy(const void *bytes, size_t len)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);

	assert_non_null(copy);
	if (len > 0)
		memcpy(copy, bytes, len);
	return copy;
}

/* `count` times the same byte, then `tail`. Free it. */
static inline char *bytes_repeat(uint8_t byte, size_t count, const char *tail, size_t tail_len)
{
	char *out = malloc(count + tail_len + 1);

	assert_non_null(out);
	memset(out, byte, count);
	memcpy(out + count, tail, tail_len);
	return out;
}

#endif
