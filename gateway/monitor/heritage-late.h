/* What passes on when the new attlsd begins to serve: what changes until then, and counters from then on. */
#ifndef ATTLSD_GATEWAY_MONITOR_HERITAGE_LATE_H
#define ATTLSD_GATEWAY_MONITOR_HERITAGE_LATE_H

#include "gateway/base/counters.h"
#include "gateway/monitor/monitor-state.h"

/* Make the state for HANDOVER_GO. Returns its descriptor or a negative errno. */
int heritage_late_make(struct monitor *monitor);

/* Make a state of what this attlsd has counted, for HANDOVER_COUNTS_TOLD. Returns the same. */
int heritage_late_counts(struct monitor *monitor);

/* Receive what heritage_late_make() has made. Returns 0 or a negative errno. */
int heritage_late_receive(struct monitor *monitor, int state);

/*
 * The same for heritage_late_counts(): lift a page, which is made if it is NULL. What cannot be read
 * changes nothing.
 */
void heritage_late_receive_counts(struct monitor *monitor, struct counters **page, int state);

#endif
