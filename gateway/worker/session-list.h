/*
 * A worker tells an operator which sessions it has, over the connection that the
 * monitor has handed to it: an ANSWER_SESSION each, in the order in which they
 * began, and ANSWER_SESSIONS_END behind them. Sessions that begin or end meanwhile may
 * be told or not. A few at a time, behind whatever sessions have to do; a reader
 * that stands still is left.
 */
#ifndef ATTLSD_GATEWAY_WORKER_SESSION_LIST_H
#define ATTLSD_GATEWAY_WORKER_SESSION_LIST_H

struct worker;

/* *fd becomes the dump's (and -1), also where it is dropped: too many ask at once, no memory. */
void session_dump_start(struct worker *worker, int *fd);

/* The worker ends: drop all. */
void session_dump_done(struct worker *worker);

#endif
