/*
 * Messages to the monitor. Most of them matter only for the monitor's next decision,
 * so they wait in the pipe until it reads; a wake-up for each would cost context
 * switches. When the pipe is full, messages wait in the outbox, which holds a
 * few for each session.
 */
#include "gateway/worker/uplink.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "gateway/base/log.h"
#include "gateway/base/util.h"

#define UNDELIVERED_MAX 32
#define OUTBOX_INITIAL	64

static void on_room(struct watch *watch, uint32_t ready);

void uplink_init(struct uplink *uplink, struct loop *loop, const struct uplink_fds *fds, watch_fn *on_channel)
{
	*uplink = (struct uplink){ .loop = loop, .doorbell = fds->doorbell };
	watch_init(&uplink->channel, on_channel);
	uplink->channel.fd = fds->channel;
	watch_init(&uplink->reports, on_room);
	uplink->reports.fd = fds->reports;
}

void uplink_done(struct uplink *uplink)
{
	free(uplink->outbox);
	uplink->outbox = NULL;
	fd_close(&uplink->channel.fd);
	fd_close(&uplink->reports.fd);
	fd_close(&uplink->doorbell);
}

static void monitor_lost(struct uplink *uplink, int error)
{
	log_event(LOG_LEVEL_ERROR, "monitor-lost", LOG_TEXT("error", strerror(error)));
	loop_stop(uplink->loop);
}

static int keep_for_later(struct uplink *uplink, const struct msg *msg)
{
	if (uplink->noutbox == uplink->outbox_cap) {
		size_t cap = uplink->outbox_cap == 0 ? OUTBOX_INITIAL : uplink->outbox_cap * 2;
		struct msg *outbox = realloc(uplink->outbox, cap * sizeof(*outbox));

		if (outbox == NULL)
			return -ENOMEM;
		uplink->outbox = outbox;
		uplink->outbox_cap = cap;
	}
	uplink->outbox[uplink->noutbox++] = *msg;
	return loop_watch(uplink->loop, &uplink->reports, EPOLLOUT);
}

static bool can_wait(uint32_t type)
{
	/* MSG_LOGIN_FAILED is missing: it counts from the time when the monitor reads it. Others wait for
	 * MSG_LOGIN_ASK and MSG_LOGIN_OVER. */
	return type == MSG_SESSION_LOGIN || type == MSG_SESSION_END;
}

void uplink_ring(struct uplink *uplink)
{
	(void)eventfd_write(uplink->doorbell, 1); /* fails only at a count of 2^64 */
	uplink->undelivered = 0;
}

void uplink_send(struct uplink *uplink, const struct msg *msg)
{
	int r;

	if (uplink->channel.fd == -1)
		return;
	r = uplink->noutbox > 0 ? -EAGAIN : msg_report(uplink->reports.fd, msg);
	if (r == -EAGAIN)
		r = keep_for_later(uplink, msg);
	if (r < 0)
		monitor_lost(uplink, -r);
	else if (++uplink->undelivered >= UNDELIVERED_MAX || uplink->noutbox > 0 || !can_wait(msg->type))
		uplink_ring(uplink);
}

void uplink_notify(struct uplink *uplink, enum msg_type type, uint64_t session)
{
	struct msg msg = { .type = type, .session = session };

	uplink_send(uplink, &msg);
}

/* The pipe has room again: send the kept messages. */
static void on_room(struct watch *watch, uint32_t ready)
{
	struct uplink *uplink = CONTAINER_OF(watch, struct uplink, reports);
	size_t sent = 0;
	int r = 0;

	(void)ready;
	while (sent < uplink->noutbox && (r = msg_report(uplink->reports.fd, &uplink->outbox[sent])) == 0)
		sent++;
	if (sent > 0)
		memmove(uplink->outbox, uplink->outbox + sent,
			(uplink->noutbox - sent) * sizeof(*uplink->outbox));
	uplink->noutbox -= sent;
	uplink_ring(uplink);
	if (r == 0)
		r = loop_watch(uplink->loop, &uplink->reports, 0);
	if (r < 0 && r != -EAGAIN)
		monitor_lost(uplink, -r);
}
