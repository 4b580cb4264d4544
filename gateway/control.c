#include "gateway/control.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/log.h"
#include "gateway/netsock.h"
#include "gateway/stream-tls.h"
#include "gateway/util.h"
#include "gateway/worker.h"

static struct ftp_out *out_of(const struct session *session)
{
	return &session->worker->out;
}

static size_t window_len(const struct window *window)
{
	return window->end - window->start;
}

static void window_use(struct window *window, size_t len)
{
	window->start += len;
}

/* Give an empty window's memory back; make room at the end of another one. */
static void window_tidy(struct window *window)
{
	size_t len = window_len(window);

	if (window->bytes == NULL || window->start == 0)
		return;
	if (len == 0) {
		/* what was here may have been a password */
		explicit_bzero(window->bytes, window->end);
		free(window->bytes);
		*window = (struct window){ .bytes = NULL };
		return;
	}
	memmove(window->bytes, window->bytes + window->start, len);
	window->start = 0;
	window->end = len;
}

static bool window_has_room(const struct window *window)
{
	return window_len(window) < WINDOW_BYTES;
}

/* Read until nothing more is there or the window is full. STREAM_OK: it is full. */
static enum stream_io window_fill(struct window *window, struct stream *stream)
{
	enum stream_io io = STREAM_OK;
	size_t len;

	if (window->bytes == NULL) {
		window->bytes = malloc(WINDOW_BYTES);
		if (window->bytes == NULL)
			return STREAM_RESET;
	}
	while (window->end < WINDOW_BYTES) {
		io = stream_read(stream, window->bytes + window->end, WINDOW_BYTES - window->end, &len);
		if (io != STREAM_OK)
			break;
		window->end += len;
	}
	if (window->end == 0) {
		free(window->bytes);
		window->bytes = NULL;
	}
	return io;
}

/* Lines for a leg gather until control_run() is through, so that one reply is one segment. */
static void lines_flush(struct lines *lines, struct stream *stream)
{
	if (lines->len > 0 && stream_is_open(stream))
		(void)stream_write(stream, lines->bytes,
				   lines->len); /* a broken stream is seen when it is read */
	explicit_bzero(lines->bytes, lines->len);
	lines->len = 0;
}

static void lines_add(struct lines *lines, struct stream *stream, const char *text, size_t len)
{
	if (lines->len + len + 2 > sizeof(lines->bytes))
		lines_flush(lines, stream);
	assert(len + 2 <= sizeof(lines->bytes));
	memcpy(lines->bytes + lines->len, text, len);
	memcpy(lines->bytes + lines->len + len, "\r\n", 2);
	lines->len += len + 2;
}

static void add_command(struct session *session, const struct ftp_act *act)
{
	struct lines *lines = &session->worker->commands;

	if (lines->len + 2 * act->len + 2 > sizeof(lines->bytes))
		lines_flush(lines, &session->server);
	lines->len += ftp_line_encode(act->text, act->len, lines->bytes + lines->len,
				      sizeof(lines->bytes) - lines->len);
}

static void violation(struct session *session, const char *reason)
{
	session->worker->replies.len = 0; /* nothing that was about to be promised is sent */
	session->worker->commands.len = 0;
	session_end(session, reason);
}

/* A handshake is done: tell the log, the machine, and the session cache whose it is. */
static void tls_is_up(struct session *session)
{
	session->tls = SESSION_TLS_IDLE;
	loop_timer_stop(session->client.loop, &session->tls_timer);
	tlsctx_bind(session->client.ssl);
	log_event(LOG_LEVEL_INFO, "tls", LOG_NUMBER("session", session->id),
		  LOG_TEXT("version", stream_tls_version(&session->client)),
		  LOG_TEXT("cipher", stream_tls_cipher(&session->client)),
		  LOG_TEXT("resumed", stream_tls_resumed(&session->client) ? "yes" : "no"));
	ftp_machine_signal(&session->machine, FTP_SIGNAL_TLS_UP, out_of(session));
}

