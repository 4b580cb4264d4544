/*
 * Decides who may read. The token is compared in constant time, and the Host against the
 * few names that the policy knows: everything else is refused.
 */
#include "gateway/http/access.h"

#include <string.h>
#include <strings.h>

#define HOST_MAX 260 /* a name, brackets and a port */

/* Cut off ":port". Returns false if that is not a port, or not ours. */
static bool cut_port(char *host, uint16_t port)
{
	char *colon = strrchr(host, ':');
	unsigned given = 0;

	if (colon == NULL || strchr(colon, ']') != NULL)
		return true; /* the default port: a proxy may stand before us */
	if (colon[1] == '\0' || strlen(colon + 1) > 5)
		return false;
	for (const char *c = colon + 1; *c != '\0'; c++) {
		if (*c < '0' || *c > '9')
			return false;
		given = given * 10 + (unsigned)(*c - '0');
	}
	*colon = '\0';
	return given == port || port == 0;
}

static bool is_local(const char *host, const struct ip_addr *local)
{
	size_t len = strlen(host);
	bool brackets = len > 2 && host[0] == '[' && host[len - 1] == ']';
	struct ip_addr addr;

	if (brackets != (strchr(host, ':') != NULL) ||
	    ip_addr_parse(brackets ? host + 1 : host, brackets ? len - 2 : len, &addr) < 0)
		return false;
	return ip_addr_equal(&addr, local);
}

bool access_host_is_ours(const struct access *access, const char *host, const struct ip_endpoint *local)
{
	char name[HOST_MAX];
	size_t len;

	if (access->setup->is_unix || host == NULL)
		return true;
	len = strlen(host);
	if (len == 0 || len >= sizeof(name))
		return false;
	memcpy(name, host, len + 1);
	for (uint32_t i = 0; i < access->setup->nhosts; i++) {
		size_t known = strlen(access->setup->hosts[i]);

		/* with any port: it may be translated on the way, as the address may be */
		if (strncasecmp(name, access->setup->hosts[i], known) == 0 &&
		    (name[known] == '\0' || name[known] == ':'))
			return true;
	}
	return cut_port(name, local->port) &&
	       (strcasecmp(name, "localhost") == 0 || is_local(name, &local->addr));
}

bool access_is_granted(const struct access *access, const char *authorization)
{
	static const char scheme[] = "Bearer ";
	char shown[HTTP_TOKEN_MAX + 1] = "";
	volatile unsigned char differs = 0;
	size_t len;

	if (access->token[0] == '\0')
		return true;
	if (authorization == NULL || strncasecmp(authorization, scheme, sizeof(scheme) - 1) != 0)
		return false;
	authorization += sizeof(scheme) - 1;
	authorization += strspn(authorization, " ");
	len = strlen(authorization);
	if (len > HTTP_TOKEN_MAX)
		return false;
	memcpy(shown, authorization, len);
	for (size_t i = 0; i < sizeof(shown); i++)
		differs |= (unsigned char)(shown[i] ^ access->token[i]);
	explicit_bzero(shown, sizeof(shown));
	return differs == 0;
}
