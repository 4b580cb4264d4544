/* IpTimeCondition of a TTLSRule, in the words of match.time. */
#ifndef ATTLSD_GATEWAY_IMPORT_ATTLS_TIME_H
#define ATTLSD_GATEWAY_IMPORT_ATTLS_TIME_H

#include <stdbool.h>

#include "gateway/import/attls-parse.h"

/* The list of conditions of a rule; NULL: it has none, and applies always. */
const char *attls_times(struct draft *draft, const struct attls_block *rule);

/* Does match.time have this parameter? */
bool attls_time_has(const char *keyword);

/* For checks: can this value of a parameter of IpTimeCondition be read? True for other parameters. */
bool attls_is_time(struct draft *draft, const char *keyword, const char *value);

#endif
