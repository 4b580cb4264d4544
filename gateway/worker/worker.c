/*
 * The life of a worker: it reads the files that it needs, drops its privileges, then
 * handles messages of the monitor and events of sessions until the last session has
 * ended.
 */
#include "gateway/worker/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "gateway/base/event-list.h"
#include "gateway/base/log.h"
#include "gateway/base/msg.h"
#include "gateway/base/util.h"
#include "gateway/host/facts.h"
#include "gateway/host/filter.h"
#include "gateway/host/sandbox.h"
#include "gateway/host/worker-calls.h"
#include "gateway/key/provider.h"
#include "gateway/worker/context.h"
#include "gateway/worker/data-grant.h"
#include "gateway/worker/dump.h"
#include "gateway/worker/expiry.h"
#include "gateway/worker/server-check.h"
#include "gateway/worker/server-list.h"
#include "gateway/worker/session-list.h"
#include "gateway/worker/session-audit.h"
#include "gateway/worker/session-log.h"
#include "gateway/worker/session-end.h"
#include "gateway/worker/session.h"
#include "gateway/worker/trace-order.h"
#include "gateway/worker/worker-files.h"

static void end_if_drained(struct worker *worker)
{
	if (worker->retired && worker->sessions.n == 0 && worker->lingering.n == 0)
		loop_stop(&worker->loop);
}

static void on_lingering_empty(struct linger_list *list)
{
	end_if_drained(CONTAINER_OF(list, struct worker, lingering));
}

static void on_session_removed(struct session_table *table)
{
	end_if_drained(CONTAINER_OF(table, struct worker, sessions));
}

/* A drain waits for transfers, but not for servers that do not reply. */
#define DRAIN_LOOK_MS  5000
#define DRAIN_STUCK_MS 60000

static void on_drain_timer(struct timer *timer)
{
	struct worker *worker = CONTAINER_OF(timer, struct worker, drain_timer);
	struct session_node *next;

	for (struct session_node *node = worker->sessions.head; node != NULL; node = next) {
		struct session *session = session_of(node);

		next = node->next;
		if (session_is_stuck(session, DRAIN_STUCK_MS))
			session_end(session, "shutdown");
	}
	/* cannot fail: the timer has just left the heap, so there is room */
	(void)loop_timer(&worker->loop, timer, DRAIN_LOOK_MS);
}

static void drain(struct worker *worker)
{
	struct session_node *next;

	if (worker->draining)
		return;
	worker->retired = worker->draining = true;
	linger_hurry(&worker->lingering);
	/* if it fails, only a second signal ends stuck sessions */
	(void)loop_timer(&worker->loop, &worker->drain_timer, DRAIN_LOOK_MS);
	for (struct session_node *node = worker->sessions.head; node != NULL; node = next) {
		next = node->next;
		session_shutdown(session_of(node));
	}
	end_if_drained(worker);
}

static void on_retire(struct worker *worker, const struct msg *msg, int *fd)
{
	(void)msg;
	(void)fd;
	worker->retired = true;
	end_if_drained(worker);
}

static void on_drain(struct worker *worker, const struct msg *msg, int *fd)
{
	(void)msg;
	(void)fd;
	drain(worker);
}

/* Clients get 421 where possible. An upload that is under way is reset, as in session_end(). */
static void stop(struct worker *worker)
{
	struct session_node *next;

	worker->retired = worker->draining = true;
	linger_hurry(&worker->lingering);
	for (struct session_node *node = worker->sessions.head; node != NULL; node = next) {
		next = node->next;
		session_stop(session_of(node));
	}
	while (worker->sessions.head != NULL) /* the ones that could not be told */
		session_end(session_of(worker->sessions.head), "shutdown");
	end_if_drained(worker);
}

static void on_stop(struct worker *worker, const struct msg *msg, int *fd)
{
	(void)msg;
	(void)fd;
	stop(worker);
}

