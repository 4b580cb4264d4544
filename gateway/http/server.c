/*
 * Connects libmicrohttpd with the loop, and decides about each request: first its form,
 * then who asks, then what for. The library limits connections and silence; a timer for
 * each connection limits those that only send or read slowly.
 */
#include "gateway/http/server.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <utlist.h>

#include "gateway/base/log.h"
#include "gateway/base/util.h"
#include "gateway/host/bounded-close.h"
#include "gateway/http/page.h"
#include "gateway/http/routes.h"
#include "gateway/net/netsock.h"

/* At once, and from one address: a flood from one leaves room for others. */
#define CONNECTIONS_MAX		96
#define CONNECTIONS_PER_ADDRESS 24
/* For a connection that says nothing. */
#define SILENCE_S 2
/* For a whole request to come, and for its answer to be read. */
#define REQUEST_MS 5000
#define ANSWER_MS  30000
/* For the headers of a request. */
#define REQUEST_BYTES 8192
/* Refusals are logged at most so often. */
#define REFUSED_LOG_MS 1000

/* One connection, from the library's accept to its close. */
struct link {
	struct server *server;
	struct timer timer;
	int fd;
	struct ip_endpoint peer; /* of a UNIX socket: zeros */
	struct link *next, *prev;
};

/* --- the library in the loop --- */

static void run(struct server *server)
{
	MHD_UNSIGNED_LONG_LONG ms;

	/* a peer of a UNIX socket may pass a descriptor whose close() waits */
	bounded_begin();
	(void)MHD_run(server->daemon); /* fails only if epoll does, and then the next turn does, too */
	bounded_end();
	if (MHD_get_timeout(server->daemon, &ms) == MHD_YES)
		(void)loop_timer(server->loop, &server->timer,
				 ms); /* it is armed, or the next event runs it */
	else
		loop_timer_stop(server->loop, &server->timer);
}

static void on_event(struct watch *watch, uint32_t ready)
{
	(void)ready;
	run(CONTAINER_OF(watch, struct server, watch));
}

static void on_time(struct timer *timer)
{
	run(CONTAINER_OF(timer, struct server, timer));
}

/* --- connections --- */

/* The library then sees the end, and closes it. */
static void on_late(struct timer *timer)
{
	(void)shutdown(CONTAINER_OF(timer, struct link, timer)->fd, SHUT_RDWR);
}

static void on_connection(void *context, struct MHD_Connection *connection, void **link_of,
			  enum MHD_ConnectionNotificationCode what)
{
	struct server *server = context;
	struct link *link = *link_of;

	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		link = calloc(1, sizeof(*link));
		*link_of = link;
		if (link == NULL)
			return; /* then only silence and all connections are limited */
		link->server = server;
		link->fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
		netsock_endpoint(
		    MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr,
		    &link->peer);
		DL_APPEND(server->links, link);
		timer_init(&link->timer, on_late);
		(void)loop_timer(server->loop, &link->timer, REQUEST_MS);
	} else if (link != NULL) {
		loop_timer_stop(server->loop, &link->timer);
		DL_DELETE(server->links, link);
		free(link);
		*link_of = NULL;
	}
}

static struct link *link_of(struct MHD_Connection *connection)
{
	return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

static void limit(struct MHD_Connection *connection, uint64_t ms)
{
	struct link *link = link_of(connection);

	if (link != NULL)
		(void)loop_timer(link->server->loop, &link->timer, ms); /* it is armed: needs no memory */
}

/* --- requests --- */

static void log_refused(struct server *server, const struct ip_endpoint *peer, const char *reason)
{
	char client[IP_TEXT_MAX] = "local";

	if (server->refused_ms != 0 && server->loop->now_ms - server->refused_ms < REFUSED_LOG_MS) {
		server->refused_more++;
		return;
	}
	if (peer != NULL && peer->addr.family != IP_NONE)
		(void)ip_endpoint_format(peer, client);
	log_event(LOG_LEVEL_WARNING, "http-refused", LOG_TEXT("client", client), LOG_TEXT("reason", reason),
		  LOG_NUMBER(server->refused_more > 0 ? "more" : "", server->refused_more));
	server->refused_ms = server->loop->now_ms;
	server->refused_more = 0;
}

static void log_refusal(struct server *server, struct MHD_Connection *connection, const char *reason)
{
	struct link *link = link_of(connection);

	log_refused(server, link == NULL ? NULL : &link->peer, reason);
}

/* The library has a limit of its own for this, but tells nobody whom it refuses. */
static enum MHD_Result has_place(void *context, const struct sockaddr *address, socklen_t len)
{
	struct server *server = context;
	struct ip_endpoint peer;
	struct link *link;
	size_t n = 0;

