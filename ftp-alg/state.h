/*
 * What the FTP machine knows of one session, and the few steps that all of its
 * parts take: reply, forward, expect a reply, close. The parts change this
 * struct; outside ftp-alg/ it is opaque, and machine.h has what to ask it.
 */
#ifndef ATTLSD_FTP_ALG_STATE_H
#define ATTLSD_FTP_ALG_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ftp-alg/local-reply.h"
#include "ftp-alg/offered.h"
#include "ftp-alg/out.h"
#include "ftp-alg/representation.h"
#include "ftp-alg/security.h"
#include "ftp-alg/verb.h"
#include "ftp-alg/ways.h"
#include "policy/ftp-action.h"
#include "policy/ip.h"

enum ftp_take {
	FTP_TAKEN = 0,
	FTP_HOLD, /* not now: offer the same line again after the next event */
};

enum ftp_side { FTP_SIDE_CLIENT = 0, FTP_SIDE_SERVER };

/* Facts without an argument. */
enum ftp_signal {
	FTP_SIGNAL_SERVER_DOWN,	      /* the server cannot be reached */
	FTP_SIGNAL_SERVER_LOST,	      /* it closed or reset the control connection */
	FTP_SIGNAL_SERVER_UNFINISHED, /* it has begun a multi-line reply and has not ended it in time */
	FTP_SIGNAL_TLS_UP,	      /* the handshake that FTP_DO_TLS_START asked for is done */
	FTP_SIGNAL_TLS_UNBOUND,	      /* and no data connection could be bound to it, which policy wants */
	FTP_SIGNAL_TLS_SAFE,	      /* and its cipher does not encrypt, which policy wants */
	FTP_SIGNAL_SERVER_TLS_UP,     /* the handshake that FTP_DO_SERVER_TLS_START asked for is done */
	FTP_SIGNAL_SERVER_TLS_FAILED, /* it failed, or the server is not who policy wants */
	FTP_SIGNAL_SERVER_INJECTED,   /* bytes of the server's came in the clear before the handshake */
	FTP_SIGNAL_LOGIN_TIMEOUT,
	FTP_SIGNAL_IDLE_TIMEOUT,
	FTP_SIGNAL_SHUTDOWN,	  /* end as soon as no transfer is running */
	FTP_SIGNAL_STOPPED,	  /* end now, even during a transfer */
	FTP_SIGNAL_DISMISSED,	  /* an operator ends this session now, even during a transfer */
	FTP_SIGNAL_SERVER_SILENT, /* the server has owed an answer for too long (INACTTIME) */
};

/* How the data part of a transfer ended. */
enum ftp_data_result {
	FTP_DATA_PENDING = 0,
	FTP_DATA_OK,	    /* every byte arrived and both ends were closed in order */
	FTP_DATA_NO_CLIENT, /* could not connect to the client, or it did not dial */
	FTP_DATA_NO_SERVER, /* could not connect to the server, or it did not dial */
	FTP_DATA_TLS,	    /* the TLS handshake with the client failed */
	/* it succeeded, but resumed no session of this control connection: the client offered none, */
	FTP_DATA_NOT_REUSED,
	FTP_DATA_TICKET_UNKNOWN,     /* or one that the gateway does not know any more, */
	FTP_DATA_TICKET_OTHER,	     /* or that of another control connection, */
	FTP_DATA_TICKET_EXPIRED,     /* or one that is too old, */
	FTP_DATA_TICKET_UNFIT,	     /* or one that could not be resumed for another reason */
	FTP_DATA_NO_EXTENDED_SECRET, /* the same, or it failed: TLS 1.2 without extended master secret */
	FTP_DATA_NOT_PRIVATE,	     /* its cipher does not encrypt, and policy wants that */
	FTP_DATA_CERTIFICATE,	     /* it used another client certificate than the control connection */
	FTP_DATA_SERVER_TLS,	     /* the TLS handshake with the server failed */
	FTP_DATA_SERVER_NOT_REUSED,  /* it resumed no session of the control connection, which policy wants */
	FTP_DATA_CUT,		     /* the client ended without close_notify */
	FTP_DATA_SERVER_CUT,	     /* the server did */
	FTP_DATA_UNFINISHED,	     /* MODE B: whoever sends has ended before the block that ends the file */
	FTP_DATA_GSSAPI,	     /* a block of the client's failed the check of GSSAPI */
	FTP_DATA_GSSAPI_CUT,	     /* the client ended without an empty token */
	FTP_DATA_CLIENT_LOST,
	FTP_DATA_SERVER_LOST,
	FTP_DATA_STALLED,
	FTP_DATA_ABORTED, /* FTP_DO_DATA_ABORT was carried out */
};

