/*
 * The answers to HAProxy's agent-check: one line, then the end of the connection. Whoever
 * connects learns whether new sessions are wanted here, and how much room there is, and no more.
 */
#ifndef ATTLSD_GATEWAY_HTTP_AGENT_H
#define ATTLSD_GATEWAY_HTTP_AGENT_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/loop.h"
#include "gateway/http/asker.h"

/* At once; others wait in the kernel's queue. */
#define AGENT_LINKS_MAX 32
/* As "ready up 100%\n". */
#define AGENT_LINE_MAX 24

struct agent_link {
	struct agent *agent;
	struct watch watch; /* fd -1: this place is free */
	struct timer timer;
	bool told; /* it has its line, and is to close */
};

struct agent {
	struct loop *loop;
	struct asker *asker;
	struct watch listener;
	struct timer pause; /* it cannot accept: try again then */
	struct asker_wait wait;
	bool waits;	 /* for an answer of the monitor */
	bool hears_more; /* it accepts */
	uint64_t line_ms;
	char line[AGENT_LINE_MAX]; /* "": there is none yet */
	struct agent_link links[AGENT_LINKS_MAX];
	unsigned nlinks;
};

/* What is said to a balancer; answers NULL: the monitor is silent. */
void agent_line(const struct answers *answers, char ret[static AGENT_LINE_MAX]);

/* Serve this listening socket, which stays the caller's. Returns 0 or a negative errno. */
int agent_start(struct agent *agent, struct loop *loop, struct asker *asker, int listener);

/* Accept no more connections. */
void agent_quiesce(struct agent *agent);

#endif
