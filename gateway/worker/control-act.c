/*
 * Carries out the actions of ftp-alg/out.h: replies and commands to send, TLS to
 * start, the server to dial, data connections to make. It adds no decision; an
 * action may add further ones while the list is walked.
 */
#include "gateway/worker/control-act.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gateway/net/linebuf.h"
#include "gateway/net/netsock.h"
#include "gateway/worker/control-dial.h"
#include "gateway/worker/control-gssapi.h"
#include "gateway/worker/control-tls.h"
#include "gateway/worker/login-ask.h"
#include "gateway/worker/passive-share.h"
#include "gateway/worker/progress-log.h"
#include "gateway/worker/server-choice.h"
#include "gateway/worker/server-tls.h"
#include "gateway/worker/session-audit.h"
#include "gateway/worker/session-end.h"
#include "gateway/worker/session-habits.h"
#include "gateway/worker/session-identity.h"
#include "gateway/worker/session-log.h"
#include "gateway/worker/tally.h"
#include "gateway/worker/trace-line.h"
#include "gateway/worker/would-refuse.h"

/* For log_hidden() and the trace. */
static void note_secret(struct session *session, const struct ftp_act *act)
{
	struct ftp_command command = ftp_command_parse(act->text, act->len);
	bool secret = command.verb->kind == FTP_KIND_PASS || command.verb->kind == FTP_KIND_ACCT;

	session->secret_sent = ftp_command_has_secret(&command);
	session->word_sent = session->secret_sent && !secret;
	echo_note(&session->echo, command.arg, secret ? command.arg_len : 0);
}

static void add_command(struct session *session, const struct ftp_act *act)
{
	struct outbuf *lines = &session->worker->commands;

	session->heard_ms = session->worker->loop.now_ms;
	note_secret(session, act);
	trace_command(session, TRACE_TO_SERVER, act->text, act->len);
	if (server_tls_holds(session, act->text, act->len))
		return;
	/* Send each command in its own segment: during a transfer, some servers carry out only the first
	 * command of a segment. */
	outbuf_flush(lines, &session->server);
	outbuf_add(lines, &session->server, act->text, act->len, true);
}

/*
 * RFC 959 4.1.3: IAC IP, then IAC DM with DM as urgent data. If the server does not
 * read, DM goes in line: the signal would be late in any case.
 */
static void interrupt(struct session *session)
{
	static const uint8_t signal[] = { 0xff, 0xf4, 0xff }; /* IAC IP IAC */
	static const uint8_t mark = 0xf2;		      /* DM */

	outbuf_flush(&session->worker->commands, &session->server);
	(void)stream_write(&session->server, signal, sizeof(signal)); /* a lost server is noticed elsewhere */
	if (stream_has_layer(&session->server) || !stream_is_drained(&session->server) ||
	    !netsock_send_urgent(session->server.watch.fd, mark))
		(void)stream_write(&session->server, &mark, sizeof(mark));
}

static void do_server_drop(struct session *session)
{
	outbuf_flush(&session->worker->commands, &session->server);
	server_tls_finish(session);
	server_tls_forget(session);
	stream_close(&session->server, false);
	session->server_in.start = session->server_in.end;
	inbuf_tidy(&session->server_in);
	loop_timer_stop(session->server.loop, &session->server_timer);
	session->server_state = SERVER_NONE;
	session->server_eof = false;
}

static void do_server_renew(struct session *session, const struct ftp_act *act)
{
	const struct msg request = { .type = MSG_SESSION_SOURCE,
				     .session = session->facts.id,
				     .remote = session->facts.remote };

	do_server_drop(session);
	server_choice_for(session, act->text, act->len);
	if (session->probe) /* limits apply to it from now on */
		uplink_send(&session->worker->uplink, &request);
	else
		control_dial_server(session);
}

static void do_listen(struct session *session, enum ftp_side side)
{
	struct ip_endpoint endpoint;
	int r = data_conn_listen(&session->data, side, &endpoint);

	if (r == -EADDRINUSE && side == FTP_SIDE_CLIENT && passive_share_make_room(session))
		r = data_conn_listen(&session->data, side, &endpoint);
	control_tls_look_at_ticket(session);
	if (r == -EINPROGRESS)
		return; /* data_listening() of session.c follows */
	if (r < 0)
		session_log(&session->facts, LOG_LEVEL_ERROR, "no-data-port",
			    LOG_TEXT("error", strerror(-r)));
	ftp_machine_listening(&session->machine, side, r < 0 ? NULL : &endpoint, &session->worker->out);
}