enum ftp_login { FTP_LOGIN_NONE = 0, FTP_LOGIN_USER, FTP_LOGIN_NEED_PASS, FTP_LOGIN_DONE };

/* What the server's next replies will answer. */
enum ftp_pending {
	FTP_PENDING_NONE = 0,
	FTP_PENDING_GREETING, /* the first 220 */
	FTP_PENDING_RENEWED,  /* a new server connection's 220, which the client does not see */
	FTP_PENDING_REIN,     /* the same, which answers the client's REIN */
	FTP_PENDING_PLAIN,
	FTP_PENDING_USER,
	FTP_PENDING_PASS,
	FTP_PENDING_FEAT,
	FTP_PENDING_PLAN, /* the gateway's own EPSV, PASV, EPRT or PORT */
	FTP_PENDING_TRANSFER,
	FTP_PENDING_STAT, /* a side command, see side-reply.h */
	FTP_PENDING_ABOR, /* ABOR without a transfer */
	FTP_PENDING_QUIT,
	FTP_PENDING_USER_CERTIFICATE, /* the gateway logs a user in with a stored credential */
	FTP_PENDING_PASS_CERTIFICATE,
	FTP_PENDING_HOST,   /* differs from PLAIN only where the greeting is hidden */
	FTP_PENDING_SYST,   /* differs from PLAIN only at REPLYSECURITYLEVEL 1 */
	FTP_PENDING_STATUS, /* STAT without an argument, likewise */
	/* the gateway's own commands, whose replies the client does not see */
	FTP_PENDING_HOST_TOLD, /* HOST, for late-choice.c */
	FTP_PENDING_FOLDER,    /* PWD, for access.c */
	/* the same, for server-tls.c */
	FTP_PENDING_SERVER_AUTH,
	FTP_PENDING_SERVER_HANDSHAKE, /* FTP_SIGNAL_SERVER_TLS_UP is to come, and no reply */
	FTP_PENDING_SERVER_PBSZ,
	FTP_PENDING_SERVER_PROT,
	FTP_PENDING_SERVER_CCC,
	FTP_PENDING_SERVER_NOOP, /* the first line in the clear after CCC */
};

/* Which command the open reply answers. */
enum ftp_answers {
	FTP_ANSWERS_PENDING = 0, /* the command that is pending */
	FTP_ANSWERS_SIDE,	 /* a side command */
	FTP_ANSWERS_LATE,	 /* a command that the gateway no longer waits for */
	FTP_ANSWERS_NOBODY,	 /* none: the client gets the reply, and nothing else changes */
};

/* Commands with answers out of order: side commands, and a transfer with a late reply. See side-reply.h. */
enum ftp_side_reply {
	FTP_SIDE_REPLY_NOOP = 0,
	FTP_SIDE_REPLY_STAT,
	FTP_SIDE_REPLY_ABOR,
	FTP_SIDE_REPLY_TRANSFER, /* only with FTP_ANSWERS_LATE */
	FTP_SIDE_REPLY_KINDS
};

struct ftp_answer {
	enum ftp_answers whom;
	enum ftp_side_reply kind; /* with FTP_ANSWERS_SIDE and FTP_ANSWERS_LATE */
};

/* How likely is it that the transfer's last reply was matched to another command? */
enum ftp_side_doubt {
	FTP_SIDE_DOUBT_NONE = 0,
	FTP_SIDE_DOUBT_WEAK,   /* a side command was refused, with a code that may also end a transfer */
	FTP_SIDE_DOUBT_STRONG, /* a 200 came before any 1yz, or a 1yz came after the data connection failed */
	FTP_SIDE_DOUBT_ABORTED, /* ABOR got a 2yz */
	FTP_SIDE_DOUBT_CERTAIN, /* ABOR got a 225, which servers send last */
};

#define FTP_SIDE_RUNS 16

