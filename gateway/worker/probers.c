/*
 * Remembers who connects and closes without a byte. Each worker learns for itself: a
 * check that it does not know yet costs one connection to the server.
 */
#include "gateway/worker/probers.h"

/* Checks come every few seconds or minutes. */
#define REMEMBER_MS (10 * 60 * 1000)

/* The entry of this address, or the one to give it: a new one, or the oldest. */
static struct prober *entry_for(struct probers *probers, const struct ip_addr *addr)
{
	struct prober *oldest = &probers->items[0];

	for (size_t i = 0; i < probers->n; i++) {
		struct prober *one = &probers->items[i];

		if (ip_addr_equal(&one->addr, addr))
			return one;
		if (one->seen_ms < oldest->seen_ms)
			oldest = one;
	}
	return probers->n < PROBERS_MAX ? &probers->items[probers->n++] : oldest;
}

void probers_note(struct probers *probers, const struct ip_addr *addr, uint64_t now_ms)
{
	*entry_for(probers, addr) = (struct prober){ .addr = *addr, .seen_ms = now_ms };
}

bool probers_has(const struct probers *probers, const struct ip_addr *addr, uint64_t now_ms)
{
	for (size_t i = 0; i < probers->n; i++)
		if (ip_addr_equal(&probers->items[i].addr, addr))
			return now_ms - probers->items[i].seen_ms < REMEMBER_MS;
	return false;
}