/* DSWAITTIME: the transfer's command once more. */
static void do_retry(struct session *session)
{
	const char *command = data_conn_restart(&session->data);
	struct ftp_act act = { .what = FTP_DO_COMMAND, .text = command };

	if (command == NULL) {
		session_end(session, "no-memory");
		return;
	}
	act.len = strlen(command);
	progress_log_start(session);
	add_command(session, &act);
}

static void do_data_abort(struct session *session)
{
	session->data.legs.told.reason = "aborted";
	data_conn_close(&session->data, true);
	ftp_machine_data_done(&session->machine, FTP_DATA_ABORTED, &session->worker->out);
}

static void do_user(struct session *session, const struct ftp_act *act)
{
	size_t len = act->len < sizeof(session->login_name) - 1 ? act->len : sizeof(session->login_name) - 1;

	memcpy(session->login_name, act->text, len);
	session->login_name[len] = '\0';
}

/* Ask the monitor, which sees all sessions of a source, whether this one may try a login now. */
static void do_login_ask(struct session *session, const struct ftp_act *act)
{
	const struct msg msg = { .type = MSG_LOGIN_ASK,
				 .session = session->facts.id,
				 .delay_ms = session->facts.rule->ftp->login_delay_ms };

	if (act->len > 0)
		do_user(session, act);
	uplink_send(&session->worker->uplink, &msg);
}

/* With the certificate that the client shows, if it does. */
static void log_login(const struct session *session)
{
	const struct identity *identity = session_identity(session);
	const char *principal = session_principal(session);
	char sha256[IDENTITY_SHA256_TEXT];

	if (identity == NULL) {
		session_log(&session->facts, LOG_LEVEL_INFO, "login", LOG_TEXT("user", session->user),
			    LOG_TEXT(principal != NULL ? "principal" : "", principal));
		return;
	}
	session_log(&session->facts, LOG_LEVEL_INFO, "login", LOG_TEXT("user", session->user),
		    LOG_TEXT("subject", identity->subject), LOG_TEXT("issuer", identity->issuer),
		    LOG_TEXT("serial", identity->serial),
		    LOG_TEXT("sha256", identity_sha256(identity, sha256)));
}

static void do_logged_in(struct session *session)
{
	memcpy(session->user, session->login_name, sizeof(session->user));
	tally_login();
	log_login(session);
	session_habits_logged_in(session);
	session_audit_login(&session->facts, session_identity(session), session_principal(session));
	control_tls_logged_in(session);
	server_tls_logged_in(session);
	if (session->logged_in) {
		uplink_notify(&session->worker->uplink, MSG_LOGIN_OVER, session->facts.id);
		return;
	}
	session->logged_in = true;
	uplink_notify(&session->worker->uplink, MSG_SESSION_LOGIN, session->facts.id);
	if (session->others_wait)
		uplink_ring(&session->worker->uplink);
	loop_timer_stop(session->client.loop, &session->idle_timer);
	if (loop_set_bulk(session->client.loop, &session->client.watch, false) < 0 ||
	    loop_timer(session->client.loop, &session->idle_timer, session_first_look_ms(session)) < 0)
		session_end(session, "no-memory");
}

static void do_close(struct session *session, const struct ftp_act *act)
{
	char reason[32];

	assert(act->len < sizeof(reason)); /* our own texts */
	memcpy(reason, act->text, act->len);
	reason[act->len] = '\0';
	outbuf_flush_last(&session->worker->replies, &session->client);
	session->ended_by = act->key;
	session_end(session, reason);
}

/* Log why a command was refused: the client's own log seldom says. */
static void log_refusal(struct session *session, const struct ftp_act *act)
{
	char text[160];
	size_t len = act->len < sizeof(text) - 1 ? act->len : sizeof(text) - 1;

	uint32_t line = act->line != 0 ? act->line : session_log_where(&session->facts, act->key);

	tally_refusal(act->verb, act->key);
	memcpy(text, act->text, len);
	text[len] = '\0';
	session_audit_refused(&session->facts, act->verb, session->line, session->line_len, text, act->key,
			      line);
	if (session->refusals < UINT32_MAX)
		session->refusals++;
	if (session->refusals > SESSION_REFUSALS_LOGGED)
		return;
	session_log(&session->facts, LOG_LEVEL_INFO, "refused-command", LOG_TEXT("user", session->user),
		    LOG_TEXT("command", act->verb), LOG_TEXT("reply", text),
		    LOG_TEXT(act->why != NULL ? "why" : "", act->why), session_log_key(act->key),
		    LOG_NUMBER(line != 0 ? "line" : "", line));
}