/* Unanswered side commands of one kind, sent one after the other. */
struct ftp_side_run {
	enum ftp_side_reply kind;
	uint16_t n;
};

/* The side commands without an answer. Only side-reply.c writes this. */
struct ftp_side_replies {
	struct ftp_side_run runs[FTP_SIDE_RUNS]; /* oldest first */
	uint8_t nruns;
	uint16_t late[FTP_SIDE_REPLY_KINDS]; /* missing answers that the gateway no longer waits for */
	enum ftp_data_result late_result;    /* how the data of the transfer in late[] ended */
	enum ftp_side_doubt doubt;
	bool waiting; /* the time that FTP_DO_SIDE_WAIT started is running */
	bool due;     /* it is over: the next command may go to the server */
};

/* The TLS handshake of the client's data connection, before the transfer command goes to the server. */
enum ftp_handshake {
	FTP_HANDSHAKE_NONE = 0, /* it has not begun, or need not be awaited */
	FTP_HANDSHAKE_RUNNING,	/* it may still fail: uploads wait */
	FTP_HANDSHAKE_DECIDED,	/* it has succeeded */
};

/* How the client asked for its data connection. */
enum ftp_client_mode {
	FTP_CLIENT_NONE = 0,
	FTP_CLIENT_PASV,
	FTP_CLIENT_EPSV,
	FTP_CLIENT_PORT,
	FTP_CLIENT_EPRT
};

enum ftp_plan_state {
	FTP_PLAN_NONE = 0,
	FTP_PLAN_LISTENING_SERVER, /* waiting for our port that the server will dial */
	FTP_PLAN_ASKED,		   /* the server has been asked */
	FTP_PLAN_LISTENING_CLIENT, /* waiting for our port that the client will dial */
	FTP_PLAN_PRIMING, /* the first half of the 227 or 229 is on its way, see ftp_machine_listening() */
	FTP_PLAN_READY,
};

enum ftp_transfer_state {
	FTP_TRANSFER_NONE = 0,
	FTP_TRANSFER_ASKED,   /* the command is with the server */
	FTP_TRANSFER_GOING,   /* data may flow */
	FTP_TRANSFER_WAITING, /* the file is in use; the server will be asked again (DSWAITTIME) */
	FTP_TRANSFER_OVER,    /* the data has ended; the transfer's last reply has not come */
};

/* A login is tried only when it is the source's turn, so that guessing passwords takes time. */
enum ftp_login_turn {
	FTP_LOGIN_TURN_NONE = 0,
	FTP_LOGIN_TURN_ASKED, /* FTP_DO_LOGIN_ASK; the line is held */
	FTP_LOGIN_TURN_OURS,  /* until the login succeeds or fails, or the server wants more */
};

/* FTCHKPWD: may the user that the server has been told log in? */
enum ftp_check {
	FTP_CHECK_NONE = 0, /* nobody has been asked */
	FTP_CHECK_ASKED,    /* FTP_DO_LOGIN_CHECK; a line or a reply is held */
	FTP_CHECK_ALLOWED,
	FTP_CHECK_DENIED,
	FTP_CHECK_FAILED, /* there is no answer, which denies */
};

/* Asking again for a file that is in use (DSWAITTIME). */
struct ftp_retry {
	bool allowed;	 /* of this transfer: its command may be sent a second time */
	bool due;	 /* the refusal that is being read leads to another attempt */
	bool begun;	 /* there was such a refusal: attempts_left counts */
	bool open;	 /* a 125- reply is open towards the client */
	bool replanning; /* the data plan is being made anew for another attempt */
	uint32_t attempts_left;
	uint32_t wait_left_s; /* until the next attempt, after the pause that runs */
};

/* TLS toward the server. Only server-tls.c writes this. */
struct ftp_server_tls {
	const struct server_security *security; /* NULL: the server speaks no TLS */
	enum ftp_ctrl ctrl;
	enum ftp_pending greeted; /* what the greeting answers that came before the handshake */
	bool pbsz;		  /* PBSZ has been sent */
	bool prot_known;	  /* `prot` is in force: policy or the server says so */
	enum ftp_prot prot;
	enum ftp_prot asked; /* the level of the PROT that is pending */
	uint8_t refused;     /* levels that the server has refused: bits 1 << FTP_PROT_ */
	bool leaving;	     /* the level is being settled for CCC */
	bool ccc_tried;
};

