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

/*
 * Receive what heritage_send() has sent, which is there already, into a monitor that is otherwise
 * initialised. Returns 0 or a negative errno.
 */
int heritage_receive(struct monitor *monitor, int link);

/* The numbers that both states have. */
void heritage_put_numbers(struct handover_writer *writer, const struct monitor *monitor);
struct handover_numbers heritage_get_numbers(struct monitor *monitor, const struct handover_reader *reader);

#endif
