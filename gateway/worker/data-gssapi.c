/* There is no handshake: the session's context protects its data connections as well. */
#include "gateway/worker/data-gssapi.h"

#include "gateway/net/stream-gssapi.h"

enum ftp_data_result data_gssapi_start(struct data_legs *legs, enum ftp_prot level, uint32_t block,
				       bool upload)
{
	const struct stream_gssapi_setup setup = {
		.context = legs->facts->gssapi,
		.seal = level != FTP_PROT_SAFE,
		.receives = upload,
		.token_max = block,
	};

	if (legs->client.state != LEG_OPEN || level == FTP_PROT_CLEAR)
		return FTP_DATA_PENDING;
	if (setup.context == NULL || stream_gssapi_start(&legs->client.stream, &setup) < 0)
		return FTP_DATA_ABORTED;
	legs->client.state = LEG_READY;
	return FTP_DATA_PENDING;
}

enum ftp_data_result data_gssapi_result(const struct stream *client, enum ftp_data_result result)
{
	if (result == FTP_DATA_CLIENT_LOST && stream_gssapi_has_failed(client))
		return FTP_DATA_GSSAPI;
	return stream_has_gssapi(client) && result == FTP_DATA_CUT ? FTP_DATA_GSSAPI_CUT : result;
}