static void tls_handshake(struct session *session)
{
	switch (stream_tls_handshake(&session->client)) {
	case STREAM_OK:
		tls_is_up(session);
		break;
	case STREAM_WAIT:
		break;
	case STREAM_CLEAN:
	case STREAM_TRUNCATED:
		session_end(session, "handshake-abandoned");
		break;
	case STREAM_RESET:
		log_event(LOG_LEVEL_INFO, "tls-failed", LOG_NUMBER("session", session->id),
			  LOG_TEXT("reason", stream_tls_reason()));
		session_end(session, "handshake-failed");
		break;
	}
}

void control_tls_start(struct session *session)
{
	struct ssl_st *ssl = tlsctx_new(session->tlsctx, TLSCTX_CONTROL, session->binding);

	if (ssl == NULL || stream_tls_start(&session->client, ssl) < 0 ||
	    loop_timer(session->client.loop, &session->tls_timer, session->rule->tls->handshake_timeout_ms) <
		0) {
		session_end(session, "no-memory");
		return;
	}
	session->tls = SESSION_TLS_HANDSHAKE;
}

/* AUTH was accepted. Anything that the client sent behind it in the clear may be an attacker's. */
static void do_tls_start(struct session *session)
{
	if (window_len(&session->client_in) > 0) {
		violation(session, "plaintext-behind-auth");
		return;
	}
	lines_flush(&session->worker->replies, &session->client);
	control_tls_start(session);
}

/*
 * After CCC our close_notify is due, but not in the same breath as the 200:
 * lftp takes it for the end of the connection when it reads both at once. It
 * goes out as the answer to the client's own, or after a moment for clients that
 * wait for ours first (curl) and never if the client is in the clear already.
 */
#define CCC_NOTIFY_MS 100

void control_tls_notify(struct session *session)
{
	session->notify_due = false;
	stream_tls_notify(&session->client);
	(void)stream_flush(&session->client); /* a broken stream is seen when it is read */
	stream_tls_clear_out(&session->client);
}

/* CCC or REIN was accepted. What came inside TLS behind it must not be taken for what follows in the clear.
 */
static void do_tls_stop(struct session *session, bool notify)
{
	if (window_len(&session->client_in) > 0 || stream_tls_has_pending(&session->client)) {
		violation(session, "commands-behind-ccc");
		return;
	}
	lines_flush(&session->worker->replies, &session->client);
	session->tls = SESSION_TLS_LEAVING;
	session->notify_due = notify;
	if (!notify)
		stream_tls_clear_out(&session->client);
	else if (loop_timer(session->client.loop, &session->tls_timer, CCC_NOTIFY_MS) < 0)
		control_tls_notify(session);
	log_event(LOG_LEVEL_INFO, "tls-cleared", LOG_NUMBER("session", session->id));
}

static void tls_leave(struct session *session)
{
	switch (stream_tls_leave(&session->client, session->notify_due)) {
	case STREAM_OK:
		session->tls = SESSION_TLS_IDLE;
		session->notify_due = false;
		loop_timer_stop(session->client.loop, &session->tls_timer);
		break;
	case STREAM_WAIT:
		break;
	case STREAM_CLEAN:
	case STREAM_TRUNCATED:
		session_end(session, "client-closed");
		break;
	case STREAM_RESET:
		violation(session, "commands-behind-ccc");
		break;
	}
}

/* The machine hears of it when the client can: behind its handshake, like of any other end of the server. */
void control_server_down(struct session *session, const char *error)
{
	log_event(LOG_LEVEL_ERROR, "server-down", LOG_NUMBER("session", session->id),
		  LOG_TEXT("backend", session->rule->backend->name), LOG_TEXT("error", error));
	stream_close(&session->server, false);
	loop_timer_stop(session->client.loop, &session->server_timer);
	session->server_state = SERVER_NONE;
	session->server_eof = true;
}

void control_dial_server(struct session *session)
{
	int fd = netsock_dial(&session->rule->backend->endpoint, NULL);
	int r = fd < 0 ? fd : 0;

	if (r == 0) {
		netsock_nodelay(fd);
		netsock_keepalive(fd, session->rule->ftp->ftpkeepalive_s);
		stream_adopt(&session->server, &fd);
		session->server_state = SERVER_DIALLING;
		session->parser = (struct ftp_reply_parser){ .code = 0 };
		session->server_eof = false;
		r = loop_watch(session->server.loop, &session->server.watch, EPOLLOUT);
		if (r == 0)
			r = loop_timer(session->server.loop, &session->server_timer, SESSION_SERVER_MS);
	}
	if (r < 0)
		control_server_down(session, strerror(-r));
}

