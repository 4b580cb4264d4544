/*
 * Brings plans and connections together. A worker may be under an attacker's control,
 * so it names only the session and the ftp_action: for whom the session waits, at which
 * of this host's addresses and at which ports, the monitor knows from itself. Behind a
 * load balancer the client is the one that was admitted for the session.
 */
#include "gateway/monitor/data-share.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "gateway/base/audit.h"
#include "gateway/base/counters.h"
#include "gateway/base/log.h"
#include "gateway/base/util.h"
#include "gateway/host/bounded-close.h"
#include "gateway/net/netsock.h"

/* A flood of strangers must not fill the disk. */
#define STRANGERS_PER_S 10
/* The channel of a worker was full: try again after this time. */
#define RETRY_MS 5

struct data_delivery {
	struct child *child;
	struct msg msg;
	int fd; /* -1: none */
	struct data_delivery *next, *prev;
};

static bool has_delivery(const struct data_share *share, const struct child *child)
{
	const struct data_delivery *it;

	DL_FOREACH (share->deliveries, it)
		if (it->child == child)
			return true;
	return false;
}

static bool is_full(int r)
{
	return r == -EAGAIN || r == -ENOBUFS || r == -ENOMEM || r == -ETOOMANYREFS;
}

static void delivery_free(struct data_share *share, struct data_delivery *it)
{
	bounded_close(&it->fd);
	DL_DELETE(share->deliveries, it);
	free(it);
}

/*
 * A session has one plan, so a message takes the place of one of its kind that nobody has read: a
 * worker that plans all the time and never reads costs no more than one that waits.
 */
static void drop_replaced(struct data_share *share, const struct child *child, const struct msg *msg)
{
	struct data_delivery *it, *next;

	DL_FOREACH_SAFE(share->deliveries, it, next)
	if (it->child == child && it->msg.session == msg->session && it->msg.type == msg->type)
		delivery_free(share, it);
}

void data_share_deliver(struct data_share *share, const struct plan_ask *ask, const struct msg *msg, int *fd)
{
	struct child *child = ask->owner;
	struct data_delivery *it;
	int r;

	if (ask->elsewhere) {
		share->to_older(ask->owner, msg, *fd);
		bounded_close(fd);
		return;
	}
	r = has_delivery(share, child) ? -EAGAIN : msg_send(child->channel.fd, msg, *fd);
	if (is_full(r))
		drop_replaced(share, child, msg);
	if (is_full(r) && (it = calloc(1, sizeof(*it))) != NULL) {
		*it = (struct data_delivery){ .child = child, .msg = *msg, .fd = fd_take(fd) };
		DL_APPEND(share->deliveries, it);
		(void)loop_timer(share->loop, &share->retry, RETRY_MS); /* or with the next one */
	}
	bounded_close(fd); /* of a worker that has died, the connection is reset */
}

static void on_retry(struct timer *timer)
{
	struct data_share *share = CONTAINER_OF(timer, struct data_share, retry);
	struct data_delivery *it, *next;
	const struct child *full = NULL;

	DL_FOREACH_SAFE(share->deliveries, it, next)
	{
		if (it->child == full || is_full(msg_send(it->child->channel.fd, &it->msg, it->fd))) {
			full = it->child;
			continue;
		}
		delivery_free(share, it);
	}
	if (share->deliveries != NULL)
		(void)loop_timer(share->loop, timer, RETRY_MS); /* its place is there */
}

void data_share_forget_worker(struct data_share *share, const struct child *child)
{
	struct data_delivery *it, *next;

	DL_FOREACH_SAFE(share->deliveries, it, next)
	if (it->child == child)
		delivery_free(share, it);
}

static void told(void *context, const struct plan_ask *ask, const struct ip_endpoint *port)
{
	struct msg msg = { .type = MSG_PLAN_TOLD, .session = ask->session, .serial = ask->serial };
	int none = -1;

	if (port != NULL)
		msg.local = *port;
	else
		msg.error = -EADDRINUSE;
	data_share_deliver(context, ask, &msg, &none);
}

static void give(void *context, const struct plan_ask *ask)
{
	const struct msg msg = { .type = MSG_PLAN_GIVE, .session = ask->session, .serial = ask->serial };
	int none = -1;

	data_share_deliver(context, ask, &msg, &none);
}

