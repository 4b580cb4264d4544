/*
 * The control protocol: what attlsctl asks of a running attlsd through
 * control_socket, and what it gets for an answer.
 *
 * The socket is a SOCK_SEQPACKET in the file system that only attlsd's own user
 * may connect to. A connection carries one question, in one packet, then answers
 * until attlsd closes. A packet has one answer or, in lists, up to ANSWERS_A_PACKET.
 * Answers have one size, so that no privileged code parses text, and begin with
 * CTL_VERSION, since attlsctl may be older or newer than the attlsd that runs.
 * Orders have another form, which never changes (ctl-order.h).
 */
#ifndef ATTLSD_GATEWAY_BASE_CTL_PROTO_H
#define ATTLSD_GATEWAY_BASE_CTL_PROTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/habits.h"
#include "gateway/base/session-filter.h"
#include "policy/ip.h"
#include "policy/policy.h"

/* Must change with anything in this file. */
#define CTL_VERSION 0x61740026u

/* What each of them is otherwise: ctl-question.c. */
enum ctl_proto_what {
	CTL_STATUS = 1,	  /* ANSWER_GATEWAY, then ANSWER_WORKER for each worker */
	CTL_SESSIONS,	  /* the same; then each worker's ANSWER_SESSIONs and its ANSWER_LIST_END;
			     those of several workers are mixed */
	CTL_END,	  /* end a session: ANSWER_DONE, ANSWER_REFUSED or ANSWER_FORBIDDEN */
	CTL_RELOAD,	  /* the same, once the new policy is in force or was refused */
	CTL_DRAIN,	  /* the same, at once */
	CTL_SERVERS,	  /* like CTL_SESSIONS, with ANSWER_SERVERs; the answers to CTL_BACKENDS come
			     after ANSWER_GATEWAY and ANSWER_OLDERs */
	CTL_MAKE_WAY,	  /* like CTL_DRAIN, and the service manager starts another attlsd meanwhile */
	CTL_METRICS,	  /* ANSWER_GATEWAY, then ANSWER_NAMEs, then ANSWER_COUNTS; all of the monitor */
	CTL_EVENTS,	  /* like CTL_SERVERS, with ANSWER_EVENTs; those of the monitor come first */
	CTL_CLIENTS,	  /* ANSWER_GATEWAY (it announces no workers), then an ANSWER_CLIENT for each entry of
			     the monitor's table, then its ANSWER_LIST_END */
	CTL_TRACE,	  /* ANSWER_GATEWAY, then ANSWER_TRACEs for as long as the peer stays */
	CTL_TRACE_LAST,	  /* like CTL_SESSIONS, with the ANSWER_TRACEs that are kept */
	CTL_AUDIT_REOPEN, /* like CTL_DRAIN: open the files of the audit trail again */
	CTL_UPGRADE,	  /* as CTL_RELOAD, once a new process of the program on the disk serves */
	CTL_RELOAD_ONLY,  /* as CTL_RELOAD, which is CTL_UPGRADE if the disk has another program */
	CTL_POLICY,	  /* ANSWER_DONE with the absolute path of the policy in force, cut if longer */
	CTL_MAINTENANCE,  /* as CTL_DRAIN: begin it, with `refuse` and `seconds`, or change it */
	CTL_MAINTENANCE_END, /* likewise */
	CTL_BACKENDS, /* ANSWER_GATEWAY (it announces no workers), then an ANSWER_BACKEND for each server
			 of a backend with several, then an ANSWER_LIST_END; all of the monitor */
	CTL_DISABLE,  /* like CTL_DRAIN: this server gets no new sessions */
	CTL_ENABLE,   /* the same; it gets some again */
	CTL_WHATS
};

/* The message of either end if the other one has another CTL_VERSION. */
#define CTL_OTHER_VERSION                                                                                    \
	"attlsctl and the attlsd that runs are of different versions; "                                      \
	"run attlsctl upgrade, or use the attlsctl that came with it"

/* An upgrade passes questions on in messages that have no room for more. */
#define CTL_SERVER_MAX 72
/* A host name of 253 bytes, and a port. */
#define ANSWER_ADDRESS_MAX 264