static void do_server_renew(struct session *session)
{
	lines_flush(&session->worker->commands, &session->server);
	stream_close(&session->server, false);
	session->server_in.start = session->server_in.end;
	window_tidy(&session->server_in);
	control_dial_server(session);
}

static void server_connected(struct session *session)
{
	int r = netsock_error(session->server.watch.fd);

	if (r == 0)
		session->server_state = SERVER_GREETING;
	else
		control_server_down(session, strerror(-r));
}

static void do_listen(struct session *session, enum ftp_side side)
{
	struct ip_endpoint endpoint;
	int r = data_listen(&session->data, side, &endpoint);

	if (r < 0)
		log_event(LOG_LEVEL_ERROR, "no-data-port", LOG_NUMBER("session", session->id),
			  LOG_TEXT("error", strerror(-r)));
	ftp_machine_listening(&session->machine, side, r < 0 ? NULL : &endpoint, out_of(session));
}

static void do_user(struct session *session, const struct ftp_act *act)
{
	size_t len = act->len < sizeof(session->user) - 1 ? act->len : sizeof(session->user) - 1;

	memcpy(session->user, act->text, len);
	session->user[len] = '\0';
}

static void do_logged_in(struct session *session)
{
	uint64_t limit_ms = (uint64_t)session->rule->ftp->inactive_s * 1000;

	log_event(LOG_LEVEL_INFO, "login", LOG_NUMBER("session", session->id),
		  LOG_TEXT("user", session->user));
	if (session->logged_in)
		return;
	session->logged_in = true;
	worker_session_login(session->worker, session);
	loop_timer_stop(session->client.loop, &session->idle_timer);
	if (limit_ms > 0 && loop_timer(session->client.loop, &session->idle_timer, limit_ms) < 0)
		session_end(session, "no-memory");
}

static void do_close(struct session *session, const struct ftp_act *act)
{
	char reason[32];

	assert(act->len < sizeof(reason)); /* our own texts */
	memcpy(reason, act->text, act->len);
	reason[act->len] = '\0';
	lines_flush(&session->worker->replies, &session->client);
	session_end(session, reason);
}

static void carry_out_one(struct session *session, const struct ftp_act *act)
{
	switch (act->what) {
	case FTP_DO_NOTHING:
		break;
	case FTP_DO_REPLY:
		if (session->tls != SESSION_TLS_HANDSHAKE)
			lines_add(&session->worker->replies, &session->client, act->text, act->len);
		break;
	case FTP_DO_COMMAND:
		add_command(session, act);
		break;
	case FTP_DO_TLS_START:
		do_tls_start(session);
		break;
	case FTP_DO_TLS_STOP:
		do_tls_stop(session, act->flag);
		break;
	case FTP_DO_SERVER_RENEW:
		do_server_renew(session);
		break;
	case FTP_DO_LISTEN_CLIENT:
		do_listen(session, FTP_SIDE_CLIENT);
		break;
	case FTP_DO_LISTEN_SERVER:
		do_listen(session, FTP_SIDE_SERVER);
		break;
	case FTP_DO_DIAL_CLIENT:
		data_target(&session->data, FTP_SIDE_CLIENT, &act->endpoint);
		break;
	case FTP_DO_DIAL_SERVER:
		data_target(&session->data, FTP_SIDE_SERVER, &act->endpoint);
		break;
	case FTP_DO_DATA_START:
		data_start(&session->data, act);
		break;
	case FTP_DO_DATA_GO:
		data_go(&session->data);
		break;
	case FTP_DO_DATA_REFUSED:
		data_refused(&session->data);
		break;
	case FTP_DO_DATA_ABORT:
		data_close(&session->data, true);
		ftp_machine_data_done(&session->machine, FTP_DATA_ABORTED, out_of(session));
		break;
	case FTP_DO_DATA_CLOSE:
		data_close(&session->data, false);
		break;
	case FTP_DO_USER:
		do_user(session, act);
		break;
	case FTP_DO_LOGGED_IN:
		do_logged_in(session);
		break;
	case FTP_DO_CLOSE:
		do_close(session, act);
		break;
	}
}

