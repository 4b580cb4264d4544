/*
 * Restarts worker processes that die, reads their messages and picks
 * the worker for a new session. A worker that breaks the protocol is killed.
 * Decisions about policies and listeners are the monitor's, which gets callbacks.
 */
#include "gateway/monitor/children.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <utlist.h>

#include "gateway/base/log.h"
#include "gateway/base/shared.h"
#include "gateway/base/util.h"
#include "gateway/monitor/child-start.h"

/* A worker that lives for less than this is restarted after a pause of the same length. */
#define RESTART_MS 1000
/* A keeper without workers has nothing to do but end; one whose file system hangs does not. */
#define KEEPER_END_MS 2000
/* A worker that has taken its share of the monitor's time is not heard for this long. */
#define REST_MS 2
/* A worker that has closed its channel is about to exit; one that does not is killed after this time. */
#define LEAVE_MS 10000

static void on_channel(struct watch *watch, uint32_t ready);
static void on_doorbell(struct watch *watch, uint32_t ready);
static void on_restart(struct timer *timer);
static void on_rested(struct timer *timer);
static void on_limit(struct timer *timer);
static void on_keeper_end(struct timer *timer);

static size_t index_of(const struct child *child)
{
	return (size_t)(child - child->generation->workers);
}

static void log_not_started(const struct generation *generation, const char *step, int r)
{
	log_event(LOG_LEVEL_ERROR, "worker-not-started", LOG_NUMBER("generation", generation->number),
		  LOG_TEXT("step", step), LOG_TEXT("error", strerror(-r)));
}

static int start(struct child *child)
{
	const struct generation *generation = child->generation;
	const struct child_start start = {
		.policy = generation->policy,
		.relays = child->relays,
		.counted = &child->counted,
		.tickets = child->children->tickets,
		.sets = generation->ticket_keys.sets,
		.user_key = child->children->user_key,
		.generation = generation->number,
		.first = index_of(child) == 0,
		.root = child->children->root,
		.key = keeper_fd(&generation->keeper, index_of(child)),
		.gssapi = keeper_gssapi_fd(&generation->keeper, index_of(child)),
		.uid = generation->users.worker_uid,
		.gid = generation->users.worker_gid,
	};
	struct child_ends ends;
	const char *step;
	int r;

	*child->relays = 0;
	r = child_start(&start, &ends, &step);
	if (r < 0) {
		log_not_started(generation, step, r);
		return r;
	}
	child->pid = r;
	if (start.key != -1)
		generation->keeper.counts[index_of(child)].worker = r;
	child->channel.fd = ends.channel;
	child->reports = ends.reports;
	child->doorbell.fd = ends.doorbell;
	child->ready = child->ready_reported = child->stop_pending = false;
	child->stop_sent = MSG_NONE;
	child->given_up = false;
	child->nsessions = 0;
	child->given = 0;
	child->audit_due = false;
	child->debt = (struct child_debt){ 0 };
	child->started_ms = child->children->loop->now_ms;
	r = loop_watch(child->children->loop, &child->doorbell, EPOLLIN | EPOLLET);
	if (r == 0 && child->children->start_limit_ms != 0)
		r = loop_timer(child->children->loop, &child->limit, child->children->start_limit_ms);
	if (r < 0)
		child_kill(child, "no-memory");
	return r;
}

/* At its start, it reads certificates and keys, or waits for a keeper that does: a file system may hang. */
static void on_limit(struct timer *timer)
{
	struct child *child = CONTAINER_OF(timer, struct child, limit);

	child_kill(child, child->ready ? "cannot-be-drained" : "not-ready-in-time");
}

static void on_restart(struct timer *timer)
{
	struct child *child = CONTAINER_OF(timer, struct child, restart);

	if (child->generation->retired)
		return;
	count(WORKER_RESTARTS, 0, 1);
	if (start(child) < 0)
		/* cannot fail: the timer has just left the heap, so there is room */
		(void)loop_timer(child->children->loop, timer, RESTART_MS);
}

