#include "gateway/net/linger.h"

#include "tests/unit/net/ends.h"

#define PEERS 3
#define MORE  ((size_t)1024 * 1024) /* than the socket takes at once */

/* A list, and streams that come to it. */
struct rig {
	struct loop loop;
	struct linger_list list;
	struct stream stream[PEERS];
	int peer[PEERS];
	unsigned emptied;
};

static void on_empty(struct linger_list *list)
{
	CONTAINER_OF(list, struct rig, list)->emptied++;
}

static void rig_open(struct rig *rig, void make(int fds[static 2]))
{
	*rig = (struct rig){ .list = { .loop = &rig->loop, .on_empty = on_empty, .max = PEERS } };
	assert_int_equal(loop_init(&rig->loop), 0);
	for (size_t i = 0; i < PEERS; i++)
		rig->peer[i] = ends_stream(&rig->stream[i], &rig->loop, make);
}

static void rig_close(struct rig *rig)
{
	linger_done(&rig->list);
	for (size_t i = 0; i < PEERS; i++) {
		stream_close(&rig->stream[i], false);
		fd_close(&rig->peer[i]);
	}
	loop_done(&rig->loop);
}

/* One event, as the loop delivers it. */
static void deliver(struct rig *rig)
{
	struct epoll_event event;
	struct watch *watch;

	assert_int_equal(epoll_wait(rig->loop.epoll_fd, &event, 1, EVENT_MS), 1);
	watch = event.data.ptr;
	watch->fn(watch, event.events);
}

/* The timer that is due first, without waiting for it. Returns when it would have been due. */
static uint64_t next_timer_ms(const struct rig *rig)
{
	assert_int_not_equal(rig->loop.heap_len, 0);
	return rig->loop.heap[1]->at_ms - rig->loop.now_ms;
}

static void time_out(struct rig *rig)
{
	struct timer *timer = rig->loop.heap[1];

	loop_timer_stop(&rig->loop, timer);
	timer->fn(timer);
}

/* What the peer has: 0 is an end in order, -EAGAIN nothing yet. */
static int peer_end(int fd)
{
	uint8_t byte;
	int end;

	assert_int_equal(ends_read(fd, &byte, 1, &end), 0);
	return end;
}

/* The peer closes first, and that ends it. */
static void test_the_peer_closes_first(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig, ends_unix);
	assert_int_equal(stream_finish(&rig.stream[0]), STREAM_OK);
	linger_take(&rig.list, &rig.stream[0]);
	assert_int_equal(rig.list.n, 1);
	assert_false(stream_is_open(&rig.stream[0]));
	assert_int_equal(next_timer_ms(&rig), 2000);
	assert_int_equal(peer_end(rig.peer[0]), 0);
	assert_int_equal(send(rig.peer[0], "late", 4, MSG_NOSIGNAL), 4); /* it is read, so nothing is reset */
	deliver(&rig);
	assert_int_equal(rig.list.n, 1);
	assert_int_equal(shutdown(rig.peer[0], SHUT_WR), 0);
	deliver(&rig);
	assert_int_equal(rig.list.n, 0);
	assert_int_equal(rig.emptied, 1);
	assert_int_equal(rig.loop.heap_len, 0);
	assert_int_equal(peer_end(rig.peer[0]), 0);
	rig_close(&rig);
	assert_int_equal(rig.emptied, 1);
}

/* Queued bytes are sent first. */
static void test_what_is_left_is_sent(void **state)
{
	uint8_t *file = ends_file(MORE), *got = malloc(MORE + 1);
	int end = -EAGAIN;
	size_t len = 0;
	struct rig rig;

	(void)state;
	assert_non_null(got);
	rig_open(&rig, ends_unix);
	assert_int_equal(stream_write(&rig.stream[0], file, MORE), STREAM_OK);
	assert_int_equal(stream_finish(&rig.stream[0]), STREAM_WAIT);
	linger_take(&rig.list, &rig.stream[0]);
	while (end == -EAGAIN) {
		len += ends_read(rig.peer[0], got + len, MORE + 1 - len, &end);
		if (len < MORE)
			deliver(&rig);
	}
	assert_int_equal(end, 0);
	assert_int_equal(len, MORE);
	assert_memory_equal(got, file, MORE);
	assert_int_equal(rig.list.n, 1);
	rig_close(&rig);
	free(file);
	free(got);
}

/* A connection that nothing more can come from is closed at once. */
static void test_closed_at_once(void **state)
{
	static const struct {
		const char *name;
		bool reset, fin, queued;
		size_t want;
	} cases[] = {
		{ "alive", false, false, false, 1 },
		{ "broken", true, false, false, 0 },
		{ "ended by both", false, true, false, 0 },
		{ "ended, but not all is out", false, true, true, 1 },
		{ "broken, not all is out", true, false, true, 0 },
	};
	uint8_t *file = ends_file(MORE);

	(void)state;
	for (size_t i = 0; i < NELEM(cases); i++) {
		struct rig rig;

		rig_open(&rig, ends_unix);
		if (cases[i].queued)
			assert_int_equal(stream_write(&rig.stream[0], file, MORE), STREAM_OK);
		rig.stream[0].saw_reset = cases[i].reset;
		rig.stream[0].saw_fin = cases[i].fin;
		linger_take(&rig.list, &rig.stream[0]);
		if (rig.list.n != cases[i].want || stream_is_open(&rig.stream[0]))
			fail_msg("%s: %zu linger", cases[i].name, rig.list.n);
		linger_take(&rig.list, &rig.stream[0]); /* a closed one is nothing */
		linger_reset(&rig.list, &rig.stream[0]);
		assert_int_equal(rig.list.n, cases[i].want);
		rig_close(&rig);
	}
	free(file);
}

