/*
 * What the monitor hands the HTTP process (attlsd-http) when it starts it: these
 * descriptors, and this struct through one of them. Both come with the same attlsd, so the
 * version only finds programs that were installed in between.
 */
#ifndef ATTLSD_GATEWAY_BASE_HTTP_SETUP_H
#define ATTLSD_GATEWAY_BASE_HTTP_SETUP_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/ctl-proto.h"
#include "policy/policy.h"

/* A socket from the monitor (msg.h), a pipe to it, the listening socket, a pipe with the setup, the empty
 * root folder, the listening socket of the agent, and the charts (chart-memory.h). The setup says which of
 * them are there. */
enum {
	HTTP_ORDERS_FD = 3,
	HTTP_QUESTIONS_FD,
	HTTP_LISTENER_FD,
	HTTP_SETUP_FD,
	HTTP_ROOT_FD,
	HTTP_AGENT_FD,
	HTTP_CHARTS_FD
};

#define HTTP_PATH_MAX	  4096
#define HTTP_HOSTS_MAX	  POLICY_HTTP_HOSTS_MAX
#define HTTP_HOST_MAX	  256
#define HTTP_BACKENDS_MAX 32768

struct http_setup {
	uint32_t version; /* CTL_VERSION */
	uint32_t uid, gid;
	uint8_t log_level, log_format;
	char node[POLICY_NODE_MAX + 1]; /* "": none */
	bool is_unix;			/* the listener is a UNIX socket */
	/* These descriptors are open; otherwise, their numbers are free for anything. */
	bool has_listener, has_agent, has_charts;
	bool has_root;			/* not if attlsd was not started as root */
	char token_file[HTTP_PATH_MAX]; /* "": none */
	char chain[HTTP_PATH_MAX];	/* "": no TLS */
	char key[HTTP_PATH_MAX];
	uint32_t nhosts;
	char hosts[HTTP_HOSTS_MAX][HTTP_HOST_MAX];
	/* The name of each backend and its addresses, two texts after each other; those that do not fit are
	 * missing. An empty name is the end. */
	char backends[HTTP_BACKENDS_MAX];
};

/*
 * A question is a struct ask in the pipe, whose `session` is a number of the HTTP process's
 * choice. A message with that number, of type MSG_NONE, brings the socket with the answers.
 */

#endif
