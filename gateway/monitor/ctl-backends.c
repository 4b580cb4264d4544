/*
 * Shows the state of servers to operators, and takes a server out of service or back. The
 * sessions that a disabled server has go on; it gets no new ones.
 */
#include "gateway/monitor/ctl-backends.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <utlist.h>

#include "gateway/base/log.h"

static void fill(const struct backend_server *server, struct answer_backend *ret)
{
	(void)snprintf(ret->backend, sizeof(ret->backend), "%s", server->backend);
	(void)snprintf(ret->address, sizeof(ret->address), "%s", server->text);
	ret->state = server->disabled		 ? BACKEND_STATE_DISABLED
		     : server->health.down	 ? BACKEND_STATE_DOWN
		     : server->health.failed > 0 ? BACKEND_STATE_DOUBTFUL
						 : BACKEND_STATE_UP;
	ret->failure = server->health.failure;
	ret->since_s = (uint64_t)server->since;
	ret->sessions = server->sessions;
	ret->chosen = server->chosen;
}

int ctl_backends_send(int fd, const struct backends *backends, struct ctl_backends *reader)
{
	struct answer answer = ctl_proto_answer(ANSWER_BACKEND);
	const struct backend_server *server;
	uint64_t n = 0;
	int r = 0;

	if (reader->whole)
		return 0;
	DL_FOREACH (backends->head, server) {
		if (!server->in_policy || n++ < reader->sent)
			continue;
		fill(server, &answer.u.backend);
		r = ctl_proto_send(fd, &answer);
		if (r < 0)
			return r;
		reader->sent++;
	}
	answer = ctl_proto_answer(ANSWER_LIST_END);
	answer.u.list_end.pid = (int32_t)getpid();
	answer.u.list_end.n = reader->sent;
	r = ctl_proto_send(fd, &answer);
	reader->whole = r == 0;
	return r;
}

enum answer_kind ctl_backends_order(struct backends *backends, const struct ask *ask,
				    char text[static ANSWER_TEXT_MAX])
{
	const bool disable = ask->what == CTL_DISABLE;
	struct backend_server *server = backends_find(backends, ask->filter.backend, ask->server);

	if (server == NULL || !server->in_policy) {
		(void)snprintf(text, ANSWER_TEXT_MAX,
			       "\"addresses\" of backends \"%s\" has no \"%s\"; attlsctl backend lists them",
			       ask->filter.backend, ask->server);
		return ANSWER_REFUSED;
	}
	if (server->disabled != disable) {
		server->since = time(NULL);
		log_event(LOG_LEVEL_INFO, disable ? "backend-disabled" : "backend-enabled",
			  LOG_TEXT("backend", server->backend), LOG_TEXT("address", server->text),
			  LOG_NUMBER("sessions", server->sessions));
	}
	server->disabled = disable;
	if (disable)
		(void)snprintf(text, ANSWER_TEXT_MAX, "%s gets no new sessions; the %zu that it has go on",
			       server->text, server->sessions);
	else
		(void)snprintf(text, ANSWER_TEXT_MAX, "%s gets sessions again", server->text);
	return ANSWER_DONE;
}
