/* The last hour in steps of ten seconds, for the charts of the page. */
#ifndef ATTLSD_GATEWAY_HTTP_HISTORY_H
#define ATTLSD_GATEWAY_HTTP_HISTORY_H

#include <jansson.h>

#include "gateway/base/chart-memory.h"
#include "gateway/base/loop.h"
#include "gateway/http/asker.h"
#include "gateway/http/backends.h"

struct history {
	struct loop *loop;
	struct asker *asker;
	struct timer timer;
	struct asker_wait wait;
	bool waits; /* for an answer */
	bool stopped;
	bool knows;		     /* `before` is that of the last step */
	uint64_t before[CHART_ROWS]; /* of rows that grow */
	uint64_t left_s;	     /* of a step that the process before has begun */
	uint64_t due_ms; /* when the next step is whole, by the clock of the loop, which nobody sets back */
	struct chart_memory *charts;
	/* These are written to the charts and never read from there again: another process may write, too. */
	uint32_t n, next;
	struct backends backends;
};

/*
 * Go on with the charts, which must live as long as this; steps that nobody has counted since
 * their last one are unknown.
 */
void history_resume(struct history *history, struct chart_memory *charts, uint64_t now_s);

/* Begin to ask. Returns 0 or a negative errno. */
int history_start(struct history *history, struct loop *loop, struct asker *asker);

/* Ask no more: another process writes the charts. */
void history_stop(struct history *history);

/* NULL: no memory. */
json_t *history_json(const struct history *history);

#endif
