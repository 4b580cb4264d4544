/*
 * Dials or listens for the legs of a data connection. All checks of addresses are
 * here: a peer that dials a port must be the peer of the control connection unless
 * policy allows others. Each leg is guarded from the moment it is opened: if the
 * worker dies, the kernel resets it, and neither side takes a part for the whole. The
 * server's control connection is not: vsftpd drops a part only if it can send its 426.
 */
#include "gateway/worker/data-leg.h"

#include <errno.h>
#include <string.h>

#include "gateway/base/util.h"
#include "gateway/net/netsock.h"
#include "gateway/worker/active-port.h"
#include "gateway/worker/proxy-out.h"
#include "gateway/worker/session-audit.h"
#include "gateway/worker/session-log.h"
#include "gateway/worker/tally.h"

/* How many ports to ask the monitor for, one after the other, before giving up. */
#define LISTEN_TRIES 20

static const char *side_name(enum ftp_side side)
{
	return side == FTP_SIDE_CLIENT ? "client" : "server";
}

static struct loop *loop_of(const struct data_legs *legs)
{
	return &legs->worker->loop;
}

void data_legs_say(struct data_legs *legs, enum msg_type type)
{
	struct msg msg = { .type = type, .session = legs->facts->id };

	if (type == MSG_PLAN) {
		legs->planned = legs->serial;
		msg.purpose = (uint32_t)(legs->facts->rule->ftp - legs->worker->policy->ftp_actions);
	}
	legs->shared = type != MSG_PLAN_OVER;
	msg.serial = legs->planned;
	uplink_send(&legs->worker->uplink, &msg);
}

void data_legs_close(struct data_legs *legs, struct data_leg *leg, bool reset)
{
	if (leg->listener.fd != -1) {
		loop_unwatch(loop_of(legs), &leg->listener);
		fd_close(&leg->listener.fd);
	}
	stream_close(&leg->stream, reset);
	leg->state = LEG_NONE;
	if (leg == &legs->client && legs->shared)
		data_legs_say(legs, MSG_PLAN_OVER);
	if (leg == &legs->client)
		told_end(&legs->told, legs->facts, loop_of(legs)->now_ms);
}

void data_legs_give_port(struct data_legs *legs, const char *reason)
{
	if (legs->client.state != LEG_LISTENING)
		return;
	legs->told.reason = reason;
	data_legs_close(legs, &legs->client, false);
}

/* The plan is over: ignore answers to it, and withdraw its announcement. */
void data_legs_withdraw(struct data_legs *legs)
{
	struct msg request = { .type = MSG_WITHDRAW, .session = legs->facts->id };

	legs->serial++;
	if (legs->announced)
		uplink_send(&legs->worker->uplink, &request);
	legs->announced = false;
}

void data_leg_dialled(struct data_legs *legs, enum ftp_side side, const struct ip_endpoint *peer, int *fd)
{
	struct data_leg *leg = side == FTP_SIDE_CLIENT ? &legs->client : &legs->server;
	char text[IP_TEXT_MAX];

	leg->peer = *peer;
	session_note(legs->facts, "data-dialled", LOG_TEXT("by", side_name(side)),
		     LOG_TEXT("from", ip_endpoint_format(peer, text)));
	stream_adopt_guarded(&leg->stream, fd);
	leg->state = LEG_OPEN;
	if (side == FTP_SIDE_CLIENT)
		told_dialled(&legs->told);
	legs->on_change(legs);
}

void data_leg_refuse(struct data_legs *legs, enum ftp_side side, const struct ip_endpoint *peer,
		     const char *reason, int *fd)
{
	const struct facts *facts = legs->facts;
	const char *key = side == FTP_SIDE_CLIENT && reason == NULL ? "passivedataconn" : NULL;
	const char *why = reason != NULL ? "reason" : "";
	char text[IP_TEXT_MAX];

	tally_peer_refused(side);
	session_log(facts, LOG_LEVEL_WARNING, "data-peer-refused",
		    LOG_TEXT("peer", ip_endpoint_format(peer, text)), LOG_TEXT(why, reason),
		    LOG_DECISION(facts, key));
	session_audit(
	    facts, "data-peer-refused", AUDIT_TEXT("leg", side == FTP_SIDE_CLIENT ? "client" : "server"),
	    AUDIT_TEXT("data_address", ip_addr_format(&peer->addr, text)),
	    AUDIT_NUMBER("data_port", peer->port), AUDIT_TEXT(why, reason), AUDIT_DECISION(facts, key));
	netsock_reset_on_close(*fd);
	fd_close(fd);
}

