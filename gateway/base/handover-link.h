/*
 * The channel between an attlsd and the one that replaces it: a SOCK_SEQPACKET pair. Messages
 * have one size for ever and begin with a version, since the two ends are different programs.
 *
 *	old attlsd				new attlsd
 *	STATE, with its sockets		  ->
 *					  <-	HELLO, once it has them
 *					  <-	READY: its workers are
 *	stops accepting; GO		  ->
 *					  <-	SERVING: it accepts
 *					  <-	SETTLED, some seconds later
 *	tells the service manager; MAIN	  ->
 *	FACTS, COUNTS_TOLD, as long as it has sessions ->
 *					  <-	ASK, what operators ask of its sessions
 *
 * Until SETTLED, the old one goes on by itself if the new one ends.
 */
#ifndef ATTLSD_GATEWAY_BASE_HANDOVER_LINK_H
#define ATTLSD_GATEWAY_BASE_HANDOVER_LINK_H

#include <stddef.h>
#include <stdint.h>

#define HANDOVER_MAGIC	 0x61747570u
#define HANDOVER_VERSION 1

/* Numbers are never used again for something else; a receiver ignores what it does not know. */
enum handover_type {
	HANDOVER_STATE = 1,  /* number: how many descriptors have come in all; the last one is the state */
	HANDOVER_HELLO = 2,  /* text: its version; number: its pid; second: its CTL_VERSION */
	HANDOVER_FAILED = 3, /* text: why it will end */
	HANDOVER_READY = 4,  /* number: its generation */
	HANDOVER_GO = 5,     /* one descriptor: a second state, with what has changed since the first */
	HANDOVER_SERVING = 6,
	HANDOVER_SETTLED = 7,
	HANDOVER_MAIN = 8,	/* number 1: the old one stays the process that the service manager knows */
	HANDOVER_FACTS = 9,	/* text: its version; number: its pid; second: sessions; third: workers;
				   fourth: generation */
	HANDOVER_STOP = 10,	/* to the new one: SIGTERM has come */
	HANDOVER_RELOAD = 11,	/* to the new one: SIGHUP has come */
	HANDOVER_STOPPING = 12, /* to the old one: an operator ends attlsd, so do not go on after this */
	HANDOVER_NOW_MAIN = 13, /* to a process that stays: number: the pid of the one that serves */
	HANDOVER_MORE = 14,	/* descriptors of a STATE that follows */
	HANDOVER_COUNTS_TOLD = 15, /* one descriptor: a state with what the sender has counted so far */
	HANDOVER_ASK = 16, /* one descriptor: of an operator; number: enum msg_asker; text: a struct ask */
	/* Shared passive ports, which the new one has. Plans from before GO come with its state. number: a
	 * session of the old one, second: its serial.
	 */
	HANDOVER_PLAN = 40,	 /* text: a struct handover_plan */
	HANDOVER_PLAN_OVER = 41, /* third 1: whatever its serial is */
	HANDOVER_PLAN_KEPT = 42,
	HANDOVER_PLAN_TOLD = 43, /* to the old one; third: the port, 0: none was free in time */
	HANDOVER_PLAN_ARRIVED =
	    44, /* to the old one; one descriptor; text: a struct handover_plan, its client */
	HANDOVER_PLAN_GIVE = 45, /* to the old one */
};

#define HANDOVER_TEXT_MAX 320

struct handover_msg {
	uint32_t magic;
	uint16_t version;
	uint16_t size; /* of this struct */
	uint32_t type;
	uint32_t zero;
	uint64_t number, second, third, fourth;
	char text[HANDOVER_TEXT_MAX];
	uint8_t later[144]; /* zero */
};

/* For whom a session waits, at which of this host's addresses, and at which ports. */
struct handover_plan {
	uint16_t client_family, host_family; /* 4 or 6 */
	uint16_t client_port, low, high, zero;
	uint8_t client[16], host[16]; /* as in struct ip_addr */
	uint64_t limit_ms;
};

/* The same of a session that waited when the old one stopped accepting: a record of HANDOVER_PLANS. */
struct handover_waiting {
	uint64_t session;
	uint32_t serial, zero;
	struct handover_plan plan;
};

/* Of one message. */
#define HANDOVER_FDS_MAX 64

/* Both ends are non-blocking and close-on-exec. Returns 0 or a negative errno. */
int handover_pair(int ret[static 2]);

/* Send a message, of which only the type and its fields are set, with descriptors. Returns 0 or a negative
 * errno. */
int handover_send(int fd, const struct handover_msg *msg, const int *fds, size_t nfds);

/*
 * The same for a message that may be lost. It leaves half of the link to those that may not, so that
 * whoever causes any number of these, such as a worker with its plans, cannot stop an upgrade.
 */
int handover_send_spare(int fd, const struct handover_msg *msg, const int *fds, size_t nfds);

/*
 * Receive one, with at most *ret_nfds descriptors, which are the caller's then; with none if this
 * process has no room for all that came along. Returns 1; 0 at the end; -EAGAIN; -EPROTO: not a message
 * of this protocol.
 */
int handover_receive(int fd, struct handover_msg *ret, int *ret_fds, size_t *ret_nfds);

#endif