	(void)len;
	netsock_endpoint(address, &peer);
	if (peer.addr.family == IP_NONE)
		return MHD_YES; /* a UNIX socket */
	DL_FOREACH (server->links, link)
		n += ip_addr_equal(&link->peer.addr, &peer.addr);
	if (n < CONNECTIONS_PER_ADDRESS)
		return MHD_YES;
	log_refused(server, &peer, "too many connections from this address");
	return MHD_NO;
}

static const char *header_of(struct MHD_Connection *connection, const char *name)
{
	return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

/* What proxies and servers read in different ways. */
struct form {
	unsigned hosts;
	bool body;  /* there is one, or there are two opinions about it */
	bool blank; /* in the name of a field */
};

/* Every line counts: the library asks only the first one of a name. */
static enum MHD_Result look_at_field(void *context, enum MHD_ValueKind kind, const char *key,
				     const char *value)
{
	struct form *form = context;

	(void)kind;
	form->hosts += strcasecmp(key, MHD_HTTP_HEADER_HOST) == 0;
	form->body |= strcasecmp(key, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0;
	form->body |= strcasecmp(key, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0 &&
		      (value == NULL || strcmp(value, "0") != 0);
	form->blank |= strpbrk(key, " \t") != NULL;
	return MHD_YES;
}

/* The form of the request. Returns false after making the answer. */
static bool is_sound(struct server *server, struct request *request, const char *method)
{
	struct MHD_Connection *connection = request->connection;
	struct form form = { .hosts = 0 };
	const char *odd = NULL;

	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0) {
		request_say(request, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD");
		request_header(request, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
		log_refusal(server, connection, "neither GET nor HEAD");
		return false;
	}
	(void)MHD_get_connection_values(connection, MHD_HEADER_KIND, look_at_field, &form);
	if (form.hosts > 1)
		odd = "more than one Host";
	else if (form.blank)
		odd = "a blank in the name of a field";
	/* proxies and servers disagree about what follows such a request */
	if (odd != NULL || form.body) {
		request_say(request, MHD_HTTP_BAD_REQUEST, odd != NULL ? odd : "a request here has no body");
		request_header(request, MHD_HTTP_HEADER_CONNECTION, "close");
		log_refusal(server, connection, odd != NULL ? odd : "a body");
		return false;
	}
	return true;
}

static bool is_for_us(struct server *server, struct request *request)
{
	struct link *link = link_of(request->connection);
	struct ip_endpoint local = { .port = 0 };

	if (link != NULL)
		(void)netsock_local(link->fd, &local); /* a UNIX socket has none */
	if (access_host_is_ours(server->access, header_of(request->connection, MHD_HTTP_HEADER_HOST), &local))
		return true;
	request_say(request, MHD_HTTP_FORBIDDEN,
		    "this Host is neither the address, nor localhost, nor in http_hosts of the policy");
	log_refusal(server, request->connection, "a Host that is not ours");
	return false;
}

static bool has_token(struct server *server, struct request *request)
{
	if (access_is_granted(server->access, header_of(request->connection, MHD_HTTP_HEADER_AUTHORIZATION)))
		return true;
	request_say(request, MHD_HTTP_UNAUTHORIZED, "the token of http_token_file is needed");
	request_header(request, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer");
	log_refusal(server, request->connection,
		    header_of(request->connection, MHD_HTTP_HEADER_AUTHORIZATION) == NULL ? "no token"
											  : "a wrong token");
	return false;
}

static void on_answers(struct asker_wait *wait, const struct asker_result *result)
{
	struct request *request = CONTAINER_OF(wait, struct request, wait);
	struct server *server = CONTAINER_OF(request->bodies, struct server, bodies);
	const struct asker_result none = { .answers = NULL };

	if (request->route->begin != NULL && !request->again) {
		request->again = true;
		if (request->route->begin(request, result) &&
		    asker_ask(server->asker, request->route->then, NULL, &request->wait) == 0)
			return;
		result = &none;
	}
	request->route->answer(request, result);
	request->suspended = false;
	MHD_resume_connection(request->connection);
	loop_again(server->loop, &server->watch); /* no event announces it */
}

/* Make the answer, or suspend the connection until the monitor has answered. */
static void decide(struct server *server, struct request *request, const char *path)
{
	struct page_file file;
	const char *fault = NULL;

	if (!is_for_us(server, request))
		return;
	if (page_find(path, &file)) {
		request_static(request, file.type, file.bytes, file.len);
		return;
	}
	request->route = route_find(path);
	if (request->route == NULL) {
		request_say(request, MHD_HTTP_NOT_FOUND, "there is nothing here");
		return;
	}
	if (!request->route->open && !has_token(server, request))
		return;
	if (request->route->parse != NULL)
		fault = request->route->parse(request);
	if (fault != NULL) {
		request_say(request, MHD_HTTP_BAD_REQUEST, fault);
		return;
	}
	request->wait.fn = on_answers;
	if (asker_ask(server->asker, request->route->what, &request->filter, &request->wait) < 0) {
		request->route->answer(request, &(struct asker_result){ .answers = NULL });
		return;
	}
	request->suspended = true;
	MHD_suspend_connection(request->connection);
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *path,
				  const char *method, const char *version, const char *upload,
				  size_t *upload_len, void **request_of)
{
	struct server *server = context;
	struct request *request = *request_of;

	(void)version;
	(void)upload;
	(void)upload_len;
	if (request == NULL) {
		request = calloc(1, sizeof(*request));
		if (request == NULL)
			return MHD_NO;
		*request_of = request;
		request->connection = connection;
		request->bodies = &server->bodies;
		request->history = server->history;
		limit(connection, ANSWER_MS);
		/* an answer to this first call closes the connection, which is right after a bad request */
		if (is_sound(server, request, method))
			return MHD_YES;
	} else if (request->answer == NULL) {
		decide(server, request, path);
	}
	if (request->suspended)
		return MHD_YES;
	return request->answer != NULL ? MHD_queue_response(connection, request->status, request->answer)
				       : MHD_NO;
}

static void on_completed(void *context, struct MHD_Connection *connection, void **request_of,
			 enum MHD_RequestTerminationCode why)
{
	struct request *request = *request_of;

	(void)context;
	if (request == NULL)
		return;
	if (request->answer != NULL)
		MHD_destroy_response(request->answer);
	json_decref(request->kept);
	free(request);
	*request_of = NULL;
	if (why == MHD_REQUEST_TERMINATED_COMPLETED_OK)
		limit(connection, REQUEST_MS); /* for the next request */
}

/* What the library says is about connections, which are not worth a line each. */
static void on_library_log(void *context, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));
static void on_library_log(void *context, const char *format, va_list args)
{
	char text[256];

	(void)context;
	if (!log_enabled(LOG_LEVEL_DEBUG))
		return;
	(void)vsnprintf(text, sizeof(text), format, args);
	text[strcspn(text, "\n")] = '\0';
	log_event(LOG_LEVEL_DEBUG, "http-library", LOG_TEXT("text", text));
}

int server_start(struct server *server, int listener, const struct server_files *files)
{
	unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
	/* the second half is for TLS only */
	const struct MHD_OptionItem tls[] = {
		{ MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)files->chain },
		{ MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)files->key },
		{ MHD_OPTION_HTTPS_PRIORITIES, 0,
		  (void *)(uintptr_t) "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:%SERVER_PRECEDENCE" },
		{ MHD_OPTION_END, 0, NULL },
	};
	const struct MHD_OptionItem none[] = { { MHD_OPTION_END, 0, NULL } };
	const union MHD_DaemonInfo *info;

	watch_init(&server->watch, on_event);
	timer_init(&server->timer, on_time);
	server->daemon = MHD_start_daemon(
	    flags | (files->chain != NULL ? MHD_USE_TLS : 0), 0, has_place, server, on_request, server,
	    MHD_OPTION_EXTERNAL_LOGGER, on_library_log, NULL, /* first, so that it hears of the others */
	    MHD_OPTION_LISTEN_SOCKET, listener, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
	    MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)SILENCE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
	    (size_t)REQUEST_BYTES, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_NOTIFY_CONNECTION,
	    on_connection, server, MHD_OPTION_NOTIFY_COMPLETED, on_completed, server, MHD_OPTION_ARRAY,
	    files->chain != NULL ? tls : none, MHD_OPTION_END);
	info = server->daemon == NULL ? NULL : MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	if (info == NULL) {
		log_event(LOG_LEVEL_ERROR, "http-failed", LOG_TEXT("step", "start libmicrohttpd"),
			  LOG_TEXT("error", files->chain != NULL
						? "it takes neither the socket, nor the certificate and key"
						: "it does not take the socket"));
		return -EINVAL;
	}
	server->watch.fd = info->epoll_fd;
	return loop_watch(server->loop, &server->watch, EPOLLIN);
}

void server_quiesce(struct server *server)
{
	if (server->daemon == NULL)
		return;
	(void)MHD_quiesce_daemon(server->daemon); /* the listening socket, which is not ours to close */
	run(server);
}

unsigned server_connections(const struct server *server)
{
	const union MHD_DaemonInfo *info =
	    server->daemon == NULL ? NULL
				   : MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);

	return info == NULL ? 0 : info->num_connections;
}
