/*
 * One health check of a server: dial it, read its greeting, begin TLS, log in, as far as
 * policy says, and leave with QUIT. The reply to QUIT counts, too: a server
 * that greets and then closes serves nobody. The result goes to the monitor.
 */
#include "gateway/worker/server-check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "ftp-alg/ftp-alg.h"
#include "gateway/base/log.h"
#include "gateway/base/server-failure.h"
#include "gateway/base/util.h"
#include "gateway/net/netsock.h"
#include "gateway/net/stream-tls.h"
#include "gateway/tls/health-logins.h"
#include "gateway/tls/identity.h"
#include "gateway/tls/tlsctx-client.h"
#include "gateway/worker/server-choice.h"

/* The monitor orders fewer at a time. */
#define CHECKS_MAX 64
/* Greetings have a few lines. A server may not keep this process busy with more. */
#define BYTES_MAX (64 * 1024)
/* For the server to close after its reply to QUIT. */
#define LEAVE_MS 1000

enum step { STEP_DIAL = 0, STEP_HANDSHAKE, STEP_GREETING, STEP_AUTH, STEP_USER, STEP_PASS, STEP_QUIT, STEPS };

struct server_check {
	struct worker *worker;
	const struct policy_backend *backend;
	const struct policy_server *server;
	uint32_t number; /* the monitor's */
	bool logs;	 /* a failure is news */
	enum step step;
	bool greeted, over;
	bool has_password; /* the server has it, and its words may repeat it */
	struct ip_endpoint at;
	size_t address_at;
	struct dial_error error;
	uint64_t end_ms;
	size_t bytes; /* that have come */
	struct stream stream;
	struct inbuf in;
	struct ftp_reply_parser parser;
	struct timer timer;
	struct deferred deferred;
	struct server_check *prev, *next;
};

static void release(struct server_check *check)
{
	loop_timer_stop(&check->worker->loop, &check->timer);
	stream_close(&check->stream, false);
	inbuf_free(&check->in);
	DL_DELETE(check->worker->checks, check);
	check->worker->nchecks--;
	check->over = true;
}

static void free_deferred(struct deferred *deferred)
{
	free(CONTAINER_OF(deferred, struct server_check, deferred));
}

static void report(const struct server_check *check, enum server_failure failure)
{
	const struct msg msg = { .type = failure == SERVER_FAILURE_NONE ? MSG_CHECK_WORKS : MSG_CHECK_FAILED,
				 .serial = check->number,
				 .failure = failure };

	uplink_send(&check->worker->uplink, &msg);
	uplink_ring(&check->worker->uplink);
}

static void end(struct server_check *check)
{
	release(check);
	loop_defer_free(&check->worker->loop, &check->deferred);
}

/* failure NONE: nothing was found out, which is this host's fault. */
static void fail(struct server_check *check, enum server_failure failure, const char *error)
{
	char text[IP_TEXT_MAX];

	if (failure != SERVER_FAILURE_NONE)
		report(check, failure);
	if (check->logs || failure == SERVER_FAILURE_NONE)
		log_event(LOG_LEVEL_WARNING, "check-failed", LOG_TEXT("backend", check->backend->name),
			  LOG_TEXT("address", ip_endpoint_format(&check->at, text)),
			  LOG_TEXT("cause", server_failure_name(failure)), LOG_TEXT("error", error));
	end(check);
}

static void succeed(struct server_check *check)
{
	report(check, SERVER_FAILURE_NONE);
	if (stream_finish(&check->stream) != STREAM_RESET)
		linger_take_for(&check->worker->lingering, &check->stream, LEAVE_MS);
	end(check);
}

static uint64_t left_ms(const struct server_check *check)
{
	uint64_t now_ms = check->worker->loop.now_ms;

	return check->end_ms > now_ms ? check->end_ms - now_ms : 0;
}

/* --- what is said --- */

static void say(struct server_check *check, enum step step, const char *verb, const char *argument)
{
	char line[160];
	int len = snprintf(line, sizeof(line), "%s%s%s\r\n", verb, argument[0] != '\0' ? " " : "", argument);

	check->step = step;
	/* the next read sees a broken stream */
	if (len > 0 && (size_t)len < sizeof(line))
		(void)stream_write(&check->stream, (const uint8_t *)line, (size_t)len);
	explicit_bzero(line, sizeof(line));
}

static bool wants_tls(const struct server_check *check)
{
	return check->backend->tls != NULL &&
	       (check->backend->health.check >= HEALTH_CHECK_AUTH ||
		check->backend->security.mechanism == SECURE_MECHANISM_IMPLICIT);
}

