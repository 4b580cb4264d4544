/* The TLS handshake of a data connection before the transfer command goes to the server. */
#ifndef ATTLSD_GATEWAY_WORKER_DATA_HANDSHAKE_H
#define ATTLSD_GATEWAY_WORKER_DATA_HANDSHAKE_H

#include <stdbool.h>

#include "ftp-alg/ftp-alg.h"
#include "gateway/base/loop.h"
#include "gateway/worker/data-leg.h"

struct data_handshake {
	struct data_legs *legs;
	struct timer timer;
	enum ftp_handshake told; /* what the owner knows */
	bool waited;		 /* the time for a handshake that the client began is over */
	bool wanted;		 /* the client has got a 150, and its upload waits for the handshake */
	bool timed;		 /* and the handshake has begun, so that handshake_timeout runs */
	/* The state has changed, or the handshake has failed (result is not FTP_DATA_PENDING). May start a
	 * transfer. */
	void (*on_change)(struct data_handshake *handshake, enum ftp_handshake state,
			  enum ftp_data_result result);
};

void data_handshake_init(struct data_handshake *handshake, struct data_legs *legs,
			 void (*on_change)(struct data_handshake *handshake, enum ftp_handshake state,
					   enum ftp_data_result result));

/* The client's leg has changed while no transfer is under way; result: what its TLS says. */
void data_handshake_look(struct data_handshake *handshake, enum ftp_data_result result);

/* The upload waits until the client's data connection is there and protected, or has failed. */
void data_handshake_want(struct data_handshake *handshake, uint64_t connect_ms);

/* A transfer begins: the handshake is its own from here on. */
void data_handshake_pass(struct data_handshake *handshake);

/* The time for the client's leg is up: what is missing? Logs a handshake that took too long. */
enum ftp_data_result data_handshake_late(const struct data_handshake *handshake);

/* The plan is over. */
void data_handshake_forget(struct data_handshake *handshake);

#endif
