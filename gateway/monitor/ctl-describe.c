/* What operators hear of attlsd's processes. */
#include "gateway/monitor/ctl-describe.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <utlist.h>

#include "gateway/base/event-list.h"
#include "gateway/monitor/child-pick.h"
#include "gateway/monitor/ctl-older.h"

const char *ctl_describe_path(const char *path, char *buf, size_t size)
{
	buf[0] = '\0';
	/* attlsctl may run in another folder, so the path must be absolute */
	if (path[0] != '/' && getcwd(buf, size) != NULL)
		(void)strncat(buf, "/", size - strlen(buf) - 1);
	(void)strncat(buf, path, size - strlen(buf) - 1);
	return buf;
}

void ctl_describe_gateway(struct answer_gateway *gateway, const char *policy_path)
{
	(void)snprintf(gateway->version, sizeof(gateway->version), "%s", ATTLSD_VERSION);
	(void)ctl_describe_path(policy_path, gateway->policy, sizeof(gateway->policy));
	gateway->pid = (int32_t)getpid();
}

int ctl_describe_worker(int fd, const struct child *child)
{
	struct answer answer = ctl_proto_answer(ANSWER_WORKER);
	const struct key_counts *counts =
	    keeper_counts(&child->generation->keeper, (size_t)(child - child->generation->workers));

	answer.u.worker.pid = (int32_t)child->pid;
	answer.u.worker.state = child_state(child);
	answer.u.worker.generation = child->generation->number;
	answer.u.worker.sessions = child->nsessions;
	answer.u.worker.transfers = *child->relays;
	if (counts != NULL) {
		answer.u.worker.signatures = counts->signatures;
		answer.u.worker.refused = counts->refused;
	}
	return ctl_proto_send(fd, &answer);
}

int ctl_describe_events(int fd, uint64_t *sent)
{
	struct answer answer;
	uint64_t number = *sent;
	int r = 0;

	while (r == 0 && event_list_next(&number, &answer)) {
		r = ctl_proto_send(fd, &answer);
		if (r == 0)
			*sent = number;
	}
	return r;
}

/* They are few, so all answers fit into the socket. */
int ctl_describe_older(int fd, const struct older_set *set, const struct ctl_question *question)
{
	const struct older *older;
	int r = 0;

	DL_FOREACH (set->head, older) {
		struct answer answer = ctl_proto_answer(ANSWER_OLDER);

		memcpy(answer.u.older.version, older->facts.version, sizeof(answer.u.older.version));
		answer.u.older.pid = older->facts.pid;
		answer.u.older.workers = older->facts.workers;
		answer.u.older.generation = older->facts.generation;
		answer.u.older.sessions = older->facts.sessions;
		answer.u.older.asked = question->pass != MSG_NONE && ctl_older_is_asked(older);
		if (r == 0)
			r = ctl_proto_send(fd, &answer);
	}
	return r;
}

int ctl_describe_workers(int fd, const struct children *children, uint32_t announced, uint32_t *sent)
{
	const struct generation *generation;
	uint32_t n = 0;
	int r = 0;

	DL_FOREACH (children->head, generation)
		for (size_t i = 0; i < generation->n; i++) {
			if (generation->workers[i].pid == 0 || n++ < *sent || *sent == announced)
				continue;
			r = ctl_describe_worker(fd, &generation->workers[i]);
			if (r < 0)
				return r;
			++*sent;
		}
	return 0;
}
