/*
 * Which ways to a data connection (EPSV, PASV, EPRT, PORT) work with a server. All
 * sessions with that server share this knowledge.
 */
#ifndef ATTLSD_FTP_ALG_WAYS_H
#define ATTLSD_FTP_ALG_WAYS_H

#include <stdint.h>

/* The ways: the commands that set up a data connection with a server. Bits. */
#define FTP_MODE_EPSV 1u
#define FTP_MODE_PASV 2u
#define FTP_MODE_EPRT 4u
#define FTP_MODE_PORT 8u
#define FTP_MODE_ALL  15u
#define FTP_MODES     4

/* Sets of FTP_MODE_ bits. A way is in at most one of worked, refused and failed. All zero: nothing is known.
 */
struct ftp_ways {
	uint8_t worked;	 /* a data connection was made */
	uint8_t refused; /* the server does not know the command, or has refused it to a user */
	uint8_t failed;	 /* no usable port, or one that cannot be reached */
	uint8_t fresh;	 /* changed since the owner last cleared these bits; the owner keeps the time */
};

/* Record the latest result of one way (an FTP_MODE_ bit). */
void ftp_ways_worked(struct ftp_ways *ways, uint8_t mode);
void ftp_ways_failed(struct ftp_ways *ways, uint8_t mode);
/* No effect on what has worked: the refusal is of one user, or passes (some servers run out of ports). */
void ftp_ways_refused(struct ftp_ways *ways, uint8_t mode);

void ftp_ways_forget(struct ftp_ways *ways, uint8_t mode);

/* Those of `modes` that are the best to try: not known to fail, else all. */
uint8_t ftp_ways_best(const struct ftp_ways *ways, uint8_t modes);

#endif
