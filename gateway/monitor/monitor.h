/*
 * The monitor: accepts and counts connections, hands them to workers, restarts
 * workers that die, reloads and drains. It reads no byte from the network and holds
 * no private key.
 */
#ifndef ATTLSD_GATEWAY_MONITOR_MONITOR_H
#define ATTLSD_GATEWAY_MONITOR_MONITOR_H

#include "gateway/host/inherited.h"
#include "gateway/host/program.h"

/*
 * Serve the policy in this file until SIGTERM, with what the starter has left open. Returns the
 * exit status.
 */
int monitor_run(const char *policy_path, const char *own_path, const struct program *program,
		struct inherited *inherited);

#endif
