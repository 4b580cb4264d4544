/*
 * Carries out the messages of workers: sessions that have logged in or ended,
 * admission of clients behind a load balancer, and requests that need privileges. A
 * worker may be under an attacker's control, so one table says what it may ask for,
 * and the monitor judges each request by what it knows itself.
 */
#include "gateway/monitor/requests.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "gateway/base/counters.h"
#include "gateway/base/log.h"
#include "gateway/base/util.h"
#include "gateway/host/bounded-close.h"
#include "gateway/monitor/child-pick.h"

/* Reasons to kill a worker, for the log. */
static const char unknown_message[] = "unknown-message", not_its_session[] = "not-its-session",
		  no_client[] = "client-not-named", not_its_backend[] = "not-its-backend";

struct request {
	const struct requests *from;
	struct child *child;
	const struct msg *msg;
	struct admission_facts facts; /* of its session, if the table says that the request needs one */
	uint64_t now_ms;
};

/* Returns what request_take() returns. */
typedef const char *request_fn(const struct request *request);

static const char *worker_ready(const struct request *request)
{
	if (request->child->ready)
		return "ready-twice";
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

void request_login_checked(void *worker, uint64_t session, enum login_verdict verdict, const char *why,
			   const struct login_answer *answer)
{
	static const int errors[] = {
		[LOGIN_NO_ANSWER] = -EIO, [LOGIN_ALLOWED] = 0, [LOGIN_DENIED] = -EACCES
	};
	struct child *child = worker;
	struct msg msg = { .type = MSG_LOGIN_CHECKED, .session = session, .error = errors[verdict] };

	if (verdict == LOGIN_DENIED)
		msg.login_answer = *answer;
	else if (verdict == LOGIN_NO_ANSWER)
		(void)memccpy(msg.login_answer.text, why, '\0', sizeof(msg.login_answer.text) - 1);
	/* if the answer is lost, the session times out */
	(void)msg_send(child->channel.fd, &msg, -1);
}

/*
 * Which rule has the session? Behind a load balancer the monitor knows the client, but not the
 * address that it has dialled: there the worker says which one it is. NULL: it cannot be this one.
 */
static const struct policy_rule *rule_of(const struct request *request)
{
	const struct policy *policy = request->child->generation->policy;
	const struct policy_rule *rule;

	if (request->msg->purpose >= policy->nrules || request->facts.listener >= policy->nlisteners)
		return NULL;
	rule = &policy->rules[request->msg->purpose];
	if (policy->listeners[request->facts.listener].nproxies == 0 &&
	    privileged_rule(policy, &request->facts) != rule)
		return NULL;
	return rule->ftp->login_check != NULL ? rule : NULL;
}

static const char *login_check(const struct request *request)
{
	const struct policy_rule *rule = rule_of(request);
	char client[IP_TEXT_MAX];
	struct login_facts facts = { .session = request->msg->session };

	if (rule == NULL)
		return "no-login-check";
	if (request->facts.client.family == IP_NONE)
		return no_client;
	facts.client = ip_addr_format(&request->facts.client, client);
	facts.listener = request->child->generation->policy->listeners[request->facts.listener].name;
	facts.rule = rule->name;
	facts.backend = rule->backend->name;
	return login_checks_take(request->from->login_checks, request->child, &facts, rule->ftp->login_check,
				 &request->msg->login_part);
}

static const char *session_login(const struct request *request)
{
	if (!admission_login(request->from->admission, request->msg->session, request->child))
		return request->facts.logged_in ? "logged-in-twice" : no_client;
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

	if (key == NULL)
		return no_client;
	return login_queue_ask(request->from->logins, request->msg->session, request->child, key,
			       request->msg->delay_ms)
		   ? NULL
		   : "asked-twice";
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
		return no_client;
	login_queue_failed(request->from->logins, request->msg->session, key);
	return NULL;
}

/* Tell the worker whether a session that came through a load balancer may stay. */
static void answer_admission(const struct request *request, int r, const char *limit,
			     const struct ip_endpoint *client, uint32_t failures)
{
	struct msg answer = { .type = r == 0 ? MSG_SESSION_ADMITTED : MSG_SESSION_REFUSED,
			      .session = request->msg->session,
			      .failures = failures };
	char text[IP_TEXT_MAX];

	if (r < 0)
		count(REFUSED, count_value(COUNT_LABEL_LIMIT, limit), 1);
	if (r < 0)
		log_event(LOG_LEVEL_WARNING, "refused", LOG_NUMBER("session", request->msg->session),
			  LOG_TEXT("client", ip_endpoint_format(client, text)), LOG_TEXT("rule", "none"),
			  LOG_TEXT("reason", limit));
	/* if the answer is lost, the session times out */
	(void)msg_send(request->child->channel.fd, &answer, -1);
}

/* May this client of a load balancer have one more session? */
static const char *session_source(const struct request *request)
{
	struct admission *admission = request->from->admission;
	const struct msg *msg = request->msg;
	const struct policy_daemon *limits = &request->child->generation->policy->daemon;
	const struct ip_addr *source = &msg->remote.addr;
	const char *limit = "no-memory";
	uint32_t failures = 0;
	int r = admission_source(admission, limits, msg->session, request->child, source, &limit);

	if (r == -ENOENT) /* its source is known already */
		return "client-named-twice";
	if (r == 0) {
		const struct ip_addr key = admission_key(source);

		failures = login_queue_failures(request->from->logins, &key);
	}
	answer_admission(request, r, limit, &msg->remote, failures);
	return NULL;
}

/* May this load balancer examine the gateway now? */
static const char *session_probe(const struct request *request)
{
	const char *limit = NULL;
	int r = admission_probe(request->from->admission, request->msg->session, request->child, &limit);

	if (r == -ENOENT)
		return "client-named-twice";
	answer_admission(request, r, limit, &request->facts.remote, 0);
	return NULL;
}

static const char *session_end(const struct request *request)
{
	uint64_t session = request->msg->session;

	client_table_add(request->from->clients, key_of(request), request->facts.logged_in,
			 &request->msg->habits, (uint64_t)time(NULL));
	/* cannot fail: the facts were found */
	(void)admission_leave(request->from->admission, session, request->child);
	login_queue_over(request->from->logins, session);
	login_checks_forget(request->from->login_checks, session);
	privileged_session_end(request->from->privileged, session);
	data_share_session_end(request->from->share, session);
	backends_session_end(request->from->backends, session);
	request->child->nsessions--;
	return NULL;
}

static const char *data_plan(const struct request *request)
{
	if (request->facts.client.family == IP_NONE)
		return no_client;
	return data_share_request(request->from->share, request->child, &request->facts, request->msg);
}

static const char *audit_failed(const struct request *request)
{
	audit_source_failed(request->from->audit, request->child->pid);
	return NULL;
}

static const char *use_privileges(const struct request *request)
{
	const struct policy *policy = request->child->generation->policy;
	struct msg answer;
	int fd = -1;
	const struct policy_rule *rule = privileged_rule(policy, &request->facts);
	const struct policy_server *server = NULL;
	const char *reason;

	if (rule != NULL && rule->backend->balanced)
		server = backends_server_of(request->from->backends, rule->backend, request->msg->session);
	reason = privileged_request(request->from->privileged, policy, &request->facts, server, request->msg,
				    &answer, &fd);

	if (reason != NULL)
		return reason;
	if (answer.type != MSG_NONE && msg_send(request->child->channel.fd, &answer, fd) < 0)
		reason = "does-not-listen"; /* it asks, but does not read the answers */
	bounded_close(&fd);
	return reason;
}

/*
 * Which backend is meant? The rule says so. Behind a load balancer the monitor does not know
 * the client, and so not the rule: then it may be any. NULL: not this one.
 */
static const struct policy_backend *backend_of(const struct request *request)
{
	const struct policy *policy = request->child->generation->policy;
	const struct policy_rule *rule = privileged_rule(policy, &request->facts);
	const struct policy_backend *backend;

	if (request->msg->serial >= policy->nbackends || request->facts.listener >= policy->nlisteners)
		return NULL;
	backend = &policy->backends[request->msg->serial];
	if (policy->listeners[request->facts.listener].nproxies == 0 &&
	    (rule == NULL || rule->backend != backend))
		return NULL;
	return backend->balanced ? backend : NULL;
}

static const char *server_ask(const struct request *request)
{
	const struct policy_backend *backend = backend_of(request);
	const struct backend_wish wish = { .session = request->msg->session,
					   .key = key_of(request),
					   .only = request->msg->purpose,
					   .anew = request->msg->active != 0 };
	struct msg answer = { .type = MSG_SERVER, .session = request->msg->session };
	int r;

	if (backend == NULL)
		return not_its_backend;
	/* without a map, a session stays with its server */
	if (wish.only > backend->nservers || (backend->server_map == NULL && (wish.only != 0 || wish.anew)))
		return "has-no-such-server";
	r = backends_choose(request->from->backends, backend, &wish, request->now_ms, &answer.others_wait);
	if (r == -EEXIST)
		return "has-a-server";
	answer.error = r < 0 ? r : 0;
	answer.serial = r < 0 ? 0 : (uint32_t)r;
	/* if the answer is lost, the session times out */
	(void)msg_send(request->child->channel.fd, &answer, -1);
	return NULL;
}

static const char *server_result(const struct request *request)
{
	const struct policy_backend *backend = backend_of(request);
	const struct backend_witness witness = { .worker = request->child->pid,
						 .others =
						     generation_others_report(request->child->generation),
						 .now_ms = request->now_ms };

	if (backend == NULL)
		return not_its_backend;
	if (!backends_report(request->from->backends, backend, request->msg->session,
			     (enum server_failure)request->msg->failure, &witness))
		return "has-no-such-server";
	if (request->msg->failure != SERVER_FAILURE_NONE)
		checks_hurry(request->from->checks);
	return NULL;
}

static const char *check_result(const struct request *request)
{
	const struct backend_witness witness = { .worker = request->child->pid,
						 .others =
						     generation_others_report(request->child->generation),
						 .now_ms = request->now_ms };

	checks_take(request->from->checks, request->msg->serial, (enum server_failure)request->msg->failure,
		    &witness);
	return NULL; /* one that came too late is no offence */
}

/* The fields of a message, besides its type. */
enum {
	FIELD_SESSION = 1 << 0,
	FIELD_DELAY = 1 << 1,
	FIELD_PURPOSE = 1 << 2,
	FIELD_SERIAL = 1 << 3,
	FIELD_ACTIVE = 1 << 4,
	FIELD_REMOTE = 1 << 5,
	FIELD_LOCAL = 1 << 6,
	FIELD_HABITS = 1 << 7,
	FIELD_FAILURE = 1 << 8,
};

/* What a worker may ask for, and with which fields. The rows of all other types are empty, and refuse. */
static const struct {
	unsigned fields; /* FIELD_SESSION: it must be a session of this worker */
	request_fn *carry_out;
} table[MSG_TYPE_COUNT] = {
	[MSG_READY] = { 0, worker_ready },
	[MSG_LOGIN_ASK] = { FIELD_SESSION | FIELD_DELAY, login_ask },
	[MSG_LOGIN_CHECK] = { FIELD_SESSION | FIELD_PURPOSE, login_check },
	[MSG_LOGIN_OVER] = { FIELD_SESSION, login_over },
	[MSG_LOGIN_FAILED] = { FIELD_SESSION, login_failed },
	[MSG_SESSION_LOGIN] = { FIELD_SESSION, session_login },
	[MSG_SESSION_SOURCE] = { FIELD_SESSION | FIELD_REMOTE, session_source },
	[MSG_SESSION_PROBE] = { FIELD_SESSION, session_probe },
	[MSG_SERVER_ASK] = { FIELD_SESSION | FIELD_SERIAL | FIELD_PURPOSE | FIELD_ACTIVE, server_ask },
	[MSG_SERVER_FAILED] = { FIELD_SESSION | FIELD_SERIAL | FIELD_FAILURE, server_result },
	[MSG_SERVER_WORKS] = { FIELD_SESSION | FIELD_SERIAL, server_result },
	[MSG_CHECK_FAILED] = { FIELD_SERIAL | FIELD_FAILURE, check_result },
	[MSG_CHECK_WORKS] = { FIELD_SERIAL, check_result },
	[MSG_SESSION_END] = { FIELD_SESSION | FIELD_HABITS, session_end },
	[MSG_SOCKET] = { FIELD_SESSION | FIELD_PURPOSE | FIELD_SERIAL | FIELD_REMOTE | FIELD_LOCAL,
			 use_privileges },
	[MSG_ANNOUNCE] = { FIELD_SESSION | FIELD_SERIAL | FIELD_ACTIVE | FIELD_REMOTE | FIELD_LOCAL,
			   use_privileges },
	[MSG_PLAN] = { FIELD_SESSION | FIELD_PURPOSE | FIELD_SERIAL, data_plan },
	[MSG_PLAN_OVER] = { FIELD_SESSION | FIELD_SERIAL, data_plan },
	[MSG_PLAN_KEPT] = { FIELD_SESSION | FIELD_SERIAL, data_plan },
	[MSG_AUDIT_FAILED] = { 0, audit_failed },
	[MSG_WITHDRAW] = { FIELD_SESSION, use_privileges },
};

static bool is_empty(const struct ip_endpoint *endpoint)
{
	return endpoint->addr.family == IP_NONE && endpoint->port == 0;
}

static bool is_address(const struct ip_addr *addr)
{
	static const uint8_t zeros[sizeof(addr->bytes)];

	return addr->family == IP_V6 ||
	       (addr->family == IP_V4 && memcmp(addr->bytes + 4, zeros, sizeof(zeros) - 4) == 0);
}

/* Returns NULL, or what is wrong with the form of a message that may have these fields. */
static const char *why_malformed(const struct msg *msg, unsigned fields)
{
	const struct {
		unsigned field; /* 0: no worker sets it */
		bool is_set, is_well_formed;
	} looks[] = {
		{ 0, msg->listener != 0 || msg->failures != 0 || msg->others_wait != 0 || msg->error != 0,
		  true },
		{ FIELD_SESSION, msg->session != 0, true },
		{ FIELD_DELAY, msg->delay_ms != 0, true },
		{ FIELD_PURPOSE, msg->purpose != 0, true },
		{ FIELD_SERIAL, msg->serial != 0, true },
		{ FIELD_FAILURE, msg->failure != 0, msg->failure > 0 && msg->failure < SERVER_FAILURES },
		{ FIELD_ACTIVE, msg->active != 0, msg->active <= 1 },
		{ FIELD_REMOTE, !is_empty(&msg->remote),
		  is_empty(&msg->remote) ? msg->type == MSG_SOCKET : is_address(&msg->remote.addr) },
		{ FIELD_LOCAL, !is_empty(&msg->local), is_address(&msg->local.addr) },
		/* of other types, nobody reads it */
		{ FIELD_HABITS, false, (fields & FIELD_HABITS) == 0 || habits_are_sound(&msg->habits) },
	};

	for (size_t i = 0; i < NELEM(looks); i++) {
		if ((fields & looks[i].field) == 0 ? looks[i].is_set : !looks[i].is_well_formed)
			return (fields & looks[i].field) == 0 ? "unexpected-field" : "malformed-field";
	}
	return NULL;
}

const char *request_take(const struct requests *requests, struct child *child, const struct msg *msg,
			 uint64_t now_ms)
{
	struct request request = { .from = requests, .child = child, .msg = msg, .now_ms = now_ms };
	const char *why;

	if (msg->type >= MSG_TYPE_COUNT || table[msg->type].carry_out == NULL)
		return unknown_message;
	why = why_malformed(msg, table[msg->type].fields);
	if (why != NULL)
		return why;
	if ((table[msg->type].fields & FIELD_SESSION) != 0 &&
	    !admission_facts(requests->admission, msg->session, child, &request.facts))
		return not_its_session;
	return table[msg->type].carry_out(&request);
}

static void forget_session(void *context, uint64_t session)
{
	const struct requests *requests = context;

	privileged_session_end(requests->privileged, session);
	data_share_session_end(requests->share, session);
	backends_session_end(requests->backends, session);
	login_queue_over(requests->logins, session);
	login_checks_forget(requests->login_checks, session);
}

size_t request_forget_worker(const struct requests *requests, const struct child *child)
{
	struct requests context = *requests;

	data_share_forget_worker(requests->share, child);
	return admission_leave_all(requests->admission, child, forget_session, &context);
}