/* Send the order to end, now or when the channel has room again. */
static void send_stop(struct child *child)
{
	struct msg msg = { .type = child->stop_sent };
	int r = msg_send(child->channel.fd, &msg, -1);

	child->stop_pending = r == -EAGAIN;
	if (r == -EPIPE || r == -ECONNRESET) /* it ends by itself after its last session; SIGCHLD comes */
		r = loop_timer(child->children->loop, &child->limit, LEAVE_MS);
	if (r == 0 || r == -EAGAIN)
		r = loop_watch(child->children->loop, &child->channel, child->stop_pending ? EPOLLOUT : 0);
	if (r < 0)
		child_kill(child, "cannot-be-drained");
}

static void on_channel(struct watch *watch, uint32_t ready)
{
	struct child *child = CONTAINER_OF(watch, struct child, channel);

	(void)ready;
	if (child->stop_pending)
		send_stop(child);
}

/* Until the timer runs out, the monitor does not read the messages of this worker. */
static void rest(struct child *child)
{
	if (timer_is_armed(&child->rest) || loop_timer(child->children->loop, &child->rest, REST_MS) < 0)
		return;
	(void)loop_watch(child->children->loop, &child->doorbell, 0); /* removing cannot fail */
}

/* Reads the messages of one worker, until it has none or has to rest. */
static void drain_reports(struct child *child)
{
	struct msg msg;
	int r = -EAGAIN;

	child_debt_begin(&child->debt);
	while (child->reports != -1 && !child_debt_is_due(&child->debt) &&
	       (r = msg_take(child->reports, &msg)) == 1) {
		if (!msg_is_for(MSG_TO_MONITOR, &msg, -1)) {
			child_kill_for(child, &msg, "unknown-message");
			return;
		}
		child->children->on_message(child, &msg);
		child_debt_charge(&child->debt);
	}
	if (r == -EPROTO)
		child_kill(child, "piece-of-a-message");
	else if (child->reports != -1 && child_debt_is_due(&child->debt))
		rest(child);
	/* at the end of the pipe the worker exits; SIGCHLD brings its status */
}

static void drain_others(struct children *children, const struct child *last)
{
	struct generation *generation;

	DL_FOREACH (children->head, generation)
		for (size_t i = 0; i < generation->n; i++)
			if (&generation->workers[i] != last)
				drain_reports(&generation->workers[i]);
}

void children_drain_reports(struct children *children)
{
	drain_others(children, NULL);
}

/* A request may depend on earlier messages of other workers that rang no doorbell. */
static void hear(struct child *child)
{
	drain_others(child->children, child);
	drain_reports(child);
	if (child->ready && !child->ready_reported) {
		child->ready_reported = true;
		loop_timer_stop(child->children->loop, &child->limit);
		child->children->on_ready(child);
	}
}

static void on_doorbell(struct watch *watch, uint32_t ready)
{
	struct child *child = CONTAINER_OF(watch, struct child, doorbell);

	(void)ready;
	child_debt_ring(&child->debt);
	hear(child);
}

static void on_rested(struct timer *timer)
{
	struct child *child = CONTAINER_OF(timer, struct child, rest);

	if (child->doorbell.fd == -1)
		return;
	if (loop_watch(child->children->loop, &child->doorbell, EPOLLIN | EPOLLET) < 0)
		child_kill(child, "no-memory");
	else
		hear(child);
}

/* Close the channels: no message of this worker is read from now on. */
static void disconnect(struct child *child)
{
	if (child->channel.fd != -1)
		loop_unwatch(child->children->loop, &child->channel);
	if (child->doorbell.fd != -1)
		loop_unwatch(child->children->loop, &child->doorbell);
	loop_timer_stop(child->children->loop, &child->rest);
	loop_timer_stop(child->children->loop, &child->limit);
	fd_close(&child->channel.fd);
	fd_close(&child->reports);
	fd_close(&child->doorbell.fd);
}

