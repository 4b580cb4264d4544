/*
 * The old end of an upgrade. One message or event moves it from one phase to the next, and one
 * function writes each phase. base/handover-link.h has the order of the messages.
 */
#include "gateway/monitor/upgrade.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "gateway/base/handover-link.h"
#include "gateway/base/log.h"
#include "gateway/base/util.h"
#include "gateway/host/bounded-close.h"
#include "gateway/monitor/ctl-older.h"
#include "gateway/monitor/heritage-late.h"
#include "gateway/monitor/heritage.h"
#include "gateway/monitor/reload.h"
#include "gateway/monitor/takeover.h"
#include "gateway/monitor/upgrade-leave.h"
#include "gateway/monitor/share-link.h"
#include "gateway/monitor/upgrade-start.h"

/* For the new one to load the policy and to start its workers. */
#define READY_LIMIT_MS 60000
/* To accept, after its workers are ready. */
#define SERVE_LIMIT_MS 10000
/* From the end of its channel to the end of its process. */
#define END_LIMIT_MS 1000

static struct monitor *monitor_of(struct upgrade *upgrade)
{
	return CONTAINER_OF(upgrade, struct monitor, upgrade);
}

/* What is known of its end, as text for an operator. */
static void describe_end(const struct upgrade *upgrade, char *buf, size_t size)
{
	if (upgrade->reason[0] != '\0')
		(void)snprintf(buf, size, "%s", upgrade->reason);
	else if (upgrade->exit > UPGRADE_EXIT_SIGNAL)
		(void)snprintf(buf, size, "it was ended by a signal: %s",
			       strsignal(upgrade->exit - UPGRADE_EXIT_SIGNAL));
	else if (upgrade->exit == 127)
		(void)snprintf(buf, size,
			       "it ended with status 127: a library is missing or has another version; "
			       "run it with -V to see which");
	else if (upgrade->exit >= 0)
		(void)snprintf(buf, size, "it ended with status %d; the log has more", upgrade->exit);
	else
		(void)snprintf(buf, size, "it ended");
}

static void forget(struct upgrade *upgrade)
{
	struct monitor *monitor = monitor_of(upgrade);

	loop_timer_stop(&monitor->loop, &upgrade->limit);
	loop_timer_stop(&monitor->loop, &upgrade->tell);
	upgrade_close_link(upgrade);
	upgrade_kill_starter(upgrade);
	free(upgrade->counts);
	upgrade->counts = NULL;
	upgrade->phase = UPGRADE_NONE;
}

/* Nothing has changed for clients. */
static void fail(struct upgrade *upgrade, const char *why)
{
	struct monitor *monitor = monitor_of(upgrade);
	char text[ANSWER_TEXT_MAX];

	forget(upgrade);
	ticket_source_hold(&monitor->tickets, false);
	log_event(LOG_LEVEL_ERROR, "upgrade-failed", LOG_TEXT("reason", why),
		  LOG_TEXT("program", monitor->program->path),
		  LOG_TEXT(upgrade->version[0] != '\0' ? "version" : "", upgrade->version),
		  LOG_TEXT("attlsd", "the running one goes on"));
	(void)snprintf(text, sizeof(text), "the new attlsd did not start: %.300s; attlsd %s goes on", why,
		       ATTLSD_VERSION);
	ctl_server_upgraded(&monitor->ctl_server, false, text);
	notify_ready(&monitor->notify);
}

/* The new one has ended while it was on trial: clients that wait in the queues are served here. */
static void take_back(struct upgrade *upgrade)
{
	struct monitor *monitor = monitor_of(upgrade);
	char why[HANDOVER_TEXT_MAX], text[ANSWER_TEXT_MAX];

	describe_end(upgrade, why, sizeof(why));
	if (upgrade->counts != NULL)
		totals_add_page(&monitor->children.totals.dead, upgrade->counts);
	forget(upgrade);
	ticket_source_hold(&monitor->tickets, false);
	log_event(LOG_LEVEL_ERROR, "upgrade-undone", LOG_TEXT("reason", why),
		  LOG_TEXT("attlsd", "the old one serves again"));
	if (older_listen(&monitor->older, true) < 0)
		log_event(LOG_LEVEL_WARNING, "older-unheard", LOG_TEXT("error", strerror(ENOMEM)));
	ctl_server_yield(&monitor->ctl_server, false);
	(void)snprintf(text, sizeof(text), "the new attlsd did not last: %.300s; the old one serves again",
		       why);
	ctl_server_upgraded(&monitor->ctl_server, false, text);
	http_child_go_on(&monitor->http);
	name_watch_follow(&monitor->names, monitor->current);
	acceptor_open(&monitor->acceptor);
	share_link_return(&monitor->share);
	notify_ready(&monitor->notify);
}

