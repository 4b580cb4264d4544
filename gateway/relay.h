/*
 * One file's bytes from one stream to another, with the way it ends.
 *
 * relay_step() alone decides what happens next; the owner calls it after every
 * event on either stream and after its timer, and acts on the result.
 */
#ifndef ATTLSD_GATEWAY_RELAY_H
#define ATTLSD_GATEWAY_RELAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/stream.h"

enum relay_result {
	RELAY_WAIT = 0,	 /* events were asked for */
	RELAY_AGAIN,	 /* the budget is spent: call again in the next turn */
	RELAY_SETTLE,	 /* all is sent and waits for the receiver's acknowledgement: call again on an event
			    or after a little while */
	RELAY_DONE,	 /* everything arrived, the end was carried over in order */
	RELAY_CUT,	 /* the source ended TCP without ending TLS */
	RELAY_FROM_LOST, /* the source was reset */
	RELAY_TO_LOST,	 /* the destination was reset, or sent what it must not */
};

enum relay_state { RELAY_MOVING = 0, RELAY_ENDING, RELAY_SETTLING };

struct relay {
	struct stream *from;
	struct stream *to;
	bool upload;   /* from is the client */
	bool doubt;    /* the source's orderly end does not mean that all is there */
	bool to_ended; /* the destination has ended its (unused) direction */
	enum relay_state state;
	uint64_t bytes;
};

/* Both streams are open and, where protected, through their handshake. doubt: as in the struct. */
void relay_init(struct relay *relay, struct stream *client, struct stream *server, bool upload, bool doubt);

/*
 * Move up to a budget of bytes through scratch (size bytes, shared by all
 * relays of the process: nothing stays in it). Asks the loop for the events
 * that it needs.
 */
enum relay_result relay_step(struct relay *relay, uint8_t *scratch, size_t size);

#endif
