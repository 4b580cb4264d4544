/* Sends the table of clients to an operator (CTL_CLIENTS). */
#ifndef ATTLSD_GATEWAY_MONITOR_CTL_CLIENTS_H
#define ATTLSD_GATEWAY_MONITOR_CTL_CLIENTS_H

#include <stddef.h>
#include <stdint.h>

#include "gateway/monitor/client-table.h"

/* How far the table has been sent. */
struct ctl_clients {
	size_t place;
	uint64_t sent;
};

/*
 * Send what is still missing, as far as the reader has room. Returns 0 when all has been sent; -EAGAIN:
 * call it again; another negative errno: the connection is lost.
 */
int ctl_clients_send(int fd, const struct client_table *table, struct ctl_clients *done);

#endif
