#include "gateway/net/relay.h"

#include <sys/ioctl.h>

#include "tests/unit/net/ends.h"

#define FILE_BYTES 60000
#define STEPS	   100
#define MIB	   ((size_t)1024 * 1024)
#define TURNS	   100000 /* of a transfer here, at most */

/* A relay from one socket to another, and what stands at their far ends. */
struct rig {
	struct loop loop;
	struct stream from, to;
	struct relay relay;
	int sender, receiver;
	uint8_t *file, *got;
	size_t size, sent, received;
	int end; /* at the receiver: 0, -EAGAIN, or what has reset it */
};

static struct relay_tools tools;

/* room: what the kernel takes for the receiver; 0: its default. */
static void rig_open(struct rig *rig, bool upload, bool doubt, int room)
{
	*rig = (struct rig){ .end = -EAGAIN };
	assert_int_equal(loop_init(&rig->loop), 0);
	rig->loop.now_ms = 1000;
	rig->sender = ends_stream(&rig->from, &rig->loop, ends_unix);
	rig->receiver = ends_stream(&rig->to, &rig->loop, ends_unix);
	if (room > 0)
		assert_int_equal(setsockopt(rig->to.watch.fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room)), 0);
	relay_tools_init(&tools);
	relay_init(&rig->relay, upload ? &rig->from : &rig->to, upload ? &rig->to : &rig->from, upload,
		   doubt);
}

static void rig_close(struct rig *rig)
{
	stream_close(&rig->from, true);
	stream_close(&rig->to, true);
	fd_close(&rig->sender);
	fd_close(&rig->receiver);
	relay_tools_done(&tools);
	loop_done(&rig->loop);
	free(rig->file);
	free(rig->got);
}

/* A file for the sender, of which it sends what the kernel takes. */
static void rig_file(struct rig *rig, size_t size)
{
	rig->file = ends_file(size);
	rig->got = malloc(size + 1);
	assert_non_null(rig->got);
	rig->size = size;
}

static void rig_send(struct rig *rig)
{
	ssize_t n;

	while (rig->sent < rig->size) {
		n = send(rig->sender, rig->file + rig->sent, rig->size - rig->sent, MSG_NOSIGNAL);
		if (n == -1)
			return;
		rig->sent += (size_t)n;
	}
}

static void rig_receive(struct rig *rig)
{
	if (rig->receiver != -1)
		rig->received += ends_read(rig->receiver, rig->got + rig->received,
					   rig->size + 1 - rig->received, &rig->end);
}

/* Steps the relay until it waits for a peer. */
static enum relay_result rig_step(struct rig *rig)
{
	enum relay_result result = RELAY_AGAIN;

	for (int step = 0; step < STEPS && result == RELAY_AGAIN; step++)
		result = relay_step(&rig->relay, &tools);
	return result;
}

/* --- what is asked for while it waits --- */

/* Once all is read, a destination that stands still costs no ticks. */
static void test_no_ticks_once_all_is_read(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig, true, false, 4096);
	rig_file(&rig, FILE_BYTES);
	rig_send(&rig);
	assert_int_equal(shutdown(rig.sender, SHUT_WR), 0);
	rig.relay.coalesce.on = true; /* it was a fast one */
	assert_int_equal(rig_step(&rig), RELAY_WAIT);
	assert_int_equal(rig.relay.state, RELAY_ENDING);
	assert_false(rig.relay.coalesce.on);
	assert_int_equal(rig.from.watch.want, 0);
	assert_int_equal(rig.to.watch.want, EPOLLIN | EPOLLOUT);
	rig_close(&rig);
}

/* Neither does one that stands still in the middle. */
static void test_no_ticks_for_a_destination_that_stands_still(void **state)
{
	struct rig rig;

	(void)state;
	rig_open(&rig, true, false, 4096);
	rig_file(&rig, FILE_BYTES);
	rig_send(&rig);
	rig.relay.coalesce.on = true;
	assert_int_equal(relay_step(&rig.relay, &tools), RELAY_WAIT);
	assert_int_equal(rig.to.watch.want, EPOLLIN | EPOLLOUT);
	assert_true(rig.relay.coalesce.on);
	rig.loop.now_ms += COALESCE_TICK_MS; /* a chunk came in this time */
	(void)relay_step(&rig.relay, &tools);
	rig.loop.now_ms += COALESCE_TICK_MS;
	assert_int_equal(relay_step(&rig.relay, &tools), RELAY_WAIT);
	assert_int_equal(rig.relay.state, RELAY_MOVING);
	assert_false(rig.relay.coalesce.on);
	rig_close(&rig);
}

