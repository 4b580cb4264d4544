/*
 * Counts the events of sessions. The places that log an event call this beside it; which
 * number an event belongs to is decided here.
 */
#include "gateway/worker/tally.h"

#include <strings.h>

#include "gateway/base/counters.h"
#include "gateway/net/stream-tls.h"
#include "gateway/worker/data-result.h"
#include "policy/policy.h"

/* Of a name out of the policy. */
static size_t place(size_t index)
{
	return index < COUNT_NAMES_OTHER ? index : COUNT_NAMES_OTHER;
}

void tally_session(const struct facts *facts)
{
	count(SESSIONS_STARTED, place(facts->listener->index), 1);
	count(SESSIONS, place(facts->listener->index), 1);
}

void tally_session_end(const struct facts *facts, bool begun, const char *reason)
{
	count(SESSIONS_ENDED, count_value(COUNT_LABEL_END, reason), 1);
	if (begun)
		count(SESSIONS, place(facts->listener->index), -1);
}

/* Its place in the table of the label, whose n-th entry is the one with this id or name. */
static uint8_t cipher_index(uint16_t id)
{
	const struct cipher *cipher;

	for (size_t i = 0; (cipher = cipher_at(i)) != NULL && i < COUNT_TABLE_OTHER; i++)
		if (cipher->id == id)
			return (uint8_t)i;
	return COUNT_TABLE_OTHER;
}

/* OpenSSL may have another name for it, in either case of letters. */
static uint8_t group_index(const char *name)
{
	const struct tls_name *group;

	for (size_t i = 0; (group = tls_name_at(TLS_NAME_GROUP, i)) != NULL && i < COUNT_TABLE_OTHER; i++)
		if (strcasecmp(group->iana, name) == 0 ||
		    (group->openssl != NULL && strcasecmp(group->openssl, name) == 0))
			return (uint8_t)i;
	return COUNT_TABLE_OTHER;
}

void tally_handshake(enum ftp_side side, bool data, const struct stream *stream)
{
	const uint8_t values[COUNT_LABELS_MAX] = {
		side == FTP_SIDE_CLIENT ? COUNT_LEG_CLIENT : COUNT_LEG_SERVER,
		data ? COUNT_CONNECTION_DATA : COUNT_CONNECTION_CONTROL,
		(uint8_t)count_value(COUNT_LABEL_VERSION, stream_tls_version(stream)),
		cipher_index(stream_tls_cipher_id(stream)),
		group_index(stream_tls_group(stream)),
		stream_tls_resumed(stream) ? COUNT_RESUMED_YES : COUNT_RESUMED_NO,
	};

	count_cell(count_sparse_cell(count_page, COUNT_HANDSHAKES, values), 1);
}

void tally_login(void)
{
	count(LOGINS_ACCEPTED, 0, 1);
}

void tally_login_failed(const char *by)
{
	count(LOGINS_REFUSED, count_value(COUNT_LABEL_REFUSED_BY, by), 1);
}

/* The levels are in the order of the labels, but that of the clear has two names. */
static size_t prot(enum secure_level level)
{
	return level == SECURE_NEVER ? COUNT_CLIENT_PROT_C : (size_t)level;
}

static size_t direction(bool upload)
{
	return upload ? COUNT_DIRECTION_UPLOAD : COUNT_DIRECTION_DOWNLOAD;
}

void tally_bytes(bool upload, enum secure_level client, enum secure_level server, uint64_t bytes)
{
	size_t index = direction(upload) * COUNT_N_CLIENT_PROT + prot(client);

	count(TRANSFER_BYTES, index * COUNT_N_SERVER_PROT + prot(server), bytes);
}

void tally_transfer(bool upload, enum secure_level client, enum ftp_data_result result)
{
	size_t index = direction(upload) * COUNT_N_CLIENT_PROT + prot(client);
	size_t value = count_value(COUNT_LABEL_TRANSFER_RESULT, data_result_name(result));

	count(TRANSFERS, index * COUNT_N_TRANSFER_RESULT + value, 1);
}
