/*
 * The first process. It accepts connections and hands each to a worker, replaces
 * the generation of workers at a reload, and reacts to signals. Everything that it
 * decides about a session it decides from its own counts (admission.c), never from
 * a worker's word.
 */
#include "gateway/monitor/monitor.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "gateway/base/loop.h"
#include "gateway/base/util.h"
#include "gateway/monitor/acceptor.h"
#include "gateway/monitor/admission.h"
#include "gateway/monitor/bounded-close.h"
#include "gateway/monitor/children.h"
#include "gateway/monitor/ticket-source.h"
#include "gateway/monitor/ctl-server.h"
#include "gateway/monitor/ending.h"
#include "gateway/monitor/listen.h"
#include "gateway/monitor/login-queue.h"
#include "gateway/monitor/name-watch.h"
#include "gateway/monitor/notify.h"
#include "gateway/monitor/policy-load.h"
#include "gateway/monitor/privileged.h"
#include "gateway/monitor/requests.h"
#include "gateway/monitor/signals.h"
#include "gateway/monitor/startup.h"
#include "gateway/monitor/successor.h"
#include "gateway/worker/worker.h"

/* sysexits.h's EX_CONFIG: a restart does not help before somebody changes the policy. */
#define EXIT_POLICY 78
/* A generation that is not whole is replaced after this time. */
#define RENEWAL_MS 1000
/* For a worker to load certificates and keys, or to get them from the keeper. */
#define START_LIMIT_MS 60000
static const char STEP_POLICY[] = "read and check the policy";

struct monitor {
	struct loop loop;
	const char *path;
	struct signals signals;
	struct acceptor acceptor;
	struct timer renewal; /* reload: the running generation cannot replace one of its processes */
	struct ending ending;
	struct policy_load load;
	struct children children;
	struct ticket_source tickets;
	struct name_watch names;
	struct generation *current;
	struct generation *coming; /* a reload's, until its workers are ready */
	struct listener_set listeners;
	struct listener_set coming_listeners;
	struct admission admission;
	struct login_queue logins;
	struct privileged privileged;
	struct requests requests;
	struct ctl_server ctl_server;
	struct notify notify;
	struct answer_gateway facts;	 /* for operators; describe() fills in what changes */
	uint64_t started_ms, current_ms; /* when attlsd started, and when the current generation took over */
	bool stopping;
	int status;
};

static void on_signal(void *owner, uint32_t number);

static void fail(struct monitor *monitor)
{
	monitor->status = EXIT_FAILURE;
	ending_kill(&monitor->ending);
}

/* All workers of the coming generation are ready, so it takes over. */
static void promote(struct monitor *monitor)
{
	struct generation *old = monitor->current;

	monitor->current = monitor->coming;
	monitor->coming = NULL;
	listener_set_replace(&monitor->coming_listeners, &monitor->listeners, &monitor->loop);
	monitor->listeners = monitor->coming_listeners;
	for (size_t i = 0; i < monitor->listeners.n; i++)
		monitor->listeners.items[i].owner = &monitor->acceptor;
	monitor->coming_listeners = (struct listener_set){ .items = NULL };
	monitor->current_ms = monitor->loop.now_ms;
	monitor->facts.generation = monitor->current->number;
	monitor->facts.limit = monitor->current->policy->daemon.limit_sessions;
	log_setup(monitor->current->policy->daemon.log_level, monitor->current->policy->daemon.log_format);
	if (listener_set_accept(&monitor->listeners, &monitor->loop, true) < 0) {
		log_event(LOG_LEVEL_ERROR, "cannot-listen", LOG_TEXT("error", strerror(ENOMEM)));
		fail(monitor);
		return;
	}
	ctl_server_promote(&monitor->ctl_server);
	listener_set_log(&monitor->listeners, old == NULL ? "ready" : "reloaded");
	notify_ready(&monitor->notify);
	name_watch_follow(&monitor->names, monitor->current);
	if (old != NULL)
		generation_retire(old, MSG_RETIRE);
}

static void on_ready(struct child *child)
{
	struct monitor *monitor = child->children->owner;

	if (child->generation == monitor->coming && generation_is_ready(child->generation))
		promote(monitor);
	else if (child->generation == monitor->current && !monitor->stopping)
		acceptor_resume(&monitor->acceptor);
}

static void on_message(struct child *child, const struct msg *msg)
{
	const struct monitor *monitor = child->children->owner;
	const char *reason = request_take(&monitor->requests, child, msg, monitor->loop.now_ms);

	if (reason != NULL)
		child_kill_for(child, msg, reason);
}