/*
 * A peer has dialled the port of a leg. Only the peer of the control connection is
 * accepted (PASSIVEDATACONN NOREDIRECT); other connections are closed, and the port
 * stays open. The first accepted one closes the port.
 */
static void on_listener(struct data_legs *legs, enum ftp_side side)
{
	const struct facts *facts = legs->facts;
	struct data_leg *leg = side == FTP_SIDE_CLIENT ? &legs->client : &legs->server;
	const struct ip_addr *expected = side == FTP_SIDE_CLIENT ? &facts->remote.addr : &facts->server.addr;
	bool any = side == FTP_SIDE_CLIENT && facts->rule->ftp->passivedataconn == REDIRECT_UNRESTRICTED;
	struct ip_endpoint peer;
	int fd = netsock_accept(leg->listener.fd, &peer);

	if (fd == -EMFILE || fd == -ENFILE || fd == -ENOMEM || fd == -ENOBUFS) {
		/* the connection stays in the queue, which would raise events without end */
		session_log(facts, LOG_LEVEL_ERROR, "no-data-port", LOG_TEXT("error", strerror(-fd)));
		data_legs_close(legs, leg, true);
		legs->on_change(legs);
		return;
	}
	if (fd < 0)
		return; /* the peer has gone again */
	any = any || (side == FTP_SIDE_CLIENT && proxy_peer_may_dial(facts, &peer.addr));
	if (!any && !ip_addr_equal(&peer.addr, expected)) {
		data_leg_refuse(legs, side, &peer, NULL, &fd);
		return;
	}
	loop_unwatch(loop_of(legs), &leg->listener);
	fd_close(&leg->listener.fd);
	data_leg_dialled(legs, side, &peer, &fd);
}

static void on_client_listener(struct watch *watch, uint32_t ready)
{
	(void)ready;
	on_listener(CONTAINER_OF(watch, struct data_legs, client.listener), FTP_SIDE_CLIENT);
}

static void on_server_listener(struct watch *watch, uint32_t ready)
{
	(void)ready;
	on_listener(CONTAINER_OF(watch, struct data_legs, server.listener), FTP_SIDE_SERVER);
}

/*
 * Ask the monitor for a socket with an address that is not this host's, or with a low
 * port. It dials `remote` before it passes the socket on; NULL: to listen.
 */
static void ask_socket(struct data_legs *legs, enum msg_purpose purpose, const struct ip_endpoint *local,
		       const struct ip_endpoint *remote)
{
	struct msg request = {
		.type = MSG_SOCKET,
		.session = legs->facts->id,
		.serial = legs->serial,
		.purpose = purpose,
		.local = *local,
	};

	if (remote != NULL)
		request.remote = *remote;

	uplink_send(&legs->worker->uplink, &request);
}

/*
 * Ask the monitor to announce the client's data connection to the kernel: one to
 * `ours`, or (active) one to `theirs`.
 */
static void ask_announce(struct data_legs *legs, const struct ip_endpoint *ours,
			 const struct ip_endpoint *theirs, bool active)
{
	struct msg request = {
		.type = MSG_ANNOUNCE,
		.session = legs->facts->id,
		.serial = legs->serial,
		.local = *ours,
		.remote = *theirs,
		.active = active,
	};

	legs->announced = true;
	uplink_send(&legs->worker->uplink, &request);
}

static bool announces(const struct data_legs *legs)
{
	/* to the kernel, a proxied session belongs to the load balancer */
	return legs->worker->policy->nat.conntrack != NAT_CONNTRACK_OFF && !legs->facts->proxied;
}

static bool uses_client_address(const struct facts *facts)
{
	return facts->rule->backend->source == BACKEND_SOURCE_CLIENT;
}

int data_leg_to_tell(struct data_legs *legs, enum ftp_side side, struct ip_endpoint *ret)
{
	const struct facts *facts = legs->facts;
	const struct data_leg *leg = side == FTP_SIDE_CLIENT ? &legs->client : &legs->server;
	int r = netsock_local(leg->listener.fd, ret);

	if (r < 0 || side == FTP_SIDE_SERVER)
		return r;
	ret->addr = facts->local.addr;
	*ret = policy_advertised(legs->worker->policy, facts->rule->ftp, &facts->remote.addr, ret);
	return 0;
}

