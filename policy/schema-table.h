/* The notation for the tables of the policy language. For schema*.c only. */
#ifndef ATTLSD_POLICY_SCHEMA_TABLE_H
#define ATTLSD_POLICY_SCHEMA_TABLE_H

#include <stddef.h>

#include "policy/schema-types.h"
#include "policy/types.h"

/* A member's offset and, for integers and enums, its width. */
#define AT(type, member)    .offset = offsetof(struct type, member), .width = sizeof(((struct type *)0)->member)
#define PTR(type, member)   .offset = offsetof(struct type, member)
#define COUNT(type, member) .count_offset = offsetof(struct type, member)
#define FLAG(type, member)  .flag_offset = offsetof(struct type, member)
#define MARK(type, member)  .mark_offset = offsetof(struct type, member)

#define SECONDS .unit_ms = 1000, .bare_unit_ms = 1000
#define MINUTES .unit_ms = 60000, .bare_unit_ms = 60000

#define SCHEMA_DAY_S 86400

#define ENUM(name, object, member, word_list, text)                                                          \
	{                                                                                                    \
		.key = name, .type = FIELD_ENUM, AT(object, member), .words = word_list,                     \
		.default_text = text                                                                         \
	}
#define BOOL(name, object, member, text)                                                                     \
	{                                                                                                    \
		.key = name, .type = FIELD_BOOL, AT(object, member), .default_text = text                    \
	}
#define UINT(name, object, member, low, high, text)                                                          \
	{                                                                                                    \
		.key = name, .type = FIELD_UINT, AT(object, member), .min = low, .max = high,                \
		.default_text = text                                                                         \
	}
/* Kept in milliseconds; a bare number is in seconds. */
#define DURATION(name, object, member, low, high, text)                                                      \
	{                                                                                                    \
		.key = name, .type = FIELD_DURATION, AT(object, member), .unit_ms = 1, .bare_unit_ms = 1000, \
		.min = low, .max = high, .default_text = text                                                \
	}
#define REF(name, object, member, target, needed)                                                            \
	{                                                                                                    \
		.key = name, .type = FIELD_REF, PTR(object, member), .section = target, .required = needed   \
	}
/* A list, or one mapping in its place. */
#define LIST_OR_ONE(name, object, member, number, table)                                                     \
	{                                                                                                    \
		.key = name, .type = FIELD_LIST, PTR(object, member), COUNT(object, number), .sub = &table,  \
		.mapping_ok = true                                                                           \
	}
#define OBJECTS(name, schema, needed)                                                                        \
	{                                                                                                    \
		.key = #name, .type = FIELD_OBJECTS, PTR(policy, name), COUNT(policy, n##name),              \
		.sub = &schema, .required = needed                                                           \
	}

#endif
