#include "gateway/operator.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <utlist.h>

#include "gateway/log.h"
#include "gateway/util.h"

/* At once; more wait in the kernel's queue. */
#define PEERS_MAX 8
/* From connecting to the question. */
#define QUESTION_MS 5000
#define PAUSE_MS    1000

struct operator_peer {
	struct operator* operator;
	struct watch watch;
	struct timer timer;
	struct grave grave;
	bool waits; /* for the end of a reload */
	bool gone;
	struct operator_peer *next, *prev;
};

static void listen_if_room(struct operator* operator)
{
	bool room = operator->npeers<PEERS_MAX && !timer_is_armed(&operator->pause);

	if (operator->listener.fd != - 1)
		(void)loop_watch(operator->loop, &operator->listener,
				 room ? EPOLLIN : 0); /* or not: a peer's end
							tries again */
}

static void peer_free(struct grave *grave)
{
	free(CONTAINER_OF(grave, struct operator_peer, grave));
}

static void peer_end(struct operator_peer *peer)
{
	struct operator* operator= peer->operator;

	if (peer->gone)
		return;
	peer->gone = true;
	loop_unwatch(operator->loop, &peer->watch);
	fd_close(&peer->watch.fd);
	loop_timer_stop(operator->loop, &peer->timer);
	DL_DELETE(operator->peers, peer);
	operator->npeers--;
	loop_bury(operator->loop, &peer->grave);
	listen_if_room(operator);
}

/* An answer for people, the last one. */
static void say(struct operator_peer *peer, enum answer_kind kind, const char *text)
{
	struct answer answer = ask_answer(kind);

	if (peer->gone)
		return;
	(void)snprintf(answer.u.text, sizeof(answer.u.text), "%s", text);
	(void)ask_send(peer->watch.fd, &answer); /* who does not read has gone */
	peer_end(peer);
}

/* What was ordered, and by whom: auditors ask. */
static void log_order(const struct operator_peer *peer, const char *order)
{
	struct ucred who = { .pid = 0 };
	socklen_t len = sizeof(who);

	(void)getsockopt(peer->watch.fd, SOL_SOCKET, SO_PEERCRED, &who, &len);
	log_event(LOG_LEVEL_INFO, "operator", LOG_TEXT("order", order), LOG_NUMBER("uid", who.uid),
		  LOG_NUMBER("pid", (uint64_t)who.pid));
}

/* All workers, of the current generation and of those that end. */
static size_t count_workers(const struct operator* operator, bool ready)
{
	const struct generation *generation;
	size_t n = 0;

	DL_FOREACH (operator->children->head, generation)
		for (size_t i = 0; i < generation->n; i++)
			n += generation->workers[i].pid != 0 && (!ready || generation->workers[i].ready);
	return n;
}

static void tell_gateway(struct operator_peer *peer, size_t workers)
{
	struct operator* operator= peer->operator;
	struct answer answer = ask_answer(ANSWER_GATEWAY);

	operator->calls->describe(operator->owner, &answer.u.gateway);
	answer.u.gateway.workers = (uint32_t)workers;
	if (ask_send(peer->watch.fd, &answer) < 0) /* the first packet: there is room */
		peer_end(peer);
}

static enum answer_worker_state state_of(const struct child *child)
{
	if (!child->ready)
		return WORKER_STARTS;
	if (child->told == MSG_DRAIN)
		return WORKER_DRAINS;
	if (child->told == MSG_RETIRE)
		return WORKER_RETIRES;
	return child->lags ? WORKER_LAGS : WORKER_SERVES;
}

static void tell_worker(struct operator_peer *peer, const struct child *child)
{
	struct answer answer = ask_answer(ANSWER_WORKER);

	answer.u.worker.pid = (int32_t)child->pid;
	answer.u.worker.state = state_of(child);
	answer.u.worker.generation = child->generation->number;
	answer.u.worker.sessions = child->nsessions;
	answer.u.worker.transfers = *child->relays;
	(void)ask_send(peer->watch.fd,
		       &answer); /* with hundreds of workers the reader counts those that came */
}

