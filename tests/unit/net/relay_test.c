#include "gateway/net/relay.h"

#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/unit.h"

#define FILE_BYTES 60000
#define STEPS	   100

/* A relay from one socket to another, and what stands at their far ends. */
struct rig {
	struct loop loop;
	struct stream from, to;
	struct relay relay;
	int sender, receiver;
};

static struct relay_tools tools;

static void on_event(struct watch *watch, uint32_t ready)
{
	(void)watch, (void)ready;
}

static int rig_end(struct rig *rig, struct stream *stream)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
	stream_init(stream, &rig->loop, on_event);
	stream_adopt(stream, &fds[0]);
	return fds[1];
}

static void rig_open(struct rig *rig)
{
	int room = 4096;

	assert_int_equal(loop_init(&rig->loop), 0);
	rig->loop.now_ms = 1000;
	rig->sender = rig_end(rig, &rig->from);
	rig->receiver = rig_end(rig, &rig->to);
	assert_int_equal(setsockopt(rig->to.watch.fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room)), 0);
	relay_tools_init(&tools);
	relay_init(&rig->relay, &rig->from, &rig->to, true, false);
}

static void rig_close(struct rig *rig)
{
	stream_close(&rig->from, true);
	stream_close(&rig->to, true);
	(void)close(rig->sender);
	(void)close(rig->receiver);
	relay_tools_done(&tools);
	loop_done(&rig->loop);
}

/* Who stands still while the end is on its way is not looked at every few milliseconds. */
static void test_no_ticks_once_all_is_read(void **state)
{
	static char file[FILE_BYTES];
	enum relay_result result = RELAY_AGAIN;
	struct rig rig;

	(void)state;
	rig_open(&rig);
	assert_int_equal(send(rig.sender, file, sizeof(file), 0), sizeof(file));
	assert_int_equal(shutdown(rig.sender, SHUT_WR), 0);
	rig.relay.coalesce.on = true; /* it was a fast one */
	for (int step = 0; step < STEPS && result == RELAY_AGAIN; step++)
		result = relay_step(&rig.relay, &tools);
	assert_int_equal(result, RELAY_WAIT);
	assert_int_equal(rig.relay.state, RELAY_ENDING);
	assert_false(rig.relay.coalesce.on);
	rig_close(&rig);
}

/* Nor is one who stands still in the middle. */
static void test_no_ticks_for_a_destination_that_stands_still(void **state)
{
	static char file[FILE_BYTES];
	struct rig rig;

	(void)state;
	rig_open(&rig);
	assert_int_equal(send(rig.sender, file, sizeof(file), 0), sizeof(file));
	rig.relay.coalesce.on = true;
	assert_int_equal(relay_step(&rig.relay, &tools), RELAY_WAIT);
	assert_true(rig.relay.coalesce.on);
	rig.loop.now_ms += COALESCE_TICK_MS; /* a chunk came in this time */
	(void)relay_step(&rig.relay, &tools);
	rig.loop.now_ms += COALESCE_TICK_MS;
	assert_int_equal(relay_step(&rig.relay, &tools), RELAY_WAIT);
	assert_int_equal(rig.relay.state, RELAY_MOVING);
	assert_false(rig.relay.coalesce.on);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_ticks_once_all_is_read),
		cmocka_unit_test(test_no_ticks_for_a_destination_that_stands_still),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
