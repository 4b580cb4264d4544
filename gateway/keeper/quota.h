/*
 * How many signatures one worker gets in a second. A full handshake costs a worker
 * several times as much CPU as its signature costs here, so that only an attacker
 * who does nothing else meets the limit.
 */
#ifndef ATTLSD_GATEWAY_KEEPER_QUOTA_H
#define ATTLSD_GATEWAY_KEEPER_QUOTA_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/key/counts.h"

#define QUOTA_PER_SECOND 10000

/* Take one, at this time of any clock that only goes forward. False: none is left in this second. */
bool quota_take(struct key_counts *counts, uint32_t per_second, uint64_t now_ms);

#endif