static void look(void *context, struct shared_port *port)
{
	(void)context;
	shared_ports_look(port);
}

static void log_stranger(struct data_share *share, const struct ip_endpoint *peer,
			 const struct ip_endpoint *at, const char *reason)
{
	uint64_t now_s = share->loop->now_ms / 1000;
	char from[IP_TEXT_MAX], to[IP_TEXT_MAX];
	uint64_t unlisted = share->strangers.unlisted;

	count(DATA_PEERS_REFUSED, COUNT_LEG_CLIENT, 1);
	if (now_s != share->strangers.second)
		share->strangers.n = 0;
	share->strangers.second = now_s;
	if (++share->strangers.n > STRANGERS_PER_S) {
		share->strangers.unlisted++;
		return;
	}
	share->strangers.unlisted = 0;
	log_event(LOG_LEVEL_WARNING, "data-peer-refused", LOG_TEXT("peer", ip_endpoint_format(peer, from)),
		  LOG_TEXT("at", ip_endpoint_format(at, to)), LOG_TEXT("reason", reason),
		  LOG_NUMBER(unlisted > 0 ? "unlisted" : "", unlisted));
	audit_event("stranger-refused", AUDIT_TEXT("data_address", ip_addr_format(&peer->addr, from)),
		    AUDIT_NUMBER("data_port", peer->port),
		    AUDIT_TEXT("at_address", ip_addr_format(&at->addr, to)),
		    AUDIT_NUMBER("at_port", at->port), AUDIT_TEXT("reason", reason),
		    AUDIT_NUMBER(unlisted > 0 ? "unlisted" : "", unlisted));
}

static void settle_if_stopping(struct data_share *share)
{
	if (share->stopping)
		data_share_settle(share);
}

static void on_connection(struct shared_port *port, int *fd, const struct ip_endpoint *peer)
{
	struct data_share *share = CONTAINER_OF(port->owner, struct data_share, ports);
	struct ip_endpoint at = port->endpoint;
	enum plan_match match = PLAN_NOBODY;
	struct plan_ask ask;
	struct msg msg = { .type = MSG_PLAN_ARRIVED, .remote = *peer };

	if (!ip_addr_is_any(&at.addr) || netsock_local(*fd, &at) == 0)
		match = data_plans_arrive(&share->plans, port, &peer->addr, &at.addr, &ask);
	if (match != PLAN_FOUND) {
		log_stranger(share, peer, &at, match == PLAN_LATE ? "too-late" : "nobody-waits");
		fd_close(fd); /* which resets it */
		return;
	}
	msg.session = ask.session;
	msg.serial = ask.serial;
	data_share_deliver(share, &ask, &msg, fd);
}

static void on_close(struct shared_port *port)
{
	struct data_share *share = CONTAINER_OF(port->owner, struct data_share, ports);

	data_plans_close_port(&share->plans, port);
}

void data_share_init(struct data_share *share, struct loop *loop, const struct children *children)
{
	const struct plan_calls calls = { told, give, look, share };

	*share = (struct data_share){ .loop = loop, .children = children, .newest = -1 };
	timer_init(&share->retry, on_retry);
	shared_ports_init(&share->ports, loop, on_connection, on_close);
	data_plans_init(&share->plans, loop, &share->ports, &calls);
}

void data_share_done(struct data_share *share)
{
	shared_ports_unmark(&share->ports);
	shared_ports_close_unwanted(&share->ports);
	data_plans_done(&share->plans);
	while (share->deliveries != NULL)
		data_share_forget_worker(share, share->deliveries->child);
}

/*
 * Does policy let this session's client use the shared ports of an ftp_action? Behind a
 * load balancer the monitor does not know the rule: then any rule of the listener will do.
 */