struct ask {
	uint32_t version;
	uint32_t what;		      /* enum ctl_proto_what */
	uint64_t session;	      /* CTL_END: its number */
	uint32_t last;		      /* CTL_TRACE_LAST: so many records of a worker at most */
	uint32_t data;		      /* CTL_TRACE: 1: with the progress of transfers */
	uint32_t refuse;	      /* CTL_MAINTENANCE: 1: new sessions get 421 */
	uint32_t seconds;	      /* CTL_MAINTENANCE, CTL_DRAIN, CTL_MAKE_WAY: the deadline; 0: none */
	struct session_filter filter; /* CTL_SESSIONS: which ones; CTL_END: only if it matches; all
					 zero for all. CTL_DISABLE, CTL_ENABLE: `backend` only */
	char server[CTL_SERVER_MAX];  /* CTL_DISABLE, CTL_ENABLE: its address, as policy writes it */
};

#define CTL_ASK_BYTES 320 /* of a struct ask */

/*
 * ANSWER_SESSION, ANSWER_SERVER, ANSWER_EVENT, ANSWER_TRACE and their ANSWER_LIST_END come from
 * workers, which may be under an attacker's control. All others come from the monitor, and first.
 */
enum answer_kind {
	ANSWER_DONE = 1,
	ANSWER_REFUSED,
	ANSWER_GATEWAY,
	ANSWER_WORKER,
	ANSWER_SESSION,
	ANSWER_LIST_END,
	ANSWER_SERVER,
	ANSWER_NAME,
	ANSWER_COUNTS,
	ANSWER_EVENT,
	ANSWER_CLIENT,
	ANSWER_TRACE,
	ANSWER_FORBIDDEN, /* an order of someone who may only ask, or more than the HTTP process may ask */
	ANSWER_OLDER,	  /* as many as ANSWER_GATEWAY says, after it */
	ANSWER_BACKEND
};

#define ANSWER_TEXT_MAX 512
#define ANSWER_NAME_MAX 33

struct answer_gateway {
	char version[32];
	char policy[ANSWER_TEXT_MAX]; /* its absolute path, cut if longer */
	char sha256[65];	      /* of its text; "": unknown */
	int32_t pid;
	uint32_t workers; /* how many ANSWER_WORKER follow */
	uint32_t older;	  /* how many ANSWER_OLDER; 0 for CTL_METRICS */
	uint32_t zero;
	uint64_t generation;
	uint64_t up_ms;	     /* since attlsd started */
	uint64_t counted_ms; /* since the counters began: upgrades pass them on */
	uint64_t policy_ms;  /* since this policy came into force */
	uint64_t secrets_s; /* the oldest file of session_ticket_keys was last changed, since 1970; 0: none */
	uint64_t sessions, limit;
	uint8_t reloading, draining, upgrading; /* 0: no */
	uint8_t maintenance, refusing;		/* 0: no; refusing: new sessions get 421 meanwhile */
	uint8_t unaudited,
	    unaudited_refused;	 /* 0: no; the audit trail cannot be written, new sessions get 421 */
	uint64_t maintenance_ms; /* since it began */
	uint64_t
	    deadline_ms; /* maintenance: until attlsd drains; draining: until it ends sessions; 0: never */
	char node[POLICY_NODE_MAX + 1]; /* daemon.node; "": none */
	char failure[128];		/* why the last reload failed; "": it did not */
	uint64_t failure_ms;		/* since then */
};

enum answer_worker_state {
	WORKER_STARTS = 1, /* loads keys */
	WORKER_SERVES,
	WORKER_BACKLOGGED, /* has not read its messages yet: gets no session and no question */
	WORKER_RETIRES,
	WORKER_DRAINS,
	WORKER_ENDS /* was killed */
};

/* attlsd does not upgrade while there are more. */
#define ANSWER_OLDER_MAX 16

/* An attlsd that an upgrade has replaced, with what is left of its sessions. */
struct answer_older {
	char version[32];
	int32_t pid;
	uint32_t workers;
	uint64_t generation, sessions;
	uint32_t asked; /* 1: its own ANSWER_GATEWAY and all that follows it will come */
	uint32_t zero;
};

struct answer_worker {
	int32_t pid;
	uint32_t state; /* enum answer_worker_state */
	uint64_t generation;
	uint64_t sessions;
	uint64_t signatures, refused; /* of its signer; 0 without key_isolation */
	uint32_t transfers;
};

enum answer_way { WAY_EPSV, WAY_PASV, WAY_EPRT, WAY_PORT, ANSWER_WAYS };

/* A connection's protection: P under TLS, S under TLS with a cipher that does not encrypt, C in the clear, L
 * cleared by CCC; 0: not known yet. */

