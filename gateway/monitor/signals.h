/* The signals that the monitor acts on, as events of its loop. */
#ifndef ATTLSD_GATEWAY_MONITOR_SIGNALS_H
#define ATTLSD_GATEWAY_MONITOR_SIGNALS_H

#include <stdint.h>

#include "gateway/base/loop.h"

struct signals {
	struct loop *loop;
	struct watch watch;
	void (*fn)(void *owner, uint32_t number);
	void *owner;
};

/*
 * Block SIGCHLD, SIGHUP, SIGTERM and SIGINT, and call fn for each one. A new process calls
 * it again: the descriptor is for the signals of the process that opened it. Returns 0 or
 * a negative errno.
 */
int signals_open(struct signals *signals, struct loop *loop, void (*fn)(void *owner, uint32_t number),
		 void *owner);

void signals_close(struct signals *signals);

#endif
