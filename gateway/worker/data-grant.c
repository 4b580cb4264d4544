/*
 * Takes what the monitor has made for a data connection: a socket that workers cannot
 * bind, or an announcement to the kernel. Its request may belong to an earlier plan.
 */
#include "gateway/worker/data-grant.h"

#include <errno.h>
#include <string.h>

#include "gateway/base/audit.h"
#include "gateway/base/util.h"
#include "gateway/net/netsock.h"
#include "gateway/worker/active-port.h"
#include "gateway/worker/session-log.h"
#include "gateway/worker/tally.h"

static void granted_dial(struct data_legs *legs, enum ftp_side side, const struct msg *msg, int *fd)
{
	struct data_leg *leg = side == FTP_SIDE_CLIENT ? &legs->client : &legs->server;

	struct ip_endpoint from;
	int r = msg->error;

	if (leg->state != LEG_ASKED)
		return;
	leg->state = LEG_NONE;
	if (r == 0)
		data_leg_connects(legs, leg, fd);
	if (r < 0 && side == FTP_SIDE_CLIENT &&
	    active_port_find(legs->facts, legs->control.client, &from) == 0)
		active_port_log(legs->facts, &from, r);
	legs->on_change(legs);
}

static void granted_listener(struct data_legs *legs, enum ftp_side side, const struct msg *msg, int *fd)
{
	struct ip_endpoint endpoint;
	int r = msg->error != 0 ? msg->error : netsock_start_listening(*fd);

	if (r == -EADDRINUSE && legs->tries-- > 0) {
		data_leg_ask_listener(legs, side);
		return;
	}
	if (r == 0)
		r = data_leg_listens(legs, side, fd, &endpoint);
	if (r != -EINPROGRESS)
		legs->on_listening(legs, side, r == 0 ? &endpoint : NULL);
}

static void granted_announcement(struct data_legs *legs, const struct msg *msg)
{
	struct ip_endpoint endpoint;

	/* The monitor has logged a failure; the firewall may accept the connection all the same. */
	if (msg->active) {
		if (legs->client.state == LEG_ASKED)
			data_legs_dial(legs, FTP_SIDE_CLIENT);
	} else if (legs->client.state == LEG_LISTENING) {
		legs->on_listening(legs, FTP_SIDE_CLIENT,
				   data_leg_to_tell(legs, FTP_SIDE_CLIENT, &endpoint) == 0 ? &endpoint
											   : NULL);
	}
}

/* A shared port is free for the client's address, or was not in time. */
static void told_shared(struct data_legs *legs, const struct msg *msg)
{
	const struct facts *facts = legs->facts;
	struct ip_endpoint port = { .addr = facts->local.addr, .port = msg->local.port };
	char text[IP_TEXT_MAX];

	if (legs->client.state != LEG_ASKED)
		return;
	if (msg->error != 0) {
		legs->shared = false;
		legs->client.state = LEG_NONE;
		session_log(facts, LOG_LEVEL_WARNING, "no-data-port",
			    LOG_TEXT("error", "other sessions of this address wait at all shared ports"));
		legs->on_listening(legs, FTP_SIDE_CLIENT, NULL);
		return;
	}
	legs->client.state = LEG_LISTENING;
	legs->client.peer = (struct ip_endpoint){ .port = 0 };
	legs->client.target = (struct ip_endpoint){ .port = 0 };
	port = policy_advertised(legs->worker->policy, facts->rule->ftp, &facts->remote.addr, &port);
	session_note(facts, "data-listens", LOG_TEXT("for", "client"),
		     LOG_TEXT("told", ip_endpoint_format(&port, text)));
	told_set(&legs->told, &port, legs->worker->loop.now_ms);
	legs->on_listening(legs, FTP_SIDE_CLIENT, &port);
}

/* The client has dialled a shared port. The monitor has compared the addresses. */
static void arrived(struct data_legs *legs, const struct msg *msg, int *fd)
{
	if (legs->client.state != LEG_LISTENING)
		return;
	legs->shared = false;
	if (*fd != -1) {
		data_leg_dialled(legs, FTP_SIDE_CLIENT, &msg->remote, fd);
		return;
	}
	session_log(legs->facts, LOG_LEVEL_ERROR, "no-data-port", LOG_TEXT("error", strerror(EMFILE)));
	data_legs_close(legs, &legs->client, true);
	legs->on_change(legs);
}

void data_grant_too_late(const struct msg *msg, int *fd)
{
	char from[IP_TEXT_MAX], to[IP_TEXT_MAX];
	struct ip_endpoint at = { .port = 0 };

	(void)netsock_local(*fd, &at); /* a connection that was reset knows it as well */
	tally_peer_refused(FTP_SIDE_CLIENT);
	log_event(LOG_LEVEL_WARNING, "data-peer-refused",
		  LOG_TEXT("peer", ip_endpoint_format(&msg->remote, from)),
		  LOG_TEXT("at", ip_endpoint_format(&at, to)), LOG_TEXT("reason", "too-late"));
	audit_event("stranger-refused", AUDIT_TEXT("data_address", ip_addr_format(&msg->remote.addr, from)),
		    AUDIT_NUMBER("data_port", msg->remote.port),
		    AUDIT_TEXT("at_address", ip_addr_format(&at.addr, to)), AUDIT_NUMBER("at_port", at.port),
		    AUDIT_TEXT("reason", "too-late"));
	netsock_reset_on_close(*fd);
	fd_close(fd);
}

void data_legs_make_way(struct data_legs *legs, const struct msg *msg, bool busy)
{
	if (!legs->shared || msg->serial != legs->planned)
		return;
	if (busy)
		data_legs_say(legs, MSG_PLAN_KEPT);
	else
		data_legs_give_port(legs, "needed-by-others");
}

void data_legs_granted(struct data_legs *legs, const struct msg *msg, int *fd)
{
	if (msg->type == MSG_PLAN_TOLD || msg->type == MSG_PLAN_ARRIVED) {
		if (!legs->shared || msg->serial != legs->planned) { /* for an earlier plan */
			if (*fd != -1)
				data_leg_refuse(legs, FTP_SIDE_CLIENT, &msg->remote, "too-late", fd);
			return;
		}
		if (msg->type == MSG_PLAN_TOLD)
			told_shared(legs, msg);
		else
			arrived(legs, msg, fd);
		return;
	}
	if (msg->serial != legs->serial)
		return; /* the request belongs to an earlier plan */
	if (msg->type == MSG_ANNOUNCED) {
		granted_announcement(legs, msg);
		return;
	}
	switch ((enum msg_purpose)msg->purpose) {
	case PURPOSE_DATA_DIAL_SERVER:
		granted_dial(legs, FTP_SIDE_SERVER, msg, fd);
		break;
	case PURPOSE_DATA_DIAL_CLIENT:
	case PURPOSE_DATA_DIAL_LOWER:
		granted_dial(legs, FTP_SIDE_CLIENT, msg, fd);
		break;
	case PURPOSE_DATA_LISTEN_SERVER:
		granted_listener(legs, FTP_SIDE_SERVER, msg, fd);
		break;
	case PURPOSE_DATA_LISTEN_CLIENT:
		granted_listener(legs, FTP_SIDE_CLIENT, msg, fd);
		break;
	case PURPOSE_NONE:
	case PURPOSE_SERVER: /* it stays the session's */
		break;
	}
}
