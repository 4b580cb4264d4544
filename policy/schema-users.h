/* The table of users. */
#ifndef ATTLSD_POLICY_SCHEMA_USERS_H
#define ATTLSD_POLICY_SCHEMA_USERS_H

#include "policy/schema-types.h"

extern const struct schema schema_user;

#endif
