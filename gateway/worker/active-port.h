/* The port from which a client that has sent PORT is dialled. */
#ifndef ATTLSD_GATEWAY_WORKER_ACTIVE_PORT_H
#define ATTLSD_GATEWAY_WORKER_ACTIVE_PORT_H

#include "gateway/net/stream.h"
#include "gateway/worker/facts.h"

/*
 * The end from which the client of this control connection is dialled; port 0: any.
 * Returns 0 or a negative errno.
 */
int active_port_find(const struct facts *facts, const struct stream *control, struct ip_endpoint *ret);

/* No connection could start there (a negative errno): the log says why, since the client's 425 does not. */
void active_port_log(const struct facts *facts, const struct ip_endpoint *from, int r);

#endif
