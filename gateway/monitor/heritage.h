/* What passes from a monitor to the one that replaces it: sockets, counts and keys of TLS sessions. */
#ifndef ATTLSD_GATEWAY_MONITOR_HERITAGE_H
#define ATTLSD_GATEWAY_MONITOR_HERITAGE_H

#include <stddef.h>

#include "gateway/base/handover-state.h"
#include "gateway/monitor/monitor-state.h"

/*
 * Send all of it through the link, without waiting. Returns 0 or a negative errno; -E2BIG: it
 * does not fit.
 */
int heritage_send(const struct monitor *monitor, int link);

/* Make the state for HANDOVER_GO: what changes until then. Returns its descriptor or a negative errno. */
int heritage_late(const struct monitor *monitor);

/*
 * Receive what heritage_send() has sent, which is there already, into a monitor that is otherwise
 * initialised. Returns 0 or a negative errno.
 */
int heritage_receive(struct monitor *monitor, int link);

/* The same for heritage_late(). */
int heritage_receive_late(struct monitor *monitor, int state);

#endif
