/*
 * Closes the legs of a transfer: in order if all of it has arrived, with a reset
 * otherwise, so that neither side takes its part for the whole file.
 */
#include "gateway/worker/data-end.h"

/* A handshake has failed: the peer gets our alert, and then the end. */
static void end_handshake(struct data_legs *legs, struct data_leg *leg)
{
	(void)stream_finish(&leg->stream); /* a peer that is gone gets no alert */
	linger_take(&legs->worker->lingering, &leg->stream);
}

void data_end_legs(struct data_legs *legs, enum ftp_data_result result, bool begun, bool failed)
{
	bool whole = result == FTP_DATA_OK;

	if (result == FTP_DATA_TLS)
		end_handshake(legs, &legs->client);
	/* after its handshake the server could take an orderly end for that of the file */
	if (result == FTP_DATA_SERVER_TLS && legs->server.state == LEG_TLS && !legs->server.stream.tls_up)
		end_handshake(legs, &legs->server);
	if (whole) {
		linger_take(&legs->worker->lingering, &legs->client.stream);
		linger_take(&legs->worker->lingering, &legs->server.stream);
	}
	if (!whole && !begun && legs->server.state >= LEG_OPEN)
		linger_reset(&legs->worker->lingering, &legs->server.stream);
	/*
	 * An incomplete transfer resets both legs, so that neither side takes its part for the whole file.
	 * But a reset destroys bytes that the client has not read. If the server has reported the failure,
	 * its reply and the missing close_notify tell the client enough.
	 */
	data_legs_close(legs, &legs->client, !whole && !(failed && result == FTP_DATA_SERVER_LOST));
	data_legs_close(legs, &legs->server, !whole);
}
