/*
 * What the client sees of the server's replies.
 */
#ifndef ATTLSD_FTP_ALG_REPLY_FILTER_H
#define ATTLSD_FTP_ALG_REPLY_FILTER_H

#include <stdbool.h>

#include "ftp-alg/out.h"
#include "ftp-alg/reply.h"
#include "ftp-alg/state.h"

/* A line of the server's reply, as the client may see it; last: it completes the reply. */
void machine_relay_reply(struct ftp_machine *machine, enum ftp_pending pending, const struct ftp_reply *reply,
			 bool last, struct ftp_out *out);

/* A FEAT reply's end, with the gateway's lines in it; open: its first line is out. */
void machine_feat_ends(struct ftp_machine *machine, bool open, struct ftp_out *out);

/* The FTP_FEAT_ bits of what FEAT announces for the gateway: what it offers now and policy does not deny. */
unsigned machine_features(const struct ftp_machine *machine);

#endif