int data_leg_listens(struct data_legs *legs, enum ftp_side side, int *fd, struct ip_endpoint *ret_endpoint)
{
	const struct facts *facts = legs->facts;
	struct data_leg *leg = side == FTP_SIDE_CLIENT ? &legs->client : &legs->server;
	struct ip_endpoint ours;
	char text[IP_TEXT_MAX];
	int r;

	data_legs_close(legs, leg, false);
	watch_init(&leg->listener, side == FTP_SIDE_CLIENT ? on_client_listener : on_server_listener);
	leg->peer = (struct ip_endpoint){ .port = 0 };
	leg->target = (struct ip_endpoint){ .port = 0 }; /* of an earlier way to the same peer */
	leg->listener.fd = fd_take(fd);
	netsock_reset_on_close(leg->listener.fd);
	leg->state = LEG_LISTENING;
	r = data_leg_to_tell(legs, side, ret_endpoint);
	if (r == 0)
		r = loop_watch(loop_of(legs), &leg->listener, EPOLLIN);
	if (r < 0) {
		data_legs_close(legs, leg, false);
		return r;
	}
	session_note(facts, "data-listens", LOG_TEXT("for", side_name(side)),
		     LOG_TEXT("told", ip_endpoint_format(ret_endpoint, text)));
	if (side == FTP_SIDE_CLIENT)
		told_set(&legs->told, ret_endpoint, loop_of(legs)->now_ms);
	if (side == FTP_SIDE_SERVER || !announces(legs))
		return 0;
	/* The client may dial as soon as it knows the port, so announce the connection first. */
	ours = facts->local;
	ours.port = ret_endpoint->port;
	if (netsock_local(leg->listener.fd, &ours) == 0)
		ask_announce(legs, &ours, &(struct ip_endpoint){ .addr = facts->remote.addr }, false);
	return -EINPROGRESS;
}

void data_leg_ask_listener(struct data_legs *legs, enum ftp_side side)
{
	const struct facts *facts = legs->facts;
	struct ip_endpoint local = { .addr = facts->remote.addr };
	struct port_range range = { 0, 0 };

	if (side == FTP_SIDE_CLIENT) {
		local.addr = facts->local.addr;
		range = facts->rule->ftp->passivedataports;
	}
	local.port = netsock_random_port(range);
	ask_socket(legs, side == FTP_SIDE_CLIENT ? PURPOSE_DATA_LISTEN_CLIENT : PURPOSE_DATA_LISTEN_SERVER,
		   &local, NULL);
}

int data_legs_listen(struct data_legs *legs, enum ftp_side side, struct ip_endpoint *ret_endpoint)
{
	const struct facts *facts = legs->facts;
	struct port_range range = { 0, 0 };
	struct ip_endpoint local;
	int fd, r;

	if (side == FTP_SIDE_CLIENT ? facts->transparent : uses_client_address(facts)) {
		legs->tries = LISTEN_TRIES;
		data_leg_ask_listener(legs, side);
		return -EINPROGRESS;
	}
	if (side == FTP_SIDE_CLIENT && facts->rule->ftp->passivedatashare == PASSIVEDATASHARE_SOURCE) {
		data_legs_close(legs, &legs->client, false);
		legs->client.state = LEG_ASKED;
		data_legs_say(legs, MSG_PLAN);
		return -EINPROGRESS;
	}
	if (side == FTP_SIDE_CLIENT) {
		local.addr = facts->host;
		range = facts->rule->ftp->passivedataports;
	} else {
		r = netsock_local(legs->control.server->watch.fd, &local);
		if (r < 0)
			return r;
	}
	fd = netsock_listen_range(&local.addr, range);
	if (fd < 0)
		return fd;
	return data_leg_listens(legs, side, &fd, ret_endpoint);
}

void data_legs_target(struct data_legs *legs, enum ftp_side side, const struct ip_endpoint *target)
{
	struct data_leg *leg = side == FTP_SIDE_CLIENT ? &legs->client : &legs->server;

	data_legs_close(legs, leg, false);
	leg->target = *target;
	leg->peer = (struct ip_endpoint){ .port = 0 };
	leg->state = LEG_TARGET;
}

