/*
 * The new end of an upgrade. Its policy and workers begin as at any start; it differs in what
 * it has got, and that it serves when the other attlsd says so.
 */
#include "gateway/monitor/takeover.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <utlist.h>

#include "gateway/base/log.h"
#include "gateway/base/util.h"
#include "gateway/monitor/heritage-late.h"
#include "gateway/monitor/heritage.h"
#include "gateway/monitor/reload.h"
#include "gateway/monitor/share-link.h"

/* So long the old attlsd keeps what it needs to go on. */
#define TRIAL_MS 5000

static void on_settle(struct timer *timer)
{
	takeover_settle(CONTAINER_OF(timer, struct monitor, takeover.settle));
}

static void count_older(struct monitor *monitor, const struct older *gone)
{
	monitor->admission.nolder =
	    older_sessions(&monitor->older) - (gone == NULL ? 0 : gone->facts.sessions);
}

/* Whoever started this process is dead, so it would be a second attlsd that nobody knows of. */
static void end_with(struct monitor *monitor, const char *reason)
{
	log_event(LOG_LEVEL_ERROR, "takeover-ended", LOG_NUMBER("pid", getpid()), LOG_TEXT("reason", reason));
	reload_give_up(monitor);
}

static void on_end(void *owner, struct older *gone)
{
	struct monitor *monitor = owner;

	count_older(monitor, gone);
	if (gone->counts != NULL)
		totals_add_page(&monitor->children.totals.dead, gone->counts);
	share_link_forget(&monitor->share, gone, monitor->older.n > 1);
	if (gone == monitor->takeover.from) {
		monitor->takeover.from = NULL;
		if (monitor->takeover.phase != TAKEOVER_DONE) {
			end_with(monitor, "the attlsd that it was to replace has ended");
			return;
		}
	}
	if (gone->facts.guards)
		end_with(monitor, "the process that attlsd was started as has ended");
}

void takeover_init(struct monitor *monitor, older_message_fn *on_message)
{
	monitor->takeover = (struct takeover){ .phase = TAKEOVER_NONE };
	timer_init(&monitor->takeover.settle, on_settle);
	older_init(&monitor->older, &monitor->loop, monitor, on_message, on_end);
}

int takeover_begin(struct monitor *monitor, int *link)
{
	static const struct handover_older unknown;
	struct takeover *takeover = &monitor->takeover;
	int r = heritage_receive(monitor, *link);

	if (r < 0) {
		struct handover_msg msg = { .type = HANDOVER_FAILED };

		bool other = r == -EPROTO || r == -EPROTONOSUPPORT;

		(void)snprintf(msg.text, sizeof(msg.text), "it cannot take what this attlsd hands over: %s",
			       other ? "their versions do not fit together; restart attlsd instead"
				     : strerror(-r));
		(void)handover_send(*link, &msg, NULL, 0); /* the other one knows no reason then */
		fd_close(link);
		return r;
	}
	takeover->from = older_add(&monitor->older, link, &unknown);
	if (takeover->from == NULL)
		return -ENOMEM;
	takeover->phase = TAKEOVER_LOADS;
	ticket_source_hold(&monitor->tickets, true);
	r = loop_watch(&monitor->loop, &takeover->from->link, EPOLLIN);
	if (r == 0)
		r = older_say(takeover->from, HANDOVER_HELLO, (uint64_t)getpid(), ATTLSD_VERSION);
	return r;
}

void takeover_go(struct monitor *monitor, int state)
{
	struct takeover *takeover = &monitor->takeover;
	int r = heritage_late_receive(monitor, state);

	if (r == 0)
		r = older_listen(&monitor->older, true);
	if (r == 0)
		r = loop_timer(&monitor->loop, &takeover->settle, TRIAL_MS);
	if (r < 0) {
		end_with(monitor, strerror(-r));
		return;
	}
	takeover->phase = TAKEOVER_TRIAL;
	(void)prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0); /* the parent ends soon, and in order */
	ticket_source_hold(&monitor->tickets, false);
	reload_promote(monitor);
	/* if it fails, the other one takes over again, and ends this process */
	(void)older_say(takeover->from, HANDOVER_SERVING, 0, NULL);
}

void takeover_settle(struct monitor *monitor)
{
	struct takeover *takeover = &monitor->takeover;

	if (takeover->phase != TAKEOVER_TRIAL || monitor->stopping)
		return;
	loop_timer_stop(&monitor->loop, &takeover->settle);
	(void)older_say(takeover->from, HANDOVER_SETTLED, 0, NULL); /* if it fails, the link ends */
}

void takeover_tell_counts(struct monitor *monitor)
{
	const struct takeover *takeover = &monitor->takeover;
	const struct handover_msg msg = { .type = HANDOVER_COUNTS_TOLD };
	int state;

	if (takeover->phase != TAKEOVER_TRIAL || takeover->from == NULL)
		return;
	state = heritage_late_counts(monitor);
	if (state < 0)
		return; /* without memory */
	(void)handover_send_spare(takeover->from->link.fd, &msg, &state,
				  1); /* without room: it is not read */
	fd_close(&state);
}

void takeover_main(struct monitor *monitor, bool guarded)
{
	struct takeover *takeover = &monitor->takeover;
	const struct older *older;

	if (takeover->phase != TAKEOVER_TRIAL)
		return;
	takeover->phase = TAKEOVER_DONE;
	takeover->from->facts.guards = guarded;
	DL_FOREACH (monitor->older.head, older) {
		if (!older->facts.guards)
			continue;
		takeover->guarded = true;
		(void)older_say(older, HANDOVER_NOW_MAIN, (uint64_t)getpid(), NULL);
	}
	monitor->ctl_server.sock.shared = false;
	monitor->http.sockets[HTTP_PAGES].listen.sock.shared = false;
	if (takeover->guarded)
		notify_close(&monitor->notify);
	else
		notify_speak(&monitor->notify);
}

void takeover_stop(struct monitor *monitor, bool now)
{
	const struct older *older;

	/* one that misses this ends with its last session */
	DL_FOREACH (monitor->older.head, older)
		(void)older_say(older, HANDOVER_STOPPING, now, NULL);
}

bool takeover_is_guarded(const struct monitor *monitor)
{
	return monitor->takeover.guarded || monitor->takeover.phase == TAKEOVER_TRIAL;
}
