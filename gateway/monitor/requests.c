/*
 * What a worker asks of the monitor: which of its sessions have logged in or
 * ended, whether a client behind a load balancer may come in, and what takes
 * privileges. A worker may have been taken over, so the monitor judges each
 * request by what it knows itself of the session.
 */
#include "gateway/monitor/requests.h"

#include <errno.h>

#include "gateway/base/log.h"
#include "gateway/base/util.h"

/* What needs privileges: judged by what the monitor knows of the session. */
static bool on_request(const struct requests *requests, struct child *child, const struct msg *msg)
{
	struct admission_facts facts;
	struct msg answer;
	bool permitted;
	int fd = -1;

	if (!admission_facts(requests->admission, msg->session, child, &facts))
		return false;
	permitted =
	    privileged_request(requests->privileged, child->generation->policy, &facts, msg, &answer, &fd);
	if (permitted && answer.type != MSG_NONE && msg_send(child->channel.fd, &answer, fd) < 0)
		child_kill(child, "does-not-listen"); /* it asks more than it takes */
	fd_close(&fd);
	return permitted;
}

/*
 * Answer a MSG_SESSION_SOURCE: may this client have one session more? False: the
 * session is not the worker's, or its source is known.
 */
static bool request_admission(struct admission *admission, struct child *child, const struct msg *msg,
			      uint64_t now_ms)
{
	const struct policy_daemon *limits = &child->generation->policy->daemon;
	const struct ip_addr *source = &msg->remote.addr;
	struct msg answer = { .type = MSG_SESSION_ADMITTED, .session = msg->session };
	const char *limit = "no-memory";
	char text[IP_TEXT_MAX];
	int r = admission_source(admission, limits, msg->session, child, source, &limit);

	if (r == -ENOENT)
		return false;
	if (r == 0) {
		answer.failures = admission_failures(admission, source, now_ms);
	} else {
		answer.type = MSG_SESSION_REFUSED;
		log_event(LOG_LEVEL_INFO, "refused", LOG_NUMBER("session", msg->session),
			  LOG_TEXT("client", ip_endpoint_format(&msg->remote, text)),
			  LOG_TEXT("reason", limit));
	}
	(void)msg_send(child->channel.fd, &answer, -1); /* without an answer the session ends in time */
	return true;
}

static void session_over(const struct requests *requests, struct child *child, uint64_t session)
{
	child->nsessions--;
	privileged_session_end(requests->privileged, session);
}

void request_take(const struct requests *requests, struct child *child, const struct msg *msg,
		  uint64_t now_ms)
{
	bool ok = false;

	if (msg->type == MSG_SESSION_LOGIN)
		ok = admission_login(requests->admission, msg->session, child);
	else if (msg->type == MSG_LOGIN_FAILED)
		ok = admission_login_failed(requests->admission, msg->session, child, now_ms);
	else if (msg->type == MSG_SOCKET || msg->type == MSG_ANNOUNCE || msg->type == MSG_WITHDRAW)
		ok = on_request(requests, child, msg);
	else if (msg->type == MSG_SESSION_SOURCE)
		ok = request_admission(requests->admission, child, msg, now_ms);
	else if (msg->type == MSG_SESSION_END)
		ok = admission_leave(requests->admission, msg->session, child);
	if (!ok)
		child_kill(child, "odd-message");
	else if (msg->type == MSG_SESSION_END)
		session_over(requests, child, msg->session);
}

static void forget_announced(void *context, uint64_t session)
{
	struct privileged *privileged = context;

	privileged_session_end(privileged, session);
}

size_t request_forget_worker(const struct requests *requests, const struct child *child)
{
	return admission_leave_all(requests->admission, child, forget_announced, requests->privileged);
}