static void status(struct operator_peer *peer)
{
	struct operator* operator= peer->operator;
	struct generation *generation;

	tell_gateway(peer, count_workers(operator, false));
	DL_FOREACH (operator->children->head, generation) {
		generation_look(generation, operator->loop->now_ms);
		for (size_t i = 0; i < generation->n && !peer->gone; i++)
			if (generation->workers[i].pid != 0)
				tell_worker(peer, &generation->workers[i]);
	}
	peer_end(peer);
}

/* The workers tell; who is too busy even to be asked is missed by the reader. */
static void sessions(struct operator_peer *peer)
{
	const struct msg msg = { .type = MSG_TELL_SESSIONS };
	struct operator* operator= peer->operator;
	struct generation *generation;

	tell_gateway(peer, count_workers(operator, true));
	DL_FOREACH (operator->children->head, generation)
		for (size_t i = 0; i < generation->n && !peer->gone; i++)
			if (generation->workers[i].ready)
				(void)msg_send(generation->workers[i].channel.fd, &msg, peer->watch.fd);
	peer_end(peer);
}

static void end_session(struct operator_peer *peer, uint64_t session)
{
	const struct msg msg = { .type = MSG_END_SESSION, .session = session };
	const struct child *child = admission_owner(peer->operator->admission, session);
	char text[80];

	if (child == NULL) {
		(void)snprintf(text, sizeof(text), "there is no session %" PRIu64, session);
		say(peer, ANSWER_REFUSED, text);
		return;
	}
	(void)snprintf(text, sizeof(text), "end %" PRIu64, session);
	log_order(peer, text);
	if (msg_send(child->channel.fd, &msg, -1) < 0) {
		say(peer, ANSWER_REFUSED, "its worker is too busy to be told; ask again");
		return;
	}
	(void)snprintf(text, sizeof(text), "session %" PRIu64 " is told to end", session);
	say(peer, ANSWER_DONE, text);
}

static void reload(struct operator_peer *peer)
{
	struct operator* operator= peer->operator;
	const char *refusal;

	log_order(peer, "reload");
	peer->waits = true; /* first: it may be over before the call returns */
	loop_timer_stop(operator->loop, &peer->timer);
	refusal = operator->calls->reload(operator->owner);
	if (refusal != NULL)
		say(peer, ANSWER_REFUSED, refusal);
}

static void drain(struct operator_peer *peer)
{
	struct operator* operator= peer->operator;
	char text[120];
	const char *refusal;

	log_order(peer, "drain");
	(void)snprintf(text, sizeof(text),
		       "no new sessions; %zu are asked to end, those with a transfer when it is done",
		       operator->admission->nsessions);
	refusal = operator->calls->drain(operator->owner);
	say(peer, refusal == NULL ? ANSWER_DONE : ANSWER_REFUSED, refusal == NULL ? text : refusal);
}

static void answer(struct operator_peer *peer, const struct ask *ask)
{
	children_hear(peer->operator->children); /* who has gone is not counted any more */
	switch (ask->what) {
	case ASK_STATUS:
		status(peer);
		break;
	case ASK_SESSIONS:
		sessions(peer);
		break;
	case ASK_END:
		end_session(peer, ask->session);
		break;
	case ASK_RELOAD:
		reload(peer);
		break;
	case ASK_DRAIN:
		drain(peer);
		break;
	default:
		say(peer, ANSWER_REFUSED, "this attlsd does not know that question");
		break;
	}
}

