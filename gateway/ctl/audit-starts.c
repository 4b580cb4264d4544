/*
 * An upgrade that failed leaves a newer start, too: that one is over, and the older one goes on to write.
 */
#include "gateway/ctl/audit-starts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct trail_start *audit_starts_note(struct trail_start **starts, const char *boot, const char *node,
				      uint64_t place)
{
	char key[sizeof((*starts)->boot)];
	struct trail_start *start;

	(void)snprintf(key, sizeof(key), "%s", boot);
	HASH_FIND_STR(*starts, key, start);
	if (start == NULL) {
		start = calloc(1, sizeof(*start));
		if (start == NULL)
			return NULL;
		(void)snprintf(start->boot, sizeof(start->boot), "%s", key);
		start->first = place;
		HASH_ADD_STR(*starts, boot, start);
	}
	(void)snprintf(start->node, sizeof(start->node), "%s", node); /* a reload may change it */
	start->last = place;
	return start;
}

bool audit_starts_is_past(const struct trail_start *starts, const struct trail_start *start)
{
	for (const struct trail_start *other = starts; other != NULL; other = other->hh.next)
		if (other->first > start->first && strcmp(other->node, start->node) == 0 &&
		    (other->unfinished || other->first > start->last))
			return true;
	return false;
}

void audit_starts_free(struct trail_start **starts)
{
	struct trail_start *start, *next;

	HASH_ITER (hh, *starts, start, next) {
		HASH_DEL(*starts, start);
		free(start);
	}
}