/* --- how it ends --- */

enum far { FAR_WAITS = 0, FAR_ENDS, FAR_RESETS, FAR_TALKS, FAR_CUTS, FAR_BREAKS };

/* Stand in for TLS that is cut off, or breaks. */
static enum stream_io read_cut(struct stream *stream, uint8_t *buf, size_t size, size_t *ret_len)
{
	(void)stream, (void)buf, (void)size, (void)ret_len;
	return STREAM_TRUNCATED;
}

static enum stream_io read_broken(struct stream *stream, uint8_t *buf, size_t size, size_t *ret_len)
{
	(void)stream, (void)buf, (void)size, (void)ret_len;
	return STREAM_RESET;
}

static void no_free(struct stream *stream)
{
	stream->layer = NULL;
}

static const struct stream_layer cut = { .read = read_cut, .free = no_free };
static const struct stream_layer broken = { .read = read_broken, .free = no_free };

static void far_does(int *fd, struct stream *near, enum far far)
{
	switch (far) {
	case FAR_WAITS:
		return;
	case FAR_ENDS:
		assert_int_equal(shutdown(*fd, SHUT_WR), 0);
		return;
	case FAR_RESETS: /* a socket with unread bytes resets the other one when it goes */
		assert_int_equal(send(near->watch.fd, "x", 1, 0), 1);
		fd_close(fd);
		return;
	case FAR_TALKS:
		assert_int_equal(send(*fd, "x", 1, 0), 1);
		return;
	case FAR_CUTS:
		near->layer = &cut;
		return;
	case FAR_BREAKS:
		near->layer = &broken;
		return;
	}
}

static const struct {
	const char *name;
	bool upload, doubt;
	enum far sender, receiver;
	enum relay_result want;
	bool ended;    /* the receiver sees an end in order */
	bool finished; /* and so is the sender */
} endings[] = {
	{ "upload", true, false, FAR_ENDS, FAR_WAITS, RELAY_DONE, true, true },
	{ "download", false, false, FAR_ENDS, FAR_WAITS, RELAY_DONE, true, false },
	{ "upload, the server has ended its direction", true, false, FAR_ENDS, FAR_ENDS, RELAY_DONE, true,
	  true },
	{ "download, the client has ended its direction", false, false, FAR_ENDS, FAR_ENDS, RELAY_DONE, true,
	  false },
	{ "upload without end", true, false, FAR_WAITS, FAR_WAITS, RELAY_WAIT, false, false },
	{ "download without end", false, false, FAR_WAITS, FAR_ENDS, RELAY_WAIT, false, false },
	{ "doubtful upload", true, true, FAR_ENDS, FAR_WAITS, RELAY_ABORTED, false, false },
	{ "doubtful upload, cut off", true, true, FAR_CUTS, FAR_WAITS, RELAY_ABORTED, false, false },
	{ "doubtful upload without end", true, true, FAR_WAITS, FAR_WAITS, RELAY_WAIT, false, false },
	{ "doubtful download", false, true, FAR_ENDS, FAR_WAITS, RELAY_FROM_LOST, false, false },
	{ "upload, cut off", true, false, FAR_CUTS, FAR_WAITS, RELAY_CUT, false, false },
	{ "download, cut off", false, false, FAR_CUTS, FAR_WAITS, RELAY_CUT, false, false },
	{ "upload, the client is reset", true, false, FAR_RESETS, FAR_WAITS, RELAY_FROM_LOST, false, false },
	{ "download, the server is reset", false, false, FAR_RESETS, FAR_WAITS, RELAY_FROM_LOST, false,
	  false },
	{ "upload, the client's TLS breaks", true, false, FAR_BREAKS, FAR_WAITS, RELAY_FROM_LOST, false,
	  false },
	{ "upload, the server is reset", true, false, FAR_ENDS, FAR_RESETS, RELAY_TO_LOST, false, false },
	{ "download, the client is reset", false, false, FAR_WAITS, FAR_RESETS, RELAY_TO_LOST, false, false },
	{ "upload, the server sends", true, false, FAR_ENDS, FAR_TALKS, RELAY_TO_LOST, false, false },
	{ "download, the client sends", false, false, FAR_ENDS, FAR_TALKS, RELAY_TO_LOST, false, false },
	{ "download, the client's TLS breaks", false, false, FAR_ENDS, FAR_BREAKS, RELAY_TO_LOST, false,
	  false },
};

