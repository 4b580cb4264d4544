/*
 * Only workers know their sessions, and what they remember of servers and of their own
 * trouble, so they answer themselves.
 */
#include "gateway/monitor/ctl-pass.h"

#include <utlist.h>

#include "gateway/monitor/child-pick.h"

static uint32_t type_of(enum ctl_proto_what what)
{
	return what == CTL_SERVERS	? MSG_LIST_SERVERS
	       : what == CTL_EVENTS	? MSG_LIST_EVENTS
	       : what == CTL_TRACE_LAST ? MSG_TRACE_LAST
					: MSG_LIST_SESSIONS;
}

/*
 * Backlogged workers are not asked: questions would fill the channel, which must
 * have room for orders.
 */
void ctl_pass_question(const struct children *children, int fd, enum ctl_proto_what what, struct msg msg)
{
	const struct generation *generation;

	msg.type = type_of(what);
	DL_FOREACH (children->head, generation)
		for (size_t i = 0; i < generation->n; i++) {
			const struct child *child = &generation->workers[i];

			if (child->ready && !child_is_backlogged(child))
				/* if it fails, attlsctl misses this worker's answer */
				(void)msg_send(child->channel.fd, &msg, fd);
		}
}
