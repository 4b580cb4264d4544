/* The table of backends, which is long enough for a file of its own. */
#ifndef ATTLSD_POLICY_SCHEMA_BACKEND_H
#define ATTLSD_POLICY_SCHEMA_BACKEND_H

#include "policy/schema-types.h"

/* One of backends: an FTP server. */
extern const struct schema schema_backend;

#endif
