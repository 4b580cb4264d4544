/*
 * The state of a session: the client's control connection, the one to its server, at
 * most one pair of data connections, and the timers. It owns all of them. The files
 * of the session share this; others see facts.h.
 */
#ifndef ATTLSD_GATEWAY_WORKER_SESSION_STATE_H
#define ATTLSD_GATEWAY_WORKER_SESSION_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ftp-alg/ftp-alg.h"
#include "gateway/base/habits.h"
#include "gateway/base/log.h"
#include "gateway/base/loop.h"
#include "gateway/base/util.h"
#include "gateway/gssapi/context.h"
#include "gateway/net/linebuf.h"
#include "gateway/net/stream.h"
#include "gateway/worker/changes.h"
#include "gateway/worker/context.h"
#include "gateway/worker/data-conn.h"
#include "gateway/worker/echo.h"
#include "gateway/worker/facts.h"
#include "gateway/worker/latest.h"
#include "gateway/worker/session-audit.h"
#include "gateway/worker/trace.h"

struct login_ask;
struct proxy_wait;

/* Bytes of one line of a reply to a client under GSSAPI, and what its protection may add. */
#define CONTROL_GSSAPI_LINE_MAX 4096
#define CONTROL_GSSAPI_OVERHEAD 256

/* What AUTH GSSAPI needs, from there on. */
struct control_gssapi {
	struct gssapi_context *context; /* NULL: the exchange is not over */
	uint64_t half;			/* of the exchange, see gssapi/request.h */
	enum ftp_prot level;		/* of replies; FTP_PROT_CLEAR: not yet, or after CCC */
	char principal[PRINCIPAL_MAX + 1];
	const char *user; /* of the policy, that the principal belongs to; NULL: none */
	size_t line_len;  /* of the reply's line that has begun */
	uint8_t line[CONTROL_GSSAPI_LINE_MAX];
};

/* How a line of the client came. */
struct envelope {
	enum ftp_prot level; /* FTP_PROT_CLEAR: as it is */
	bool faulty;	     /* it was in MIC, CONF or ENC, and cannot be read: */
	enum ftp_envelope fault;
};

/* A line of the client, taken out of its window. */
struct taken_line {
	struct ftp_line line;
	size_t at;
	enum ftp_line_status status;
	struct envelope envelope;
};

/*
 * The phase of the client's control connection. Its timer (phase_timer) runs in all
 * but PHASE_COMMANDS.
 */
enum session_phase {
	PHASE_COMMANDS = 0,    /* lines are taken; in the clear or under TLS */
	PHASE_PROXY_HEADER,    /* a load balancer's header is awaited */
	PHASE_PROXY_ADMISSION, /* the monitor is asked whether this client may come in */
	PHASE_FIRST_BYTE,      /* `tls: auto`: does the client begin with TLS? */
	PHASE_HANDSHAKE,
	PHASE_LEAVING_TLS, /* CCC: the way back to the clear, see control_tls_stop() */
	PHASE_CLIENT_EOF,  /* the client has closed; its earlier commands are still carried out */
};

/* Of the server's control connection. */
enum session_server {
	SERVER_NONE = 0,
	SERVER_CHOOSING, /* the monitor says which one */
	SERVER_ASKED,
	SERVER_DIALLING,
	SERVER_HANDSHAKE, /* of TLS, before the greeting or after it */
	SERVER_GREETING,
	SERVER_UP,
	SERVER_LEAVING_TLS, /* CCC: the way back to the clear, see server_tls_stop() */
};

/* Of a server of a backend that has several. Only server-choice.c writes this. */
struct server_choice {
	bool taken;	   /* the session has been given one */
	bool told;	   /* the monitor knows that it does not serve */
	bool settled;	   /* its greeting counts: there will be no other one */
	uint32_t left;	   /* how many the session has not had */
	bool anew;	   /* the last one does not count any more: another user wants one */
	uint32_t only;	   /* server_map: its index plus 1; 0: any */
	uint32_t map_line; /* that says so; 0: there is no map */
};

/* Of those addresses of a server that were dialled, the one that counts, see server_choice_dial_error(). */
struct dial_error {
	int r; /* a negative errno; 0: there is none yet */
	struct ip_addr at;
};

#define SESSION_USER_MAX 64
/*
 * Refusals that get a log line each; the others are only counted, so that no client
 * can fill the disk.
 */
#define SESSION_REFUSALS_LOGGED 10
/* The idle timer looks at a session for the first time after this time at the latest. */
#define SESSION_FIRST_LOOK_S 60
#define SESSION_MAGIC	     0x53455353u

struct session {
	struct session_node node;
	uint32_t magic;
	bool ended;	/* freed at the end of this turn */
	bool logged_in; /* and the monitor was told */
	bool counted;	/* by session_count_start() */
	unsigned counted_state;
	bool probe;   /* a health check: it has no server, and its lines are for debugging */
	bool running; /* control_run() is running, and will see what happens meanwhile */
	struct worker *worker;
	struct facts facts;
	struct trace_session traced;
	uint32_t lines_from_server, lines_to_client; /* in the trace, see trace_reply_begins() */
	bool reply_goes_on; /* to the client: the line has begun, and the trace has its beginning */
	struct tlsctx_sessions tls_sessions;
	struct habits habits;	       /* of the client; the user and the certificate follow at the end */
	struct control_gssapi *gssapi; /* NULL: the client has not asked for it */
	struct proxy_wait *proxy_wait; /* in PHASE_PROXY_HEADER */
	bool begins_after_tls;	       /* the server is dialled, or the client greeted, after the handshake */

