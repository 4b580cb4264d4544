#include "gateway/worker/session.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <utlist.h>

#include "gateway/base/ftp-setup.h"
#include "gateway/base/log.h"
#include "gateway/base/util.h"
#include "gateway/net/netsock.h"
#include "gateway/worker/control-act.h"
#include "gateway/worker/control-tls.h"
#include "gateway/worker/control.h"
#include "gateway/worker/proxy-in.h"
#include "gateway/worker/worker.h"

/* From the first byte to a successful login. */
#define LOGIN_MS 120000

/* How often a logged-in session is looked at, and how long a server may owe an answer while nothing moves. */
#define IDLE_LOOK_MS	 (5 * 60 * 1000)
#define SERVER_SILENT_MS (30 * 60 * 1000)
/* Then the rest follows unacknowledged: the sum of waits is twice that. */
#define SEGMENT_MS_MAX 256

static void session_free(struct deferred *deferred)
{
	struct session *session = CONTAINER_OF(deferred, struct session, deferred);

	assert(session->magic == SESSION_MAGIC);
	session->magic = 0;
	free(session);
}

static struct loop *loop_of(struct session *session)
{
	return &session->worker->loop;
}

static void signal_machine(struct session *session, enum ftp_signal signal)
{
	ftp_machine_signal(&session->machine, signal, &session->worker->out);
	control_run(session);
}

static void on_tls_timer(struct timer *timer)
{
	struct session *session = CONTAINER_OF(timer, struct session, tls_timer);

	if (session->proxy != SESSION_PROXY_DONE) {
		proxy_in_timeout(session);
		return;
	}
	control_tls_timeout(session);
	control_run(session);
}

static void on_server_timer(struct timer *timer)
{
	struct session *session = CONTAINER_OF(timer, struct session, server_timer);

	control_server_down(session, "no greeting in time");
	control_run(session);
}

static void on_pause_timer(struct timer *timer)
{
	struct session *session = CONTAINER_OF(timer, struct session, pause_timer);

	/* FTP_DO_SEGMENT: on a long line the acknowledgement takes its time, but not for ever */
	if (session->segment_ms != 0 && session->segment_ms < SEGMENT_MS_MAX &&
	    netsock_unacknowledged(session->client.watch.fd) > 0) {
		session->segment_ms *= 2;
		if (loop_timer(loop_of(session), timer, session->segment_ms) < 0)
			session_end(session, "no-memory");
		return;
	}
	session->segment_ms = 0;
	ftp_machine_resume(&session->machine, &session->worker->out);
	control_run(session);
}

/* Nothing moves and the server owes an answer: how long it has owed it. */
static uint64_t owed_ms(const struct session *session, uint64_t now_ms)
{
	bool moving = session->data.relaying || session->machine.transfer == FTP_TRANSFER_WAITING;

	return moving || ftp_machine_is_idle(&session->machine) ? 0 : now_ms - session->heard_ms;
}

/* Runs out late rather than being rearmed at every command: the true times are looked up here. */
static void on_idle_timer(struct timer *timer)
{
	struct session *session = CONTAINER_OF(timer, struct session, idle_timer);
	uint64_t limit_ms = (uint64_t)session->rule->ftp->inactive_s * 1000;
	uint64_t now_ms = loop_of(session)->now_ms;
	uint64_t next_ms = IDLE_LOOK_MS;

	if (!session->logged_in) {
		signal_machine(session, FTP_SIGNAL_LOGIN_TIMEOUT);
		return;
	}
	if (owed_ms(session, now_ms) > SERVER_SILENT_MS) {
		signal_machine(session, FTP_SIGNAL_SERVER_LOST);
		return;
	}
	/* INACTIVE runs between a command's completion and the next command only */
	if (!ftp_machine_is_idle(&session->machine))
		session->active_ms = now_ms;
	if (limit_ms != 0 && now_ms - session->active_ms >= limit_ms) {
		signal_machine(session, FTP_SIGNAL_IDLE_TIMEOUT);
		return;
	}
	if (limit_ms != 0 && limit_ms - (now_ms - session->active_ms) < next_ms)
		next_ms = limit_ms - (now_ms - session->active_ms);
	if (loop_timer(loop_of(session), timer, next_ms) < 0)
		session_end(session, "no-memory");
}

