/*
 * Side commands: NOOP, STAT and ABOR that the client sends during a transfer.
 *
 * A server may answer a side command at once, after the transfer, with one reply
 * for both, or never. Some answers have codes that also end transfers. This
 * module decides which command each reply answers. It judges by the class of the
 * code, the replies that RFC 959 5.4 lists for each command, the order of the
 * commands, and whether the data connection has closed.
 *
 * The client always gets the server's replies in the server's order. The decision
 * controls only what the gateway does next: whether the transfer has ended, and
 * whether the client's next command may go to the server.
 */
#ifndef ATTLSD_FTP_ALG_SIDE_REPLY_H
#define ATTLSD_FTP_ALG_SIDE_REPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "ftp-alg/out.h"
#include "ftp-alg/state.h"
#include "ftp-alg/verb.h"

/* Is there room for another side command? One place is reserved for ABOR. */
bool machine_side_has_room(const struct ftp_machine *machine, const struct ftp_verb *verb);

/* Forward a side command to the server, and expect an answer to it. */
void machine_side_send(struct ftp_machine *machine, const struct ftp_command *command, struct ftp_out *out);

/* Which command does a reply with this code answer? Call it on the first line of each reply, except 421. */
struct ftp_answer machine_side_whose(const struct ftp_machine *machine, uint16_t code);

/* Which kind of command the open reply answers: it selects the filter for the reply's lines. */
enum ftp_pending machine_side_shown_as(const struct ftp_machine *machine, uint16_t code);

/* After the last line of a final reply to anything but the pending command (see machine_side_whose()). */
void machine_side_answered(struct ftp_machine *machine, uint16_t code, struct ftp_out *out);

/* The transfer command goes to the server, or the server's 1yz has come: the transfer's end is open. */
void machine_side_transfer_begins(struct ftp_machine *machine, struct ftp_out *out);

/* A 1yz came after the data connection failed. Pure-FTPd sends no other reply to such a transfer. */
void machine_side_transfer_marked(struct ftp_machine *machine);

/* The server says that the transfer failed, but its data connection is still open: limit the wait for it. */
void machine_side_transfer_fails(struct ftp_machine *machine, struct ftp_out *out);

/* The transfer's last reply has come: limit the wait for answers to side commands. */
void machine_side_transfer_ended(struct ftp_machine *machine, struct ftp_out *out);

/* Is the current transfer being aborted: has the client sent ABOR, and has the server not refused it? */
bool machine_side_is_aborting(const struct ftp_machine *machine);

/* After the transfer: must the next command wait for answers to side commands? */
bool machine_side_holds(const struct ftp_machine *machine);

/* The next command waits for a transfer that may already have ended for the server: limit the wait. */
void machine_side_held(struct ftp_machine *machine, struct ftp_out *out);

/* The next command goes to the server: stop waiting for answers. They may still come late. */
void machine_side_stop_waiting(struct ftp_machine *machine, struct ftp_out *out);

/* The time that FTP_DO_SIDE_WAIT started is over. */
void machine_side_due(struct ftp_machine *machine, struct ftp_out *out);

#endif