/* Each end of the source is carried over as what it is, and nothing but an end in order becomes one. */
static void test_endings(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(endings); i++) {
		enum relay_result result;
		struct rig rig;
		uint8_t byte;
		int end;

		rig_open(&rig, endings[i].upload, endings[i].doubt, 0);
		rig_file(&rig, 0);
		far_does(&rig.sender, &rig.from, endings[i].sender);
		far_does(&rig.receiver, &rig.to, endings[i].receiver);
		result = rig_step(&rig);
		if (result != endings[i].want)
			fail_msg("%s: result %d", endings[i].name, (int)result);
		if (result == RELAY_WAIT) { /* an end that was seen is not asked for again */
			assert_int_equal(rig.from.watch.want, EPOLLIN);
			assert_int_equal(rig.to.watch.want, endings[i].receiver == FAR_ENDS ? 0 : EPOLLIN);
		}
		rig_receive(&rig);
		if ((rig.end == 0) != endings[i].ended || rig.from.finished != endings[i].finished)
			fail_msg("%s: the receiver's end is %d", endings[i].name, rig.end);
		if (rig.sender != -1 && endings[i].finished) {
			assert_int_equal(ends_read(rig.sender, &byte, 1, &end), 0);
			assert_int_equal(end, 0);
		}
		rig_close(&rig);
	}
}

static bool never(struct stream *control, const struct inbuf *unread, bool upload)
{
	(void)control, (void)unread, (void)upload;
	return false;
}

static bool always(struct stream *control, const struct inbuf *unread, bool upload)
{
	(void)control, (void)unread, (void)upload;
	return true;
}

/* ABOR comes when the source has ended already. Before the end may go on, it counts; afterwards a part of
 * the end may have left. */
static void test_doubt_after_the_end(void **state)
{
	static const struct {
		relay_may_end_fn *may_end;
		bool upload;
		enum relay_result want;
		int end;
	} cases[] = {
		{ never, true, RELAY_ABORTED, -EAGAIN },
		{ never, false, RELAY_FROM_LOST, -EAGAIN },
		{ always, true, RELAY_DONE, 0 },
		{ always, false, RELAY_SETTLE, 0 },
	};

	(void)state;
	for (size_t i = 0; i < NELEM(cases); i++) {
		enum relay_result result = RELAY_WAIT;
		struct rig rig;

		rig_open(&rig, cases[i].upload, false, 4096);
		relay_ask(&rig.relay, cases[i].may_end, &rig.from, NULL);
		rig_file(&rig, FILE_BYTES);
		rig_send(&rig);
		assert_int_equal(shutdown(rig.sender, SHUT_WR), 0);
		for (int step = 0; step < 3; step++)
			assert_int_equal(relay_step(&rig.relay, &tools), RELAY_WAIT);
		assert_int_equal(rig.relay.state, RELAY_ENDING);
		rig.relay.doubt = true;
		for (int turn = 0; turn < TURNS && (result == RELAY_WAIT || result == RELAY_AGAIN); turn++) {
			result = relay_step(&rig.relay, &tools);
			rig_receive(&rig);
		}
		if (result != cases[i].want || rig.end != cases[i].end)
			fail_msg("case %zu: result %d, end %d", i, (int)result, rig.end);
		rig_close(&rig);
	}
}

/*
 * A download is done when the client has received it, not when it was sent. For an
 * upload the server's reply counts.
 */
