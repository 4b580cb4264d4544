#include "gateway/worker/worker.h"

#include <errno.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>
#include <uthash.h>

#include "gateway/base/log.h"
#include "gateway/base/msg.h"
#include "gateway/base/util.h"
#include "gateway/host/sandbox.h"
#include "gateway/tls/users.h"
#include "gateway/worker/expiry.h"
#include "gateway/worker/session-list.h"
#include "gateway/worker/session.h"

/* Without the monitor nobody counts or restarts us. */
static void monitor_lost(struct worker *worker, int error)
{
	log_event(LOG_LEVEL_ERROR, "monitor-lost", LOG_TEXT("error", strerror(error)));
	loop_stop(&worker->loop);
}

static int keep_for_later(struct worker *worker, const struct msg *msg)
{
	if (worker->noutbox == worker->outbox_cap) {
		size_t cap = worker->outbox_cap == 0 ? 64 : worker->outbox_cap * 2;
		struct msg *outbox = realloc(worker->outbox, cap * sizeof(*outbox));

		if (outbox == NULL)
			return -ENOMEM;
		worker->outbox = outbox;
		worker->outbox_cap = cap;
	}
	worker->outbox[worker->noutbox++] = *msg; /* two for each session at most */
	return loop_watch(&worker->loop, &worker->channel, EPOLLIN | EPOLLOUT);
}

/* The monitor hears what only counts before its next decision; waking it for each takes context switches. */
#define UNDELIVERED_MAX 32

static bool can_wait(uint32_t type)
{
	/* not MSG_LOGIN_FAILED, which counts from when it is heard */
	return type == MSG_SESSION_LOGIN || type == MSG_SESSION_END;
}

static void ring(struct worker *worker)
{
	(void)eventfd_write(worker->doorbell, 1); /* fails only where it has rung 2^64 times undelivered */
	worker->undelivered = 0;
}

/* Never waits: many sessions may end in one turn, more than the channel holds. */
void worker_request(struct worker *worker, const struct msg *msg)
{
	int r;

	if (worker->channel.fd == -1)
		return;
	r = worker->noutbox > 0 ? -EAGAIN : msg_send(worker->channel.fd, msg, -1);
	if (r == -EAGAIN)
		r = keep_for_later(worker, msg);
	if (r < 0)
		monitor_lost(worker, -r);
	else if (++worker->undelivered >= UNDELIVERED_MAX || worker->noutbox > 0 || !can_wait(msg->type))
		ring(worker);
}

static void tell_monitor(struct worker *worker, enum msg_type type, uint64_t session)
{
	struct msg msg = { .type = type, .session = session };

	worker_request(worker, &msg);
}

static void tell_rest(struct worker *worker)
{
	size_t told = 0;
	int r = 0;

	while (told < worker->noutbox && (r = msg_send(worker->channel.fd, &worker->outbox[told], -1)) == 0)
		told++;
	memmove(worker->outbox, worker->outbox + told, (worker->noutbox - told) * sizeof(*worker->outbox));
	worker->noutbox -= told;
	ring(worker);
	if (r == 0)
		r = loop_watch(&worker->loop, &worker->channel, EPOLLIN);
	if (r < 0 && r != -EAGAIN)
		monitor_lost(worker, -r);
}

void worker_session_login(struct worker *worker, const struct session *session)
{
	tell_monitor(worker, MSG_SESSION_LOGIN, session->id);
}

void worker_login_failed(struct worker *worker, const struct session *session)
{
	tell_monitor(worker, MSG_LOGIN_FAILED, session->id);
}

static void end_if_drained(struct worker *worker)
{
	if (worker->retired && worker->nsessions == 0 && worker->lingering.n == 0)
		loop_stop(&worker->loop);
}

static void on_lingering_empty(struct linger_list *list)
{
	end_if_drained(CONTAINER_OF(list, struct worker, lingering));
}

/*
 * What sessions had is free, but in chunks between what others still have, and
 * the C library keeps those. When half of a sessions_peak has gone the system gets them
 * back, a little later, so that a sessions_peak that goes at once costs one search.
 */
