/*
 * Serves the connections of attlsctl: a question or an order each. Every connection has a time limit, since
 * an operator's terminal may be stopped, and the monitor must never wait for it.
 */
#include "gateway/monitor/ctl-server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <utlist.h>

#include "gateway/base/ctl-order.h"
#include "gateway/base/ctl-question.h"
#include "gateway/base/util.h"
#include "gateway/host/bounded-close.h"
#include "gateway/monitor/child-pick.h"
#include "gateway/monitor/ctl-backends.h"
#include "gateway/monitor/ctl-describe.h"
#include "gateway/monitor/ctl-end.h"
#include "gateway/monitor/ctl-log.h"
#include "gateway/monitor/ctl-metrics.h"
#include "gateway/monitor/ctl-older.h"
#include "gateway/monitor/ctl-pass.h"
#include "gateway/monitor/ctl-role.h"
#include "gateway/monitor/ctl-clients.h"

#define ACCEPTS_A_TURN 16 /* before other events get theirs */
/* For the question to come after the connection, and for the peer to read on. */
#define PEER_TIMEOUT_MS 2000
#define ACCEPT_PAUSE_MS 1000

struct ctl_peer {
	struct ctl_server *server;
	struct watch watch;
	struct timer timer;
	struct deferred deferred;
	enum ctl_proto_what asked;	     /* 0: nothing yet */
	const struct ctl_question *question; /* of `asked` */
	bool any_version;		     /* it was asked as a struct ctl_order */
	enum msg_asker who;
	bool passed;		       /* by the attlsd that has replaced this one, */
	const struct older_set *older; /* which asks the others itself */
	struct ask ask;
	uint32_t workers_announced;  /* CTL_STATUS, CTL_SESSIONS, CTL_SERVERS: by the first answer */
	uint32_t workers_sent;	     /* of them */
	uint64_t event_sent;	     /* CTL_EVENTS: the number of the monitor's own */
	struct ctl_metrics *metrics; /* CTL_METRICS: what is being sent */
	struct ctl_clients clients;  /* CTL_CLIENTS */
	struct ctl_backends backends;
	bool gone;
	struct ctl_peer *next, *prev;
};

static void listen_if_room(struct ctl_server *server)
{
	bool room = !server->yielded && server->npeers[ASKER_OPERATOR] < ctl_role_places(ASKER_OPERATOR) &&
		    !timer_is_armed(&server->pause);

	if (server->listener.fd != -1 && loop_watch(server->loop, &server->listener, room ? EPOLLIN : 0) < 0)
		(void)loop_timer(server->loop, &server->pause, ACCEPT_PAUSE_MS);
}

static void peer_free(struct deferred *deferred)
{
	struct ctl_peer *peer = CONTAINER_OF(deferred, struct ctl_peer, deferred);

	ctl_metrics_free(&peer->metrics);
	free(peer);
}

static void peer_end(struct ctl_peer *peer)
{
	struct ctl_server *server = peer->server;

	if (peer->gone)
		return;
	peer->gone = true;
	loop_unwatch(server->loop, &peer->watch);
	bounded_close(&peer->watch.fd); /* more may lie in its queue */
	loop_timer_stop(server->loop, &peer->timer);
	DL_DELETE(server->peers, peer);
	server->npeers[peer->who]--;
	loop_defer_free(server->loop, &peer->deferred);
	listen_if_room(server);
}

/* Send a text for the operator as the last answer. */
static void finish(struct ctl_peer *peer, enum answer_kind kind, const char *text)
{
	if (!peer->gone) /* one that does not read has gone, too */
		(void)ctl_order_answer(peer->watch.fd, peer->any_version, kind, text);
	peer_end(peer);
}

