/* Where a file ends in block and compressed mode, however its bytes come in. */
#include "ftp-alg/frame.h"

#include "tests/unit/unit.h"

static const struct {
	const char *name;
	char mode;
	const char *bytes;
	size_t len;
	bool ended, lost, cut; /* cut: with strict */
} cases[] = {
	{ "stream mode has no frames", 'S', BYTES("\x40\x00\x00"), false, false, false },
	{ "deflate has none of these", 'Z', BYTES("\x40\x00\x00"), false, false, false },
	{ "nothing yet", 'B', "", 0, false, false, true },
	{ "an empty last block", 'B', BYTES("\x40\x00\x00"), true, false, false },
	{ "half a header", 'B', BYTES("\x40\x00"), false, false, true },
	{ "a record, then the end", 'B', BYTES("\x80\x00\x02hi\x40\x00\x00"), true, false, false },
	{ "a last block with data", 'B', BYTES("\xc0\x00\x02hi"), true, false, false },
	{ "a last block that is not whole", 'B', BYTES("\xc0\x00\x02h"), false, false, true },
	{ "a record without the end", 'B', BYTES("\x80\x00\x02hi"), false, false, true },
	{ "data that look like the end", 'B', BYTES("\x80\x00\x03\x40\x00\x00"), false, false, true },
	{ "a length of two bytes", 'B', BYTES("\x00\x01\x00"), false, false, true },
	{ "a restart marker", 'B',
	  BYTES("\x10\x00\x06"
		"000042\x40\x00\x00"),
	  true, false, false },
	{ "errors in the data", 'B', BYTES("\x20\x00\x01x\x40\x00\x00"), true, false, false },
	{ "text without frames", 'B', BYTES("total 12\r\n"), false, true, false },
	{ "a descriptor that nobody has", 'B', BYTES("\x41\x00\x00"), false, true, false },
	{ "a marker that is none", 'B', BYTES("\x10\x40\x00"), false, true, false },
	{ "what follows the end does not count", 'B', BYTES("\x40\x00\x00\x80\x00\x02hi"), true, false,
	  false },

	{ "compressed: a string and the mark", 'C',
	  BYTES("\x03"
		"abc\x00\x40"),
	  true, false, false },
	{ "compressed: a run and blanks", 'C', BYTES("\x85x\xc9\x00\x40"), true, false, false },
	{ "compressed: without the mark, nothing is known to be cut", 'C',
	  BYTES("\x03"
		"abc"),
	  false, false, false },
	{ "compressed: the mark before the last string", 'C',
	  BYTES("\x00\x40\x03"
		"abc"),
	  true, false, false },
	{ "compressed: a string after the mark that is not whole", 'C',
	  BYTES("\x00\x40\x03"
		"ab"),
	  false, false, false },
	{ "compressed: a marker, then the mark", 'C',
	  BYTES("\x00\x10\x02"
		"42\x00\x40"),
	  true, false, false },
	{ "compressed: half an escape", 'C', BYTES("\x01x\x00"), false, false, false },
	{ "compressed: a descriptor that nobody has", 'C', BYTES("\x00\x0f"), false, true, false },
};

static void check(size_t i, const struct ftp_frame *frame)
{
	if (frame->ended != cases[i].ended || frame->lost != cases[i].lost ||
	    ftp_frame_is_cut(frame) != cases[i].cut)
		fail_msg("%s: %d %d %d", cases[i].name, frame->ended, frame->lost, ftp_frame_is_cut(frame));
}

static void one_piece(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(cases); i++) {
		struct ftp_frame frame = ftp_frame_make(cases[i].mode, true);

		ftp_frame_pass(&frame, cases[i].bytes, cases[i].len);
		check(i, &frame);
	}
}

/* Of compressed mode not: a mark at the end of a piece counts, although a string may follow. */
static void two_pieces(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(cases); i++) {
		for (size_t at = 0; at <= cases[i].len && cases[i].mode != 'C'; at++) {
			struct ftp_frame frame = ftp_frame_make(cases[i].mode, true);

			ftp_frame_pass(&frame, cases[i].bytes, at);
			ftp_frame_pass(&frame, cases[i].bytes + at, cases[i].len - at);
			check(i, &frame);
		}
	}
}

static void lists_need_no_last_block(void **state)
{
	struct ftp_frame frame = ftp_frame_make('B', false);

	(void)state;
	ftp_frame_pass(&frame, " Name", 5);
	assert_false(ftp_frame_is_cut(&frame));
}

