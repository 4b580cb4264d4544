/*
 * The first process. It accepts connections and hands each to a worker, replaces
 * the generation of workers at a reload, and reacts to signals. Everything that it
 * decides about a session it decides from its own counts (admission.c), never from
 * a worker's word.
 */
#include "gateway/monitor/ctl-describe.h"
#include "gateway/monitor/monitor.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "gateway/base/audit.h"
#include "gateway/base/log.h"
#include "gateway/base/util.h"
#include "gateway/host/bounded-close.h"
#include "gateway/monitor/heritage-late.h"
#include "gateway/monitor/monitor-state.h"
#include "gateway/monitor/reload.h"
#include "gateway/monitor/share-link.h"
#include "gateway/monitor/successor.h"
#include "gateway/monitor/takeover.h"
#include "gateway/monitor/upgrade-leave.h"
#include "gateway/monitor/upgrade.h"

/* For a worker to load certificates and keys, or to get them from the keeper. */
#define START_LIMIT_MS 60000
/* Until a reload that has to wait for another one is tried again. */
#define AGAIN_MS 500

static void on_signal(void *owner, uint32_t number);

static void on_message(struct child *child, const struct msg *msg)
{
	const struct monitor *monitor = child->children->owner;
	const char *reason = request_take(&monitor->requests, child, msg, monitor->loop.now_ms);

	if (reason != NULL)
		child_kill_for(child, msg, reason);
}

static void on_retired(struct children *children, const struct generation *gone)
{
	struct monitor *monitor = children->owner;

	if (monitor->current == gone) /* at the end of attlsd, older generations may outlive it */
		monitor->current = NULL;
	data_share_settle(&monitor->share);
	if ((monitor->stopping || monitor->upgrade.phase == UPGRADE_GONE) && children->head == NULL &&
	    !upgrade_waits(monitor))
		loop_stop(&monitor->loop);
}

static void on_other(struct children *children, pid_t pid, int status)
{
	struct monitor *monitor = children->owner;

	http_child_ended(&monitor->http, pid, status);
	upgrade_reap(monitor, pid, status);
}

/*
 * The first call drains: no new sessions, and transfers may finish. The second call
 * ends all sessions at once, in order. A worker that does not do so is killed.
 */
static void stop(struct monitor *monitor)
{
	if (upgrade_take_stop(monitor))
		return;
	takeover_stop(monitor, monitor->stopping);
	if (monitor->stopping || monitor->current == NULL) {
		log_event(LOG_LEVEL_INFO, "stopping-now",
			  LOG_NUMBER("sessions", monitor->admission.nsessions));
		audit_event("stopping-now", AUDIT_NUMBER("sessions", monitor->admission.nsessions));
		if (monitor->current == NULL)
			ending_kill(&monitor->ending);
		else
			ending_now(&monitor->ending);
		return;
	}
	log_event(LOG_LEVEL_INFO, "draining", LOG_NUMBER("sessions", monitor->admission.nsessions));
	audit_event("draining", AUDIT_NUMBER("sessions", monitor->admission.nsessions));
	monitor->stopping = true;
	policy_load_cancel(&monitor->load);
	name_watch_stop(&monitor->names);
	notify_stopping(&monitor->notify);
	listener_set_close(&monitor->listeners, &monitor->loop);
	listener_set_close(&monitor->coming_listeners, &monitor->loop);
	activated_close(&monitor->activated);
	monitor->coming = NULL;
	data_share_stop(&monitor->share, monitor->replaced);
	ctl_server_abandon(&monitor->ctl_server, "attlsd is about to exit");
	http_child_abandon(&monitor->http);
	ending_drain(&monitor->ending);
}

