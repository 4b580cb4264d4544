/* The JSON schema of one value of a policy. */
#ifndef ATTLSD_GATEWAY_CTL_SCHEMA_VALUE_H
#define ATTLSD_GATEWAY_CTL_SCHEMA_VALUE_H

#include "policy/policy.h"

struct json_t;

/* What an object's name looks like, as a regular expression. */
#define SCHEMA_NAME_PATTERN "^[A-Za-z0-9_.-]{1,32}$"

/* A new JSON schema for the value of a field that is not a table of its own. NULL: no memory. */
struct json_t *schema_value(const struct field *field);

/* The field's default as JSON; NULL: it has none, or no memory. */
struct json_t *schema_default(const struct field *field);

#endif
