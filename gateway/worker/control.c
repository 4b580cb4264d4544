/*
 * The two control connections of a session. control_run() is the engine: it
 * offers lines and replies to the machine until nothing moves, then sends what
 * came of it and asks for the right events. Handlers only read bytes and call it.
 */
#include "gateway/worker/control.h"

#include <assert.h>
#include <string.h>

#include "gateway/base/util.h"
#include "gateway/net/linebuf.h"
#include "gateway/worker/abort-ahead.h"
#include "gateway/worker/client-gone.h"
#include "gateway/worker/control-act.h"
#include "gateway/worker/control-dial.h"
#include "gateway/worker/control-gssapi.h"
#include "gateway/worker/control-tls.h"
#include "gateway/worker/failover.h"
#include "gateway/worker/first-byte.h"
#include "gateway/worker/proxy-in.h"
#include "gateway/worker/server-choice.h"
#include "gateway/worker/server-tls.h"
#include "gateway/worker/session-count.h"
#include "gateway/worker/session-end.h"
#include "gateway/worker/session-habits.h"
#include "gateway/worker/tally.h"
#include "gateway/worker/trace-line.h"

/* Buffers that a client may fill in one turn. */
#define WINDOWS_PER_TURN 4

/* Commands that a client may give in one run of the engine, if the gateway answers them by itself. */
#define LINES_PER_RUN 16

/* Time for the commands that a client sent before it closed. */
#define CLIENT_EOF_MS 10000
/* If the client sent QUIT after an upload: the longest wait for the next byte or the server's last reply. */
#define QUIT_MS 60000

/* The longest silence after a line that looks like the end of the reply, see await_end(). */
#define REPLY_END_MS 20000

/* RFC 8446 5.1; no FTP command begins with this byte. */
#define TLS_HANDSHAKE_RECORD 0x16

static struct ftp_out *out_of(const struct session *session)
{
	return &session->worker->out;
}

void control_greet_or_dial(struct session *session)
{
	if (ftp_machine_greets_first(&session->machine))
		ftp_machine_greet(&session->machine, out_of(session));
	else
		control_dial_server(session);
}

/* One line of the client's window. Returns whether something has moved. */
static bool client_line(struct session *session)
{
	struct inbuf *window = &session->client_in;
	uint8_t *bytes = window->bytes + window->start;
	size_t len = inbuf_len(window);
	enum ftp_take take = FTP_TAKEN;
	struct taken_line taken = { .at = 0 };
	struct ftp_line *line = &taken.line;
	bool moved;
	int done;

	if (session->skipping) {
		inbuf_use(window, ftp_line_skip(bytes, len, &done));
		session->skipping = !done;
		return done != 0;
	}
	if (bytes[0] == TLS_HANDSHAKE_RECORD && session->client.ssl == NULL && !session->holding) {
		session_end(session, "tls-on-clear-port"); /* it wants a listener with tls: implicit */
		return false;
	}
	/* A held line was taken apart already, in place: a second time would find another one. */
	if (session->holding) {
		taken = session->held;
		line->text = (const char *)bytes + taken.at;
	} else {
		taken.status = ftp_line_take_up_to(bytes, len, control_gssapi_line_max(session), line);
		if (taken.status == FTP_LINE_OK && session->gssapi != NULL)
			taken.envelope = control_gssapi_open(session, line);
	}
	switch (taken.status) {
	case FTP_LINE_MORE:
		return false;
	case FTP_LINE_OK:
		session->line = line->text;
		session->line_len = line->len;
		if (!session->holding) /* otherwise it is in the trace already */
			trace_reply_begins(session);
		if (!session->holding)
			trace_command(session, TRACE_FROM_CLIENT, line->text, line->len);
		take = control_gssapi_offer(session, line, &taken.envelope);
		break;
	case FTP_LINE_TOO_LONG:
	case FTP_LINE_NUL:
	case FTP_LINE_BARE_CR:
	case FTP_LINE_BARE_LF:
		if (!session->holding)
			trace_bad_command(session, taken.status);
		take = ftp_machine_bad_line(&session->machine, taken.status, out_of(session));
		break;
	}
	session->holding = take == FTP_HOLD;
	if (session->holding) {
		session->held = taken;
		session->held.at = (size_t)((const uint8_t *)line->text - bytes);
		moved = out_of(session)->n > 0; /* the line waits for what these start */
		control_act(session);
		session->line = NULL;
		return moved;
	}
	if (taken.status == FTP_LINE_OK && !taken.envelope.faulty)
		session_habits_command(session, line->text, line->len);
	session->skipping = taken.status == FTP_LINE_TOO_LONG;
	if (taken.status == FTP_LINE_OK)
		latest_command(&session->latest, line->text, line->len);
	session->active_ms = session->worker->loop.now_ms;
	/* Used up before its actions, since TLS may start only when nothing follows this line. Its bytes stay
	 * in place until control_run() tidies: the actions point to them. */
	inbuf_use(window, line->consumed);
	control_act(session);
	session->line = NULL;
	return true;
}

