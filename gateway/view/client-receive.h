/* Receives answers of a running attlsd. */
#ifndef ATTLSD_GATEWAY_VIEW_CLIENT_RECEIVE_H
#define ATTLSD_GATEWAY_VIEW_CLIENT_RECEIVE_H

#include <sys/types.h>

#include "gateway/base/ctl-proto.h"

/* A packet, whose answers are safe to use. All zero: there is none yet. */
struct client_packet {
	pid_t sender; /* according to the kernel; 0: a process that is not visible from here */
	size_t n;     /* answers in it */
	size_t next;  /* the first that was not looked at */
	struct answer answers[ANSWERS_A_PACKET];
};

/*
 * Receive one packet from a socket that has SO_PASSCRED. Returns 1, 0 at the end, or -1 with
 * errno. What is not an answer becomes one of kind 0.
 */
int client_receive(int fd, struct client_packet *ret);

/* The next answer of the packet, NULL: there is none. */
struct answer *client_packet_next(struct client_packet *packet);

#endif
