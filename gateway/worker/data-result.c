/*
 * The names of results, as attlsd.8 lists them. Whatever keeps a data connection
 * from resuming a TLS session has one name, which scripts search for, and a reason.
 */
#include "gateway/worker/data-result.h"

static const struct {
	const char *name;
	const char *reason;
} results[] = {
	[FTP_DATA_PENDING] = { "dropped", NULL },
	[FTP_DATA_OK] = { "ok", NULL },
	[FTP_DATA_NO_CLIENT] = { "no-client-connection", NULL },
	[FTP_DATA_NO_SERVER] = { "no-server-connection", NULL },
	[FTP_DATA_TLS] = { "tls-failed", NULL },
	[FTP_DATA_NOT_REUSED] = { "session-not-reused", "no-ticket-offered" },
	[FTP_DATA_TICKET_UNKNOWN] = { "session-not-reused", "unknown-ticket-key" },
	[FTP_DATA_TICKET_OTHER] = { "session-not-reused", "ticket-of-another-session" },
	[FTP_DATA_TICKET_EXPIRED] = { "session-not-reused", "ticket-expired" },
	[FTP_DATA_TICKET_UNFIT] = { "session-not-reused", "ticket-unfit" },
	[FTP_DATA_NO_EXTENDED_SECRET] = { "session-not-reused", "no-extended-master-secret" },
	[FTP_DATA_NOT_PRIVATE] = { "not-encrypted", NULL },
	[FTP_DATA_CERTIFICATE] = { "other-certificate", NULL },
	[FTP_DATA_SERVER_TLS] = { "server-tls-failed", NULL },
	[FTP_DATA_SERVER_NOT_REUSED] = { "server-session-not-reused", NULL },
	[FTP_DATA_CUT] = { "tls-truncated", NULL },
	[FTP_DATA_SERVER_CUT] = { "server-tls-truncated", NULL },
	[FTP_DATA_UNFINISHED] = { "unfinished", NULL },
	[FTP_DATA_GSSAPI] = { "gssapi-failed", NULL },
	[FTP_DATA_GSSAPI_CUT] = { "gssapi-truncated", NULL },
	[FTP_DATA_CLIENT_LOST] = { "client-reset", NULL },
	[FTP_DATA_SERVER_LOST] = { "server-reset", NULL },
	[FTP_DATA_STALLED] = { "stalled", NULL },
	[FTP_DATA_ABORTED] = { "aborted", NULL },
};

enum ftp_data_result data_result_of(enum relay_result result, bool upload)
{
	switch (result) {
	case RELAY_WAIT:
	case RELAY_AGAIN:
	case RELAY_SETTLE:
		break;
	case RELAY_FILE_ENDED:
	case RELAY_DONE:
		return FTP_DATA_OK;
	case RELAY_CUT:
		return upload ? FTP_DATA_CUT : FTP_DATA_SERVER_CUT;
	case RELAY_UNFINISHED:
		return FTP_DATA_UNFINISHED;
	case RELAY_FROM_LOST:
		return upload ? FTP_DATA_CLIENT_LOST : FTP_DATA_SERVER_LOST;
	case RELAY_ABORTED:
		return FTP_DATA_ABORTED;
	case RELAY_TO_LOST:
		return upload ? FTP_DATA_SERVER_LOST : FTP_DATA_CLIENT_LOST;
	}
	return FTP_DATA_PENDING;
}

const char *data_result_name(enum ftp_data_result result)
{
	return results[result].name;
}

const char *data_result_reason(enum ftp_data_result result)
{
	return results[result].reason;
}
