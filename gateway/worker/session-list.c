#include "gateway/worker/session-list.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utlist.h>

#include "gateway/base/ctl-proto.h"
#include "gateway/base/util.h"
#include "gateway/net/stream-tls.h"
#include "gateway/worker/session.h"
#include "gateway/worker/worker.h"

/* Operators at once. */
#define CENSUS_MAX 16
/* Sessions in one turn. */
#define TOLD_PER_TURN 32
/* A reader that takes nothing for so long has gone. */
#define STILL_MS 10000

struct census {
	struct worker *worker;
	struct watch watch;
	struct timer timer;
	struct grave grave;
	uint64_t last; /* the number of the session that was told last */
	uint64_t told; /* how many were */
	struct census *next, *prev;
};

static void census_free(struct grave *grave)
{
	free(CONTAINER_OF(grave, struct census, grave));
}

static void census_end(struct census *census)
{
	struct worker *worker = census->worker;

	loop_unwatch(&worker->loop, &census->watch);
	fd_close(&census->watch.fd);
	loop_timer_stop(&worker->loop, &census->timer);
	DL_DELETE(worker->censuses, census);
	worker->ncensuses--;
	loop_bury(&worker->loop, &census->grave);
}

static void put(char *buf, size_t size, const char *text)
{
	(void)snprintf(buf, size, "%s", text != NULL ? text : "");
}

static void put_tls(struct answer_session *told, const struct session *session)
{
	if (session->tls == SESSION_TLS_HANDSHAKE)
		put(told->tls, sizeof(told->tls), "handshake");
	else if (session->client.ssl == NULL && session->machine.security.ctrl == FTP_CTRL_CLEARED)
		put(told->tls, sizeof(told->tls), "ccc");
	if (session->client.ssl == NULL || !session->client.tls_up)
		return;
	put(told->tls, sizeof(told->tls), stream_tls_version(&session->client));
	put(told->cipher, sizeof(told->cipher), stream_tls_cipher(&session->client));
}

static void put_transfer(struct answer_session *told, const struct session *session, uint64_t now_ms)
{
	const struct data *data = &session->data;

	if (!data->started)
		return;
	put(told->transfer, sizeof(told->transfer), data->command != NULL ? data->command : "?");
	told->idle_ms = now_ms - data->moved_ms;
	told->transfer_ms = now_ms - data->started_ms;
	told->protect = data->protect;
	told->bytes = data->relay.bytes;
}

static struct answer describe(const struct session *session)
{
	struct answer answer = ask_answer(ANSWER_SESSION);
	struct answer_session *told = &answer.u.session;
	uint64_t now_ms = session->worker->loop.now_ms;

	told->session = session->id;
	told->age_ms = now_ms - session->started_ms;
	told->idle_ms = now_ms - session->active_ms;
	told->worker = (int32_t)getpid();
	told->remote = session->remote;
	told->local = session->local;
	told->server = session->behind;
	put(told->listener, sizeof(told->listener), session->listener->name);
	put(told->rule, sizeof(told->rule), session->rule != NULL ? session->rule->name : NULL);
	put(told->backend, sizeof(told->backend),
	    session->rule != NULL ? session->rule->backend->name : NULL);
	put(told->user, sizeof(told->user), session->user);
	put_tls(told, session);
	put_transfer(told, session, now_ms);
	return answer;
}

/* Sessions stand in the order of their numbers, which grow. */
static const struct session *next_of(const struct census *census)
{
	const struct worker *worker = census->worker;
	const struct session *session;

	HASH_FIND(hh, worker->by_number, &census->last, sizeof(census->last), session);
	if (session != NULL)
		return session->next;
	DL_FOREACH (worker->sessions, session)
		if (session->id > census->last)
			return session;
	return NULL;
}

/* Returns 1 when all is told, 0 when there is more, or a negative errno. */
static int tell(struct census *census)
{
	const struct session *session = next_of(census);
	struct answer answer;
	int r = 0;

	for (int n = 0; session != NULL && n < TOLD_PER_TURN; session = session->next, n++) {
		answer = describe(session);
		r = ask_send(census->watch.fd, &answer);
		if (r < 0)
			return r;
		census->last = session->id;
		census->told++;
	}
	if (session != NULL)
		return 0;
	answer = ask_answer(ANSWER_TOLD);
	answer.u.told.pid = (int32_t)getpid();
	answer.u.told.sessions = census->told;
	r = ask_send(census->watch.fd, &answer);
	return r < 0 ? r : 1;
}

static void on_census(struct watch *watch, uint32_t ready)
{
	struct census *census = CONTAINER_OF(watch, struct census, watch);
	struct loop *loop = &census->worker->loop;
	uint64_t told = census->told;
	int r = tell(census);

	(void)ready;
	if (census->told > told && loop_timer(loop, &census->timer, STILL_MS) < 0)
		r = -ENOMEM;
	if (r == 0 && loop_watch(loop, watch, 0) == 0) /* not until there is room: there is */
		loop_again(loop, watch);
	else if (r != -EAGAIN || loop_watch(loop, watch, EPOLLOUT) < 0)
		census_end(census);
}

static void on_timer(struct timer *timer)
{
	census_end(CONTAINER_OF(timer, struct census, timer));
}

void census_start(struct worker *worker, int *fd)
{
	struct census *census =
	    *fd != -1 && worker->ncensuses < CENSUS_MAX ? calloc(1, sizeof(*census)) : NULL;

	if (census == NULL) {
		fd_close(fd);
		return;
	}
	census->worker = worker;
	census->grave.fn = census_free;
	watch_init(&census->watch, on_census);
	census->watch.patient = true;
	timer_init(&census->timer, on_timer);
	census->watch.fd = fd_take(fd);
	DL_APPEND(worker->censuses, census);
	worker->ncensuses++;
	if (loop_timer(&worker->loop, &census->timer, STILL_MS) < 0)
		census_end(census);
	else
		loop_again(&worker->loop, &census->watch);
}

void census_done(struct worker *worker)
{
	while (worker->censuses != NULL)
		census_end(worker->censuses);
}
