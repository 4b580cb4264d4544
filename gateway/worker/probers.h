/*
 * The addresses that lately connected and closed without a byte, as health checks do. A
 * connection from one of them is given a moment to close before its server is dialled.
 */
#ifndef ATTLSD_GATEWAY_WORKER_PROBERS_H
#define ATTLSD_GATEWAY_WORKER_PROBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/ip.h"

/* Monitoring has few hosts. With more than this, the oldest are forgotten. */
#define PROBERS_MAX 32

struct prober {
	struct ip_addr addr;
	uint64_t seen_ms;
};

struct probers {
	struct prober items[PROBERS_MAX];
	size_t n;
};

void probers_note(struct probers *probers, const struct ip_addr *addr, uint64_t now_ms);
bool probers_has(const struct probers *probers, const struct ip_addr *addr, uint64_t now_ms);

#endif
