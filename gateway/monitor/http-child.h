/*
 * The HTTP process and its sockets. Belongs to the monitor, which starts the process, answers
 * its questions, and starts another if it dies. It must be as little trusted as a worker.
 */
#ifndef ATTLSD_GATEWAY_MONITOR_HTTP_CHILD_H
#define ATTLSD_GATEWAY_MONITOR_HTTP_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "gateway/base/http-setup.h"
#include "gateway/base/loop.h"
#include "gateway/monitor/ctl-server.h"
#include "gateway/monitor/http-listen.h"
#include "gateway/monitor/keeper-start.h"
#include "policy/policy.h"

/* Of daemon.http, and of daemon.agent. */
enum http_socket_kind { HTTP_PAGES = 0, HTTP_AGENT, HTTP_SOCKETS };

struct http_socket {
	struct http_listen listen, coming;
	bool stays; /* the coming policy has the same address */
};

struct http_child {
	struct loop *loop;
	struct ctl_server *ctl;
	const struct activated *activated;
	bool root;
	int program; /* or a negative errno */
	int charts;  /* of chart-memory.h; negative: none yet */
	struct http_socket sockets[HTTP_SOCKETS];
	struct http_setup setup;
	pid_t pid; /* 0: there is none */
	int orders;
	struct watch questions;
	uint32_t may_ask;    /* how many questions it may still ask, */
	uint64_t counted_ms; /* as counted at this time */
	struct timer pause;  /* until it may ask again */
	struct timer timer;  /* until the restart, or until it must have asked something */
	uint64_t started_ms;
	uint32_t pause_s;     /* before the next restart */
	pid_t old;	      /* the process before, which finishes what it is about; 0: none */
	struct timer old_end; /* until then */
};

void http_child_init(struct http_child *http, struct loop *loop, struct ctl_server *ctl, bool root);

/*
 * Open the socket of the coming policy, unless it is the one in use. Returns 0, or a negative
 * errno after logging why.
 */
int http_child_prepare(struct http_child *http, const struct policy *policy, const struct diags *source);

/* The coming policy is in force, or will not be. */
void http_child_promote(struct http_child *http, const struct policy *policy,
			const struct keeper_user *users);
void http_child_abandon(struct http_child *http);

/* A process has ended, which may be this one. status: of waitpid(2). */
void http_child_ended(struct http_child *http, pid_t pid, int status);

/* Another attlsd serves the same socket: let the process finish its answers. */
void http_child_yield(struct http_child *http);
/* For good. */
void http_child_leave(struct http_child *http);
/* This attlsd serves it again. */
void http_child_go_on(struct http_child *http);

/* Use the charts of the attlsd before. Returns whether it keeps the descriptor. */
bool http_child_adopt_charts(struct http_child *http, int fd);

/* Kill the process, and close the socket. */
void http_child_end(struct http_child *http);

#endif
