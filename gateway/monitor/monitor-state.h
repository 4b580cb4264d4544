/*
 * The state of the monitor, for its two halves: reload.c brings policies into force,
 * monitor.c does the rest.
 */
#ifndef ATTLSD_GATEWAY_MONITOR_MONITOR_STATE_H
#define ATTLSD_GATEWAY_MONITOR_MONITOR_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/loop.h"
#include "gateway/monitor/acceptor.h"
#include "gateway/monitor/admission.h"
#include "gateway/monitor/audit-source.h"
#include "gateway/monitor/children.h"
#include "gateway/monitor/ctl-server.h"
#include "gateway/monitor/ending.h"
#include "gateway/monitor/http-child.h"
#include "gateway/monitor/listen.h"
#include "gateway/monitor/login-queue.h"
#include "gateway/monitor/name-watch.h"
#include "gateway/monitor/notify.h"
#include "gateway/monitor/policy-load.h"
#include "gateway/monitor/privileged.h"
#include "gateway/monitor/requests.h"
#include "gateway/monitor/signals.h"
#include "gateway/monitor/ticket-source.h"

struct monitor {
	struct loop loop;
	const char *path;
	struct signals signals;
	struct acceptor acceptor;
	struct timer renewal; /* reload: the running generation cannot replace one of its processes */
	struct ending ending;
	struct policy_load load;
	struct children children;
	struct ticket_source tickets;
	struct name_watch names;
	struct generation *current;
	struct generation *coming; /* a reload's, until its workers are ready */
	struct listener_set listeners;
	struct listener_set coming_listeners;
	struct admission admission;
	struct login_queue logins;
	struct privileged privileged;
	struct client_table clients;
	struct requests requests;
	struct ctl_server ctl_server;
	struct http_child http;
	struct audit_source audit;
	struct notify notify;
	struct answer_gateway facts;	 /* for operators; describe() fills in what changes */
	uint64_t started_ms, current_ms; /* when attlsd started, and when the current generation took over */
	const char *cause;		 /* of the load under way: "start", "reload" or "names" */
	bool stopping;
	int status;
};

#endif