/* The sender is ahead by these bytes when the command of its next file comes; then the rest of it passes. */
static const struct {
	const char *name;
	char mode;
	const char *early;
	size_t nearly;
	char next;
	const char *rest;
	size_t nrest;
	uint64_t files;	 /* that are left after this one */
	bool ended, cut; /* this one */
} aheads[] = {
	{ "nothing", 'B', "", 0, 'B', BYTES("\x80\x00\x02hi"), 0, false, true },
	{ "in a block", 'B', BYTES("\x80\x00\x02h"), 'B', BYTES("i"), 0, false, true },
	{ "in a block, and then the end", 'B', BYTES("\x80\x00\x02h"), 'B', BYTES("i\x40\x00\x00"), 0, true,
	  false },
	{ "in a header", 'B', BYTES("\x80\x00"), 'B', BYTES("\x00\x40\x00\x00"), 0, true, false },
	{ "in data that look like the end", 'B', BYTES("\x80\x00\x03\x40"), 'B', BYTES("\x00\x00"), 0, false,
	  true },
	{ "all but the end", 'B', BYTES("\x80\x00\x02hi\x40\x00"), 'B', "", 0, 0, false, true },
	{ "a file", 'B', BYTES("\x80\x00\x02hi\x40\x00\x00"), 'B', "", 0, 0, true, false },
	{ "two files and the half of one", 'B', BYTES("\x40\x00\x00\xc0\x00\x01x\x80\x00\x02h"), 'B', "", 0,
	  1, true, false },
	{ "no frames", 'B', BYTES("text"), 'B', BYTES("\x40\x00\x00"), 0, false, false },
	{ "a file, and the next one is in another mode", 'B', BYTES("\x40\x00\x00"), 'S', BYTES("x"), 0,
	  false, false },
	{ "a file in another mode", 'C', BYTES("\x00\x40"), 'B', BYTES("\x80\x00\x01x"), 0, false, true },
	{ "the half of one in another mode", 'C', BYTES("\x03\x61"), 'B', BYTES("\x40\x00\x00"), 0, true,
	  false },
	{ "compressed: in a string", 'C', BYTES("\x03\x61"), 'C', BYTES("\x00\x40\x00\x40"), 0, true, false },
	{ "compressed: in a string, and no mark", 'C', BYTES("\x03\x61"), 'C', BYTES("\x00\x40"), 0, false,
	  false },
};

static void ahead_of_the_command(void **state)
{
	(void)state;
	for (size_t i = 0; i < NELEM(aheads); i++) {
		for (size_t at = 0; at <= aheads[i].nearly && (at == 0 || aheads[i].mode != 'C'); at++) {
			struct ftp_frame_ahead ahead = { .files = 0 };
			struct ftp_frame frame;

			ftp_frame_pass_ahead(&ahead, aheads[i].mode, aheads[i].early, at);
			ftp_frame_pass_ahead(&ahead, aheads[i].mode, aheads[i].early + at,
					     aheads[i].nearly - at);
			frame = ftp_frame_next(&ahead, aheads[i].next, true);
			(void)ftp_frame_pass(&frame, aheads[i].rest, aheads[i].nrest);
			if (frame.ended != aheads[i].ended || ftp_frame_is_cut(&frame) != aheads[i].cut ||
			    ahead.files != aheads[i].files)
				fail_msg("%s: %d %d", aheads[i].name, frame.ended, ftp_frame_is_cut(&frame));
		}
	}
}

/* Files one after the other, of which any number has passed before each command. */
static void one_file_for_each_command(void **state)
{
	static const char files[] = "\x80\x00\x02hi\x40\x00\x00"
				    "\xc0\x00\x00"
				    "\x40\x00\x01x";
	static const size_t ends[] = { 8, 11, 15 };

	(void)state;
	for (size_t early = 0; early < sizeof(files); early++) {
		struct ftp_frame_ahead ahead = { .files = 0 };
		size_t at = early;

		ftp_frame_pass_ahead(&ahead, 'B', files, early);
		for (size_t i = 0; i < NELEM(ends); i++) {
			struct ftp_frame frame = ftp_frame_next(&ahead, 'B', true);

			assert_int_equal(frame.ended, early >= ends[i]);
			at += ftp_frame_pass(&frame, files + at, sizeof(files) - 1 - at);
			assert_true(frame.ended);
			assert_int_equal(at, early > ends[i] ? early : ends[i]);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_piece),
		cmocka_unit_test(two_pieces),
		cmocka_unit_test(lists_need_no_last_block),
		cmocka_unit_test(ahead_of_the_command),
		cmocka_unit_test(one_file_for_each_command),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
