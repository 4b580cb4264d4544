/*
 * The FTP state machine of one session: the only writer of FTP state.
 *
 * It does no I/O. Each call takes one event (a command line, a reply line, a fact
 * about a data connection) and returns a list of actions (out.h). The machine
 * keeps no text of either side.
 *
 * The server gets one command at a time. During a transfer, it also gets side
 * commands: NOOP, STAT and ABOR (side-reply.h). The machine answers FTP_HOLD to a
 * line that it cannot take yet: the caller leaves it in its buffer and offers it
 * again after the next event. So a client that pipelines costs no memory here.
 */
#ifndef ATTLSD_FTP_ALG_MACHINE_H
#define ATTLSD_FTP_ALG_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ftp-alg/gssapi.h"
#include "ftp-alg/line.h"
#include "ftp-alg/out.h"
#include "ftp-alg/reply.h"
#include "ftp-alg/state.h"
#include "policy/ip.h"

void ftp_machine_init(struct ftp_machine *machine, const struct ftp_machine_setup *setup);

/* Before the server's greeting: it has this address after all, and these ways (may be NULL). */
static inline void ftp_machine_use_server(struct ftp_machine *machine, const struct ip_addr *server,
					  struct ftp_ways *ways)
{
	machine->server_addr = *server;
	machine->shared_ways = ways;
}

/*
 * The server has failed before its greeting counted, and another one is dialled in its place,
 * which ftp_machine_use_server() will name.
 */
void ftp_machine_server_again(struct ftp_machine *machine);

/* With setup.lazy_dial only, before anything else: the client's greeting. */
void ftp_machine_greet(struct ftp_machine *machine, struct ftp_out *out);

/*
 * A whole command line, without MIC, CONF or ENC if it was in one of them; FTP_PROT_CLEAR: it
 * was not. FTP_HOLD may add actions, to be carried out before the line is offered again.
 */
enum ftp_take ftp_machine_protected(struct ftp_machine *machine, enum ftp_prot level, const char *line,
				    size_t len, struct ftp_out *out);

static inline enum ftp_take ftp_machine_command(struct ftp_machine *machine, const char *line, size_t len,
						struct ftp_out *out)
{
	return ftp_machine_protected(machine, FTP_PROT_CLEAR, line, len, out);
}

/* Is there a security context of GSSAPI, so that commands in MIC, CONF and ENC can be read? */
static inline bool ftp_machine_has_gssapi(const struct ftp_machine *machine)
{
	return machine->security.gssapi;
}

/* May a command line be as long as a token of Kerberos? */
static inline bool ftp_machine_takes_tokens(const struct ftp_machine *machine)
{
	return machine->security.gssapi || machine->security.adat;
}

/* With a security context: how replies are protected now. */
static inline enum ftp_prot ftp_machine_reply_level(const struct ftp_machine *machine)
{
	return machine->security.reply;
}

/*
 * A line that ftp_line_take() refused; status is one of its refusals. On
 * FTP_HOLD the caller leaves its buffer as it is, as for a good line: the refusal
 * must not overtake the reply to an earlier command.
 */
enum ftp_take ftp_machine_bad_line(struct ftp_machine *machine, enum ftp_line_status status,
				   struct ftp_out *out);

/* A line of the server's; last: it completes its reply. FTP_HOLD may add actions,
 * to be carried out before the line is offered again. */
enum ftp_take ftp_machine_reply(struct ftp_machine *machine, const struct ftp_reply *reply, bool last,
				struct ftp_out *out);

/* A line that ftp_reply_take() rejected as FTP_REPLY_MALFORMED. */
void ftp_machine_stray_line(struct ftp_machine *machine, const struct ftp_reply *line, struct ftp_out *out);

/*
 * With FTP_SIGNAL_TLS_UP: who the client is. The strings remain the caller's and
 * have to live as long as the machine.
 */
static inline void ftp_machine_identify(struct ftp_machine *machine, const struct ftp_identity *identity)
{
	machine->identity = *identity;
}

/* The client begins TLS without AUTH after the greeting: from here on it is on a secure port. */
static inline void ftp_machine_turn_implicit(struct ftp_machine *machine)
{
	ftp_security_init(&machine->security, machine->action, true);
}

