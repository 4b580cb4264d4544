/* Brings policies into force. Belongs to the monitor. */
#ifndef ATTLSD_GATEWAY_MONITOR_RELOAD_H
#define ATTLSD_GATEWAY_MONITOR_RELOAD_H

#include <stdbool.h>
#include <sys/types.h>

#include "gateway/monitor/monitor-state.h"

/* Load the policy again. Returns NULL, or the reason why it did not begin. */
const char *reload_begin(struct monitor *monitor);
bool reload_is_under_way(const struct monitor *monitor);

/* All workers of the coming generation are ready: it takes over. */
void reload_promote(struct monitor *monitor);

/* attlsd cannot go on: end all processes, and exit with a failure. */
void reload_give_up(struct monitor *monitor);

/* The start failed at this step: log it, and set the exit status. */
void reload_start_failed(struct monitor *monitor, const char *step, int r, const char *error);

/* The loader has ended; also for the first policy. */
void reload_on_loaded(struct policy_load *load, int r, struct policy_loaded *loaded);
/* A name of the policy in force has other addresses. */
void reload_on_names_changed(struct name_watch *watch, struct policy_loaded *loaded);
/* For monitor.renewal. */
void reload_on_renewal(struct timer *timer);

/* Callbacks of children.h. */
void reload_on_ready(struct child *child);
void reload_on_death(struct child *child, pid_t pid, int status);
void reload_on_keeper_death(struct generation *generation, pid_t pid, int status);

#endif
