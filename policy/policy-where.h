/*
 * Where the policy's text gives the key that made a decision about a session, so that a
 * log line can name its line. A key is written as in the file. One that does not
 * belong to the rule's ftp action, to its tls action or to `daemon` has the kind of its
 * object before it: "backend.secure_dataconn", "listener.tls", "user.services".
 */
#ifndef ATTLSD_POLICY_POLICY_WHERE_H
#define ATTLSD_POLICY_POLICY_WHERE_H

#include <stdint.h>

#include "policy/types.h"

/* What applies to a session. Each may be NULL: not known. */
struct policy_place {
	const struct policy_listener *listener;
	const struct policy_rule *rule;
	const struct policy_user *user; /* whose certificate the client has shown */
};

/* The line, counted from 1. 0: the file does not give the key, so its default counts,
 * or the file of the node gives it. */
uint32_t policy_where(const struct policy *policy, const struct policy_place *place, const char *key);

#endif
