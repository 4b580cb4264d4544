/* Takes over from an attlsd that has started this process to replace it. Belongs to the monitor. */
#ifndef ATTLSD_GATEWAY_MONITOR_TAKEOVER_H
#define ATTLSD_GATEWAY_MONITOR_TAKEOVER_H

#include <stdbool.h>

#include "gateway/monitor/monitor-state.h"

void takeover_init(struct monitor *monitor, older_message_fn *on_message);

/* Receive what the other one hands on through this channel, which is taken over. Returns 0 or a negative
 * errno. */
int takeover_begin(struct monitor *monitor, int *link);

/* HANDOVER_GO has come: serve. */
void takeover_go(struct monitor *monitor, int state);

/* If this process is on trial, tell the other one that this is over. */
void takeover_settle(struct monitor *monitor);

/*
 * While this process is on trial: what it has counted so far stays if it ends. Tell it before anybody
 * sees the numbers.
 */
void takeover_tell_counts(struct monitor *monitor);

/* HANDOVER_MAIN has come: this is the main process. */
void takeover_main(struct monitor *monitor, bool guarded);

/* This process ends by order of an operator, and the older ones with it. */
void takeover_stop(struct monitor *monitor, bool now);

/* Does another process pass signals on that a terminal sends to both? */
bool takeover_is_guarded(const struct monitor *monitor);

#endif
