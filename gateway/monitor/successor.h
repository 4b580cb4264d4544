/*
 * A process that drains while the service manager starts another attlsd. The manager waits
 * for the end of the process that it has started, so that one has to end early.
 */
#ifndef ATTLSD_GATEWAY_MONITOR_SUCCESSOR_H
#define ATTLSD_GATEWAY_MONITOR_SUCCESSOR_H

#include "gateway/monitor/children.h"

/*
 * Fork. Returns 0 in the new process, which has all that the monitor has, and hears of the
 * ends of workers and keepers although they are not its children. The old process only
 * waits for SIGTERM, or for the new one's end, and exits. Returns a negative errno if
 * nothing has happened.
 */
int successor_fork(struct children *children);

#endif
