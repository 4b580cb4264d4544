/*
 * The table of what may be asked through control_socket. attlsctl reads it as the monitor does,
 * so that both agree on what is an order, and on when the answer is complete. The HTTP process,
 * which the network reaches, may ask only what it shows.
 */
#include "gateway/base/ctl-question.h"

#include <stddef.h>

#include "gateway/base/util.h"

static const struct ctl_question questions[] = {
	[CTL_STATUS] = { .name = "status", .may = ASKER_HTTP, .older = true },
	[CTL_SESSIONS] = { .name = "sessions", .may = ASKER_HTTP, .older = true, .pass = MSG_LIST_SESSIONS },
	[CTL_SERVERS] = { .name = "servers",
			  .may = ASKER_MEMBER,
			  .older = true,
			  .backends = true,
			  .pass = MSG_LIST_SERVERS },
	[CTL_EVENTS] = { .name = "events",
			 .may = ASKER_HTTP,
			 .older = true,
			 .backends = true,
			 .pass = MSG_LIST_EVENTS },
	[CTL_METRICS] = { .name = "metrics", .may = ASKER_HTTP },
	[CTL_CLIENTS] = { .name = "clients", .may = ASKER_MEMBER, .monitor_lists = true },
	[CTL_TRACE] = { .name = "trace", .may = ASKER_MEMBER, .logged = true },
	[CTL_TRACE_LAST] = { .name = "trace of the past",
			     .may = ASKER_MEMBER,
			     .older = true,
			     .pass = MSG_TRACE_LAST },
	[CTL_END] = { .name = "end" },
	[CTL_RELOAD] = { .name = "reload", .any_version = true, .reload_answers = true },
	[CTL_RELOAD_ONLY] = { .name = "reload", .any_version = true, .reload_answers = true },
	[CTL_UPGRADE] = { .name = "upgrade", .any_version = true, .reload_answers = true },
	[CTL_DRAIN] = { .name = "drain", .any_version = true },
	[CTL_MAKE_WAY] = { .name = "drain for a restart", .any_version = true },
	[CTL_POLICY] = { .name = "policy", .may = ASKER_MEMBER, .any_version = true },
	[CTL_BACKENDS] = { .name = "backends", .may = ASKER_MEMBER, .monitor_lists = true, .backends = true },
	[CTL_DISABLE] = { .name = "backend disable" },
	[CTL_ENABLE] = { .name = "backend enable" },
	[CTL_AUDIT_REOPEN] = { .name = "audit reopen", .any_version = true },
	[CTL_MAINTENANCE] = { .name = "maintenance on" },
	[CTL_MAINTENANCE_END] = { .name = "maintenance off" },
};

_Static_assert(NELEM(questions) == CTL_WHATS, "the last question has a row");

const struct ctl_question *ctl_question_find(uint32_t what)
{
	return what < NELEM(questions) && questions[what].name != NULL ? &questions[what] : NULL;
}

bool ctl_question_is_order(const struct ctl_question *question)
{
	return question->may == ASKER_OPERATOR;
}

bool ctl_question_is_logged(const struct ctl_question *question)
{
	return question->logged || ctl_question_is_order(question);
}
