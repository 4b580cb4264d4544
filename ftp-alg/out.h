/*
 * What the machine wants done: a list of actions, in order.
 *
 * The caller owns one struct ftp_out, hands it to each machine function, carries
 * the actions out and resets it. Texts are borrowed: from the event's line, from
 * static text or from the list's own buffer, so they live until the reset or
 * until the event's window changes, whichever comes first.
 */
#ifndef ATTLSD_FTP_ALG_OUT_H
#define ATTLSD_FTP_ALG_OUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "policy/ip.h"

enum ftp_do {
	FTP_DO_NOTHING = 0,
	FTP_DO_REPLY,	  /* text to the client; the caller adds CRLF, unless goes_on is set */
	FTP_DO_COMMAND,	  /* text to the server; the caller adds CRLF */
	FTP_DO_TLS_START, /* once all replies are sent: handshake on the control connection */
	FTP_DO_TLS_STOP,  /* once all replies are sent: leave TLS. notify: send close_notify */
	/* TLS with the server begins now: the connection must hold no byte of the server's. Answer with
	   FTP_SIGNAL_SERVER_TLS_UP, _FAILED or FTP_SIGNAL_SERVER_INJECTED */
	FTP_DO_SERVER_TLS_START,
	FTP_DO_SERVER_TLS_STOP, /* the server has agreed to CCC: leave TLS with it. notify: send close_notify
				 */
	FTP_DO_GSSAPI_BEGIN,	/* AUTH GSSAPI was accepted: forget an earlier exchange, expect long lines */
	FTP_DO_GSSAPI_ACCEPT,	/* text: the argument of ADAT; answer with ftp_machine_adat() */
	FTP_DO_GSSAPI_STOP,	/* once all replies are sent: forget the security context */
	FTP_DO_SERVER_RENEW,  /* drop the connection to the server and dial again: this ends the user's login.
				 text: with setup.late_choice, the user that the server is chosen for */
	FTP_DO_SERVER_DROP,   /* drop the connection to the server; FTP_DO_SERVER_RENEW will dial it again */
	FTP_DO_LISTEN_CLIENT, /* open a port that the client will dial; answer with ftp_machine_listening() */
	FTP_DO_LISTEN_SERVER, /* open a port that the server will dial; answer likewise */
	FTP_DO_DIAL_CLIENT,   /* the client's data endpoint, to be dialled at FTP_DO_DATA_GO */
	FTP_DO_DIAL_SERVER,   /* the server's data endpoint; dial it once the client's leg is up or has an
				 endpoint, at FTP_DO_DATA_START at the latest */
	FTP_DO_DATA_DIAL, /* dial the server's leg now, unless it is up; answer with ftp_machine_dialled() */
	FTP_DO_DATA_SECURE, /* the client has got a 150: connect to it and protect its leg; text: the command.
			       Answer with ftp_machine_data_handshake() */
	FTP_DO_DATA_START,  /* the server was sent a transfer command. upload; protect: TLS with the client */
	FTP_DO_DATA_GO,	    /* the server has begun: connect, protect and move the data */
	FTP_DO_DATA_REFUSED, /* the server refused: keep what is open for the next transfer command */
	FTP_DO_DATA_DISMISS, /* it refused, and the client may be sending already: end that in order */
	FTP_DO_DATA_DOUBT,   /* after ABOR: the orderly end of the data does not mean that all has come */
	FTP_DO_DATA_TRUST,   /* ABOR was refused: undoes FTP_DO_DATA_DOUBT */
	/* the server says that the transfer failed: reset a download after all bytes that the server has
	   sent, and an upload at once, as FTP_DO_DATA_ABORT does */
	FTP_DO_DATA_FAILED,
	/* the server says that all is well: the end of a download under GSSAPI waits for it */
	FTP_DO_DATA_AGREED,
	FTP_DO_DATA_ABORT, /* reset both ends at once; answer with ftp_machine_data_done() */
	FTP_DO_DATA_CLOSE, /* close ports and connections of the data plan, drop its endpoints */
	FTP_DO_RETRY,	   /* send the transfer's command again, as FTP_DO_DATA_START had it */
	FTP_DO_SEGMENT,	   /* send the replies so far, and ftp_machine_resume() once the client has them */
	FTP_DO_PAUSE,	   /* offer no reply of the server's for `number` ms, then ftp_machine_resume() */
	FTP_DO_SIDE_WAIT,  /* call ftp_machine_side_due() in `number` ms; restarts a running timer */
	FTP_DO_LOG_SERVER_REFUSED, /* verb: one of the gateway's own commands; text: the server's refusal */
	FTP_DO_LOG_UNANSWERED,	   /* text: the command that the server did not answer in time */
	FTP_DO_STRAY,	    /* text: a line from the server that answers no command, for the log. refusal: it
			       ends the session */
	FTP_DO_STILL_IN,    /* a second USER was refused: the login before it stands */
	FTP_DO_LOGIN_ASK,   /* a login is to be tried: ftp_machine_login_go() when it is this source's turn.
			       text: the name, if the command gives one */
	FTP_DO_LOGIN_CHECK, /* ask whether the user of the last USER may log in; answer with
			       ftp_machine_login_checked() */
	FTP_DO_LOGIN_OVER,  /* the turn is over without a result: the server wants more, or was not asked */
	FTP_DO_CHANGED, /* the server has agreed to the last command, which changed something. number: enum
			   ftp_change */
	FTP_DO_LOGIN_HIDDEN, /* text: the server's reason for a refused login, which the client does not get
			      */
	FTP_DO_LOGIN_FAILED, /* text: who did not let the user in (server, certificate, stored-credential) */
	FTP_DO_USER,	     /* text: the name that the client gave with USER */
	FTP_DO_LOGGED_IN,    /* the server let the user in */
	FTP_DO_WOULD_REFUSE, /* policy refuses this, but is only audited. text: the reply; key, verb; number:
				enum ftp_would */
	FTP_DO_CLOSE,	     /* once all replies are sent: end the session. text: why, for the log */
};

