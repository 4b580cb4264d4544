/* The table of match.time. */
#ifndef ATTLSD_POLICY_SCHEMA_TIME_H
#define ATTLSD_POLICY_SCHEMA_TIME_H

#include "policy/schema-types.h"

extern const struct schema schema_time;

#endif