/* Actions may lead to further ones (a port was opened, so the client is told): the list grows while it is
 * walked. */
static void carry_out(struct session *session)
{
	struct ftp_out *out = out_of(session);

	for (size_t i = 0; i < out->n && !session->ended; i++) {
		struct ftp_act act = out->acts[i];

		carry_out_one(session, &act);
	}
	ftp_out_reset(out);
}

/* One line of the client's window. Returns whether something has moved. */
static bool client_line(struct session *session)
{
	struct window *window = &session->client_in;
	uint8_t *bytes = window->bytes + window->start;
	size_t len = window_len(window);
	enum ftp_line_status status = FTP_LINE_OK;
	struct ftp_line line;
	int done;

	if (session->skipping) {
		window_use(window, ftp_line_skip(bytes, len, &done));
		session->skipping = !done;
		return done != 0;
	}
	if (session->holding) {
		line = session->held;
		line.text = (const char *)window->bytes + window->start + session->held_at;
	} else {
		status = ftp_line_take(bytes, len, &line);
	}
	switch (status) {
	case FTP_LINE_MORE:
		return false;
	case FTP_LINE_OK:
		if (ftp_machine_command(&session->machine, line.text, line.len, out_of(session)) ==
		    FTP_HOLD) {
			session->holding = true;
			session->held = line;
			session->held_at = (size_t)((const uint8_t *)line.text - bytes);
			return false;
		}
		session->holding = false;
		break;
	case FTP_LINE_TOO_LONG:
		session->skipping = true;
		ftp_machine_bad_line(&session->machine, status, out_of(session));
		break;
	case FTP_LINE_NUL:
	case FTP_LINE_BARE_CR:
	case FTP_LINE_BARE_LF:
		ftp_machine_bad_line(&session->machine, status, out_of(session));
		break;
	}
	session->active_ms = session->worker->loop.now_ms;
	/* used up before its actions: TLS may only start when nothing is left behind this line */
	window_use(window, line.consumed);
	carry_out(session);
	return true;
}

static bool client_step(struct session *session)
{
	if (session->tls != SESSION_TLS_IDLE || window_len(&session->client_in) == 0)
		return false;
	if (!stream_is_drained(&session->client) || !stream_is_drained(&session->server))
		return false; /* somebody does not read what we say: no more work for it */
	return client_line(session);
}

static void server_gone(struct session *session)
{
	enum ftp_signal signal =
	    session->server_state == SERVER_UP ? FTP_SIGNAL_SERVER_LOST : FTP_SIGNAL_SERVER_DOWN;

	session->server_eof = false; /* told once */
	ftp_machine_signal(&session->machine, signal, out_of(session));
	carry_out(session);
}

static void server_greeted(struct session *session)
{
	if (session->server_state != SERVER_GREETING)
		return;
	session->server_state = SERVER_UP;
	loop_timer_stop(session->server.loop, &session->server_timer);
}

/* One line of the server's window. */
static bool server_step(struct session *session)
{
	struct window *window = &session->server_in;
	struct ftp_reply_parser parser = session->parser;
	enum ftp_reply_status status;
	struct ftp_reply reply;
	bool moved;

	if (session->tls == SESSION_TLS_HANDSHAKE || !stream_is_drained(&session->client))
		return false;
	status = window_len(window) == 0
		     ? FTP_REPLY_MORE
		     : ftp_reply_take(&parser, window->bytes + window->start, window_len(window), &reply);
	switch (status) {
	case FTP_REPLY_MORE:
		if (!session->server_eof)
			return false;
		server_gone(session);
		return true;
	case FTP_REPLY_MALFORMED:
	case FTP_REPLY_TOO_LONG:
		ftp_machine_signal(&session->machine, FTP_SIGNAL_SERVER_CONFUSED, out_of(session));
		carry_out(session);
		return true;
	case FTP_REPLY_PART:
	case FTP_REPLY_END:
		break;
	}
	if (ftp_machine_reply(&session->machine, &reply, status == FTP_REPLY_END, out_of(session)) ==
	    FTP_HOLD) {
		moved = out_of(session)->n > 0;
		carry_out(session);
		return moved;
	}
	session->parser = parser;
	if (status == FTP_REPLY_END && !ftp_reply_is_preliminary(reply.code))
		server_greeted(session);
	window_use(window, reply.consumed);
	carry_out(session);
	return true;
}

