/*
 * Follows the frames of block and compressed mode (RFC 959 3.4.2, 3.4.3) on a data
 * connection, for one thing only: where the file ends. The connection may outlive it.
 */
#ifndef ATTLSD_FTP_ALG_FRAME_H
#define ATTLSD_FTP_ALG_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All zero: a mode without frames. */
struct ftp_frame {
	char mode;	    /* 'B', 'C', or anything else: the connection's end is that of the file */
	bool strict;	    /* a file without its last block is cut */
	bool ended;	    /* the file's end has passed; whatever follows does not count */
	bool lost;	    /* what came has no such frames */
	bool last;	    /* the frame that is open is the last one */
	uint8_t header;	    /* bytes of a header that have passed */
	uint8_t descriptor; /* of the block that is open */
	uint32_t left;	    /* bytes until the next header */
};

/* strict: a file, and not a list, which some servers send without frames. */
static inline struct ftp_frame ftp_frame_make(char mode, bool strict)
{
	return (struct ftp_frame){ .mode = mode, .strict = strict };
}

static inline bool ftp_frame_is_followed(const struct ftp_frame *frame)
{
	return frame->mode == 'B' || frame->mode == 'C';
}

/*
 * In block mode, has a file begun whose end has not passed? In compressed mode, RFC 959 leaves
 * open whether the mark of the end comes before the last bytes or after them, so nothing is cut.
 */
static inline bool ftp_frame_is_cut(const struct ftp_frame *frame)
{
	return frame->mode == 'B' && frame->strict && !frame->ended && !frame->lost;
}

/* These bytes pass. Returns how many of them belong to the file: all, unless it has ended. */
size_t ftp_frame_pass(struct ftp_frame *frame, const void *bytes, size_t len);

/*
 * What a sender that does not wait has sent of its next files, before their commands. All
 * zero: nothing.
 */
struct ftp_frame_ahead {
	uint64_t files;	       /* whole ones */
	struct ftp_frame open; /* the one after them; its mode is that of all */
};

/* These bytes pass between two files of this mode. */
void ftp_frame_pass_ahead(struct ftp_frame_ahead *ahead, char mode, const void *bytes, size_t len);

/* The command of the next file has come: where in that file is the sender? mode, strict: of its transfer. */
struct ftp_frame ftp_frame_next(struct ftp_frame_ahead *ahead, char mode, bool strict);

#endif
