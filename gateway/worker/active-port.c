/*
 * The port from which a client that has sent PORT is dialled (`data_port`). RFC 959
 * 3.2 has the server's data port be that of the control connection minus one, and
 * some firewalls accept no other.
 */
#include "gateway/worker/active-port.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "gateway/base/msg.h"
#include "gateway/net/netsock.h"
#include "gateway/worker/session-log.h"

int active_port_find(const struct facts *facts, const struct stream *control, struct ip_endpoint *ret)
{
	bool lower = facts->rule->ftp->data_port == DATA_PORT_LOWER;
	int r;

	*ret = (struct ip_endpoint){ .addr = facts->transparent ? facts->local.addr : facts->host };
	if (!lower) {
		ret->port = facts->transparent ? FTP_DATA_PORT : 0;
		return 0;
	}
	/* this host's port: behind a load balancer, facts->local has the balancer's */
	r = netsock_local(control->watch.fd, ret);
	if (r == 0 && ret->port <= 1)
		r = -EADDRNOTAVAIL;
	if (r == 0)
		ret->port--;
	return r;
}

void active_port_log(const struct facts *facts, const struct ip_endpoint *from, int r)
{
	char address[IP_TEXT_MAX];
	const char *fix = "none known; see the error";

	if (r == -EACCES)
		fix =
		    "start attlsd as root, or give it the capability: setcap cap_net_bind_service+ep attlsd";
	else if (r == -EADDRINUSE)
		fix = "another program listens there: end it, or set data_port: any";
	else if (r == -EADDRNOTAVAIL)
		fix = "a connection to the same port of the client has just ended; the client should use "
		      "another port for each transfer, or passive mode";
	session_log(facts, LOG_LEVEL_WARNING, "no-active-port",
		    LOG_TEXT("from", ip_endpoint_format(from, address)), LOG_TEXT("error", strerror(-r)),
		    LOG_TEXT("fix", fix));
}