/* What became of FTP_DO_GSSAPI_ACCEPT. */
enum ftp_adat {
	FTP_ADAT_REFUSED = 0,
	FTP_ADAT_BAD,  /* not base64 */
	FTP_ADAT_MORE, /* the client has to send another token */
	FTP_ADAT_DONE, /* there is a security context */
};

/* Why a protected command cannot be read. */
enum ftp_envelope {
	FTP_ENVELOPE_BAD = 0,  /* not base64 */
	FTP_ENVELOPE_REFUSED,  /* not a token of this context */
	FTP_ENVELOPE_SEQUENCE, /* one is missing before it, or it was there before: an attack */
};

/* Who the client is, as far as TLS or Kerberos shows. All zero: unknown. */
struct ftp_identity {
	bool certificate;	 /* it has presented a certificate that policy accepts */
	const char *user;	 /* the user that the certificate or principal belongs to; NULL: none */
	bool service;		 /* and the user may use this service (SERVAUTH) */
	const char *password;	 /* the user's stored credential; NULL: none */
	const char *server_name; /* SNI; NULL: none */
};

/* How ABOR goes to the server during a transfer. */
enum ftp_abort {
	FTP_ABORT_AUTO = 0, /* urgently to descendants of BSD's ftpd, see urgent.c */
	FTP_ABORT_URGENT,   /* after IAC IP, IAC DM with urgent data */
	FTP_ABORT_PLAIN,    /* as a line */
};

struct ftp_access_state;

/* Of users and hosts that choose a server. */
#define FTP_LATE_NAME_MAX 255

/* What decides about the server at USER, see late-choice.h. Only late-choice.c writes it. */
struct ftp_late_choice {
	bool takes_host;		  /* HOST decides, so the gateway answers it; the caller says so */
	char host[FTP_LATE_NAME_MAX + 1]; /* of the last HOST; "": none */
	bool host_told;			  /* the server that is connected knows it */
	char user[FTP_LATE_NAME_MAX + 1]; /* whom the connection to the server is for */
};

struct ftp_machine_setup {
	const struct ftp_action *action;
	struct ftp_access_state *access; /* all zero, and the caller's; needed if the action has `access` */
	/* What policy says while its refusals are only noted (FTP_DO_WOULD_REFUSE), and `action` is laxer.
	 * NULL: `action` is what it says */
	const struct ftp_action *audited;
	const struct name_list *permitted; /* VERIFYUSER: the users that may log in to this server */
	const char *banner; /* lines that begin with "220-", CR LF between them; NULL: none. The caller's */
	struct ip_endpoint client; /* the control connection's peer */
	struct ip_addr server;	   /* where the server's control connection is */
	bool implicit;		   /* arrived on a secure port */
	uint8_t modes;		   /* FTP_MODE_ bits that policy allows towards the server */
	bool low_ports;		   /* the server may name a data port below 1024 */
	struct ftp_ways *ways;	   /* which ways work with this server: read and written; NULL: own_ways */
	uint8_t failures;	   /* recent failed logins from the same source */
	uint32_t side_reply_ms;	   /* how long an unanswered side command holds the next command */
	uint32_t command_line_max; /* the longest line to the server, without CRLF; 0: the default of 510 */
	enum ftp_abort abort;	   /* how ABOR goes to the server */
	const struct server_security *server_security; /* NULL: the server speaks no TLS */
	bool drops_strays; /* stray_replies: drop. False: a line that answers no command ends the session */
	bool clear_only;   /* the listener has no TLS: clients are offered none */
	/*
	 * The gateway greets the client itself, see ftp_machine_greet(). It dials the
	 * server (FTP_DO_SERVER_RENEW) when a command needs it: after the handshake, if
	 * the client asks for TLS first. For servers whose PROXY header includes TLS
	 * details.
	 */
	bool lazy_dial;
	/*
	 * With lazy_dial: the user decides which server is dialled, and the text of FTP_DO_SERVER_RENEW
	 * is its name. All zero but takes_host, and the caller's. NULL: it is always the same one.
	 */
	struct ftp_late_choice *late_choice;
};

