/*
 * attlsctl's commands about a policy, which need no running attlsd. Each returns the
 * exit status, after printing what went wrong to stderr.
 */
#ifndef ATTLSD_GATEWAY_CTL_POLICY_COMMANDS_H
#define ATTLSD_GATEWAY_CTL_POLICY_COMMANDS_H

#include <stdbool.h>

/* Check whether attlsd could serve the policy in this file. */
int policy_command_check(const char *path, const char *own, bool json);

/* Check what this host lacks for the policy. */
int policy_command_doctor(const char *path, const char *own, bool json);

#endif
