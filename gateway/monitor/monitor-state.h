/*
 * The state of the monitor, for its two halves: reload.c brings policies into force,
 * monitor.c does the rest.
 */
#ifndef ATTLSD_GATEWAY_MONITOR_MONITOR_STATE_H
#define ATTLSD_GATEWAY_MONITOR_MONITOR_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/loop.h"
#include "gateway/host/program.h"
#include "gateway/monitor/acceptor.h"
#include "gateway/monitor/activated.h"
#include "gateway/monitor/admission.h"
#include "gateway/monitor/audit-source.h"
#include "gateway/monitor/backends.h"
#include "gateway/monitor/children.h"
#include "gateway/monitor/ctl-server.h"
#include "gateway/monitor/data-share.h"
#include "gateway/monitor/ending.h"
#include "gateway/monitor/http-child.h"
#include "gateway/monitor/listen.h"
#include "gateway/monitor/login-check.h"
#include "gateway/monitor/login-queue.h"
#include "gateway/monitor/maintenance.h"
#include "gateway/monitor/name-watch.h"
#include "gateway/monitor/notify.h"
#include "gateway/monitor/older.h"
#include "gateway/monitor/policy-load.h"
#include "gateway/monitor/privileged.h"
#include "gateway/monitor/requests.h"
#include "gateway/monitor/signals.h"
#include "gateway/monitor/ticket-source.h"

/* The attlsd that this process replaces, or has replaced (takeover.c). */
struct takeover {
	enum {
		TAKEOVER_NONE = 0, /* it replaces none */
		TAKEOVER_LOADS,	   /* its workers are not ready yet */
		TAKEOVER_READY,	   /* it waits for HANDOVER_GO */
		TAKEOVER_TRIAL,	   /* it serves, and the other one goes on if it ends now */
		TAKEOVER_DONE
	} phase;
	struct older *from; /* NULL: it has ended */
	bool guarded;	    /* an older process gets the signals, and passes them on */
	struct timer settle;
};

/* The attlsd that replaces this process (upgrade.c). */
struct upgrade {
	enum {
		UPGRADE_NONE = 0,
		UPGRADE_WAITS,	/* this one is on trial itself, until HANDOVER_MAIN */
		UPGRADE_STARTS, /* the new one loads the policy and starts workers */
		UPGRADE_TRIAL,	/* it serves; if it ends now, this one goes on */
		UPGRADE_MOVES,	/* the service manager is being told */
		UPGRADE_GONE	/* the new one is the main process; here, sessions end */
	} phase;
	struct watch link;
	struct watch barrier; /* ends when the service manager has heard */
	struct timer limit;   /* for the phase */
	struct timer tell;    /* HANDOVER_FACTS */
	pid_t starter;	      /* 0: it has ended */
	int exit;	      /* status of the starter, and so of the new attlsd; -1: unknown */
	pid_t pid;	      /* of the new attlsd, 0: unknown */
	uint32_t workers_told;
	uint64_t sessions_told;
	uint64_t counts_told_ms;
	bool counts_whole;	 /* told: nothing is left here that counts */
	struct counters *counts; /* that the new one has told of during the trial; NULL: none */
	bool guards;		 /* this process stays for the service manager, and passes signals on */
	bool lost;		 /* the new one has ended */
	char version[32], reason[HANDOVER_TEXT_MAX];
};

struct monitor {
	struct loop loop;
	const char *path;
	const struct program *program;
	struct older_set older;
	struct takeover takeover;
	struct upgrade upgrade;
	struct signals signals;
	struct acceptor acceptor;
	struct timer renewal; /* reload: the running generation cannot replace one of its processes */
	struct timer again;   /* a reload that has to wait for another one, see take_reload() */
	struct ending ending;
	struct timer drain_end; /* then sessions end at once */
	uint64_t drain_end_ms;	/* when that is; 0: never */
	struct maintenance maintenance;
	struct policy_load load;
	struct children children;
	struct ticket_source tickets;
	struct name_watch names;
	struct generation *current;
	struct generation *coming; /* a reload's, until its workers are ready */
	struct activated activated;
	struct listener_set listeners;
	struct listener_set coming_listeners;
	struct admission admission;
	struct login_queue logins;
	struct login_checks login_checks;
	struct data_share share;
	struct privileged privileged;
	struct backends backends;
	struct checks checks;
	struct client_table clients;
	struct requests requests;
	struct ctl_server ctl_server;
	struct http_child http;
	struct audit_source audit;
	struct notify notify;
	struct answer_gateway facts;	 /* for operators; describe() fills in what changes */
	uint64_t started_ms, current_ms; /* when attlsd started, and when the current generation took over */
	uint64_t counted_s; /* since 1970, the time from which its counters are, also in attlsds before */
	const char *cause;  /* of the load under way: "start", "reload" or "names" */
	bool stopping;
	bool replaced; /* the next attlsd starts while this one drains, and needs its ports */
	int status;
};

#endif