static void describe(void *owner, struct answer_gateway *gateway)
{
	const struct monitor *monitor = owner;
	uint64_t now_ms = monitor->loop.now_ms, now_s = (uint64_t)time(NULL);

	*gateway = monitor->facts;
	if (monitor->current != NULL) {
		const char *node = monitor->current->policy->daemon.node;

		memcpy(gateway->sha256, monitor->current->sha256, sizeof(gateway->sha256));
		gateway->secrets_s = ticket_secrets_oldest_s(monitor->current->ticket_keys.secrets);
		(void)snprintf(gateway->node, sizeof(gateway->node), "%s", node != NULL ? node : "");
	}
	gateway->up_ms = now_ms - monitor->started_ms;
	gateway->counted_ms = now_s > monitor->counted_s ? (now_s - monitor->counted_s) * 1000 : 0;
	gateway->policy_ms = now_ms - monitor->current_ms;
	gateway->sessions = monitor->admission.nsessions;
	gateway->reloading = reload_is_under_way(monitor);
	gateway->draining = monitor->stopping;
	gateway->upgrading = monitor->upgrade.phase != UPGRADE_NONE;
	gateway->unaudited = monitor->audit.failing;
	gateway->unaudited_refused = audit_source_refuses(&monitor->audit);
	maintenance_describe(&monitor->maintenance, gateway);
	if (monitor->stopping)
		gateway->deadline_ms = monitor->drain_end_ms > now_ms ? monitor->drain_end_ms - now_ms : 0;
}

/* A new program on the disk is a reason for an upgrade, whoever asks for a reload. */
static const char *order_reload(void *owner, enum ctl_proto_what how)
{
	struct monitor *monitor = owner;

	if (how == CTL_UPGRADE || (how == CTL_RELOAD && program_is_new(monitor->program)))
		return upgrade_begin(monitor);
	takeover_settle(monitor);
	return reload_begin(monitor);
}

/* Nobody waits for the answer. A reload that is under way may have read a file before it changed. */
static void take_reload(struct monitor *monitor)
{
	bool waits = timer_is_armed(&monitor->again);

	if (!monitor->stopping && reload_is_under_way(monitor) &&
	    (waits || loop_timer(&monitor->loop, &monitor->again, AGAIN_MS) == 0)) {
		if (!waits)
			log_event(LOG_LEVEL_INFO, "reload-follows",
				  LOG_TEXT("reason", "another reload or upgrade is under way"));
		return;
	}
	loop_timer_stop(&monitor->loop, &monitor->again);
	(void)order_reload(monitor, CTL_RELOAD); /* a refusal has been logged */
}

static void on_again(struct timer *timer)
{
	struct monitor *monitor = CONTAINER_OF(timer, struct monitor, again);

	if (monitor->stopping || upgrade_take_reload(monitor))
		return;
	if (reload_is_under_way(monitor))
		/* it has fired, so its place is there */
		(void)loop_timer(&monitor->loop, timer, AGAIN_MS);
	else
		take_reload(monitor);
}

/* From here on, this is another process, which the service manager does not wait for. */
static int make_way(struct monitor *monitor)
{
	int r = successor_fork(&monitor->children);

	if (r < 0)
		return r;
	monitor->replaced = true;
	audit_source_forked(&monitor->audit, "successor");
	http_child_end(&monitor->http); /* the next attlsd wants to listen there */
	notify_close(&monitor->notify);
	signals_close(&monitor->signals);
	if (signals_open(&monitor->signals, &monitor->loop, on_signal, monitor) < 0)
		reload_give_up(monitor); /* no signal could end it */
	return 0;
}

static void on_drain_end(struct timer *timer)
{
	struct monitor *monitor = CONTAINER_OF(timer, struct monitor, drain_end);

	stop(monitor); /* for the second time: sessions end at once */
}

static bool refuse(char text[static ANSWER_TEXT_MAX], const char *reason)
{
	(void)snprintf(text, ANSWER_TEXT_MAX, "%s", reason);
	return false;
}

