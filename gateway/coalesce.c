#include "gateway/coalesce.h"

#include "gateway/netsock.h"

void coalesce_start(struct coalesce *coalesce, uint64_t now_ms)
{
	*coalesce = (struct coalesce){ .since_ms = now_ms };
}

void coalesce_look(struct coalesce *coalesce, int fd, uint64_t now_ms, uint64_t bytes)
{
	uint64_t took_ms = now_ms - coalesce->since_ms;
	bool fast;

	if (took_ms < COALESCE_TICK_MS)
		return;
	fast = bytes - coalesce->bytes >= took_ms * COALESCE_RATE;
	if (fast != coalesce->on)
		netsock_wake_at(fd, fast ? COALESCE_BYTES : 1);
	coalesce->on = fast;
	coalesce->since_ms = now_ms;
	coalesce->bytes = bytes;
}
