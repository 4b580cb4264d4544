/*
 * attlsctl's commands about a policy, without the attlsd that runs. All return
 * the exit status, and have said on stderr what went wrong.
 */
#ifndef ATTLSD_GATEWAY_CTL_POLICY_COMMANDS_H
#define ATTLSD_GATEWAY_CTL_POLICY_COMMANDS_H

#include <stdbool.h>

/* Could attlsd serve the policy in this file? */
int policy_command_check(const char *path, bool json);

/* The client that is explained, in the words of the command line. */
struct explained_client {
	const char *listener;
	const char *address;
	const char *local;	 /* that it dialled; NULL: the listener's */
	const char *certificate; /* file of the one that it shows; NULL: none */
};

/* What would happen to it? */
int policy_command_explain(const char *path, const struct explained_client *client, bool json);

/* What does this host lack for the policy? */
int policy_command_doctor(const char *path, bool json);

#endif