#define SESSIONS_PEAK_MIN 8
#define TRIM_AFTER_MS	  5000 /* their connections have lingered by then */

static void on_trim_timer(struct timer *timer)
{
	struct worker *worker = CONTAINER_OF(timer, struct worker, trim_timer);

	worker->sessions_peak = worker->nsessions;
#ifdef __GLIBC__
	(void)malloc_trim(0);
#endif
}

static void trim_if_few(struct worker *worker)
{
	if (worker->sessions_peak >= SESSIONS_PEAK_MIN && worker->nsessions <= worker->sessions_peak / 2 &&
	    !timer_is_armed(&worker->trim_timer))
		(void)loop_timer(&worker->loop, &worker->trim_timer, TRIM_AFTER_MS); /* or it stays */
}

void worker_session_over(struct worker *worker, const struct session *session)
{
	tell_monitor(worker, MSG_SESSION_END, session->id);
}

void worker_session_gone(struct worker *worker)
{
	trim_if_few(worker);
	end_if_drained(worker);
}

/* Transfers may take their time to end, but not sessions whose server owes them an answer. */
#define DRAIN_LOOK_MS  5000
#define DRAIN_STUCK_MS 60000

static void on_drain_timer(struct timer *timer)
{
	struct worker *worker = CONTAINER_OF(timer, struct worker, drain_timer);
	struct session *next;

	for (struct session *session = worker->sessions; session != NULL; session = next) {
		next = session->next;
		if (session_is_stuck(session, DRAIN_STUCK_MS))
			session_end(session, "shutdown");
	}
	(void)loop_timer(&worker->loop, timer, DRAIN_LOOK_MS); /* its place in the heap is there */
}

static void drain(struct worker *worker)
{
	struct session *next;

	if (worker->draining)
		return;
	worker->retired = worker->draining = true;
	linger_hurry(&worker->lingering);
	(void)loop_timer(&worker->loop, &worker->drain_timer,
			 DRAIN_LOOK_MS); /* else only a second signal helps */
	for (struct session *session = worker->sessions; session != NULL; session = next) {
		next = session->next;
		session_shutdown(session);
	}
	end_if_drained(worker);
}

static void retire(struct worker *worker)
{
	worker->retired = true;
	end_if_drained(worker);
}

/* It may be over by now. */
static struct session *find(const struct worker *worker, uint64_t number)
{
	struct session *session;

	HASH_FIND(hh, worker->by_number, &number, sizeof(number), session);
	return session;
}

static void granted(struct worker *worker, const struct msg *msg, int *fd)
{
	struct session *session = find(worker, msg->session);

	if (session != NULL)
		session_granted(session, msg, fd);
}

static void dismiss(struct worker *worker, uint64_t number)
{
	struct session *session = find(worker, number);

	if (session != NULL)
		session_dismiss(session);
}

/* Its descriptor found no place in this process: that one connection is gone, the others go on. */
static void lost_session(struct worker *worker, uint64_t session)
{
	log_event(LOG_LEVEL_ERROR, "refused", LOG_NUMBER("session", session),
		  LOG_TEXT("reason", "no-descriptor"));
	tell_monitor(worker, MSG_SESSION_END, session);
}

/* Messages in one turn: behind each may stand a whole session that comes and goes at once. */
#define MESSAGES_PER_TURN 8

