/*
 * Messages between the monitor and a worker, all of one size, so that no reassembly
 * code runs with privilege.
 *
 * Orders go to the worker through a socket, with at most one descriptor each.
 * Reports go to the monitor through a pipe, which carries no descriptors: closing one
 * can block for as long as its sender likes (SO_LINGER).
 */
#ifndef ATTLSD_GATEWAY_BASE_MSG_H
#define ATTLSD_GATEWAY_BASE_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/habits.h"
#include "gateway/base/login-question.h"
#include "gateway/base/session-filter.h"
#include "gateway/base/ticket-seeds.h"
#include "gateway/base/ticket-sets.h"
#include "policy/ip.h"

/* The receiver of a message. msg.def has all types, each with its receiver. */
enum msg_receiver { MSG_TO_NOBODY = 0, MSG_TO_WORKER, MSG_TO_MONITOR };

enum msg_type {
	MSG_NONE = 0,
#define MSG(type, receiver, descriptor) type,
#include "gateway/base/msg.def"
#undef MSG
	MSG_TYPE_COUNT
};

/*
 * Who asks, in order of rights: the operator may do most. The monitor limits the connections of each
 * kind separately, so that one kind cannot use up those of another.
 */
enum msg_asker {
	ASKER_OPERATOR = 0, /* root, or the user that started attlsd */
	ASKER_MEMBER,	    /* of daemon.control_group */
	ASKER_HTTP,	    /* the HTTP process */
	ASKERS
};

/* RFC 959 3.2: the server's end of an active data connection. */
#define FTP_DATA_PORT 20

/* The purpose for which a session needs a socket that workers cannot bind; all but the last: a transparent
 * one. */
enum msg_purpose {
	PURPOSE_NONE = 0,
	PURPOSE_SERVER,		    /* dial the server from the client's address */
	PURPOSE_DATA_DIAL_SERVER,   /* the same for data */
	PURPOSE_DATA_LISTEN_SERVER, /* be dialled by the server at the client's address */
	PURPOSE_DATA_LISTEN_CLIENT, /* be dialled by the client at the server's address */
	PURPOSE_DATA_DIAL_CLIENT,   /* dial the client from the server's address, port 20 or the lower one */
	PURPOSE_DATA_DIAL_LOWER,    /* dial the client from the control connection's port minus one */
};

/* A server to be checked, by the places that the policy of the worker's generation gives it. */
struct msg_check {
	uint32_t backend, server;
};

/* Every message is one of these; fields that a type does not use are zero. */
struct msg {
	uint32_t type;	      /* enum msg_type */
	uint32_t listener;    /* MSG_SESSION: index in policy.listeners */
	uint64_t session;     /* MSG_SESSION*: its number, unique over restarts */
	uint32_t failures;    /* MSG_SESSION: failed logins from this source lately */
	uint32_t failure;     /* MSG_SERVER_FAILED, MSG_CHECK_FAILED: enum server_failure */
	uint32_t delay_ms;    /* MSG_LOGIN_ASK: after the first failure; doubles with each one */
	uint32_t others_wait; /* MSG_LOGIN_GO: ring when the login is decided, others may wait for that;
				 MSG_SERVER: how many servers the session has not had */
	uint32_t purpose;     /* MSG_SOCKET*: enum msg_purpose; MSG_AUDIT: enum audit_kind; MSG_PLAN: index in
				 policy.ftp_actions; MSG_LOGIN_CHECK: in policy.rules; MSG_SERVER_ASK: of the only
				 server that server_map lets the session have, plus 1, or 0 */
	uint32_t serial;      /* MSG_SOCKET*, MSG_ANNOUNCE*, MSG_PLAN*: the worker's, returned in the answer;
				 MSG_TICKET_*: index in policy.tls_actions; MSG_SERVER_ASK: in
				 policy.backends; MSG_SERVER: of the server in the backend; MSG_CHECK*: the
				 monitor's, returned in the report */
	uint32_t active;      /* MSG_ANNOUNCE: the gateway dials; MSG_TRACE: with the progress of transfers;
				 MSG_CHECK: log a failure; MSG_SERVER_ASK: for another login */
	uint32_t asker;	      /* MSG_LIST*, MSG_TRACE*: enum msg_asker */
	int32_t error;	      /* of answers: 0 or a negative errno */
	struct ip_endpoint remote; /* MSG_SESSION: the client; MSG_SOCKET: whom to dial */
	struct ip_endpoint local;  /* MSG_SESSION: what it dialled */
	union {
		struct ticket_seed ticket;	  /* MSG_TICKET_SEED */
		struct ticket_part tickets;	  /* MSG_TICKET_PART */
		struct session_filter filter;	  /* MSG_LIST_SESSIONS, MSG_END_SESSION, MSG_TRACE* */
		struct habits habits;		  /* MSG_SESSION_END */
		struct msg_check check;		  /* MSG_CHECK */
		struct login_part login_part;	  /* MSG_LOGIN_CHECK */
		struct login_answer login_answer; /* MSG_LOGIN_CHECKED: text, or why there is no answer */
		int64_t began_s;		  /* MSG_SESSION: seconds since 1970 */
	};
};

/* "MSG_READY" for MSG_READY; NULL for an unknown type. */
const char *msg_name(uint32_t type);

/* May this receiver get such a message, with descriptor `fd` or -1? An unknown type is for nobody. */
bool msg_is_for(enum msg_receiver receiver, const struct msg *msg, int fd);

/*
 * The socket for orders: fds[0] is the monitor's end, which receives nothing, fds[1]
 * the worker's. Non-blocking and close-on-exec. Returns 0 or a negative errno.
 */
int msg_channel(int fds[static 2]);

/* Send one order, with descriptor `fd` or -1 (it stays the caller's). Returns 0 or a negative errno. */
int msg_send(int channel, const struct msg *msg, int fd);

/*
 * Receive one order. *ret_fd is the descriptor that came along (now the
 * caller's) or -1: none came, or there was none left to take it. Returns 1; 0 at
 * the end of the channel; -EAGAIN; -EPROTO for a datagram of another size or with
 * more than one descriptor.
 */
int msg_receive(int channel, struct msg *ret_msg, int *ret_fd);

/* The pipe for reports: fds[0] is the monitor's end, fds[1] the worker's. As msg_channel(). */
int msg_reports(int fds[static 2]);

/* Send one report; the caller ignores SIGPIPE. Returns 0, -EAGAIN if the pipe is full, or another errno. */
int msg_report(int reports, const struct msg *msg);

/* Take one report. Returns 1; 0 at the end of the pipe; -EAGAIN; or -EPROTO for a piece of one. */
int msg_take(int reports, struct msg *ret_msg);

#endif
