#include "gateway/worker/data-leg.h"

#include <errno.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/msg.h"
#include "gateway/base/util.h"
#include "gateway/net/netsock.h"
#include "gateway/worker/proxy-in.h"
#include "gateway/worker/session.h"
#include "gateway/worker/worker.h"

/* Ports that the monitor is asked for one after the other before there is said to be none. */
#define LISTEN_TRIES 20

static struct worker *worker_of(const struct data *data)
{
	return data->session->worker;
}

static struct loop *loop_of(const struct data *data)
{
	return &worker_of(data)->loop;
}

void data_leg_close(struct data *data, struct data_leg *leg, bool reset)
{
	if (leg->listener.fd != -1) {
		loop_unwatch(loop_of(data), &leg->listener);
		fd_close(&leg->listener.fd);
	}
	stream_close(&leg->stream, reset);
	leg->state = LEG_NONE;
}

/* The plan is over: answers to it come too late, and the kernel need not know of it any more. */
void data_leg_withdraw(struct data *data)
{
	struct msg request = { .type = MSG_WITHDRAW, .session = data->session->id };

	data->serial++;
	if (data->announced)
		worker_request(worker_of(data), &request);
	data->announced = false;
}

/*
 * Somebody dials the port that was opened for one leg. Only the peer of the
 * control connection is let in (PASSIVEDATACONN NOREDIRECT); others are closed
 * and the port stays open. The first right one closes the port.
 */
static void on_listener(struct data *data, enum ftp_side side)
{
	struct session *session = data->session;
	struct data_leg *leg = side == FTP_SIDE_CLIENT ? &data->client : &data->server;
	const struct ip_addr *expected =
	    side == FTP_SIDE_CLIENT ? &session->remote.addr : &session->machine.server_addr;
	bool any = side == FTP_SIDE_CLIENT && session->rule->ftp->passivedataconn == REDIRECT_UNRESTRICTED;
	struct ip_endpoint peer;
	char text[IP_TEXT_MAX];
	int fd = netsock_accept(leg->listener.fd, &peer);

	if (fd == -EMFILE || fd == -ENFILE || fd == -ENOMEM || fd == -ENOBUFS) {
		/* the connection stays in the queue and would raise an event for ever */
		log_event(LOG_LEVEL_ERROR, "no-data-port", LOG_NUMBER("session", session->id),
			  LOG_TEXT("error", strerror(-fd)));
		data_leg_close(data, leg, true);
		data_step(data);
		return;
	}
	if (fd < 0)
		return; /* gone again */
	any = any || (side == FTP_SIDE_CLIENT && proxy_in_may_dial(session, &peer.addr));
	if (!any && !ip_addr_equal(&peer.addr, expected)) {
		log_event(LOG_LEVEL_INFO, "data-peer-refused", LOG_NUMBER("session", session->id),
			  LOG_TEXT("peer", ip_endpoint_format(&peer, text)));
		netsock_reset_on_close(fd);
		fd_close(&fd);
		return;
	}
	loop_unwatch(loop_of(data), &leg->listener);
	fd_close(&leg->listener.fd);
	stream_adopt(&leg->stream, &fd);
	leg->state = LEG_OPEN;
	data_step(data);
}

static void on_client_listener(struct watch *watch, uint32_t ready)
{
	(void)ready;
	on_listener(CONTAINER_OF(watch, struct data, client.listener), FTP_SIDE_CLIENT);
}

static void on_server_listener(struct watch *watch, uint32_t ready)
{
	(void)ready;
	on_listener(CONTAINER_OF(watch, struct data, server.listener), FTP_SIDE_SERVER);
}

/* Ask the monitor for a socket with an address that is not this host's. */
static void ask_socket(struct data *data, enum msg_purpose purpose, const struct ip_endpoint *local)
{
	struct msg request = {
		.type = MSG_SOCKET,
		.session = data->session->id,
		.serial = data->serial,
		.purpose = purpose,
		.local = *local,
	};

	worker_request(worker_of(data), &request);
}

/* Ask it to tell the kernel of the client's data connection, which comes to `ours`, or goes (active) to
 * `theirs`. */
static void ask_announce(struct data *data, const struct ip_endpoint *ours, const struct ip_endpoint *theirs,
			 bool active)
{
	struct msg request = {
		.type = MSG_ANNOUNCE,
		.session = data->session->id,
		.serial = data->serial,
		.local = *ours,
		.remote = *theirs,
		.active = active,
	};

	data->announced = true;
	worker_request(worker_of(data), &request);
}

static bool announces(const struct data *data)
{
	/* the kernel knows a proxied session as one of the load balancer's */
	return worker_of(data)->policy->nat.conntrack != NAT_CONNTRACK_OFF && !data->session->proxied;
}

