/*
 * The answers of an attlsd to one question, gathered from all its processes.
 *
 * Workers are not trusted, since one may be under an attacker's control: an answer
 * must agree with the monitor's, counts for the worker that sent it according to the
 * kernel, and has bounds.
 */
#ifndef ATTLSD_GATEWAY_VIEW_CLIENT_ANSWERS_H
#define ATTLSD_GATEWAY_VIEW_CLIENT_ANSWERS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "gateway/base/ctl-proto.h"
#include "gateway/view/client-target.h"

struct worker_heard {
	struct answer_worker worker;
	size_t sessions; /* answers about its sessions so far */
	size_t servers;	 /* and about servers */
	size_t events;
	size_t records; /* and of its trace */
	size_t losses;	/* of records that it had kept */
	bool complete;	/* all have arrived */
	bool invalid;	/* it has sent an invalid answer */
};

/* All answers to one question. */
struct answers {
	struct answer_gateway gateway;
	struct answer_older older[ANSWER_OLDER_MAX]; /* the first nolder of them */
	size_t nolder;
	struct worker_heard *workers;
	size_t nworkers;
	struct answer_session *sessions; /* sorted by number */
	size_t nsessions;
	size_t sessions_cap;	       /* how many have memory */
	struct answer_server *servers; /* sorted by address */
	size_t nservers;
	size_t servers_cap;
	struct answer_event *events; /* sorted by time */
	size_t nevents;
	size_t events_cap;
	size_t own_events;	       /* of the monitor */
	struct answer_client *clients; /* as they came */
	size_t nclients;
	size_t clients_cap;
	bool clients_complete;	      /* all have arrived */
	struct answer_trace *records; /* as they came */
	size_t nrecords;
	size_t records_cap;
	uint32_t records_max; /* that were asked for, of each worker */
};

/*
 * Make a packet of `received` bytes safe to use: terminate its texts, and set its
 * kind to 0 if it is not an answer.
 */
void client_answers_check(struct answer *answer, size_t received);

/*
 * Is `policy` what the attlsd that listens serves, according to the target? Returns 0, or -1 after
 * printing that it is not.
 */
int client_answers_serves(const struct target *target, const char *policy);

/*
 * Take one answer. sender is its process according to the kernel, or 0 if the
 * process is not visible from here. A worker's lies change nothing for the others.
 * Returns 0, or -1 after printing to stderr why it cannot go on.
 */
int client_answers_take(const struct target *target, struct answers *answers, const struct answer *answer,
			pid_t sender);

/* Have all that were asked answered? */
bool client_answers_are_all(const struct answers *answers, enum ctl_proto_what what);

/* CTL_SESSIONS, CTL_SERVERS: may this worker have more than it reported? */
bool client_is_silent(const struct worker_heard *heard);

/* Sort sessions by number, servers by address, backend and worker. */
void client_answers_sort(struct answers *answers);

void client_answers_done(struct answers *answers);

#endif
