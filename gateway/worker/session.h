/*
 * A session: one control connection of a client, the one to the server behind
 * it, at most one data connection pair, and the timers. It owns all of them.
 */
#ifndef ATTLSD_GATEWAY_WORKER_SESSION_H
#define ATTLSD_GATEWAY_WORKER_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uthash.h>

#include "ftp-alg/ftp-alg.h"
#include "gateway/base/loop.h"
#include "gateway/base/msg.h"
#include "gateway/net/linebuf.h"
#include "gateway/net/stream.h"
#include "gateway/tls/identity.h"
#include "gateway/tls/tlsctx.h"
#include "gateway/worker/data.h"
#include "policy/policy.h"

struct proxy_wait;
struct worker;

/* Where the client's control connection stands with TLS. */
enum session_tls {
	SESSION_TLS_IDLE = 0, /* nothing under way, in the clear or established */
	SESSION_TLS_HANDSHAKE,
	SESSION_TLS_LEAVING, /* CCC: the way back to the clear, see control_tls_notify() */
};

/* Who the client is, when it comes through a load balancer. */
enum session_proxy {
	SESSION_PROXY_DONE = 0, /* known, or it came by itself */
	SESSION_PROXY_HEADER,	/* the header is awaited */
	SESSION_PROXY_ASKED,	/* the monitor is asked whether this client may come in */
};

enum session_server { SERVER_NONE = 0, SERVER_ASKED, SERVER_DIALLING, SERVER_GREETING, SERVER_UP };

#define SESSION_USER_MAX 64
/* Refusals that have a line each in the log; the others are counted, so that nobody fills a disk with them.
 */
#define SESSION_REFUSALS_LOGGED 10
/* For the server to be reached and to greet. */
#define SESSION_SERVER_MS 30000
#define SESSION_MAGIC	  0x53455353u

struct session {
	uint32_t magic;
	bool ended;	/* buried at the end of this turn */
	bool logged_in; /* the monitor knows */
	bool running;	/* control_run() is at work: what happens meanwhile it will see */
	struct worker *worker;
	uint64_t id;
	const struct policy_listener *listener;
	const struct policy_rule *rule; /* NULL: not known yet */
	struct tlsctx *tlsctx;
	uint8_t binding[TLS_BINDING_BYTES];
	struct ip_endpoint remote; /* the client */
	struct ip_endpoint local;  /* what it dialled */
	struct ip_endpoint behind; /* the server behind the gateway */
	struct ip_addr own;	   /* this host's end, which is not `local` behind a load balancer */
	bool proxied;		   /* a header has told who the client is */
	enum session_proxy proxy;
	struct proxy_wait *proxy_wait; /* with SESSION_PROXY_HEADER */
	bool dial_behind_tls;	       /* the server is dialled when the handshake is done */
	bool transparent;	       /* the listener is: we speak with the addresses of others */

	struct stream client;
	struct inbuf client_in;
	struct ftp_line held; /* a line that the machine did not take yet; its text as offset in `held_at` */
	size_t held_at;
	enum ftp_line_status held_status;
	bool holding;
	bool client_eof; /* the client will say nothing more */
	bool skipping;	 /* inside an overlong line */
	enum session_tls tls;
	bool notify_due; /* after CCC: our close_notify is still to be sent */

	struct stream server;
	struct inbuf server_in;
	struct ftp_reply_parser parser;
	enum session_server server_state;
	bool server_eof;

	struct ftp_machine machine;
	struct identity identity; /* of the client, by its certificate */
	struct data data;

	struct timer tls_timer;
	struct timer server_timer; /* dial and greeting */
	uint32_t segment_ms;	   /* how long FTP_DO_SEGMENT has waited; 0: it is not */
	struct timer pause_timer;  /* FTP_DO_PAUSE */
	struct timer idle_timer;   /* login, then inactivity */
	uint64_t active_ms;	   /* when the client last said something, or a transfer ended */
	uint64_t heard_ms;	   /* when the server was last asked, or said something */
	uint64_t started_ms;

	uint32_t refusals; /* commands that the gateway said no to */

	char user[SESSION_USER_MAX];  /* who has logged in */
	char asked[SESSION_USER_MAX]; /* who wants to */
	struct deferred deferred;
	struct session *next, *prev;
	UT_hash_handle hh; /* by id */
};

/* Serve a connection that the monitor handed over. *fd becomes the session's (and -1) in any case. */
void session_start(struct worker *worker, const struct msg *msg, int *fd);

/* Has the server owed an answer for longer than this, while nothing moves? */
bool session_is_stuck(const struct session *session, uint64_t limit_ms);

/* From proxy.c: it is known who the client is, and he may come in. `failures` as in struct msg. */
void session_begin(struct session *session, uint32_t failures);

/* The worker drains: end as soon as no transfer is running. */
void session_shutdown(struct session *session);

/* An operator has ordered its end: the client is told, a transfer is cut off. */
void session_dismiss(struct session *session);

/* End now; reason is for the log. Both control connections are closed, the client's in order if that is
 * possible. */
void session_end(struct session *session, const char *reason);

/* From the worker: the monitor's answer to MSG_SOCKET, MSG_ANNOUNCE or MSG_SESSION_SOURCE. *fd becomes the
 * session's, or stays.
 */
void session_granted(struct session *session, const struct msg *msg, int *fd);

/* From data.c: a port is open for one side (NULL: none could be had). */
void session_listening(struct session *session, enum ftp_side side, const struct ip_endpoint *endpoint);

/* From data.c: the data part is over. */
void session_data_done(struct session *session, enum ftp_data_result result);

#endif