static bool uses_client_address(const struct session *session)
{
	return session->rule->backend->source == BACKEND_SOURCE_CLIENT;
}

/* The port that a leg listens on, as its peer is to dial it. */
static int endpoint_to_tell(struct data *data, enum ftp_side side, struct ip_endpoint *ret)
{
	const struct session *session = data->session;
	const struct data_leg *leg = side == FTP_SIDE_CLIENT ? &data->client : &data->server;
	int r = netsock_local(leg->listener.fd, ret);

	if (r < 0 || side == FTP_SIDE_SERVER)
		return r;
	ret->addr = session->local.addr;
	*ret = policy_advertised(worker_of(data)->policy, session->rule->ftp, &session->remote.addr, ret);
	return 0;
}

/* A leg has a listening socket. Returns as data_listen(). */
static int leg_listens(struct data *data, enum ftp_side side, int *fd, struct ip_endpoint *ret_endpoint)
{
	struct session *session = data->session;
	struct data_leg *leg = side == FTP_SIDE_CLIENT ? &data->client : &data->server;
	struct ip_endpoint ours;
	int r;

	data_leg_close(data, leg, false);
	watch_init(&leg->listener, side == FTP_SIDE_CLIENT ? on_client_listener : on_server_listener);
	leg->listener.fd = fd_take(fd);
	leg->state = LEG_LISTENING;
	r = endpoint_to_tell(data, side, ret_endpoint);
	if (r == 0)
		r = loop_watch(loop_of(data), &leg->listener, EPOLLIN);
	if (r < 0) {
		data_leg_close(data, leg, false);
		return r;
	}
	if (side == FTP_SIDE_SERVER || !announces(data))
		return 0;
	/* The client may dial as soon as it is told, so the kernel has to know before. */
	ours = session->local;
	ours.port = ret_endpoint->port;
	if (netsock_local(leg->listener.fd, &ours) == 0)
		ask_announce(data, &ours, &(struct ip_endpoint){ .addr = session->remote.addr }, false);
	return -EINPROGRESS;
}

/* A listener with somebody else's address, at a port of the monitor's leave. */
static void ask_listener(struct data *data, enum ftp_side side)
{
	struct session *session = data->session;
	struct ip_endpoint local = { .addr = session->remote.addr };
	struct port_range range = { 0, 0 };

	if (side == FTP_SIDE_CLIENT) {
		local.addr = session->local.addr;
		range = session->rule->ftp->passivedataports;
	}
	local.port = netsock_random_port(range);
	ask_socket(data, side == FTP_SIDE_CLIENT ? PURPOSE_DATA_LISTEN_CLIENT : PURPOSE_DATA_LISTEN_SERVER,
		   &local);
}

int data_listen(struct data *data, enum ftp_side side, struct ip_endpoint *ret_endpoint)
{
	struct session *session = data->session;
	struct port_range range = { 0, 0 };
	struct ip_endpoint local;
	int fd, r;

	if (side == FTP_SIDE_CLIENT ? session->transparent : uses_client_address(session)) {
		data->tries = LISTEN_TRIES;
		ask_listener(data, side);
		return -EINPROGRESS;
	}
	if (side == FTP_SIDE_CLIENT) {
		local.addr = session->own;
		range = session->rule->ftp->passivedataports;
	} else {
		r = netsock_local(session->server.watch.fd, &local);
		if (r < 0)
			return r;
	}
	fd = netsock_listen_range(&local.addr, range);
	if (fd < 0)
		return fd;
	return leg_listens(data, side, &fd, ret_endpoint);
}

void data_target(struct data *data, enum ftp_side side, const struct ip_endpoint *target)
{
	struct data_leg *leg = side == FTP_SIDE_CLIENT ? &data->client : &data->server;

	data_leg_close(data, leg, false);
	leg->target = *target;
	leg->state = LEG_TARGET;
}

/* Take a socket that connects. */
static void leg_connects(struct data *data, struct data_leg *leg, int *fd)
{
	stream_adopt(&leg->stream, fd);
	leg->state = LEG_DIALLING;
	if (loop_watch(loop_of(data), &leg->stream.watch, EPOLLOUT) < 0)
		data_leg_close(data, leg, true);
}

