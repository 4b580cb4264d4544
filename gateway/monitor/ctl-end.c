/* Ends a session by order of an operator: its worker does it, or the attlsd that has been replaced. */
#include "gateway/monitor/ctl-end.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "gateway/monitor/children.h"
#include "gateway/monitor/ctl-older.h"

_Static_assert(CTL_END_TEXT_MAX >= CTL_OLDER_REASON_MAX, "its reasons fit");

enum answer_kind ctl_end_session(const struct admission *admission, const struct older_set *older, int fd,
				 enum msg_asker who, const struct ask *ask,
				 char ret_text[static CTL_END_TEXT_MAX])
{
	const struct msg msg = { .type = MSG_END_SESSION, .session = ask->session, .filter = ask->filter };
	const struct child *child = admission_owner(admission, ask->session);
	int r;

	if (child == NULL)
		return ctl_older_ask_owner(older, fd, who, ask, ask->session, ret_text) ? 0 : ANSWER_REFUSED;
	r = msg_send(child->channel.fd, &msg, -1);
	if (r == -EPIPE || r == -ECONNRESET || r == -EBADF) {
		(void)snprintf(ret_text, CTL_END_TEXT_MAX,
			       "worker %d is exiting, and session %" PRIu64 " ends with it", (int)child->pid,
			       ask->session);
		return ANSWER_DONE;
	}
	if (r < 0) {
		(void)snprintf(ret_text, CTL_END_TEXT_MAX,
			       "worker %d does not accept messages; kill -KILL ends it with all its sessions",
			       (int)child->pid);
		return ANSWER_REFUSED;
	}
	(void)snprintf(ret_text, CTL_END_TEXT_MAX, "session %" PRIu64 " is ending", ask->session);
	return ANSWER_DONE;
}
