/*
 * The servers of backends that have several (`addresses`): their state, and which one a
 * session gets. The monitor alone writes this. What a worker reports counts for
 * the server that its session was given, once for each time.
 */
#ifndef ATTLSD_GATEWAY_MONITOR_BACKENDS_H
#define ATTLSD_GATEWAY_MONITOR_BACKENDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "gateway/monitor/server-health.h"
#include "gateway/monitor/totals.h"
#include "policy/policy.h"

struct backend_use;

/* A server's health checks, which checks.c orders. */
struct backend_check {
	uint32_t number; /* of the one under way; 0: none is */
	pid_t worker;	 /* that makes it, or made the last one */
	bool silent;	 /* the last one had no result in time */
	uint64_t end_ms; /* by then it has reported */
	uint64_t due_ms; /* the next one; 0: not known yet */
};

/* One server of one backend, by the names that policy gives both. It outlives reloads. */
struct backend_server {
	char *backend, *text;
	struct server_health health;
	bool disabled;	 /* by an operator */
	time_t since;	 /* its state */
	size_t sessions; /* that have it now */
	uint64_t chosen; /* how often it was */
	uint64_t chosen_at;
	bool in_policy; /* of the generation in force, and where: */
	size_t at_backend, at_server;
	size_t place; /* of its names in the counters; COUNT_NAMES_OTHER: it has none of its own */
	struct backend_check check;
	struct backend_server *prev, *next;
};

struct backends {
	struct backend_server *head;
	struct backend_use *uses; /* by session */
	uint64_t choices;
	struct totals *totals; /* the names of the counters; NULL: no server has a place there */
};

/* Who reports, and when. */
struct backend_witness {
	pid_t worker;
	bool others; /* other workers report as well */
	uint64_t now_ms;
};

void backends_done(struct backends *backends);

/* This policy comes into force. What it does not name any more, and no session uses, is forgotten. */
void backends_follow(struct backends *backends, const struct policy *policy);

/* NULL: there is none of these names. */
struct backend_server *backends_find(const struct backends *backends, const char *backend, const char *text);

/* An earlier attlsd says that this server is disabled. Without memory it is not. */
void backends_disable(struct backends *backends, const char *backend, const char *text, time_t since);

/* What a session wants of a backend. */
struct backend_wish {
	uint64_t session;
	const struct ip_addr *key; /* its client; NULL: unknown */
	uint32_t only;		   /* the index of the server plus 1; 0: any that it has not had */
	bool anew;		   /* its earlier servers no longer count */
};

/*
 * A session wants a server of this backend. Returns its index, and in *ret_left how many there would
 * still be; -ENOENT: there is none left, or -ENOMEM; or -EEXIST: the session has one that works.
 */
int backends_choose(struct backends *backends, const struct policy_backend *backend,
		    const struct backend_wish *wish, uint64_t now_ms, uint32_t *ret_left);

/* The server that the session has of this backend; NULL: none. */
const struct policy_server *backends_server_of(const struct backends *backends,
					       const struct policy_backend *backend, uint64_t session);

/* The server that the session was given works (NONE) or not. False: it has none, or has told already. */
bool backends_report(struct backends *backends, const struct policy_backend *backend, uint64_t session,
		     enum server_failure failure, const struct backend_witness *witness);

/* The same of a check, whatever sessions say. */
void backends_learn(struct backend_server *server, const struct policy_health *limits,
		    enum server_failure failure, const struct backend_witness *witness);

/* The session is over. */
void backends_session_end(struct backends *backends, uint64_t session);

#endif
