#include "gateway/net/linebuf.h"

#include "tests/unit/net/ends.h"

/* A stream, and the other end of its connection. */
struct rig {
	struct loop loop;
	struct stream stream;
	int peer;
	struct inbuf in;
	struct outbuf out;
};

static void rig_open(struct rig *rig)
{
	*rig = (struct rig){ .peer = -1 };
	assert_int_equal(loop_init(&rig->loop), 0);
	rig->peer = ends_stream(&rig->stream, &rig->loop, ends_unix);
}

static void rig_close(struct rig *rig)
{
	inbuf_free(&rig->in);
	stream_close(&rig->stream, false);
	fd_close(&rig->peer);
	loop_done(&rig->loop);
}

static void peer_sends(struct rig *rig, const uint8_t *bytes, size_t len)
{
	assert_int_equal(send(rig->peer, bytes, len, 0), len);
}

static const struct {
	const char *name;
	size_t sends;
	bool ends;
	enum stream_io want[2]; /* of filling it, and of filling it again */
	size_t want_len;
	bool more, room, memory;
} fills[] = {
	{ "nothing", 0, false, { STREAM_WAIT, STREAM_WAIT }, 0, false, true, false },
	{ "the end", 0, true, { STREAM_CLEAN, STREAM_CLEAN }, 0, false, true, false },
	{ "a line", 20, false, { STREAM_WAIT, STREAM_WAIT }, 20, false, true, true },
	{ "a line and the end", 20, true, { STREAM_WAIT, STREAM_CLEAN }, 20, false, true, true },
	{ "a byte less than it holds",
	  INBUF_BYTES - 1,
	  false,
	  { STREAM_WAIT, STREAM_WAIT },
	  INBUF_BYTES - 1,
	  false,
	  true,
	  true },
	{ "what it holds", INBUF_BYTES, false, { STREAM_OK, STREAM_OK }, INBUF_BYTES, true, false, true },
	{ "a byte more", INBUF_BYTES + 1, false, { STREAM_OK, STREAM_OK }, INBUF_BYTES, true, false, true },
};

/* It takes what is there, and says when there may be more. */
static void test_fill(void **state)
{
	uint8_t *file = ends_file(INBUF_BYTES + 1);

	(void)state;
	for (size_t i = 0; i < NELEM(fills); i++) {
		struct rig rig;

		rig_open(&rig);
		if (fills[i].sends > 0)
			peer_sends(&rig, file, fills[i].sends);
		if (fills[i].ends)
			assert_int_equal(shutdown(rig.peer, SHUT_WR), 0);
		for (size_t turn = 0; turn < NELEM(fills[i].want); turn++) {
			enum stream_io io = inbuf_fill(&rig.in, &rig.stream);

			if (io != fills[i].want[turn] || inbuf_len(&rig.in) != fills[i].want_len ||
			    rig.in.more != fills[i].more || inbuf_has_room(&rig.in) != fills[i].room ||
			    (rig.in.bytes != NULL) != fills[i].memory)
				fail_msg("%s, %zu: result %d, %zu bytes, more is %d", fills[i].name, turn,
					 (int)io, inbuf_len(&rig.in), rig.in.more);
		}
		if (fills[i].want_len > 0)
			assert_memory_equal(inbuf_at(&rig.in), file, fills[i].want_len);
		rig_close(&rig);
	}
	free(file);
}

static const struct {
	const char *name;
	size_t use, want_len;
	bool memory;
} tidies[] = {
	{ "nothing is used", 0, INBUF_BYTES, true },
	{ "a line", 20, INBUF_BYTES - 20, true },
	{ "nearly all", INBUF_BYTES - 1, 1, true },
	{ "all", INBUF_BYTES, 0, false },
};

/* What is used makes room, and may have been a password. */
static void test_tidy(void **state)
{
	uint8_t *file = ends_file(INBUF_BYTES + 100);

	(void)state;
	for (size_t i = 0; i < NELEM(tidies); i++) {
		size_t rest = tidies[i].want_len;
		struct rig rig;

		rig_open(&rig);
		peer_sends(&rig, file, INBUF_BYTES + 100);
		assert_int_equal(inbuf_fill(&rig.in, &rig.stream), STREAM_OK);
		inbuf_use(&rig.in, tidies[i].use);
		inbuf_tidy(&rig.in);
		if (inbuf_len(&rig.in) != rest || (rig.in.bytes != NULL) != tidies[i].memory || !rig.in.more)
			fail_msg("%s: %zu bytes", tidies[i].name, inbuf_len(&rig.in));
		if (rest > 0)
			assert_memory_equal(inbuf_at(&rig.in), file + tidies[i].use, rest);
		for (size_t at = rest; rest > 0 && at < INBUF_BYTES; at++)
			assert_int_equal(rig.in.bytes[at], 0);
		if (tidies[i].use > 0) { /* later bytes follow it */
			size_t more = tidies[i].use < 100 ? tidies[i].use : 100;

			(void)inbuf_fill(&rig.in, &rig.stream);
			assert_int_equal(inbuf_len(&rig.in), rest + more);
			assert_memory_equal(inbuf_at(&rig.in), file + tidies[i].use, rest + more);
		}
		rig_close(&rig);
	}
	free(file);
}

