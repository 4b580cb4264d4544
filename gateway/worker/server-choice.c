/*
 * The choice among the servers of a backend, as a session sees it. Backends with
 * one server, named by `address`, have none: all of this does nothing then.
 */
#include "gateway/worker/server-choice.h"

#include <errno.h>
#include <string.h>

#include "gateway/net/linebuf.h"
#include "gateway/net/stream-tls.h"
#include "gateway/tls/server-maps.h"
#include "gateway/worker/server-memory.h"
#include "gateway/worker/session-identity.h"
#include "gateway/worker/session-log.h"

/* However many servers there are, one of them gets at least this time to greet. */
#define GREETING_MIN_MS 1000

static const struct policy_backend *backend_of(const struct session *session)
{
	return session->facts.rule->backend;
}

bool server_choice_is_due(const struct session *session)
{
	return backend_of(session)->balanced && !session->choice.taken;
}

static void tell(struct session *session, enum msg_type type, enum server_failure failure)
{
	bool asks = type == MSG_SERVER_ASK;
	const struct msg msg = { .type = type,
				 .session = session->facts.id,
				 .serial = (uint32_t)backend_of(session)->index,
				 .purpose = asks ? session->choice.only : 0,
				 .active = asks && session->choice.anew,
				 .failure = failure };

	uplink_send(&session->worker->uplink, &msg);
}

void server_choice_for(struct session *session, const char *user, size_t len)
{
	const struct server_map_client client = {
		.user = user,
		.user_len = len,
		.host = session->late_choice != NULL && session->late_choice->host[0] != '\0'
			    ? session->late_choice->host
			    : NULL,
		.sni = stream_tls_server_name(&session->client),
		.identity = session_identity(session),
	};
	const struct server_map_entry *entry;

	if (backend_of(session)->server_map == NULL)
		return;
	entry = server_maps_find(session->worker->maps, backend_of(session), &client);
	session->choice =
	    (struct server_choice){ .anew = true,
				    .only = entry->server != SERVER_MAP_BALANCE ? entry->server + 1 : 0,
				    .map_line = entry->line };
	/* what the log names if the monitor has none */
	session->facts.named =
	    &backend_of(session)->servers[session->choice.only != 0 ? session->choice.only - 1 : 0];
	session->facts.server = session->facts.named->endpoint;
}

void server_choice_ask(struct session *session)
{
	loop_timer_stop(session->server.loop, &session->server_timer);
	session->server_state = SERVER_CHOOSING;
	session->dialled_ms = session->worker->loop.now_ms;
	tell(session, MSG_SERVER_ASK, SERVER_FAILURE_NONE);
	session->choice.anew = false;
}

void server_choice_changed(struct session *session)
{
	server_memory_leave(session->ways);
	session->ways = server_memory_enter(session->worker->servers, (uint32_t)backend_of(session)->index,
					    &session->facts.server);
	ftp_machine_use_server(&session->machine, &session->facts.server.addr, session->ways);
}

void server_choice_take(struct session *session, uint32_t index, uint32_t left)
{
	session->choice.taken = true;
	session->choice.told = false;
	session->choice.left = left;
	session->junk_bytes = 0;
	session->facts.named = &backend_of(session)->servers[index];
	session->facts.server = session->facts.named->endpoint;
	session->address_at = session->addresses_tried = 0;
	session->dial_error.r = 0;
	server_choice_changed(session);
}

bool server_choice_has_more(const struct session *session)
{
	return session->choice.taken && !session->choice.settled && session->choice.left > 0;
}

const char *server_choice_failed(const struct session *session)
{
	if (session->choice.taken)
		return "all servers have failed";
	return session->choice.only != 0 ? "the server that server_map names is disabled"
					 : "no server is enabled";
}

void server_choice_report(struct session *session, enum server_failure failure)
{
	if (!session->choice.taken || session->choice.settled || session->choice.told ||
	    failure == SERVER_FAILURE_NONE)
		return;
	session->choice.told = true;
	tell(session, MSG_SERVER_FAILED, failure);
}

void server_choice_next(struct session *session, enum server_failure failure, const char *error)
{
	char text[IP_TEXT_MAX];

	server_choice_report(session, failure);
	session_log(&session->facts, LOG_LEVEL_WARNING, "server-failed",
		    LOG_TEXT("backend", backend_of(session)->name),
		    LOG_TEXT("address", ip_endpoint_format(&session->facts.server, text)),
		    LOG_TEXT("cause", server_failure_name(failure)), LOG_TEXT("error", error));
	session->awaited_ms += session->worker->loop.now_ms - session->dialled_ms;
	stream_close(&session->server, false);
	session->server_in.start = session->server_in.end;
	inbuf_tidy(&session->server_in);
	session->server_eof = false;
	ftp_machine_server_again(&session->machine);
	server_choice_ask(session);
}

void server_choice_settle(struct session *session)
{
	char text[IP_TEXT_MAX];

	if (!session->choice.taken || session->choice.settled)
		return;
	session->choice.settled = true;
	/* the last server may go on after a fault, which the monitor knows already */
	if (!session->choice.told)
		tell(session, MSG_SERVER_WORKS, SERVER_FAILURE_NONE);
	session_log(&session->facts, LOG_LEVEL_INFO, "server-chosen",
		    LOG_TEXT("backend", backend_of(session)->name),
		    LOG_TEXT("address", ip_endpoint_format(&session->facts.server, text)),
		    LOG_NUMBER(session->choice.map_line != 0 ? "map_line" : "", session->choice.map_line));
}

/* A server that hangs must leave time for the others; the last one has all of it. */
uint64_t server_choice_greeting_ms(const struct session *session)
{
	const struct policy_backend *backend = backend_of(session);
	uint64_t share_ms = backend->greeting_timeout_ms / backend->nservers;

	if (!server_choice_has_more(session))
		return backend->greeting_timeout_ms;
	return share_ms > GREETING_MIN_MS ? share_ms : GREETING_MIN_MS;
}

void server_choice_dial_error(struct dial_error *error, int r, const struct ip_addr *at)
{
	if (error->r == 0 || (r != -EADDRNOTAVAIL && r != -EAFNOSUPPORT))
		*error = (struct dial_error){ r, *at };
}

enum server_failure server_choice_dial_failure(int r)
{
	switch (-r) {
	case ECONNREFUSED:
	case ECONNRESET:
		return SERVER_FAILURE_REFUSED;
	case ETIMEDOUT:
		return SERVER_FAILURE_CONNECT_TIMEOUT;
	case ENOMEM:
	case ENOBUFS:
	case EMFILE:
	case ENFILE:
	case EADDRNOTAVAIL:
	case EAFNOSUPPORT:
		return SERVER_FAILURE_NONE;
	default:
		return SERVER_FAILURE_UNREACHABLE;
	}
}
