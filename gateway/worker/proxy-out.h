/*
 * What the server learns of the client by a PROXY header, and which peers speak
 * for the client behind a load balancer.
 */
#ifndef ATTLSD_GATEWAY_WORKER_PROXY_OUT_H
#define ATTLSD_GATEWAY_WORKER_PROXY_OUT_H

#include <stdbool.h>

#include "gateway/net/stream.h"
#include "gateway/worker/facts.h"

/* May this peer dial a passive data port of the session's, though it is not the client? */
bool proxy_peer_may_dial(const struct facts *facts, const struct ip_addr *peer);

/*
 * Send the header that the backend's policy asks for, if any: the first bytes on
 * a connection to it. client: the client's control connection, for the facts of TLS.
 */
void proxy_out_send(const struct facts *facts, const struct stream *client, struct stream *stream);

#endif
