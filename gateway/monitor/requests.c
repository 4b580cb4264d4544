/*
 * Carries out the messages of workers: sessions that have logged in or ended,
 * admission of clients behind a load balancer, and requests that need privileges. A
 * worker may be under an attacker's control, so one table says what it may ask for,
 * and the monitor judges each request by what it knows itself.
 */
#include "gateway/monitor/requests.h"

#include <errno.h>

#include "gateway/base/log.h"
#include "gateway/base/util.h"

static const char odd_message[] = "odd-message";

struct request {
	const struct requests *from;
	struct child *child;
	const struct msg *msg;
	struct admission_facts facts; /* of its session, if the table says that the request needs one */
	uint64_t now_ms;
};

/* Returns what request_take() returns. */
typedef const char *request_fn(const struct request *request);

static const char *odd_unless(bool ok)
{
	return ok ? NULL : odd_message;
}

static const char *worker_ready(const struct request *request)
{
	if (request->child->ready)
		return odd_message;
	request->child->ready = true;
	return NULL;
}

void request_login_go(void *worker, uint64_t session, bool others_wait)
{
	struct child *child = worker;
	struct msg answer = { .type = MSG_LOGIN_GO, .session = session, .others_wait = others_wait };

	/* if the answer is lost, the session times out */
	(void)msg_send(child->channel.fd, &answer, -1);
}

static const char *session_login(const struct request *request)
{
	if (!admission_login(request->from->admission, request->msg->session, request->child))
		return odd_message;
	login_queue_over(request->from->logins, request->msg->session);
	return NULL;
}

/* Whose login is tried? NULL: a client that the worker has not named yet. */
static const struct ip_addr *key_of(const struct request *request)
{
	return admission_session_key(request->from->admission, request->msg->session, request->child);
}

static const char *login_ask(const struct request *request)
{
	const struct ip_addr *key = key_of(request);

	return odd_unless(key != NULL && login_queue_ask(request->from->logins, request->msg->session,
							 request->child, key, request->msg->delay_ms));
}

static const char *login_over(const struct request *request)
{
	login_queue_over(request->from->logins, request->msg->session);
	return NULL;
}

static const char *login_failed(const struct request *request)
{
	const struct ip_addr *key = key_of(request);

	if (key == NULL)
		return odd_message;
	login_queue_failed(request->from->logins, request->msg->session, key);
	return NULL;
}

/* May this client of a load balancer have one more session? */
static const char *session_source(const struct request *request)
{
	struct admission *admission = request->from->admission;
	const struct msg *msg = request->msg;
	const struct policy_daemon *limits = &request->child->generation->policy->daemon;
	const struct ip_addr *source = &msg->remote.addr;
	struct msg answer = { .type = MSG_SESSION_ADMITTED, .session = msg->session };
	const char *limit = "no-memory";
	char text[IP_TEXT_MAX];
	int r = admission_source(admission, limits, msg->session, request->child, source, &limit);

	if (r == -ENOENT) /* its source is known already */
		return odd_message;
	if (r == 0) {
		const struct ip_addr key = admission_key(source);

		answer.failures = login_queue_failures(request->from->logins, &key);
	} else {
		answer.type = MSG_SESSION_REFUSED;
		log_event(LOG_LEVEL_INFO, "refused", LOG_NUMBER("session", msg->session),
			  LOG_TEXT("client", ip_endpoint_format(&msg->remote, text)),
			  LOG_TEXT("reason", limit));
	}
	/* if the answer is lost, the session times out */
	(void)msg_send(request->child->channel.fd, &answer, -1);
	return NULL;
}

static const char *session_end(const struct request *request)
{
	uint64_t session = request->msg->session;

	/* cannot fail: the facts were found */
	(void)admission_leave(request->from->admission, session, request->child);
	login_queue_over(request->from->logins, session);
	privileged_session_end(request->from->privileged, session);
	request->child->nsessions--;
	return NULL;
}

static const char *use_privileges(const struct request *request)
{
	const struct policy *policy = request->child->generation->policy;
	const char *reason = NULL;
	struct msg answer;
	int fd = -1;

	if (!privileged_request(request->from->privileged, policy, &request->facts, request->msg, &answer,
				&fd))
		return odd_message;
	if (answer.type != MSG_NONE && msg_send(request->child->channel.fd, &answer, fd) < 0)
		reason = "does-not-listen"; /* it asks, but does not read the answers */
	fd_close(&fd);
	return reason;
}

/* What a worker may ask for. The rows of all other types are empty, and refuse. */
static const struct {
	bool needs_session; /* and it must be a session of this worker */
	request_fn *carry_out;
} table[MSG_TYPE_COUNT] = {
	[MSG_READY] = { false, worker_ready },	       [MSG_LOGIN_FAILED] = { true, login_failed },
	[MSG_SESSION_LOGIN] = { true, session_login }, [MSG_SESSION_SOURCE] = { true, session_source },
	[MSG_SESSION_END] = { true, session_end },     [MSG_SOCKET] = { true, use_privileges },
	[MSG_ANNOUNCE] = { true, use_privileges },     [MSG_WITHDRAW] = { true, use_privileges },
	[MSG_LOGIN_ASK] = { true, login_ask },	       [MSG_LOGIN_OVER] = { true, login_over },
};

const char *request_take(const struct requests *requests, struct child *child, const struct msg *msg,
			 uint64_t now_ms)
{
	struct request request = { .from = requests, .child = child, .msg = msg, .now_ms = now_ms };

	if (msg->type >= MSG_TYPE_COUNT || table[msg->type].carry_out == NULL)
		return odd_message;
	if (table[msg->type].needs_session &&
	    !admission_facts(requests->admission, msg->session, child, &request.facts))
		return odd_message;
	return table[msg->type].carry_out(&request);
}

static void forget_session(void *context, uint64_t session)
{
	const struct requests *requests = context;

	privileged_session_end(requests->privileged, session);
	login_queue_over(requests->logins, session);
}

size_t request_forget_worker(const struct requests *requests, const struct child *child)
{
	struct requests context = *requests;

	return admission_leave_all(requests->admission, child, forget_session, &context);
}