/* The greeting counts, and TLS is up where it has to be. */
static void go_on(struct server_check *check)
{
	if (check->backend->health.check == HEALTH_CHECK_LOGIN)
		say(check, STEP_USER, "USER", check->backend->health.user);
	else
		say(check, STEP_QUIT, "QUIT", "");
}

static const char *fault_of(const struct server_check *check)
{
	struct identity shown = { .present = false };
	int r = identity_get(&check->stream, &shown);
	bool present = shown.present;

	identity_done(&shown);
	if (r < 0)
		return strerror(-r);
	if (!present)
		return "the server has shown no certificate";
	if (check->backend->security.ctrlconn == SECURE_PRIVATE &&
	    stream_tls_level(&check->stream) != SECURE_PRIVATE)
		return "the cipher does not encrypt";
	return NULL;
}

static void tls_is_up(struct server_check *check)
{
	if (check->greeted)
		go_on(check);
	else
		check->step = STEP_GREETING;
	/* what is inside the TLS engine already raises no event */
	loop_again(&check->worker->loop, &check->stream.watch);
}

static void shake_hands(struct server_check *check)
{
	const char *fault;

	switch (stream_tls_handshake(&check->stream)) {
	case STREAM_OK:
		fault = fault_of(check);
		if (fault == NULL && loop_set_bulk(&check->worker->loop, &check->stream.watch, false) < 0)
			fault = strerror(ENOMEM);
		if (fault != NULL)
			fail(check, SERVER_FAILURE_TLS, fault);
		else
			tls_is_up(check);
		break;
	case STREAM_WAIT:
		break;
	case STREAM_CLEAN:
	case STREAM_TRUNCATED:
		fail(check, SERVER_FAILURE_TLS, "the server has closed the connection");
		break;
	case STREAM_RESET:
		fail(check, SERVER_FAILURE_TLS, stream_tls_reason());
		break;
	}
}

static void begin_tls(struct server_check *check)
{
	const struct policy_rule rule = { .backend = check->backend };
	char text[IP_TEXT_MAX];
	const char *host = policy_server_name(&rule, check->server, &check->at.addr, text);
	struct ssl_st *ssl;

	if (host == NULL) {
		fail(check, SERVER_FAILURE_TLS, "the address belongs to none of \"hosts\"");
		return;
	}
	/* RFC 4217 4.2 has nothing between 234 and the handshake */
	if (inbuf_len(&check->in) > 0) {
		fail(check, SERVER_FAILURE_TLS, "bytes in the clear before the handshake");
		return;
	}
	ssl = tlsctx_client_new(tlsctx_find_client(check->worker->tlsctx, check->backend->tls),
				TLSCTX_CONTROL, host, NULL);
	/* a handshake takes long, so established sessions go first */
	if (ssl == NULL || stream_tls_start(&check->stream, ssl, false) < 0 ||
	    loop_set_bulk(&check->worker->loop, &check->stream.watch, true) < 0) {
		fail(check, SERVER_FAILURE_NONE, strerror(ENOMEM));
		return;
	}
	check->step = STEP_HANDSHAKE;
	shake_hands(check);
}

static void greeted(struct server_check *check)
{
	check->greeted = true;
	if (!wants_tls(check) || check->stream.tls_up)
		go_on(check);
	else if (check->backend->security.mechanism == SECURE_MECHANISM_IMPLICIT)
		begin_tls(check); /* SECUREIMPLICITZOS: z/OS greets first */
	else
		say(check, STEP_AUTH, "AUTH",
		    check->backend->security.mechanism == SECURE_MECHANISM_SSL ? "SSL" : "TLS");
}

/* A whole reply, no preliminary one. text: its last line, for the log. */
static void take_reply(struct server_check *check, uint16_t code, const char *text)
{
	const char *password;

	if (code == 421 || (check->step == STEP_GREETING && code >= 300)) {
		fail(check, SERVER_FAILURE_TURNED_AWAY, text);
		return;
	}
	switch (check->step) {
	case STEP_GREETING:
		greeted(check);
		break;
	case STEP_AUTH:
		if (code == 234)
			begin_tls(check);
		else
			fail(check, SERVER_FAILURE_NO_AUTH, text);
		break;
	case STEP_USER:
		password = health_logins_password(check->worker->health_logins, check->backend);
		if (code == 331 && password != NULL) {
			check->has_password = true;
			say(check, STEP_PASS, "PASS", password);
		} else if (ftp_reply_is_login(code, false)) {
			say(check, STEP_QUIT, "QUIT", "");
		} else {
			fail(check, SERVER_FAILURE_NO_LOGIN, text);
		}
		break;
	case STEP_PASS:
		if (ftp_reply_is_login(code, true))
			say(check, STEP_QUIT, "QUIT", "");
		else
			fail(check, SERVER_FAILURE_NO_LOGIN, "the server refuses the password");
		break;
	case STEP_QUIT:
		succeed(check); /* whatever it says, it answers */
		break;
	case STEP_DIAL:
	case STEP_HANDSHAKE:
	case STEPS:
		break;
	}
}

