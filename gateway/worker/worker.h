/*
 * A worker: one process, one thread, its share of the sessions.
 */
#ifndef ATTLSD_GATEWAY_WORKER_WORKER_H
#define ATTLSD_GATEWAY_WORKER_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include "ftp-alg/ftp-alg.h"
#include "gateway/base/loop.h"
#include "gateway/net/linebuf.h"
#include "gateway/net/linger.h"
#include "gateway/net/relay.h"
#include "gateway/tls/tlsctx.h"
#include "policy/policy.h"

struct session_dump;
struct msg;
struct session;
struct users;

struct worker {
	struct loop loop;
	const struct policy *policy;
	struct tlsctx_set *tlsctx;
	struct users *users;
	struct watch channel; /* to the monitor */
	int doorbell;	      /* the monitor's, rung for what cannot wait */
	unsigned undelivered; /* messages since it was rung */
	struct msg *outbox;   /* what the channel had no room for yet, in order */
	size_t noutbox, outbox_cap;
	struct session *sessions;	 /* in order */
	struct session *by_number;	 /* the same, to be found */
	size_t nsessions, sessions_peak; /* sessions_peak: the most of them since memory was given back */
	struct linger_list lingering;
	struct session_dump *dumps; /* operators that are told of the sessions */
	size_t ndumps;
	bool retired;  /* ends with its last session */
	bool draining; /* and hurries that */
	struct timer drain_timer;
	struct timer trim_timer; /* gives memory back */
	struct timer expiry_timer;
	_Atomic uint32_t *relays; /* shared with the monitor: transfers under way, for balancing */
	uint8_t *modes_refused;	  /* by backend: FTP_MODE_ bits that it was seen to refuse */

	/* Shared by all sessions, hot and empty between events. */
	struct ftp_line line; /* the client's, while it is carried out; for the log */
	struct ftp_out out;
	struct outbuf replies;
	struct outbuf commands;
	struct relay_tools tools;
};

struct worker_setup {
	const struct policy *policy; /* outlives the worker */
	int channel;		     /* to the monitor; the worker's */
	int doorbell;		     /* the same */
	_Atomic uint32_t *relays;
	bool first;	   /* of its generation */
	int root;	   /* the folder to be chrooted into, or -1: started without root */
	unsigned uid, gid; /* to become, when root is given */
};

/* The worker's life; returns its exit status. Runs in a process of its own. */
int worker_run(const struct worker_setup *setup);

/* For sessions: tell the monitor. */
void worker_session_login(struct worker *worker, const struct session *session);
/* For sessions: ask the monitor; the answer, if there is one, comes with session_granted(). */
void worker_request(struct worker *worker, const struct msg *msg);
void worker_login_failed(struct worker *worker, const struct session *session);
/* It is over: what it asked for is void, its place in the limits is free. */
void worker_session_over(struct worker *worker, const struct session *session);

/* One of the worker's sessions is out of its lists. */
void worker_session_gone(struct worker *worker);

#endif
