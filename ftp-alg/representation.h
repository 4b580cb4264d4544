/*
 * How files are represented on the data connection: TYPE, STRU and MODE (RFC 959 3.1 to
 * 3.4), as the client has asked and the server has agreed. The machine alone writes it;
 * whoever has to know what the bytes of a transfer mean asks here.
 */
#ifndef ATTLSD_FTP_ALG_REPRESENTATION_H
#define ATTLSD_FTP_ALG_REPRESENTATION_H

#include <stdbool.h>

#include "ftp-alg/verb.h"

enum ftp_parameter {
	FTP_PARAMETER_NONE = 0,
	FTP_PARAMETER_TYPE,
	FTP_PARAMETER_STRU,
	FTP_PARAMETER_MODE,
	FTP_PARAMETER_COUNT
};

/* All zero: the defaults of RFC 959 5.1, which are ASCII, File and Stream. */
struct ftp_representation {
	char values[FTP_PARAMETER_COUNT]; /* the first letter in upper case; '\0': the default */
	enum ftp_parameter asked;	  /* that the server has not answered yet, */
	char value;			  /* and what the client wants it to be */
};

/* A command goes to the server; most of them ask for no parameter. */
void ftp_representation_ask(struct ftp_representation *representation, const struct ftp_command *command);

/* The server agrees to it. */
void ftp_representation_agree(struct ftp_representation *representation);

/* RFC 959 3.1.1: A and E are text, I and L are not. */
static inline bool ftp_representation_is_binary(const struct ftp_representation *representation)
{
	char type = representation->values[FTP_PARAMETER_TYPE];

	return type == 'I' || type == 'L';
}

/* 'S', 'B', 'C' or 'Z' */
static inline char ftp_representation_mode(const struct ftp_representation *representation)
{
	char mode = representation->values[FTP_PARAMETER_MODE];

	return mode != '\0' ? mode : 'S';
}

/* Are the bytes on the data connection those of the file, neither more nor fewer? */
bool ftp_representation_is_exact(const struct ftp_representation *representation);

#endif
