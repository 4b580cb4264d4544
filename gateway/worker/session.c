/*
 * Starts a session: finds its rule, sets its timers, and takes what the monitor
 * reports. control.c runs the dialogue, session-end.c the end.
 */
#include "gateway/worker/session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/ftp-setup.h"
#include "gateway/base/util.h"
#include "gateway/host/banner.h"
#include "gateway/net/netsock.h"
#include "gateway/tls/server-maps.h"
#include "gateway/worker/control-act.h"
#include "gateway/worker/control-dial.h"
#include "gateway/worker/control-tls.h"
#include "gateway/worker/control.h"
#include "gateway/worker/first-byte.h"
#include "gateway/worker/login-ask.h"
#include "gateway/worker/progress-log.h"
#include "gateway/worker/proxy-in.h"
#include "gateway/worker/server-tls.h"
#include "gateway/worker/session-count.h"
#include "gateway/worker/session-data.h"
#include "gateway/worker/session-end.h"
#include "gateway/worker/session-log.h"
#include "gateway/worker/tally.h"

/* From the first byte to a successful login. */
#define LOGIN_MS 120000

/* `tls: auto`: how long a client may take for its ClientHello. */
#define CLIENT_HELLO_MS 1000
/* How long a connection from a prober may take to end, see probers.h. */
#define PROBER_MS 25

/* How often to check a session at least. */
#define IDLE_LOOK_MS (5 * 60 * 1000)
/*
 * The longest wait for an acknowledgement; the sum of all waits is twice that. Then
 * the rest follows without.
 */
#define SEGMENT_MS_MAX 256

static struct loop *loop_of(struct session *session)
{
	return &session->worker->loop;
}

static void signal_machine(struct session *session, enum ftp_signal signal)
{
	ftp_machine_signal(&session->machine, signal, &session->worker->out);
	control_run(session);
}

static void on_phase_timer(struct timer *timer)
{
	struct session *session = CONTAINER_OF(timer, struct session, phase_timer);

	switch (session->phase) {
	case PHASE_COMMANDS:
		break;
	case PHASE_PROXY_HEADER:
	case PHASE_PROXY_ADMISSION:
		proxy_in_timeout(session);
		break;
	case PHASE_FIRST_BYTE:
		first_byte_timeout(session);
		break;
	case PHASE_HANDSHAKE:
	case PHASE_LEAVING_TLS:
		control_tls_timeout(session);
		control_run(session);
		break;
	case PHASE_CLIENT_EOF:
		control_eof_timeout(session);
		break;
	}
}

static void on_server_timer(struct timer *timer)
{
	struct session *session = CONTAINER_OF(timer, struct session, server_timer);

	if (session->server_state == SERVER_UP) {
		control_reply_timeout(session);
		return;
	}
	if (session->server_state == SERVER_HANDSHAKE || session->server_state == SERVER_LEAVING_TLS) {
		server_tls_timeout(session);
		control_run(session);
		return;
	}
	/* a greeting that has come waits for the client, whose handshake has a limit of its own */
	if (session->phase == PHASE_HANDSHAKE && inbuf_len(&session->server_in) > 0) {
		if (loop_timer(loop_of(session), timer, session->facts.rule->backend->greeting_timeout_ms) <
		    0)
			session_end(session, "no-memory");
		return;
	}
	if (session->server_state == SERVER_GREETING)
		control_server_failed(session, SERVER_FAILURE_NO_GREETING, "no greeting in time");
	else
		control_dial_failed(session, -ETIMEDOUT, "no greeting in time");
	control_run(session);
}

