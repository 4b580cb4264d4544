/*
 * attlsctl's end of control_socket: reach the attlsd that runs, ask, hear what
 * it says. Whatever goes wrong has been said on stderr when a function returns
 * -1.
 *
 * What workers say is not trusted, since one may have been taken over: it counts
 * behind what the monitor says, for the worker that the kernel says has said it,
 * and within bounds.
 */
#ifndef ATTLSD_GATEWAY_CTL_CLIENT_H
#define ATTLSD_GATEWAY_CTL_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#include "gateway/base/ctl-proto.h"

/* Whom to ask. */
struct target {
	const char *socket;
	const char *policy; /* that it has to serve; NULL: any */
};

struct worker_heard {
	struct answer_worker worker;
	size_t sessions; /* of it that were heard */
	bool complete;	 /* and that was all */
	bool invalid;	 /* it has said what cannot be */
};

/* All answers to one question. */
struct answers {
	struct answer_gateway gateway;
	struct worker_heard *workers;
	size_t nworkers;
	struct answer_session *sessions; /* by number */
	size_t nsessions;
	size_t sessions_cap; /* for this many there is memory */
};

/* Ask for status or sessions. Returns 0 and the answers, to be given to client_answers_done() in any case; or
 * -1. */
int client_collect(const struct target *target, enum ctl_proto_what what, struct answers *ret);
void client_answers_done(struct answers *answers);

/* To CTL_SESSIONS: has this worker sessions of which it did not tell? */
bool client_is_silent(const struct worker_heard *heard);

/* Give an order, and wait so long for the answer. Returns 0 and what it says, or -1. */
int client_order(const struct target *target, enum ctl_proto_what what, uint64_t session, int wait_ms,
		 struct answer *ret);

/* Say on stderr what is wrong with the attlsd at this socket. Returns -1. */
int client_fault(const struct target *target, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
