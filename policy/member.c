/*
 * Loads and stores numbers of any width in a policy's structs: field.c stores what
 * it has parsed, explain.c loads it again.
 */
#include "policy/member.h"

#include <assert.h>
#include <string.h>

#include "policy/ftp-action.h"

_Static_assert(sizeof(enum secure_ftp) == sizeof(uint32_t), "enums are stored as uint32_t");

uint64_t member_load_uint(const void *object, const struct field *field)
{
	const void *at = member_of_const(object, field->offset);
	uint32_t word;

	assert(field->width == sizeof(uint8_t) || field->width == sizeof(word));
	if (field->width == sizeof(uint8_t))
		return *(const uint8_t *)at;
	memcpy(&word, at, sizeof(word));
	return word;
}

void member_store_uint(void *object, const struct field *field, uint64_t value)
{
	void *at = member_of(object, field->offset);
	uint8_t byte = (uint8_t)value;
	uint32_t word = (uint32_t)value;

	if (field->width == sizeof(byte))
		memcpy(at, &byte, sizeof(byte));
	else if (field->width == sizeof(word))
		memcpy(at, &word, sizeof(word));
}

size_t member_load_count(const void *object, size_t offset)
{
	size_t n;

	memcpy(&n, member_of_const(object, offset), sizeof(n));
	return n;
}