bool session_is_stuck(const struct session *session, uint64_t limit_ms)
{
	return owed_ms(session, session->worker->loop.now_ms) > limit_ms;
}

static void session_init(struct session *session, struct worker *worker, const struct msg *msg)
{
	*session = (struct session){
		.magic = SESSION_MAGIC,
		.worker = worker,
		.id = msg->session,
		.listener = &worker->policy->listeners[msg->listener],
		.remote = msg->remote,
		.local = msg->local,
		.own = msg->local.addr,
		.started_ms = worker->loop.now_ms,
		.active_ms = worker->loop.now_ms,
		.heard_ms = worker->loop.now_ms,
		.deferred.fn = session_free,
	};
	stream_init(&session->client, &worker->loop, control_client_event);
	stream_init(&session->server, &worker->loop, control_server_event);
	session->client.watch.bulk = true; /* until login: no flood of handshakes delays who is at work */
	timer_init(&session->tls_timer, on_tls_timer);
	timer_init(&session->server_timer, on_server_timer);
	timer_init(&session->pause_timer, on_pause_timer);
	timer_init(&session->idle_timer, on_idle_timer);
	data_init(&session->data, session);
}

static bool tls_comes_first(const struct session *session)
{
	return ftp_setup_tls_comes_first(session->listener, session->rule);
}

/* Find the rule; without one the connection is refused (an AT-TLS stack would let it through in the clear).
 */
static bool session_admit(struct session *session, uint32_t failures)
{
	struct worker *worker = session->worker;
	const struct policy_flow flow = { .listener = session->listener,
					  .remote = session->remote.addr,
					  .local = session->local.addr };
	const struct ftp_setup_ends ends = { .listener = session->listener,
					     .remote = session->remote,
					     .local = session->local };
	struct ftp_machine_setup setup;
	const struct policy_backend *backend;

	session->rule = policy_match(worker->policy, &flow);
	if (session->rule == NULL)
		return false;
	backend = session->rule->backend;
	session->tlsctx = tlsctx_find(worker->tlsctx, session->rule->tls);
	session->transparent = flow.listener->transparent;
	session->behind = ftp_setup_server(&ends, backend);
	session->dial_behind_tls = backend->proxy == BACKEND_PROXY_V2 && tls_comes_first(session);
	setup = ftp_setup_make(&ends, session->rule);
	setup.modes_refused = worker->modes_refused[backend->index];
	setup.failures = (uint8_t)(failures < UINT8_MAX ? failures : UINT8_MAX);
	ftp_machine_init(&session->machine, &setup);
	return true;
}

static void log_start(const struct session *session)
{
	char client[IP_TEXT_MAX];

	log_event(LOG_LEVEL_INFO, "session-start", LOG_NUMBER("session", session->id),
		  LOG_TEXT("client", ip_endpoint_format(&session->remote, client)),
		  LOG_TEXT("listener", session->listener->name),
		  LOG_TEXT("rule", session->rule != NULL ? session->rule->name : "none"));
}

static void refuse(struct session *session)
{
	const char *text = ftp_local_text(FTP_LOCAL_NO_RULE, REPLY_STYLE_RFC);

	if (session->listener->tls == LISTENER_EXPLICIT) {
		(void)stream_write(&session->client, (const uint8_t *)text, strlen(text));
		(void)stream_write(&session->client, (const uint8_t *)"\r\n", 2);
	}
	session_end(session, "no-rule");
}

void session_begin(struct session *session, uint32_t failures)
{
	struct worker *worker = session->worker;
	bool admitted = session_admit(session, failures);

	log_start(session);
	if (!admitted) {
		refuse(session);
		return;
	}
	netsock_keepalive(session->client.watch.fd, session->rule->ftp->ftpkeepalive_s);
	if (getrandom(session->binding, sizeof(session->binding), 0) != (ssize_t)sizeof(session->binding) ||
	    loop_timer(&worker->loop, &session->idle_timer, LOGIN_MS) < 0) {
		session_end(session, "no-memory");
		return;
	}
	ftp_out_reset(&worker->out);
	if (tls_comes_first(session))
		control_tls_start(session);
	if (!session->ended && session->machine.greet_first)
		ftp_machine_greet(&session->machine, &worker->out);
	else if (!session->ended && !session->dial_behind_tls)
		control_dial_server(session);
	if (!session->ended)
		control_run(session);
}

