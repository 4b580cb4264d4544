#include "gateway/net/stream.h"

#include "tests/unit/net/ends.h"

#define BUF_BYTES 4096
#define MORE	  ((size_t)1024 * 1024) /* than any socket here takes at once, and less than a queue holds */

enum peer { PEER_STAYS, PEER_ENDS, PEER_RESETS };

/* A stream in the clear, and the other end of its connection. */
struct rig {
	struct loop loop;
	struct stream stream;
	int peer;
};

static void rig_open(struct rig *rig, void make(int fds[static 2]))
{
	assert_int_equal(loop_init(&rig->loop), 0);
	rig->peer = ends_stream(&rig->stream, &rig->loop, make);
}

static void rig_close(struct rig *rig)
{
	stream_close(&rig->stream, false);
	fd_close(&rig->peer);
	loop_done(&rig->loop);
}

static void peer_does(struct rig *rig, size_t sends, enum peer peer)
{
	static const uint8_t bytes[128 * 1024];

	for (size_t len = 0; len < sends;) {
		ssize_t n = send(rig->peer, bytes, sends - len, 0);

		assert_int_not_equal(n, -1);
		len += (size_t)n;
	}
	if (peer == PEER_ENDS)
		assert_int_equal(shutdown(rig->peer, SHUT_WR), 0);
	if (peer == PEER_RESETS)
		ends_reset(&rig->peer);
	if (sends > 0 || peer != PEER_STAYS)
		ends_wait(rig->stream.watch.fd, POLLIN);
}

static const struct {
	const char *name;
	size_t sends;
	enum peer peer;
	enum stream_io want; /* of the last read */
	bool saw_fin, saw_reset;
} ends[] = {
	{ "silence", 0, PEER_STAYS, STREAM_WAIT, false, false },
	{ "bytes", 10, PEER_STAYS, STREAM_WAIT, false, false },
	{ "many bytes", 3 * BUF_BYTES, PEER_STAYS, STREAM_WAIT, false, false },
	{ "the end", 0, PEER_ENDS, STREAM_CLEAN, true, false },
	{ "bytes and the end", 10, PEER_ENDS, STREAM_CLEAN, true, false },
	{ "a reset", 0, PEER_RESETS, STREAM_RESET, false, true },
};

static void test_reading_ends(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(ends); i++) {
		uint8_t buf[BUF_BYTES];
		enum stream_io io;
		size_t got = 0, len = 0;
		struct rig rig;

		rig_open(&rig, ends_tcp);
		peer_does(&rig, ends[i].sends, ends[i].peer);
		while ((io = stream_read(&rig.stream, buf, sizeof(buf), &len)) == STREAM_OK) {
			assert_in_range(len, 1, sizeof(buf));
			got += len;
			if (got == ends[i].sends && ends[i].peer == PEER_ENDS)
				ends_wait(rig.stream.watch.fd, POLLIN);
		}
		if (io != ends[i].want || got != ends[i].sends || rig.stream.saw_fin != ends[i].saw_fin ||
		    rig.stream.saw_reset != ends[i].saw_reset)
			fail_msg("%s: ended with %d after %zu bytes", ends[i].name, (int)io, got);
		rig_close(&rig);
	}
}

static void test_dropping_ends(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(ends); i++) {
		enum stream_io io;
		size_t len = 0, got = 0;
		struct rig rig;

		rig_open(&rig, ends_tcp);
		peer_does(&rig, ends[i].sends, ends[i].peer);
		while ((io = stream_drop(&rig.stream, &len)) == STREAM_WAIT && (got += len) < ends[i].sends)
			ends_wait(rig.stream.watch.fd, POLLIN);
		if (io == STREAM_WAIT && ends[i].peer == PEER_ENDS) {
			ends_wait(rig.stream.watch.fd, POLLIN);
			io = stream_drop(&rig.stream, &len);
		}
		if (io != ends[i].want || rig.stream.saw_fin != ends[i].saw_fin ||
		    rig.stream.saw_reset != ends[i].saw_reset)
			fail_msg("%s: ended with %d", ends[i].name, (int)io);
		rig_close(&rig);
	}
}

/* A flood is dropped in parts, so that the loop has others to serve, too. */
static void test_a_flood_is_dropped_in_parts(void **state)
{
	size_t len = 0;
	struct rig rig;

	(void)state;
	rig_open(&rig, ends_unix);
	peer_does(&rig, (size_t)100 * 1024, PEER_STAYS);
	assert_int_equal(stream_drop(&rig.stream, &len), STREAM_WAIT);
	assert_int_equal(len, 64 * 1024);
	assert_int_equal(stream_drop(&rig.stream, &len), STREAM_WAIT);
	assert_int_equal(len, 36 * 1024);
	rig_close(&rig);
}

