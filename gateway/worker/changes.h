/*
 * The audit trail of a session: one log line for each change at the server that is not
 * a transfer (FTPLOGGING), when the server has agreed to it.
 */
#ifndef ATTLSD_GATEWAY_WORKER_CHANGES_H
#define ATTLSD_GATEWAY_WORKER_CHANGES_H

#include <stddef.h>

#include "gateway/worker/facts.h"

/* The command that the server is asked to carry out; all zero: none that counts. */
struct changes {
	char *renamed; /* owned: the name that RNFR gave */
	char *command; /* owned: the verb of the change, */
	char *name;    /* and its argument, both in the same memory */
};

/* A command of the client's goes to the server. */
void changes_command(struct changes *changes, const char *line, size_t len);

/* The server has agreed to it (FTP_DO_CHANGED): log it. */
void changes_log(struct changes *changes, const struct facts *facts, const char *user);

void changes_done(struct changes *changes);

#endif
