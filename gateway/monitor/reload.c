/*
 * Brings policies into force: at the start, at a reload, and when names have other
 * addresses. A new policy gets a generation of workers of its own, which takes over
 * when all of them are ready; until then, or if one of them fails, the old one stays.
 */
#include "gateway/monitor/reload.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "gateway/base/audit.h"
#include "gateway/base/counters.h"
#include "gateway/base/log.h"
#include "gateway/base/util.h"
#include "gateway/monitor/child-pick.h"
#include "gateway/monitor/startup.h"
#include "gateway/tls/fips.h"
#include "gateway/tls/pkcs12-parts.h"
#include "gateway/tls/server-maps.h"
#include "gateway/worker/worker.h"

/* sysexits.h's EX_CONFIG: a restart does not help before somebody changes the policy. */
#define EXIT_POLICY 78
/* A generation that is not whole is replaced after this time. */
#define RENEWAL_MS 1000
static const char STEP_POLICY[] = "read and check the policy";

void reload_give_up(struct monitor *monitor)
{
	monitor->status = EXIT_FAILURE;
	ending_kill(&monitor->ending);
}

void reload_promote(struct monitor *monitor)
{
	struct generation *old = monitor->current;

	monitor->current = monitor->coming;
	monitor->coming = NULL;
	loop_timer_stop(&monitor->loop, &monitor->renewal); /* it was for the old one */
	listener_set_replace(&monitor->coming_listeners, &monitor->listeners, &monitor->loop);
	monitor->listeners = monitor->coming_listeners;
	for (size_t i = 0; i < monitor->listeners.n; i++)
		monitor->listeners.items[i].owner = &monitor->acceptor;
	monitor->coming_listeners = (struct listener_set){ .items = NULL };
	shared_ports_accept(&monitor->share.ports, true);
	monitor->current_ms = monitor->loop.now_ms;
	monitor->facts.generation = monitor->current->number;
	monitor->facts.limit = monitor->current->policy->daemon.limit_sessions;
	log_follow(&monitor->current->policy->daemon);
	if (listener_set_accept(&monitor->listeners, &monitor->loop, true) < 0) {
		log_event(LOG_LEVEL_ERROR, "cannot-listen", LOG_TEXT("error", strerror(ENOMEM)));
		reload_give_up(monitor);
		return;
	}
	backends_follow(&monitor->backends, monitor->current->policy);
	checks_hurry(&monitor->checks);
	audit_source_promote(&monitor->audit, monitor->current);
	audit_event("policy-loaded", AUDIT_TEXT("policy", monitor->facts.policy),
		    AUDIT_TEXT("policy_sha256", monitor->current->sha256),
		    AUDIT_NUMBER("generation", monitor->current->number),
		    AUDIT_TEXT("cause", monitor->cause));
	ctl_server_promote(&monitor->ctl_server);
	if (old != NULL)
		count(RELOADS, COUNT_RESULT_OK, 1);
	http_child_promote(&monitor->http, monitor->current->policy, &monitor->current->users);
	listener_set_log(&monitor->listeners,
			 old != NULL				     ? "reloaded"
			 : monitor->takeover.phase == TAKEOVER_TRIAL ? "upgraded"
								     : "ready",
			 monitor->current->sha256);
	activated_report(&monitor->activated, monitor->current->policy);
	notify_ready(&monitor->notify);
	name_watch_follow(&monitor->names, monitor->current);
	if (old != NULL)
		generation_retire(old, MSG_RETIRE);
}

/* The attlsd that serves now has to stop accepting first. */
static void takeover_ready(struct monitor *monitor)
{
	monitor->takeover.phase = TAKEOVER_READY;
	if (older_say(monitor->takeover.from, HANDOVER_READY, monitor->coming->number, NULL) < 0)
		reload_give_up(monitor);
}

void reload_on_ready(struct child *child)
{
	struct monitor *monitor = child->children->owner;

	ctl_trace_worker_ready(&monitor->ctl_server.traces, child);
	if (child->generation == monitor->coming && generation_is_ready(child->generation)) {
		/* several workers may have become ready before the first call */
		if (monitor->takeover.phase == TAKEOVER_LOADS)
			takeover_ready(monitor);
		else if (monitor->takeover.phase != TAKEOVER_READY)
			reload_promote(monitor);
	} else if (child->generation == monitor->current && !monitor->stopping) {
		acceptor_resume(&monitor->acceptor);
	}
}