static void hand_over(struct upgrade *upgrade)
{
	struct monitor *monitor = monitor_of(upgrade);
	const struct handover_msg msg = { .type = HANDOVER_GO };
	int state;
	int r;

	acceptor_close(&monitor->acceptor);
	children_drain_reports(&monitor->children);
	state = r = heritage_late_make(monitor);
	if (r >= 0)
		r = handover_send(upgrade->link.fd, &msg, &state, 1);
	if (state >= 0)
		fd_close(&state);
	if (r < 0) {
		acceptor_open(&monitor->acceptor);
		fail(upgrade, strerror(-r));
		return;
	}
	share_link_leave(&monitor->share, upgrade->link.fd);
	upgrade->phase = UPGRADE_TRIAL;
	(void)older_listen(&monitor->older, false); /* removing cannot fail */
	ctl_server_yield(&monitor->ctl_server, true);
	http_child_yield(&monitor->http);
	name_watch_stop(&monitor->names);
	upgrade_set_limit(upgrade, SERVE_LIMIT_MS);
}

static void on_serving(struct upgrade *upgrade)
{
	struct monitor *monitor = monitor_of(upgrade);
	char text[ANSWER_TEXT_MAX];

	loop_timer_stop(&monitor->loop, &upgrade->limit);
	(void)snprintf(text, sizeof(text),
		       "attlsd %s (process %d) serves; %zu session%s of attlsd %s (process %d) go%s on",
		       upgrade->version, (int)upgrade->pid, monitor->admission.nsessions,
		       monitor->admission.nsessions == 1 ? "" : "s", ATTLSD_VERSION, (int)getpid(),
		       monitor->admission.nsessions == 1 ? "es" : "");
	ctl_server_upgraded(&monitor->ctl_server, true, text);
	notify_ready(&monitor->notify);
	upgrade_tell(upgrade);
}

static void on_hello(struct upgrade *upgrade, const struct handover_msg *msg)
{
	upgrade->pid = (pid_t)msg->number;
	(void)snprintf(upgrade->version, sizeof(upgrade->version), "%.31s", msg->text);
}

/* Of sessions that are still here. */
static void answer_operator(struct monitor *monitor, const struct handover_msg *msg, int *fd)
{
	enum msg_asker who;
	struct ask ask;

	if (ctl_older_take(msg, &who, &ask))
		ctl_server_answer(&monitor->ctl_server, fd, who, true, &ask);
}

/*
 * What may come in which phase; anything else, and what a newer attlsd may say, counts for nothing.
 * A descriptor that came along is closed afterwards, unless it is taken.
 */
static void on_message(struct upgrade *upgrade, const struct handover_msg *msg, int *fd)
{
	const bool trial = upgrade->phase == UPGRADE_TRIAL;
	struct monitor *monitor = monitor_of(upgrade);

	switch (msg->type) {
	case HANDOVER_HELLO:
		on_hello(upgrade, msg);
		break;
	case HANDOVER_FAILED:
		(void)snprintf(upgrade->reason, sizeof(upgrade->reason), "%s", msg->text);
		break;
	case HANDOVER_READY:
		if (upgrade->phase == UPGRADE_STARTS && upgrade->pid > 0)
			hand_over(upgrade);
		break;
	case HANDOVER_COUNTS_TOLD:
		if (trial && *fd != -1)
			heritage_late_receive_counts(monitor, &upgrade->counts, *fd);
		break;
	case HANDOVER_SERVING:
		if (trial)
			on_serving(upgrade);
		break;
	case HANDOVER_SETTLED:
		if (trial && !monitor->stopping)
			upgrade_settled(upgrade);
		break;
	case HANDOVER_STOPPING:
		if (trial || upgrade->phase == UPGRADE_MOVES || upgrade->phase == UPGRADE_GONE)
			upgrade_stopping(upgrade, msg->number != 0);
		break;
	case HANDOVER_ASK:
		if (*fd != -1 && upgrade->phase >= UPGRADE_TRIAL)
			answer_operator(monitor, msg, fd);
		break;
	case HANDOVER_NOW_MAIN:
		if (upgrade->guards)
			upgrade->pid = (pid_t)msg->number;
		break;
	default:
		if (monitor->share.newest != -1)
			share_link_answer(&monitor->share, &monitor->admission, msg, fd);
		break;
	}
}

