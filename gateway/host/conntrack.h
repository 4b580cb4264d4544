/*
 * Conntrack expectations: telling the kernel of a data connection before it
 * comes, so that a firewall rule for RELATED lets it through. Works for
 * encrypted control connections, whose helper cannot read along. Needs
 * CAP_NET_ADMIN and, on the control connection, an assigned helper:
 * `ct helper set "ftp"` (the kernel takes expectations for such only).
 */
#ifndef ATTLSD_GATEWAY_HOST_CONNTRACK_H
#define ATTLSD_GATEWAY_HOST_CONNTRACK_H

#include "policy/ip.h"

struct conntrack;

/* Returns 0 or a negative errno: the kernel has no nf_conntrack_netlink, or the capability is missing. */
int conntrack_open(struct conntrack **ret);
void conntrack_close(struct conntrack **conntrack);

/*
 * Expect one TCP connection from `from` (its port does not count) to `to`,
 * related to the control connection client -> server. The kernel drops it when
 * it has come, and after its helper's time-out. -EOPNOTSUPP: the control
 * connection has no helper; -ENOENT: the kernel does not track it.
 */
int conntrack_expect(struct conntrack *conntrack, const struct ip_endpoint *client,
		     const struct ip_endpoint *server, const struct ip_addr *from,
		     const struct ip_endpoint *to);

/* Withdraw one. -ENOENT: it has come, or run out. */
int conntrack_forget(struct conntrack *conntrack, const struct ip_endpoint *client,
		     const struct ip_endpoint *server, const struct ip_addr *from,
		     const struct ip_endpoint *to);

#endif
