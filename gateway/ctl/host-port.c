/*
 * Takes the operand that names a server apart, and reads what a look-up has found. A host stays
 * a text until then, and so does the port, which may be the name of a service.
 */
#include "gateway/ctl/host-port.h"

#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

bool host_port_split(const char *text, char host[static HOST_PORT_MAX], const char **ret_port)
{
	const char *end = text[0] == '[' ? strchr(text, ']') : strrchr(text, ':');
	const char *port = end;
	size_t len;

	if (text[0] == '[') {
		if (end == NULL)
			return false;
		text++;
		port = end + 1;
		if (*port != '\0' && *port != ':')
			return false;
	} else if (end == NULL || strchr(text, ':') != end) { /* no port: a name, or an address of IPv6 */
		end = port = text + strlen(text);
	}
	len = (size_t)(end - text);
	if (len == 0 || len >= HOST_PORT_MAX)
		return false;
	memcpy(host, text, len);
	host[len] = '\0';
	if (*port == ':')
		*ret_port = port + 1;
	return true;
}

struct ip_endpoint host_port_endpoint(const struct addrinfo *info)
{
	struct ip_endpoint endpoint = { .port = 0 };
	char host[NI_MAXHOST], port[NI_MAXSERV];

	if (getnameinfo(info->ai_addr, info->ai_addrlen, host, sizeof(host), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV) == 0 &&
	    ip_addr_parse(host, strlen(host), &endpoint.addr) == 0)
		endpoint.port = (uint16_t)strtoul(port, NULL, 10);
	return endpoint;
}
