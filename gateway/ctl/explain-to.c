/*
 * Reads the address that a client dials from the command line. A server that clients
 * reach through a transparent listener is often known by its name.
 */
#include "gateway/ctl/explain-to.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "gateway/ctl/usage.h"

#define HOST_MAX 256

/* Split "host:port" and "[host]:port". Returns the length of the host, without brackets, and where it starts.
 */
static size_t split(const char *text, const char **ret_host, uint16_t *ret_port)
{
	const char *colon = strrchr(text, ':');
	size_t len = strlen(text);
	bool brackets = text[0] == '[';
	unsigned long port;
	char *end;

	*ret_host = text;
	*ret_port = 0;
	/* more than one colon: an IPv6 address without a port */
	if (colon == NULL || (!brackets && strchr(text, ':') != colon) || colon[1] < '0' || colon[1] > '9')
		return len;
	port = strtoul(colon + 1, &end, 10);
	if (*end != '\0' || port == 0 || port > UINT16_MAX)
		return len;
	*ret_port = (uint16_t)port;
	len = (size_t)(colon - text);
	if (brackets && len >= 2 && text[len - 1] == ']') {
		*ret_host = text + 1;
		len -= 2;
	}
	return len;
}

bool explain_dialled_parse(const char *text, struct explain_dialled *ret)
{
	const char *host;
	size_t len;

	*ret = (struct explain_dialled){ .n = 0 };
	len = split(text, &host, &ret->port);
	if (ip_addr_parse(host, len, &ret->addresses[0]) < 0)
		return false;
	ret->n = 1;
	return true;
}

int explain_dialled_look_up(const char *text, struct explain_dialled *ret)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_family = AF_UNSPEC };
	struct addrinfo *found = NULL;
	char name[HOST_MAX];
	const char *host;
	size_t len;
	int r;

	if (explain_dialled_parse(text, ret))
		return 0;
	len = split(text, &host, &ret->port);
	(void)snprintf(name, sizeof(name), "%.*s", (int)(len < HOST_MAX ? len : HOST_MAX - 1), host);
	r = getaddrinfo(name, NULL, &hints, &found);
	if (r != 0) {
		(void)fprintf(stderr, "attlsctl: cannot resolve \"%s\": %s\n", name, gai_strerror(r));
		return EXIT_FAILURE;
	}
	for (const struct addrinfo *one = found; one != NULL && ret->n < POLICY_ADDRESSES_MAX;
	     one = one->ai_next) {
		const void *any = one->ai_addr;

		if (one->ai_family == AF_INET)
			ret->addresses[ret->n++] = ip_addr_make(
			    IP_V4, (const uint8_t *)&((const struct sockaddr_in *)any)->sin_addr);
		else if (one->ai_family == AF_INET6)
			ret->addresses[ret->n++] = ip_addr_make(
			    IP_V6, (const uint8_t *)&((const struct sockaddr_in6 *)any)->sin6_addr);
	}
	freeaddrinfo(found);
	return 0;
}
