/*
 * The table of what may be asked through control_socket. attlsctl reads it as the monitor does,
 * so that both agree on what is an order, and on when the answer is complete. The HTTP process,
 * which the network reaches, may ask only what it shows.
 */
#include "gateway/base/ctl-question.h"

#include <stddef.h>

#include "gateway/base/util.h"

static const struct ctl_question questions[] = {
	[CTL_STATUS] = { .name = "status", .may = ASKER_HTTP, .only_asks = true, .older = true },
	[CTL_SESSIONS] = { .name = "sessions",
			   .may = ASKER_HTTP,
			   .only_asks = true,
			   .older = true,
			   .pass = MSG_LIST_SESSIONS },
	[CTL_SERVERS] = { .name = "servers",
			  .may = ASKER_MEMBER,
			  .only_asks = true,
			  .older = true,
			  .backends = true,
			  .pass = MSG_LIST_SERVERS },
	[CTL_EVENTS] = { .name = "events",
			 .may = ASKER_HTTP,
			 .only_asks = true,
			 .older = true,
			 .backends = true,
			 .pass = MSG_LIST_EVENTS },
	[CTL_METRICS] = { .name = "metrics", .may = ASKER_HTTP, .only_asks = true },
	[CTL_CLIENTS] = { .name = "clients", .may = ASKER_MEMBER, .only_asks = true, .monitor_lists = true },
	[CTL_TRACE] = { .name = "trace", .may = ASKER_MEMBER, .only_asks = true, .logged = true },
	[CTL_TRACE_LAST] = { .name = "trace of the past",
			     .may = ASKER_MEMBER,
			     .only_asks = true,
			     .older = true,
			     .pass = MSG_TRACE_LAST },
	[CTL_END] = { .name = "end", .logged = true },
	[CTL_RELOAD] = { .name = "reload", .logged = true, .any_version = true, .reload_answers = true },
	[CTL_RELOAD_ONLY] = { .name = "reload", .logged = true, .any_version = true, .reload_answers = true },
	[CTL_UPGRADE] = { .name = "upgrade", .logged = true, .any_version = true, .reload_answers = true },
	[CTL_DRAIN] = { .name = "drain", .logged = true, .any_version = true },
	[CTL_MAKE_WAY] = { .name = "drain for a restart", .logged = true, .any_version = true },
	[CTL_POLICY] = { .name = "policy", .may = ASKER_MEMBER, .only_asks = true, .any_version = true },
	[CTL_BACKENDS] = { .name = "backends",
			   .may = ASKER_MEMBER,
			   .only_asks = true,
			   .monitor_lists = true,
			   .backends = true },
	[CTL_DISABLE] = { .name = "backend disable", .logged = true },
	[CTL_ENABLE] = { .name = "backend enable", .logged = true },
	[CTL_AUDIT_REOPEN] = { .name = "audit reopen", .logged = true, .any_version = true },
	[CTL_MAINTENANCE] = { .name = "maintenance on", .logged = true },
	[CTL_MAINTENANCE_END] = { .name = "maintenance off", .logged = true },
};

_Static_assert(NELEM(questions) == CTL_WHATS, "the last question has a row");

const struct ctl_question *ctl_question_find(uint32_t what)
{
	return what < NELEM(questions) && questions[what].name != NULL ? &questions[what] : NULL;
}