static void abandon_reload(struct monitor *monitor, const char *reason)
{
	struct generation *coming = monitor->coming;

	monitor->coming = NULL;
	listener_set_close(&monitor->coming_listeners, &monitor->loop);
	ctl_server_abandon(&monitor->ctl_server, reason);
	log_event(LOG_LEVEL_ERROR, "reload-failed", LOG_TEXT("reason", reason),
		  LOG_TEXT("policy", "the running policy stays in force"));
	if (coming != NULL)
		generation_retire(coming, MSG_DRAIN);
	notify_ready(&monitor->notify);
}

/* A generation has lost a process that only a new generation can have again. */
static void replace_generation(struct monitor *monitor, const struct generation *generation,
			       const char *reason)
{
	if (generation == monitor->coming && monitor->current == NULL) {
		fail(monitor); /* the first generation did not start */
	} else if (generation == monitor->coming) {
		abandon_reload(monitor, reason);
	} else if (generation == monitor->current && !monitor->stopping) {
		log_event(LOG_LEVEL_WARNING, "reload-needed", LOG_TEXT("reason", reason));
		/* if it fails, this generation continues as well as it can */
		(void)loop_timer(&monitor->loop, &monitor->renewal, RENEWAL_MS);
	}
}

/* Its signers go on without it, but nothing would replace them. */
static void on_keeper_death(struct generation *generation, pid_t pid, int status)
{
	struct monitor *monitor = generation->workers[0].children->owner;

	log_event(LOG_LEVEL_ERROR, "keeper-died", LOG_NUMBER("pid", pid),
		  LOG_TEXT(WIFSIGNALED(status) ? "signal" : "exit",
			   WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "unexpected"));
	replace_generation(monitor, generation, "the keeper ended");
}

static void on_death(struct child *child, pid_t pid, int status)
{
	struct monitor *monitor = child->children->owner;
	size_t lost = request_forget_worker(&monitor->requests, child);
	bool expected =
	    child->stop_sent != MSG_NONE && WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;

	if (!expected)
		ending_log_death(pid, status, lost);
	if (child->generation == monitor->coming)
		replace_generation(monitor, child->generation, "a worker did not start; the log has more");
	else if (WIFEXITED(status) && WEXITSTATUS(status) == WORKER_EXIT_STALE)
		replace_generation(monitor, child->generation, "a certificate file has a new key");
}

static void on_retired(struct children *children, const struct generation *gone)
{
	struct monitor *monitor = children->owner;

	if (monitor->current == gone) /* at the end of attlsd, older generations may outlive it */
		monitor->current = NULL;
	if (monitor->stopping && children->head == NULL)
		loop_stop(&monitor->loop);
}

/*
 * Start a generation for the policy, in addition to the current one if there is one.
 * *ret_step is the step that failed.
 */
static int bring_up(struct monitor *monitor, struct policy_loaded *loaded, const char **ret_step)
{
	struct policy *policy = loaded->policy;
	int r;

	if (monitor->current == NULL)
		log_setup(policy->daemon.log_level, policy->daemon.log_format);
	*ret_step = "open the listeners";
	r = listener_set_open(&monitor->coming_listeners, policy, &monitor->listeners, acceptor_on_listener,
			      &monitor->acceptor, &loaded->diags);
	if (r == 0) {
		*ret_step = "open control_socket";
		r = ctl_server_prepare(&monitor->ctl_server, &policy->daemon, &loaded->diags);
	}
	if (r == 0 && monitor->current != NULL) {
		*ret_step = "load the policy without a restart";
		r = privileged_allows(&monitor->privileged, policy, monitor->path);
	}
	if (r == 0 && monitor->current == NULL && monitor->children.root) {
		*ret_step = "use the capabilities that it needs";
		r = startup_check_capabilities(policy);
	}
	if (r == 0) {
		*ret_step = "start the workers";
		startup_prepare_host(policy);
		r = ticket_source_prepare(&monitor->tickets, policy);
		if (r == 0)
			r = generation_start(&monitor->children, &policy, &loaded->users, &monitor->coming);
	}
	if (r == 0)
		name_watch_remember(monitor->coming, loaded);
	policy_free(&policy);
	diags_done(&loaded->diags);
	return r;
}

static void start_failed(struct monitor *monitor, const char *step, int r, const char *error)
{
	monitor->status = step == STEP_POLICY && r != -EHOSTUNREACH && r != -ETIMEDOUT && r != -EPIPE
			      ? EXIT_POLICY
			      : EXIT_FAILURE;
	log_event(LOG_LEVEL_ERROR, "failed", LOG_TEXT("step", step), LOG_TEXT("error", error),
		  LOG_TEXT("policy", monitor->path));
}

