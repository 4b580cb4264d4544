/*
 * Counts sessions by listener, rule, state and the reason of their end. The state is
 * derived from those of the session's parts whenever an event is over.
 */
#include "gateway/worker/session-count.h"

#include "gateway/base/counters.h"

static size_t rule_place(const struct session *session)
{
	return count_place((size_t)(session->facts.rule - session->worker->policy->rules));
}

static unsigned state_of(const struct session *session)
{
	if (session_has_not_begun(session))
		return COUNT_SESSION_CONNECTING;
	if (session->phase == PHASE_CLIENT_EOF)
		return COUNT_SESSION_ENDING;
	if (session->phase == PHASE_HANDSHAKE)
		return COUNT_SESSION_HANDSHAKE;
	if (session->data.state != DATA_IDLE)
		return COUNT_SESSION_TRANSFER;
	return session->logged_in ? COUNT_SESSION_IDLE : COUNT_SESSION_LOGIN;
}

void session_count_start(struct session *session)
{
	session->counted = true;
	session->counted_state = state_of(session);
	count(SESSIONS, session->counted_state, 1);
	count(SESSIONS_STARTED, count_place(session->facts.listener->index), 1);
	count(LISTENER_SESSIONS, count_place(session->facts.listener->index), 1);
	if (session->facts.rule == NULL)
		return;
	count(RULE_SESSIONS_STARTED, rule_place(session), 1);
	count(RULE_SESSIONS, rule_place(session), 1);
}

void session_count_state(struct session *session)
{
	unsigned state = state_of(session);

	if (!session->counted || state == session->counted_state)
		return;
	count(SESSIONS, session->counted_state, -1);
	count(SESSIONS, state, 1);
	session->counted_state = state;
}

void session_count_end(struct session *session, const char *reason)
{
	count(SESSIONS_ENDED, count_value(COUNT_LABEL_END, reason), 1);
	count_observe(COUNT_SESSION_TIME, 0, (session->worker->loop.now_ms - session->started_ms) * 1000);
	if (!session->counted)
		return;
	count(SESSIONS, session->counted_state, -1);
	count(LISTENER_SESSIONS, count_place(session->facts.listener->index), -1);
	if (session->facts.rule != NULL)
		count(RULE_SESSIONS, rule_place(session), -1);
}
