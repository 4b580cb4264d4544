/*
 * The ways to a data connection that a server is known to take or to refuse.
 * All sessions with that server share this.
 */
#ifndef ATTLSD_FTP_ALG_WAYS_H
#define ATTLSD_FTP_ALG_WAYS_H

#include <stdint.h>

/* The ways to agree on a data connection with a server; bits. */
#define FTP_MODE_EPSV 1u
#define FTP_MODE_PASV 2u
#define FTP_MODE_EPRT 4u
#define FTP_MODE_PORT 8u
#define FTP_MODE_ALL  15u
#define FTP_MODES     4

/* FTP_MODE_ bits. A way is in one set at most. All zero: nothing is known. */
struct ftp_ways {
	uint8_t worked;	 /* a data connection was made */
	uint8_t refused; /* the server does not know the command: it is not asked so again */
	uint8_t failed;	 /* no usable port, or one that cannot be reached: for when nothing else is left */
	uint8_t fresh;	 /* learnt since the owner last cleared these bits: that is how it sees age */
};

/* Each notes the latest that was seen of one way (an FTP_MODE_ bit). */
void ftp_ways_worked(struct ftp_ways *ways, uint8_t mode);
void ftp_ways_failed(struct ftp_ways *ways, uint8_t mode);
/* What has worked before is failed by this, not refused: some servers refuse when they run out of ports. */
void ftp_ways_refused(struct ftp_ways *ways, uint8_t mode);

void ftp_ways_forget(struct ftp_ways *ways, uint8_t mode);

/* Those of `modes` that are the best to try: not known to fail, else those that fail, but no refused one. */
uint8_t ftp_ways_best(const struct ftp_ways *ways, uint8_t modes);

#endif
