/*
 * The one place where an audited refusal is noted: in the log, the audit trail, the metrics
 * and what the monitor keeps of the client.
 */
#include "gateway/worker/would-refuse.h"

#include <string.h>

#include "gateway/base/habits.h"
#include "gateway/worker/session-audit.h"
#include "gateway/worker/session-log.h"
#include "gateway/worker/tally.h"

_Static_assert(FTP_WOULD_COUNT - 1 == HABIT_WOULD_COUNT, "a habit for each key");

void would_refuse(const struct facts *facts, const char *key, const char *verb, const char *reply)
{
	enum ftp_would would = ftp_would_of(key);
	unsigned at = would - 1u;
	uint64_t bit = UINT64_C(1) << (HABIT_WOULD_FIRST + at);

	if (would == FTP_WOULD_NONE || (facts->habits->seen & bit) != 0)
		return;
	facts->habits->seen |= bit;
	facts->habits->would_line[at] = session_log_where(facts, key);
	habits_copy(facts->habits->rule, sizeof(facts->habits->rule), facts->rule->name,
		    strlen(facts->rule->name));
	tally_would_refuse(key);
	session_log(facts, LOG_LEVEL_INFO, "would-refuse", LOG_TEXT("user", facts->user),
		    LOG_TEXT("command", verb), LOG_TEXT("reply", reply), LOG_DECISION(facts, key));
	session_audit_would_refuse(facts, verb, reply, key);
}