void data_leg_connects(struct data_legs *legs, struct data_leg *leg, int *fd)
{
	char text[IP_TEXT_MAX];

	session_note(legs->facts, "data-dials",
		     LOG_TEXT("to", side_name(leg == &legs->client ? FTP_SIDE_CLIENT : FTP_SIDE_SERVER)),
		     LOG_TEXT("at", ip_endpoint_format(&leg->target, text)));
	stream_adopt_guarded(&leg->stream, fd);
	leg->state = LEG_DIALLING;
	if (loop_watch(loop_of(legs), &leg->stream.watch, EPOLLOUT) < 0)
		data_legs_close(legs, leg, true);
}

/* From a bound socket to the target of a leg. */
static int connect_from(struct data_legs *legs, struct data_leg *leg, int *fd)
{
	int r;

	netsock_reset_on_close(*fd);
	r = netsock_connect(*fd, &leg->target);
	if (r == 0)
		data_leg_connects(legs, leg, fd);
	return r;
}

/* Dial the client from the port that policy wants. */
static void dial_client(struct data_legs *legs)
{
	struct data_leg *leg = &legs->client;
	struct ip_endpoint from;
	int r = active_port_find(legs->facts, legs->control.client, &from);
	int fd = -1;

	leg->state = LEG_NONE;
	if (r == 0 && (legs->facts->transparent || (from.port != 0 && from.port < IP_PORT_LOW_LIMIT))) {
		leg->state = LEG_ASKED;
		ask_socket(legs,
			   legs->facts->transparent ? PURPOSE_DATA_DIAL_CLIENT : PURPOSE_DATA_DIAL_LOWER,
			   &from, &leg->target);
		return;
	}
	if (r == 0) {
		r = fd = from.port == 0 ? netsock_dial(&leg->target, &from.addr, true) : netsock_bind(&from);
		if (fd >= 0 && from.port == 0)
			data_leg_connects(legs, leg, &fd);
		else if (fd >= 0)
			r = connect_from(legs, leg, &fd);
	}
	fd_close(&fd);
	if (r < 0)
		active_port_log(legs->facts, &from, r);
}

/* Start to connect a leg that has a target. A failure counts as a refused connection. */
void data_legs_dial(struct data_legs *legs, enum ftp_side side)
{
	const struct facts *facts = legs->facts;
	struct data_leg *leg = &legs->server;
	struct ip_addr source;
	int fd;

	if (side == FTP_SIDE_CLIENT) {
		dial_client(legs);
		return;
	}
	if (uses_client_address(facts)) {
		leg->state = LEG_ASKED;
		ask_socket(legs, PURPOSE_DATA_DIAL_SERVER,
			   &(struct ip_endpoint){ .addr = facts->remote.addr }, &leg->target);
		return;
	}
	fd = policy_source_find(facts->rule->backend, leg->target.addr.family, &source);
	if (fd == 0)
		fd = netsock_dial(&leg->target, &source, true);
	if (fd < 0)
		leg->state = LEG_NONE;
	else
		data_leg_connects(legs, leg, &fd);
}

/* Dial the client, after announcing the connection if policy wants that. */
void data_legs_dial_client(struct data_legs *legs)
{
	if (!announces(legs)) {
		data_legs_dial(legs, FTP_SIDE_CLIENT);
		return;
	}
	legs->client.state = LEG_ASKED;
	ask_announce(legs, &legs->facts->local, &legs->client.target, true);
}

/* See whether the connection attempt of a leg has ended. */
void data_legs_check(struct data_legs *legs, struct data_leg *leg)
{
	struct ip_endpoint peer;

	if (leg->state != LEG_DIALLING)
		return;
	if (netsock_error(leg->stream.watch.fd) < 0) {
		data_legs_close(legs, leg, true);
		return;
	}
	if (netsock_peer(leg->stream.watch.fd, &peer) < 0)
		return; /* not yet */
	leg->state = LEG_OPEN;
	if (leg == &legs->server && legs->facts->rule->backend->proxy_data)
		proxy_out_send(legs->facts, legs->control.client, &leg->stream);
	(void)loop_watch(loop_of(legs), &leg->stream.watch, 0); /* removing cannot fail */
}

/* The server's leg survives a refused transfer, unless the server has closed it meanwhile. */
bool data_leg_is_alive(struct data_leg *leg)
{
	return leg->state == LEG_OPEN && netsock_is_quiet(leg->stream.watch.fd);
}

void data_legs_keep_alive(struct data_legs *legs)
{
	uint32_t idle_s = legs->facts->rule->ftp->datakeepalive_s;

	netsock_keepalive(legs->client.stream.watch.fd, idle_s);
	netsock_keepalive(legs->server.stream.watch.fd, idle_s);
}
