/* The last hour in steps of ten seconds, for the charts of the page. */
#ifndef ATTLSD_GATEWAY_HTTP_HISTORY_H
#define ATTLSD_GATEWAY_HTTP_HISTORY_H

#include <jansson.h>

#include "gateway/base/loop.h"
#include "gateway/http/asker.h"
#include "gateway/http/backends.h"

#define HISTORY_STEPS  360
#define HISTORY_STEP_S 10

enum history_row {
	HISTORY_SESSIONS,
	HISTORY_TRANSFERS, /* under way */
	HISTORY_HANDSHAKES,
	HISTORY_REFUSALS,
	HISTORY_BYTES_IN,
	HISTORY_BYTES_OUT,
	HISTORY_ROWS
};

struct history {
	struct loop *loop;
	struct asker *asker;
	struct timer timer;
	struct asker_wait wait;
	bool waits;				   /* for an answer */
	bool knows;				   /* `before` is that of the last step */
	uint64_t before[HISTORY_ROWS];		   /* of rows that grow */
	double steps[HISTORY_STEPS][HISTORY_ROWS]; /* in that step; negative: unknown */
	size_t n;				   /* how many steps there are, */
	size_t next;				   /* and the place of the next */
	struct backends backends;
	uint64_t end_s; /* when the last one ended, since 1970 */
};

/* Begin to ask. Returns 0 or a negative errno. */
int history_start(struct history *history, struct loop *loop, struct asker *asker);

/* NULL: no memory. */
json_t *history_json(const struct history *history);

#endif
