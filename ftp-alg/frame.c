/*
 * Reads the headers of blocks and strings, and skips what is between them. Peers may send
 * anything: what cannot be a header ends the search, and the connection's end counts then.
 */
#include "ftp-alg/frame.h"

#include "ftp-alg/cursor.h"

/* RFC 959 3.4.2: bits of a descriptor; the four low ones have no meaning. */
#define DESCRIPTOR_EOF	   64
#define DESCRIPTOR_RESTART 16
#define DESCRIPTOR_UNUSED  15
/* A restart marker is a few printable characters. */
#define MARKER_MAX 1024

/* RFC 959 3.4.3: the two high bits of a string's first byte. */
#define STRING_KIND   0xc0
#define STRING_REPEAT 0x80
#define STRING_FILLER 0xc0

static void look_at_descriptor(struct ftp_frame *frame, uint8_t descriptor)
{
	frame->lost = (descriptor & DESCRIPTOR_UNUSED) != 0;
	frame->descriptor = descriptor;
	frame->last = frame->last || (descriptor & DESCRIPTOR_EOF) != 0;
}

/* A block has a descriptor, and the number of bytes that follow, high byte first. */
static void block_header(struct ftp_frame *frame, uint8_t byte)
{
	if (frame->header == 0)
		look_at_descriptor(frame, byte);
	else
		frame->left = frame->left << 8 | byte;
	frame->header = (uint8_t)((frame->header + 1) % 3);
	if (frame->header == 0 && (frame->descriptor & DESCRIPTOR_RESTART) != 0 && frame->left > MARKER_MAX)
		frame->lost = true;
}

/* A string, or the escape byte with a descriptor for the string after it. */
static void string_header(struct ftp_frame *frame, uint8_t byte)
{
	if (frame->header == 1) {
		look_at_descriptor(frame, byte);
		frame->header = 0;
	} else if (byte == 0) {
		frame->header = 1;
	} else if ((byte & STRING_KIND) == STRING_REPEAT) {
		frame->left = 1;
	} else if ((byte & STRING_KIND) != STRING_FILLER) {
		frame->left = byte;
	}
}

static bool is_last(const struct ftp_frame *frame)
{
	return frame->last && frame->header == 0 && frame->left == 0 && !frame->lost;
}

static void skip(struct ftp_frame *frame, struct ftp_cursor *c)
{
	size_t n = c->len - c->at < frame->left ? c->len - c->at : frame->left;

	c->at += n;
	frame->left -= (uint32_t)n;
}

size_t ftp_frame_pass(struct ftp_frame *frame, const void *bytes, size_t len)
{
	struct ftp_cursor c = ftp_cursor_make(bytes, len);

	if (!ftp_frame_is_followed(frame))
		return len;
	while (!ftp_cursor_at_end(&c) && !frame->ended && !frame->lost) {
		if (frame->header == 0 && frame->left > 0)
			skip(frame, &c);
		else if (frame->mode == 'B')
			block_header(frame, (uint8_t)ftp_cursor_next(&c));
		else
			string_header(frame, (uint8_t)ftp_cursor_next(&c));
		frame->ended = frame->mode == 'B' && is_last(frame);
	}
	/* compressed mode: strings may follow the mark, but a sender that waits for the reply has sent all */
	frame->ended = frame->ended || is_last(frame);
	return frame->ended ? c.at : len;
}

void ftp_frame_pass_ahead(struct ftp_frame_ahead *ahead, char mode, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;
	size_t n;

	if (ahead->open.mode != mode)
		*ahead = (struct ftp_frame_ahead){ .open = ftp_frame_make(mode, true) };
	for (; len > 0; at += n, len -= n) {
		n = ftp_frame_pass(&ahead->open, at, len);
		if (!ahead->open.ended)
			continue;
		ahead->files++;
		ahead->open = ftp_frame_make(mode, true);
	}
}

struct ftp_frame ftp_frame_next(struct ftp_frame_ahead *ahead, char mode, bool strict)
{
	struct ftp_frame frame = ftp_frame_make(mode, strict);

	if (ahead->open.mode != mode) { /* what came has no meaning in this one */
		*ahead = (struct ftp_frame_ahead){ .files = 0 };
	} else if (ahead->files > 0) {
		ahead->files--;
		frame.ended = true;
	} else {
		frame = ahead->open;
		frame.strict = strict;
		ahead->open = ftp_frame_make(mode, true);
	}
	return frame;
}
