/*
 * Worker processes and the policy generations that they serve. Belongs to the
 * monitor.
 *
 * A generation is a policy with its workers. A reload starts a new one beside
 * the old; the old one gets no new sessions, keeps its policy for those that it
 * has (AT-TLS's "stale action") and ends with the last of them.
 */
#ifndef ATTLSD_GATEWAY_MONITOR_CHILDREN_H
#define ATTLSD_GATEWAY_MONITOR_CHILDREN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "gateway/base/loop.h"
#include "gateway/base/msg.h"
#include "policy/policy.h"

struct children;
struct generation;

struct child {
	pid_t pid;	       /* 0: a place that waits to be filled again */
	struct watch channel;  /* read when the doorbell rings, and before decisions */
	struct watch doorbell; /* rung for what cannot wait */
	struct timer restart;
	struct children *children;
	struct generation *generation;
	size_t nsessions;
	_Atomic uint32_t *relays; /* transfers under way: a page that only this worker and the monitor have */
	bool ready;
	bool ready_reported;	 /* and on_ready was called */
	bool backlogged;	 /* as of generation_check_backlog() */
	enum msg_type stop_sent; /* MSG_NONE, or how it was told to end */
	bool stop_pending;	 /* the channel was full: that is still to be sent */
	uint64_t started_ms;
};

struct generation {
	uint64_t number;
	struct policy *policy; /* owned */
	unsigned uid, gid;     /* of its workers, when started as root */
	struct child *workers;
	size_t n;
	uint64_t backlogged_since_ms; /* that no worker takes sessions; 0: one does */
	bool backlog_logged;
	bool retired;
	struct generation *next, *prev;
};

struct children {
	struct loop *loop;
	bool root; /* started as root: workers are caged */
	struct generation *head;
	uint64_t last;
	/* What the monitor is told. */
	void *owner;
	void (*on_ready)(struct child *child);
	void (*on_message)(struct child *child, const struct msg *msg);
	void (*on_death)(struct child *child, pid_t pid, int status); /* its place is free already */
	void (*on_retired)(struct children *children, const struct generation *gone); /* it is freed next */
};

/*
 * Start the workers of a policy, which becomes the generation's (and NULL) on
 * success. uid and gid count only with root.
 */
int generation_start(struct children *children, struct policy **policy, unsigned uid, unsigned gid,
		     struct generation **ret_generation);

/* All its workers have said that they are ready. */
bool generation_is_ready(const struct generation *generation);

/*
 * No new sessions; its workers end with their last one, with MSG_DRAIN sooner
 * than with MSG_RETIRE. It is freed, and on_retired called, when all have.
 */
void generation_retire(struct generation *generation, enum msg_type how);

/* Is it behind with what it was told? Then it is better told nothing more. */
bool child_is_backlogged(const struct child *child);

/*
 * See which workers lag behind with what they were told. Those that do not can be
 * told of 64 sessions more: a channel counts as writable up to a quarter of what
 * it holds, and it holds more than 250 of our messages.
 */
void generation_check_backlog(struct generation *generation, uint64_t now_ms);

/* Of those that are ready and do not lag the worker with the fewest transfers, then the fewest sessions; or
 * NULL. */
struct child *generation_pick(struct generation *generation);

/*
 * Hear what the workers have said without ringing the doorbell: that sessions have
 * ended, say. Before whatever depends on it. Calls on_message only, and may end a
 * child; on_ready waits for the doorbell, so that no generation comes or goes in here.
 */
void children_drain_channels(struct children *children);

/* End a child that asked for what it must not. */
void child_kill(struct child *child, const char *reason);

/* SIGCHLD: bury who died; a place of a generation that is not retired is filled again. */
void children_reap(struct children *children);

/* SIGKILL to all. */
void children_kill(struct children *children);

/* Free what is left, without waiting for anybody. */
void children_done(struct children *children);

#endif