static void generation_free(struct generation *generation)
{
	for (size_t i = 0; i < generation->n; i++) {
		struct child *child = &generation->workers[i];

		loop_timer_stop(child->children->loop, &child->restart);
		disconnect(child);
		shared_unmap((void *)(uintptr_t)child->relays, sizeof(*child->relays));
		counted_close(&child->counted);
	}
	loop_timer_stop(generation->workers[0].children->loop, &generation->keeper_end);
	totals_add_keys(count_page, &generation->keeper);
	keeper_end(&generation->keeper);
	free(generation->workers);
	policy_free(&generation->policy);
	ticket_keys_free(&generation->ticket_keys);
	free(generation->text);
	free(generation->own_text);
	free(generation);
}

static int prepare(struct generation *generation, struct children *children)
{
	int r = 0;

	for (size_t i = 0; i < generation->n; i++) {
		struct child *child = &generation->workers[i];

		*child = (struct child){ .children = children, .generation = generation, .reports = -1 };
		watch_init(&child->channel, on_channel);
		watch_init(&child->doorbell, on_doorbell);
		timer_init(&child->restart, on_restart);
		timer_init(&child->rest, on_rested);
		timer_init(&child->limit, on_limit);
		child->relays = shared_map(sizeof(*child->relays));
		r = counted_open(&child->counted) < 0 || child->relays == NULL ? -ENOMEM : r;
	}
	return r;
}

int generation_start(struct children *children, struct policy **policy, const struct keeper_user *users,
		     struct ticket_keys *keys, struct generation **ret_generation)
{
	struct generation *generation = calloc(1, sizeof(*generation));
	int r;

	if (generation == NULL)
		return -ENOMEM;
	generation->number = ++children->last;
	timer_init(&generation->keeper_end, on_keeper_end);
	generation->users = *users;
	generation->n = child_start_wanted(*policy);
	generation->workers = calloc(generation->n, sizeof(*generation->workers));
	if (generation->workers == NULL) {
		free(generation);
		return -ENOMEM;
	}
	generation->policy = *policy;
	generation->ticket_keys = *keys;
	totals_map(&children->totals, *policy, &generation->counted);
	r = prepare(generation, children);
	DL_APPEND(children->head, generation);
	if (r == 0 && policy_isolates_keys(*policy, children->root)) {
		r = keeper_start(&generation->keeper, *policy, generation->n, users, children->root);
		if (r < 0)
			log_not_started(generation, "start the keeper of the keys", r);
	}
	for (size_t i = 0; r == 0 && i < generation->n; i++)
		r = start(&generation->workers[i]);
	if (r < 0) {
		generation->policy = NULL; /* still the caller's */
		generation->ticket_keys = (struct ticket_keys){ NULL, NULL };
		generation_retire(generation, MSG_DRAIN);
		return r;
	}
	*policy = NULL;
	*keys = (struct ticket_keys){ NULL, NULL };
	*ret_generation = generation;
	return 0;
}

static void on_keeper_end(struct timer *timer)
{
	const struct generation *generation = CONTAINER_OF(timer, struct generation, keeper_end);

	if (generation->keeper.pid != 0)
		(void)kill(generation->keeper.pid, SIGKILL); /* it may be dead already */
}

static void free_if_gone(struct children *children, struct generation *generation)
{
	for (size_t i = 0; i < generation->n; i++)
		if (generation->workers[i].pid != 0)
			return;
	keeper_hang_up(&generation->keeper);
	if (generation->keeper.pid != 0) { /* its end is next */
		if (loop_timer(children->loop, &generation->keeper_end, KEEPER_END_MS) < 0)
			on_keeper_end(&generation->keeper_end);
		return;
	}
	DL_DELETE(children->head, generation);
	children->on_retired(children, generation);
	generation_free(generation);
}

