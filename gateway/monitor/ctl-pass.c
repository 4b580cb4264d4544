/*
 * Only workers know their sessions, and what they remember of servers and of their own
 * trouble, so they answer themselves.
 */
#include "gateway/monitor/ctl-pass.h"

#include <utlist.h>

#include "gateway/monitor/child-pick.h"

/*
 * Backlogged workers are not asked: questions would fill the channel, which must
 * have room for orders.
 */
void ctl_pass_question(const struct children *children, int fd, const struct msg *msg)
{
	const struct generation *generation;

	DL_FOREACH (children->head, generation)
		for (size_t i = 0; i < generation->n; i++) {
			const struct child *child = &generation->workers[i];

			if (child->ready && !child_is_backlogged(child))
				/* if it fails, attlsctl misses this worker's answer */
				(void)msg_send(child->channel.fd, msg, fd);
		}
}
