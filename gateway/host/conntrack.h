/*
 * Conntrack expectations: they announce a data connection to the kernel, so that
 * a firewall rule for RELATED lets it through. This also works for encrypted
 * control connections, which the kernel's FTP helper cannot read. It needs
 * CAP_NET_ADMIN and a helper on the control connection (`ct helper set "ftp"`),
 * because the kernel takes expectations for such connections only.
 */
#ifndef ATTLSD_GATEWAY_HOST_CONNTRACK_H
#define ATTLSD_GATEWAY_HOST_CONNTRACK_H

#include "policy/ip.h"

/* How long the kernel keeps an expectation of its FTP helper, in seconds. */
#define CONNTRACK_EXPECT_S 300

struct conntrack;

/* Returns 0 or a negative errno: the kernel has no nf_conntrack_netlink, or the capability is missing. */
int conntrack_open(struct conntrack **ret);
void conntrack_close(struct conntrack **conntrack);

/*
 * Expect one TCP connection from `from` (its port does not count) to `to`,
 * related to the control connection client -> server. The kernel removes it
 * when the connection comes, or after the helper's time-out. -EOPNOTSUPP: the control
 * connection has no helper; -ENOENT: the kernel does not track it.
 */
int conntrack_expect(struct conntrack *conntrack, const struct ip_endpoint *client,
		     const struct ip_endpoint *server, const struct ip_addr *from,
		     const struct ip_endpoint *to);

/* Withdraw one. -ENOENT: the connection came, or the time-out was over. */
int conntrack_forget(struct conntrack *conntrack, const struct ip_endpoint *client,
		     const struct ip_endpoint *server, const struct ip_addr *from,
		     const struct ip_endpoint *to);

#endif