static void abandon_reload(struct monitor *monitor, const char *reason)
{
	struct generation *coming = monitor->coming;

	monitor->coming = NULL;
	listener_set_close(&monitor->coming_listeners, &monitor->loop);
	audit_source_abandon(&monitor->audit);
	audit_event("policy-refused", AUDIT_TEXT("policy", monitor->facts.policy),
		    AUDIT_TEXT("policy_sha256", monitor->load.sha256), AUDIT_TEXT("reason", reason));
	ctl_server_abandon(&monitor->ctl_server, reason);
	count(RELOADS, COUNT_RESULT_FAILED, 1);
	http_child_abandon(&monitor->http);
	log_event(LOG_LEVEL_ERROR, "reload-failed", LOG_TEXT("reason", reason),
		  LOG_TEXT("policy", "the running policy stays in force"));
	if (coming != NULL)
		generation_retire(coming, MSG_DRAIN);
	data_share_settle(&monitor->share);
	notify_ready(&monitor->notify);
}

/* A generation has lost a process that only a new generation can have again. */
static void replace_generation(struct monitor *monitor, const struct generation *generation,
			       const char *reason)
{
	if (generation == monitor->coming && monitor->current == NULL) {
		reload_give_up(monitor); /* the first generation did not start */
	} else if (generation == monitor->coming) {
		abandon_reload(monitor, reason);
	} else if (generation == monitor->current && !monitor->stopping) {
		log_event(LOG_LEVEL_WARNING, "reload-needed", LOG_TEXT("reason", reason));
		/* if it fails, this generation continues as well as it can */
		(void)loop_timer(&monitor->loop, &monitor->renewal, RENEWAL_MS);
	}
}

/* Its signers go on without it, but nothing would replace them. */
void reload_on_keeper_death(struct generation *generation, pid_t pid, int status)
{
	struct monitor *monitor = generation->workers[0].children->owner;

	log_event(LOG_LEVEL_ERROR, "keeper-died", LOG_NUMBER("pid", pid),
		  LOG_TEXT(WIFSIGNALED(status) ? "signal" : "exit",
			   WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "unexpected"));
	replace_generation(monitor, generation, "the keeper ended");
}

void reload_on_death(struct child *child, pid_t pid, int status)
{
	struct monitor *monitor = child->children->owner;
	size_t lost = request_forget_worker(&monitor->requests, child);
	bool expected = child->given_up || (child->stop_sent != MSG_NONE && WIFEXITED(status) &&
					    WEXITSTATUS(status) == EXIT_SUCCESS);

	checks_forget_worker(&monitor->checks, pid);
	if (!expected)
		ending_log_death(pid, status, lost);
	audit_event("worker-ended", AUDIT_NUMBER("worker", pid),
		    AUDIT_NUMBER("generation", child->generation->number), AUDIT_BOOL("expected", expected),
		    AUDIT_TEXT("signal", WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : NULL),
		    AUDIT_NUMBER(WIFEXITED(status) ? "status" : "", WEXITSTATUS(status)),
		    AUDIT_NUMBER("sessions", child->given), AUDIT_NUMBER("sessions_lost", lost));
	if (!expected)
		ctl_trace_worker_ended(&monitor->ctl_server.traces, pid, status);
	if (child->generation == monitor->coming)
		replace_generation(monitor, child->generation, "a worker did not start; the log has more");
	else if (WIFEXITED(status) && WEXITSTATUS(status) == WORKER_EXIT_STALE)
		replace_generation(monitor, child->generation, "a certificate file has a new key");
}

/*
 * Start a generation for the policy, in addition to the current one if there is one.
 * *ret_step is the step that failed.
 */
static int bring_up(struct monitor *monitor, struct policy_loaded *loaded, const char **ret_step)
{
	struct policy *policy = loaded->policy;
	struct ticket_keys keys = { NULL, NULL };
	int r = 0;

	if (monitor->current == NULL)
		log_follow(&policy->daemon);
	*ret_step = "use OpenSSL's FIPS provider";
	if (policy->daemon
		.fips140) /* its tests take time, and processes that start later need not repeat them */
		r = fips_check(&policy->daemon, &loaded->diags);
	if (r < 0)
		goto out;
	*ret_step = "open the listeners";
	r = listener_set_open(&monitor->coming_listeners, policy, &monitor->listeners, &monitor->activated,
			      acceptor_on_listener, &monitor->acceptor, &loaded->diags);
	if (r == 0) {
		*ret_step = "open the shared passive ports";
		r = shared_ports_open(&monitor->share.ports, policy);
	}
	if (r == 0) {
		*ret_step = "open control_socket";
		r = ctl_server_prepare(&monitor->ctl_server, &policy->daemon,
				       loaded->users.has_control_group ? &loaded->users.control_gid : NULL,
				       &loaded->diags);
	}
	if (r == 0) {
		*ret_step = "open http";
		r = http_child_prepare(&monitor->http, policy, &loaded->diags);
	}
	if (r == 0) {
		*ret_step = "open the audit trail";
		r = audit_source_prepare(&monitor->audit, &policy->daemon, &loaded->diags);
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
		r = ticket_source_prepare(&monitor->tickets, policy, &loaded->secrets, &keys);
		if (r == 0)
			r = generation_start(&monitor->children, &policy, &loaded->users, &keys,
					     &monitor->coming);
	}
	if (r == 0)
		name_watch_remember(monitor->coming, loaded);
	if (r == 0)
		memcpy(monitor->coming->sha256, loaded->sha256, sizeof(monitor->coming->sha256));
out:
	ticket_secrets_free(&loaded->secrets);
	ticket_keys_free(&keys);
	policy_free(&policy);
	diags_done(&loaded->diags);
	return r;
}

