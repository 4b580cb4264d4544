/*
 * The monitor: accepts, counts, hands connections to workers, restarts those
 * that die, reloads, drains. Reads no byte that a network sent, holds no
 * private key.
 */
#ifndef ATTLSD_GATEWAY_MONITOR_MONITOR_H
#define ATTLSD_GATEWAY_MONITOR_MONITOR_H

/* Serve the policy in this file until SIGTERM. Returns the exit status. */
int monitor_run(const char *policy_path);

#endif
