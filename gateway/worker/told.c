/* Logs ports that no client has dialled; see told.h. */
#include "gateway/worker/told.h"

#include <stddef.h>

#include "gateway/worker/session-log.h"
#include "gateway/worker/tally.h"

/* The others are only counted, so that no client can fill the disk. */
#define LOGGED_MAX 10

void told_set(struct told *told, const struct ip_endpoint *endpoint, uint64_t now_ms)
{
	told->endpoint = *endpoint;
	told->since_ms = now_ms;
	told->dialled = told->pointless = false;
	told->reason = NULL;
	tally_told();
}

void told_dialled(struct told *told)
{
	told->dialled = true;
	tally_dialled();
}

void told_end(struct told *told, const struct facts *facts, uint64_t now_ms)
{
	char text[IP_TEXT_MAX];
	bool missed = told->endpoint.port != 0 && !told->dialled && !told->pointless;

	if (told->endpoint.port != 0 && !told->dialled)
		tally_not_dialled(told->reason != NULL ? told->reason : "replaced", missed);
	if (missed && told->given_up < UINT32_MAX)
		told->given_up++;
	if (missed && told->given_up <= LOGGED_MAX)
		session_log(facts, LOG_LEVEL_INFO, "data-not-dialled",
			    LOG_TEXT("told", ip_endpoint_format(&told->endpoint, text)),
			    LOG_NUMBER("ms", now_ms - told->since_ms),
			    LOG_TEXT("reason", told->reason != NULL ? told->reason : "replaced"));
	told->endpoint = (struct ip_endpoint){ .port = 0 };
	told->reason = NULL;
}

void told_log_more(const struct told *told, const struct facts *facts)
{
	if (told->given_up > LOGGED_MAX)
		session_log(facts, LOG_LEVEL_INFO, "not-dialled-more",
			    LOG_NUMBER("count", told->given_up - LOGGED_MAX));
}