void reload_start_failed(struct monitor *monitor, const char *step, int r, const char *error)
{
	char reason[HANDOVER_TEXT_MAX];

	monitor->status = step == STEP_POLICY && r != -EHOSTUNREACH && r != -ETIMEDOUT && r != -EPIPE
			      ? EXIT_POLICY
			      : EXIT_FAILURE;
	log_event(LOG_LEVEL_ERROR, "failed", LOG_TEXT("step", step), LOG_TEXT("error", error),
		  LOG_TEXT("policy", monitor->path));
	if (monitor->takeover.from != NULL) {
		(void)snprintf(reason, sizeof(reason), "it could not %s: %s; the log has more", step, error);
		/* if it fails, the other one knows no reason */
		(void)older_say(monitor->takeover.from, HANDOVER_FAILED, 0, reason);
	}
}

void reload_on_loaded(struct policy_load *load, int r, struct policy_loaded *loaded)
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
	reload_start_failed(monitor, step, r, error);
	ending_kill(&monitor->ending);
}

bool reload_is_under_way(const struct monitor *monitor)
{
	return monitor->coming != NULL || policy_load_runs(&monitor->load) ||
	       monitor->upgrade.phase != UPGRADE_NONE;
}

static void forget(struct policy_loaded *loaded)
{
	policy_free(&loaded->policy);
	diags_done(&loaded->diags);
}

/* A name of the policy in force has other addresses: new sessions get a generation that has them. */
void reload_on_names_changed(struct name_watch *watch, struct policy_loaded *loaded)
{
	struct monitor *monitor = CONTAINER_OF(watch, struct monitor, names);

	if (monitor->stopping || reload_is_under_way(monitor)) { /* what comes looks names up itself */
		forget(loaded);
		return;
	}
	loaded->users = monitor->current->users;
	loaded->secrets = ticket_secrets_copy(monitor->current->ticket_keys.secrets);
	if ((loaded->secrets == NULL && monitor->current->ticket_keys.secrets != NULL) ||
	    pkcs12_parts_copy(monitor->current->policy, loaded->policy) < 0 ||
	    server_maps_copy(monitor->current->policy, loaded->policy) < 0) {
		ticket_secrets_free(&loaded->secrets);
		forget(loaded); /* without memory, the names are looked up at the next reload */
		return;
	}
	monitor->cause = "names";
	reload_on_loaded(&monitor->load, 0, loaded);
}

static void begin_reload(struct monitor *monitor)
{
	int r;

	monitor->cause = "reload";
	notify_reloading(&monitor->notify);
	r = policy_load_begin(&monitor->load);
	if (r < 0)
		abandon_reload(monitor, strerror(-r));
}

const char *reload_begin(struct monitor *monitor)
{
	const char *busy = monitor->stopping ? "attlsd is about to exit"
			   : reload_is_under_way(monitor)
			       ? "another reload or upgrade is under way; ask again"
			       : NULL;

	if (busy != NULL)
		log_event(LOG_LEVEL_WARNING, "reload-busy", LOG_TEXT("reason", busy));
	else
		begin_reload(monitor);
	return busy;
}

void reload_on_renewal(struct timer *timer)
{
	struct monitor *monitor = CONTAINER_OF(timer, struct monitor, renewal);

	if (monitor->stopping || monitor->upgrade.phase >= UPGRADE_MOVES)
		return;
	if (reload_is_under_way(monitor))
		/* and may fail; the timer has fired, so its place is there */
		(void)loop_timer(&monitor->loop, timer, RENEWAL_MS);
	else
		(void)reload_begin(monitor); /* a refusal has been logged */
}