static void on_loaded(struct policy_load *load, int r, struct policy_loaded *loaded)
{
	struct monitor *monitor = CONTAINER_OF(load, struct monitor, load);
	const char *step = STEP_POLICY;
	char error[POLICY_LOAD_STEP_MAX + 40], reason[320];

	if (r == 0)
		r = bring_up(monitor, loaded, &step);
	if (r == 0 && monitor->current == NULL)
		r = startup_settle(&monitor->privileged, monitor->coming->policy, monitor->path, &step);
	if (r == 0)
		return;
	(void)policy_load_error(load, r, error, sizeof(error));
	(void)snprintf(reason, sizeof(reason), "could not %s: %s; the log has more", step, error);
	if (monitor->current != NULL) {
		abandon_reload(monitor, reason);
		return;
	}
	start_failed(monitor, step, r, error);
	ending_kill(&monitor->ending);
}

static bool is_reloading(const struct monitor *monitor)
{
	return monitor->coming != NULL || policy_load_runs(&monitor->load);
}

/* A name of the policy in force has other addresses: new sessions get a generation that has them. */
static void on_names_changed(struct name_watch *watch, struct policy_loaded *loaded)
{
	struct monitor *monitor = CONTAINER_OF(watch, struct monitor, names);

	if (monitor->stopping || is_reloading(monitor)) { /* what comes looks names up itself */
		policy_free(&loaded->policy);
		diags_done(&loaded->diags);
		return;
	}
	loaded->users = monitor->current->users;
	on_loaded(&monitor->load, 0, loaded);
}

static void begin_reload(struct monitor *monitor)
{
	int r;

	notify_reloading(&monitor->notify);
	r = policy_load_begin(&monitor->load);
	if (r < 0)
		abandon_reload(monitor, strerror(-r));
}

/* Returns NULL, or the reason why it did not begin. */
static const char *reload(struct monitor *monitor)
{
	const char *busy = monitor->stopping	   ? "attlsd is about to exit"
			   : is_reloading(monitor) ? "another reload is under way; ask again"
						   : NULL;

	if (busy != NULL)
		log_event(LOG_LEVEL_WARNING, "reload-busy", LOG_TEXT("reason", busy));
	else
		begin_reload(monitor);
	return busy;
}

static void on_renewal(struct timer *timer)
{
	struct monitor *monitor = CONTAINER_OF(timer, struct monitor, renewal);

	if (!monitor->stopping && !is_reloading(monitor))
		(void)reload(monitor); /* a refusal has been logged */
}

/*
 * The first call drains: no new sessions, and transfers may finish. The second call
 * ends all sessions at once, in order. A worker that does not do so is killed.
 */
static void stop(struct monitor *monitor)
{
	if (monitor->stopping || monitor->current == NULL) {
		log_event(LOG_LEVEL_INFO, "stopping-now",
			  LOG_NUMBER("sessions", monitor->admission.nsessions));
		if (monitor->current == NULL)
			ending_kill(&monitor->ending);
		else
			ending_now(&monitor->ending);
		return;
	}
	log_event(LOG_LEVEL_INFO, "draining", LOG_NUMBER("sessions", monitor->admission.nsessions));
	monitor->stopping = true;
	policy_load_cancel(&monitor->load);
	name_watch_stop(&monitor->names);
	notify_stopping(&monitor->notify);
	listener_set_close(&monitor->listeners, &monitor->loop);
	listener_set_close(&monitor->coming_listeners, &monitor->loop);
	monitor->coming = NULL;
	ctl_server_abandon(&monitor->ctl_server, "attlsd is about to exit");
	ending_drain(&monitor->ending);
}

static void describe(void *owner, struct answer_gateway *gateway)
{
	const struct monitor *monitor = owner;
	uint64_t now_ms = monitor->loop.now_ms;

	*gateway = monitor->facts;
	gateway->up_ms = now_ms - monitor->started_ms;
	gateway->policy_ms = now_ms - monitor->current_ms;
	gateway->sessions = monitor->admission.nsessions;
	gateway->reloading = is_reloading(monitor);
	gateway->draining = monitor->stopping;
}

static const char *order_reload(void *owner)
{
	return reload(owner);
}

/* From here on, this is another process, which the service manager does not wait for. */
static int make_way(struct monitor *monitor)
{
	int r = successor_fork(&monitor->children);

	if (r < 0)
		return r;
	notify_close(&monitor->notify);
	signals_close(&monitor->signals);
	if (signals_open(&monitor->signals, &monitor->loop, on_signal, monitor) < 0)
		fail(monitor); /* no signal could end it */
	return 0;
}