static void on_channel(struct watch *watch, uint32_t ready)
{
	struct worker *worker = CONTAINER_OF(watch, struct worker, channel);
	struct msg msg;
	int fd;
	int r = 1;

	if (ready & EPOLLOUT)
		tell_rest(worker);
	for (int i = 0; i < MESSAGES_PER_TURN && (r = msg_receive(watch->fd, &msg, &fd)) == 1; i++) {
		if (msg.type == MSG_SESSION && fd == -1)
			lost_session(worker, msg.session);
		else if (msg.type == MSG_SESSION && msg.listener < worker->policy->nlisteners)
			session_start(worker, &msg, &fd);
		else if (msg.type == MSG_SOCKET_READY || msg.type == MSG_ANNOUNCED ||
			 msg.type == MSG_SESSION_ADMITTED || msg.type == MSG_SESSION_REFUSED)
			granted(worker, &msg, &fd);
		else if (msg.type == MSG_LIST_SESSIONS)
			session_dump_start(worker, &fd);
		else if (msg.type == MSG_END_SESSION)
			dismiss(worker, msg.session);
		else if (msg.type == MSG_DRAIN)
			drain(worker);
		else if (msg.type == MSG_RETIRE)
			retire(worker);
		else
			log_event(LOG_LEVEL_ERROR, "odd-message", LOG_NUMBER("type", msg.type));
		fd_close(&fd);
	}
	if (r == 1 || r == -EAGAIN)
		return;
	/* The monitor is gone: nobody would start a successor. End with it. */
	loop_unwatch(&worker->loop, watch);
	fd_close(&watch->fd);
	loop_stop(&worker->loop);
}

/* Connections that only linger must not take the descriptors of those that work. */
static size_t lingering_max(void)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_NOFILE, &limit) == -1 ? 64 : (size_t)limit.rlim_cur / 8;
}

/* Load what needs files, then lock up. */
static int worker_setup(struct worker *worker, const struct worker_setup *setup)
{
	struct diags diags;
	const char *step = "";
	int r;

	worker->policy = setup->policy;
	worker->relays = setup->relays;
	worker->modes_refused = calloc(setup->policy->nbackends + 1, sizeof(*worker->modes_refused));
	if (worker->modes_refused == NULL)
		return -ENOMEM;
	r = loop_init(&worker->loop);
	if (r < 0)
		return r;
	(void)signal(SIGPIPE, SIG_IGN); /* splice(2) knows no MSG_NOSIGNAL */
	relay_tools_init(&worker->tools);
	worker->lingering.loop = &worker->loop;
	worker->lingering.on_empty = on_lingering_empty;
	worker->lingering.max = lingering_max();
	watch_init(&worker->channel, on_channel);
	timer_init(&worker->drain_timer, on_drain_timer);
	timer_init(&worker->trim_timer, on_trim_timer);
	worker->channel.fd = setup->channel;
	worker->doorbell = setup->doorbell;
	r = diags_init(&diags, "", NULL, 0);
	if (r < 0)
		return r;
	r = tlsctx_set_load(setup->policy, &diags, &worker->tlsctx);
	if (r == 0)
		r = users_load(setup->policy, &diags, &worker->users);
	if (r < 0) /* the monitor has checked them a moment ago: they are changing under us */
		log_event(LOG_LEVEL_ERROR, "keys-unreadable",
			  LOG_TEXT("error", diags.nitems > 0 ? diags.items[0].message : strerror(-r)));
	diags_done(&diags);
	if (r < 0)
		return r;
	r = sandbox_worker(setup->root, setup->uid, setup->gid, &step);
	if (r < 0) {
		log_event(LOG_LEVEL_ERROR, "sandbox-failed", LOG_TEXT("step", step),
			  LOG_TEXT("error", strerror(-r)));
		return r;
	}
	return loop_watch(&worker->loop, &worker->channel, EPOLLIN);
}

int worker_run(const struct worker_setup *setup)
{
	struct worker *worker = calloc(1, sizeof(*worker));
	int status = EXIT_FAILURE;

	if (worker != NULL && worker_setup(worker, setup) == 0) {
		tell_monitor(worker, MSG_READY, 0);
		if (setup->first)
			expiry_start(worker);
		if (loop_run(&worker->loop) == 0)
			status = EXIT_SUCCESS;
		while (worker->sessions != NULL)
			session_end(worker->sessions, "shutdown");
		linger_done(&worker->lingering);
		session_dump_done(worker);
		loop_done(&worker->loop);
		relay_tools_done(&worker->tools);
		tlsctx_set_free(&worker->tlsctx);
		users_free(&worker->users);
		free(worker->modes_refused);
		free(worker->outbox);
		fd_close(&worker->channel.fd);
		fd_close(&worker->doorbell);
	}
	free(worker);
	return status;
}
