/*
 * A worker writes its sessions to an operator's connection that the monitor
 * handed over: an ANSWER_SESSION each, oldest first, then ANSWER_SESSIONS_END.
 * A session that begins or ends meanwhile may be missing. It writes a few at a
 * time, after whatever sessions have to do, and gives up on a reader that stands
 * still.
 */
#ifndef ATTLSD_GATEWAY_WORKER_SESSION_LIST_H
#define ATTLSD_GATEWAY_WORKER_SESSION_LIST_H

struct worker;

/* *fd becomes the dump's (and -1), also where it is dropped: too many ask at once, no memory. */
void session_dump_start(struct worker *worker, int *fd);

/* The worker ends: drop all. */
void session_dump_done(struct worker *worker);

#endif
