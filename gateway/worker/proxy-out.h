/* The PROXY header to the server, and which peers may act for a client behind a load balancer. */
#ifndef ATTLSD_GATEWAY_WORKER_PROXY_OUT_H
#define ATTLSD_GATEWAY_WORKER_PROXY_OUT_H

#include <stdbool.h>

#include "gateway/net/stream.h"
#include "gateway/worker/facts.h"

/* May this peer dial a passive data port of the session although it is not the client? */
bool proxy_peer_may_dial(const struct facts *facts, const struct ip_addr *peer);

/*
 * Send the PROXY header if the backend's policy wants one. It must be the first
 * bytes on the connection. client is the client's control connection, for the facts
 * about TLS.
 */
void proxy_out_send(const struct facts *facts, const struct stream *client, struct stream *stream);

#endif
