/* What the monitor looks up and sets before it starts workers. */
#ifndef ATTLSD_GATEWAY_MONITOR_STARTUP_H
#define ATTLSD_GATEWAY_MONITOR_STARTUP_H

#include "gateway/monitor/keeper-start.h"
#include "gateway/monitor/privileged.h"
#include "policy/policy.h"

/*
 * Find the users that workers and signers become when attlsd was started as root (all
 * 0 otherwise). Returns 0, or a negative errno after printing the fault with its place
 * in the policy.
 */
int startup_find_users(const struct policy *policy, const struct diags *source,
		       struct keeper_user *ret_users);

/* The same for daemon.control_group, into users that have been found. */
int startup_find_group(const struct policy *policy, const struct diags *source, struct keeper_user *users);

/*
 * Log each capability that root lacks here, with its purpose. Returns 0, or -EPERM if
 * one is missing that attlsd cannot do without.
 */
int startup_check_capabilities(const struct policy *policy);

/*
 * Set up what the workers inherit: as many open files as the host allows. Logs what
 * the policy lacks on this host, the kernel's TLS among it.
 */
void startup_prepare_host(const struct policy *policy);

/*
 * The first generation has been started: give up what only that needed. Returns 0 or a
 * negative errno; *ret_step is the step that failed.
 */
int startup_settle(struct privileged *privileged, const struct policy *policy, const char *path,
		   const char **ret_step);

#endif
