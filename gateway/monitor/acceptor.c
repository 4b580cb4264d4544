/*
 * Accepts connections, asks admission whether there is room, and hands each to the
 * worker that has the least to do. While no worker takes sessions, clients wait in
 * the kernel's queue.
 */
#include "gateway/monitor/acceptor.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "ftp-alg/ftp-alg.h"
#include "gateway/base/audit.h"
#include "gateway/base/counters.h"
#include "gateway/base/log.h"
#include "gateway/base/util.h"
#include "gateway/host/bounded-close.h"
#include "gateway/monitor/child-pick.h"
#include "gateway/net/netsock.h"

/* Connections accepted in one turn, so that signals and workers get their turn, too. */
#define ACCEPT_BATCH	 64
#define ACCEPT_PAUSE_MS	 100 /* out of descriptors: try again after this time */
#define BACKLOG_PAUSE_MS 5   /* no worker accepts sessions: likewise */

static const char no_audit[] = "audit-failed";
static const char maintenance[] = "maintenance";

/* A flood of connections must not fill the disk: the events of a second have a limit, the rest a count. */
#define REFUSALS_PER_S 100

static void audit_refusal(struct acceptor *acceptor, const struct listener *listener,
			  const struct ip_endpoint *peer, const char *reason, const char *limit,
			  uint32_t line)
{
	struct refusals *refusals = &acceptor->refusals;
	uint64_t now_s = acceptor->loop->now_ms / 1000;
	char address[IP_TEXT_MAX];

	if (now_s != refusals->second)
		refusals->n = 0;
	refusals->second = now_s;
	if (++refusals->n > REFUSALS_PER_S) {
		refusals->unlisted++;
		return;
	}
	audit_event("connection-refused", AUDIT_TEXT("client_address", ip_addr_format(&peer->addr, address)),
		    AUDIT_NUMBER("client_port", peer->port), AUDIT_TEXT("listener", listener->name),
		    AUDIT_TEXT("reason", reason), AUDIT_TEXT("key", limit),
		    AUDIT_NUMBER(line != 0 ? "line" : "", line),
		    AUDIT_NUMBER(refusals->unlisted > 0 ? "unlisted" : "", refusals->unlisted));
	refusals->unlisted = 0;
}

/* limit: the policy's key whose limit is reached, or NULL. */
static void log_refusal(struct acceptor *acceptor, const struct listener *listener,
			const struct ip_endpoint *peer, const char *reason, const char *limit)
{
	const struct policy *policy = (*acceptor->current)->policy;
	uint32_t line = limit != NULL ? policy_where(policy, &(struct policy_place){ 0 }, limit) : 0;
	char text[IP_TEXT_MAX];

	count(REFUSED, count_value(COUNT_LABEL_LIMIT, reason), 1);
	/* an operator has asked for it */
	log_event(reason == maintenance ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING, "refused",
		  LOG_TEXT("client", ip_endpoint_format(peer, text)), LOG_TEXT("listener", listener->name),
		  LOG_TEXT("reason", reason), LOG_TEXT(limit != NULL ? "key" : "", limit),
		  LOG_NUMBER(line != 0 ? "line" : "", line));
	audit_refusal(acceptor, listener, peer, reason, limit, line);
}

/* Refuse a connection, with a reply if the client expects one in the clear. */
static void refuse(struct acceptor *acceptor, const struct listener *listener, int fd,
		   const struct ip_endpoint *peer, const char *reason, const char *limit)
{
	char line[FTP_LOCAL_LINE_MAX];
	enum ftp_local reply =
	    reason == no_audit || reason == maintenance ? FTP_LOCAL_NOT_NOW : FTP_LOCAL_TOO_MANY_CONNECTIONS;
	size_t len = ftp_local_line(reply, REPLY_STYLE_RFC, line);

	log_refusal(acceptor, listener, peer, reason, limit);
	if ((*acceptor->current)->policy->listeners[listener->index].tls != LISTENER_IMPLICIT)
		(void)send(fd, line, len, MSG_NOSIGNAL | MSG_DONTWAIT); /* the refusal holds without it */
}

/*
 * secure_session_reuse: required_user resumes the TLS sessions of other control connections.
 * Tickets serve with any worker, session ids of TLS 1.2 only with the worker that keeps the
 * session. Behind a load balancer, the peer's address says nothing of the client.
 */
static bool shares_sessions(const struct policy *policy, const struct policy_listener *from)
{
	if (from->nproxies > 0)
		return false;
	for (size_t i = 0; i < policy->nrules; i++)
		if (policy->rules[i].ftp->secure_session_reuse == SESSION_REUSE_REQUIRED_USER)
			return true;
	return false;
}

