/*
 * What a process inherits from whoever starts it.
 */
#ifndef ATTLSD_GATEWAY_HOST_INHERITED_H
#define ATTLSD_GATEWAY_HOST_INHERITED_H

#include <stddef.h>

/* Sockets of a service manager, as sd_listen_fds_with_names(3) has them. */
#define INHERITED_SOCKETS_MAX 128
#define INHERITED_NAME_MAX    64

struct inherited {
	size_t nsockets; /* the descriptors from 3 on */
	char names[INHERITED_SOCKETS_MAX][INHERITED_NAME_MAX];
	int handover; /* the channel to an attlsd that this one replaces, or -1 */
};

/* The variable that says that descriptor 3 is this channel. Its value is the pid of the process it is for. */
#define INHERITED_HANDOVER "ATTLSD_HANDOVER"

/*
 * Set signals, timers, umask, descriptors, soft limits and the environment to what
 * attlsd relies on. Call it first: it closes all descriptors above 2 but for those in *ret.
 * Returns 0 or a negative errno; -E2BIG: more sockets than attlsd can take.
 */
int inherited_reset(struct inherited *ret);

#endif
