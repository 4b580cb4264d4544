/*
 * Creates and removes conntrack expectations over netlink. The monitor does this
 * for its workers, which have neither the capability nor the socket.
 */
#include "gateway/host/conntrack.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

struct conntrack {
	struct nfct_handle *expect;
};

int conntrack_open(struct conntrack **ret)
{
	struct conntrack *conntrack = calloc(1, sizeof(*conntrack));

	if (conntrack == NULL)
		return -ENOMEM;
	conntrack->expect = nfct_open(EXPECT, 0);
	if (conntrack->expect == NULL) {
		free(conntrack);
		return -errno;
	}
	*ret = conntrack;
	return 0;
}

void conntrack_close(struct conntrack **conntrack)
{
	if (*conntrack == NULL)
		return;
	(void)nfct_close((*conntrack)->expect);
	free(*conntrack);
	*conntrack = NULL;
}

static void set_addr(struct nf_conntrack *ct, const struct ip_addr *addr, enum nf_conntrack_attr v4,
		     enum nf_conntrack_attr v6)
{
	if (addr->family == IP_V4) {
		uint32_t value;

		memcpy(&value, addr->bytes, sizeof(value));
		nfct_set_attr_u32(ct, v4, value);
	} else {
		nfct_set_attr(ct, v6, addr->bytes);
	}
}

/* One direction of a TCP connection; ports in host order. */
static struct nf_conntrack *tuple(const struct ip_endpoint *from, const struct ip_endpoint *to)
{
	struct nf_conntrack *ct = nfct_new();

	if (ct == NULL)
		return NULL;
	nfct_set_attr_u8(ct, ATTR_L3PROTO, from->addr.family == IP_V4 ? AF_INET : AF_INET6);
	nfct_set_attr_u8(ct, ATTR_L4PROTO, IPPROTO_TCP);
	set_addr(ct, &from->addr, ATTR_IPV4_SRC, ATTR_IPV6_SRC);
	set_addr(ct, &to->addr, ATTR_IPV4_DST, ATTR_IPV6_DST);
	nfct_set_attr_u16(ct, ATTR_PORT_SRC, htons(from->port));
	nfct_set_attr_u16(ct, ATTR_PORT_DST, htons(to->port));
	return ct;
}

static int query(struct conntrack *conntrack, enum nf_conntrack_query what, const struct ip_endpoint *client,
		 const struct ip_endpoint *server, const struct ip_addr *from, const struct ip_endpoint *to)
{
	struct ip_endpoint any_port = { .addr = *from };
	/* the mask: both addresses and the destination port count, the source port does not */
	struct ip_endpoint all_from = { .addr.family = from->family },
			   all_to = { .addr.family = from->family };
	size_t bytes = from->family == IP_V4 ? 4 : 16;
	struct nf_conntrack *master, *expected, *mask;
	struct nf_expect *expect = nfexp_new();
	int r = -ENOMEM;

	memset(all_from.addr.bytes, 0xff, bytes);
	memset(all_to.addr.bytes, 0xff, bytes);
	all_to.port = 0xffff;
	master = tuple(client, server);
	expected = tuple(&any_port, to);
	mask = tuple(&all_from, &all_to);
	if (expect != NULL && master != NULL && expected != NULL && mask != NULL) {
		nfexp_set_attr(expect, ATTR_EXP_MASTER, master);
		nfexp_set_attr(expect, ATTR_EXP_EXPECTED, expected);
		nfexp_set_attr(expect, ATTR_EXP_MASK, mask);
		/* netlink requires one, but the kernel uses the helper's time-out */
		nfexp_set_attr_u32(expect, ATTR_EXP_TIMEOUT, 300);
		r = nfexp_query(conntrack->expect, what, expect) == -1 ? -errno : 0;
	}
	if (master != NULL)
		nfct_destroy(master);
	if (expected != NULL)
		nfct_destroy(expected);
	if (mask != NULL)
		nfct_destroy(mask);
	if (expect != NULL)
		nfexp_destroy(expect);
	return r;
}

int conntrack_expect(struct conntrack *conntrack, const struct ip_endpoint *client,
		     const struct ip_endpoint *server, const struct ip_addr *from,
		     const struct ip_endpoint *to)
{
	return query(conntrack, NFCT_Q_CREATE, client, server, from, to);
}

int conntrack_forget(struct conntrack *conntrack, const struct ip_endpoint *client,
		     const struct ip_endpoint *server, const struct ip_addr *from,
		     const struct ip_endpoint *to)
{
	return query(conntrack, NFCT_Q_DESTROY, client, server, from, to);
}
