/*
 * A data connection between two transfers: in block and compressed mode it may outlive
 * its file (RFC 959 3.3). Both legs are open, and the relay of the transfer before goes on.
 */
#ifndef ATTLSD_GATEWAY_WORKER_DATA_KEPT_H
#define ATTLSD_GATEWAY_WORKER_DATA_KEPT_H

#include <stdbool.h>

#include "gateway/net/relay.h"
#include "gateway/worker/data-leg.h"

/*
 * Something has happened to one of the legs. Bytes that follow the file pass on in its direction, and
 * count for the session and the metrics. Those of a client that does not wait begin its next
 * upload. client and server: how these are protected.
 * False: one side has ended the connection, or broken the rules, and both legs are closed.
 */
bool data_kept_step(struct data_legs *legs, struct relay *relay, enum secure_level client,
		    enum secure_level server);

/* The next transfer begins on the connection: nothing is read until the server agrees to it. */
void data_kept_pause(struct data_legs *legs);

/* The server has refused that transfer: the connection waits for another one. ahead: of the client. */
void data_kept_again(struct data_legs *legs, struct relay *relay, bool upload, char mode,
		     struct ftp_frame_ahead *ahead);

/* The gateway ends the connection, in order: no file is on its way. */
void data_kept_close(struct data_legs *legs);

#endif
