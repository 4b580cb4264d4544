/*
 * A member of a policy's struct by its offset, which is all that the tables of the
 * language hold. The caller has to know the type.
 */
#ifndef ATTLSD_POLICY_MEMBER_H
#define ATTLSD_POLICY_MEMBER_H

#include <stddef.h>
#include <stdint.h>

#include "policy/schema-types.h"

static inline void *member_of(void *object, size_t offset)
{
	return (char *)object + offset;
}

static inline const void *member_of_const(const void *object, size_t offset)
{
	return (const char *)object + offset;
}

/* A bool, uint32_t, unsigned or enum, by the width of its field. */
uint64_t member_load_uint(const void *object, const struct field *field);

/* The same; a field of width 0 stores nothing. */
void member_store_uint(void *object, const struct field *field, uint64_t value);

/* The size_t at this offset, which counts the elements of an array. */
size_t member_load_count(const void *object, size_t offset);

#endif