struct ftp_machine {
	struct ftp_access_state *access;  /* NULL: there is none. Only access.c writes it */
	const struct ftp_action *action;  /* in force, for this user */
	const struct ftp_action *audited; /* what policy says for this user, if its refusals are only noted */
	const struct ftp_action *usual;	  /* what it says for users that per_user does not name */
	const struct ftp_action *former;  /* what it says for the user before, while another USER is tried */
	uint8_t noted;			  /* FTP_DO_WOULD_REFUSE: bits of 1 << enum ftp_would */
	const struct name_list *permitted;
	const char *banner;
	struct ip_endpoint client;
	struct ip_addr server_addr;
	uint8_t modes;
	bool low_ports;
	struct ftp_ways *shared_ways; /* NULL: own_ways */
	struct ftp_ways own_ways;
	enum ftp_abort abort;
	bool bsd; /* the server's greeting is that of a descendant of BSD's ftpd */
	uint32_t side_reply_ms;
	uint32_t command_line_max;

	struct ftp_representation representation; /* that is in force for data */
	struct ftp_offered offered;		  /* verbs that the server's FEAT has named */
	struct ftp_security security;		  /* of the client's connections */
	struct ftp_server_tls server_tls;
	enum ftp_login login;
	bool greeted_in; /* the server's greeting was 230: no USER is needed */
	bool user_seen;	 /* the server has received a USER or greeted with 230: AUTH and REIN need a new
			    connection */
	bool told;	 /* the server has received a command that may stay in force: likewise for AUTH */
	bool drops_strays;
	bool lazy_dial;
	bool undialled;			     /* lazy_dial: there is no connection to the server now */
	struct ftp_late_choice *late_choice; /* NULL: the server is always the same one */
	bool epsv_all;
	bool draining;
	bool closing;
	enum ftp_login_turn login_turn;
	enum ftp_check check;
	const char *check_text; /* of a denial, for the client; the caller's */
	uint8_t failures;	/* failed logins, of this session and lately of its source */
	uint8_t failures_here;
	bool was_in; /* logged in when the USER came that is being answered */
	struct ftp_identity identity;
	uint8_t renewals; /* of the server's connection */
	uint8_t strikes;  /* malformed or refused lines in a row */
	uint32_t preface; /* bytes of text that the server sent before its greetings */

	enum ftp_pending pending; /* commands go one at a time */
	struct ftp_side_replies side;
	struct ftp_answer answer; /* which command the open reply answers */
	uint8_t changes;	  /* the pending command changes something, if the server agrees */
	bool reply_open;	  /* more lines of it follow: nothing else may be sent between them */
	bool stray;		  /* the open reply answers no command, and the client does not see it */
	bool line_shown;	  /* the client sees the line that is being read: pass on all its pieces */
	uint16_t shown;		  /* code of the reply that the client has got in part; 0: none */
	bool shown_in_line;	  /* and its last line in part only */
	enum ftp_local instead;	  /* drop the lines of the open reply, and send this at its end instead */

	enum ftp_plan_state plan;
	enum ftp_client_mode client_mode;
	bool clear_spoken;	       /* a reply has gone out in the clear since CCC */
	struct ip_endpoint advertised; /* the endpoint in the second half of a primed 227 or 229 */
	uint16_t server_port;	       /* from the server's 227 or 229; 0: none yet */
	struct ip_addr server_named;   /* the address in a 227, which is not used; IP_NONE: in none */
	uint8_t server_mode;	       /* the FTP_MODE_ that is being tried, or that the server accepted */
	uint8_t tried;		       /* the FTP_MODE_ bits that failed in this plan */
	bool no_port;		       /* one of them failed because the reply had no usable port */
	bool kept;		       /* the data connection is up from an earlier transfer (MODE B and C) */
	bool replacing; /* another way to the server is being tried; the client's leg stays as it is */
	bool dialling;	/* a transfer command waits for the connection to the server's data port */
	bool unreached; /* the server's data port cannot be reached, and no other way has been tried yet */
	bool no_server; /* no way to the server's data port works */
	struct ip_endpoint client_target; /* active client: what PORT or EPRT named */

