/*
 * What a session is doing, for operators: its client's last command, and how far a
 * transfer has come.
 */
#ifndef ATTLSD_GATEWAY_WORKER_LATEST_H
#define ATTLSD_GATEWAY_WORKER_LATEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ftp-alg/ftp-alg.h"

#define LATEST_COMMAND_MAX 64

struct latest {
	char command[LATEST_COMMAND_MAX]; /* without secrets, cut if longer; "": none yet */
	struct ftp_progress progress;
};

/* The client has sent a command. */
void latest_command(struct latest *latest, const char *line, size_t len);

/* It goes to the server. exact: as ftp_representation_is_exact(). */
void latest_forward(struct latest *latest, const char *line, size_t len, bool exact);

#endif
