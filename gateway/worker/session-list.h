/*
 * A worker writes its sessions to an operator's connection, which the monitor passed
 * on: an ANSWER_SESSION each, oldest first, then ANSWER_SESSIONS_END. A session that
 * begins or ends meanwhile may be missing. It writes a few at a time, after the work
 * of sessions, and gives up on a reader that does not read.
 */
#ifndef ATTLSD_GATEWAY_WORKER_SESSION_LIST_H
#define ATTLSD_GATEWAY_WORKER_SESSION_LIST_H

struct worker;

/*
 * Takes *fd over (and sets it to -1), also if it has to drop the connection: too
 * many at once, or no memory.
 */
void session_dump_start(struct worker *worker, int *fd);

/* The worker ends: drop all connections. */
void session_dump_done(struct worker *worker);

#endif