static void test_settling(void **state)
{
	static const struct {
		bool upload;
		enum relay_result want;
	} cases[] = { { true, RELAY_DONE }, { false, RELAY_SETTLE } };

	(void)state;
	for (size_t i = 0; i < NELEM(cases); i++) {
		struct rig rig;

		rig_open(&rig, cases[i].upload, false, 0);
		rig_file(&rig, 1000);
		rig_send(&rig);
		assert_int_equal(shutdown(rig.sender, SHUT_WR), 0);
		assert_int_equal(rig_step(&rig), cases[i].want);
		assert_int_equal(rig_step(&rig), cases[i].want);
		rig_receive(&rig);
		assert_int_equal(rig_step(&rig), RELAY_DONE);
		assert_int_equal(rig.received, 1000);
		rig_close(&rig);
	}
}

/* --- what arrives --- */

static const struct {
	const char *name;
	size_t size;
	int room;
	bool pipe;
} files[] = {
	{ "nothing", 0, 0, true },
	{ "one byte", 1, 0, true },
	{ "a small file", 64 * 1024, 0, true },
	{ "the same, slow", 64 * 1024, 4096, true },
	{ "a byte more", 64 * 1024 + 1, 0, true },
	{ "spliced", 3 * MIB, 0, true },
	{ "spliced, slow", 3 * MIB, 4096, true },
	{ "copied", 3 * MIB, 0, false },
	{ "copied, slow", 3 * MIB, 4096, false },
};

/* The receiver takes a file when the relay waits for it, so most of each chunk is queued. */
static void test_files(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(files); i++) {
		enum relay_result result = RELAY_AGAIN;
		struct rig rig;

		rig_open(&rig, true, false, files[i].room);
		rig_file(&rig, files[i].size);
		if (!files[i].pipe)
			relay_tools_done(&tools);
		for (int turn = 0; turn < TURNS && (result == RELAY_AGAIN || result == RELAY_WAIT); turn++) {
			rig_send(&rig);
			if (rig.sent == rig.size)
				assert_int_equal(shutdown(rig.sender, SHUT_WR), 0);
			result = relay_step(&rig.relay, &tools);
			if (result == RELAY_WAIT)
				rig_receive(&rig);
		}
		rig_receive(&rig);
		if (result != RELAY_DONE || rig.received != rig.size || rig.end != 0)
			fail_msg("%s: result %d after %zu bytes, end %d", files[i].name, (int)result,
				 rig.received, rig.end);
		assert_int_equal(rig.relay.bytes, rig.size);
		assert_memory_equal(rig.got, rig.file, rig.size);
		rig_close(&rig);
	}
}

/*
 * Bytes that the destination does not take leave the pipe, which all relays share,
 * and no more are read.
 */
static void test_a_splice_leaves_the_pipe_empty(void **state)
{
	size_t len = 0;
	int in_pipe = -1;
	struct rig rig;

	(void)state;
	rig_open(&rig, true, false, 4096);
	rig_file(&rig, MIB);
	rig_send(&rig);
	rig.relay.bytes = 128 * 1024; /* no small file any more */
	assert_int_equal(relay_step(&rig.relay, &tools), RELAY_WAIT);
	assert_int_equal(ioctl(tools.pipe[0], FIONREAD, &in_pipe), 0);
	assert_int_equal(in_pipe, 0);
	len = rig.relay.bytes - 128 * 1024;
	assert_false(stream_is_drained(&rig.to));
	assert_int_equal(rig.to.watch.want, EPOLLIN | EPOLLOUT);
	assert_int_equal(rig.from.watch.want, 0);
	assert_int_equal(relay_step(&rig.relay, &tools), RELAY_WAIT);
	assert_int_equal(rig.relay.bytes - 128 * 1024, len);
	assert_int_equal(rig.from.watch.want, 0);
	rig_receive(&rig);
	assert_int_equal(rig.received + outq_len(&rig.to.outq), len);
	assert_in_range(rig.received, 1, len - 1);
	rig_close(&rig);
}

/* --- how much at once --- */

/* Records of one byte, without end. */
static enum stream_io read_byte(struct stream *stream, uint8_t *buf, size_t size, size_t *ret_len)
{
	(void)stream, (void)size;
	*buf = 'x';
	*ret_len = 1;
	return STREAM_OK;
}

static const struct stream_layer bytewise = { .read = read_byte, .free = no_free };