	enum ftp_transfer_state transfer;
	enum ftp_data_result
	    result;   /* of the transfer; before it, of a handshake that began before the transfer command */
	bool failing; /* the server says that the transfer failed; FTP_DO_DATA_FAILED was sent */
	bool agreed;  /* it says that all is well; FTP_DO_DATA_AGREED was sent, if somebody waits for it */
	enum ftp_handshake handshake; /* of the client's data connection, before the transfer */
	bool opened; /* the client has got a 150 of the gateway's; the server's is not shown */

	bool
	    restart; /* REST was sent on: the next transfer starts at its offset, another attempt would not */
	struct ftp_retry retry;
};

/* Is a transfer under way (the idle timer stands still, a drain waits)? */
static inline bool ftp_machine_in_transfer(const struct ftp_machine *machine)
{
	return machine->transfer != FTP_TRANSFER_NONE;
}

/* Is the machine waiting for the client to send something? */
static inline bool ftp_machine_is_idle(const struct ftp_machine *machine)
{
	return machine->pending == FTP_PENDING_NONE && machine->transfer == FTP_TRANSFER_NONE &&
	       (machine->side.nruns == 0 || machine->side.due);
}

/* Is PROT P of TLS in force for the next data connection? */
static inline bool ftp_machine_protects_data(const struct ftp_machine *machine)
{
	return machine->security.prot == FTP_PROT_PRIVATE && !machine->security.gssapi;
}

/* Is it the server that speaks? Not if policy wants TLS with it and there is none yet. */
static inline bool ftp_machine_trusts_server(const struct ftp_machine *machine)
{
	return machine->server_tls.security == NULL || machine->server_tls.ctrl != FTP_CTRL_CLEAR;
}

/* What one of the parts makes of a command. */
enum machine_step {
	MACHINE_RUNS = 0, /* nothing stands in its way: go on with it */
	MACHINE_ANSWERED, /* it is done with, or refused: nothing more */
	MACHINE_WAITS,	  /* hold it: something has to happen first */
};

/* Greet the client: the banner, and a greeting of the gateway's own. */
void machine_answer_greeting(struct ftp_machine *machine, struct ftp_out *out);

/* Only the banner, before a reply of this code. */
void machine_answer_banner(const struct ftp_machine *machine, uint16_t code, struct ftp_out *out);

/* What policy says for the user that USER has named last. */
static inline const struct ftp_action *machine_said(const struct ftp_machine *machine)
{
	return machine->audited != NULL ? machine->audited : machine->action;
}

/* From now on it says this. */
static inline void machine_say(struct ftp_machine *machine, const struct ftp_action *action)
{
	*(machine->audited != NULL ? &machine->audited : &machine->action) = action;
}

/* Policy would have refused this, but is only audited. `action` is what it says; once a session for each key.
 */
void machine_note(struct ftp_machine *machine, enum ftp_local refusal, const struct ftp_action *action,
		  struct ftp_out *out);

/* Reply to the client with a text of the gateway's own. Returns the action. */
struct ftp_act *machine_answer(struct ftp_machine *machine, enum ftp_local answer, struct ftp_out *out);

/*
 * Reply (FTP_LOCAL_NONE: do not) and end the session; why: for the log, static. If
 * the client has only part of a reply, that reply is ended first. If it must not be
 * ended, the client gets nothing more, see ftp_machine_is_replying().
 */
void machine_close(struct ftp_machine *machine, enum ftp_local answer, const char *why, struct ftp_out *out);

/* A command goes to the server: expect a reply of this kind. */
void machine_expect(struct ftp_machine *machine, enum ftp_pending pending);

/* Forward a command as it came, and expect its reply. */
void machine_pass_on(struct ftp_machine *machine, const struct ftp_command *command, enum ftp_pending pending,
		     struct ftp_out *out);

/* End the 125 reply of a wait for a file in use, if one is open. */
void machine_close_125(struct ftp_machine *machine, struct ftp_out *out);

/* A line of the client is refused; too many in a row end the session. why: for the log, static. */
void machine_strike(struct ftp_machine *machine, const char *why, struct ftp_out *out);

/* A command line is answered or passed on. Before the login a refusal counts like a malformed line. */
void machine_count_strikes(struct ftp_machine *machine, struct ftp_out *out);

/*
 * May an answer still come that the gateway no longer waits for (side-reply.h)? Then a reply may be taken
 * for that of another command.
 */
bool machine_is_owed_late(const struct ftp_machine *machine);

#endif