static int send_gateway(struct ctl_peer *peer)
{
	struct ctl_server *server = peer->server;
	struct answer answer = ctl_proto_answer(ANSWER_GATEWAY);

	server->calls->describe(server->owner, &answer.u.gateway);
	answer.u.gateway.older = peer->question->older ? (uint32_t)peer->older->n : 0;
	peer->workers_announced = peer->question->monitor_lists ? 0 : children_count(server->children);
	answer.u.gateway.workers = peer->workers_announced;
	memcpy(answer.u.gateway.failure, server->failure, sizeof(server->failure));
	answer.u.gateway.failure_ms = server->loop->now_ms - server->failed_ms;
	if (peer->asked == CTL_METRICS) {
		server->calls->counted(server->owner);
		peer->metrics =
		    ctl_metrics_new(server->children, server->older, server->backends, &answer.u.gateway);
		if (peer->metrics == NULL)
			return -ENOMEM;
	}
	if (ctl_proto_send(peer->watch.fd, &answer) < 0)
		return -EPIPE;
	return peer->question->older ? ctl_describe_older(peer->watch.fd, peer->older, peer->question) : 0;
}

/* What is still missing after the first answer. */
static int send_rest(struct ctl_peer *peer)
{
	int r = 0;

	if (peer->metrics != NULL)
		return ctl_metrics_send(peer->metrics, peer->watch.fd);
	if (peer->asked == CTL_CLIENTS)
		return ctl_clients_send(peer->watch.fd, peer->server->clients, &peer->clients);
	if (peer->question->backends && !peer->passed)
		r = ctl_backends_send(peer->watch.fd, peer->server->backends, &peer->backends);
	if (r == 0)
		r = ctl_describe_workers(peer->watch.fd, peer->server->children, peer->workers_announced,
					 &peer->workers_sent);
	return r == 0 && peer->asked == CTL_EVENTS ? ctl_describe_events(peer->watch.fd, &peer->event_sent)
						   : r;
}

static void list(struct ctl_peer *peer)
{
	struct loop *loop = peer->server->loop;
	int r = send_rest(peer);

	if (r == -EAGAIN && loop_watch(loop, &peer->watch, EPOLLOUT) == 0 &&
	    loop_timer(loop, &peer->timer, PEER_TIMEOUT_MS) == 0)
		return; /* until the peer has read some */
	if (r == 0 && peer->question->pass != MSG_NONE)
		ctl_pass_question(peer->server->children, peer->watch.fd,
				  &(struct msg){ .type = peer->question->pass,
						 .serial = peer->ask.last,
						 .asker = peer->who,
						 .filter = peer->ask.filter });
	if (r == 0 && peer->question->pass != MSG_NONE)
		ctl_older_ask_all(peer->older, peer->watch.fd, peer->who, &peer->ask);
	peer_end(peer);
}

static void end_session(struct ctl_peer *peer, const struct ask *ask)
{
	const struct ctl_server *server = peer->server;
	char text[CTL_END_TEXT_MAX];
	enum answer_kind kind =
	    ctl_end_session(server->admission, peer->older, peer->watch.fd, peer->who, ask, text);

	if (kind == 0)
		peer_end(peer);
	else
		finish(peer, kind, text);
}

static void reload(struct ctl_peer *peer, const struct ask *ask)
{
	struct ctl_server *server = peer->server;
	const char *refusal;

	(void)ask;
	loop_timer_stop(server->loop, &peer->timer);
	refusal = server->calls->reload(server->owner, peer->asked);
	if (refusal != NULL)
		finish(peer, ANSWER_REFUSED, refusal);
}

/* What the monitor does at once. */
static void order(struct ctl_peer *peer, const struct ask *ask)
{
	struct ctl_server *server = peer->server;
	char text[ANSWER_TEXT_MAX] = "";
	bool done = server->calls->order(server->owner, ask, text);

	finish(peer, done ? ANSWER_DONE : ANSWER_REFUSED, text);
	if (done && ask->what == CTL_MAKE_WAY)
		ctl_server_done(server); /* the next attlsd wants to listen there */
}

static void order_server(struct ctl_peer *peer, const struct ask *ask)
{
	char text[ANSWER_TEXT_MAX];

	finish(peer, ctl_backends_order(peer->server->backends, ask, text), text);
}

