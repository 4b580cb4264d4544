/*
 * The policy language as tables: its keys, their types and defaults, and where
 * their values are stored.
 *
 * The walker (walk.h), explain and the test of the manual page read the same tables, so
 * that each key is defined once.
 */
#ifndef ATTLSD_POLICY_SCHEMA_H
#define ATTLSD_POLICY_SCHEMA_H

#include "policy/schema-types.h"

/* The whole language: the top level, whose objects fill a struct policy. */
const struct schema *schema_root(void);

/* A field of a table by its key, or NULL. */
const struct field *schema_find(const struct schema *schema, const char *key);

#endif
