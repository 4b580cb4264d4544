/*
 * The capabilities that attlsd needs, one table for the monitor, which keeps them and
 * no more, and for attlsctl doctor, which looks for them.
 */
#ifndef ATTLSD_GATEWAY_HOST_CAPABILITIES_H
#define ATTLSD_GATEWAY_HOST_CAPABILITIES_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/policy.h"

struct capability {
	unsigned number; /* CAP_... */
	const char *name, *purpose;
	bool required; /* attlsd does not start without it */
	bool by_root;  /* only root can use it */
	bool (*wanted)(const struct policy *policy);
};

#define CAPABILITIES 8
extern const struct capability capabilities[CAPABILITIES];

/*
 * Find the next capability, from *at on, that this process lacks and needs for the
 * policy. Returns it and moves *at past it, or NULL if no other is missing.
 */
const struct capability *capabilities_missing(const struct policy *policy, size_t *at);

/* Can capabilities be read at all? */
bool capabilities_known(void);

/* Does this process have CAP_NET_ADMIN? */
bool capabilities_have_net_admin(void);

/*
 * Keep those of the table that are there, CAP_NET_ADMIN only with net_admin, and give
 * up all others for good. Returns 0 or a negative errno.
 */
int capabilities_drop(bool net_admin);

/*
 * Have the next program that this process executes keep those of the table that are there,
 * although it does not run as root.
 */
void capabilities_pass_on(void);

#endif
