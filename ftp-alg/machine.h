/*
 * The FTP state machine of one session: the only writer of FTP state.
 *
 * Sans I/O. One event in (a command line, a reply line, a fact about a data
 * connection), a list of actions out (out.h). It keeps no text of either side.
 *
 * Commands go to the server one at a time; while a transfer runs, ABOR, STAT
 * and NOOP go beside it (side-reply.h). A line that may not be taken yet gets FTP_HOLD: the
 * caller leaves it in its buffer and offers it again after the next event. So a
 * pipelining client costs no memory here, and no two commands' replies can ever
 * be mixed up.
 */
#ifndef ATTLSD_FTP_ALG_MACHINE_H
#define ATTLSD_FTP_ALG_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ftp-alg/line.h"
#include "ftp-alg/out.h"
#include "ftp-alg/reply.h"
#include "ftp-alg/state.h"
#include "policy/ip.h"

void ftp_machine_init(struct ftp_machine *machine, const struct ftp_machine_setup *setup);

/* With setup.lazy_dial only, before anything else: the client's greeting. */
void ftp_machine_greet(struct ftp_machine *machine, struct ftp_out *out);

/* A whole command line. FTP_HOLD may add FTP_DO_SERVER_RENEW or FTP_DO_DATA_DIAL. */
enum ftp_take ftp_machine_command(struct ftp_machine *machine, const char *line, size_t len,
				  struct ftp_out *out);

/*
 * A line that ftp_line_take() refused; status is one of its refusals. On
 * FTP_HOLD the caller leaves its buffer as it is, as for a good line: the refusal
 * must not overtake the reply to an earlier command.
 */
enum ftp_take ftp_machine_bad_line(struct ftp_machine *machine, enum ftp_line_status status,
				   struct ftp_out *out);

/* A line of the server's; last: it completes its reply. FTP_HOLD may add
 * FTP_DO_DATA_GO or FTP_DO_DATA_ABORT, to be carried out before the line is offered again. */
enum ftp_take ftp_machine_reply(struct ftp_machine *machine, const struct ftp_reply *reply, bool last,
				struct ftp_out *out);

/* A line that ftp_reply_take() found malformed. */
void ftp_machine_stray_line(struct ftp_machine *machine, const struct ftp_reply *line, struct ftp_out *out);

/*
 * With FTP_SIGNAL_TLS_UP: who the client is. The strings remain the caller's and
 * have to live as long as the machine.
 */
void ftp_machine_identify(struct ftp_machine *machine, const struct ftp_identity *identity);

/* The time of an FTP_DO_PAUSE is over, or the client has what FTP_DO_SEGMENT sent. */
void ftp_machine_resume(struct ftp_machine *machine, struct ftp_out *out);

/*
 * The time of an FTP_DO_SIDE_WAIT is over: what the server still owes to a command
 * beside the transfer holds the next command no longer.
 */
void ftp_machine_side_due(struct ftp_machine *machine, struct ftp_out *out);

void ftp_machine_signal(struct ftp_machine *machine, enum ftp_signal signal, struct ftp_out *out);

/*
 * The result of FTP_DO_LISTEN_*: the endpoint that the peer has to dial, or NULL
 * when no port was free.
 */
void ftp_machine_listening(struct ftp_machine *machine, enum ftp_side side,
			   const struct ip_endpoint *endpoint, struct ftp_out *out);

/*
 * No transfer is under way, and the server's port was dialled: is the connection
 * there? If not, the server is asked in another way. The client hears of it when
 * no way is left and it sends a transfer command.
 */
void ftp_machine_dialled(struct ftp_machine *machine, bool up, struct ftp_out *out);

/* Is PROT P in force for the next data connection? */
bool ftp_machine_protects_data(const struct ftp_machine *machine);

/*
 * The client has connected before it sent its transfer command: a TLS handshake
 * is running (an upload is held meanwhile), or has failed (result is not
 * FTP_DATA_PENDING: the command is refused and the server does not hear of it).
 */
void ftp_machine_data_handshake(struct ftp_machine *machine, bool running, enum ftp_data_result result);

/* The data part ended. Ignored when no transfer is under way. */
void ftp_machine_data_done(struct ftp_machine *machine, enum ftp_data_result result, struct ftp_out *out);

/* As setup.lazy_dial: begin with ftp_machine_greet(), and do not dial the server yet. */
static inline bool ftp_machine_greets_first(const struct ftp_machine *machine)
{
	return machine->lazy_dial;
}

static inline bool ftp_machine_is_logged_in(const struct ftp_machine *machine)
{
	return machine->login == FTP_LOGIN_DONE;
}

/*
 * Has the client only part of a reply? Then the session must not end as if that
 * were all: no close_notify, and no words of the gateway's.
 */
static inline bool ftp_machine_is_replying(const struct ftp_machine *machine)
{
	return machine->shown != 0;
}

/* Is the control connection clear after CCC? */
static inline bool ftp_machine_is_cleared(const struct ftp_machine *machine)
{
	return machine->security.ctrl == FTP_CTRL_CLEARED;
}

/*
 * Does the server owe a reply? During a transfer it does, but not while the
 * machine itself waits before it asks again for a file in use (DSWAITTIME).
 */
static inline bool ftp_machine_awaits_reply(const struct ftp_machine *machine)
{
	return !ftp_machine_is_idle(machine) && machine->transfer != FTP_TRANSFER_WAITING;
}

/* The n-th line (from 0) that the gateway adds to a FEAT reply now, with its leading blank; NULL: no more. */
const char *ftp_machine_feature(const struct ftp_machine *machine, size_t n);

#endif
