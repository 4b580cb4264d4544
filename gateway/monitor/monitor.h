/*
 * The monitor: accepts and counts connections, hands them to workers, restarts
 * workers that die, reloads and drains. It reads no byte from the network and holds
 * no private key.
 */
#ifndef ATTLSD_GATEWAY_MONITOR_MONITOR_H
#define ATTLSD_GATEWAY_MONITOR_MONITOR_H

/* Serve the policy in this file until SIGTERM. Returns the exit status. */
int monitor_run(const char *policy_path);

#endif
