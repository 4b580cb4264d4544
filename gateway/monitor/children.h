/*
 * Worker processes and the policy generations that they serve. Belongs to the
 * monitor.
 *
 * A generation is a policy with its workers. A reload starts a new generation while
 * the old one still runs. The old one gets no new sessions, keeps its policy for the sessions
 * that it has (AT-TLS's "stale action") and ends with the last of them.
 */
#ifndef ATTLSD_GATEWAY_MONITOR_CHILDREN_H
#define ATTLSD_GATEWAY_MONITOR_CHILDREN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "gateway/base/loop.h"
#include "gateway/base/msg.h"
#include "gateway/base/ticket-seeds.h"
#include "gateway/monitor/child-debt.h"
#include "gateway/monitor/keeper-start.h"
#include "gateway/tls/policy-digest.h"
#include "gateway/tls/ticket-secrets.h"
#include "gateway/monitor/totals.h"
#include "gateway/worker/worker.h"
#include "policy/policy.h"

struct children;
struct generation;

struct child {
	pid_t pid;	       /* 0: no process, until the restart */
	struct watch channel;  /* orders to the worker */
	int reports;	       /* a pipe; drained when the doorbell rings, and before each decision */
	struct watch doorbell; /* the worker rings it for urgent messages */
	struct timer restart;
	struct timer limit;	/* until it is ready, or until it exits after it has closed its channel */
	struct child_debt debt; /* what it took of the monitor's time */
	struct timer rest;	/* until the monitor listens to it again */
	struct children *children;
	struct generation *generation;
	size_t nsessions;
	_Atomic uint32_t *relays; /* transfers under way, in a page shared by this worker and the monitor */
	struct counted counted;
	bool ready;
	bool ready_reported;	 /* on_ready was called */
	bool audit_due;		 /* it has not got its newest descriptors of the audit trail */
	uint64_t given;		 /* sessions that this process has got */
	bool backlogged;	 /* result of the last generation_check_backlog() */
	enum msg_type stop_sent; /* MSG_NONE, or the order to end that it was sent */
	bool given_up;		 /* killed at its start, because nobody needs it any more */
	bool stop_pending;	 /* the channel was full, so the order is still to be sent */
	uint64_t started_ms;
};

struct generation {
	uint64_t number;
	struct policy *policy; /* owned */
	char *text;	       /* of the policy; owned. NULL: unknown */
	size_t text_len;
	char *own_text; /* of the file of this node; owned. NULL: there is none */
	size_t own_len;
	char sha256[POLICY_DIGEST_TEXT]; /* of the policy's file; "": unknown */
	struct ticket_keys ticket_keys;	 /* of tls_actions with session_ticket_keys */
	uint32_t good_s;		 /* as in struct policy_loaded */
	struct keeper_user users;	 /* of its processes, when started as root */
	struct keeper_link keeper;
	struct timer keeper_end; /* from the end of the workers to that of the keeper */
	struct totals_map counted;
	struct child *workers;
	size_t n;
	uint64_t backlogged_since_ms; /* since when no worker accepts sessions; 0: one does */
	bool backlog_logged;
	bool retired;
	struct generation *next, *prev;
};

struct children {
	struct loop *loop;
	uint64_t start_limit_ms; /* for a worker to become ready; 0: any time */
	bool root;		 /* started as root: workers run in the sandbox */
	struct generation *head;
	uint64_t last;
	struct totals totals;
	struct ticket_seeds *tickets;	      /* of all generations; see ticket-source.h */
	uint8_t user_key[TLS_USER_KEY_BYTES]; /* the same for all workers, see worker_setup */
	/* Callbacks into the monitor. */
	void *owner;
	void (*on_ready)(struct child *child);
	void (*on_message)(struct child *child, const struct msg *msg);
	void (*on_death)(struct child *child, pid_t pid, int status); /* its slot is free already */
	void (*on_keeper_death)(struct generation *generation, pid_t pid, int status);
	void (*on_other)(struct children *children, pid_t pid, int status); /* neither worker nor keeper */
	/* `gone` is freed after the call */
	void (*on_retired)(struct children *children, const struct generation *gone);
};

/*
 * Start the keeper (if the policy isolates keys) and the workers of a policy. On
 * success the generation owns the policy and the ticket keys, and both are NULL. users are used only
 * as root.
 */
int generation_start(struct children *children, struct policy **policy, const struct keeper_user *users,
		     struct ticket_keys *keys, struct generation **ret_generation);

/*
 * Give the generation no new sessions. Its workers exit after their last session,
 * with MSG_DRAIN sooner than with MSG_RETIRE. When all have exited, on_retired is
 * called and the generation freed.
 */
void generation_retire(struct generation *generation, enum msg_type how);

/*
 * Read the messages that workers have sent without ringing the doorbell, for example
 * that sessions have ended. Call it before each decision that depends on them. It
 * calls only on_message, and may kill a child; on_ready waits for the doorbell, so
 * no generation starts or ends in here.
 */
void children_drain_reports(struct children *children);

/* Kill a child, and log why. */
void child_kill(struct child *child, const char *reason);

/* The same for a child that sent something that is not permitted; msg NULL: it did not. */
void child_kill_for(struct child *child, const struct msg *msg, const char *reason);

/* SIGCHLD: collect the dead children, and restart those whose generation is not retired. */
void children_reap(struct children *children);

/* The same for one process, a worker or a keeper, that has ended with this status of waitpid(2). */
void children_ended(struct children *children, pid_t pid, int status);

/* Send SIGKILL to all children. */
void children_kill(struct children *children);

/* Free what is left, without waiting for children. */
void children_done(struct children *children);

#endif