static void on_session(struct worker *worker, const struct msg *msg, int *fd)
{
	if (*fd != -1 && msg->listener < worker->policy->nlisteners) {
		session_start(worker, msg, fd);
		return;
	}
	/* The process had no room for the descriptor: this connection is lost, the others go on. */
	session_log_lost(msg, "no-descriptor");
	session_audit_lost(msg, "no-descriptor");
	uplink_notify(&worker->uplink, MSG_SESSION_END, msg->session);
}

/* An answer. Its session may be over by now. */
static void on_answer(struct worker *worker, const struct msg *msg, int *fd)
{
	struct session *session = session_of(session_table_find(&worker->sessions, msg->session));

	if (session != NULL)
		session_granted(session, msg, fd);
	else if (msg->type == MSG_PLAN_ARRIVED && *fd != -1)
		data_grant_too_late(msg, fd);
}

static void on_list_sessions(struct worker *worker, const struct msg *msg, int *fd)
{
	dump_start(worker, fd, session_list_next, msg);
}

static void on_list_servers(struct worker *worker, const struct msg *msg, int *fd)
{
	dump_start(worker, fd, server_list_next, msg);
}

static bool next_event(const struct worker *worker, const struct session_filter *filter, uint64_t *at,
		       struct answer *ret_answer)
{
	(void)worker;
	(void)filter;
	return event_list_next(at, ret_answer);
}

static void on_list_events(struct worker *worker, const struct msg *msg, int *fd)
{
	dump_start(worker, fd, next_event, msg);
}

static void on_end_session(struct worker *worker, const struct msg *msg, int *fd)
{
	struct session *session = session_of(session_table_find(&worker->sessions, msg->session));

	(void)fd;
	if (session != NULL && session_list_wants(worker, &msg->filter, session))
		session_dismiss(session);
}

static void on_check(struct worker *worker, const struct msg *msg, int *fd)
{
	(void)fd;
	server_check_start(worker, msg);
}

static void on_ticket_seed(struct worker *worker, const struct msg *msg, int *fd)
{
	(void)fd;
	if (msg->serial < worker->policy->ntls_actions)
		tlsctx_set_renew(worker->tlsctx, msg->serial, &msg->ticket);
	/* the key before it has an end now */
	(void)loop_timer(&worker->loop, &worker->ticket_timer, 0); /* its place in the heap is there */
}

static void on_ticket_part(struct worker *worker, const struct msg *msg, int *fd)
{
	(void)fd;
	if (msg->serial < worker->policy->ntls_actions)
		tlsctx_set_replace(worker->tlsctx, msg->serial, &msg->tickets, worker->loop.now_ms);
	/* a key that is kept for its tickets has an end now */
	(void)loop_timer(&worker->loop, &worker->ticket_timer, 0); /* its place in the heap is there */
}

/*
 * The audit trail and the xferlog keep their numbers, by which the filter knows them, and which no
 * session may get. Returns the number, or -1 if there is no descriptor.
 */
static int put_in_place(const struct worker *worker, int place, int *fd)
{
	/* without one, the place must not stay free, nor a file that was renamed open */
	int r = dup3(*fd != -1 ? *fd : worker->uplink.doorbell, place, O_CLOEXEC);
	bool given = *fd != -1;

	fd_close(fd);
	return given ? r : -1;
}

static void on_audit(struct worker *worker, const struct msg *msg, int *fd)
{
	(void)audit_use((enum audit_kind)msg->purpose, put_in_place(worker, WORKER_AUDIT_FD, fd));
}

static void on_xferlog(struct worker *worker, const struct msg *msg, int *fd)
{
	(void)msg;
	(void)audit_use_xferlog(put_in_place(worker, WORKER_XFERLOG_FD, fd));
}

static void on_audit_failure(void *owner, int error)
{
	struct worker *worker = owner;

	(void)error; /* the monitor finds out itself */
	uplink_notify(&worker->uplink, MSG_AUDIT_FAILED, 0);
}

