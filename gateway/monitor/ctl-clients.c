/*
 * The table may change while it is sent: an entry is sent as it is when its place comes, and
 * none is sent twice.
 */
#include "gateway/monitor/ctl-clients.h"

#include <unistd.h>

int ctl_clients_send(int fd, const struct client_table *table, struct ctl_clients *done)
{
	struct answer answer = ctl_proto_answer(ANSWER_CLIENT);
	int r;

	for (; done->place < CLIENT_TABLE_MAX; done->place++) {
		if (!client_table_get(table, done->place, &answer.u.client))
			continue;
		r = ctl_proto_send(fd, &answer);
		if (r < 0)
			return r;
		done->sent++;
	}
	answer = ctl_proto_answer(ANSWER_LIST_END);
	answer.u.list_end.pid = (int32_t)getpid();
	answer.u.list_end.n = done->sent;
	return ctl_proto_send(fd, &answer);
}
