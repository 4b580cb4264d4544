/*
 * AUTH GSSAPI in the machine: what becomes of the exchange of ADAT, and how replies to
 * protected commands are protected.
 */
#ifndef ATTLSD_FTP_ALG_GSSAPI_H
#define ATTLSD_FTP_ALG_GSSAPI_H

#include "ftp-alg/state.h"

/*
 * The answer to FTP_DO_GSSAPI_ACCEPT, after ftp_machine_identify() in case of
 * FTP_ADAT_DONE. token: for the client, in base64, at most FTP_ADAT_TOKEN_MAX bytes.
 */
#define FTP_ADAT_TOKEN_MAX 4096
void ftp_machine_adat(struct ftp_machine *machine, enum ftp_adat result, const char *token,
		      struct ftp_out *out);

/* A command is taken, or refused for this reason. Without a security context, nothing happens. */
void machine_gssapi_command(struct ftp_machine *machine, enum ftp_local refusal);

/* The answer to a line that is too long. */
static inline enum ftp_local machine_gssapi_too_long(const struct ftp_machine *machine)
{
	return machine->security.adat ? FTP_LOCAL_TOKEN_TOO_LONG : FTP_LOCAL_LINE_TOO_LONG;
}

/* A command in MIC, CONF or ENC that cannot be read. FTP_HOLD as for ftp_machine_bad_line(). */
enum ftp_take ftp_machine_bad_envelope(struct ftp_machine *machine, enum ftp_envelope why,
				       struct ftp_out *out);

#endif
