/* Carries out the messages of workers and trusts none of them. Belongs to the monitor. */
#ifndef ATTLSD_GATEWAY_MONITOR_REQUESTS_H
#define ATTLSD_GATEWAY_MONITOR_REQUESTS_H

#include <stddef.h>
#include <stdint.h>

#include "gateway/base/msg.h"
#include "gateway/monitor/admission.h"
#include "gateway/monitor/audit-source.h"
#include "gateway/monitor/backends.h"
#include "gateway/monitor/checks.h"
#include "gateway/monitor/children.h"
#include "gateway/monitor/client-table.h"
#include "gateway/monitor/data-share.h"
#include "gateway/monitor/login-check.h"
#include "gateway/monitor/login-queue.h"
#include "gateway/monitor/privileged.h"

/* What a message may read and change, besides its worker and that worker's policy. */
struct requests {
	struct admission *admission;
	struct privileged *privileged;
	struct login_queue *logins;
	struct client_table *clients;
	struct audit_source *audit;
	struct data_share *share;
	struct backends *backends;
	struct checks *checks;
	struct login_checks *login_checks;
};

/* Tell a worker (a struct child) what login_check says: for login_checks_init(). */
void request_login_checked(void *worker, uint64_t session, enum login_verdict verdict, const char *why,
			   const struct login_answer *answer);

/* Tell a worker (a struct child) that it is a session's turn to log in: for login_queue_init(). */
void request_login_go(void *worker, uint64_t session, bool others_wait);

/*
 * Carry out what a worker asks for. Returns NULL, or a reason to kill the worker,
 * for example that it asked for something that its sessions do not permit.
 */
const char *request_take(const struct requests *requests, struct child *child, const struct msg *msg,
			 uint64_t now_ms);

/* The worker has died: forget its sessions. Returns how many it had. */
size_t request_forget_worker(const struct requests *requests, const struct child *child);

#endif
