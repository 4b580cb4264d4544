/* A draft as a policy, with each statement in a comment beside what it became. */
#ifndef ATTLSD_GATEWAY_IMPORT_WRITE_POLICY_H
#define ATTLSD_GATEWAY_IMPORT_WRITE_POLICY_H

#include <stdio.h>

#include "gateway/import/draft.h"

/* `from` describes the files, one a line. */
void write_policy(struct draft *draft, const char *from, FILE *out);

/* "FTP.DATA:12: SECURE_FTP REQUIRED", without passwords. */
const char *write_statement(struct draft *draft, const struct statement *statement);

#endif
