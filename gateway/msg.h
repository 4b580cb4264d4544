/*
 * Messages between the monitor and a worker: SOCK_SEQPACKET, so one datagram is
 * one message and no reassembly code runs with privilege; at most one
 * descriptor travels along.
 */
#ifndef ATTLSD_GATEWAY_MSG_H
#define ATTLSD_GATEWAY_MSG_H

#include <stddef.h>
#include <stdint.h>

#include "policy/ip.h"

enum msg_type {
	MSG_NONE = 0,
	/* monitor to worker */
	MSG_SESSION, /* a control connection to serve; carries its descriptor */
	MSG_RETIRE,  /* a newer generation serves: end when the last session has */
	MSG_DRAIN,   /* attlsd ends: end sessions as soon as no transfer runs, then yourself */
	/* worker to monitor */
	MSG_READY,	   /* keys are loaded, privileges are gone */
	MSG_LOGIN_FAILED,  /* a login of session `session` has failed */
	MSG_SESSION_LOGIN, /* the user of session `id` has logged in */
	MSG_SESSION_END,
	MSG_TYPE_COUNT
};

/* Every message is one of these; fields that a type does not use are zero. */
struct msg {
	uint32_t type;		   /* enum msg_type */
	uint32_t listener;	   /* MSG_SESSION: index in policy.listeners */
	uint64_t session;	   /* MSG_SESSION*: its number, unique in this attlsd */
	uint32_t failures; /* MSG_SESSION: failed logins from this source lately */
	struct ip_endpoint remote; /* MSG_SESSION: the client */
	struct ip_endpoint local;  /* MSG_SESSION: what it dialled */
};

/* A connected pair, non-blocking and close-on-exec. Returns 0 or a negative errno. */
int msg_pair(int fds[static 2]);

/* Send one message, with descriptor `fd` or -1 (it stays the caller's). Returns 0 or a negative errno. */
int msg_send(int channel, const struct msg *msg, int fd);

/*
 * Receive one message. *ret_fd is the descriptor that came along (now the
 * caller's) or -1. Returns 1; 0 at the end of the channel; -EAGAIN; -EPROTO for
 * a datagram of another size or with more than one descriptor.
 */
int msg_receive(int channel, struct msg *ret_msg, int *ret_fd);

#endif
