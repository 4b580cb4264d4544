/*
 * The HTTP server: libmicrohttpd in the loop of this process. It serves GET and HEAD, and
 * limits connections, requests and times; routes.h says what there is to ask for.
 */
#ifndef ATTLSD_GATEWAY_HTTP_SERVER_H
#define ATTLSD_GATEWAY_HTTP_SERVER_H

#include <microhttpd.h>

#include "gateway/base/loop.h"
#include "gateway/http/access.h"
#include "gateway/http/asker.h"
#include "gateway/http/request.h"

struct server {
	struct loop *loop;
	struct asker *asker;
	const struct access *access;
	const struct history *history;
	struct MHD_Daemon *daemon;
	struct watch watch; /* the library's own epoll */
	struct timer timer; /* the library's next time limit */
	struct bodies bodies;
	struct link *links;    /* all connections */
	uint64_t refused_ms;   /* when the last refusal was logged, */
	uint64_t refused_more; /* and how many there were since */
};

struct server_files {
	const char *chain, *key; /* PEM; NULL: no TLS */
};

/*
 * Serve this socket, which stays the caller's; the members loop, asker, access and history are set.
 * Returns 0, or a negative errno after logging why.
 */
int server_start(struct server *server, int listener, const struct server_files *files);

/* Accept no more connections. This and the next also work if it has not started. */
void server_quiesce(struct server *server);

/* How many are open. */
unsigned server_connections(const struct server *server);

#endif
