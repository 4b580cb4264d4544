/* The table of ftp_actions, which is long enough for a file of its own. */
#ifndef ATTLSD_POLICY_SCHEMA_FTP_H
#define ATTLSD_POLICY_SCHEMA_FTP_H

#include "policy/schema-types.h"

/* One of ftp_actions: FTP.DATA. */
extern const struct schema schema_ftp_action;

#endif
