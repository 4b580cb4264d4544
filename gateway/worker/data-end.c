/*
 * Closes the legs of a transfer: in order if all of it has arrived, with a reset
 * otherwise, so that neither side takes its part for the whole file.
 */
#include "gateway/worker/data-end.h"

#include "gateway/net/stream-ktls.h"
#include "gateway/worker/data-server-tls.h"
#include "gateway/worker/session-log.h"

enum ftp_data_result data_end_late(struct data_legs *legs, struct data_handshake *handshake)
{
	if (legs->client.state != LEG_READY && legs->client.state != LEG_OPEN)
		return data_handshake_late(handshake);
	return legs->server.state == LEG_TLS ? data_server_tls_late(legs) : FTP_DATA_NO_SERVER;
}

/* A handshake has failed: the peer gets our alert, and then the end. */
static void end_handshake(struct data_legs *legs, struct data_leg *leg)
{
	(void)stream_finish(&leg->stream); /* a peer that is gone gets no alert */
	linger_take(&legs->worker->lingering, &leg->stream);
}

void data_end_legs(struct data_legs *legs, enum ftp_data_result result, bool begun, bool failed)
{
	bool whole = result == FTP_DATA_OK;

	if (legs->client.stream.ktls != NULL && legs->client.stream.ktls->rekeyed)
		session_log(legs->facts, LOG_LEVEL_WARNING, "ktls-key-update",
			    LOG_TEXT("fix", "ktls: false in the tls_action of clients that change keys"));
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
