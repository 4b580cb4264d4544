/*
 * Opens and closes a netlink socket to the kernel's firewall. libnftables ends the
 * whole process if it cannot open one (a container without the module, a service with
 * RestrictAddressFamilies=), so its users call this first.
 */
#include "gateway/host/nfnetlink.h"

#include <errno.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include "gateway/base/util.h"

int nfnetlink_probe(void)
{
	const struct sockaddr_nl address = { .nl_family = AF_NETLINK };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
	int r = fd == -1 ? -errno : 0;

	if (r == 0 && bind(fd, (const struct sockaddr *)&address, sizeof(address)) == -1)
		r = -errno;
	fd_close(&fd);
	return r;
}
