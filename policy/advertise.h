/* Where a client has to connect to for data, when a NAT stands between it and the gateway. */
#ifndef ATTLSD_POLICY_ADVERTISE_H
#define ATTLSD_POLICY_ADVERTISE_H

#include "policy/ftp-action.h"
#include "policy/ip.h"
#include "policy/types.h"

/*
 * The endpoint that a client is told to dial for a data port that is open for it
 * at `own`: the address of the first entry of nat.advertise that is for the
 * client and has one of own's family, and the port that a DNAT maps onto it.
 */
struct ip_endpoint policy_advertised(const struct policy *policy, const struct ftp_action *ftp,
				     const struct ip_addr *client, const struct ip_endpoint *own);

#endif
