/* attlsctl explain. */
#ifndef ATTLSD_GATEWAY_CTL_EXPLAIN_COMMAND_H
#define ATTLSD_GATEWAY_CTL_EXPLAIN_COMMAND_H

#include <stdbool.h>

/* The client to be explained, as given on the command line. */
struct explain_question {
	const char *listener;
	const char *address;
	const char *local;	 /* the address that it dialled; NULL: the listener's */
	const char *certificate; /* file of its certificate; NULL: none */
};

/* Explain what happens to the client. Returns the exit status, after printing what went wrong to stderr. */
int explain_command(const char *path, const struct explain_question *client, bool json);

#endif
