/*
 * How many signatures one worker gets in a second. A full handshake costs a worker
 * several times as much CPU as its signature costs here, so that only an attacker
 * who does nothing else meets the limit.
 */
#ifndef ATTLSD_GATEWAY_KEEPER_QUOTA_H
#define ATTLSD_GATEWAY_KEEPER_QUOTA_H

#include <stdbool.h>
#include <stdint.h>

#define QUOTA_PER_SECOND 10000

struct quota {
	uint32_t per_second;
	uint64_t second; /* the running one */
	uint32_t used;	 /* in it */
};

/* Take one, at this time of any clock that only goes forward. False: none is left in this second. */
bool quota_take(struct quota *quota, uint64_t now_ms);

#endif