/* Start to connect a leg that has a target. Failure is as good as a refused connection later. */
void data_leg_dial(struct data *data, enum ftp_side side)
{
	struct session *session = data->session;
	struct data_leg *leg = side == FTP_SIDE_CLIENT ? &data->client : &data->server;
	struct ip_endpoint ours = { .addr = session->local.addr, .port = FTP_DATA_PORT };
	int fd;

	if (side == FTP_SIDE_SERVER && uses_client_address(session)) {
		leg->state = LEG_ASKED;
		ask_socket(data, PURPOSE_DATA_DIAL_SERVER,
			   &(struct ip_endpoint){ .addr = session->remote.addr });
		return;
	}
	if (side == FTP_SIDE_CLIENT && session->transparent) {
		leg->state = LEG_ASKED;
		ask_socket(data, PURPOSE_DATA_DIAL_CLIENT, &ours);
		return;
	}
	fd = netsock_dial(&leg->target, side == FTP_SIDE_CLIENT ? &session->own : NULL);
	if (fd < 0)
		leg->state = LEG_NONE;
	else
		leg_connects(data, leg, &fd);
}

/* Dial the client, once the kernel knows of it where it has to. */
void data_leg_dial_client(struct data *data)
{
	if (!announces(data)) {
		data_leg_dial(data, FTP_SIDE_CLIENT);
		return;
	}
	data->client.state = LEG_ASKED;
	ask_announce(data, &data->session->local, &data->client.target, true);
}

static void granted_dial(struct data *data, enum ftp_side side, const struct msg *msg, int *fd)
{
	struct data_leg *leg = side == FTP_SIDE_CLIENT ? &data->client : &data->server;

	if (leg->state != LEG_ASKED)
		return;
	leg->state = LEG_NONE;
	if (msg->error == 0 && netsock_connect(*fd, &leg->target) == 0)
		leg_connects(data, leg, fd);
	data_step(data);
}

static void granted_listener(struct data *data, enum ftp_side side, const struct msg *msg, int *fd)
{
	struct ip_endpoint endpoint;
	int r = msg->error != 0 ? msg->error : netsock_start_listening(*fd);

	if (r == -EADDRINUSE && data->tries-- > 0) {
		ask_listener(data, side);
		return;
	}
	if (r == 0)
		r = leg_listens(data, side, fd, &endpoint);
	if (r != -EINPROGRESS)
		session_listening(data->session, side, r == 0 ? &endpoint : NULL);
}

static void granted_announcement(struct data *data, const struct msg *msg)
{
	struct ip_endpoint endpoint;

	/* That it failed the monitor has logged; perhaps the firewall lets the connection through all the
	 * same. */
	if (msg->active) {
		if (data->client.state == LEG_ASKED)
			data_leg_dial(data, FTP_SIDE_CLIENT);
	} else if (data->client.state == LEG_LISTENING) {
		session_listening(data->session, FTP_SIDE_CLIENT,
				  endpoint_to_tell(data, FTP_SIDE_CLIENT, &endpoint) == 0 ? &endpoint : NULL);
	}
}

void data_granted(struct data *data, const struct msg *msg, int *fd)
{
	if (msg->serial != data->serial)
		return; /* the plan that it was for has been dropped */
	if (msg->type == MSG_ANNOUNCED) {
		granted_announcement(data, msg);
		return;
	}
	switch ((enum msg_purpose)msg->purpose) {
	case PURPOSE_DATA_DIAL_SERVER:
		granted_dial(data, FTP_SIDE_SERVER, msg, fd);
		break;
	case PURPOSE_DATA_DIAL_CLIENT:
		granted_dial(data, FTP_SIDE_CLIENT, msg, fd);
		break;
	case PURPOSE_DATA_LISTEN_SERVER:
		granted_listener(data, FTP_SIDE_SERVER, msg, fd);
		break;
	case PURPOSE_DATA_LISTEN_CLIENT:
		granted_listener(data, FTP_SIDE_CLIENT, msg, fd);
		break;
	case PURPOSE_NONE:
	case PURPOSE_SERVER: /* the session's */
		break;
	}
}

/* Has a leg that is being dialled got through? */
void data_leg_check(struct data *data, struct data_leg *leg)
{
	struct ip_endpoint peer;

	if (leg->state != LEG_DIALLING)
		return;
	if (netsock_error(leg->stream.watch.fd) < 0) {
		data_leg_close(data, leg, true);
		return;
	}
	if (netsock_peer(leg->stream.watch.fd, &peer) < 0)
		return; /* not yet */
	leg->state = LEG_OPEN;
	if (leg == &data->server && data->session->rule->backend->proxy_data)
		proxy_out_send(data->session, &leg->stream);
	(void)loop_watch(loop_of(data), &leg->stream.watch, 0); /* removing cannot fail */
}

/* The server's leg survives a refused transfer unless the server has closed it meanwhile. */
bool data_leg_is_alive(struct data_leg *leg)
{
	return leg->state == LEG_OPEN && netsock_is_quiet(leg->stream.watch.fd);
}
