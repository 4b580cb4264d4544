/*
 * The system calls on TCP sockets, with addresses as policy/ip.h has them, so
 * that no session and no listener handles a struct sockaddr.
 */
#include "gateway/net/netsock.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "gateway/base/util.h"

/* Keep-alive probes after the idle time: every 15 s, given up after 4. */
#define KEEPALIVE_INTERVAL_S 15
#define KEEPALIVE_PROBES     4
/* One connection is expected; strangers are accepted and refused one by one. */
#define DATA_BACKLOG 4

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static socklen_t to_sockaddr(const struct ip_endpoint *endpoint, union address *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (endpoint->addr.family == IP_V4) {
		ret->v4.sin_family = AF_INET;
		ret->v4.sin_port = htons(endpoint->port);
		memcpy(&ret->v4.sin_addr, endpoint->addr.bytes, sizeof(ret->v4.sin_addr));
		return sizeof(ret->v4);
	}
	ret->v6.sin6_family = AF_INET6;
	ret->v6.sin6_port = htons(endpoint->port);
	memcpy(&ret->v6.sin6_addr, endpoint->addr.bytes, sizeof(ret->v6.sin6_addr));
	return sizeof(ret->v6);
}

static void from_sockaddr(const union address *address, struct ip_endpoint *ret)
{
	*ret = (struct ip_endpoint){ .port = 0 };
	if (address->any.sa_family == AF_INET) {
		ret->addr = ip_addr_make(IP_V4, (const uint8_t *)&address->v4.sin_addr);
		ret->port = ntohs(address->v4.sin_port);
	} else if (address->any.sa_family == AF_INET6) {
		ret->addr = ip_addr_make(IP_V6, (const uint8_t *)&address->v6.sin6_addr);
		ret->port = ntohs(address->v6.sin6_port);
	}
}

static void set_option(int fd, int level, int option, int value)
{
	/* A socket without the option still works. */
	(void)setsockopt(fd, level, option, &value, sizeof(value));
}

static int make_socket(enum ip_family family)
{
	int fd = socket(family == IP_V4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd == -1)
		return -errno;
	if (family == IP_V6)
		set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	return fd;
}

int netsock_set_transparent(int fd, enum ip_family family, bool transparent)
{
	int level = family == IP_V4 ? IPPROTO_IP : IPPROTO_IPV6;
	int option = family == IP_V4 ? IP_TRANSPARENT : IPV6_TRANSPARENT;
	int now = 0, wanted = transparent;
	socklen_t len = sizeof(now);

	if (getsockopt(fd, level, option, &now, &len) == 0 && (now != 0) == transparent)
		return 0;
	return setsockopt(fd, level, option, &wanted, sizeof(wanted)) == -1 ? -errno : 0;
}

bool netsock_takes_ipv4(int fd)
{
	int only = 0;
	socklen_t len = sizeof(only);

	return getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, &len) == 0 && only == 0;
}

int netsock_listen(const struct ip_endpoint *endpoint, int backlog, bool transparent)
{
	union address address;
	socklen_t len = to_sockaddr(endpoint, &address);
	int fd = make_socket(endpoint->addr.family);
	int r = 0;

	if (fd < 0)
		return fd;
	set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (transparent)
		r = netsock_set_transparent(fd, endpoint->addr.family, true);
	if (r == 0 && bind(fd, &address.any, len) == 0 && listen(fd, backlog) == 0)
		return fd;
	if (r == 0)
		r = -errno;
	fd_close(&fd);
	return r;
}

int netsock_bind_transparent(const struct ip_endpoint *endpoint, uint16_t avoid_port)
{
	union address address;
	socklen_t len = to_sockaddr(endpoint, &address);
	struct ip_endpoint bound = *endpoint;
	int fd = make_socket(endpoint->addr.family);
	int r;

	if (fd < 0)
		return fd;
	r = netsock_set_transparent(fd, endpoint->addr.family, true);
	if (endpoint->port != 0)
		set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (r == 0 && bind(fd, &address.any, len) == -1)
		r = -errno;
	if (r == 0)
		r = netsock_local(fd, &bound);
	if (r == 0 && bound.port == avoid_port && endpoint->port == 0) {
		/* while this socket holds the port */
		int other = netsock_bind_transparent(endpoint, avoid_port);

		fd_close(&fd);
		return other;
	}
	if (r == 0)
		return fd;
	fd_close(&fd);
	return r;
}

int netsock_bind(const struct ip_endpoint *endpoint)
{
	union address address;
	socklen_t len = to_sockaddr(endpoint, &address);
	int fd = make_socket(endpoint->addr.family);
	int r;

	if (fd < 0)
		return fd;
	set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (bind(fd, &address.any, len) == 0)
		return fd;
	r = -errno;
	fd_close(&fd);
	return r;
}

int netsock_start_listening(int fd)
{
	return listen(fd, DATA_BACKLOG) == -1 ? -errno : 0;
}

int netsock_connect(int fd, const struct ip_endpoint *to)
{
	union address address;
	socklen_t len = to_sockaddr(to, &address);

	return connect(fd, &address.any, len) == -1 && errno != EINPROGRESS ? -errno : 0;
}

