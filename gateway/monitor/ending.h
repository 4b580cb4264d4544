/* How attlsd ends: workers drain, or end all sessions at once, or are killed. */
#ifndef ATTLSD_MONITOR_ENDING_H
#define ATTLSD_MONITOR_ENDING_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "gateway/base/loop.h"
#include "gateway/monitor/children.h"

struct ending {
	struct loop *loop;
	struct children *children;
	struct timer timer;
	bool now; /* workers have been told to end all sessions */
};

void ending_init(struct ending *ending, struct loop *loop, struct children *children);

/* Workers end as soon as no transfer runs. */
/* Let sessions end by themselves: another attlsd serves new ones. */
void ending_retire(struct ending *ending);

void ending_drain(struct ending *ending);

/*
 * Workers end all sessions in order: clients get 421, and transfers are reset. A worker
 * that does not do so in time is killed, and a second call kills all of them.
 */
void ending_now(struct ending *ending);

/* A worker has died that should not have; lost: its sessions. */
void ending_log_death(pid_t pid, int status, size_t lost);

/* Kill the workers, and stop the loop. */
void ending_kill(struct ending *ending);

#endif
