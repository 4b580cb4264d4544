/* Who may read: names by which a client may ask, and the token. */
#ifndef ATTLSD_GATEWAY_HTTP_ACCESS_H
#define ATTLSD_GATEWAY_HTTP_ACCESS_H

#include <stdbool.h>

#include "gateway/base/http-setup.h"
#include "gateway/host/http-token.h"
#include "policy/ip.h"

struct access {
	const struct http_setup *setup;
	char token[HTTP_TOKEN_MAX + 1]; /* padded with zeroes; "": none is needed */
};

/*
 * May a client at this address of ours ask for this Host (RFC 9110 7.2; NULL: it named none,
 * as in HTTP/1.0)? A browser names the host of the page's address, so a page from elsewhere
 * cannot read what is here through a name that it has pointed at us (DNS rebinding).
 */
bool access_host_is_ours(const struct access *access, const char *host, const struct ip_endpoint *local);

/* Does this value of Authorization (NULL: none) show the token? In constant time. */
bool access_is_granted(const struct access *access, const char *authorization);

#endif
