/*
 * Dials the server. Its name may have an address that does not answer ("localhost" is
 * ::1 first, and many servers listen on 127.0.0.1 only), so all of them are tried.
 */
#include "gateway/worker/control-dial.h"

#include <errno.h>
#include <string.h>

#include "gateway/net/netsock.h"
#include "gateway/worker/context.h"
#include "gateway/worker/proxy-out.h"
#include "gateway/worker/server-choice.h"
#include "gateway/worker/server-memory.h"
#include "gateway/worker/server-tls.h"
#include "gateway/worker/session-log.h"
#include "gateway/worker/tally.h"

static void use_address(struct session *session, const struct ip_addr *addr)
{
	session->facts.server.addr = *addr;
	server_choice_changed(session);
}

/* The current address has failed. Returns true after a change to the next one, false if all were tried. */
static bool use_next_address(struct session *session)
{
	const struct policy_server *named = session->facts.named;

	if (++session->addresses_tried >= named->naddresses)
		return false;
	session->address_at = (session->address_at + 1) % named->naddresses;
	use_address(session, &named->addresses[session->address_at]);
	return true;
}

/* For one address; all addresses that a session may try share MYOPENTIME unless policy says otherwise. */
static uint64_t wait_ms(const struct session *session)
{
	const struct policy_rule *rule = session->facts.rule;
	size_t n = 0;

	for (size_t i = 0; i < rule->backend->nservers; i++)
		n += rule->backend->servers[i].naddresses > 0 ? rule->backend->servers[i].naddresses : 1;

	if (rule->backend->connect_timeout_ms != 0)
		return rule->backend->connect_timeout_ms;
	return (uint64_t)rule->ftp->myopentime_s * 1000 / n;
}

void control_server_down(struct session *session, const char *error)
{
	char text[IP_TEXT_MAX];

	tally_server_down(session->facts.rule->backend);
	session_log(&session->facts, LOG_LEVEL_ERROR, "server-down",
		    LOG_TEXT("backend", session->facts.rule->backend->name),
		    LOG_TEXT("address", ip_endpoint_format(&session->facts.server, text)),
		    LOG_TEXT("error", error));
	stream_close(&session->server, false);
	loop_timer_stop(session->client.loop, &session->server_timer);
	session->server_state = SERVER_NONE;
	session->server_eof = true;
}

static int watch_dial(struct session *session, int *fd)
{
	int r;

	netsock_set_control(*fd);
	netsock_keepalive(*fd, session->facts.rule->ftp->ftpkeepalive_s);
	stream_adopt(&session->server, fd);
	session->server_state = SERVER_DIALLING;
	r = loop_watch(session->server.loop, &session->server.watch, EPOLLOUT);
	if (r < 0)
		control_server_down(session, strerror(-r));
	return r;
}

/* To the current address of the server. */
static void dial(struct session *session)
{
	struct msg request = {
		.type = MSG_SOCKET,
		.session = session->facts.id,
		.purpose = PURPOSE_SERVER,
		.local.addr = session->facts.remote.addr,
		.remote = session->facts.server,
	};
	struct ip_addr source;
	int fd = -1;
	int r = server_tls_prepare(session);
	const char *unnamed = r == -EACCES ? "the address belongs to none of \"hosts\"" : NULL;

	if (r == 0)
		r = loop_timer(session->server.loop, &session->server_timer, wait_ms(session));
	session->parser = (struct ftp_reply_parser){
		.lenient = session->facts.rule->backend->multiline == BACKEND_MULTILINE_LENIENT,
	};
	session->server_eof = false;
	session->dialled_ms = session->worker->loop.now_ms;
	if (r == 0 && session->facts.rule->backend->source == BACKEND_SOURCE_CLIENT) {
		session->server_state = SERVER_ASKED;
		uplink_send(&session->worker->uplink, &request);
		return;
	}
	if (r == 0)
		r = policy_source_find(session->facts.rule->backend, session->facts.server.addr.family,
				       &source);
	if (r == 0) {
		fd = netsock_dial(&session->facts.server, &source, false);
		r = fd < 0 ? fd : 0;
	}
	if (r == 0)
		(void)watch_dial(session, &fd); /* it has logged what went wrong */
	else
		control_dial_failed(session, r, unnamed != NULL ? unnamed : strerror(-r));
}

void control_dial_server(struct session *session)
{
	session->addresses_tried = 0;
	session->dial_error.r = 0;
	if (server_choice_is_due(session))
		server_choice_ask(session);
	else
		dial(session);
}

void control_server_chosen(struct session *session, int error, uint32_t index, uint32_t left)
{
	if (session->server_state != SERVER_CHOOSING)
		return;
	if (error != 0 || index >= session->facts.rule->backend->nservers ||
	    (session->choice.only != 0 && index != session->choice.only - 1)) {
		control_server_down(session, server_choice_failed(session));
		return;
	}
	server_choice_take(session, index, left);
	dial(session);
}

void control_server_failed(struct session *session, enum server_failure failure, const char *error)
{
	if (server_choice_has_more(session)) {
		server_choice_next(session, failure, error);
		return;
	}
	server_choice_report(session, failure);
	control_server_down(session, error);
}

void control_dial_failed(struct session *session, int r, const char *error)
{
	const struct dial_error *counts = &session->dial_error;

	tally_dial(session->facts.rule->backend, r, 0);
	server_choice_dial_error(&session->dial_error, r, &session->facts.server.addr);
	if (!use_next_address(session)) {
		if (counts->r != r)
			use_address(session, &counts->at); /* the log names it */
		control_server_failed(session, server_choice_dial_failure(counts->r),
				      counts->r == r ? error : strerror(-counts->r));
		return;
	}
	stream_close(&session->server, false);
	dial(session); /* at most once for each address */
}

void control_server_granted(struct session *session, int error, int *fd)
{
	if (session->server_state != SERVER_ASKED)
		return;
	if (error == 0)
		(void)watch_dial(session, fd); /* likewise */
	else
		control_dial_failed(session, error, strerror(-error));
}

void control_server_connected(struct session *session)
{
	int r = netsock_error(session->server.watch.fd);

	if (r < 0) {
		control_dial_failed(session, r, strerror(-r));
		return;
	}
	session->connected_ms = session->worker->loop.now_ms;
	tally_dial(session->facts.rule->backend, 0, session->connected_ms - session->dialled_ms);
	if (session->facts.rule->backend->proxy != BACKEND_PROXY_NONE)
		proxy_out_send(&session->facts, &session->client, &session->server);
	if (server_tls_connected(session))
		return;
	session->server_state = SERVER_GREETING;
	if (loop_timer(session->server.loop, &session->server_timer, server_choice_greeting_ms(session)) < 0)
		control_server_down(session, strerror(ENOMEM));
}
