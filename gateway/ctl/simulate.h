/*
 * Finds the answers that a client gets, by playing a session on the FTP machine of
 * ftp-alg/ with a server that agrees to everything. It knows nothing of policies;
 * the machine decides.
 */
#ifndef ATTLSD_GATEWAY_CTL_SIMULATE_H
#define ATTLSD_GATEWAY_CTL_SIMULATE_H

#include <stdbool.h>

#include "ftp-alg/ftp-alg.h"

#define SIMULATION_TEXT_MAX 256

struct simulation {
	struct ftp_machine machine;
	struct ftp_access_state access;
	struct ftp_late_choice late_choice;
	struct ip_addr server;
	struct ip_endpoint offered;   /* the address that the client gets for its data connection */
	struct ftp_identity identity; /* the client's identity once TLS is up */
};

/* The answer to one command. */
struct simulation_answer {
	char text[SIMULATION_TEXT_MAX]; /* first line of the gateway's own reply; "": the server replies */
	bool passed;			/* the command reached the server */
	bool transfer;			/* and data would move */
	bool protect;			/* under TLS */
	bool protect_server;		/* and to the server, too */
	bool closed;			/* the session has ended */
	const char *key; /* of the gateway's own refusal: the policy's key that decided; NULL: none */
	const char
	    *would_refuse; /* the key that would have refused it, in a rule that only audits; or NULL */
	uint32_t line;	   /* and the line of the entry that did; 0: none */
};

/*
 * Play a session up to the greeting, including the handshake of an implicit listener, which comes before it
 * with tls_first.
 */
void simulation_start(struct simulation *simulation, const struct ftp_machine_setup *setup, bool tls_first,
		      const struct ip_endpoint *offered, const struct ftp_identity *identity);

/* Play one command to the end of its reply. A handshake that it leads to succeeds. */
void simulation_command(struct simulation *simulation, const char *command,
			struct simulation_answer *ret_answer);

#endif