/* The same, after all that it gets before. */
static int peer_end_at_last(int fd)
{
	uint8_t bytes[65536];
	int end = -EAGAIN;

	while (end == -EAGAIN) {
		ends_wait(fd, POLLIN);
		(void)ends_read(fd, bytes, sizeof(bytes), &end);
	}
	return end;
}

/*
 * Connections that the full list cannot hold are closed at once, in order or by a reset. What is out in
 * part does not seem to end there.
 */
static void test_a_full_list(void **state)
{
	static const struct {
		void (*take)(struct linger_list *list, struct stream *from);
		bool queued;
		int want;
	} cases[] = { { linger_take, false, 0 },
		      { linger_take, true, -ECONNRESET },
		      { linger_reset, false, -ECONNRESET } };
	uint8_t *file = ends_file(MORE);

	(void)state;
	for (size_t i = 0; i < NELEM(cases); i++) {
		int room = 4096;
		struct rig rig;

		rig_open(&rig, ends_tcp);
		rig.list.max = 1;
		linger_take(&rig.list, &rig.stream[0]);
		assert_int_equal(
		    setsockopt(rig.stream[1].watch.fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room)), 0);
		assert_int_equal(setsockopt(rig.peer[1], SOL_SOCKET, SO_RCVBUF, &room, sizeof(room)), 0);
		if (cases[i].queued)
			assert_int_equal(stream_write(&rig.stream[1], file, MORE), STREAM_OK);
		assert_int_equal(stream_is_drained(&rig.stream[1]), !cases[i].queued);
		cases[i].take(&rig.list, &rig.stream[1]);
		assert_int_equal(rig.list.n, 1);
		assert_false(stream_is_open(&rig.stream[1]));
		assert_int_equal(peer_end_at_last(rig.peer[1]), cases[i].want);
		assert_int_equal(peer_end(rig.peer[0]), -EAGAIN);
		rig_close(&rig);
	}
	free(file);
}

/* A peer that does not close gets some time, and less when the process wants to exit. */
static void test_time_is_up(void **state)
{
	static const struct {
		const char *name;
		void (*take)(struct linger_list *list, struct stream *from);
		bool hurry_before, hurry_after;
		uint64_t want_ms;
		int want; /* for the peer */
	} cases[] = {
		{ "time enough", linger_take, false, false, 2000, 0 },
		{ "in a hurry", linger_take, true, false, 200, 0 },
		{ "in a hurry from now on", linger_take, false, true, 200, 0 },
		{ "a reset", linger_reset, false, false, 200, -ECONNRESET },
		{ "a reset in a hurry", linger_reset, false, true, 200, -ECONNRESET },
	};

	(void)state;
	for (size_t i = 0; i < NELEM(cases); i++) {
		struct rig rig;

		rig_open(&rig, ends_tcp);
		if (cases[i].hurry_before)
			linger_hurry(&rig.list);
		cases[i].take(&rig.list, &rig.stream[0]);
		if (cases[i].hurry_after)
			linger_hurry(&rig.list);
		if (next_timer_ms(&rig) != cases[i].want_ms)
			fail_msg("%s: %zu ms", cases[i].name, (size_t)next_timer_ms(&rig));
		assert_int_equal(peer_end(rig.peer[0]), -EAGAIN);
		time_out(&rig);
		assert_int_equal(rig.list.n, 0);
		assert_int_equal(rig.emptied, 1);
		ends_wait(rig.peer[0], POLLIN);
		if (peer_end(rig.peer[0]) != cases[i].want)
			fail_msg("%s: another end for the peer", cases[i].name);
		rig_close(&rig);
	}
}

/* A peer may not send without end. */
static void test_a_talkative_peer(void **state)
{
	static const uint8_t talk[16 * 1024];
	size_t len = 0;
	struct rig rig;

	(void)state;
	rig_open(&rig, ends_unix);
	linger_take(&rig.list, &rig.stream[0]);
	while (rig.list.n > 0 && len < MORE) {
		assert_int_equal(send(rig.peer[0], talk, sizeof(talk), MSG_NOSIGNAL), sizeof(talk));
		len += sizeof(talk);
		deliver(&rig);
	}
	assert_int_equal(len, 80 * 1024);
	rig_close(&rig);
}

/* All are closed, whatever they wait for. */
static void test_done(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig, ends_unix);
	linger_take(&rig.list, &rig.stream[0]);
	linger_reset(&rig.list, &rig.stream[1]);
	linger_take(&rig.list, &rig.stream[2]);
	assert_int_equal(rig.list.n, 3);
	assert_int_equal(rig.emptied, 0);
	linger_done(&rig.list);
	assert_int_equal(rig.list.n, 0);
	assert_null(rig.list.head);
	assert_int_equal(rig.emptied, 1);
	assert_int_equal(rig.loop.heap_len, 0);
	for (size_t i = 0; i < PEERS; i++)
		assert_int_equal(peer_end(rig.peer[i]), 0);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_peer_closes_first),
		cmocka_unit_test(test_what_is_left_is_sent),
		cmocka_unit_test(test_closed_at_once),
		cmocka_unit_test(test_a_full_list),
		cmocka_unit_test(test_time_is_up),
		cmocka_unit_test(test_a_talkative_peer),
		cmocka_unit_test(test_done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