/* Write a file, flush until it is out: the peer has it whole, and the loop its buffer back. */
static void test_writing_takes_everything(void **state)
{
	static const struct {
		const char *name;
		size_t len;
		bool queued;
	} files[] = {
		{ "one byte", 1, false },
		{ "a reply", 100, false },
		{ "more than the socket takes", MORE, true },
	};

	(void)state;
	for (size_t i = 0; i < NELEM(files); i++) {
		uint8_t *file = ends_file(files[i].len), *got = malloc(files[i].len);
		enum stream_io io = STREAM_WAIT;
		size_t len = 0;
		struct rig rig;
		int end;

		assert_non_null(got);
		rig_open(&rig, ends_unix);
		assert_int_equal(stream_write(&rig.stream, file, files[i].len), STREAM_OK);
		if (stream_is_drained(&rig.stream) != !files[i].queued)
			fail_msg("%s: drained is %d", files[i].name, stream_is_drained(&rig.stream));
		if (files[i].queued)
			assert_int_equal(stream_flush(&rig.stream), STREAM_WAIT);
		while (len < files[i].len) {
			len += ends_read(rig.peer, got + len, files[i].len - len, &end);
			io = stream_flush(&rig.stream);
			assert_true(io == STREAM_OK || io == STREAM_WAIT);
		}
		assert_int_equal(io, STREAM_OK);
		assert_true(stream_is_drained(&rig.stream));
		assert_null(rig.stream.outq.bytes);
		assert_memory_equal(got, file, files[i].len);
		rig_close(&rig);
		free(file);
		free(got);
	}
}

/* What is written behind a queue does not overtake it. */
static void test_no_overtaking(void **state)
{
	uint8_t *file = ends_file(MORE), *got = malloc(MORE);
	size_t len;
	struct rig rig;
	int end;

	(void)state;
	assert_non_null(got);
	rig_open(&rig, ends_unix);
	assert_int_equal(stream_write(&rig.stream, file, MORE - 1), STREAM_OK);
	len = ends_read(rig.peer, got, MORE, &end); /* now there is room */
	assert_in_range(len, 1, MORE - 2);
	assert_int_equal(stream_write(&rig.stream, file + MORE - 1, 1), STREAM_OK);
	while (len < MORE) {
		assert_int_not_equal(stream_flush(&rig.stream), STREAM_RESET);
		len += ends_read(rig.peer, got + len, MORE - len, &end);
	}
	assert_memory_equal(got, file, MORE);
	rig_close(&rig);
	free(file);
	free(got);
}

/* The peer of a slow stream has nearly all: the large buffer is there for others. */
static void test_a_slow_peer_holds_little(void **state)
{
	uint8_t *file = ends_file(MORE), *got = malloc(MORE);
	struct rig rig;
	int end;

	(void)state;
	assert_non_null(got);
	rig_open(&rig, ends_unix);
	assert_int_equal(stream_write(&rig.stream, file, MORE), STREAM_OK);
	while (outq_len(&rig.stream.outq) > 256 * 1024) {
		(void)ends_read(rig.peer, got, 64 * 1024, &end);
		assert_int_equal(stream_flush(&rig.stream), STREAM_WAIT);
	}
	assert_int_equal(rig.stream.outq.cap, outq_len(&rig.stream.outq));
	rig_close(&rig);
	free(file);
	free(got);
}

/* The last bytes wait for the end, and the end for all bytes. */
static void test_the_end_comes_last(void **state)
{
	static const struct {
		const char *name;
		size_t before, last;
	} files[] = {
		{ "the end alone", 0, 0 },	  { "a file", 1000, 0 },
		{ "last bytes", 0, 1000 },	  { "a file and last bytes", 10, 10 },
		{ "a slow peer", MORE - 10, 10 },
	};

	(void)state;
	for (size_t i = 0; i < NELEM(files); i++) {
		size_t size = files[i].before + files[i].last, len = 0;
		uint8_t *file = ends_file(size), *got = malloc(size + 1);
		struct rig rig;
		int end = -EAGAIN;

		assert_non_null(got);
		rig_open(&rig, ends_unix);
		if (files[i].before > 0)
			assert_int_equal(stream_write(&rig.stream, file, files[i].before), STREAM_OK);
		if (files[i].last > 0) {
			assert_int_equal(
			    stream_write_last(&rig.stream, file + files[i].before, files[i].last), STREAM_OK);
			assert_false(stream_is_drained(&rig.stream));
		}
		assert_false(rig.stream.finished);
		(void)stream_finish(&rig.stream);
		assert_int_equal(rig.stream.finished, stream_is_drained(&rig.stream));
		while (end == -EAGAIN) {
			ends_wait(rig.peer, POLLIN);
			len += ends_read(rig.peer, got + len, size + 1 - len, &end);
			assert_int_not_equal(stream_flush(&rig.stream), STREAM_RESET);
		}
		if (end != 0 || len != size || memcmp(got, file, size) != 0)
			fail_msg("%s: end is %d after %zu bytes", files[i].name, end, len);
		assert_true(rig.stream.finished);
		rig_close(&rig);
		free(file);
		free(got);
	}
}

