/* Which worker gets a new session. Belongs to the monitor. */
#ifndef ATTLSD_GATEWAY_MONITOR_CHILD_PICK_H
#define ATTLSD_GATEWAY_MONITOR_CHILD_PICK_H

#include "gateway/base/ctl-proto.h"
#include "gateway/monitor/children.h"

/* Has the worker many unread messages? Then it should get no more. */
bool child_is_backlogged(const struct child *child);

/* What the worker does, for operators. */
enum answer_worker_state child_state(const struct child *child);

/*
 * Find the workers with many unread messages. Each of the others can take 64 more
 * sessions: a channel counts as writable until it is a quarter full, and it holds
 * more than 250 of our messages.
 */
void generation_check_backlog(struct generation *generation, uint64_t now_ms);

/*
 * Of the workers that are ready and not backlogged, the one with the fewest
 * transfers, then the fewest sessions; or NULL.
 */
struct child *generation_pick(struct generation *generation);

/*
 * For sessions that resume each other's TLS sessions, which only works inside one
 * worker: the same worker for the same address, if it is ready and not backlogged.
 */
struct child *generation_pick_for(struct generation *generation, const struct ip_addr *client);

/* Is there more than one worker, whose reports can be compared? */
bool generation_others_report(const struct generation *generation);

/* For a task that another worker than `avoid` should do if there is one; start: where to look first. NULL:
 * none. */
struct child *generation_pick_other(struct generation *generation, pid_t avoid, size_t start);

/* How many workers there are, of the current generation and of those that are ending. */
uint32_t children_count(const struct children *children);

/* Have all its workers reported that they are ready? */
bool generation_is_ready(const struct generation *generation);

#endif