/* After the sandbox, whose user and numbers of descriptors count. */
static void start_audit(struct worker *worker, const struct worker_setup *setup)
{
	audit_start(&(struct audit_start){ .kind = policy_audit_kind(&setup->policy->daemon),
					   .fds = setup->audit,
					   .on_failure = on_audit_failure,
					   .owner = worker });
	audit_event("process-start", AUDIT_TEXT("role", "worker"),
		    AUDIT_NUMBER("generation", setup->generation));
}

/*
 * The messages that a worker accepts from the monitor; it logs any other. A handler
 * may take *fd over.
 */
typedef void message_fn(struct worker *worker, const struct msg *msg, int *fd);

static message_fn *const message_handlers[MSG_TYPE_COUNT] = {
	[MSG_SESSION] = on_session,
	[MSG_RETIRE] = on_retire,
	[MSG_DRAIN] = on_drain,
	[MSG_STOP] = on_stop,
	[MSG_SOCKET_READY] = on_answer,
	[MSG_ANNOUNCED] = on_answer,
	[MSG_PLAN_TOLD] = on_answer,
	[MSG_PLAN_ARRIVED] = on_answer,
	[MSG_PLAN_GIVE] = on_answer,
	[MSG_LIST_SESSIONS] = on_list_sessions,
	[MSG_LIST_SERVERS] = on_list_servers,
	[MSG_LIST_EVENTS] = on_list_events,
	[MSG_TRACE] = trace_order_follow,
	[MSG_TRACE_LAST] = trace_order_last,
	[MSG_END_SESSION] = on_end_session,
	[MSG_SERVER] = on_answer,
	[MSG_CHECK] = on_check,
	[MSG_LOGIN_GO] = on_answer,
	[MSG_LOGIN_CHECKED] = on_answer,
	[MSG_SESSION_ADMITTED] = on_answer,
	[MSG_SESSION_REFUSED] = on_answer,
	[MSG_TICKET_SEED] = on_ticket_seed,
	[MSG_TICKET_PART] = on_ticket_part,
	[MSG_AUDIT] = on_audit,
	[MSG_XFERLOG] = on_xferlog,
};

static void on_message(struct worker *worker, const struct msg *msg, int *fd)
{
	message_fn *handler = msg->type < MSG_TYPE_COUNT ? message_handlers[msg->type] : NULL;

	if (handler != NULL)
		handler(worker, msg, fd);
	else
		log_event(LOG_LEVEL_ERROR, "odd-message", LOG_NUMBER("type", msg->type));
}

/* Messages in one turn; each may start and end a whole session. */
#define MESSAGES_PER_TURN 8

static void on_channel(struct watch *watch, uint32_t ready)
{
	struct worker *worker = CONTAINER_OF(watch, struct worker, uplink.channel);
	struct msg msg;
	int fd;
	int r = 1;

	(void)ready;
	for (int i = 0; i < MESSAGES_PER_TURN && (r = msg_receive(watch->fd, &msg, &fd)) == 1; i++) {
		on_message(worker, &msg, &fd);
		fd_close(&fd);
	}
	if (r == 1 || r == -EAGAIN)
		return;
	/* The monitor is gone, so no process would restart this worker: exit, too. */
	loop_unwatch(&worker->loop, watch);
	fd_close(&watch->fd);
	stop(worker);
}

/* Lingering connections must leave enough descriptors for sessions. */
static size_t lingering_max(void)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_NOFILE, &limit) == -1 ? 64 : (size_t)limit.rlim_cur / 8;
}

#define MINUTE_MS 60000

static void on_servers_timer(struct timer *timer)
{
	struct worker *worker = CONTAINER_OF(timer, struct worker, servers_timer);

	server_memory_age(worker->servers);
	(void)loop_timer(&worker->loop, timer, MINUTE_MS); /* its place in the heap is there */
}

static void on_ticket_timer(struct timer *timer)
{
	struct worker *worker = CONTAINER_OF(timer, struct worker, ticket_timer);

	(void)loop_timer(&worker->loop, timer, tlsctx_set_expire(worker->tlsctx, worker->loop.now_ms) + 1);
}

