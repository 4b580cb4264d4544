/*
 * Counts the events of sessions. The places that log an event call this beside it; which
 * number an event belongs to is decided here.
 */
#include "gateway/worker/tally.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "gateway/base/counters.h"
#include "gateway/net/stream-tls.h"
#include "gateway/worker/data-result.h"
#include "policy/policy.h"

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

static size_t leg(enum ftp_side side)
{
	return side == FTP_SIDE_CLIENT ? COUNT_LEG_CLIENT : COUNT_LEG_SERVER;
}

void tally_handshake_failed(enum ftp_side side, bool data, const char *cause)
{
	size_t index =
	    leg(side) * COUNT_N_CONNECTION + (data ? COUNT_CONNECTION_DATA : COUNT_CONNECTION_CONTROL);

	count(HANDSHAKE_FAILURES, index * COUNT_N_CAUSE + count_value(COUNT_LABEL_CAUSE, cause), 1);
}

void tally_not_reused(enum ftp_side side, const char *reason)
{
	count(NOT_REUSED, leg(side) * COUNT_N_NOT_REUSED + count_value(COUNT_LABEL_NOT_REUSED, reason), 1);
}

void tally_cleared(enum ftp_side side, bool by_ccc)
{
	size_t by = by_ccc ? COUNT_CLEARED_BY_CCC : COUNT_CLEARED_BY_REIN;

	count(CLEARED, leg(side) * COUNT_N_CLEARED_BY + by, 1);
}

void tally_gssapi(bool ok)
{
	count(GSSAPI, ok ? COUNT_RESULT_OK : COUNT_RESULT_FAILED, 1);
}

void tally_login(void)
{
	count(LOGINS_ACCEPTED, 0, 1);
}

void tally_login_check(const char *answer)
{
	count(LOGIN_CHECKS, count_value(COUNT_LABEL_LOGIN_CHECK, answer), 1);
}

void tally_login_failed(const char *by)
{
	count(LOGINS_REFUSED, count_value(COUNT_LABEL_REFUSED_BY, by), 1);
}

static uint8_t verb_index(const char *name)
{
	const struct ftp_verb *verb = ftp_verb_find(name, strlen(name));
	size_t index = (size_t)(verb - ftp_verbs);

	return verb->name[0] != '\0' && index < COUNT_TABLE_OTHER ? (uint8_t)index : COUNT_TABLE_OTHER;
}

/* The first reply with this key stands for the key. */
static uint8_t key_index(const char *key)
{
	if (key == NULL)
		return COUNT_KEY_NONE;
	for (size_t i = 0; i < FTP_LOCAL_COUNT && i < COUNT_TABLE_OTHER; i++)
		if (ftp_local_key_at(i) != NULL && strcmp(ftp_local_key_at(i), key) == 0)
			return (uint8_t)i;
	return COUNT_TABLE_OTHER;
}

void tally_refusal(const char *verb, const char *key)
{
	const uint8_t values[COUNT_LABELS_MAX] = { verb_index(verb), key_index(key) };

	count_cell(count_sparse_cell(count_page, COUNT_COMMANDS_REFUSED, values), 1);
}

void tally_would_refuse(const char *key)
{
	const uint8_t values[COUNT_LABELS_MAX] = { key_index(key) };

	count_cell(count_sparse_cell(count_page, COUNT_WOULD_REFUSE, values), 1);
}

static size_t dial_result(int r)
{
	switch (r) {
	case 0:
		return COUNT_DIAL_CONNECTED;
	case -ECONNREFUSED:
		return COUNT_DIAL_REFUSED;
	case -ETIMEDOUT:
		return COUNT_DIAL_TIMEOUT;
	case -ENETUNREACH:
	case -EHOSTUNREACH:
		return COUNT_DIAL_UNREACHABLE;
	default:
		return COUNT_DIAL_OTHER;
	}
}

void tally_dial(const struct policy_backend *backend, int r, uint64_t ms)
{
	count(CONNECTS, count_place(backend->index) * COUNT_N_DIAL + dial_result(r), 1);
	if (r == 0)
		count_observe(COUNT_CONNECT_TIME, count_place(backend->index), ms * 1000);
}

void tally_greeting(const struct policy_backend *backend, uint64_t ms)
{
	count_observe(COUNT_GREETING_TIME, count_place(backend->index), ms * 1000);
}

void tally_server_down(const struct policy_backend *backend)
{
	count(DOWN, count_place(backend->index), 1);
}

void tally_data_unreachable(const struct policy_backend *backend)
{
	count(DATA_UNREACHABLE, count_place(backend->index), 1);
}

void tally_told(void)
{
	count(DATA_PORTS_TOLD, 0, 1);
	count(DATA_PORTS_WAITING, 0, 1);
}

void tally_dialled(void)
{
	count(DATA_PORTS_WAITING, 0, -1);
}

void tally_not_dialled(const char *reason, bool missed)
{
	count(DATA_PORTS_WAITING, 0, -1);
	if (missed)
		count(DATA_PORTS_NOT_DIALLED, count_value(COUNT_LABEL_TOLD, reason), 1);
}

void tally_peer_refused(enum ftp_side side)
{
	count(DATA_PEERS_REFUSED, leg(side), 1);
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

void tally_transfer(bool upload, enum secure_level client, enum ftp_data_result result, uint64_t ms)
{
	size_t index = direction(upload) * COUNT_N_CLIENT_PROT + prot(client);
	size_t value = count_value(COUNT_LABEL_TRANSFER_RESULT, data_result_name(result));

	count(TRANSFERS, index * COUNT_N_TRANSFER_RESULT + value, 1);
	count_observe(COUNT_TRANSFER_TIME, direction(upload), ms * 1000);
	if (result == FTP_DATA_CUT || result == FTP_DATA_GSSAPI_CUT)
		count(TRUNCATED, COUNT_LEG_CLIENT, 1);
	else if (result == FTP_DATA_SERVER_CUT)
		count(TRUNCATED, COUNT_LEG_SERVER, 1);
}