/* One side of a session: its control connection, and its leg of the data connection. */
struct answer_leg {
	char tls[16]; /* of the control connection: version, "handshake" or "ccc"; "": clear */
	char cipher[48], group[32];
	uint8_t resumed;
	char control;  /* how the control connection is protected */
	char data;     /* how that of the transfer under way is */
	uint8_t way;   /* 1 + enum answer_way: how the data connection was asked for; 0: it was not */
	uint8_t waits; /* the peer was told to dial `told`, and has not */
	struct ip_endpoint told; /* what 227, 229, PORT or EPRT named; port 0: nothing */
	struct ip_endpoint peer; /* the other end of the data connection; port 0: it is not there */
};

/* Texts come from a client or a server as they are: escape them before showing them. */
struct answer_session {
	uint64_t session;
	uint64_t age_ms;
	uint64_t idle_ms; /* since the client's last command or the transfer's last byte */
	int32_t worker;	  /* pid */
	struct ip_endpoint remote, local, server;
	char listener[ANSWER_NAME_MAX];
	char rule[ANSWER_NAME_MAX]; /* "": not known yet */
	char backend[ANSWER_NAME_MAX];
	char user[65];	  /* the logged-in user; "": none yet */
	char command[64]; /* the client's last one, without secrets, cut if longer */
	struct answer_leg client_leg, server_leg;
	char server_name[128]; /* whom the server's certificate names, where policy wants TLS with it */
	char server_issuer[128], server_sha256[65];
	char subject[128]; /* of the client's certificate, cut if longer; "": none was shown */
	char issuer[128];
	char serial[65], sha256[65];
	char principal[128];  /* of Kerberos, cut if longer; "": none was shown */
	char transfer[128];   /* the command of the transfer under way; "": none */
	uint8_t upload;	      /* its direction */
	uint8_t size_known;   /* `size` is */
	uint64_t bytes;	      /* read from the sender so far */
	uint64_t size;	      /* that the transfer is going to read */
	uint64_t rate;	      /* bytes a second, in the last seconds */
	uint64_t transfer_ms; /* since it was asked for */
};

/* A worker reports at most as many servers. */
#define ANSWER_SERVERS_MAX 128

enum answer_way_state {
	WAY_UNKNOWN = 0,
	WAY_WORKS,
	WAY_REFUSED, /* the server does not know the command */
	WAY_FAILED,  /* no usable port, or one that cannot be reached */
	WAY_STATES
};

/* A server, and which ways to a data connection work with it, as far as a worker remembers. */
struct answer_server {
	int32_t worker; /* pid */
	struct ip_endpoint server;
	char backend[ANSWER_NAME_MAX];
	struct {
		uint8_t state;	 /* enum answer_way_state */
		uint8_t minutes; /* since the way was last used, rounded; 0: less than one */
	} ways[ANSWER_WAYS];	 /* by enum answer_way */
};

/* A process remembers at most as many. */
#define ANSWER_EVENTS_MAX 64

/* A line of the log that says something is wrong; its fields are escaped as in the log. */
struct answer_event {
	int32_t process; /* pid */
	uint32_t level;	 /* enum log_level */
	uint64_t time_s; /* since 1970 */
	char event[32];
	char text[256];
	char fix[192]; /* "": the line does not say */
};

/* The monitor has at most as many clients. */
#define ANSWER_CLIENTS_MAX (1024 + 64)

/*
 * What the sessions of one client have shown: of a user and network that use the same software, or
 * of all that use it and have not logged in. Times are in seconds since 1970. Workers report it, so
 * one under an attacker's control may have lied about its own sessions.
 */
struct answer_client {
	uint8_t logged_in;     /* 0: user and network are empty */
	struct ip_net network; /* /24 or /56 */
	char user[HABITS_NAME_MAX];
	char software[HABITS_SOFTWARE_MAX]; /* as the client calls itself; "": it does not */
	char ja4[HABITS_JA4_MAX];	    /* this text and the next two are the newest ones; "": none */
	char subject[HABITS_NAME_MAX];
	char group[HABITS_GROUP_MAX];
	uint64_t first_s, last_s;
	uint64_t sessions;
	uint64_t data_tls, data_resumed; /* data connections, as in struct habits */
	struct {
		uint64_t sessions; /* that have shown it, and */
		uint64_t last_s;   /* the last of them; 0: none */
	} habits[HABIT_COUNT];	   /* by enum habit */
	/* what policy would have refused (action: audit), by enum habit from HABIT_WOULD_FIRST on */
	struct {
		uint64_t first_s;
		uint32_t line; /* where the policy gives the key; 0: nowhere. The newest */
	} would[HABIT_WOULD_COUNT];
	char rule[HABITS_RULE_MAX]; /* the newest rule that audits; "": none */
	struct ip_addr address;	    /* from which something would have been refused last */
};