static void test_an_empty_one_is_tidy(void **state)
{
	struct inbuf in = { .bytes = NULL };

	(void)state;
	inbuf_tidy(&in);
	inbuf_free(&in);
	assert_null(in.bytes);
	assert_int_equal(inbuf_len(&in), 0);
}

/* --- lines out --- */

/* Lines and what the peer then has: before and after the flush. */
static const struct {
	const char *name;
	const char *lines[3];
	size_t long_line; /* and one of this length before them */
	bool last;
	size_t want_before;
	const char *want; /* after the long one */
} lines[] = {
	{ "one", { "220 ready" }, 0, false, 0, "220 ready\r\n" },
	{ "several at once", { "220-a", "b", "220 c" }, 0, false, 0, "220-a\r\nb\r\n220 c\r\n" },
	{ "none", { NULL }, 0, false, 0, "" },
	{ "an empty one", { "" }, 0, false, 0, "\r\n" },
	{ "the last", { "221 bye" }, 0, true, 0, "221 bye\r\n" },
	{ "the longest", { NULL }, OUTBUF_BYTES - 2, false, 0, "" },
	{ "one that still fits", { "226" }, OUTBUF_BYTES - 7, false, 0, "226\r\n" },
	{ "one that fits no more", { "226" }, OUTBUF_BYTES - 6, false, OUTBUF_BYTES - 4, "226\r\n" },
};

/* All of an event leave together, in order, each with its CRLF; what was in the buffer is wiped. */
static void test_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(lines); i++) {
		size_t longest = lines[i].long_line, len, tail = strlen(lines[i].want);
		uint8_t got[2 * OUTBUF_BYTES];
		struct rig rig;
		int end;

		rig_open(&rig);
		if (longest > 0) {
			char *text = bytes_repeat('x', longest, "", 0);

			outbuf_add(&rig.out, &rig.stream, text, longest, true);
			free(text);
		}
		for (size_t j = 0; j < NELEM(lines[i].lines) && lines[i].lines[j] != NULL; j++)
			outbuf_add(&rig.out, &rig.stream, lines[i].lines[j], strlen(lines[i].lines[j]), true);
		len = ends_read(rig.peer, got, sizeof(got), &end);
		if (len != lines[i].want_before)
			fail_msg("%s: %zu bytes before the flush", lines[i].name, len);
		if (lines[i].last) {
			outbuf_flush_last(&rig.out, &rig.stream);
			assert_int_equal(ends_read(rig.peer, got, sizeof(got), &end), 0);
			assert_int_equal(stream_finish(&rig.stream), STREAM_OK);
		} else {
			outbuf_flush(&rig.out, &rig.stream);
		}
		len += ends_read(rig.peer, got + len, sizeof(got) - len, &end);
		if (longest > 0) {
			assert_true(len > longest + 2 || tail == 0);
			assert_memory_equal(got + longest, "\r\n", 2);
			longest += 2;
		}
		if (len != longest + tail || memcmp(got + longest, lines[i].want, tail) != 0)
			fail_msg("%s: %zu bytes", lines[i].name, len);
		assert_int_equal(rig.out.len, 0);
		for (size_t at = 0; at < sizeof(rig.out.bytes); at++)
			assert_int_equal(rig.out.bytes[at], 0);
		rig_close(&rig);
	}
}

/* Lines to a connection that is gone are dropped. */
static void test_a_closed_stream(void **state)
{
	static void (*const flush[])(struct outbuf *, struct stream *) = { outbuf_flush, outbuf_flush_last };

	(void)state;
	for (size_t i = 0; i < NELEM(flush); i++) {
		struct rig rig;

		rig_open(&rig);
		outbuf_add(&rig.out, &rig.stream, "PASS secret", 11, true);
		stream_close(&rig.stream, true);
		flush[i](&rig.out, &rig.stream);
		assert_int_equal(rig.out.len, 0);
		assert_int_equal(rig.out.bytes[0], 0);
		assert_null(rig.stream.outq.bytes);
		rig_close(&rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fill),
		cmocka_unit_test(test_tidy),
		cmocka_unit_test(test_an_empty_one_is_tidy),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_a_closed_stream),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
