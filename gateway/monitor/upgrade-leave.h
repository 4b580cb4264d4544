/* The part of upgrade.c in which this attlsd leaves. */
#ifndef ATTLSD_GATEWAY_MONITOR_UPGRADE_LEAVE_H
#define ATTLSD_GATEWAY_MONITOR_UPGRADE_LEAVE_H

#include <stdbool.h>

#include "gateway/monitor/monitor-state.h"

void upgrade_leave_init(struct upgrade *upgrade);

/* Tell the new attlsd something; if it has gone, its link ends. */
void upgrade_say(struct upgrade *upgrade, enum handover_type type, uint64_t number);
void upgrade_set_limit(struct upgrade *upgrade, uint64_t ms);
void upgrade_close_link(struct upgrade *upgrade);

/* The new attlsd dies with its parent, until it has begun to serve. */
void upgrade_kill_starter(struct upgrade *upgrade);

/* Tell the new attlsd what there is of this one, now and from now on. */
void upgrade_tell(struct upgrade *upgrade);

/* This process is about to end: the last numbers. */
void upgrade_last_words(struct upgrade *upgrade);

/* The new attlsd has proved itself. */
void upgrade_settled(struct upgrade *upgrade);

/* The service manager does not take it as its main process: this one stays. */
void upgrade_give_up_manager(struct upgrade *upgrade);

/* An operator has ended the new attlsd; now: without waiting for transfers. */
void upgrade_stopping(struct upgrade *upgrade, bool now);

/* The new attlsd has ended, and whoever waits for this process has to know. */
void upgrade_main_end(struct upgrade *upgrade);

/* Must this process wait for the end of the new one? */
bool upgrade_waits(const struct monitor *monitor);

#endif
