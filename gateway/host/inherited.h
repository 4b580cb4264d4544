/*
 * What a process inherits from whoever starts it.
 */
#ifndef ATTLSD_GATEWAY_HOST_INHERITED_H
#define ATTLSD_GATEWAY_HOST_INHERITED_H

/*
 * Set signals, timers, umask, descriptors, soft limits and the environment to what
 * attlsd relies on. Call it first: it closes all descriptors above 2. Returns 0 or a
 * negative errno.
 */
int inherited_reset(void);

#endif