static void on_link_end(struct upgrade *upgrade)
{
	upgrade_close_link(upgrade);
	switch (upgrade->phase) {
	case UPGRADE_NONE:
		break;
	case UPGRADE_STARTS:
	case UPGRADE_WAITS:
		if (upgrade->starter != 0)
			upgrade_set_limit(upgrade, END_LIMIT_MS); /* it ends; its status says why */
		break;
	case UPGRADE_TRIAL:
		if (monitor_of(upgrade)->stopping)
			upgrade_main_end(upgrade);
		else
			take_back(upgrade);
		break;
	case UPGRADE_MOVES:
		upgrade_main_end(upgrade);
		break;
	case UPGRADE_GONE:
		if (upgrade->guards)
			upgrade_main_end(upgrade);
		break;
	}
}

static void receive(struct upgrade *upgrade)
{
	struct handover_msg msg;
	int r = 1;

	while (r == 1 && upgrade->link.fd != -1) {
		size_t nfds = 1;
		int fd = -1;

		r = handover_receive(upgrade->link.fd, &msg, &fd, &nfds);
		if (r == 1)
			on_message(upgrade, &msg, &fd);
		bounded_close(&fd);
	}
	if (r == -EPROTO && upgrade->reason[0] == '\0')
		(void)snprintf(upgrade->reason, sizeof(upgrade->reason),
			       "it does not know how this attlsd hands over; restart attlsd instead");
	if (r != 1 && r != -EAGAIN && upgrade->link.fd != -1)
		on_link_end(upgrade);
}

static void on_link(struct watch *watch, uint32_t ready)
{
	(void)ready;
	receive(CONTAINER_OF(watch, struct upgrade, link));
}

static void on_limit(struct timer *timer)
{
	struct upgrade *upgrade = CONTAINER_OF(timer, struct upgrade, limit);
	char why[HANDOVER_TEXT_MAX];

	switch (upgrade->phase) {
	case UPGRADE_STARTS:
	case UPGRADE_WAITS:
		if (upgrade->link.fd == -1)
			describe_end(upgrade, why, sizeof(why));
		else
			(void)snprintf(why, sizeof(why), "its workers were not ready within %d seconds",
				       READY_LIMIT_MS / 1000);
		fail(upgrade, why);
		break;
	case UPGRADE_TRIAL:
		(void)snprintf(upgrade->reason, sizeof(upgrade->reason), "it did not begin to serve");
		take_back(upgrade);
		break;
	case UPGRADE_MOVES:
		upgrade_give_up_manager(upgrade);
		break;
	case UPGRADE_NONE:
	case UPGRADE_GONE:
		break;
	}
}

void upgrade_reap(struct monitor *monitor, pid_t pid, int status)
{
	struct upgrade *upgrade = &monitor->upgrade;
	bool starter = pid == upgrade->starter;
	char why[HANDOVER_TEXT_MAX];

	if (!starter && pid != upgrade->pid)
		return;
	upgrade->exit = WIFSIGNALED(status) ? UPGRADE_EXIT_SIGNAL + WTERMSIG(status) : WEXITSTATUS(status);
	if (!starter)
		return;
	upgrade->starter = 0;
	receive(upgrade); /* what it has said before */
	if (upgrade->phase != UPGRADE_STARTS && upgrade->phase != UPGRADE_WAITS)
		return;
	describe_end(upgrade, why, sizeof(why));
	fail(upgrade, why);
}

void upgrade_init(struct monitor *monitor)
{
	struct upgrade *upgrade = &monitor->upgrade;

	*upgrade = (struct upgrade){ .exit = -1 };
	watch_init(&upgrade->link, on_link);
	timer_init(&upgrade->limit, on_limit);
	upgrade_leave_init(upgrade);
}

