/*
 * Messages between the monitor and a worker: SOCK_SEQPACKET, so one datagram is
 * one message and no reassembly code runs with privilege; at most one
 * descriptor travels along.
 */
#ifndef ATTLSD_GATEWAY_BASE_MSG_H
#define ATTLSD_GATEWAY_BASE_MSG_H

#include <stddef.h>
#include <stdint.h>

#include "policy/ip.h"

enum msg_type {
	MSG_NONE = 0,
	/* monitor to worker */
	MSG_SESSION,	   /* a control connection to serve; carries its descriptor */
	MSG_RETIRE,	   /* a newer generation serves: end when the last session has */
	MSG_DRAIN,	   /* attlsd ends: end sessions as soon as no transfer runs, then yourself */
	MSG_SOCKET_READY,  /* the answer to MSG_SOCKET; carries the socket, or `error` */
	MSG_ANNOUNCED,	   /* the answer to MSG_ANNOUNCE */
	MSG_LIST_SESSIONS, /* tell an operator of your sessions; carries the connection, see session-list.h */
	MSG_END_SESSION,   /* an operator wants session `session` to end */
	MSG_SESSION_ADMITTED, /* the answers to MSG_SESSION_SOURCE; `failures` as with MSG_SESSION */
	MSG_SESSION_REFUSED,
	/* worker to monitor */
	MSG_READY,	    /* keys are loaded, privileges are gone */
	MSG_LOGIN_FAILED,   /* a login of session `session` has failed */
	MSG_SESSION_LOGIN,  /* the user of session `id` has logged in */
	MSG_SESSION_SOURCE, /* through a trusted proxy session `session` comes from `remote`: may it? */
	MSG_SESSION_END,
	MSG_SOCKET,   /* a socket bound to `local`, for `purpose`; see privileged.h */
	MSG_ANNOUNCE, /* let the kernel know: a data connection from `remote` to `local` (reversed with
			 `active`) */
	MSG_WITHDRAW, /* forget what was announced for the session */
	MSG_TYPE_COUNT
};

/* RFC 959 3.2: the server's end of an active data connection. */
#define FTP_DATA_PORT 20

/* What a transparent session needs a socket for. */
enum msg_purpose {
	PURPOSE_NONE = 0,
	PURPOSE_SERVER,		    /* dial the server from the client's address */
	PURPOSE_DATA_DIAL_SERVER,   /* the same for data */
	PURPOSE_DATA_LISTEN_SERVER, /* be dialled by the server at the client's address */
	PURPOSE_DATA_LISTEN_CLIENT, /* be dialled by the client at the server's address */
	PURPOSE_DATA_DIAL_CLIENT,   /* dial the client from the server's address, port 20 */
};

/* Every message is one of these; fields that a type does not use are zero. */
struct msg {
	uint32_t type;		   /* enum msg_type */
	uint32_t listener;	   /* MSG_SESSION: index in policy.listeners */
	uint64_t session;	   /* MSG_SESSION*: its number, unique in this attlsd */
	uint32_t failures;	   /* MSG_SESSION: failed logins from this source lately */
	uint32_t purpose;	   /* MSG_SOCKET*: enum msg_purpose */
	uint32_t serial;	   /* MSG_SOCKET*, MSG_ANNOUNCE*: of the asker, comes back unchanged */
	uint32_t active;	   /* MSG_ANNOUNCE: the gateway dials */
	int32_t error;		   /* of answers: 0 or a negative errno */
	struct ip_endpoint remote; /* MSG_SESSION: the client */
	struct ip_endpoint local;  /* MSG_SESSION: what it dialled */
};

/* A connected pair, non-blocking and close-on-exec. Returns 0 or a negative errno. */
int msg_pair(int fds[static 2]);

/* Send one message, with descriptor `fd` or -1 (it stays the caller's). Returns 0 or a negative errno. */
int msg_send(int channel, const struct msg *msg, int fd);

/*
 * Receive one message. *ret_fd is the descriptor that came along (now the
 * caller's) or -1: none came, or there was none left to take it. Returns 1; 0 at
 * the end of the channel; -EAGAIN; -EPROTO for a datagram of another size or with
 * more than one descriptor.
 */
int msg_receive(int channel, struct msg *ret_msg, int *ret_fd);

#endif