static bool takes_lines(const struct session *session)
{
	return session->phase == PHASE_COMMANDS || session->phase == PHASE_CLIENT_EOF;
}

static bool client_step(struct session *session)
{
	if (!takes_lines(session) || inbuf_len(&session->client_in) == 0)
		return false;
	if (!stream_is_drained(&session->client) || !stream_is_drained(&session->server))
		return false; /* a peer does not read, so take no more commands */
	return client_line(session);
}

static void server_gone(struct session *session)
{
	enum ftp_signal signal =
	    session->server_state == SERVER_UP ? FTP_SIGNAL_SERVER_LOST : FTP_SIGNAL_SERVER_DOWN;

	(void)server_tls_has_failed(session, &signal);
	session->server_eof = false;		/* told once */
	if (inbuf_len(&session->server_in) > 0) /* a line without its end */
		ftp_out_text(out_of(session), FTP_DO_STRAY, (const char *)inbuf_at(&session->server_in),
			     inbuf_len(&session->server_in))
		    ->refusal = true;
	ftp_machine_signal(&session->machine, signal, out_of(session));
	control_act(session);
}

static void server_greeted(struct session *session, const struct ftp_reply *reply)
{
	if (session->server_state != SERVER_GREETING)
		return;
	session->server_state = SERVER_UP;
	/* before the handshake the greeting may be anybody's; see server-tls.c */
	if (ftp_reply_is_positive(reply->code) &&
	    (session->facts.server_tls == NULL || session->server.tls_up))
		server_choice_settle(session);
	tally_greeting(session->facts.rule->backend, session->worker->loop.now_ms - session->connected_ms);
	session->awaited_ms += session->worker->loop.now_ms - session->dialled_ms;
	loop_timer_stop(session->server.loop, &session->server_timer);
}

/*
 * A line inside a reply that looks like the end of another reply is usually text,
 * and more lines follow at once. If none follows, the server has ended its reply
 * with another code: client and server would wait for each other, so a timer runs.
 */
static int await_end(struct session *session, const struct ftp_reply *reply)
{
	size_t len = reply->len < sizeof(session->end_like) - 1 ? reply->len : sizeof(session->end_like) - 1;

	if (session->server_state != SERVER_UP) /* the greeting has the timer */
		return 0;
	if (reply->closing || !reply->end_like) {
		loop_timer_stop(session->server.loop, &session->server_timer);
		return 0;
	}
	memcpy(session->end_like, reply->line, len);
	session->end_like[len] = '\0';
	return loop_timer(session->server.loop, &session->server_timer, REPLY_END_MS);
}

void control_reply_timeout(struct session *session)
{
	if (inbuf_len(&session->server_in) > 0 || !stream_is_drained(&session->client)) {
		/* the end may have come already: the client has not read everything before it */
		if (loop_timer(session->server.loop, &session->server_timer, REPLY_END_MS) < 0)
			session_end(session, "no-memory");
		return;
	}
	ftp_out_text(out_of(session), FTP_DO_STRAY, session->end_like, strlen(session->end_like))->refusal =
	    true;
	ftp_machine_signal(&session->machine, FTP_SIGNAL_SERVER_UNFINISHED, out_of(session));
	control_run(session);
}

/* One line of the server's window. */
static bool server_step(struct session *session)
{
	struct inbuf *window = &session->server_in;
	struct ftp_reply_parser parser = session->parser;
	enum ftp_reply_status status;
	struct ftp_reply reply;
	bool moved;

	if (session->phase == PHASE_HANDSHAKE || session->server_state == SERVER_HANDSHAKE ||
	    !stream_is_drained(&session->client))
		return false;
	status = inbuf_len(window) == 0
		     ? FTP_REPLY_MORE
		     : ftp_reply_take(&parser, window->bytes + window->start, inbuf_len(window), &reply);
	if ((status != FTP_REPLY_MORE || session->server_eof) && failover_takes(session, status, &reply))
		return true;
	switch (status) {
	case FTP_REPLY_MORE:
		if (!session->server_eof)
			return false;
		server_gone(session);
		return true;
	case FTP_REPLY_MALFORMED:
		trace_reply(session, TRACE_FROM_SERVER, reply.line, reply.len);
		ftp_machine_stray_line(&session->machine, &reply, out_of(session));
		session->parser = parser;
		inbuf_use(window, reply.consumed);
		control_act(session);
		return true;
	case FTP_REPLY_PART:
	case FTP_REPLY_END:
		break;
	}
	if (ftp_machine_reply(&session->machine, &reply, status == FTP_REPLY_END, out_of(session)) ==
	    FTP_HOLD) {
		moved = out_of(session)->n > 0;
		control_act(session);
		return moved;
	}
	if (reply.first)
		trace_reply_begins(session);
	if (!reply.continues)
		trace_reply(session, TRACE_FROM_SERVER, reply.line, reply.len);
	session->parser = parser;
	ftp_progress_reply(&session->latest.progress, &reply);
	if (status == FTP_REPLY_END && !ftp_reply_is_preliminary(reply.code))
		server_greeted(session, &reply);
	if (await_end(session, &reply) < 0) {
		session_end(session, "no-memory");
		return false;
	}
	inbuf_use(window, reply.consumed);
	control_act(session);
	return true;
}

