/* What explain says about the server map of a backend. */
#ifndef ATTLSD_GATEWAY_CTL_EXPLAIN_MAP_H
#define ATTLSD_GATEWAY_CTL_EXPLAIN_MAP_H

#include "gateway/ctl/explain-json.h"
#include "gateway/tls/identity.h"

/* Complete maker->setup, as a session does. */
void explain_map_setup(struct explain_maker *maker, const struct policy_backend *backend);

/* The entry that decides about this client. */
json_t *explain_map(struct explain_maker *maker, const struct policy_backend *backend,
		    const struct identity *identity);

#endif
