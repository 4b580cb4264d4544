/*
 * How many bytes a transfer is going to move, as far as the dialogue tells: from SIZE
 * or MLST for the same name, the number in the 1yz of a download, or ALLO before an upload. It is
 * for people: nothing depends on it, and a server may say anything.
 */
#ifndef ATTLSD_FTP_ALG_PROGRESS_H
#define ATTLSD_FTP_ALG_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "ftp-alg/reply.h"
#include "ftp-alg/verb.h"

/* Which command the server's next reply is read for. */
enum ftp_progress_asked {
	FTP_PROGRESS_NOTHING = 0,
	FTP_PROGRESS_SIZE,
	FTP_PROGRESS_REST,
	FTP_PROGRESS_RETR,
	FTP_PROGRESS_MLST,
};

/* All zero: nothing is known. */
struct ftp_progress {
	enum ftp_progress_asked asked;
	bool sized;	    /* `size` is the server's answer for the name `name` */
	bool known;	    /* `total` is */
	uint64_t name;	    /* a hash of it */
	uint64_t listed;    /* the same of the name that MLST asks for */
	uint64_t size;	    /* of the file */
	uint64_t restart;   /* REST, for the next transfer */
	uint64_t allocated; /* ALLO, for the next upload; 0: none */
	uint64_t from;	    /* REST of this transfer */
	uint64_t total;	    /* what this transfer is going to move */
};

/*
 * A command of the client's goes to the server. exact: as ftp_representation_is_exact(), since the
 * bytes of any other transfer have another number than those of the file.
 */
void ftp_progress_command(struct ftp_progress *progress, const struct ftp_command *command, bool exact);

/* A line of one of the server's replies. */
void ftp_progress_reply(struct ftp_progress *progress, const struct ftp_reply *reply);

/* How many bytes the transfer is going to move, of which `moved` are past. False: that is not known. */
bool ftp_progress_total(const struct ftp_progress *progress, uint64_t moved, uint64_t *ret_total);

#endif