/* So many operators may follow traces at once. */
#define CTL_TRACES_MAX 8
/* Of them, those of peers that give no orders. */
#define CTL_TRACES_OTHERS_MAX (CTL_TRACES_MAX / 2)
/* CTL_TRACE_LAST: the most that may be asked for. */
#define CTL_TRACE_LAST_MAX 10000

enum trace_kind {
	TRACE_NONE = 0,
	TRACE_SESSION, /* whose session it is. This, and TRACE_EVENT: "NAME\0KEY\0VALUE\0KEY\0VALUE\0" */
	TRACE_FROM_CLIENT,
	TRACE_TO_CLIENT,
	TRACE_TO_SERVER,
	TRACE_FROM_SERVER,
	TRACE_EVENT, /* as in the log, or less than it */
	TRACE_DATA,  /* of a transfer: "BYTES MILLISECONDS" so far */
	TRACE_LOST,  /* `lost` records were overwritten before this reader had them */
	TRACE_KINDS
};

#define TRACE_TEXT_MAX 480

/* One record. Its text comes from a client or a server: escape it before showing it. */
struct answer_trace {
	uint64_t session; /* 0: none */
	uint64_t ns;	  /* wall clock */
	uint64_t lost;
	int32_t worker; /* pid */
	uint32_t kind;	/* enum trace_kind */
	uint32_t len;
	uint32_t cut; /* 1: the text was longer */
	char text[TRACE_TEXT_MAX];
};

enum answer_backend_state {
	BACKEND_STATE_UP = 0,
	BACKEND_STATE_DOUBTFUL, /* its last session failed */
	BACKEND_STATE_DOWN,
	BACKEND_STATE_DISABLED, /* by an operator */
	BACKEND_STATES
};

/* A server of a backend that has several. */
struct answer_backend {
	char backend[ANSWER_NAME_MAX];
	char address[ANSWER_ADDRESS_MAX]; /* as policy writes it */
	uint32_t state;			  /* enum answer_backend_state */
	uint32_t failure;		  /* enum server_failure: the last one; 0: it is up */
	uint64_t since_s;		  /* of the state, since 1970 */
	uint64_t sessions;		  /* that have it now */
	uint64_t chosen;		  /* how often it was, since attlsd started */
};

struct answer_list_end {
	int32_t pid;
	uint64_t n; /* how many answers of this list it has sent */
};

/* One of the names that stand for places in ANSWER_COUNTS, see counters.def. */
struct answer_name {
	uint32_t kind; /* enum count_kind */
	uint32_t place;
	char first[64], second[64];
};

#define ANSWER_COUNTS_MAX 128

/* Numbers of struct counters that follow each other. What no packet brings is 0. */
struct answer_counts {
	uint32_t cells; /* COUNT_CELLS of the sender, which must be that of the reader */
	uint32_t first, n;
	uint32_t last; /* 1: no more packets */
	uint64_t values[ANSWER_COUNTS_MAX];
};

struct answer {
	uint32_t version;
	uint32_t kind; /* enum answer_kind: which of these */
	union {
		char text[ANSWER_TEXT_MAX]; /* DONE, REFUSED, FORBIDDEN: for people */
		struct answer_gateway gateway;
		struct answer_worker worker;
		struct answer_older older;
		struct answer_session session;
		struct answer_server server;
		struct answer_event event;
		struct answer_trace trace;
		struct answer_list_end list_end;
		struct answer_name name;
		struct answer_counts counts;
		struct answer_client client;
		struct answer_backend backend;
	} u;
};

/* A packet of a list holds so many answers at most, one after the other; all other packets hold one. */
#define ANSWERS_A_PACKET 16

/* An answer of this kind, all else zero. */
struct answer ctl_proto_answer(enum answer_kind kind);
void ctl_proto_begin(struct answer *answer, enum answer_kind kind);

/*
 * Send an answer without waiting. Returns 0; -EAGAIN: the reader must read
 * first; another negative errno: the connection is lost.
 */
int ctl_proto_send(int fd, const struct answer *answer);

/* The same for a packet of another form. */
int ctl_proto_send_packet(int fd, const void *packet, size_t size);

#endif
