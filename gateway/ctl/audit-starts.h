/*
 * The starts of attlsd that a trail tells of. Whatever ran before the newest one has ended, or hands over
 * to it, so each of its processes has to have a last event.
 */
#ifndef ATTLSD_GATEWAY_CTL_AUDIT_STARTS_H
#define ATTLSD_GATEWAY_CTL_AUDIT_STARTS_H

#include <stdbool.h>
#include <stdint.h>
#include <uthash.h>

struct trail_start {
	char boot[40];
	char node[64];	      /* several gateways may write to one trail; "": none has a name */
	uint64_t first, last; /* places of its events in the trail */
	bool unfinished;      /* one of its processes has no last event */
	UT_hash_handle hh;
};

/* The start that an event at this place belongs to. NULL: no memory. */
struct trail_start *audit_starts_note(struct trail_start **starts, const char *boot, const char *node,
				      uint64_t place);

/* Has another start of the same gateway taken its place? The marks of unfinished ones must be there. */
bool audit_starts_is_past(const struct trail_start *starts, const struct trail_start *start);

void audit_starts_free(struct trail_start **starts);

#endif
