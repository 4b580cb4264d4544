/*
 * What a client would be answered: a session of ftp-alg/'s own machine, played
 * with a server that agrees to everything. Nothing is known here of what policy
 * allows; the machine is asked.
 */
#ifndef ATTLSD_GATEWAY_CTL_SIMULATE_H
#define ATTLSD_GATEWAY_CTL_SIMULATE_H

#include <stdbool.h>

#include "ftp-alg/ftp-alg.h"

#define SIMULATION_TEXT_MAX 256

struct simulation {
	struct ftp_machine machine;
	struct ip_addr server;
	struct ip_endpoint offered;   /* what the client is told to dial */
	struct ftp_identity identity; /* who it is once TLS is up */
};

/* The answer to one command. */
struct simulation_answer {
	char text[SIMULATION_TEXT_MAX]; /* the gateway's own reply, its first line if it has several; "": the
					  server's */
	bool passed;			/* the command reached the server */
	bool transfer;			/* and data would move, */
	bool protect;			/* under TLS or not */
	bool closed;			/* the session has ended */
};

/* Up to the greeting, with the handshake of an implicit listener done. */
void simulation_start(struct simulation *simulation, const struct ftp_machine_setup *setup,
		      const struct ip_endpoint *offered, const struct ftp_identity *identity);

/* Say one command to the end of its reply; a handshake that it asks for succeeds. */
void simulation_command(struct simulation *simulation, const char *command,
			struct simulation_answer *ret_answer);

#endif