/* Read all files, then drop privileges. */
static int worker_setup(struct worker *worker, const struct worker_setup *setup)
{
	const char *step = "";
	int r;

	worker->policy = setup->policy;
	worker->relays = setup->relays;
	count_use(setup->counters);
	worker->servers = calloc(1, sizeof(*worker->servers));
	worker->known = calloc(1, sizeof(*worker->known));
	if (worker->servers == NULL || worker->known == NULL)
		return -ENOMEM;
	r = loop_init(&worker->loop);
	if (r < 0)
		return r;
	timer_init(&worker->servers_timer, on_servers_timer);
	r = loop_timer(&worker->loop, &worker->servers_timer, MINUTE_MS);
	if (r == 0)
		r = trace_init(&worker->trace, &worker->loop, setup->policy->daemon.trace_memory);
	if (r < 0)
		return r;
	tzset();			/* the xferlog has local times, and nothing can be read later */
	(void)signal(SIGPIPE, SIG_IGN); /* splice(2) has no MSG_NOSIGNAL */
	r = filter_fill_own_fds(); /* before the pipe of splice(2), which must not count as one of them */
	if (r < 0)
		return r;
	relay_tools_init(&worker->tools);
	worker->lingering.loop = &worker->loop;
	worker->lingering.on_empty = on_lingering_empty;
	worker->lingering.max = lingering_max();
	uplink_init(&worker->uplink, &worker->loop,
		    &(struct uplink_fds){
			.channel = setup->channel, .reports = setup->reports, .doorbell = setup->doorbell },
		    on_channel);
	session_table_init(&worker->sessions, &worker->loop, on_session_removed);
	timer_init(&worker->drain_timer, on_drain_timer);
	r = worker_files_load(worker, setup);
	if (r < 0)
		return r;
	memcpy(worker->user_key, setup->user_key, sizeof(worker->user_key));
	timer_init(&worker->ticket_timer, on_ticket_timer);
	r = loop_timer(&worker->loop, &worker->ticket_timer, 0);
	if (r < 0)
		return r;
	r = sandbox_worker(&(struct sandbox_worker){ .root = setup->root,
						     .uid = setup->uid,
						     .gid = setup->gid,
						     .ktls = host_wants_ktls(setup->policy),
						     .dials = host_workers_dial(setup->policy) },
			   &step);
	if (r < 0) {
		log_event(LOG_LEVEL_ERROR, "sandbox-failed", LOG_TEXT("step", step),
			  LOG_TEXT("error", strerror(-r)));
		return r;
	}
	return loop_watch(&worker->loop, &worker->uplink.channel, EPOLLIN);
}

int worker_run(const struct worker_setup *setup)
{
	struct worker *worker = calloc(1, sizeof(*worker));
	int status = EXIT_FAILURE;

	if (worker == NULL)
		return status;
	if (worker_setup(worker, setup) == 0) {
		expiry_publish(worker);
		uplink_notify(&worker->uplink, MSG_READY, 0);
		start_audit(worker, setup);
		if (setup->first)
			expiry_start(worker);
		if (loop_run(&worker->loop) == 0)
			status = EXIT_SUCCESS;
		while (worker->sessions.head != NULL)
			session_end(session_of(worker->sessions.head), "shutdown");
		audit_event("process-stop", AUDIT_NUMBER("status", status),
			    AUDIT_NUMBER("sessions_unlisted", worker->unlisted));
		server_checks_done(worker);
		linger_done(&worker->lingering);
		dumps_done(worker);
		trace_done(&worker->trace);
		loop_done(&worker->loop);
		relay_tools_done(&worker->tools);
		worker_files_free(worker);
		free(worker->servers);
		tlsctx_known_done(worker->known);
		free(worker->known);
		uplink_done(&worker->uplink);
	} else if (worker->keys != NULL && key_provider_lacks_keys(worker->keys)) {
		status = WORKER_EXIT_STALE;
	}
	free(worker);
	return status;
}
