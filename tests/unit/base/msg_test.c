/* Which messages may go which way, and with a descriptor or without one. */
#include "gateway/base/msg.h"
#include "tests/unit/unit.h"

static const struct {
	const char *name;
	enum msg_receiver receiver;
	uint32_t type;
	int fd;
	bool want;
} rows[] = {
	{ "a session with its connection", MSG_TO_WORKER, MSG_SESSION, 7, true },
	{ "a session of which the connection was lost", MSG_TO_WORKER, MSG_SESSION, -1, true },
	{ "a socket that could not be made", MSG_TO_WORKER, MSG_SOCKET_READY, -1, true },
	{ "the order to end", MSG_TO_WORKER, MSG_DRAIN, -1, true },
	{ "the order to end, with a descriptor", MSG_TO_WORKER, MSG_DRAIN, 7, false },
	{ "a worker's request", MSG_TO_MONITOR, MSG_SOCKET, -1, true },
	{ "a worker's request, with a descriptor", MSG_TO_MONITOR, MSG_SOCKET, 7, false },
	{ "a session for the monitor", MSG_TO_MONITOR, MSG_SESSION, 7, false },
	{ "the last type for the monitor", MSG_TO_MONITOR, MSG_AUDIT_FAILED, -1, true },
	{ "the end of a session for a worker", MSG_TO_WORKER, MSG_SESSION_END, -1, false },
	{ "type 0", MSG_TO_MONITOR, MSG_NONE, -1, false },
	{ "type 0 for nobody", MSG_TO_NOBODY, MSG_NONE, -1, false },
	{ "the type after the last", MSG_TO_MONITOR, MSG_TYPE_COUNT, -1, false },
	{ "the largest type", MSG_TO_WORKER, UINT32_MAX, 7, false },
};

static void a_message_goes_one_way(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		const struct msg msg = { .type = rows[i].type };

		if (msg_is_for(rows[i].receiver, &msg, rows[i].fd) != rows[i].want)
			fail_msg("%s: want %d", rows[i].name, rows[i].want);
	}
}

static void every_type_has_one_receiver(void **state)
{
	(void)state;
	for (uint32_t type = MSG_NONE + 1; type < MSG_TYPE_COUNT; type++) {
		const struct msg msg = { .type = type };

		if (msg_is_for(MSG_TO_WORKER, &msg, -1) == msg_is_for(MSG_TO_MONITOR, &msg, -1))
			fail_msg("type %u", type);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_goes_one_way),
		cmocka_unit_test(every_type_has_one_receiver),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
