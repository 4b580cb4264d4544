/*
 * attlsctl's commands for a running attlsd. Each returns the exit status, after
 * printing what went wrong to stderr.
 */
#ifndef ATTLSD_GATEWAY_CTL_CLIENT_COMMANDS_H
#define ATTLSD_GATEWAY_CTL_CLIENT_COMMANDS_H

#include <stdbool.h>
#include <stdint.h>

struct target; /* client-target.h */

int client_status(const struct target *target, bool json);
int client_sessions(const struct target *target, bool json);
int client_end(const struct target *target, uint64_t session);
/* Checks the file first that attlsd would read, and does not ask for a reload if it has faults. */
int client_reload(const struct target *target);
int client_drain(const struct target *target, bool restart);

#endif
