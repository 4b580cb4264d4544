/* Servers as users name them on a command line. */
#ifndef ATTLSD_GATEWAY_CTL_HOST_PORT_H
#define ATTLSD_GATEWAY_CTL_HOST_PORT_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/ip.h"

struct addrinfo;

#define HOST_PORT_MAX 256 /* of a host, with its NUL */

/*
 * Split HOST, HOST:PORT, ADDRESS or [ADDRESS]:PORT. *ret_port is a part of the text, and stays as it
 * is if there is no port. Returns false for any other text.
 */
bool host_port_split(const char *text, char host[static HOST_PORT_MAX], const char **ret_port);

/* One result of getaddrinfo(); family IP_NONE: it is no IP address. */
struct ip_endpoint host_port_endpoint(const struct addrinfo *info);

#endif
