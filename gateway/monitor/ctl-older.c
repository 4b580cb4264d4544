/*
 * Passes questions about sessions on to replaced attlsds. The numbers of sessions grow from one
 * attlsd to the next, so the last number of each says whose a session is.
 */
#include "gateway/monitor/ctl-older.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <utlist.h>

/* The last byte of a message is always NUL, and so is that of `server`. */
_Static_assert(sizeof(struct ask) <= HANDOVER_TEXT_MAX, "a question fits into a message");

bool ctl_older_is_asked(const struct older *older)
{
	return older->facts.ctl_version == CTL_VERSION;
}

/* If it fails, the operator misses this answer. */
static int ask_one(const struct older *older, int fd, enum msg_asker who, const struct ask *ask)
{
	struct handover_msg msg = { .type = HANDOVER_ASK, .number = who };

	memcpy(msg.text, ask, sizeof(*ask));
	return handover_send_spare(older->link.fd, &msg, &fd, 1);
}

void ctl_older_ask_all(const struct older_set *set, int fd, enum msg_asker who, const struct ask *ask)
{
	const struct older *older;

	DL_FOREACH (set->head, older)
		if (ctl_older_is_asked(older))
			(void)ask_one(older, fd, who, ask);
}

static const struct older *owner_of(const struct older_set *set, uint64_t session)
{
	const struct older *older, *owner = NULL;

	DL_FOREACH (set->head, older)
		if (older->facts.last_session >= session &&
		    (owner == NULL || older->facts.last_session < owner->facts.last_session))
			owner = older;
	return owner;
}

bool ctl_older_ask_owner(const struct older_set *set, int fd, enum msg_asker who, const struct ask *ask,
			 uint64_t session, char ret_reason[static CTL_OLDER_REASON_MAX])
{
	const struct older *owner = owner_of(set, session);

	(void)snprintf(ret_reason, CTL_OLDER_REASON_MAX, "there is no session %" PRIu64, session);
	if (owner == NULL)
		return false;
	if (ctl_older_is_asked(owner) && ask_one(owner, fd, who, ask) == 0)
		return true;
	(void)snprintf(ret_reason, CTL_OLDER_REASON_MAX,
		       "session %" PRIu64 " would be one of attlsd %s (process %d), which an upgrade has "
		       "replaced; it does not answer this attlsctl, but kill -TERM %d drains it",
		       session, owner->facts.version, (int)owner->facts.pid, (int)owner->facts.pid);
	return false;
}

bool ctl_older_take(const struct handover_msg *msg, enum msg_asker *ret_who, struct ask *ret_ask)
{
	if (msg->type != HANDOVER_ASK || msg->number >= ASKERS)
		return false;
	memcpy(ret_ask, msg->text, sizeof(*ret_ask));
	*ret_who = (enum msg_asker)msg->number;
	return true;
}
