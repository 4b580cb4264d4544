/*
 * Facts of the host. The monitor acts on them at start and attlsctl doctor reports
 * them, so both ask here.
 */
#include "gateway/host/facts.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>

#include "gateway/base/util.h"

bool host_wants_ktls(const struct policy *policy)
{
	for (size_t i = 0; i < policy->ntls_actions; i++)
		if (policy->tls_actions[i].ktls)
			return true;
	return false;
}

bool host_wants_transparent(const struct policy *policy, enum ip_family family)
{
	for (size_t i = 0; i < policy->nlisteners; i++) {
		const struct policy_listener *listener = &policy->listeners[i];

		if (listener->transparent && (family == IP_NONE || listener->endpoint.addr.family == family))
			return true;
	}
	return false;
}

/* Containers often start with 0: then every port is everybody's. */
static unsigned unprivileged_port_start(void)
{
	FILE *file = fopen("/proc/sys/net/ipv4/ip_unprivileged_port_start", "re");
	unsigned start = IP_PORT_LOW_LIMIT;

	if (file == NULL)
		return start;
	if (fscanf(file, "%u", &start) != 1)
		start = IP_PORT_LOW_LIMIT;
	(void)fclose(file);
	return start;
}

static bool is_low(const struct ip_endpoint *endpoint, unsigned start)
{
	return endpoint->port > 0 && endpoint->port < start;
}

bool host_has_low_port(const struct policy *policy)
{
	unsigned start = unprivileged_port_start();

	for (size_t i = 0; i < policy->nlisteners; i++)
		if (is_low(&policy->listeners[i].endpoint, start))
			return true;
	return is_low(&policy->daemon.http.endpoint, start) || is_low(&policy->daemon.agent.endpoint, start);
}

bool host_workers_dial(const struct policy *policy)
{
	for (size_t i = 0; i < policy->nlisteners; i++)
		if (!policy->listeners[i].transparent)
			return true;
	for (size_t i = 0; i < policy->nbackends; i++)
		if (policy->backends[i].source != BACKEND_SOURCE_CLIENT ||
		    policy->backends[i].health.check != HEALTH_CHECK_NONE)
			return true;
	return false;
}

bool host_kernel_has_tls(void)
{
	static const char name[] = "tls";
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool has = true;

	/* the kernel finds (and loads) the layer before it checks that the socket is connected */
	if (fd != -1 && setsockopt(fd, IPPROTO_TCP, TCP_ULP, name, sizeof(name) - 1) == -1)
		has = errno == ENOTCONN;
	fd_close(&fd);
	return has;
}
