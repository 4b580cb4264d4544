/*
 * Every statement of FTP.DATA of z/OS, and what becomes of it: the table that import and
 * export share.
 */
#ifndef ATTLSD_GATEWAY_IMPORT_FTP_DATA_TABLE_H
#define ATTLSD_GATEWAY_IMPORT_FTP_DATA_TABLE_H

#include <stddef.h>
#include <stdint.h>

/* Bits: which of the two programs reads it. */
#define FTP_DATA_SERVER 1u
#define FTP_DATA_CLIENT 2u
#define FTP_DATA_BOTH	(FTP_DATA_SERVER | FTP_DATA_CLIENT)

enum ftp_data_kind {
	FTP_DATA_NOTHING = 0, /* not carried over: the text says why */
	FTP_DATA_WORD,	      /* one of the words, in lower case in a policy */
	FTP_DATA_SECONDS,
	FTP_DATA_MINUTES,
	FTP_DATA_NUMBER,
	FTP_DATA_PORTS,	  /* (low,high) */
	FTP_DATA_SPECIAL, /* ftp-data-server.c or ftp-data-client.c knows it */
};

enum ftp_data_zero {
	FTP_DATA_NO_ZERO = 0,
	FTP_DATA_ZERO,	   /* 0 is a value of both */
	FTP_DATA_NO_LIMIT, /* z/OS has 0 for "no limit", attlsd always has one, and its `max` may be lower */
};

struct ftp_data_row {
	const char *statement;
	unsigned sides;
	enum ftp_data_kind kind;
	const char *server_key; /* of ftp_actions; NULL: none */
	const char *client_key; /* of backends, or of ftp_actions for times; NULL: none */
	const char *words; /* FTP_DATA_WORD, FTP_DATA_SPECIAL: its values, in z/OS's spelling; NULL: any */
	uint32_t min, max; /* of a number; `zero` says whether 0 is allowed as well */
	enum ftp_data_zero zero;
	/* What z/OS's server does without the statement, if attlsd's default is another; NULL: the same. */
	const char *zos_default;
	const char *text; /* the difference, or why it has no meaning; "": none */
};

/* In the order of their names. NULL past the end. */
const struct ftp_data_row *ftp_data_row_at(size_t index);
size_t ftp_data_row_count(void);

/* In any case. NULL: unknown. */
const struct ftp_data_row *ftp_data_row_find(const char *statement);

#endif
