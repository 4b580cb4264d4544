/*
 * Looks at the acknowledgement at growing intervals, as long as it makes progress: the
 * kernel raises no event for it.
 */
#include "gateway/worker/data-settle.h"

/* Intervals between looks at the acknowledgement, the first and the longest. */
#define SETTLE_INITIAL_MS 5
#define SETTLE_MAX_MS	  200

void data_settle_begin(struct data_settle *settle, uint64_t bytes, uint64_t now_ms)
{
	settle->bytes = bytes;
	settle->since_ms = now_ms;
}

uint32_t data_settle_wait_ms(struct data_settle *settle, uint64_t bytes, uint64_t now_ms, uint64_t limit_ms)
{
	if (bytes != settle->bytes)
		data_settle_begin(settle, bytes, now_ms);
	else if (now_ms - settle->since_ms > limit_ms)
		return 0;
	settle->wait_ms = settle->wait_ms == 0 ? SETTLE_INITIAL_MS : settle->wait_ms * 2;
	if (settle->wait_ms > SETTLE_MAX_MS)
		settle->wait_ms = SETTLE_MAX_MS;
	return settle->wait_ms;
}