static const char *order_drain(void *owner, bool restart)
{
	struct monitor *monitor = owner;

	if (monitor->stopping)
		return "attlsd is draining already; a second SIGTERM ends it at once";
	if (restart && !notify_has_manager(&monitor->notify))
		return "no service manager would start another attlsd";
	if (restart && make_way(monitor) < 0)
		return "attlsd cannot start a process for it";
	stop(monitor);
	return NULL;
}

static const struct ctl_calls ctl_calls = { describe, order_reload, order_drain };

static void on_signal(void *owner, uint32_t number)
{
	struct monitor *monitor = owner;

	children_drain_reports(&monitor->children);
	switch (number) {
	case SIGCHLD:
		children_reap(&monitor->children);
		break;
	case SIGHUP:
		(void)reload(monitor); /* a refusal has been logged */
		break;
	case SIGTERM:
	case SIGINT:
		stop(monitor);
		break;
	default:
		break;
	}
}

static int monitor_init(struct monitor *monitor)
{
	int r = loop_init(&monitor->loop);

	if (r < 0)
		return r;
	monitor->status = EXIT_SUCCESS;
	monitor->children = (struct children){
		.loop = &monitor->loop,
		.start_limit_ms = START_LIMIT_MS,
		.root = geteuid() == 0,
		.owner = monitor,
		.on_ready = on_ready,
		.on_message = on_message,
		.on_death = on_death,
		.on_keeper_death = on_keeper_death,
		.on_retired = on_retired,
	};
	admission_init(&monitor->admission);
	login_queue_init(&monitor->logins, &monitor->loop, request_login_go);
	monitor->requests = (struct requests){ &monitor->admission, &monitor->privileged, &monitor->logins };
	monitor->started_ms = monitor->loop.now_ms;
	ctl_server_facts(&monitor->facts, monitor->path);
	notify_open(&monitor->notify, &monitor->loop, &monitor->admission.nsessions,
		    &monitor->facts.generation);
	ctl_server_init(&monitor->ctl_server, &monitor->loop, &monitor->children, &monitor->admission,
			&ctl_calls, monitor);
	acceptor_init(&monitor->acceptor, &monitor->loop, &monitor->children, &monitor->admission,
		      &monitor->logins, &monitor->listeners, &monitor->current);
	timer_init(&monitor->renewal, on_renewal);
	ending_init(&monitor->ending, &monitor->loop, &monitor->children);
	r = ticket_source_init(&monitor->tickets, &monitor->loop, &monitor->children);
	if (r == 0)
		r = bounded_close_init();
	return r < 0 ? r : signals_open(&monitor->signals, &monitor->loop, on_signal, monitor);
}

/* Returns 0 if the loop has run to its end, see monitor->status; *ret_step is the step that failed. */
static int run(struct monitor *monitor, const char **ret_step)
{
	int r;

	*ret_step = "watch for signals";
	r = monitor_init(monitor);
	if (r == 0) {
		*ret_step = "start a process that loads the policy";
		r = policy_load_begin(&monitor->load);
	}
	if (r == 0) {
		*ret_step = "wait for events";
		r = loop_run(&monitor->loop);
	}
	return r;
}

int monitor_run(const char *policy_path)
{
	static struct monitor monitor; /* one per process, and too large for the stack */
	const char *step;
	int r;

	log_setup(LOG_LEVEL_INFO, LOG_FORMAT_TEXT); /* until the policy is known */
	monitor.path = policy_path;
	monitor.notify.fd = -1;
	policy_load_init(&monitor.load, &monitor.loop, policy_path, on_loaded);
	name_watch_init(&monitor.names, &monitor.loop, policy_path, on_names_changed);
	r = run(&monitor, &step);
	if (r < 0)
		start_failed(&monitor, step, r, strerror(-r));
	policy_load_cancel(&monitor.load);
	name_watch_stop(&monitor.names);
	notify_close(&monitor.notify);
	children_kill(&monitor.children);
	listener_set_close(&monitor.listeners, NULL);
	listener_set_close(&monitor.coming_listeners, NULL);
	ctl_server_done(&monitor.ctl_server);
	children_done(&monitor.children);
	ticket_source_done(&monitor.tickets);
	privileged_done(&monitor.privileged);
	login_queue_done(&monitor.logins);
	admission_done(&monitor.admission);
	signals_close(&monitor.signals);
	loop_done(&monitor.loop);
	if (monitor.status == EXIT_SUCCESS)
		log_event(LOG_LEVEL_INFO, "stopped", LOG_NUMBER("pid", getpid()));
	return monitor.status;
}
