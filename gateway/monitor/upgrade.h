/*
 * Replaces this attlsd by a new process of its program. Belongs to the monitor.
 *
 * Until the new one has served for some seconds, this one goes on if the new one ends, in
 * whatever way. Then it tells the service manager, and ends with its last session. Without a
 * service manager that can be told, it stays, since somebody waits for its end: it passes
 * signals on, and ends when the new one has.
 */
#ifndef ATTLSD_GATEWAY_MONITOR_UPGRADE_H
#define ATTLSD_GATEWAY_MONITOR_UPGRADE_H

#include <stdbool.h>
#include <sys/types.h>

#include "gateway/monitor/monitor-state.h"

void upgrade_init(struct monitor *monitor);

/* Returns NULL: begun, ctl_server_upgraded() tells the end; or why not, which has been logged. */
const char *upgrade_begin(struct monitor *monitor);

/* This process is no longer on trial itself, so it may hand on. */
void upgrade_continue(struct monitor *monitor);

/* A process has ended that is neither a worker nor a keeper. */
void upgrade_reap(struct monitor *monitor, pid_t pid, int status);

/* SIGTERM or SIGINT, and SIGHUP: true if this process has handed on, and the signal with it. */
bool upgrade_take_stop(struct monitor *monitor);
bool upgrade_take_reload(struct monitor *monitor);

/* This process ends: end a new one that does not serve yet. */
void upgrade_done(struct monitor *monitor);

#endif
