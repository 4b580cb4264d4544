/*
 * What operators ask of sessions that a replaced attlsd still has: it gets their connection, and
 * answers itself, if both have the same control protocol.
 */
#ifndef ATTLSD_GATEWAY_MONITOR_CTL_OLDER_H
#define ATTLSD_GATEWAY_MONITOR_CTL_OLDER_H

#include <stdbool.h>

#include "gateway/base/ctl-proto.h"
#include "gateway/base/msg.h"
#include "gateway/monitor/older.h"

/* Will it answer? */
bool ctl_older_is_asked(const struct older *older);

/* Pass the question on to all of them. */
void ctl_older_ask_all(const struct older_set *set, int fd, enum msg_asker who, const struct ask *ask);

#define CTL_OLDER_REASON_MAX 200

/*
 * The same for the one whose session it is. Returns false if there is none, or it does not
 * understand the question; the text says so.
 */
bool ctl_older_ask_owner(const struct older_set *set, int fd, enum msg_asker who, const struct ask *ask,
			 uint64_t session, char ret_reason[static CTL_OLDER_REASON_MAX]);

/* A connection with a question, which an attlsd gets from the one that has replaced it. False: it is none. */
bool ctl_older_take(const struct handover_msg *msg, enum msg_asker *ret_who, struct ask *ret_ask);

#endif