static int start(struct upgrade *upgrade)
{
	struct monitor *monitor = monitor_of(upgrade);
	int pair[2] = { -1, -1 };
	int r = handover_pair(pair);

	if (r == 0)
		r = heritage_send(monitor, pair[0]);
	if (r == 0)
		r = upgrade_start(monitor->program, pair[1]);
	fd_close(&pair[1]);
	if (r > 0) {
		upgrade->starter = r;
		upgrade->link.fd = fd_take(&pair[0]);
		r = loop_watch(&monitor->loop, &upgrade->link, EPOLLIN);
	}
	fd_close(&pair[0]);
	return r;
}

void upgrade_continue(struct monitor *monitor)
{
	struct upgrade *upgrade = &monitor->upgrade;
	int r;

	if (upgrade->phase != UPGRADE_WAITS ||
	    (monitor->takeover.phase != TAKEOVER_NONE && monitor->takeover.phase != TAKEOVER_DONE))
		return;
	upgrade->phase = UPGRADE_STARTS;
	log_event(LOG_LEVEL_INFO, "upgrade-begins", LOG_TEXT("program", monitor->program->path));
	ticket_source_hold(&monitor->tickets, true);
	r = start(upgrade);
	if (r < 0)
		fail(upgrade,
		     r == -E2BIG ? "this attlsd has too many listeners; restart it instead" : strerror(-r));
}

static const char *why_not(const struct monitor *monitor, char reason[static PROGRAM_REASON_MAX])
{
	if (monitor->stopping)
		return "attlsd is about to exit";
	if (reload_is_under_way(monitor))
		return "another reload or upgrade is under way; ask again";
	if (monitor->older.n >= OLDER_MAX)
		return "too many replaced attlsds still have sessions; end some (attlsctl status shows them)";
	return program_check(monitor->program, reason) < 0 ? reason : NULL;
}

const char *upgrade_begin(struct monitor *monitor)
{
	static char reason[PROGRAM_REASON_MAX]; /* the text outlives the call */
	struct upgrade *upgrade = &monitor->upgrade;
	const char *why = why_not(monitor, reason);

	if (why != NULL) {
		log_event(LOG_LEVEL_WARNING, "upgrade-refused", LOG_TEXT("reason", why));
		return why;
	}
	notify_reloading(&monitor->notify);
	upgrade_init(monitor);
	upgrade->phase = UPGRADE_WAITS;
	upgrade_set_limit(upgrade, READY_LIMIT_MS);
	takeover_settle(monitor); /* if it is on trial itself: it has done well enough to be asked */
	upgrade_continue(monitor);
	return NULL;
}

bool upgrade_take_stop(struct monitor *monitor)
{
	struct upgrade *upgrade = &monitor->upgrade;

	switch (upgrade->phase) {
	case UPGRADE_NONE:
		return false;
	case UPGRADE_STARTS:
	case UPGRADE_WAITS:
		fail(upgrade, "attlsd is about to exit");
		return false;
	case UPGRADE_TRIAL:
	case UPGRADE_MOVES:
	case UPGRADE_GONE:
		break;
	}
	if (upgrade_waits(monitor))
		upgrade_say(upgrade, HANDOVER_STOP, 0);
	log_event(LOG_LEVEL_INFO, monitor->stopping ? "stopping-now" : "draining",
		  LOG_NUMBER("sessions", monitor->admission.nsessions));
	audit_event(monitor->stopping ? "stopping-now" : "draining",
		    AUDIT_NUMBER("sessions", monitor->admission.nsessions));
	if (!monitor->stopping)
		notify_stopping(&monitor->notify);
	upgrade_stopping(upgrade, monitor->stopping);
	return true;
}

bool upgrade_take_reload(struct monitor *monitor)
{
	bool gone = monitor->upgrade.phase >= UPGRADE_TRIAL;

	if (gone && upgrade_waits(monitor))
		upgrade_say(&monitor->upgrade, HANDOVER_RELOAD, 0);
	return gone;
}

void upgrade_done(struct monitor *monitor)
{
	upgrade_last_words(&monitor->upgrade);
	if (monitor->upgrade.phase != UPGRADE_NONE)
		forget(&monitor->upgrade);
	fd_close(&monitor->upgrade.barrier.fd);
}
