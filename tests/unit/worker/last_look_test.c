/* Before the end of the data is carried over, the control connection of their sender has its say. */
#include "gateway/worker/last-look.h"

#include <string.h>
#include <sys/ioctl.h>

#include "gateway/net/linebuf.h"
#include "tests/unit/net/ends.h"

enum then { STAYS = 0, ENDS, RESETS };

static const struct {
	const char *name;
	bool upload;
	const char *said;
	enum then then;
	bool want;
} looks[] = {
	{ "the server is silent", false, "", STAYS, true },
	{ "success", false, "226 Transfer complete.\r\n", STAYS, true },
	{ "success without text", false, "226 \r\n", STAYS, true },
	{ "success, and the end after it", false, "226 Transfer complete.\r\n", ENDS, true },
	{ "failure", false, "451 The third name is odd\r\n", STAYS, false },
	{ "a failure for good", false, "550 Gone\r\n", STAYS, false },
	{ "a failure that is not whole yet", false, "45", STAYS, false },
	{ "a success that is not whole yet", false, "226 Tra", STAYS, false },
	{ "a reply to something else, then a failure", false, "211 Here I am\r\n451 No\r\n", STAYS, false },
	{ "a success of several lines", false, "226-Look:\r\n", STAYS, false },
	{ "text of an open reply", false, " 226 files\r\n", STAYS, false },
	{ "a short line", false, "2\r\n", STAYS, false },
	{ "the server has ended", false, "", ENDS, false },
	{ "the server was reset", false, "", RESETS, false },
	{ "the client is silent", true, "", STAYS, true },
	{ "the client says something", true, "ABOR\r\n", STAYS, false },
	{ "the client has ended", true, "", ENDS, false },
	{ "the client was reset", true, "", RESETS, false },
};

static void test_looks(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(looks); i++) {
		struct loop loop;
		struct stream control;
		size_t len = strlen(looks[i].said);
		int far, unread = 0;

		assert_int_equal(loop_init(&loop), 0);
		far = ends_stream(&control, &loop, ends_tcp);
		if (len > 0)
			assert_int_equal(send(far, looks[i].said, len, 0), len);
		if (looks[i].then == ENDS)
			assert_int_equal(shutdown(far, SHUT_WR), 0);
		if (looks[i].then == RESETS)
			ends_reset(&far);
		if (len > 0 || looks[i].then != STAYS)
			ends_wait(control.watch.fd, POLLIN);
		if (last_look(&control, NULL, looks[i].upload) != looks[i].want)
			fail_msg("%s", looks[i].name);
		assert_int_equal(loop.again.len, looks[i].want ? 0 : 1);
		assert_int_equal(ioctl(control.watch.fd, FIONREAD, &unread), 0);
		assert_int_equal(unread, len); /* it is the owner's to read */
		stream_close(&control, true);
		fd_close(&far);
		loop_done(&loop);
	}
}

/* What the session has read together with an earlier reply, and not looked at yet. */
static const struct {
	const char *name, *unread;
	bool want;
} unread[] = {
	{ "nothing", "", true },
	{ "success", "226 Transfer complete.\r\n", true },
	{ "failure", "451 The third name is odd\r\n", false },
	{ "a failure that is not whole yet", "45", false },
	{ "a reply to something else, then a failure", "211 Here I am\r\n451 No\r\n", false },
};

static void test_what_is_in_memory_counts_too(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(unread); i++) {
		struct loop loop;
		struct stream control;
		struct inbuf inbuf = { .bytes = (uint8_t *)(uintptr_t)unread[i].unread,
				       .end = strlen(unread[i].unread) };
		int far;

		assert_int_equal(loop_init(&loop), 0);
		far = ends_stream(&control, &loop, ends_tcp);
		if (last_look(&control, &inbuf, false) != unread[i].want)
			fail_msg("%s", unread[i].name);
		assert_int_equal(loop.again.len, unread[i].want ? 0 : 1);
		stream_close(&control, true);
		fd_close(&far);
		loop_done(&loop);
	}
}

static void test_a_closed_connection_says_nothing(void **state)
{
	struct loop loop;
	struct stream control;

	(void)state;
	assert_int_equal(loop_init(&loop), 0);
	stream_init(&control, &loop, ends_on_event);
	assert_true(last_look(&control, NULL, true));
	assert_true(last_look(&control, NULL, false));
	assert_int_equal(loop.again.len, 0);
	loop_done(&loop);
}

/* A download, and the owner of its control connection. */
struct rig {
	struct loop loop;
	struct stream client, server, control;
	struct relay relay;
	struct relay_tools tools;
	enum relay_result result;
	char said[100];
};

static struct rig rig;

static void on_control(struct watch *watch, uint32_t ready)
{
	uint8_t buf[sizeof(rig.said)];
	size_t len = 0;

	(void)watch, (void)ready;
	if (stream_read(&rig.control, buf, sizeof(buf) - 1, &len) == STREAM_OK)
		memcpy(rig.said, buf, len);
	rig.relay.doubt |= rig.said[0] == '4';
}

