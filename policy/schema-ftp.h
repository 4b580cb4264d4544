/* The table of ftp_actions, which is long enough for a file of its own. */
#ifndef ATTLSD_POLICY_SCHEMA_FTP_H
#define ATTLSD_POLICY_SCHEMA_FTP_H

#include "policy/schema-types.h"

/* One of ftp_actions: FTP.DATA. */
extern const struct schema schema_ftp_action;

/* Words of statements that z/OS reads for its server and for its client: backends have them, too. */
extern const struct word schema_ftp_ctrl_levels[];
extern const struct word schema_ftp_data_levels[];
extern const struct word schema_ftp_rfc_levels[];

#endif
