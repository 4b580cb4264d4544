/* How long the DNS says that an answer about a name is good. */
#ifndef ATTLSD_GATEWAY_HOST_NAME_TTL_H
#define ATTLSD_GATEWAY_HOST_NAME_TTL_H

#include <stdint.h>

/*
 * Seconds: the shortest TTL (RFC 1035 3.2.1) of the records that lead from the name to its
 * addresses. 0: unknown, since the name is not from the DNS, or no server has answered. It
 * may take a few seconds.
 */
uint32_t name_ttl(const char *name);

#endif