struct port_range netsock_range(struct port_range range)
{
	return range.low != 0 ? range : (struct port_range){ .low = 49152, .high = 65535 };
}

uint16_t netsock_random_port(struct port_range range)
{
	uint32_t random;

	range = netsock_range(range);
	if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return 0;
	return (uint16_t)(range.low + random % (uint32_t)(range.high - range.low + 1));
}

int netsock_listen_range(const struct ip_addr *addr, struct port_range range)
{
	struct ip_endpoint endpoint = { .addr = *addr };
	uint32_t low, count, start;
	int fd = -EADDRINUSE;

	range = netsock_range(range);
	low = range.low;
	count = (uint32_t)(range.high - range.low + 1);
	/* Unpredictable, so that an attacker cannot wait at the next port (RFC 2577 6). */
	start = netsock_random_port(range);
	if (start == 0)
		return -EAGAIN;
	for (uint32_t i = 0; i < count; i++) {
		endpoint.port = (uint16_t)(low + (start - low + i) % count);
		fd = netsock_listen(&endpoint, DATA_BACKLOG, false);
		if (fd != -EADDRINUSE)
			break;
	}
	return fd;
}

int netsock_dial(const struct ip_endpoint *to, const struct ip_addr *from, bool reset_on_close)
{
	union address address;
	socklen_t len;
	int fd = make_socket(to->addr.family);
	int r = 0;

	if (fd < 0)
		return fd;
	if (reset_on_close)
		netsock_reset_on_close(fd);
	if (from != NULL && from->family == to->addr.family && !ip_addr_is_any(from)) {
		struct ip_endpoint local = { .addr = *from };

		/* the port is chosen at connect(), so that the whole range serves each peer */
		set_option(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
		len = to_sockaddr(&local, &address);
		if (bind(fd, &address.any, len) == -1)
			r = -errno;
	}
	if (r == 0)
		r = netsock_connect(fd, to);
	if (r < 0) {
		fd_close(&fd);
		return r;
	}
	return fd;
}

int netsock_accept(int fd, struct ip_endpoint *ret_peer)
{
	union address address;
	socklen_t len = sizeof(address);
	int accepted = accept4(fd, &address.any, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (accepted == -1)
		return errno == EWOULDBLOCK ? -EAGAIN : -errno;
	from_sockaddr(&address, ret_peer);
	return accepted;
}

int netsock_error(int fd)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == -1)
		return -errno;
	return -error;
}

bool netsock_is_reset(int fd)
{
	struct ip_endpoint peer;

	return netsock_error(fd) < 0 || netsock_peer(fd, &peer) < 0;
}

void netsock_endpoint(const struct sockaddr *address, struct ip_endpoint *ret)
{
	union address copy = { .any.sa_family = address->sa_family };

	if (address->sa_family == AF_INET)
		memcpy(&copy.v4, address, sizeof(copy.v4));
	else if (address->sa_family == AF_INET6)
		memcpy(&copy.v6, address, sizeof(copy.v6));
	from_sockaddr(&copy, ret);
}

int netsock_local(int fd, struct ip_endpoint *ret_endpoint)
{
	union address address;
	socklen_t len = sizeof(address);

	if (getsockname(fd, &address.any, &len) == -1)
		return -errno;
	from_sockaddr(&address, ret_endpoint);
	return 0;
}

int netsock_peer(int fd, struct ip_endpoint *ret_endpoint)
{
	union address address;
	socklen_t len = sizeof(address);

	if (getpeername(fd, &address.any, &len) == -1)
		return -errno;
	from_sockaddr(&address, ret_endpoint);
	return 0;
}

bool netsock_is_quiet(int fd)
{
	uint8_t byte;

	return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == -1 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

bool netsock_has_left(int fd)
{
	struct pollfd look = { .fd = fd, .events = POLLRDHUP };
	int bytes = 0;

	if (poll(&look, 1, 0) != 1)
		return false;
	if ((look.revents & (POLLERR | POLLHUP)) != 0)
		return true;
	return ioctl(fd, SIOCINQ, &bytes) == 0 && bytes == 0;
}

void netsock_set_control(int fd)
{
	set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	set_option(fd, SOL_SOCKET, SO_OOBINLINE, 1);
}

bool netsock_send_urgent(int fd, uint8_t byte)
{
	return send(fd, &byte, sizeof(byte), MSG_OOB | MSG_NOSIGNAL) == (ssize_t)sizeof(byte);
}

void netsock_keepalive(int fd, uint32_t idle_s)
{
	if (idle_s == 0)
		return;
	set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, (int)idle_s);
	set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S);
	set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES);
}

void netsock_wake_at(int fd, int bytes)
{
	set_option(fd, SOL_SOCKET, SO_RCVLOWAT, bytes);
}

void netsock_reset_on_close(int fd)
{
	struct linger linger = { .l_onoff = 1, .l_linger = 0 };

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

void netsock_fin_on_close(int fd)
{
	struct linger linger = { .l_onoff = 0 };

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

size_t netsock_unacknowledged(int fd)
{
	int bytes = 0;

	if (ioctl(fd, SIOCOUTQ, &bytes) == -1 || bytes < 0)
		return 0;
	return (size_t)bytes;
}