static void on_pause_timer(struct timer *timer)
{
	struct session *session = CONTAINER_OF(timer, struct session, pause_timer);

	/* FTP_DO_SEGMENT: on a slow network wait longer for the acknowledgement, up to a limit */
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

static void on_side_timer(struct timer *timer)
{
	struct session *session = CONTAINER_OF(timer, struct session, side_timer);

	ftp_machine_side_due(&session->machine, &session->worker->out);
	control_run(session);
}

/* For how long a reply of the server has been missing, while no data moves. */
static uint64_t owed_ms(const struct session *session, uint64_t now_ms)
{
	bool owed = !data_conn_is_relaying(&session->data) && ftp_machine_awaits_reply(&session->machine);

	return owed ? now_ms - session->heard_ms : 0;
}

/* The time left for a login. The wait for the server's greeting does not count. */
static uint64_t login_left_ms(const struct session *session, uint64_t now_ms)
{
	enum session_server state = session->server_state;
	bool waiting = state == SERVER_CHOOSING || state == SERVER_ASKED || state == SERVER_DIALLING ||
		       state == SERVER_GREETING;
	uint64_t limit_ms = LOGIN_MS + session->awaited_ms + (waiting ? now_ms - session->dialled_ms : 0);
	uint64_t used_ms = now_ms - session->started_ms;

	return limit_ms > used_ms ? limit_ms - used_ms : 0;
}

/* The time until `since_ms` is limit_ms ago, but no more than next_ms. */
static uint64_t sooner(uint64_t next_ms, uint64_t limit_ms, uint64_t since_ms, uint64_t now_ms)
{
	uint64_t left_ms = limit_ms > now_ms - since_ms ? limit_ms - (now_ms - since_ms) : 1;

	return left_ms < next_ms ? left_ms : next_ms;
}

/*
 * The timer is not rearmed at each command. When it fires, it looks up the true times:
 * of the login, of INACTTIME and of INACTIVE, which count before a login as well.
 */
static void on_idle_timer(struct timer *timer)
{
	struct session *session = CONTAINER_OF(timer, struct session, idle_timer);
	const struct ftp_action *ftp = session->facts.rule->ftp;
	uint64_t inactive_ms = (uint64_t)ftp->inactive_s * 1000;
	uint64_t inacttime_ms = (uint64_t)ftp->inacttime_s * 1000;
	uint64_t now_ms = loop_of(session)->now_ms;
	uint64_t next_ms = session->logged_in ? IDLE_LOOK_MS : login_left_ms(session, now_ms);
	/* after CCC, the server may owe the answer to the first command in the clear */
	bool up = session->server_state == SERVER_UP || session->server_state == SERVER_LEAVING_TLS;
	uint64_t owed = up ? owed_ms(session, now_ms) : 0;

	if (next_ms == 0) {
		signal_machine(session, FTP_SIGNAL_LOGIN_TIMEOUT);
		return;
	}
	if (owed >= inacttime_ms) {
		signal_machine(session, FTP_SIGNAL_SERVER_SILENT);
		return;
	}
	/* INACTIVE counts only from the end of a command to the next one */
	if (!ftp_machine_is_idle(&session->machine) || session->phase != PHASE_COMMANDS)
		session->active_ms = now_ms;
	if (inactive_ms != 0 && now_ms - session->active_ms >= inactive_ms) {
		signal_machine(session, FTP_SIGNAL_IDLE_TIMEOUT);
		return;
	}
	next_ms = sooner(next_ms, inacttime_ms, now_ms - owed, now_ms);
	if (inactive_ms != 0)
		next_ms = sooner(next_ms, inactive_ms, session->active_ms, now_ms);
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
		.node.id = msg->session,
		.facts = {
			.id = msg->session,
			.policy = worker->policy,
			.traced = &session->traced,
			.listener = &worker->policy->listeners[msg->listener],
			.began_s = msg->began_s,
			.remote = msg->remote,
			.local = msg->local,
			.host = msg->local.addr,
			.tls_sessions = &session->tls_sessions,
			.habits = &session->habits,
			.user = session->user,
			.summary = &session->summary,
		},
		.started_ms = worker->loop.now_ms,
		.active_ms = worker->loop.now_ms,
		.heard_ms = worker->loop.now_ms,
		.deferred.fn = session_free,
	};
	trace_session_init(&session->traced, &worker->trace, session->user, session->login_name);
	stream_init(&session->client, &worker->loop, control_client_event);
	stream_init(&session->server, &worker->loop, control_server_event);
	/* until login, so that a flood of handshakes does not delay established sessions */
	session->client.watch.bulk = true;
	timer_init(&session->phase_timer, on_phase_timer);
	timer_init(&session->server_timer, on_server_timer);
	timer_init(&session->pause_timer, on_pause_timer);
	timer_init(&session->side_timer, on_side_timer);
	timer_init(&session->idle_timer, on_idle_timer);
	timer_init(&session->progress_timer, progress_log_look);
	data_conn_init(&session->data, worker, &session->facts,
		       &(struct data_control){ .client = &session->client,
					       .server = &session->server,
					       .replies = &session->server_in },
		       &session_data_owner);
}