/* Once it was seen that the peer is gone, nothing is taken any more. */
static void test_a_broken_stream_takes_nothing(void **state)
{
	uint8_t byte = 'x';
	size_t len;
	struct rig rig;

	(void)state;
	rig_open(&rig, ends_tcp);
	peer_does(&rig, 0, PEER_RESETS);
	assert_int_equal(stream_read(&rig.stream, &byte, 1, &len), STREAM_RESET);
	assert_int_equal(stream_write(&rig.stream, &byte, 1), STREAM_RESET);
	assert_int_equal(stream_write_last(&rig.stream, &byte, 1), STREAM_RESET);
	assert_int_equal(stream_flush(&rig.stream), STREAM_RESET);
	assert_int_equal(stream_finish(&rig.stream), STREAM_RESET);
	assert_true(stream_is_drained(&rig.stream));
	rig_close(&rig);
	assert_false(stream_is_open(&rig.stream));
	assert_int_equal(stream_write(&rig.stream, &byte, 1), STREAM_RESET);
	assert_int_equal(stream_write_last(&rig.stream, &byte, 1), STREAM_RESET);
}

/* The same when it is the writing that finds out. */
static void test_a_write_finds_out(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig, ends_unix);
	fd_close(&rig.peer);
	assert_int_equal(stream_write(&rig.stream, (const uint8_t *)"x", 1), STREAM_RESET);
	assert_true(rig.stream.saw_reset);
	rig_close(&rig);
}

/* What the peer sees at the end of a stream. */
static void test_closing(void **state)
{
	static const struct {
		bool reset;
		int want;
	} cases[] = { { false, 0 }, { true, -ECONNRESET } };

	(void)state;
	for (size_t i = 0; i < NELEM(cases); i++) {
		uint8_t byte;
		struct rig rig;
		int end;

		rig_open(&rig, ends_tcp);
		rig.stream.watch.bulk = true;
		stream_close(&rig.stream, cases[i].reset);
		assert_false(stream_is_open(&rig.stream));
		assert_true(rig.stream.watch.bulk); /* what the owner has set stays */
		ends_wait(rig.peer, POLLIN);
		assert_int_equal(ends_read(rig.peer, &byte, 1, &end), 0);
		assert_int_equal(end, cases[i].want);
		stream_close(&rig.stream, true); /* nothing more happens */
		rig_close(&rig);
	}
}

static void on_other_event(struct watch *watch, uint32_t ready)
{
	(void)watch, (void)ready;
}

/* A new owner gets all that is there, and the old one an empty stream. */
static void test_moving(void **state)
{
	uint8_t *file = ends_file(MORE), *got = malloc(MORE);
	size_t len = 0;
	struct stream to;
	struct rig rig;
	int end;

	(void)state;
	assert_non_null(got);
	rig_open(&rig, ends_unix);
	assert_int_equal(loop_watch(&rig.loop, &rig.stream.watch, EPOLLIN), 0);
	assert_int_equal(stream_write(&rig.stream, file, MORE), STREAM_OK);
	stream_move(&rig.stream, &to, on_other_event);
	assert_false(stream_is_open(&rig.stream));
	assert_true(stream_is_drained(&rig.stream));
	assert_null(rig.stream.outq.bytes);
	assert_ptr_equal(to.watch.fn, on_other_event);
	assert_int_equal(to.watch.want, 0);
	assert_int_equal(loop_watch(&rig.loop, &to.watch, EPOLLIN), 0); /* epoll has forgotten the old one */
	while (len < MORE) {
		assert_int_not_equal(stream_flush(&to), STREAM_RESET);
		len += ends_read(rig.peer, got + len, MORE - len, &end);
	}
	assert_memory_equal(got, file, MORE);
	stream_close(&to, false);
	rig_close(&rig);
	free(file);
	free(got);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reading_ends),
		cmocka_unit_test(test_dropping_ends),
		cmocka_unit_test(test_a_flood_is_dropped_in_parts),
		cmocka_unit_test(test_writing_takes_everything),
		cmocka_unit_test(test_no_overtaking),
		cmocka_unit_test(test_a_slow_peer_holds_little),
		cmocka_unit_test(test_the_end_comes_last),
		cmocka_unit_test(test_a_broken_stream_takes_nothing),
		cmocka_unit_test(test_a_write_finds_out),
		cmocka_unit_test(test_closing),
		cmocka_unit_test(test_moving),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
