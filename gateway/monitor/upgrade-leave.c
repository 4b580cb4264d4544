/*
 * The last phases of the old end of an upgrade: the service manager is told, sessions end, and
 * signals are passed on if nobody else does. upgrade.c has the phases before.
 */
#include "gateway/monitor/upgrade-leave.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "gateway/base/handover-link.h"
#include "gateway/base/log.h"
#include "gateway/base/util.h"
#include "gateway/monitor/child-pick.h"
#include "gateway/monitor/heritage-late.h"
#include "gateway/monitor/share-link.h"

/* For the service manager to hear of it. */
#define MANAGER_LIMIT_MS 5000
#define TELL_MS		 1000
/* The counters change all the time. */
#define TELL_COUNTS_MS 5000

static struct monitor *monitor_of(struct upgrade *upgrade)
{
	return CONTAINER_OF(upgrade, struct monitor, upgrade);
}

void upgrade_say(struct upgrade *upgrade, enum handover_type type, uint64_t number)
{
	const struct handover_msg msg = { .type = type, .number = number };

	if (upgrade->link.fd != -1)
		(void)handover_send(upgrade->link.fd, &msg, NULL, 0); /* if it has gone, the link ends */
}

void upgrade_set_limit(struct upgrade *upgrade, uint64_t ms)
{
	/* without memory for a timer there is no limit; nothing else depends on it */
	(void)loop_timer(&monitor_of(upgrade)->loop, &upgrade->limit, ms);
}

void upgrade_close_link(struct upgrade *upgrade)
{
	if (upgrade->link.fd != -1)
		loop_unwatch(&monitor_of(upgrade)->loop, &upgrade->link);
	share_link_lost(&monitor_of(upgrade)->share);
	fd_close(&upgrade->link.fd);
}

/* The new attlsd dies with it, until it has said that it serves. */
void upgrade_kill_starter(struct upgrade *upgrade)
{
	int status;

	if (upgrade->starter == 0)
		return;
	(void)kill(upgrade->starter, SIGKILL); /* cannot fail: nobody has waited for it */
	while (waitpid(upgrade->starter, &status, 0) == -1 && errno == EINTR)
		;
	upgrade->starter = 0;
}

/* They only grow, so it does not matter which of these is lost. */
static void tell_counts(struct upgrade *upgrade)
{
	struct monitor *monitor = monitor_of(upgrade);
	const struct handover_msg msg = { .type = HANDOVER_COUNTS_TOLD };
	int state = heritage_late_counts(monitor);

	upgrade->counts_told_ms = monitor->loop.now_ms;
	if (state < 0)
		return;
	upgrade->counts_whole =
	    handover_send_spare(upgrade->link.fd, &msg, &state, 1) == 0 && monitor->children.head == NULL;
	fd_close(&state);
}

void upgrade_last_words(struct upgrade *upgrade)
{
	if (upgrade->phase != UPGRADE_GONE || upgrade->link.fd == -1)
		return;
	tell_counts(upgrade);
	upgrade_tell(upgrade);
}

void upgrade_tell(struct upgrade *upgrade)
{
	const struct monitor *monitor = monitor_of(upgrade);
	struct handover_msg msg = {
		.type = HANDOVER_FACTS,
		.number = (uint64_t)getpid(),
		.second = monitor->admission.nsessions,
		.third = children_count(&monitor->children),
		.fourth = monitor->facts.generation,
	};

	upgrade->sessions_told = msg.second;
	upgrade->workers_told = (uint32_t)msg.third;
	(void)snprintf(msg.text, sizeof(msg.text), "%s", ATTLSD_VERSION);
	/* if there is no room, the next one says more */
	(void)handover_send_spare(upgrade->link.fd, &msg, NULL, 0);
	/* without memory, the numbers grow old */
	(void)loop_timer(&monitor_of(upgrade)->loop, &upgrade->tell, TELL_MS);
}

static void on_tell(struct timer *timer)
{
	struct upgrade *upgrade = CONTAINER_OF(timer, struct upgrade, tell);
	struct monitor *monitor = monitor_of(upgrade);

	if (upgrade->link.fd == -1)
		return;
	children_drain_reports(&monitor->children);
	if (monitor->children.head == NULL ? !upgrade->counts_whole
					   : monitor->loop.now_ms - upgrade->counts_told_ms >= TELL_COUNTS_MS)
		tell_counts(upgrade);
	if (upgrade->sessions_told != monitor->admission.nsessions ||
	    upgrade->workers_told != children_count(&monitor->children))
		upgrade_tell(upgrade);
	else
		(void)loop_timer(&monitor->loop, timer, TELL_MS); /* as above */
}