static bool tls_comes_first(const struct session *session)
{
	return session->facts.implicit &&
	       ftp_setup_tls_comes_first(session->facts.listener, session->facts.rule);
}

/*
 * Find the rule; without one, refuse the connection (an AT-TLS stack would let it
 * through in the clear).
 */
static bool session_admit(struct session *session)
{
	struct worker *worker = session->worker;
	const struct policy_flow flow = { .listener = session->facts.listener,
					  .remote = session->facts.remote.addr,
					  .local = session->facts.local.addr,
					  .at_s = session->facts.began_s };
	const struct ftp_setup_ends ends = { .listener = session->facts.listener,
					     .implicit = session->facts.implicit,
					     .remote = session->facts.remote,
					     .local = session->facts.local };
	struct ftp_machine_setup setup;
	const struct policy_backend *backend;

	session->facts.rule = policy_match(worker->policy, &flow);
	if (session->facts.rule == NULL)
		return false;
	backend = session->facts.rule->backend;
	session->facts.tlsctx =
	    session->facts.rule->tls != NULL ? tlsctx_find(worker->tlsctx, session->facts.rule->tls) : NULL;
	session->facts.transparent = flow.listener->transparent;
	session->facts.named = &backend->servers[0];
	session->facts.server = ftp_setup_server(&ends, backend);
	session->begins_after_tls =
	    (backend->proxy == BACKEND_PROXY_V2 || backend->greet_first || session->probe) &&
	    tls_comes_first(session);
	setup = ftp_setup_make(&ends, session->facts.rule);
	setup.lazy_dial |= session->probe;
	session->ways =
	    server_memory_enter(worker->servers, (uint32_t)backend->index, &session->facts.server);
	setup.ways = session->ways;
	/* without memory the machine refuses what it would have to judge */
	session->access = session->facts.rule->ftp->naccess > 0 ? calloc(1, sizeof(*session->access)) : NULL;
	setup.access = session->access;
	session->late_choice = backend->server_map != NULL ? calloc(1, sizeof(*session->late_choice)) : NULL;
	if (session->late_choice != NULL)
		session->late_choice->takes_host = server_maps_take_host(worker->maps, backend);
	setup.late_choice = session->late_choice;
	setup.banner = banners_text(worker->banners, worker->policy, session->facts.rule->ftp);
	setup.failures = (uint8_t)(session->failures < UINT8_MAX ? session->failures : UINT8_MAX);
	ftp_machine_init(&session->machine, &setup);
	return true;
}

static void refuse(struct session *session)
{
	char line[FTP_LOCAL_LINE_MAX];
	size_t len = ftp_local_line(FTP_LOCAL_NO_RULE, REPLY_STYLE_RFC, line);

	if (!session->facts.implicit)
		(void)stream_write(&session->client, (const uint8_t *)line, len);
	session->probe = false; /* its operator should see why the check fails */
	session_end(session, "no-rule");
}

/* Log that it begins, and count it unless it is a health check. */
static void tell_start(struct session *session)
{
	if (!session->probe)
		session_count_start(session);
	session_log(&session->facts, session_level(session), "session-start",
		    LOG_TEXT("listener", session->facts.listener->name));
	if (session->counted)
		session_audit_start(&session->facts);
}