static void end_process(struct child *child)
{
	child->ready = false;
	disconnect(child);
	(void)kill(child->pid, SIGKILL); /* fails only if the process is dead already */
}

void generation_retire(struct generation *generation, enum msg_type how)
{
	struct children *children = generation->workers[0].children;

	generation->retired = true;
	for (size_t i = 0; i < generation->n; i++) {
		struct child *child = &generation->workers[i];

		loop_timer_stop(children->loop, &child->restart);
		if (child->pid == 0 || child->stop_sent >= how)
			continue;
		child->stop_sent = how;
		child->stop_pending = true;
		if (child->ready)
			send_stop(child);
		else if (child->channel.fd != -1) { /* it starts: it reads no orders and has no sessions */
			child->given_up = true;
			end_process(child);
		} /* else it has been killed */
	}
	free_if_gone(children, generation);
}

void child_kill_for(struct child *child, const struct msg *msg, const char *reason)
{
	const char *name = msg != NULL ? msg_name(msg->type) : NULL;

	log_event(LOG_LEVEL_ERROR, "worker-killed", LOG_NUMBER("pid", child->pid), LOG_TEXT("reason", reason),
		  LOG_TEXT(msg != NULL ? "message" : "", name != NULL ? name : "unknown"),
		  LOG_NUMBER(msg != NULL ? "session" : "", msg != NULL ? msg->session : 0));
	end_process(child);
}

void child_kill(struct child *child, const char *reason)
{
	child_kill_for(child, NULL, reason);
}

/*
 * on_death may retire the generation, which is freed with its last worker, so the
 * child is not used after that call.
 */
static void child_died(struct child *child, int status)
{
	struct children *children = child->children;
	struct generation *generation = child->generation;
	pid_t pid = child->pid;
	bool soon = children->loop->now_ms - child->started_ms < RESTART_MS;
	bool retired = generation->retired;

	disconnect(child);
	child->pid = 0;
	child->ready = false;
	child->nsessions = 0;
	totals_bury(&children->totals, &child->counted, &generation->counted);
	if (!retired && loop_timer(children->loop, &child->restart, soon ? RESTART_MS : 0) < 0)
		log_not_started(generation, "wait before the next try", -ENOMEM);
	children->on_death(child, pid, status);
	if (retired)
		free_if_gone(children, generation);
}

static struct child *find(struct children *children, pid_t pid)
{
	struct generation *generation;

	DL_FOREACH (children->head, generation)
		for (size_t i = 0; i < generation->n; i++)
			if (generation->workers[i].pid == pid)
				return &generation->workers[i];
	return NULL;
}

/* Or another process has. on_keeper_death may retire the generation, as on_death may. */
static void keeper_died(struct children *children, pid_t pid, int status)
{
	struct generation *generation;

	DL_FOREACH (children->head, generation)
		if (generation->keeper.pid == pid)
			break;
	if (generation == NULL) {
		children->on_other(children, pid, status);
		return;
	}
	generation->keeper.pid = 0;
	if (keeper_is_hung_up(&generation->keeper))
		free_if_gone(children, generation);
	else
		children->on_keeper_death(generation, pid, status);
}

void children_ended(struct children *children, pid_t pid, int status)
{
	struct child *child = find(children, pid);

	if (child != NULL)
		child_died(child, status);
	else
		keeper_died(children, pid, status);
}

void children_reap(struct children *children)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		children_ended(children, pid, status);
}

void children_kill(struct children *children)
{
	struct generation *generation;

	DL_FOREACH (children->head, generation) {
		for (size_t i = 0; i < generation->n; i++)
			if (generation->workers[i].pid != 0)
				(void)kill(generation->workers[i].pid, SIGKILL); /* it may be dead already */
		keeper_hang_up(&generation->keeper); /* without workers, keeper and signers end */
	}
}

void children_done(struct children *children)
{
	while (children->head != NULL) {
		struct generation *generation = children->head;

		DL_DELETE(children->head, generation);
		generation_free(generation);
	}
}