/* Log that the server refuses what policy wants of it: PROT, CCC, or TLS itself. */
static void log_server_refused(struct session *session, const struct ftp_act *act)
{
	char text[160];
	size_t len = act->len < sizeof(text) - 1 ? act->len : sizeof(text) - 1;

	if (session->refusals >= SESSION_REFUSALS_LOGGED) /* the client's commands that ask again count */
		return;
	memcpy(text, act->text, len);
	text[len] = '\0';
	session_log(&session->facts, LOG_LEVEL_INFO, "server-refused-command",
		    LOG_TEXT("backend", session->facts.rule->backend->name), LOG_TEXT("command", act->verb),
		    LOG_TEXT("reply", text));
}

/*
 * Log a line that answered no command, so that an administrator can report it to the
 * server's vendor. One line per session is enough for that; the others are counted.
 * A server that repeats what it got must not bring a password into the log.
 */
static void log_stray(struct session *session, const struct ftp_act *act)
{
	char text[120];
	size_t len = act->len < sizeof(text) - 1 ? act->len : sizeof(text) - 1;

	if (session->strays < UINT32_MAX)
		session->strays++;
	if (session->strays > 1 && !act->refusal)
		return;
	memcpy(text, act->text, len);
	text[len] = '\0';
	if (session->secret_sent)
		(void)snprintf(text, sizeof(text), "(hidden: it may repeat a password)");
	session_log(&session->facts, LOG_LEVEL_INFO, "stray-reply",
		    LOG_TEXT("backend", session->facts.rule->backend->name),
		    LOG_TEXT("action", act->refusal ? "close" : "drop"), LOG_TEXT("text", text));
}

/* Does this line end the client's waiting? The 150 of an upload does not: the client reads no more for now.
 */
static bool is_final(const struct ftp_act *act)
{
	return act->len > 0 && act->text[0] >= '2' && act->text[0] <= '9';
}

/* Log the server's reason for a refused login, which the client does not get (ACCESSERRORMSGS). */
static void log_hidden(struct session *session, const struct ftp_act *act)
{
	char text[160];
	bool repeats = echo_is_in(&session->echo, act->text, act->len);
	size_t len = act->len < sizeof(text) - 1 ? act->len : sizeof(text) - 1;

	memcpy(text, act->text, len);
	text[len] = '\0';
	session_log(&session->facts, LOG_LEVEL_INFO, "server-refused-login",
		    LOG_TEXT("user", session->login_name),
		    LOG_TEXT("reply", repeats ? "(hidden: it repeats the password)" : text));
}

static void send_reply(struct session *session, const struct ftp_act *act)
{
	if (!session->reply_goes_on && act->len > 0)
		trace_reply(session, TRACE_TO_CLIENT, act->text, act->len);
	session->reply_goes_on = act->goes_on;
	if (control_gssapi_protects(session, act))
		control_gssapi_reply(session, act);
	else
		outbuf_add(&session->worker->replies, &session->client, act->text, act->len, !act->goes_on);
}

static void note_would_refuse(struct session *session, const struct ftp_act *act)
{
	char text[160];
	size_t len = act->len < sizeof(text) - 1 ? act->len : sizeof(text) - 1;

	memcpy(text, act->text, len);
	text[len] = '\0';
	would_refuse(&session->facts, act->key, act->verb, text);
}