static void name_policy(struct ctl_peer *peer, const struct ask *ask)
{
	struct answer_gateway gateway = { .pid = 0 };
	char own[ANSWER_TEXT_MAX] = "";

	(void)ask;
	peer->server->calls->describe(peer->server->owner, &gateway);
	if (peer->server->own != NULL)
		(void)ctl_describe_path(peer->server->own, own, sizeof(own));
	if (!peer->gone)
		(void)ctl_order_answer_two(peer->watch.fd, peer->any_version, ANSWER_DONE, gateway.policy,
					   own);
	peer_end(peer);
}

/* The connection stays with ctl-trace.c. */
static void follow(struct ctl_peer *peer, const struct ask *ask)
{
	struct ctl_server *server = peer->server;
	const char *refusal = ctl_trace_refusal(server->admission, ask);
	char reason[CTL_OLDER_REASON_MAX];

	if (refusal != NULL &&
	    ctl_older_ask_owner(peer->older, peer->watch.fd, peer->who, ask, ask->filter.session, reason)) {
		peer_end(peer);
		return;
	}
	if (refusal == NULL) {
		(void)send_gateway(peer); /* a peer that does not read has gone */
		if (ask->filter.session == 0)
			ctl_older_ask_all(peer->older, peer->watch.fd, peer->who, ask);
		loop_unwatch(server->loop, &peer->watch);
		refusal =
		    ctl_trace_begin(&server->traces, &peer->watch.fd, ask, peer->who, server->admission);
	}
	if (refusal != NULL)
		finish(peer, ANSWER_REFUSED, refusal);
	else
		peer_end(peer);
}

static void describe(struct ctl_peer *peer, const struct ask *ask)
{
	(void)ask;
	(send_gateway(peer) < 0 ? peer_end : list)(peer);
}

static void (*const answers[CTL_WHATS])(struct ctl_peer *peer, const struct ask *ask) = {
	[CTL_STATUS] = describe,     [CTL_SESSIONS] = describe,	    [CTL_SERVERS] = describe,
	[CTL_EVENTS] = describe,     [CTL_METRICS] = describe,	    [CTL_CLIENTS] = describe,
	[CTL_TRACE_LAST] = describe, [CTL_TRACE] = follow,	    [CTL_END] = end_session,
	[CTL_RELOAD] = reload,	     [CTL_RELOAD_ONLY] = reload,    [CTL_UPGRADE] = reload,
	[CTL_DRAIN] = order,	     [CTL_MAKE_WAY] = order,	    [CTL_AUDIT_REOPEN] = order,
	[CTL_MAINTENANCE] = order,   [CTL_MAINTENANCE_END] = order, [CTL_POLICY] = name_policy,
	[CTL_BACKENDS] = describe,   [CTL_DISABLE] = order_server,  [CTL_ENABLE] = order_server,
};

static void answer_question(struct ctl_peer *peer, const struct ask *ask)
{
	const struct ctl_question *question = ctl_question_find(ask->what);

	if (question == NULL || answers[ask->what] == NULL) {
		finish(peer, ANSWER_REFUSED, "this attlsd does not know that command");
		return;
	}
	children_drain_reports(peer->server->children); /* sessions that have ended no longer count */
	peer->ask = *ask;
	if (peer->ask.last > CTL_TRACE_LAST_MAX)
		peer->ask.last = CTL_TRACE_LAST_MAX;
	peer->asked = ask->what; /* set before a reload begins, which may be over when the call returns */
	peer->question = question;
	if (ctl_question_is_logged(question) && !peer->passed) /* the other attlsd has done so */
		ctl_log_order(peer->watch.fd, question->name, ask);
	answers[ask->what](peer, ask);
}

