/*
 * The ports of passivedatashare: source, at each address of the listeners whose rules
 * want them. The monitor keeps them open.
 */
#ifndef ATTLSD_POLICY_SHARED_PORTS_H
#define ATTLSD_POLICY_SHARED_PORTS_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/types.h"

/* Ports of one ftp_action, and sockets of a policy: its ports at all addresses. */
#define SHARED_PORTS_MAX   64
#define SHARED_SOCKETS_MAX 256

/*
 * List the endpoints to listen on, each once; one for all addresses of the host stands
 * for those that it covers. Returns how many there are, of which at most `max` are stored.
 */
size_t policy_shared_ports(const struct policy *policy, struct ip_endpoint *ret, size_t max);

/* Does a connection to `to` arrive at a socket that listens on `at`? */
bool policy_port_covers(const struct ip_endpoint *at, const struct ip_endpoint *to);

#endif
