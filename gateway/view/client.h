/*
 * attlsctl's end of control_socket: asks a running attlsd and gets its answers. A
 * function that returns -1 has printed what went wrong to stderr.
 */
#ifndef ATTLSD_GATEWAY_VIEW_CLIENT_H
#define ATTLSD_GATEWAY_VIEW_CLIENT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "gateway/base/ctl-proto.h"
#include "gateway/view/client-answers.h"
#include "gateway/view/client-target.h"

/*
 * Ask for status or sessions. filter: of sessions; NULL for all. Returns 0 and the answers, or -1. Call
 * client_answers_done() in either case.
 */
int client_collect(const struct target *target, enum ctl_proto_what what, const struct session_filter *filter,
		   struct answers *ret);

/* The same for any question. */
int client_collect_ask(const struct target *target, const struct ask *question, struct answers *ret);

/*
 * Ask CTL_TRACE, and call on_answer for each answer with its sender (0: not visible), until it
 * returns false. Workers are not trusted. Returns 0, or -1, also when attlsd ends.
 */
typedef bool client_answer_fn(void *context, struct answer *answer, pid_t sender);
int client_follow(const struct target *target, const struct ask *question, client_answer_fn *on_answer,
		  void *context);

/*
 * Give an order, and wait at most wait_ms for the answer. CTL_END: filter->session is the session; it ends
 * only if it matches the rest. Other orders: NULL. Returns 0 and the answer; 1: attlsd refuses; or -1.
 */
int client_order(const struct target *target, enum ctl_proto_what what, const struct session_filter *filter,
		 int wait_ms, struct answer *ret);

/* The same for any order. */
int client_order_ask(const struct target *target, const struct ask *question, int wait_ms,
		     struct answer *ret);

/*
 * Ask what the monitor alone answers (CTL_METRICS), and hand over each answer, the first of which is
 * ANSWER_GATEWAY. take returns 0: more must follow; 1: that was all; or -1: it cannot be right. Returns 0
 * when all is there, or -1.
 */
int client_read(const struct target *target, enum ctl_proto_what what,
		int (*take)(void *context, const struct answer *answer), void *context);

/*
 * Called in a signal handler before this process ends because attlsd does not answer: it may only make
 * calls that are safe there. NULL: nothing.
 */
void client_before_exit(void (*call)(void));

#endif