/* --- what is heard --- */

/* Take one line. False: there is no whole one, or TLS comes first. */
static bool take_line(struct server_check *check)
{
	struct ftp_reply reply;
	enum ftp_reply_status status;
	char text[128];

	if (check->over || check->step == STEP_HANDSHAKE || inbuf_len(&check->in) == 0)
		return false;
	status =
	    ftp_reply_take(&check->parser, check->in.bytes + check->in.start, inbuf_len(&check->in), &reply);
	if (status == FTP_REPLY_MORE)
		return false;
	if (check->has_password)
		(void)snprintf(text, sizeof(text), "not shown, as it may repeat the password");
	else
		(void)snprintf(text, sizeof(text), "%.*s", (int)reply.len, reply.line);
	inbuf_use(&check->in, reply.consumed);
	if (status == FTP_REPLY_MALFORMED &&
	    (check->greeted || check->backend->stray_replies == BACKEND_STRAY_CLOSE)) {
		fail(check, SERVER_FAILURE_NOT_FTP, text);
		return false;
	}
	if (status == FTP_REPLY_END && !ftp_reply_is_preliminary(reply.code))
		take_reply(check, reply.code, text);
	return true;
}

static void hear(struct server_check *check)
{
	size_t before = inbuf_len(&check->in);
	enum stream_io io = stream_flush(&check->stream);

	if (io != STREAM_RESET)
		io = inbuf_fill(&check->in, &check->stream);
	check->bytes += inbuf_len(&check->in) - before;
	while (take_line(check))
		;
	if (check->over)
		return;
	if (check->step == STEP_HANDSHAKE && io != STREAM_RESET)
		return; /* it reads for itself from now on */
	inbuf_tidy(&check->in);
	if (check->bytes > BYTES_MAX || !inbuf_has_room(&check->in))
		fail(check, SERVER_FAILURE_NOT_FTP, "it says more than a server has to say");
	else if (io == STREAM_RESET && check->stream.ssl != NULL && stream_tls_has_failed())
		fail(check, SERVER_FAILURE_TLS, stream_tls_reason());
	else if (io != STREAM_OK && io != STREAM_WAIT)
		fail(check, SERVER_FAILURE_CLOSED,
		     check->greeted ? "the connection ended after the greeting"
				    : "the connection ended before a greeting");
	else if (check->in.more && stream_has_layer(&check->stream))
		loop_again(&check->worker->loop, &check->stream.watch);
}

/* --- the connection --- */

/* The server learns that no client is behind this connection. */
static void send_proxy_header(struct server_check *check)
{
	static const char v1[] = "PROXY UNKNOWN\r\n", v2[] = "\r\n\r\n\0\r\nQUIT\n\x20\0\0\0";

	switch (check->backend->proxy) {
	case BACKEND_PROXY_NONE:
		break;
	case BACKEND_PROXY_V1:
		(void)stream_write(&check->stream, (const uint8_t *)v1, sizeof(v1) - 1);
		break;
	case BACKEND_PROXY_V2: /* LOCAL */
		(void)stream_write(&check->stream, (const uint8_t *)v2, sizeof(v2) - 1);
		break;
	}
}

static int dial(struct server_check *check);

/* This address cannot be reached: try the next one. */
static void unreachable(struct server_check *check, int r)
{
	while (r < 0) {
		stream_close(&check->stream, false);
		server_choice_dial_error(&check->error, r, &check->at.addr);
		if (++check->address_at >= check->server->naddresses) {
			check->at.addr = check->error.at;
			fail(check, server_choice_dial_failure(check->error.r), strerror(-check->error.r));
			return;
		}
		check->at.addr = check->server->addresses[check->address_at];
		r = dial(check);
	}
}

