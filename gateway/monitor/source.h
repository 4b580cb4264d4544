/*
 * The client behind a load balancer has come to light: the monitor's part of
 * the PROXY protocol, which is to count it.
 */
#ifndef ATTLSD_GATEWAY_MONITOR_SOURCE_H
#define ATTLSD_GATEWAY_MONITOR_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/monitor/admission.h"
#include "gateway/monitor/children.h"

/*
 * Answer a MSG_SESSION_SOURCE: may this client have one session more? False: the
 * session is not the worker's, or its source is known.
 */
bool request_admission(struct admission *admission, struct child *child, const struct msg *msg,
		       uint64_t now_ms);

#endif
