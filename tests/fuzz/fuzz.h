/*
 * What every fuzz target starts with. A target asserts what must hold for any
 * input; a broken promise ends the process like a bad read does.
 */
#ifndef ATTLSD_TESTS_FUZZ_FUZZ_H
#define ATTLSD_TESTS_FUZZ_FUZZ_H

#undef NDEBUG
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A copy in a block of exactly this size, so that a sanitizer sees any read behind it. Free it. */
static inline uint8_t *fuzz_copy(const void *bytes, size_t len)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);

	assert(copy != NULL);
	if (len > 0)
		memcpy(copy, bytes, len);
	return copy;
}

/* How far a window grows between two looks at it: every byte of short lines, fewer of long ones. */
static inline size_t fuzz_step(size_t len)
{
	return len <= 128 ? 1 : len / 97 + 1;
}

#endif
