/* From which address a server is dialled. */
#ifndef ATTLSD_POLICY_SOURCE_H
#define ATTLSD_POLICY_SOURCE_H

#include "policy/types.h"

/*
 * The gateway's address toward a server of this family: 0, with IP_NONE if the kernel
 * chooses it, or -EADDRNOTAVAIL if policy gives none of this family.
 */
int policy_source_find(const struct policy_backend *backend, enum ip_family family, struct ip_addr *ret);

#endif