static void connected(struct server_check *check)
{
	int r = netsock_error(check->stream.watch.fd);

	if (r < 0) {
		unreachable(check, r);
		return;
	}
	if (check->backend->health.check == HEALTH_CHECK_CONNECT) {
		succeed(check);
		return;
	}
	if (loop_timer(&check->worker->loop, &check->timer, left_ms(check)) < 0) {
		fail(check, SERVER_FAILURE_NONE, strerror(ENOMEM));
		return;
	}
	send_proxy_header(check);
	check->step = STEP_GREETING;
	if (wants_tls(check) && check->backend->security.mechanism == SECURE_MECHANISM_IMPLICIT &&
	    !check->backend->security.secureimplicitzos)
		begin_tls(check);
}

static void on_event(struct watch *watch, uint32_t ready)
{
	struct server_check *check = CONTAINER_OF(watch, struct server_check, stream.watch);

	(void)ready;
	if (check->step == STEP_DIAL)
		connected(check);
	else if (check->step == STEP_HANDSHAKE)
		shake_hands(check);
	else
		hear(check);
	if (!check->over && check->step != STEP_DIAL &&
	    loop_watch(&check->worker->loop, &check->stream.watch,
		       EPOLLIN | (stream_is_drained(&check->stream) ? 0 : (uint32_t)EPOLLOUT)) < 0)
		fail(check, SERVER_FAILURE_NONE, strerror(ENOMEM));
}

static void on_timer(struct timer *timer)
{
	static const struct {
		enum server_failure failure;
		const char *error;
	} ends[STEPS] = {
		[STEP_DIAL] = { SERVER_FAILURE_CONNECT_TIMEOUT, "no answer to the connection attempt" },
		[STEP_HANDSHAKE] = { SERVER_FAILURE_TLS, "the handshake took too long" },
		[STEP_GREETING] = { SERVER_FAILURE_NO_GREETING, "no greeting" },
		[STEP_AUTH] = { SERVER_FAILURE_NO_REPLY, "no reply to AUTH" },
		[STEP_USER] = { SERVER_FAILURE_NO_REPLY, "no reply to USER" },
		[STEP_PASS] = { SERVER_FAILURE_NO_REPLY, "no reply to PASS" },
		[STEP_QUIT] = { SERVER_FAILURE_NO_REPLY, "no reply to QUIT" },
	};
	struct server_check *check = CONTAINER_OF(timer, struct server_check, timer);

	if (check->step == STEP_DIAL)
		unreachable(check, -ETIMEDOUT);
	else
		fail(check, ends[check->step].failure, ends[check->step].error);
}

/* To the current address; all of them share the time. Returns 0 or a negative errno. */
static int dial(struct server_check *check)
{
	size_t n =
	    check->server->naddresses > check->address_at ? check->server->naddresses - check->address_at : 1;
	struct ip_addr source;
	int r = policy_source_find(check->backend, check->at.addr.family, &source);
	int fd = r == 0 ? netsock_dial(&check->at, &source, false) : r;

	if (fd < 0)
		return fd;
	netsock_set_control(fd);
	stream_adopt(&check->stream, &fd);
	check->step = STEP_DIAL;
	r = loop_watch(&check->worker->loop, &check->stream.watch, EPOLLOUT);
	return r < 0 ? r : loop_timer(&check->worker->loop, &check->timer, left_ms(check) / n);
}

void server_check_start(struct worker *worker, const struct msg *order)
{
	const struct policy_backend *backend;
	struct server_check *check;
	int r;

	if (order->check.backend >= worker->policy->nbackends || worker->nchecks >= CHECKS_MAX)
		return;
	backend = &worker->policy->backends[order->check.backend];
	if (order->check.server >= backend->nservers || backend->health.check == HEALTH_CHECK_NONE)
		return;
	check = calloc(1, sizeof(*check));
	if (check == NULL)
		return;
	check->worker = worker;
	check->backend = backend;
	check->server = &backend->servers[order->check.server];
	check->number = order->serial;
	check->logs = order->active != 0;
	check->at = check->server->endpoint;
	check->end_ms = worker->loop.now_ms + backend->health.timeout_ms;
	check->parser.lenient = backend->multiline == BACKEND_MULTILINE_LENIENT;
	check->deferred.fn = free_deferred;
	timer_init(&check->timer, on_timer);
	stream_init(&check->stream, &worker->loop, on_event);
	DL_APPEND(worker->checks, check);
	worker->nchecks++;
	r = dial(check);
	if (r < 0)
		unreachable(check, r);
}

void server_checks_done(struct worker *worker)
{
	struct server_check *check, *next;

	DL_FOREACH_SAFE(worker->checks, check, next)
	{
		release(check);
		free(check);
	}
}