static bool order_drain(struct monitor *monitor, const struct ask *ask, char text[static ANSWER_TEXT_MAX])
{
	bool restart = ask->what == CTL_MAKE_WAY;
	size_t n = monitor->admission.nsessions;
	char deadline[60] = "";

	if (monitor->stopping)
		return refuse(text, "attlsd is draining already; a second SIGTERM ends it at once");
	if (ask->seconds > MAINTENANCE_END_MAX_S)
		return refuse(text, "the deadline is too far away");
	if (restart && !notify_has_manager(&monitor->notify))
		return refuse(text, "no service manager would start another attlsd");
	if (restart && make_way(monitor) < 0)
		return refuse(text, "attlsd cannot start a process for it");
	stop(monitor);
	if (ask->seconds != 0) {
		monitor->drain_end_ms = monitor->loop.now_ms + ask->seconds * UINT64_C(1000);
		(void)snprintf(deadline, sizeof(deadline), ", at the latest in %" PRIu32 " s", ask->seconds);
		/* without memory, it waits for the last transfer, or for a signal */
		(void)loop_timer(&monitor->loop, &monitor->drain_end, ask->seconds * UINT64_C(1000));
	}
	(void)snprintf(
	    text, ANSWER_TEXT_MAX,
	    "draining: %zu session%s will end when idle or after the transfer%s, then attlsd exits", n,
	    n == 1 ? "" : "s", deadline);
	return true;
}

static bool order_audit_reopen(struct monitor *monitor, const struct ask *ask,
			       char text[static ANSWER_TEXT_MAX])
{
	const char *refusal = audit_source_reopen(&monitor->audit);

	(void)ask;
	if (refusal != NULL)
		return refuse(text, refusal);
	(void)snprintf(text, ANSWER_TEXT_MAX, "the audit trail and the xferlog are open anew");
	return true;
}

static void before_counts(void *owner)
{
	takeover_tell_counts(owner);
}

static void on_maintenance_end(struct maintenance *maintenance)
{
	struct monitor *monitor = CONTAINER_OF(maintenance, struct monitor, maintenance);

	if (monitor->upgrade.phase >= UPGRADE_TRIAL)
		/* it has fired, so its place is there; another attlsd has the order now, unless it ends */
		(void)loop_timer(&monitor->loop, &maintenance->end, 1000);
	else if (!monitor->stopping)
		stop(monitor);
}

static bool order_maintenance(struct monitor *monitor, const struct ask *ask,
			      char text[static ANSWER_TEXT_MAX])
{
	size_t n = monitor->admission.nsessions;
	char end[60] = "";

	if (monitor->stopping)
		return refuse(text, "attlsd is draining already");
	if (ask->what == CTL_MAINTENANCE_END) {
		(void)snprintf(text, ANSWER_TEXT_MAX, "%s",
			       monitor->maintenance.on
				   ? "maintenance is over: attlsd is ready for new sessions"
				   : "there was no maintenance");
		maintenance_end(&monitor->maintenance);
		return true;
	}
	if (ask->seconds > MAINTENANCE_END_MAX_S)
		return refuse(text, "the end is too far away");
	if (maintenance_begin(&monitor->maintenance, ask->refuse != 0, ask->seconds) < 0)
		return refuse(text, "not enough memory");
	if (ask->seconds != 0)
		(void)snprintf(end, sizeof(end), "; attlsd drains in %" PRIu32 " s", ask->seconds);
	(void)snprintf(
	    text, ANSWER_TEXT_MAX,
	    "maintenance: attlsd is not ready for load balancers, %zu session%s, new ones are %s%s", n,
	    n == 1 ? " goes on" : "s go on", ask->refuse != 0 ? "refused" : "served", end);
	return true;
}

static bool take_order(void *owner, const struct ask *ask, char text[static ANSWER_TEXT_MAX])
{
	static bool (*const orders[CTL_WHATS])(struct monitor * monitor, const struct ask *ask,
					       char text[static ANSWER_TEXT_MAX]) = {
		[CTL_DRAIN] = order_drain,
		[CTL_MAKE_WAY] = order_drain,
		[CTL_AUDIT_REOPEN] = order_audit_reopen,
		[CTL_MAINTENANCE] = order_maintenance,
		[CTL_MAINTENANCE_END] = order_maintenance,
	};

	return orders[ask->what](owner, ask, text);
}