static void on_peer(struct watch *watch, uint32_t ready)
{
	struct operator_peer *peer = CONTAINER_OF(watch, struct operator_peer, watch);
	struct ask ask;
	ssize_t n = recv(watch->fd, &ask, sizeof(ask), MSG_TRUNC);

	(void)ready;
	if (n == -1 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		return;
	if (n <= 0 || peer->waits) /* he has gone, or says more than was agreed */
		peer_end(peer);
	else if (n != (ssize_t)sizeof(ask) || ask.version != ASK_VERSION)
		say(peer, ANSWER_REFUSED, "attlsctl and the attlsd that runs are of different versions");
	else
		answer(peer, &ask);
}

static void on_timer(struct timer *timer)
{
	peer_end(CONTAINER_OF(timer, struct operator_peer, timer));
}

static void welcome(struct operator* operator, int * fd)
{
	struct operator_peer *peer = calloc(1, sizeof(*peer));

	if (peer == NULL) {
		fd_close(fd);
		return;
	}
	peer->operator= operator;
	peer->grave.fn = peer_free;
	watch_init(&peer->watch, on_peer);
	timer_init(&peer->timer, on_timer);
	peer->watch.fd = fd_take(fd);
	DL_APPEND(operator->peers, peer);
	operator->npeers++;
	if (loop_watch(operator->loop, &peer->watch, EPOLLIN) < 0 ||
	    loop_timer(operator->loop, &peer->timer, QUESTION_MS) < 0)
		peer_end(peer);
}

static void on_listener(struct watch *watch, uint32_t ready)
{
	struct operator* operator= CONTAINER_OF(watch, struct operator, listener);

	(void)ready;
	while (operator->npeers<PEERS_MAX) {
		int fd = accept4(watch->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd != -1) {
			welcome(operator, & fd);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
			(void)loop_timer(operator->loop, &operator->pause, PAUSE_MS);
		break;
	}
	listen_if_room(operator);
}

static void on_pause(struct timer *timer)
{
	listen_if_room(CONTAINER_OF(timer, struct operator, pause));
}

void operator_init(struct operator* operator, struct loop * loop, struct children *children,
		   const struct admission *admission, const struct operator_calls *calls, void *owner)
{
	*operator=(struct operator){
		.loop = loop,
		.children = children,
		.admission = admission,
		.calls = calls,
		.owner = owner,
		.sock = OPERATOR_SOCKET_NONE,
		.coming = OPERATOR_SOCKET_NONE,
	};
	watch_init(&operator->listener, on_listener);
	timer_init(&operator->pause, on_pause);
}

int operator_prepare(struct operator* operator, const struct policy_daemon * daemon,
		     const struct diags *source)
{
	const char *path = daemon->control_socket;

	operator->stays = path != NULL && strcmp(path, operator->sock.path) == 0 &&
	    operator_socket_stands(&operator->sock);
	return operator->stays ? 0 : operator_socket_open(&operator->coming, daemon, source);
}

static void tell_waiting(struct operator* operator, enum answer_kind kind, const char *text)
{
	struct operator_peer *peer, *next;

	DL_FOREACH_SAFE(operator->peers, peer, next)
	if (peer->waits)
		say(peer, kind, text);
}

void operator_promote(struct operator* operator)
{
	if (!operator->stays) {
		if (operator->listener.fd != - 1)
			loop_unwatch(operator->loop, &operator->listener);
		operator_socket_close(&operator->sock);
		operator->sock = operator->coming;
		operator->coming = OPERATOR_SOCKET_NONE;
		operator->listener.fd = operator->sock.fd;
	}
	listen_if_room(operator);
	tell_waiting(operator, ANSWER_DONE, "the new policy is in force; sessions that exist keep theirs");
}

void operator_abandon(struct operator* operator, const char * reason)
{
	char text[ANSWER_TEXT_MAX];

	operator_socket_close(&operator->coming);
	(void)snprintf(text, sizeof(text), "%s; the running policy stays in force", reason);
	tell_waiting(operator, ANSWER_REFUSED, text);
}

void operator_done(struct operator* operator)
{
	while (operator->peers != NULL)
		peer_end(operator->peers);
	loop_timer_stop(operator->loop, &operator->pause);
	if (operator->listener.fd != - 1)
		loop_unwatch(operator->loop, &operator->listener);
	operator->listener.fd = - 1;
	operator_socket_close(&operator->sock);
	operator_socket_close(&operator->coming);
}