	struct stream client;
	struct inbuf client_in;
	struct taken_line held; /* the machine holds it; `at` is the offset of its text */
	bool holding;
	bool lines_left; /* the last run of the engine took as many lines as it may */
	bool spoke;	 /* the client has sent something */
	bool skipping;	 /* inside an overlong line */
	bool quitting; /* the client sent QUIT after an upload and closed: complete the upload, then send QUIT
			*/
	enum session_phase phase;
	uint64_t ticket_ms;			/* when the client got its last session ticket */
	bool may_turn_implicit;			/* `tls: auto`: nothing has been read from the client */
	void (*begin)(struct session *session); /* after PHASE_FIRST_BYTE */
	watch_fn *after_first_byte;
	uint32_t failures; /* recent failed logins of the source when the session began */
	bool notify_due;   /* after CCC: our close_notify is still to be sent */

	struct stream server;
	struct inbuf server_in;
	struct ftp_reply_parser parser;
	enum session_server server_state;
	bool server_eof;
	size_t address_at, addresses_tried; /* see control-dial.c */
	struct dial_error dial_error;
	struct server_choice choice;
	size_t junk_bytes; /* that came instead of its greeting */

	struct ftp_ways *ways; /* of the server, in the worker's memory; NULL: there was no room */
	struct ftp_machine machine;
	struct ftp_access_state *access;     /* of the machine; NULL: the policy restricts no paths */
	struct ftp_late_choice *late_choice; /* likewise; NULL: the backend has no server_map */
	struct data_conn data;

	struct timer phase_timer;
	struct timer server_timer;   /* dial, TLS and greeting, then see control_reply_timeout() */
	char end_like[64];	     /* the line after which it runs then */
	uint32_t segment_ms;	     /* how long FTP_DO_SEGMENT has waited; 0: it is not */
	struct timer pause_timer;    /* FTP_DO_PAUSE */
	struct timer side_timer;     /* FTP_DO_SIDE_WAIT */
	struct timer idle_timer;     /* login, then inactivity */
	struct timer progress_timer; /* see progress-log.h */
	uint64_t active_ms;	     /* the client's last command, or the end of a transfer */
	uint64_t heard_ms;	     /* the last command to the server, or byte from it */
	uint64_t started_ms;
	uint64_t dialled_ms; /* when the server was dialled last */
	uint64_t connected_ms;
	uint64_t awaited_ms; /* how long the client has waited for greetings */

	bool others_wait;      /* for this session's login to be decided, see MSG_LOGIN_GO */
	struct login_ask *ask; /* login_check: about the user of the last USER; NULL: nobody is asked */
	struct changes changes;
	struct latest latest;
	struct session_summary summary;
	const char *line; /* of the client, while it is carried out; NULL: none is */
	size_t line_len;
	struct echo echo;     /* of the last PASS or ACCT, until it is answered */
	bool secret_sent;     /* the last command to the server may hold a password, */
	bool word_sent;	      /* and it is not known which of its words is one */
	const char *ended_by; /* the policy's key that ends the session; static. NULL: none does */
	uint32_t refusals;    /* commands that the gateway refused */
	uint32_t strays;      /* lines from the server that answered no command */

	char user[SESSION_USER_MAX];	   /* that has logged in */
	char login_name[SESSION_USER_MAX]; /* of the last USER */
	struct deferred deferred;
};

/* Has the session no machine yet? */
static inline bool session_has_not_begun(const struct session *session)
{
	return session->phase == PHASE_PROXY_HEADER || session->phase == PHASE_PROXY_ADMISSION ||
	       session->phase == PHASE_FIRST_BYTE;
}

/* Of the lines that tell of its beginning and end. */
static inline enum log_level session_level(const struct session *session)
{
	return session->probe ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO;
}

static inline bool session_awaits_proxy(const struct session *session)
{
	return session->phase == PHASE_PROXY_HEADER || session->phase == PHASE_PROXY_ADMISSION;
}

/* When to look at the idle timer's limits first; later it knows itself. */
static inline uint64_t session_first_look_ms(const struct session *session)
{
	const struct ftp_action *ftp = session->facts.rule->ftp;
	uint64_t look_s = SESSION_FIRST_LOOK_S;

	if (ftp->inactive_s != 0 && ftp->inactive_s < look_s)
		look_s = ftp->inactive_s;
	if (ftp->inacttime_s < look_s)
		look_s = ftp->inacttime_s;
	return look_s * 1000;
}

/* The session of an entry of the table, which may be NULL. */
static inline struct session *session_of(struct session_node *node)
{
	return node == NULL ? NULL : CONTAINER_OF(node, struct session, node);
}

#endif
