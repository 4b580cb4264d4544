/*
 * Opens the sockets of daemon.http and daemon.agent, keeps them at a reload that does not move
 * them, and says what is in the way if one cannot be opened.
 */
#include "gateway/monitor/http-listen.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#include "gateway/base/log.h"
#include "gateway/base/util.h"
#include "gateway/net/netsock.h"

/* Short: whoever waits for longer than a few requests has given up. */
#define HTTP_BACKLOG 64

static void explain(const struct http_place *place, int error, const char *passed, const struct diags *source)
{
	char text[IP_TEXT_MAX];
	struct diags diags;

	if (diags_init(&diags, source->file, source->source, source->source_len) < 0)
		return;
	(void)ip_endpoint_format(place->endpoint, text);
	if (passed[0] != '\0')
		diags_add(&diags, DIAG_ERROR, DIAG_CANNOT_LISTEN, place->mark,
			  "\"%s\" cannot listen on %s: %s", place->key, text, passed);
	else if (error == EADDRINUSE)
		diags_add(&diags, DIAG_ERROR, DIAG_CANNOT_LISTEN, place->mark,
			  "\"%s\" cannot listen on %s: another program is listening there (ss -ltnp shows "
			  "which)",
			  place->key, text);
	else if (error == EACCES)
		diags_add(&diags, DIAG_ERROR, DIAG_CANNOT_LISTEN, place->mark,
			  "\"%s\" cannot listen on %s: a port this low needs CAP_NET_BIND_SERVICE; choose "
			  "port 1024 or higher",
			  place->key, text);
	else if (error == EADDRNOTAVAIL)
		diags_add(&diags, DIAG_ERROR, DIAG_CANNOT_LISTEN, place->mark,
			  "\"%s\" cannot listen on %s: no interface of this host has that address",
			  place->key, text);
	else
		diags_add(&diags, DIAG_ERROR, DIAG_CANNOT_LISTEN, place->mark,
			  "\"%s\" cannot listen on %s: %s", place->key, text, strerror(error));
	log_diags(&diags);
	diags_done(&diags);
}

static bool is_at(const struct http_listen *listen, const struct http_place *place)
{
	if (listen->fd == -1)
		return false;
	if (place->path != NULL)
		return ctl_socket_is_at(&listen->sock, place->path);
	return listen->endpoint.addr.family != IP_NONE &&
	       ip_endpoint_equal(&listen->endpoint, place->endpoint);
}

static int open_path(struct http_listen *ret, const struct activated *activated,
		     const struct http_place *place, const struct diags *source)
{
	char reason[CTL_SOCKET_REASON_MAX];
	struct diags diags;
	int r = ctl_socket_listen(&ret->sock, activated, place->path, SOCK_STREAM, NULL, reason);

	ret->fd = ret->sock.fd;
	ret->activated = ret->sock.activated;
	if (r == 0 || diags_init(&diags, source->file, source->source, source->source_len) < 0)
		return r;
	diags_add(&diags, DIAG_ERROR, DIAG_FILE_UNWRITABLE, place->mark, "\"%s\" cannot be \"%s\": %s",
		  place->key, place->path, reason);
	log_diags(&diags);
	diags_done(&diags);
	return r;
}

int http_listen_open(struct http_listen *ret, const struct http_listen *old,
		     const struct activated *activated, const struct http_place *place,
		     const struct diags *source)
{
	char passed[ACTIVATED_REASON_MAX] = "";
	int fd;

	*ret = HTTP_LISTEN_NONE;
	if (place->path == NULL && place->endpoint->addr.family == IP_NONE)
		return 0;
	if (is_at(old, place))
		return 1;
	if (place->path != NULL)
		return open_path(ret, activated, place, source);
	fd = activated_take(activated, place->endpoint, false, passed);
	ret->activated = fd >= 0;
	if (fd == -ENOENT)
		fd = netsock_listen(place->endpoint, HTTP_BACKLOG, false);
	if (fd < 0) {
		if (passed[0] == '\0' && fd == -EADDRINUSE)
			(void)activated_explain(activated, place->endpoint, passed);
		explain(place, -fd, passed, source);
		return fd;
	}
	ret->fd = fd;
	ret->endpoint = *place->endpoint;
	return 0;
}

const char *http_listen_text(const struct http_listen *listen, char buf[static IP_TEXT_MAX])
{
	struct ip_endpoint local;

	if (listen->endpoint.addr.family == IP_NONE)
		return listen->sock.path;
	if (netsock_local(listen->fd, &local) < 0)
		local = listen->endpoint;
	return ip_endpoint_format(&local, buf);
}

void http_listen_leave(struct http_listen *listen)
{
	fd_close(&listen->fd);
	*listen = HTTP_LISTEN_NONE;
}

void http_listen_close(struct http_listen *listen)
{
	if (listen->sock.fd != -1)
		ctl_socket_close(&listen->sock);
	else
		fd_close(&listen->fd);
	*listen = HTTP_LISTEN_NONE;
}