static const struct {
	const char *name;
	size_t chunk, bytes; /* as it is, and what there is to read */
	int room;
	const struct stream_layer *layer;
	size_t want;
} chunks[] = {
	{ "all was taken", RELAY_CHUNK_MAX / 2, 200 * 1024, 0, NULL, RELAY_CHUNK_MAX },
	{ "all was taken, and it is large already", RELAY_CHUNK_MAX, 200 * 1024, 0, NULL, RELAY_CHUNK_MAX },
	{ "the limit", RELAY_CHUNK_MAX - 1, 300 * 1024, 0, NULL, RELAY_CHUNK_MAX },
	{ "little was there", RELAY_CHUNK_MAX / 2, 100, 0, NULL, RELAY_CHUNK_MAX / 2 },
	{ "half, but for a byte", RELAY_CHUNK_MAX / 4, RELAY_CHUNK_MAX / 8 - 1, 0, NULL,
	  RELAY_CHUNK_MAX / 4 },
	{ "half", RELAY_CHUNK_MAX / 4, RELAY_CHUNK_MAX / 8, 0, NULL, RELAY_CHUNK_MAX / 2 },
	{ "not all was taken", RELAY_CHUNK_MAX, 200 * 1024, 4096, NULL, RELAY_CHUNK_MAX / 2 },
	{ "the least", RELAY_CHUNK_MAX / 8, 200 * 1024, 4096, NULL, RELAY_CHUNK_MAX / 8 },
	{ "small records", RELAY_CHUNK_MAX, 0, 0, &bytewise, RELAY_CHUNK_MAX / 2 },
};

static void test_chunks(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(chunks); i++) {
		struct rig rig;
		int room = 1 << 20;

		rig_open(&rig, true, false, chunks[i].room > 0 ? chunks[i].room : room);
		assert_int_equal(setsockopt(rig.sender, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room)), 0);
		relay_tools_done(&tools); /* a splice has a size of its own */
		rig_file(&rig, chunks[i].bytes);
		rig_send(&rig);
		assert_int_equal(rig.sent, rig.size);
		rig.from.layer = chunks[i].layer;
		if (chunks[i].layer == NULL)
			rig.relay.bytes = 128 * 1024;
		rig.relay.chunk = chunks[i].chunk;
		(void)relay_step(&rig.relay, &tools);
		if (rig.relay.chunk != chunks[i].want)
			fail_msg("%s: %zu", chunks[i].name, rig.relay.chunk);
		rig_close(&rig);
	}
}

/* The end of a download may wait for the server's word, but not the bytes, nor our end to the server. */
static void test_the_end_waits_for_a_word(void **state)
{
	static const struct {
		bool doubt;
		enum relay_result want;
		int end;
	} words[] = { { false, RELAY_DONE, 0 }, { true, RELAY_FROM_LOST, -EAGAIN } };

	(void)state;
	for (size_t i = 0; i < NELEM(words); i++) {
		struct rig rig;
		uint8_t byte;

		rig_open(&rig, false, false, 0);
		rig.relay.awaits_word = true;
		rig_file(&rig, 100);
		rig_send(&rig);
		assert_int_equal(shutdown(rig.sender, SHUT_WR), 0);
		assert_int_equal(rig_step(&rig), RELAY_WAIT);
		assert_int_equal(rig.from.watch.want, 0); /* its end is an event that would not go away */
		rig_receive(&rig);
		assert_int_equal(rig.received, rig.size);
		assert_int_equal(rig.end, -EAGAIN);
		assert_int_equal(recv(rig.sender, &byte, 1, MSG_DONTWAIT), 0);
		assert_int_equal(rig_step(&rig), RELAY_WAIT);
		rig.relay.doubt = words[i].doubt;
		rig.relay.awaits_word = words[i].doubt;
		assert_int_equal(rig_step(&rig), words[i].want);
		rig_receive(&rig);
		assert_int_equal(rig.end, words[i].end);
		rig_close(&rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_ticks_once_all_is_read),
		cmocka_unit_test(test_no_ticks_for_a_destination_that_stands_still),
		cmocka_unit_test(test_endings),
		cmocka_unit_test(test_doubt_after_the_end),
		cmocka_unit_test(test_the_end_waits_for_a_word),
		cmocka_unit_test(test_settling),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_a_splice_leaves_the_pipe_empty),
		cmocka_unit_test(test_chunks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