static int watch_both(struct session *session)
{
	bool server_up = session->server_state == SERVER_GREETING || session->server_state == SERVER_UP;
	uint32_t client_want = window_has_room(&session->client_in) ? EPOLLIN : 0;
	uint32_t server_want = EPOLLOUT;
	int r;

	if (!stream_is_drained(&session->client))
		client_want |= EPOLLOUT;
	/* what is inside the TLS engine already raises no event */
	if (client_want & EPOLLIN && session->tls == SESSION_TLS_IDLE && session->client.ssl != NULL &&
	    stream_tls_has_pending(&session->client))
		loop_again(session->client.loop, &session->client.watch);
	r = loop_watch(session->client.loop, &session->client.watch, client_want);
	if (r < 0 || !stream_is_open(&session->server))
		return r;
	if (server_up) {
		server_want = window_has_room(&session->server_in) && !session->server_eof ? EPOLLIN : 0;
		if (!stream_is_drained(&session->server))
			server_want |= EPOLLOUT;
	}
	return loop_watch(session->server.loop, &session->server.watch, server_want);
}

void control_run(struct session *session)
{
	bool moved = true;

	if (session->ended) {
		ftp_out_reset(out_of(session));
		return;
	}
	if (session->running)
		return;
	session->running = true;
	carry_out(session);
	while (moved && !session->ended) {
		moved = server_step(session);
		if (!session->ended)
			moved |= client_step(session);
	}
	session->running = false;
	if (session->ended) {
		session->worker->replies.len = 0;
		session->worker->commands.len = 0;
		return;
	}
	lines_flush(&session->worker->replies, &session->client);
	lines_flush(&session->worker->commands, &session->server);
	window_tidy(&session->client_in);
	window_tidy(&session->server_in);
	if (watch_both(session) < 0)
		session_end(session, "no-memory");
}

static void client_gone(struct session *session, enum stream_io io)
{
	session_end(session, io == STREAM_RESET ? "client-reset" : "client-closed");
}

void control_client_event(struct watch *watch, uint32_t ready)
{
	struct session *session = CONTAINER_OF(watch, struct session, client.watch);
	enum stream_io io;

	(void)ready;
	assert(session->magic == SESSION_MAGIC);
	ftp_out_reset(out_of(session));
	if (stream_flush(&session->client) == STREAM_RESET) {
		client_gone(session, STREAM_RESET);
		return;
	}
	if (session->tls == SESSION_TLS_HANDSHAKE)
		tls_handshake(session);
	else if (session->tls == SESSION_TLS_LEAVING)
		tls_leave(session);
	if (session->ended)
		return;
	/* As long as the window empties, bytes inside the TLS engine would raise no event: read until it says
	 * wait. */
	while (session->tls == SESSION_TLS_IDLE && window_has_room(&session->client_in)) {
		io = window_fill(&session->client_in, &session->client);
		if (io != STREAM_OK && io != STREAM_WAIT) {
			client_gone(session, io);
			return;
		}
		control_run(session);
		if (session->ended || io == STREAM_WAIT)
			return;
	}
	control_run(session);
}

void control_server_event(struct watch *watch, uint32_t ready)
{
	struct session *session = CONTAINER_OF(watch, struct session, server.watch);
	enum stream_io io;

	(void)ready;
	assert(session->magic == SESSION_MAGIC);
	ftp_out_reset(out_of(session));
	if (session->server_state == SERVER_DIALLING) {
		server_connected(session);
	} else if (stream_flush(&session->server) == STREAM_RESET) {
		session->server_eof = true;
	} else if (window_has_room(&session->server_in) && !session->server_eof) {
		io = window_fill(&session->server_in, &session->server);
		if (io != STREAM_OK && io != STREAM_WAIT)
			session->server_eof = true;
	}
	control_run(session);
}
