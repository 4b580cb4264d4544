/*
 * Side commands: NOOP, STAT and ABOR that the client sends while a transfer runs.
 *
 * Servers answer them at once, after the transfer, together with it, or never,
 * and some with codes that also end a transfer. So who owes what to whom is
 * decided by evidence: the reply's class, what RFC 959 5.4 lets a command be
 * answered with, the order, and whether the transfer's data has ended. The
 * client hears the server's replies in the server's order, whatever is decided
 * here; the decision is about what the gateway does next.
 */
#ifndef ATTLSD_FTP_ALG_SIDE_REPLY_H
#define ATTLSD_FTP_ALG_SIDE_REPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "ftp-alg/out.h"
#include "ftp-alg/state.h"
#include "ftp-alg/verb.h"

/* May another side command be sent? ABOR always may, unless the list is full of ABORs. */
bool machine_side_has_room(const struct ftp_machine *machine, const struct ftp_verb *verb);

/* Forward one beside the transfer that is under way. */
void machine_side_send(struct ftp_machine *machine, const struct ftp_command *command, struct ftp_out *out);

/* Whom does a reply with this code answer? Asked for its first line; not for 421. */
struct ftp_answer machine_side_whose(const struct ftp_machine *machine, uint16_t code);

/* How the client gets to see the reply that is open. */
enum ftp_pending machine_side_shown_as(const struct ftp_machine *machine, uint16_t code);

/* After the last line of a final reply that machine_side_whose() gave to no ordinary command. */
void machine_side_answered(struct ftp_machine *machine, uint16_t code, struct ftp_out *out);

/* A transfer begins, or the server has said that it does: nothing has been said about its end. */
void machine_side_transfer_begins(struct ftp_machine *machine, struct ftp_out *out);

/* A 1yz after data that did not end well: from Pure-FTPd, it is the transfer's last reply. */
void machine_side_transfer_marked(struct ftp_machine *machine);

/* The server has said that the transfer failed, and its data has not ended: bound that, too. */
void machine_side_transfer_fails(struct ftp_machine *machine, struct ftp_out *out);

/* The transfer's last reply is out: what is still owed is owed for a moment only. */
void machine_side_transfer_ended(struct ftp_machine *machine, struct ftp_out *out);

/* Has the client asked the server to end the transfer that is under way, and the server not refused? */
bool machine_side_gave_up(const struct ftp_machine *machine);

/* Does what is owed hold a command that no transfer holds? */
bool machine_side_holds(const struct ftp_machine *machine);

/* The next command is held by a transfer that the server may have ended already: bound the wait. */
void machine_side_held(struct ftp_machine *machine, struct ftp_out *out);

/* The next command goes on: forget what is owed. An answer may still come. */
void machine_side_forget(struct ftp_machine *machine, struct ftp_out *out);

/* The time of FTP_DO_SIDE_WAIT is over. */
void machine_side_due(struct ftp_machine *machine, struct ftp_out *out);

#endif
