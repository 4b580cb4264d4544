/*
 * A worker writes a list to an operator's connection, which the monitor passed on:
 * one answer for each item, then ANSWER_LIST_END. An item that comes or goes
 * meanwhile may be missing. It writes a few at a time, after the work of sessions,
 * and gives up on a reader that does not read.
 */
#ifndef ATTLSD_GATEWAY_WORKER_DUMP_H
#define ATTLSD_GATEWAY_WORKER_DUMP_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/ctl-proto.h"
#include "gateway/base/msg.h"
#include "gateway/base/session-filter.h"

struct worker;

/*
 * Describes the first item after place *at that the filter lets through, and moves *at to it;
 * false: there is none. A list begins after place 0.
 */
typedef bool dump_next_fn(const struct worker *worker, const struct session_filter *filter, uint64_t *at,
			  struct answer *ret_answer);

/*
 * Answers an order to list something. Takes *fd over (and sets it to -1), also if it
 * has to drop the connection: too many at once, or no memory.
 */
void dump_start(struct worker *worker, int *fd, dump_next_fn *next, const struct msg *msg);

/* The worker ends: drop all connections. */
void dumps_done(struct worker *worker);

#endif