static void session_begin(struct session *session)
{
	struct worker *worker = session->worker;
	bool admitted = session_admit(session);
	bool left = netsock_has_left(session->client.watch.fd);

	session->probe |= left; /* since the monitor looked */
	tell_start(session);
	if (left) {
		session_end(session, "client-closed");
		return;
	}
	if (!admitted) {
		refuse(session);
		return;
	}
	netsock_keepalive(session->client.watch.fd, session->facts.rule->ftp->ftpkeepalive_s);
	if ((session->late_choice == NULL) != (session->facts.rule->backend->server_map == NULL) ||
	    loop_timer(&worker->loop, &session->idle_timer, session_first_look_ms(session)) < 0) {
		session_end(session, "no-memory");
		return;
	}
	ftp_out_reset(&worker->out);
	if (tls_comes_first(session))
		control_tls_start(session);
	if (!session->ended && !session->begins_after_tls)
		control_greet_or_dial(session);
	if (!session->ended)
		control_run(session);
}

/* The answer to a probe that needs the server: it may be an ordinary session, or not. */
static void probe_answered(struct session *session, const struct msg *msg)
{
	if (!session->probe)
		return;
	ftp_out_reset(&session->worker->out);
	if (msg->type == MSG_SESSION_REFUSED) {
		signal_machine(session, FTP_SIGNAL_SERVER_DOWN);
		return;
	}
	session->probe = false;
	tell_start(session);
	control_dial_server(session);
	control_run(session);
}

/* The client is known and admitted. */
static void client_is_in(struct session *session, uint32_t failures)
{
	const struct worker *worker = session->worker;

	session->failures = failures;
	session->facts.implicit = session->facts.listener->tls == LISTENER_IMPLICIT;
	if (session->facts.listener->tls == LISTENER_AUTO)
		first_byte_await(session, CLIENT_HELLO_MS, session_begin);
	else if (probers_has(&worker->probers, &session->facts.remote.addr, worker->loop.now_ms))
		first_byte_await(session, PROBER_MS, session_begin);
	else
		session_begin(session);
}

void session_start(struct worker *worker, const struct msg *msg, int *fd)
{
	struct session *session = calloc(1, sizeof(*session));

	if (session == NULL) {
		uplink_notify(&worker->uplink, MSG_SESSION_END, msg->session);
		session_log_lost(msg, "no-memory");
		session_audit_lost(msg, "no-memory");
		fd_close(fd);
		return;
	}
	session_init(session, worker, msg);
	stream_adopt(&session->client, fd);
	session_table_add(&worker->sessions, &session->node);
	netsock_set_control(session->client.watch.fd);
	if (session->facts.listener->nproxies > 0)
		proxy_in_start(session);
	else
		client_is_in(session, msg->failures);
}

void session_shutdown(struct session *session)
{
	if (session_has_not_begun(session))
		session_end(session, "shutdown");
	else
		signal_machine(session, FTP_SIGNAL_SHUTDOWN);
}

void session_stop(struct session *session)
{
	if (session_has_not_begun(session))
		session_end(session, "shutdown");
	else
		signal_machine(session, FTP_SIGNAL_STOPPED);
}

void session_dismiss(struct session *session)
{
	if (session_has_not_begun(session))
		session_end(session, "operator");
	else
		signal_machine(session, FTP_SIGNAL_DISMISSED);
}

void session_granted(struct session *session, const struct msg *msg, int *fd)
{
	if (session->ended)
		return;
	if (msg->type == MSG_SESSION_ADMITTED || msg->type == MSG_SESSION_REFUSED) {
		if (session->phase != PHASE_PROXY_ADMISSION)
			probe_answered(session, msg);
		else if (proxy_in_answered(session, msg))
			client_is_in(session, msg->failures);
		return;
	}
	ftp_out_reset(&session->worker->out);
	if (msg->type == MSG_LOGIN_GO) {
		session->others_wait = msg->others_wait != 0;
		ftp_machine_login_go(&session->machine);
	} else if (msg->type == MSG_LOGIN_CHECKED) {
		login_ask_answered(session, msg);
	} else if (msg->type == MSG_SERVER) {
		control_server_chosen(session, msg->error, msg->serial, msg->others_wait);
	} else if (msg->type == MSG_SOCKET_READY && msg->purpose == PURPOSE_SERVER) {
		control_server_granted(session, msg->error, fd);
	} else {
		data_conn_granted(&session->data, msg, fd);
		return;
	}
	control_run(session);
}
