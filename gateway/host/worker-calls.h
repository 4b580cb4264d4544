/*
 * The system calls that a worker may make after its start. The numbers of its first
 * descriptors are here, too, since the filter names them.
 */
#ifndef ATTLSD_GATEWAY_HOST_WORKER_CALLS_H
#define ATTLSD_GATEWAY_HOST_WORKER_CALLS_H

#include <stdbool.h>

enum {
	WORKER_CHANNEL_FD = 3,
	WORKER_REPORTS_FD,
	WORKER_DOORBELL_FD,
	WORKER_KEY_FD,
	WORKER_ROOT_FD,
	WORKER_AUDIT_FD,
	WORKER_XFERLOG_FD,
	WORKER_GSSAPI_FD
};

/*
 * Install the filter. ktls: allow the calls for TLS in the kernel. dials: allow
 * connect(); without it, the worker has only the connections that the monitor gives
 * it. Returns 0 or a negative errno.
 */
int worker_calls_filter(bool ktls, bool dials);

#endif
