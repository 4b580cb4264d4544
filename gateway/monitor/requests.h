/*
 * The messages of workers, each of which may have been taken over. Belongs to
 * the monitor.
 */
#ifndef ATTLSD_GATEWAY_MONITOR_REQUESTS_H
#define ATTLSD_GATEWAY_MONITOR_REQUESTS_H

#include <stddef.h>
#include <stdint.h>

#include "gateway/base/msg.h"
#include "gateway/monitor/admission.h"
#include "gateway/monitor/children.h"
#include "gateway/monitor/privileged.h"

/* What a message can read and change, besides its worker and that worker's policy. */
struct requests {
	struct admission *admission;
	struct privileged *privileged;
};

/*
 * Carry out what a worker asks for. Returns NULL, or the reason for which the
 * caller has to kill it: it asked for what its sessions do not permit, say.
 */
const char *request_take(const struct requests *requests, struct child *child, const struct msg *msg,
			 uint64_t now_ms);

/* The worker has died: forget its sessions. Returns how many it had. */
size_t request_forget_worker(const struct requests *requests, const struct child *child);

#endif