static void carry_out_one(struct session *session, const struct ftp_act *act)
{
	switch (act->what) {
	case FTP_DO_NOTHING:
		break;
	case FTP_DO_REPLY:
		if (act->refusal)
			log_refusal(session, act);
		if (session->data.legs.ticket_due && is_final(act))
			control_tls_renew_ticket(session);
		if (session->phase != PHASE_HANDSHAKE)
			send_reply(session, act);
		break;
	case FTP_DO_COMMAND:
		if (act->forwarded)
			changes_command(&session->changes, act->text, act->len);
		if (act->forwarded)
			latest_forward(
			    &session->latest, act->text, act->len,
			    ftp_representation_is_exact(ftp_machine_representation(&session->machine)));
		if (act->forwarded)
			login_ask_note(session, act);
		if (act->urgent)
			interrupt(session);
		add_command(session, act);
		break;
	case FTP_DO_TLS_START:
		control_tls_auth(session);
		break;
	case FTP_DO_TLS_STOP:
		control_tls_stop(session, act->notify);
		break;
	case FTP_DO_SERVER_TLS_START:
		server_tls_start(session);
		break;
	case FTP_DO_SERVER_TLS_STOP:
		server_tls_stop(session, act->notify);
		break;
	case FTP_DO_GSSAPI_BEGIN:
		control_gssapi_begin(session);
		break;
	case FTP_DO_GSSAPI_ACCEPT:
		control_gssapi_accept(session, act);
		break;
	case FTP_DO_GSSAPI_STOP:
		control_gssapi_stop(session);
		break;
	case FTP_DO_SERVER_RENEW:
		do_server_renew(session, act);
		break;
	case FTP_DO_SERVER_DROP:
		do_server_drop(session);
		break;
	case FTP_DO_LISTEN_CLIENT:
		do_listen(session, FTP_SIDE_CLIENT);
		break;
	case FTP_DO_LISTEN_SERVER:
		do_listen(session, FTP_SIDE_SERVER);
		break;
	case FTP_DO_DIAL_CLIENT:
		control_tls_look_at_ticket(session);
		data_conn_target(&session->data, FTP_SIDE_CLIENT, &act->endpoint);
		break;
	case FTP_DO_DIAL_SERVER:
		data_conn_target(&session->data, FTP_SIDE_SERVER, &act->endpoint);
		break;
	case FTP_DO_DATA_DIAL:
		data_conn_dial(&session->data);
		break;
	case FTP_DO_DATA_SECURE:
		data_conn_secure(&session->data, act);
		break;
	case FTP_DO_DATA_DISMISS:
		data_conn_dismiss(&session->data);
		break;
	case FTP_DO_DATA_START:
		progress_log_start(session);
		data_conn_start(&session->data, act);
		break;
	case FTP_DO_DATA_GO:
		data_conn_go(&session->data);
		break;
	case FTP_DO_DATA_REFUSED:
		data_conn_refused(&session->data);
		break;
	case FTP_DO_DATA_DOUBT:
		data_conn_doubt(&session->data);
		break;
	case FTP_DO_DATA_TRUST:
		data_conn_trust(&session->data);
		break;
	case FTP_DO_DATA_FAILED:
		if (!data_conn_fail(&session->data))
			do_data_abort(session);
		break;
	case FTP_DO_DATA_AGREED:
		data_conn_agree(&session->data);
		break;
	case FTP_DO_DATA_ABORT:
		do_data_abort(session);
		break;
	case FTP_DO_DATA_CLOSE:
		data_conn_close(&session->data, false);
		break;
	case FTP_DO_RETRY:
		do_retry(session);
		break;
	case FTP_DO_SEGMENT:
		outbuf_flush(&session->worker->replies, &session->client);
		session->segment_ms = 1;
		if (loop_timer(session->client.loop, &session->pause_timer, session->segment_ms) < 0)
			session_end(session, "no-memory");
		break;
	case FTP_DO_PAUSE:
		if (loop_timer(session->client.loop, &session->pause_timer, act->number) < 0)
			session_end(session, "no-memory");
		break;
	case FTP_DO_SIDE_WAIT:
		if (loop_timer(session->client.loop, &session->side_timer, act->number) < 0)
			session_end(session, "no-memory");
		break;
	case FTP_DO_LOG_SERVER_REFUSED:
		log_server_refused(session, act);
		break;
	case FTP_DO_LOG_UNANSWERED:
		session_log(&session->facts, LOG_LEVEL_INFO, "no-answer",
			    LOG_TEXT("backend", session->facts.rule->backend->name),
			    LOG_TEXT("command", act->text),
			    LOG_NUMBER("waited_ms", session->facts.rule->backend->side_reply_ms));
		break;
	case FTP_DO_STRAY:
		log_stray(session, act);
		break;
	case FTP_DO_STILL_IN: /* session->user still has the name */
		break;
	case FTP_DO_LOGIN_ASK:
		do_login_ask(session, act);
		break;
	case FTP_DO_LOGIN_CHECK:
		login_ask(session);
		break;
	case FTP_DO_LOGIN_OVER:
		uplink_notify(&session->worker->uplink, MSG_LOGIN_OVER, session->facts.id);
		break;
	case FTP_DO_WOULD_REFUSE:
		note_would_refuse(session, act);
		break;
	case FTP_DO_CHANGED:
		changes_agreed(&session->changes, &session->facts);
		break;
	case FTP_DO_LOGIN_HIDDEN:
		log_hidden(session, act);
		break;
	case FTP_DO_LOGIN_FAILED:
		echo_forget(&session->echo);
		session_login_failed(session, act->text, act->key);
		break;
	case FTP_DO_USER:
		do_user(session, act);
		break;
	case FTP_DO_LOGGED_IN:
		echo_forget(&session->echo);
		do_logged_in(session);
		break;
	case FTP_DO_CLOSE:
		do_close(session, act);
		break;
	}
}

/*
 * Actions may add actions (a port is open, so the client gets a reply), so the list
 * grows during the loop.
 */
void control_act(struct session *session)
{
	struct ftp_out *out = &session->worker->out;

	control_gssapi_look(session);
	for (size_t i = 0; i < out->n && !session->ended; i++) {
		struct ftp_act act = out->acts[i];

		carry_out_one(session, &act);
	}
	ftp_out_reset(out);
}
