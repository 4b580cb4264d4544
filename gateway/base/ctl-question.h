/* What each question of the control protocol is: the one table for all who ask, judge and answer it. */
#ifndef ATTLSD_GATEWAY_BASE_CTL_QUESTION_H
#define ATTLSD_GATEWAY_BASE_CTL_QUESTION_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/ctl-proto.h"
#include "gateway/base/msg.h"

/* A row of zeros is an order that only ASKER_OPERATOR may give. */
struct ctl_question {
	const char *name;    /* in the log and the audit trail */
	enum msg_asker may;  /* this one, and those before it in the enum */
	bool logged;	     /* although it changes nothing */
	bool reload_answers; /* not before the policy, or the program, is in force or was refused */
	bool any_version;    /* it is asked as a struct ctl_order, which never changes */
	bool older;	     /* ANSWER_OLDER belongs to the answer */
	bool monitor_lists;  /* the answer is a list of the monitor's own, which describes no workers */
	bool backends; /* the servers of backends that have several, and their ANSWER_LIST_END, come first */
	enum msg_type pass; /* each worker gets this, and sends a list of its own; MSG_NONE: it does not */
};

/* NULL: there is no such question. */
const struct ctl_question *ctl_question_find(uint32_t what);

/* Does it change something? Only ASKER_OPERATOR may give orders. */
bool ctl_question_is_order(const struct ctl_question *question);

/* Do the log and the audit trail record it, and which user asked? They record all orders. */
bool ctl_question_is_logged(const struct ctl_question *question);

#endif
