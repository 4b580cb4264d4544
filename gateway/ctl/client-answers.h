/*
 * The answers of an attlsd to one question, gathered from all its processes.
 *
 * What workers say is not trusted, since one may have been taken over: it counts
 * after what the monitor says, for the worker that the kernel says has said it,
 * and within bounds.
 */
#ifndef ATTLSD_GATEWAY_CTL_CLIENT_ANSWERS_H
#define ATTLSD_GATEWAY_CTL_CLIENT_ANSWERS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "gateway/base/ctl-proto.h"
#include "gateway/ctl/client-target.h"

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

/* Make a packet of `received` bytes fit to be looked at: its texts end; if it is no answer, its kind is 0. */
void client_answers_check(struct answer *answer, size_t received);

/*
 * Take one answer; sender: its process by the word of the kernel, or 0 when that
 * is not seen from here. What workers lie about changes nothing for the others.
 * Returns 0, or -1 after saying on stderr why there is nothing to go on with.
 */
int client_answers_take(const struct target *target, struct answers *answers, const struct answer *answer,
			pid_t sender);

/* Has everybody answered? */
bool client_answers_are_all(const struct answers *answers, enum ctl_proto_what what);

/* To CTL_SESSIONS: has this worker sessions of which it did not tell? */
bool client_is_silent(const struct worker_heard *heard);

/* By number of the session. */
void client_answers_sort(struct answers *answers);

void client_answers_done(struct answers *answers);

#endif
