/*
 * Decides once per tick whether a sender is fast enough to be read in larger
 * portions, and tells the kernel with SO_RCVLOWAT. relay.c asks it before each
 * read.
 */
#include "gateway/net/coalesce.h"

#include "gateway/net/netsock.h"

void coalesce_start(struct coalesce *coalesce, uint64_t now_ms)
{
	*coalesce = (struct coalesce){ .since_ms = now_ms };
}

static void set(struct coalesce *coalesce, int fd, bool on)
{
	if (on != coalesce->on)
		netsock_wake_at(fd, on ? COALESCE_BYTES : 1);
	coalesce->on = on;
}

void coalesce_look(struct coalesce *coalesce, int fd, uint64_t now_ms, uint64_t bytes)
{
	uint64_t took_ms = now_ms - coalesce->since_ms;

	if (took_ms < COALESCE_TICK_MS)
		return;
	set(coalesce, fd, bytes - coalesce->bytes >= took_ms * COALESCE_RATE);
	coalesce->since_ms = now_ms;
	coalesce->bytes = bytes;
}

void coalesce_stop(struct coalesce *coalesce, int fd)
{
	set(coalesce, fd, false);
}