/* The events of the server's socket, in its state. */
static uint32_t server_events(struct session *session)
{
	uint32_t want = EPOLLIN;

	switch (session->server_state) {
	case SERVER_NONE:
	case SERVER_CHOOSING:
	case SERVER_ASKED:
	case SERVER_DIALLING:
		return EPOLLOUT;
	case SERVER_GREETING:
	case SERVER_UP:
		want = inbuf_has_room(&session->server_in) && !session->server_eof ? EPOLLIN : 0;
		/* what is inside the TLS engine already raises no event */
		if (want != 0 && session->server_in.more && stream_has_layer(&session->server))
			loop_again(session->server.loop, &session->server.watch);
		break;
	case SERVER_HANDSHAKE:
	case SERVER_LEAVING_TLS:
		break;
	}
	return want | (stream_is_drained(&session->server) ? 0 : EPOLLOUT);
}

static int watch_both(struct session *session)
{
	uint32_t client_want = inbuf_has_room(&session->client_in) ? EPOLLIN : 0;
	int r;

	if (session->phase == PHASE_CLIENT_EOF)
		client_want = EPOLLPRI; /* never sent, but any watch also reports a reset */
	if (!stream_is_drained(&session->client))
		client_want |= EPOLLOUT;
	/* what is inside the TLS engine already raises no event; a record that is not whole does not count */
	if (client_want & EPOLLIN && session->phase == PHASE_COMMANDS && session->client_in.more)
		loop_again(session->client.loop, &session->client.watch);
	r = stream_is_open(&session->client)
		? loop_watch(session->client.loop, &session->client.watch, client_want)
		: 0;
	if (r < 0 || !stream_is_open(&session->server))
		return r;
	return loop_watch(session->server.loop, &session->server.watch, server_events(session));
}

void control_run(struct session *session)
{
	bool moved = true, blocked;
	unsigned lines = 0;

	if (session->ended) {
		ftp_out_reset(out_of(session));
		return;
	}
	if (session->running)
		return;
	session->running = true;
	control_act(session);
	while (moved && !session->ended) {
		/*
		 * In the clear, send one reply a segment: helpers of firewalls look at
		 * single segments.
		 */
		if (session->client.ssl == NULL && session->parser.code == 0)
			outbuf_flush(&session->worker->replies, &session->client);
		/* What the server has sent so far cannot answer a command that it has not received yet. */
		moved = server_step(session);
		if (!moved && !session->ended && lines < LINES_PER_RUN) {
			moved = client_step(session);
			lines += moved;
		}
	}
	session->running = false;
	session->lines_left =
	    lines == LINES_PER_RUN && takes_lines(session) && inbuf_len(&session->client_in) > 0;
	if (session->ended) {
		session->worker->replies.len = 0;
		session->worker->commands.len = 0;
		return;
	}
	if (abort_ahead(session))
		data_conn_doubt(&session->data);
	/*
	 * Commands sent before the client closed are carried out, and answered in case it
	 * still reads.
	 */
	if (client_gone_early(session) ||
	    (session->phase == PHASE_CLIENT_EOF && !session->holding && !session->lines_left &&
	     (session->server_state != SERVER_UP || ftp_machine_is_idle(&session->machine)))) {
		outbuf_flush(&session->worker->replies, &session->client);
		outbuf_flush(&session->worker->commands, &session->server);
		session_end(session, "client-closed");
		return;
	}
	blocked = !stream_is_drained(&session->client);
	outbuf_flush(&session->worker->replies, &session->client);
	outbuf_flush(&session->worker->commands, &session->server);
	if (blocked &&
	    stream_is_drained(&session->client)) /* lines that waited for this: no event tells of it */
		loop_again(session->client.loop, &session->client.watch);
	inbuf_tidy(&session->client_in);
	inbuf_tidy(&session->server_in);
	if (session->lines_left) /* other sessions get their turn */
		loop_again(session->client.loop, &session->client.watch);
	session_count_state(session);
	if (watch_both(session) < 0)
		session_end(session, "no-memory");
}