static const struct ctl_calls ctl_calls = { describe, order_reload, take_order, before_counts };

static void on_signal(void *owner, uint32_t number)
{
	struct monitor *monitor = owner;

	children_drain_reports(&monitor->children);
	switch (number) {
	case SIGCHLD:
		children_reap(&monitor->children);
		break;
	case SIGHUP:
		if (!upgrade_take_reload(monitor) && !takeover_is_guarded(monitor))
			take_reload(monitor);
		break;
	case SIGINT:
		if (takeover_is_guarded(monitor)) /* a terminal sends it to both, and once is enough */
			break;
		stop(monitor);
		break;
	case SIGTERM:
		stop(monitor);
		break;
	default:
		break;
	}
}

/* What an attlsd says that this one replaces, or has replaced. */
static void on_older(void *owner, struct older *from, const struct handover_msg *msg, int fd)
{
	struct monitor *monitor = owner;
	bool commands = from == monitor->takeover.from || from->facts.guards;

	monitor->admission.nolder = older_sessions(&monitor->older);
	switch (msg->type) {
	case HANDOVER_GO:
		if (from == monitor->takeover.from && monitor->takeover.phase == TAKEOVER_READY)
			takeover_go(monitor, fd);
		break;
	case HANDOVER_MAIN:
		if (from == monitor->takeover.from)
			takeover_main(monitor, msg->number != 0);
		upgrade_continue(monitor);
		break;
	case HANDOVER_COUNTS_TOLD:
		if (fd != -1)
			heritage_late_receive_counts(monitor, &from->counts, fd);
		break;
	case HANDOVER_STOP:
		if (commands)
			stop(monitor);
		break;
	case HANDOVER_RELOAD:
		if (commands)
			take_reload(monitor);
		break;
	default: /* HANDOVER_FACTS has been noted */
		share_link_request(&monitor->share, from, msg);
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
		.on_ready = reload_on_ready,
		.on_message = on_message,
		.on_death = reload_on_death,
		.on_keeper_death = reload_on_keeper_death,
		.on_other = on_other,
		.on_retired = on_retired,
	};
	admission_init(&monitor->admission);
	login_queue_init(&monitor->logins, &monitor->loop, request_login_go);
	login_checks_init(&monitor->login_checks, &monitor->loop, request_login_checked);
	monitor->requests =
	    (struct requests){ &monitor->admission, &monitor->privileged, &monitor->logins,
			       &monitor->clients,   &monitor->audit,	  &monitor->share,
			       &monitor->backends,  &monitor->checks,	  &monitor->login_checks };
	checks_init(&monitor->checks, &monitor->loop, &monitor->backends, &monitor->current);
	data_share_init(&monitor->share, &monitor->loop, &monitor->children);
	monitor->started_ms = monitor->loop.now_ms;
	monitor->counted_s = (uint64_t)time(NULL);
	ctl_describe_gateway(&monitor->facts, monitor->path);
	notify_open(&monitor->notify, &monitor->loop, &monitor->admission.nsessions,
		    &monitor->facts.generation);
	ctl_server_init(&monitor->ctl_server, &monitor->loop, &monitor->children, &monitor->admission,
			&monitor->clients, &ctl_calls, monitor);
	http_child_init(&monitor->http, &monitor->loop, &monitor->ctl_server, monitor->children.root);
	acceptor_init(&monitor->acceptor, &monitor->loop, &monitor->children, &monitor->admission,
		      &monitor->logins, &monitor->listeners, &monitor->current);
	monitor->acceptor.audit = &monitor->audit;
	audit_source_init(&monitor->audit, &monitor->loop, &monitor->children);
	timer_init(&monitor->renewal, reload_on_renewal);
	timer_init(&monitor->again, on_again);
	timer_init(&monitor->drain_end, on_drain_end);
	maintenance_init(&monitor->maintenance, &monitor->loop, on_maintenance_end);
	monitor->acceptor.refuses = &monitor->maintenance.refuses;
	ending_init(&monitor->ending, &monitor->loop, &monitor->children);
	takeover_init(monitor, on_older);
	monitor->ctl_server.backends = &monitor->backends;
	monitor->backends.totals = &monitor->children.totals;
	monitor->ctl_server.own = monitor->load.own;
	monitor->ctl_server.older = &monitor->older;
	monitor->ctl_server.activated = monitor->http.activated = &monitor->activated;
	upgrade_init(monitor);
	r = ticket_source_init(&monitor->tickets, &monitor->loop, &monitor->children);
	if (r == 0)
		r = bounded_close_init();
	return r < 0 ? r : signals_open(&monitor->signals, &monitor->loop, on_signal, monitor);
}

