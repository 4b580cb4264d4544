/*
 * The policy language as tables: which keys there are, of which type, where
 * their values go, and what stands when they are not given.
 *
 * The walker (walk.h), the check for what is not supported yet and the test of
 * the manual page read the same tables, so a key exists in one place.
 */
#ifndef ATTLSD_POLICY_SCHEMA_H
#define ATTLSD_POLICY_SCHEMA_H

#include "policy/schema-types.h"

/* The whole language: the top level, whose objects fill a struct policy. */
const struct schema *schema_root(void);

/* A field of a table by its key, or NULL. */
const struct field *schema_find(const struct schema *schema, const char *key);

#endif