/*
 * The client has closed its direction or the whole connection. The commands that it
 * sent before are still carried out: a script may write its commands and close. But
 * a transfer without its control connection must not end as if complete. The
 * exception is an upload after which the client sent QUIT.
 */
static void client_gone(struct session *session, enum stream_io io)
{
	bool go_on;

	if (session->phase == PHASE_COMMANDS && inbuf_len(&session->client_in) > 0)
		control_run(session); /* lines that came with the end */
	if (session->ended)
		return;
	session->quitting |= client_gone_quits(session);
	go_on = session->quitting || (io != STREAM_RESET && session->phase == PHASE_COMMANDS &&
				      !ftp_machine_in_transfer(&session->machine));
	if (!go_on) {
		session_end(session, io == STREAM_RESET ? "client-reset" : "client-closed");
		return;
	}
	if (io == STREAM_RESET)
		stream_close(&session->client, false);
	if (session->phase == PHASE_COMMANDS &&
	    loop_timer(session->client.loop, &session->phase_timer, CLIENT_EOF_MS) < 0)
		session_end(session, "no-memory");
	else
		session->phase = PHASE_CLIENT_EOF;
	control_run(session);
}

void control_eof_timeout(struct session *session)
{
	uint64_t now_ms = session->worker->loop.now_ms;
	struct data_status status;
	uint64_t idle_ms = now_ms - session->active_ms;

	session->quitting |= client_gone_quits(session);
	if (data_conn_status(&session->data, &status) && status.idle_ms < idle_ms)
		idle_ms = status.idle_ms;
	if (!session->quitting || idle_ms > QUIT_MS)
		session_end(session, "client-closed");
	else if (loop_timer(session->client.loop, &session->phase_timer, CLIENT_EOF_MS) < 0)
		session_end(session, "no-memory");
}

void control_client_event(struct watch *watch, uint32_t ready)
{
	struct session *session = CONTAINER_OF(watch, struct session, client.watch);
	enum stream_io io;

	assert(session->magic == SESSION_MAGIC);
	if (session_awaits_proxy(session)) {
		proxy_in_step(session);
		return;
	}
	ftp_out_reset(out_of(session));
	if (stream_flush(&session->client) == STREAM_RESET ||
	    (session->phase == PHASE_CLIENT_EOF && (ready & (EPOLLERR | EPOLLHUP)) != 0)) {
		client_gone(session, STREAM_RESET);
		return;
	}
	if (session->phase == PHASE_COMMANDS && session->client.ssl == NULL && first_byte_is_tls(session)) {
		session->may_turn_implicit = false;
		session->facts.implicit = true;
		ftp_machine_turn_implicit(&session->machine);
		control_tls_start(session);
	}
	control_tls_step(session);
	if (session->ended)
		return;
	if (session->begins_after_tls && takes_lines(session)) {
		session->begins_after_tls = false;
		control_greet_or_dial(session);
	}
	/* Bytes inside the TLS engine raise no event, so read until the stream says STREAM_WAIT. */
	for (int windows = 0; session->phase == PHASE_COMMANDS && inbuf_has_room(&session->client_in);
	     windows++) {
		if (windows == WINDOWS_PER_TURN) { /* other connections get their turn */
			loop_again(session->client.loop, watch);
			return;
		}
		io = inbuf_fill(&session->client_in, &session->client);
		session->spoke |= inbuf_len(&session->client_in) > 0;
		if (io != STREAM_OK && io != STREAM_WAIT) {
			client_gone(session, io);
			return;
		}
		control_run(session);
		if (session->ended || session->lines_left || io == STREAM_WAIT)
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
		control_server_connected(session);
	} else if (session->server_state == SERVER_HANDSHAKE || session->server_state == SERVER_LEAVING_TLS) {
		server_tls_step(session);
	} else if (stream_flush(&session->server) == STREAM_RESET) {
		session->server_eof = true;
	} else if (inbuf_has_room(&session->server_in) && !session->server_eof) {
		io = inbuf_fill(&session->server_in, &session->server);
		session->heard_ms = session->worker->loop.now_ms;
		if (io != STREAM_OK && io != STREAM_WAIT)
			session->server_eof = true;
		if (io == STREAM_RESET)
			server_tls_look(session);
	}
	control_run(session);
}