/* The answer to FTP_DO_LOGIN_ASK: offer the held line again. */
static inline void ftp_machine_login_go(struct ftp_machine *machine)
{
	if (machine->login_turn == FTP_LOGIN_TURN_ASKED)
		machine->login_turn = FTP_LOGIN_TURN_OURS;
}

/* The answer to FTP_DO_LOGIN_CHECK. text: one line for the client; it lives until the next answer. */
static inline void ftp_machine_login_checked(struct ftp_machine *machine, enum ftp_check check,
					     const char *text)
{
	if (machine->check != FTP_CHECK_ASKED)
		return;
	machine->check = check;
	machine->check_text = text;
}

static inline bool ftp_machine_awaits_check(const struct ftp_machine *machine)
{
	return machine->check == FTP_CHECK_ASKED;
}

/*
 * Is a login being tried: does the server owe the answer to a password? A session
 * that ends now has failed to log in. One that waits for its turn has not tried yet.
 */
bool ftp_machine_tries_login(const struct ftp_machine *machine);

/* The time of an FTP_DO_PAUSE is over, or the client has what FTP_DO_SEGMENT sent. */
void ftp_machine_resume(struct ftp_machine *machine, struct ftp_out *out);

/*
 * The time that FTP_DO_SIDE_WAIT started is over: unanswered side commands no longer
 * hold the client's next command.
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
 * The result of dialling the server's data port before a transfer: is the
 * connection up? If not, the machine tries another way. If no way is left, the
 * client's transfer command gets 425.
 */
void ftp_machine_dialled(struct ftp_machine *machine, bool up, struct ftp_out *out);

/* Is this held line a QUIT that waits for the transfer (RFC 959 4.1.1)? */
bool ftp_machine_holds_quit(const struct ftp_machine *machine, const char *line, size_t len);

/*
 * The client's data connection before the transfer command goes to the server: where
 * its TLS handshake stands. If it has failed, result is not FTP_DATA_PENDING, and the
 * machine refuses the transfer command and does not forward it to the server.
 */
void ftp_machine_data_handshake(struct ftp_machine *machine, enum ftp_handshake state,
				enum ftp_data_result result);

/* The data part ended. Ignored when no transfer is under way. */
void ftp_machine_data_done(struct ftp_machine *machine, enum ftp_data_result result, struct ftp_out *out);

/*
 * After ftp_machine_data_done(): the file's end was in the data (MODE B and C), and the connection
 * is open. The next transfer may use it without PASV or PORT (RFC 959 3.3), until
 * FTP_DO_DATA_CLOSE, or until one of the peers closes it and ftp_machine_data_over() says so.
 */
void ftp_machine_data_kept(struct ftp_machine *machine);
void ftp_machine_data_over(struct ftp_machine *machine, struct ftp_out *out);

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
 * Has the client only part of a reply? Then the session must not end as if the
 * reply were complete: send no close_notify and no reply of the gateway's own.
 */
static inline bool ftp_machine_is_replying(const struct ftp_machine *machine)
{
	return machine->shown != 0;
}

/* What is in force for data: TYPE, STRU and MODE. */
static inline const struct ftp_representation *ftp_machine_representation(const struct ftp_machine *machine)
{
	return &machine->representation;
}

/* How the client has asked for its data connection last. */
static inline enum ftp_client_mode ftp_machine_client_mode(const struct ftp_machine *machine)
{
	return machine->client_mode;
}

/* The FTP_MODE_ that the server has accepted or is being asked for; 0: none. */
static inline uint8_t ftp_machine_server_mode(const struct ftp_machine *machine)
{
	return machine->server_mode;
}

/* What the server has named in its 227 or 229, for people; port 0: nothing. Only the port is dialled. */
static inline struct ip_endpoint ftp_machine_server_named(const struct ftp_machine *machine)
{
	bool named = machine->server_named.family != IP_NONE;

	return (struct ip_endpoint){ .addr = named ? machine->server_named : machine->server_addr,
				     .port = machine->server_port };
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
