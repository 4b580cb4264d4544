/*
 * Asks the kernel for a route through a netlink socket.
 */
#include "gateway/ctl/routes.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "gateway/base/util.h"

#define IP_BYTES_MAX 16
#define ANSWER_MAX   4096

struct request {
	struct nlmsghdr header;
	struct rtmsg route;
	char attributes[RTA_SPACE(IP_BYTES_MAX) + RTA_SPACE(sizeof(uint32_t))];
};

static size_t addr_bytes(const struct ip_addr *addr)
{
	return addr->family == IP_V6 ? 16 : 4;
}

static void add_attribute(struct request *request, unsigned short type, const void *value, size_t len)
{
	size_t at = NLMSG_ALIGN(request->header.nlmsg_len) - NLMSG_LENGTH(sizeof(request->route));
	struct rtattr attribute = { .rta_type = type, .rta_len = (unsigned short)RTA_LENGTH(len) };

	memcpy(request->attributes + at, &attribute, sizeof(attribute));
	memcpy(request->attributes + at + RTA_LENGTH(0), value, len);
	request->header.nlmsg_len = (uint32_t)(NLMSG_ALIGN(request->header.nlmsg_len) + RTA_SPACE(len));
}

/* A request for one route, as `ip route get TO mark MARK` sends it. */
static int ask(int fd, struct request *request)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	union {
		struct nlmsghdr header;
		char bytes[ANSWER_MAX];
	} answer;
	struct nlmsgerr error;
	struct rtmsg route;
	ssize_t n;

	if (sendto(fd, request, request->header.nlmsg_len, 0, (const struct sockaddr *)&kernel,
		   sizeof(kernel)) == -1)
		return -errno;
	n = recv(fd, &answer, sizeof(answer), 0);
	if (n == -1)
		return -errno;
	if (answer.header.nlmsg_type == NLMSG_ERROR && (size_t)n >= NLMSG_LENGTH(sizeof(error))) {
		memcpy(&error, answer.bytes + NLMSG_HDRLEN, sizeof(error));
		return error.error == -ENETUNREACH || error.error == -EHOSTUNREACH ? 0 : error.error;
	}
	if (answer.header.nlmsg_type != RTM_NEWROUTE || (size_t)n < NLMSG_LENGTH(sizeof(route)))
		return -EPROTO;
	memcpy(&route, answer.bytes + NLMSG_HDRLEN, sizeof(route));
	return route.rtm_type == RTN_LOCAL ? 1 : 0;
}

int routes_mark_is_local(const struct ip_addr *to, uint32_t mark)
{
	struct request request = {
		.header = { .nlmsg_len = NLMSG_LENGTH(sizeof(struct rtmsg)),
			    .nlmsg_type = RTM_GETROUTE,
			    .nlmsg_flags = NLM_F_REQUEST },
		.route = { .rtm_family = to->family == IP_V6 ? AF_INET6 : AF_INET,
			   .rtm_dst_len = (unsigned char)(addr_bytes(to) * 8) },
	};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	int r;

	if (fd == -1)
		return -errno;
	add_attribute(&request, RTA_DST, to->bytes, addr_bytes(to));
	add_attribute(&request, RTA_MARK, &mark, sizeof(mark));
	r = ask(fd, &request);
	fd_close(&fd);
	return r;
}
