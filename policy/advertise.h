/* The address and port of a data connection for a client behind a NAT. */
#ifndef ATTLSD_POLICY_ADVERTISE_H
#define ATTLSD_POLICY_ADVERTISE_H

#include "policy/ftp-action.h"
#include "policy/ip.h"
#include "policy/types.h"

/*
 * The endpoint to tell a client for a data port that is open for it at `own`: the
 * address from the first entry of nat.advertise that is for this client and has an
 * address of own's family, and the port that a DNAT maps to own's port.
 */
struct ip_endpoint policy_advertised(const struct policy *policy, const struct ftp_action *ftp,
				     const struct ip_addr *client, const struct ip_endpoint *own);

#endif
