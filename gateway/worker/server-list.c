/*
 * The worker's part of the answer to `attlsctl status`: which ways to a data
 * connection work with each server that it remembers.
 */
#include "gateway/worker/server-list.h"

#include <stdio.h>
#include <unistd.h>

#include "gateway/worker/context.h"

_Static_assert(SERVERS_REMEMBERED <= ANSWER_SERVERS_MAX, "attlsctl rejects more servers than this");

static const uint8_t modes[ANSWER_WAYS] = {
	[WAY_EPSV] = FTP_MODE_EPSV,
	[WAY_PASV] = FTP_MODE_PASV,
	[WAY_EPRT] = FTP_MODE_EPRT,
	[WAY_PORT] = FTP_MODE_PORT,
};

static enum answer_way_state state_of(const struct ftp_ways *ways, uint8_t mode)
{
	if (ways->worked & mode)
		return WAY_WORKS;
	if (ways->refused & mode)
		return WAY_REFUSED;
	return ways->failed & mode ? WAY_FAILED : WAY_UNKNOWN;
}

static bool is_known(const struct server_memory *memory)
{
	return memory->server.port != 0 &&
	       (memory->ways.worked | memory->ways.refused | memory->ways.failed) != 0;
}

static bool is_wanted(const struct session_filter *filter, const struct worker *worker,
		      const struct server_memory *memory)
{
	const struct session_traits traits = { .backend = worker->policy->backends[memory->backend].name };

	return session_filter_matches(filter, &traits);
}

static struct answer describe(const struct worker *worker, const struct server_memory *memory)
{
	struct answer answer = ctl_proto_answer(ANSWER_SERVER);
	struct answer_server *shown = &answer.u.server;

	shown->worker = (int32_t)getpid();
	shown->server = memory->server;
	(void)snprintf(shown->backend, sizeof(shown->backend), "%s",
		       worker->policy->backends[memory->backend].name);
	for (size_t i = 0; i < ANSWER_WAYS; i++) {
		shown->ways[i].state = state_of(&memory->ways, modes[i]);
		if (shown->ways[i].state != WAY_UNKNOWN)
			shown->ways[i].minutes = server_memory_minutes(memory, modes[i]);
	}
	return answer;
}

bool server_list_next(const struct worker *worker, const struct session_filter *filter, uint64_t *at,
		      struct answer *ret_answer)
{
	while (*at < SERVERS_REMEMBERED) {
		const struct server_memory *memory = &worker->servers->entries[(*at)++];

		if (is_known(memory) && is_wanted(filter, worker, memory)) {
			*ret_answer = describe(worker, memory);
			return true;
		}
	}
	return false;
}