static void refuse(struct ctl_peer *peer, const char *why)
{
	static const struct ucred unknown = { .uid = (uid_t)-1 }; /* another attlsd's HTTP process */
	struct ctl_server *server = peer->server;
	const struct ucred *http = peer->passed ? &unknown : &server->http;

	ctl_log_refused(peer->watch.fd, peer->who == ASKER_HTTP ? http : NULL, why, server->loop->now_ms,
			&server->refused_ms);
	finish(peer, ANSWER_FORBIDDEN, why);
}

static void judge_question(struct ctl_peer *peer, const struct ask *ask)
{
	const char *refusal = ctl_role_refusal(peer->who, ask->what);

	if (!peer->any_version && (ask->version != CTL_VERSION || !session_filter_is_sound(&ask->filter) ||
				   memchr(ask->server, '\0', sizeof(ask->server)) == NULL))
		finish(peer, ANSWER_REFUSED, CTL_OTHER_VERSION);
	else if (refusal != NULL)
		refuse(peer, refusal);
	else
		answer_question(peer, ask);
}

static void on_question(struct ctl_peer *peer)
{
	struct ask ask = { .version = 0 };				     /* an order sets only its head */
	ssize_t n = bounded_receive_last(peer->watch.fd, &ask, sizeof(ask)); /* workers get the socket */

	if (n == -1 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		return;
	if (n <= 0 || loop_watch(peer->server->loop, &peer->watch, WATCH_HANGUP) < 0)
		peer_end(peer);
	else if (n == (ssize_t)sizeof(ask) || (peer->any_version = ctl_order_is(&ask, (size_t)n)))
		judge_question(peer, &ask);
	else
		finish(peer, ANSWER_REFUSED, CTL_OTHER_VERSION);
}

static void on_peer(struct watch *watch, uint32_t ready)
{
	struct ctl_peer *peer = CONTAINER_OF(watch, struct ctl_peer, watch);

	if (ready & (EPOLLHUP | EPOLLERR)) /* a peer that has given up wants nothing done */
		peer_end(peer);
	else if (ready & EPOLLOUT)
		list(peer);
	else
		on_question(peer);
}

static void on_timer(struct timer *timer)
{
	peer_end(CONTAINER_OF(timer, struct ctl_peer, timer));
}

/* Takes the descriptor over. NULL: it is closed. */
static struct ctl_peer *peer_start(struct ctl_server *server, int *fd, enum msg_asker who, bool passed)
{
	static const struct older_set none;
	bool room = server->npeers[who] < ctl_role_places(who);
	struct ctl_peer *peer = room ? calloc(1, sizeof(*peer)) : NULL;

	if (peer == NULL) {
		bounded_close(fd);
		return NULL;
	}
	peer->server = server;
	peer->who = who;
	peer->passed = passed;
	peer->older = passed ? &none : server->older;
	peer->deferred.fn = peer_free;
	watch_init(&peer->watch, on_peer);
	timer_init(&peer->timer, on_timer);
	peer->watch.fd = fd_take(fd);
	DL_APPEND(server->peers, peer);
	server->npeers[who]++;
	if ((who == ASKER_HTTP ||
	     loop_watch(server->loop, &peer->watch, passed ? WATCH_HANGUP : EPOLLIN) == 0) &&
	    loop_timer(server->loop, &peer->timer, PEER_TIMEOUT_MS) == 0)
		return peer;
	peer_end(peer);
	return NULL;
}

void ctl_server_answer(struct ctl_server *server, int *fd, enum msg_asker who, bool passed,
		       const struct ask *ask)
{
	struct ctl_peer *peer = peer_start(server, fd, who, passed);

	if (peer != NULL)
		judge_question(peer, ask);
}

static void on_listener(struct watch *watch, uint32_t ready)
{
	struct ctl_server *server = CONTAINER_OF(watch, struct ctl_server, listener);

	(void)ready;
	for (int i = 0; i < ACCEPTS_A_TURN; i++) {
		int fd;

		/* more wait in the kernel's queue */
		if (server->npeers[ASKER_OPERATOR] == ctl_role_places(ASKER_OPERATOR))
			break;
		fd = accept4(watch->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd != -1) {
			(void)peer_start(server, &fd, ctl_role_of(fd), false); /* or closes it */
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
			(void)loop_timer(server->loop, &server->pause, ACCEPT_PAUSE_MS);
		break;
	}
	listen_if_room(server);
}

static void on_pause(struct timer *timer)
{
	listen_if_room(CONTAINER_OF(timer, struct ctl_server, pause));
}

void ctl_server_init(struct ctl_server *server, struct loop *loop, struct children *children,
		     const struct admission *admission, const struct client_table *clients,
		     const struct ctl_calls *calls, void *owner)
{
	*server = (struct ctl_server){
		.loop = loop,
		.children = children,
		.admission = admission,
		.clients = clients,
		.calls = calls,
		.owner = owner,
		.sock = CTL_SOCKET_NONE,
		.coming = CTL_SOCKET_NONE,
		.traces = { .loop = loop, .children = children },
	};
	watch_init(&server->listener, on_listener);
	timer_init(&server->pause, on_pause);
}

int ctl_server_prepare(struct ctl_server *server, const struct policy_daemon *daemon, const unsigned *gid,
		       const struct diags *source)
{
	const char *path = daemon->control_socket;

	server->stays = path != NULL && ctl_socket_is_at(&server->sock, path);
	server->shares = gid != NULL;
	server->gid = gid != NULL ? *gid : 0;
	return server->stays ? 0 : ctl_socket_open(&server->coming, server->activated, daemon, gid, source);
}

static void answer_reloads(struct ctl_server *server, enum answer_kind kind, const char *text)
{
	struct ctl_peer *peer, *next;

	for (peer = server->peers; peer != NULL; peer = next) {
		next = peer->next;
		if (peer->question != NULL && peer->question->reload_answers)
			finish(peer, kind, text);
	}
}

void ctl_server_promote(struct ctl_server *server)
{
	if (server->stays) {
		ctl_socket_change_group(&server->sock, server->shares ? &server->gid : NULL);
	} else {
		if (server->listener.fd != -1)
			loop_unwatch(server->loop, &server->listener);
		ctl_socket_close(&server->sock);
		server->sock = server->coming;
		server->coming = CTL_SOCKET_NONE;
		server->listener.fd = server->sock.fd;
	}
	listen_if_room(server);
	server->failure[0] = '\0';
	answer_reloads(server, ANSWER_DONE, "the new policy is in force; existing sessions keep the old one");
}

void ctl_server_abandon(struct ctl_server *server, const char *reason)
{
	char text[ANSWER_TEXT_MAX];

	ctl_socket_close(&server->coming);
	server->failed_ms = server->loop->now_ms;
	(void)snprintf(server->failure, sizeof(server->failure), "%s", reason);
	(void)snprintf(text, sizeof(text), "%s; the running policy stays in force", reason);
	answer_reloads(server, ANSWER_REFUSED, text);
}

void ctl_server_yield(struct ctl_server *server, bool yield)
{
	server->yielded = yield;
	listen_if_room(server);
}

void ctl_server_leave(struct ctl_server *server)
{
	server->listener.fd = -1; /* ctl_server_yield() has stopped watching it */
	ctl_socket_leave(&server->sock);
}

void ctl_server_upgraded(struct ctl_server *server, bool done, const char *text)
{
	if (!done) {
		server->failed_ms = server->loop->now_ms;
		(void)snprintf(server->failure, sizeof(server->failure), "%s", text);
	}
	answer_reloads(server, done ? ANSWER_DONE : ANSWER_REFUSED, text);
}

void ctl_server_done(struct ctl_server *server)
{
	while (server->peers != NULL)
		peer_end(server->peers);
	ctl_trace_done(&server->traces);
	loop_timer_stop(server->loop, &server->pause);
	if (server->listener.fd != -1)
		loop_unwatch(server->loop, &server->listener);
	server->listener.fd = -1;
	ctl_socket_close(&server->sock);
	ctl_socket_close(&server->coming);
}