struct ftp_act {
	enum ftp_do what;
	bool refusal;	     /* FTP_DO_REPLY: policy or the gateway says no, and the session goes on */
	bool goes_on;	     /* FTP_DO_REPLY: the next FTP_DO_REPLY continues this line */
	bool forwarded;	     /* FTP_DO_COMMAND: the client's own, not one of the machine's */
	bool urgent;	     /* FTP_DO_COMMAND: after Telnet's interrupt signal, as urgent data */
	bool notify;	     /* FTP_DO_TLS_STOP */
	bool upload;	     /* FTP_DO_DATA_START */
	bool binary;	     /* FTP_DO_DATA_START, FTP_DO_DATA_SECURE: TYPE I or L */
	char mode;	     /* FTP_DO_DATA_START, FTP_DO_DATA_SECURE: as ftp_representation_mode() */
	bool listing;	     /* FTP_DO_DATA_START: no file */
	bool protect;	     /* FTP_DO_DATA_START: TLS with the client */
	uint8_t gssapi;	     /* FTP_DO_DATA_START: enum ftp_prot under GSSAPI; number: PBSZ */
	bool clear;	     /* FTP_DO_REPLY: in the clear, since nobody may take it for another one */
	bool protect_server; /* FTP_DO_DATA_START: TLS with the server */
	/* FTP_DO_REPLY of the gateway's own, FTP_DO_LOGIN_FAILED, FTP_DO_CLOSE: the policy's key that
	   decided, as policy/policy-where.h writes it; static. NULL: none did */
	const char *key;
	uint32_t line; /* refusal: of the policy's entry that decided; 0: look the key up */
	const char
	    *why; /* refusal by `access`: what of the command it concerned, static; NULL: another key */
	const char *verb; /* refusal: of the command that is refused, static; "": none, or not one of FTP's */
	const char *text;
	size_t len;
	uint32_t number;
	struct ip_endpoint endpoint;
};

/* More than any one event leads to; asserted. */
#define FTP_OUT_MAX	 14
#define FTP_OUT_TEXT_MAX 8192

struct ftp_out {
	size_t n;
	size_t used;
	const char *verb; /* of the client's command that is being carried out; NULL: another event is */
	struct ftp_act acts[FTP_OUT_MAX];
	char text[FTP_OUT_TEXT_MAX];
};

/* Empty the list. Its own texts are wiped: a stored password may be among them. */
static inline void ftp_out_reset(struct ftp_out *out)
{
	explicit_bzero(out->text, out->used);
	out->n = 0;
	out->used = 0;
	out->verb = NULL;
}

/* Append one action and return it, zeroed but for `what`. */
struct ftp_act *ftp_out_add(struct ftp_out *out, enum ftp_do what);

/* The same with a borrowed text. */
struct ftp_act *ftp_out_text(struct ftp_out *out, enum ftp_do what, const char *text, size_t len);

/* The same with a text that is copied into the list. */
struct ftp_act *ftp_out_copy(struct ftp_out *out, enum ftp_do what, const char *text);

/* The same with a formatted text; what does not fit is cut off. */
struct ftp_act *ftp_out_format(struct ftp_out *out, enum ftp_do what, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
