/* Notes what policy would have refused in a rule with `action: audit`. */
#ifndef ATTLSD_GATEWAY_WORKER_WOULD_REFUSE_H
#define ATTLSD_GATEWAY_WORKER_WOULD_REFUSE_H

#include <stdbool.h>

#include "ftp-alg/ftp-alg.h"
#include "gateway/worker/facts.h"

/* Does the session's rule only audit? */
static inline bool facts_are_audited(const struct facts *facts)
{
	return facts->rule->lenient != NULL;
}

/* Log it, count it, and keep it for `attlsctl report shut-out`: once a session for each key. */
void would_refuse(const struct facts *facts, const char *key, const char *verb, const char *reply);

#endif