static const char *why_no_plan(const struct policy *policy, const struct admission_facts *facts,
			       uint32_t action)
{
	struct policy_flow flow = { .remote = facts->remote.addr,
				    .local = facts->local.addr,
				    .at_s = facts->began_s };
	const struct policy_listener *listener;
	const struct policy_rule *rule;
	const struct ftp_action *ftp;

	if (facts->listener >= policy->nlisteners)
		return "no-rule";
	if (action >= policy->nftp_actions ||
	    policy->ftp_actions[action].passivedatashare != PASSIVEDATASHARE_SOURCE)
		return "not-in-this-policy";
	if (!facts->logged_in)
		return "before-login";
	flow.listener = listener = &policy->listeners[facts->listener];
	ftp = &policy->ftp_actions[action];
	if (listener->transparent)
		return "transparent";
	if (listener->nproxies == 0) {
		rule = policy_match(policy, &flow);
		return rule != NULL && rule->ftp == ftp ? NULL : "no-rule";
	}
	for (size_t i = 0; i < policy->nrules; i++)
		if (policy->rules[i].ftp == ftp && policy_rule_takes(&policy->rules[i], listener))
			return NULL;
	return "no-rule";
}

/* The longest time for which a session waits for its client. */
static uint64_t limit_ms(const struct ftp_action *ftp)
{
	return (ftp->inacttime_s + 2 * (uint64_t)ftp->datatimeout_s + 60 * (uint64_t)ftp->dswaittime_min +
		60) *
	       1000;
}

static const char *ask(struct data_share *share, struct child *child, const struct admission_facts *facts,
		       const struct msg *msg)
{
	const struct policy *policy = child->generation->policy;
	const char *why = why_no_plan(policy, facts, msg->purpose);
	const struct policy_listener *listener;
	struct plan_ask wish;

	if (why != NULL)
		return why;
	listener = &policy->listeners[facts->listener];
	wish = (struct plan_ask){ .session = msg->session,
				  .serial = msg->serial,
				  .owner = child,
				  .client = facts->client,
				  .host = facts->local.addr,
				  .range = policy->ftp_actions[msg->purpose].passivedataports,
				  .through = listener->proxy_data ? listener : NULL,
				  .limit_ms = limit_ms(&policy->ftp_actions[msg->purpose]) };
	if (share->newest != -1 ? share->to_newest(share->newest, MSG_PLAN, &wish) < 0
				: data_plans_ask(&share->plans, &wish) < 0)
		told(share, &wish, NULL);
	return NULL;
}

const char *data_share_request(struct data_share *share, struct child *child,
			       const struct admission_facts *facts, const struct msg *msg)
{
	const struct plan_ask plan = { .session = msg->session, .serial = msg->serial };
	const char *why = NULL;

	if (share->newest != -1 && msg->type != MSG_PLAN) {
		/* if it fails, the plan there gets old */
		(void)share->to_newest(share->newest, (enum msg_type)msg->type, &plan);
		return NULL;
	}
	switch (msg->type) {
	case MSG_PLAN:
		why = ask(share, child, facts, msg);
		break;
	case MSG_PLAN_OVER:
		data_plans_end(&share->plans, msg->session, msg->serial);
		break;
	case MSG_PLAN_KEPT:
		data_plans_keep(&share->plans, msg->session, msg->serial);
		break;
	default:
		why = "unknown-message";
		break;
	}
	settle_if_stopping(share);
	return why;
}

void data_share_session_end(struct data_share *share, uint64_t session)
{
	const struct plan_ask plan = { .session = session };

	if (share->newest != -1)
		(void)share->to_newest(share->newest, MSG_SESSION_END, &plan); /* likewise */
	data_plans_end_all(&share->plans, session);
	settle_if_stopping(share);
}

void data_share_settle(struct data_share *share)
{
	const struct generation *generation;
	struct shared_port *port;

	shared_ports_unmark(&share->ports);
	DL_FOREACH (share->children->head, generation)
		if (generation->policy != NULL)
			shared_ports_mark(&share->ports, generation->policy);
	DL_FOREACH (share->ports.head, port)
		port->wanted = port->wanted || (port->inherited && share->has_older);
	if (share->stopping)
		DL_FOREACH (share->ports.head, port)
			port->wanted = port->wanted && data_plans_wait_at(&share->plans, port);
	shared_ports_close_unwanted(&share->ports);
}

void data_share_stop(struct data_share *share, bool now)
{
	share->stopping = true;
	if (now)
		shared_ports_unmark(&share->ports);
	if (now)
		shared_ports_close_unwanted(&share->ports);
	else
		data_share_settle(share);
}
