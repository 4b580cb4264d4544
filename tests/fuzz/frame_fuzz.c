/*
 * The first byte picks the mode and the place where the rest comes in two pieces. In block mode
 * the result is the same as in one piece, and also if the first piece comes before the command.
 */
#include "ftp-alg/frame.h"

#include "tests/fuzz/fuzz.h"

static struct ftp_frame follow(char mode, const uint8_t *data, size_t size, size_t split)
{
	uint8_t *first = fuzz_copy(data, split), *second = fuzz_copy(data + split, size - split);
	struct ftp_frame frame = ftp_frame_make(mode, true);

	(void)ftp_frame_pass(&frame, first, split);
	(void)ftp_frame_pass(&frame, second, size - split);
	free(first);
	free(second);
	return frame;
}

static struct ftp_frame follow_ahead(char mode, const uint8_t *data, size_t size, size_t split)
{
	uint8_t *first = fuzz_copy(data, split), *second = fuzz_copy(data + split, size - split);
	struct ftp_frame_ahead ahead = { .files = 0 };
	struct ftp_frame frame;

	ftp_frame_pass_ahead(&ahead, mode, first, split);
	frame = ftp_frame_next(&ahead, mode, true);
	(void)ftp_frame_pass(&frame, second, size - split);
	free(first);
	free(second);
	return frame;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ftp_frame whole, split, ahead;
	char mode;

	if (size == 0)
		return 0;
	mode = (data[0] & 1) != 0 ? 'B' : 'C';
	whole = follow(mode, data + 1, size - 1, 0);
	split = follow(mode, data + 1, size - 1, data[0] / 2 % size);
	ahead = follow_ahead(mode, data + 1, size - 1, data[0] / 2 % size);
	assert(!(whole.ended && whole.lost) && !(whole.ended && ftp_frame_is_cut(&whole)));
	if (mode == 'B')
		assert(whole.ended == split.ended && whole.lost == split.lost && whole.left == split.left);
	if (mode == 'B')
		assert(whole.ended == ahead.ended && whole.lost == ahead.lost);
	return 0;
}
