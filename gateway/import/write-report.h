/* A draft as a report for auditors: a row for each statement. */
#ifndef ATTLSD_GATEWAY_IMPORT_WRITE_REPORT_H
#define ATTLSD_GATEWAY_IMPORT_WRITE_REPORT_H

#include <stdio.h>

#include "gateway/import/draft.h"

void write_report(struct draft *draft, const char *from, FILE *out);
/* Returns 0 or a negative errno. */
int write_report_json(struct draft *draft, FILE *out);

#endif