static void on_data(struct watch *watch, uint32_t ready)
{
	(void)watch, (void)ready;
	rig.result = relay_step(&rig.relay, &rig.tools);
	if (rig.result == RELAY_AGAIN)
		loop_again(&rig.loop, &rig.server.watch);
	else
		loop_stop(&rig.loop);
}

static const struct {
	const char *name, *content, *reply;
	enum relay_result want;
	int end; /* what the client sees */
} downloads[] = {
	{ "names, then 451", "names", "451 The third name is odd\r\n", RELAY_FROM_LOST, -EAGAIN },
	{ "nothing, then 451", "", "451 The first name is odd\r\n", RELAY_FROM_LOST, -EAGAIN },
	{ "names, then 226 of two lines", "names", "226-Well\r\n226 done\r\n", RELAY_SETTLE, 0 },
	{ "names, then 226", "names", "226 Done\r\n", RELAY_SETTLE, 0 },
	{ "names", "names", "", RELAY_SETTLE, 0 },
};

/* The kernel has the reply and the end of the data, and the worker looks at the data first. */
static void test_the_reply_counts_before_the_end(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(downloads); i++) {
		size_t len = strlen(downloads[i].content), reply = strlen(downloads[i].reply);
		uint8_t got[100];
		int client, server, control, end;

		rig = (struct rig){ .result = RELAY_WAIT };
		assert_int_equal(loop_init(&rig.loop), 0);
		relay_tools_init(&rig.tools);
		client = ends_stream(&rig.client, &rig.loop, ends_unix);
		server = ends_stream(&rig.server, &rig.loop, ends_unix);
		control = ends_stream(&rig.control, &rig.loop, ends_unix);
		rig.server.watch.fn = on_data;
		rig.server.watch.bulk = true;
		rig.control.watch.fn = on_control;
		relay_init(&rig.relay, &rig.client, &rig.server, false, false);
		relay_ask(&rig.relay, last_look, &rig.control, NULL);
		if (reply > 0)
			assert_int_equal(send(control, downloads[i].reply, reply, 0), reply);
		if (len > 0)
			assert_int_equal(send(server, downloads[i].content, len, 0), len);
		fd_close(&server);
		on_data(&rig.server.watch, EPOLLIN);
		if (rig.result == RELAY_AGAIN)
			assert_int_equal(loop_run(&rig.loop), 0);
		if (rig.result != downloads[i].want)
			fail_msg("%s: result %d", downloads[i].name, (int)rig.result);
		assert_int_equal(ends_read(client, got, sizeof(got), &end), len);
		assert_memory_equal(got, downloads[i].content, len);
		if (end != downloads[i].end)
			fail_msg("%s: the client's end is %d", downloads[i].name, end);
		stream_close(&rig.client, true);
		stream_close(&rig.server, true);
		stream_close(&rig.control, true);
		fd_close(&client);
		fd_close(&control);
		relay_tools_done(&rig.tools);
		loop_done(&rig.loop);
	}
}

/* A client that reads no replies stops its control connection, not its data. */
static void test_a_control_connection_that_stands_still(void **state)
{
	int client, server, control, end;
	uint8_t byte;

	(void)state;
	rig = (struct rig){ .result = RELAY_WAIT };
	assert_int_equal(loop_init(&rig.loop), 0);
	relay_tools_init(&rig.tools);
	client = ends_stream(&rig.client, &rig.loop, ends_unix);
	server = ends_stream(&rig.server, &rig.loop, ends_unix);
	control = ends_stream(&rig.control, &rig.loop, ends_unix);
	rig.server.watch.fn = on_data;
	rig.server.watch.bulk = true; /* ends_on_event() of the control connection reads nothing */
	relay_init(&rig.relay, &rig.client, &rig.server, false, false);
	relay_ask(&rig.relay, last_look, &rig.control, NULL);
	assert_int_equal(send(control, "226-", 4, 0), 4);
	fd_close(&server);
	on_data(&rig.server.watch, EPOLLIN);
	assert_int_equal(rig.result, RELAY_AGAIN);
	assert_int_equal(ends_read(client, &byte, 1, &end), 0);
	assert_int_equal(end, -EAGAIN);
	assert_int_equal(loop_run(&rig.loop), 0);
	assert_int_equal(ends_read(client, &byte, 1, &end), 0);
	assert_int_equal(end, 0);
	stream_close(&rig.client, true);
	stream_close(&rig.server, true);
	stream_close(&rig.control, true);
	fd_close(&client);
	fd_close(&control);
	relay_tools_done(&rig.tools);
	loop_done(&rig.loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_looks),
		cmocka_unit_test(test_what_is_in_memory_counts_too),
		cmocka_unit_test(test_a_closed_connection_says_nothing),
		cmocka_unit_test(test_the_reply_counts_before_the_end),
		cmocka_unit_test(test_a_control_connection_that_stands_still),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