bool upgrade_waits(const struct monitor *monitor)
{
	const struct upgrade *upgrade = &monitor->upgrade;

	return !upgrade->lost && (upgrade->phase == UPGRADE_TRIAL || upgrade->phase == UPGRADE_MOVES ||
				  (upgrade->phase == UPGRADE_GONE && upgrade->guards));
}

static void end_if_over(struct monitor *monitor)
{
	if (monitor->children.head == NULL && !upgrade_waits(monitor))
		loop_stop(&monitor->loop);
}

/* The new one is the main process now; `guards`: but nobody outside knows. */
static void move(struct upgrade *upgrade, bool guards)
{
	struct monitor *monitor = monitor_of(upgrade);

	upgrade->phase = UPGRADE_GONE;
	upgrade->guards = guards;
	loop_timer_stop(&monitor->loop, &upgrade->limit);
	if (guards) /* of the new one and its successors, whose parents end */
		(void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	upgrade_kill_starter(upgrade);
	upgrade_say(upgrade, HANDOVER_MAIN, guards);
	if (!guards)
		notify_close(&monitor->notify);
	listener_set_close(&monitor->listeners, &monitor->loop);
	activated_close(&monitor->activated);
	ctl_server_leave(&monitor->ctl_server);
	http_child_leave(&monitor->http);
	older_done(&monitor->older);
	ticket_source_hold(&monitor->tickets, false);
	log_event(LOG_LEVEL_INFO, "handed-over", LOG_NUMBER("pid", getpid()), LOG_NUMBER("to", upgrade->pid),
		  LOG_NUMBER("sessions", monitor->admission.nsessions),
		  LOG_TEXT(guards ? "stays" : "", "to pass signals on"));
	ending_retire(&monitor->ending);
	end_if_over(monitor);
}

static void on_barrier(struct watch *watch, uint32_t ready)
{
	struct upgrade *upgrade = CONTAINER_OF(watch, struct upgrade, barrier);

	(void)ready;
	loop_unwatch(&monitor_of(upgrade)->loop, watch);
	fd_close(&watch->fd);
	move(upgrade, false);
}

void upgrade_give_up_manager(struct upgrade *upgrade)
{
	if (upgrade->barrier.fd != -1)
		loop_unwatch(&monitor_of(upgrade)->loop, &upgrade->barrier);
	fd_close(&upgrade->barrier.fd);
	log_event(LOG_LEVEL_WARNING, "main-process-stays",
		  LOG_TEXT("reason", "the service manager did not take the new process"),
		  LOG_TEXT("fix", "Type=notify and NotifyAccess=main in the unit"));
	move(upgrade, true);
}

/* It has proved itself. Its parent has to end first: systemd warns of a main process that is not its child.
 */
void upgrade_settled(struct upgrade *upgrade)
{
	struct monitor *monitor = monitor_of(upgrade);

	if (!notify_has_manager(&monitor->notify)) {
		move(upgrade, !monitor->takeover.guarded);
		return;
	}
	upgrade->phase = UPGRADE_MOVES;
	upgrade_kill_starter(upgrade);
	upgrade->barrier.fd = notify_move(&monitor->notify, upgrade->pid);
	upgrade_set_limit(upgrade, MANAGER_LIMIT_MS);
	/* EPOLLHUP comes unasked */
	if (upgrade->barrier.fd == -1 || loop_watch(&monitor->loop, &upgrade->barrier, EPOLLIN) < 0)
		upgrade_give_up_manager(upgrade);
}

/* An operator has ended the new attlsd, so this one does not go on either. */
void upgrade_stopping(struct upgrade *upgrade, bool now)
{
	struct monitor *monitor = monitor_of(upgrade);

	monitor->stopping = true;
	if (now)
		ending_now(&monitor->ending);
	else
		ending_drain(&monitor->ending);
	end_if_over(monitor);
}

/* The main process has ended. Whoever waits for this one has to know. */
void upgrade_main_end(struct upgrade *upgrade)
{
	struct monitor *monitor = monitor_of(upgrade);

	upgrade->lost = true;
	children_reap(&monitor->children); /* its status may be there already */
	monitor->status = upgrade->exit >= 0  ? upgrade->exit
			  : monitor->stopping ? EXIT_SUCCESS
					      : EXIT_FAILURE;
	if (!monitor->stopping) {
		log_event(LOG_LEVEL_ERROR, "main-process-ended", LOG_NUMBER("pid", upgrade->pid),
			  LOG_NUMBER("status", monitor->status));
		if (monitor->status == EXIT_SUCCESS)
			monitor->status = EXIT_FAILURE;
		ending_kill(&monitor->ending);
	}
	end_if_over(monitor);
}

void upgrade_leave_init(struct upgrade *upgrade)
{
	watch_init(&upgrade->barrier, on_barrier);
	timer_init(&upgrade->tell, on_tell);
}
