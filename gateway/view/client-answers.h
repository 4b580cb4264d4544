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
	pid_t of; /* a replaced attlsd, whose worker it is; 0: it is one of the attlsd that was asked */
	size_t sessions; /* answers about its sessions so far */
	size_t servers;	 /* and about servers */
	size_t events;
	size_t records; /* and of its trace */
	size_t losses;	/* of records that it had kept */
	bool complete;	/* all have arrived */
	bool invalid;	/* it has sent an invalid answer */
};

/* A replaced attlsd, which may answer for its own sessions. */
struct older_heard {
	struct answer_older older;
	bool heard;		    /* its own first answer has come: */
	uint32_t workers, nworkers; /* how many it has, and how many of them have been described */
	size_t events;
};

/* All answers to one question. */
struct answers {
	struct answer_gateway gateway;
	struct older_heard older[ANSWER_OLDER_MAX]; /* the first nolder of them */
	size_t nolder;
	struct worker_heard *workers; /* of all attlsds that answer */
	size_t nworkers;
	size_t own_workers;		 /* of the one that was asked */
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
	struct answer_backend *backends; /* servers, as the policy lists them */
	size_t nbackends;
	size_t backends_cap;
	bool list_complete;	      /* all clients, or backends, have arrived */
	struct answer_trace *records; /* as they came */
	size_t nrecords;
	size_t records_cap;
	uint32_t records_max; /* that were asked for, of each worker */
};

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

/* The sessions of the attlsd that was asked, and of those that it has replaced. */
uint64_t client_answers_sessions(const struct answers *answers);

/*
 * May this replaced attlsd have sessions that are not in the answers? It does not answer, or not to
 * such a question.
 */
bool client_older_is_silent(const struct older_heard *heard);

/* Sort sessions by number, servers by address, backend and worker. */
void client_answers_sort(struct answers *answers);

void client_answers_done(struct answers *answers);

#endif
