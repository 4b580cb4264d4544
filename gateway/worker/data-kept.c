/*
 * Watches both legs of a data connection that waits for its next transfer. The end of one
 * side becomes the end of the other, as it was: in order or reset.
 */
#include "gateway/worker/data-kept.h"

#include "gateway/worker/data-end.h"
#include "gateway/worker/session-summary.h"
#include "gateway/worker/tally.h"

bool data_kept_step(struct data_legs *legs, struct relay *relay, enum secure_level client,
		    enum secure_level server)
{
	uint64_t before = relay->bytes;
	enum relay_result result = relay_step(relay, &legs->worker->tools);
	bool whole = false;

	if (relay->bytes != before) {
		tally_bytes(relay->upload, client, server, relay->bytes - before);
		session_summary_bytes(legs->facts, relay->upload, relay->bytes - before);
	}

	if (relay->to_ended && (result == RELAY_WAIT || result == RELAY_AGAIN)) {
		data_kept_close(legs);
		return false;
	}
	switch (result) {
	case RELAY_WAIT:
		return true;
	case RELAY_AGAIN:
		loop_again(&legs->worker->loop, &relay->from->watch);
		return true;
	case RELAY_FILE_ENDED: /* not twice */
	case RELAY_SETTLE:     /* the end has left, and the file has arrived before */
	case RELAY_DONE:
		whole = true;
		break;
	case RELAY_CUT:
	case RELAY_UNFINISHED:
	case RELAY_FROM_LOST:
	case RELAY_ABORTED:
	case RELAY_TO_LOST:
		break;
	}
	data_end_legs(legs, whole ? FTP_DATA_OK : FTP_DATA_ABORTED, true, false);
	return false;
}

void data_kept_pause(struct data_legs *legs)
{
	/* removing cannot fail */
	(void)loop_watch(&legs->worker->loop, &legs->client.stream.watch, 0);
	(void)loop_watch(&legs->worker->loop, &legs->server.stream.watch, 0);
}

void data_kept_again(struct data_legs *legs, struct relay *relay, bool upload, char mode,
		     struct ftp_frame_ahead *ahead)
{
	relay_init(relay, &legs->client.stream, &legs->server.stream, upload, false);
	relay_keep(relay, mode, upload ? ahead : NULL);
	loop_again(&legs->worker->loop, &relay->from->watch);
}

void data_kept_close(struct data_legs *legs)
{
	/* a peer that is gone makes both a no-op */
	(void)stream_finish(&legs->client.stream);
	(void)stream_finish(&legs->server.stream);
	data_end_legs(legs, FTP_DATA_OK, true, false);
}