/* Returns 0 if the loop has run to its end, see monitor->status; *ret_step is the step that failed. */
static int run(struct monitor *monitor, struct inherited *inherited, const char **ret_step)
{
	int r;

	*ret_step = "watch for signals";
	r = monitor_init(monitor);
	if (r == 0) {
		*ret_step = "take the sockets of the service manager";
		r = activated_open(&monitor->activated, inherited);
	}
	if (r == 0 && inherited->handover != -1) {
		*ret_step = "take over from the attlsd that runs";
		r = takeover_begin(monitor, &inherited->handover);
	}
	if (r == 0) {
		*ret_step = "start a process that loads the policy";
		monitor->cause = "start";
		r = policy_load_begin(&monitor->load);
	}
	if (r == 0) {
		*ret_step = "wait for events";
		r = loop_run(&monitor->loop);
	}
	return r;
}

int monitor_run(const char *policy_path, const char *own_path, const struct program *program,
		struct inherited *inherited)
{
	static struct monitor monitor; /* one per process, and too large for the stack */
	const char *step;
	int r;

	log_setup(LOG_LEVEL_INFO, LOG_FORMAT_TEXT); /* until the policy is known */
	monitor.path = policy_path;
	monitor.program = program;
	monitor.notify.fd = -1;
	policy_load_init(&monitor.load, &monitor.loop, policy_path, reload_on_loaded);
	monitor.load.own = own_path;
	name_watch_init(&monitor.names, &monitor.loop, policy_path, reload_on_names_changed);
	monitor.names.load.own = own_path;
	r = run(&monitor, inherited, &step);
	if (r < 0)
		reload_start_failed(&monitor, step, r, strerror(-r));
	upgrade_done(&monitor);
	policy_load_cancel(&monitor.load);
	name_watch_stop(&monitor.names);
	notify_close(&monitor.notify);
	children_kill(&monitor.children);
	listener_set_close(&monitor.listeners, NULL);
	listener_set_close(&monitor.coming_listeners, NULL);
	activated_close(&monitor.activated);
	http_child_end(&monitor.http);
	ctl_server_done(&monitor.ctl_server);
	children_done(&monitor.children);
	audit_event("process-stop", AUDIT_NUMBER("status", monitor.status));
	audit_source_done(&monitor.audit);
	older_done(&monitor.older);
	ticket_source_done(&monitor.tickets);
	backends_done(&monitor.backends);
	privileged_done(&monitor.privileged);
	data_share_done(&monitor.share);
	login_queue_done(&monitor.logins);
	login_checks_done(&monitor.login_checks);
	admission_done(&monitor.admission);
	client_table_done(&monitor.clients);
	signals_close(&monitor.signals);
	loop_done(&monitor.loop);
	if (monitor.status == EXIT_SUCCESS)
		log_event(LOG_LEVEL_INFO, "stopped", LOG_NUMBER("pid", getpid()));
	return monitor.status;
}
