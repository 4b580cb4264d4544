/*
 * The worker's answer to `attlsctl sessions`: a packet for each session, written as
 * fast as the operator's connection takes them. Only this file decides what an
 * operator sees of a session.
 */
#include "gateway/worker/session-list.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utlist.h>

#include "gateway/base/ctl-proto.h"
#include "gateway/base/util.h"
#include "gateway/net/stream-tls.h"
#include "gateway/worker/session-state.h"
#include "gateway/worker/context.h"

/* Connections of operators at once. */
#define SESSION_DUMPS_MAX 16
/* Sessions written in one turn. */
#define SESSIONS_PER_TURN 32
/* Give up on a reader that reads nothing for this time. */
#define STILL_MS 10000

struct session_dump {
	struct worker *worker;
	struct watch watch;
	struct timer timer;
	struct deferred deferred;
	uint64_t last;	  /* the number of the last session written */
	uint64_t written; /* how many were written */
	struct session_dump *next, *prev;
};

static void session_dump_free(struct deferred *deferred)
{
	free(CONTAINER_OF(deferred, struct session_dump, deferred));
}

static void session_dump_end(struct session_dump *dump)
{
	struct worker *worker = dump->worker;

	loop_unwatch(&worker->loop, &dump->watch);
	fd_close(&dump->watch.fd);
	loop_timer_stop(&worker->loop, &dump->timer);
	DL_DELETE(worker->dumps, dump);
	worker->ndumps--;
	loop_defer_free(&worker->loop, &dump->deferred);
}

static void put(char *buf, size_t size, const char *text)
{
	(void)snprintf(buf, size, "%s", text != NULL ? text : "");
}

static void put_tls(struct answer_session *shown, const struct session *session)
{
	if (session->phase == PHASE_HANDSHAKE)
		put(shown->tls, sizeof(shown->tls), "handshake");
	else if (session->client.ssl == NULL && ftp_machine_is_cleared(&session->machine))
		put(shown->tls, sizeof(shown->tls), "ccc");
	if (session->client.ssl == NULL || !session->client.tls_up)
		return;
	put(shown->tls, sizeof(shown->tls), stream_tls_version(&session->client));
	put(shown->cipher, sizeof(shown->cipher), stream_tls_cipher(&session->client));
}

static void put_transfer(struct answer_session *shown, const struct session *session)
{
	struct data_status status;

	if (!data_conn_status(&session->data, &status))
		return;
	put(shown->transfer, sizeof(shown->transfer), status.command);
	shown->idle_ms = status.idle_ms;
	shown->transfer_ms = status.transfer_ms;
	shown->protect = status.protect;
	shown->bytes = status.bytes;
}

static struct answer describe(const struct session *session)
{
	struct answer answer = ctl_proto_answer(ANSWER_SESSION);
	struct answer_session *shown = &answer.u.session;
	uint64_t now_ms = session->worker->loop.now_ms;

	shown->session = session->facts.id;
	shown->age_ms = now_ms - session->started_ms;
	shown->idle_ms = now_ms - session->active_ms;
	shown->worker = (int32_t)getpid();
	shown->remote = session->facts.remote;
	shown->local = session->facts.local;
	shown->server = session->facts.server;
	put(shown->listener, sizeof(shown->listener), session->facts.listener->name);
	put(shown->rule, sizeof(shown->rule), session->facts.rule != NULL ? session->facts.rule->name : NULL);
	put(shown->backend, sizeof(shown->backend),
	    session->facts.rule != NULL ? session->facts.rule->backend->name : NULL);
	put(shown->user, sizeof(shown->user), session->user);
	put_tls(shown, session);
	put_transfer(shown, session);
	return answer;
}

/* Returns 1 when all is sent, 0 when there is more, or a negative errno. */
static int write_some(struct session_dump *dump)
{
	struct session_node *node = session_table_after(&dump->worker->sessions, dump->last);
	struct answer answer;
	int r = 0;

	for (int n = 0; node != NULL && n < SESSIONS_PER_TURN; node = node->next, n++) {
		answer = describe(session_of(node));
		r = ctl_proto_send(dump->watch.fd, &answer);
		if (r < 0)
			return r;
		dump->last = node->id;
		dump->written++;
	}
	if (node != NULL)
		return 0;
	answer = ctl_proto_answer(ANSWER_SESSIONS_END);
	answer.u.sessions_end.pid = (int32_t)getpid();
	answer.u.sessions_end.sessions = dump->written;
	r = ctl_proto_send(dump->watch.fd, &answer);
	return r < 0 ? r : 1;
}

static void on_dump(struct watch *watch, uint32_t ready)
{
	struct session_dump *dump = CONTAINER_OF(watch, struct session_dump, watch);
	struct loop *loop = &dump->worker->loop;
	uint64_t before = dump->written;
	int r = write_some(dump);

	(void)ready;
	if (dump->written > before && loop_timer(loop, &dump->timer, STILL_MS) < 0)
		r = -ENOMEM;
	/* there is room now, so do not wait for it */
	if (r == 0 && loop_watch(loop, watch, 0) == 0)
		loop_again(loop, watch);
	else if (r != -EAGAIN || loop_watch(loop, watch, EPOLLOUT) < 0)
		session_dump_end(dump);
}

static void on_timer(struct timer *timer)
{
	session_dump_end(CONTAINER_OF(timer, struct session_dump, timer));
}

void session_dump_start(struct worker *worker, int *fd)
{
	struct session_dump *dump =
	    *fd != -1 && worker->ndumps < SESSION_DUMPS_MAX ? calloc(1, sizeof(*dump)) : NULL;

	if (dump == NULL) {
		fd_close(fd);
		return;
	}
	dump->worker = worker;
	dump->deferred.fn = session_dump_free;
	watch_init(&dump->watch, on_dump);
	dump->watch.bulk = true;
	timer_init(&dump->timer, on_timer);
	dump->watch.fd = fd_take(fd);
	DL_APPEND(worker->dumps, dump);
	worker->ndumps++;
	if (loop_timer(&worker->loop, &dump->timer, STILL_MS) < 0)
		session_dump_end(dump);
	else
		loop_again(&worker->loop, &dump->watch);
}

void session_dump_done(struct worker *worker)
{
	while (worker->dumps != NULL)
		session_dump_end(worker->dumps);
}