static void hand_over(struct acceptor *acceptor, const struct listener *listener, int fd,
		      const struct ip_endpoint *peer)
{
	const struct policy *policy = (*acceptor->current)->policy;
	const struct policy_listener *from = &policy->listeners[listener->index];
	struct child *child = shares_sessions(policy, from)
				  ? generation_pick_for(*acceptor->current, &peer->addr)
				  : generation_pick(*acceptor->current);
	struct msg msg = { .type = MSG_SESSION, .listener = (uint32_t)listener->index, .remote = *peer };
	struct ip_addr key;
	char text[IP_TEXT_MAX];
	const char *limit;
	int r;

	if (netsock_has_left(fd)) { /* the check of a load balancer or of monitoring */
		log_event(LOG_LEVEL_DEBUG, "probe", LOG_TEXT("client", ip_endpoint_format(peer, text)),
			  LOG_TEXT("listener", listener->name));
		return;
	}
	if (from->nproxies > 0 && !policy_is_proxy(from, &peer->addr)) {
		/* without a reply: the peer should be a load balancer */
		log_refusal(acceptor, listener, peer, "not-a-trusted-proxy", NULL);
		return;
	}
	if (acceptor->refuses != NULL && *acceptor->refuses) {
		refuse(acceptor, listener, fd, peer, maintenance, NULL);
		return;
	}
	if (acceptor->audit != NULL && audit_source_refuses(acceptor->audit)) {
		refuse(acceptor, listener, fd, peer, no_audit, "audit_failure");
		return;
	}
	if (child == NULL || netsock_local(fd, &msg.local) < 0) {
		refuse(acceptor, listener, fd, peer, "no-worker", NULL);
		return;
	}
	r = admission_enter(acceptor->admission, &policy->daemon, from->nproxies > 0 ? NULL : &peer->addr,
			    child, &msg.session, &limit);
	if (r == -EUSERS) { /* unless sessions have ended since the batch began */
		children_drain_reports(acceptor->children);
		r = admission_enter(acceptor->admission, &policy->daemon,
				    from->nproxies > 0 ? NULL : &peer->addr, child, &msg.session, &limit);
	}
	if (r < 0) {
		limit = r == -EUSERS ? limit : NULL;
		refuse(acceptor, listener, fd, peer, limit != NULL ? limit : "no-memory", limit);
		return;
	}
	key = admission_key(&peer->addr);
	msg.failures = login_queue_failures(acceptor->logins, &key);
	msg.began_s = (int64_t)time(NULL);
	admission_note(acceptor->admission, msg.session, &msg.remote, &msg.local, msg.listener, msg.began_s);
	child->nsessions++;
	child->given++;
	if (msg_send(child->channel.fd, &msg, fd) == 0)
		return;
	child->nsessions--;
	child->given--;
	/* cannot fail: it was admitted above */
	(void)admission_leave(acceptor->admission, msg.session, child);
	refuse(acceptor, listener, fd, peer, "worker-busy", NULL);
}

void acceptor_on_listener(struct watch *watch, uint32_t ready)
{
	struct listener *listener = CONTAINER_OF(watch, struct listener, watch);
	struct acceptor *acceptor = listener->owner;
	struct ip_endpoint peer;

	(void)ready;
	children_drain_reports(acceptor->children); /* sessions that have ended make room */
	generation_check_backlog(*acceptor->current, acceptor->loop->now_ms);
	if (generation_pick(*acceptor->current) == NULL) { /* meanwhile clients wait in the kernel's queue */
		(void)listener_set_accept(acceptor->listeners, acceptor->loop, false);
		(void)loop_timer(acceptor->loop, &acceptor->pause, BACKLOG_PAUSE_MS);
		return;
	}
	for (int i = 0; i < ACCEPT_BATCH; i++) {
		int fd = netsock_accept(watch->fd, &peer);

		if (fd == -EMFILE || fd == -ENFILE || fd == -ENOMEM || fd == -ENOBUFS) {
			log_event(LOG_LEVEL_ERROR, "accept-paused", LOG_TEXT("error", strerror(-fd)));
			(void)listener_set_accept(acceptor->listeners, acceptor->loop, false);
			(void)loop_timer(acceptor->loop, &acceptor->pause, ACCEPT_PAUSE_MS);
			return;
		}
		if (fd == -EAGAIN)
			return;
		if (fd < 0)
			continue; /* this connection failed while it waited */
		hand_over(acceptor, listener, fd, &peer);
		bounded_close(&fd);
	}
}

void acceptor_resume(struct acceptor *acceptor)
{
	/* without memory, the next worker that becomes ready resumes */
	if (!acceptor->closed)
		(void)listener_set_accept(acceptor->listeners, acceptor->loop, true);
}

void acceptor_close(struct acceptor *acceptor)
{
	acceptor->closed = true;
	loop_timer_stop(acceptor->loop, &acceptor->pause);
	(void)listener_set_accept(acceptor->listeners, acceptor->loop, false); /* removing cannot fail */
}

void acceptor_open(struct acceptor *acceptor)
{
	acceptor->closed = false;
	acceptor_resume(acceptor);
}

static void on_pause(struct timer *timer)
{
	struct acceptor *acceptor = CONTAINER_OF(timer, struct acceptor, pause);

	acceptor_resume(acceptor);
}

void acceptor_init(struct acceptor *acceptor, struct loop *loop, struct children *children,
		   struct admission *admission, struct login_queue *logins, struct listener_set *listeners,
		   struct generation *const *current)
{
	*acceptor = (struct acceptor){ loop,	  children, admission,	   logins,
				       listeners, current,  .audit = NULL, .refuses = NULL };
	timer_init(&acceptor->pause, on_pause);
}
