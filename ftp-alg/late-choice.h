/*
 * A server that is chosen when USER comes: by the user, and by what HOST, TLS and certificates have said
 * before it (`server_map`). Until then the gateway answers by itself.
 */
#ifndef ATTLSD_FTP_ALG_LATE_CHOICE_H
#define ATTLSD_FTP_ALG_LATE_CHOICE_H

#include "ftp-alg/out.h"
#include "ftp-alg/state.h"
#include "ftp-alg/verb.h"

/* With late_choice: may this command run now? USER waits for the server that is chosen for its name. */
enum machine_step machine_late_choice(struct ftp_machine *machine, const struct ftp_command *command,
				      struct ftp_out *out);

/* Answer a valid HOST that SNI does not contradict. */
void machine_late_choice_host(struct ftp_machine *machine, const struct ftp_command *command,
			      struct ftp_out *out);

/* Is it too late for HOST? */
bool machine_late_choice_made(const struct ftp_machine *machine);

/* The session begins anew (AUTH, REIN): RFC 7151 3.3, 3.4. */
void machine_late_choice_forget(struct ftp_machine *machine);

#endif
