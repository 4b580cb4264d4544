/*
 * What the process that loads a policy tells the monitor through a pipe: parts, each with its type
 * and its length. The last one is the result.
 */
#ifndef ATTLSD_GATEWAY_MONITOR_POLICY_PARTS_H
#define ATTLSD_GATEWAY_MONITOR_POLICY_PARTS_H

#include <stddef.h>
#include <stdint.h>

enum part_type {
	PART_NONE = 0,
	PART_STEP,    /* what it is about to do, in words */
	PART_TEXT,    /* of the policy */
	PART_OWN,     /* the text of the file of this node, if there is one */
	PART_NAMES,   /* policy-names.h */
	PART_GOOD,    /* a uint32_t: for how many seconds the names are good */
	PART_USERS,   /* struct keeper_user */
	PART_TICKETS, /* struct ticket_secrets, if there are any */
	PART_RINGS,   /* pkcs12-parts.h, if there are any */
	PART_MAPS,    /* the texts of server-maps.h, if there are any */
	PART_LOST,    /* an uint64_t: lines that the log has lost */
	PART_RESULT   /* an int: 0 or a negative errno; the last part */
};

/* Ends the process if nobody reads any more. */
void policy_part_send(int fd, enum part_type type, const void *bytes, size_t len);

/* What has come so far. A part that is cut off ends it. */
struct policy_parts {
	const uint8_t *step, *text, *own, *names, *users, *good, *secrets, *rings, *maps;
	size_t step_len, text_len, own_len, names_len, secrets_len, rings_len, maps_len;
	uint64_t lost;
	const int *result;
	int result_copy;
};

/* They stay in buf. */
void policy_parts_take(const uint8_t *buf, size_t len, struct policy_parts *parts);

#endif
