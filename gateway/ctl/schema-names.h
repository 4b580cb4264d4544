/* The JSON schema of the names that TLS has for things. */
#ifndef ATTLSD_GATEWAY_CTL_SCHEMA_NAMES_H
#define ATTLSD_GATEWAY_CTL_SCHEMA_NAMES_H

#include "policy/policy.h"

struct json_t;

/* A new schema for one name in a list of ciphers, groups or signature algorithms. NULL: no memory. */
struct json_t *schema_names(const struct field *field);

#endif
