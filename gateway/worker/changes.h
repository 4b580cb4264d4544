/*
 * Recognises what a session changes other than by transfers (FTPLOGGING), once the server
 * has agreed to it.
 */
#ifndef ATTLSD_GATEWAY_WORKER_CHANGES_H
#define ATTLSD_GATEWAY_WORKER_CHANGES_H

#include <stddef.h>

#include "ftp-alg/ftp-alg.h"
#include "gateway/worker/facts.h"

/* The command that the server is asked to carry out; all zero: none that counts. */
struct changes {
	enum ftp_change what;
	char *renamed; /* owned: the name that RNFR gave */
	char *command; /* owned: the verb of the change, */
	char *name;    /* and its argument, both in the same memory */
};

/* A command of the client's goes to the server. */
void changes_command(struct changes *changes, const char *line, size_t len);

/* The server has agreed to it (FTP_DO_CHANGED): write it to the log and the audit trail. */
void changes_agreed(struct changes *changes, const struct facts *facts);

void changes_done(struct changes *changes);

#endif