void session_start(struct worker *worker, const struct msg *msg, int *fd)
{
	struct session *session = calloc(1, sizeof(*session));

	if (session == NULL) {
		struct session lost = { .id = msg->session };

		worker_session_over(worker, &lost);
		log_event(LOG_LEVEL_ERROR, "refused", LOG_NUMBER("session", msg->session),
			  LOG_TEXT("reason", "no-memory"));
		fd_close(fd);
		return;
	}
	session_init(session, worker, msg);
	stream_adopt(&session->client, fd);
	DL_APPEND(worker->sessions, session);
	HASH_ADD(hh, worker->by_number, id, sizeof(session->id), session);
	worker->nsessions++;
	if (worker->nsessions > worker->sessions_peak)
		worker->sessions_peak = worker->nsessions;
	netsock_set_control(session->client.watch.fd);
	if (session->listener->nproxies > 0)
		proxy_in_start(session);
	else
		session_begin(session, msg->failures);
}

void session_shutdown(struct session *session)
{
	if (session->proxy != SESSION_PROXY_DONE)
		session_end(session, "shutdown");
	else
		signal_machine(session, FTP_SIGNAL_SHUTDOWN);
}

void session_dismiss(struct session *session)
{
	if (session->proxy != SESSION_PROXY_DONE)
		session_end(session, "operator");
	else
		signal_machine(session, FTP_SIGNAL_DISMISSED);
}

void session_end(struct session *session, const char *reason)
{
	struct worker *worker = session->worker;

	if (session->ended)
		return;
	session->ended = true;
	data_close(&session->data, session->data.started);
	worker_session_over(worker, session);  /* before the client sees it: it may come again at once */
	(void)stream_finish(&session->client); /* a peer that is gone makes this a no-op */
	linger_take(&worker->lingering, &session->client);
	stream_close(&session->server, false);
	loop_timer_stop(&worker->loop, &session->tls_timer);
	loop_timer_stop(&worker->loop, &session->server_timer);
	loop_timer_stop(&worker->loop, &session->pause_timer);
	loop_timer_stop(&worker->loop, &session->idle_timer);
	proxy_in_done(session);
	identity_done(&session->identity);
	inbuf_free(&session->client_in);
	inbuf_free(&session->server_in);
	if (session->rule != NULL)
		worker->modes_refused[session->rule->backend->index] |= session->machine.modes_refused;
	DL_DELETE(worker->sessions, session);
	HASH_DEL(worker->by_number, session);
	worker->nsessions--;
	loop_defer_free(&worker->loop, &session->deferred);
	worker_session_gone(worker);
	if (session->refusals > SESSION_REFUSALS_LOGGED)
		log_event(LOG_LEVEL_INFO, "refused-more", LOG_NUMBER("session", session->id),
			  LOG_NUMBER("count", session->refusals - SESSION_REFUSALS_LOGGED));
	/* last: who reads it may count on room for the next session, and on the transfer's line before it */
	log_event(LOG_LEVEL_INFO, "session-end", LOG_NUMBER("session", session->id),
		  LOG_TEXT("user", session->user[0] != '\0' ? session->user : session->asked),
		  LOG_NUMBER("ms", worker->loop.now_ms - session->started_ms), LOG_TEXT("reason", reason));
}

void session_data_done(struct session *session, enum ftp_data_result result)
{
	session->active_ms = session->heard_ms = loop_of(session)->now_ms;
	ftp_machine_data_done(&session->machine, result, &session->worker->out);
	control_run(session);
}

void session_listening(struct session *session, enum ftp_side side, const struct ip_endpoint *endpoint)
{
	ftp_machine_listening(&session->machine, side, endpoint, &session->worker->out);
	control_run(session);
}

void session_granted(struct session *session, const struct msg *msg, int *fd)
{
	if (session->ended)
		return;
	if (msg->type == MSG_SESSION_ADMITTED || msg->type == MSG_SESSION_REFUSED) {
		proxy_in_answered(session, msg);
		return;
	}
	ftp_out_reset(&session->worker->out);
	if (msg->type == MSG_SOCKET_READY && msg->purpose == PURPOSE_SERVER) {
		control_server_granted(session, msg->error, fd);
		control_run(session);
	} else {
		data_granted(&session->data, msg, fd);
	}
}
