/*
 * Carries out what needs CAP_NET_ADMIN or a low port: sockets with other hosts'
 * addresses, and entries in conntrack or an nftables set. Each request is compared
 * with the session's addresses and policy before anything is done.
 */
#include "gateway/monitor/privileged.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "gateway/base/ftp-setup.h"
#include "gateway/base/counters.h"
#include "gateway/base/log.h"
#include "gateway/base/loop.h"
#include "gateway/base/util.h"
#include "gateway/host/capabilities.h"
#include "gateway/host/conntrack.h"
#include "gateway/host/facts.h"
#include "gateway/host/nftset.h"
#include "gateway/net/netsock.h"

struct announced {
	uint64_t session;		   /* key */
	struct ip_endpoint client, server; /* the control connection */
	struct ip_addr from;
	struct ip_endpoint to;
	uint64_t made_us;
	UT_hash_handle hh;
};

static bool needs_net_admin(const struct policy *policy)
{
	return policy->nat.conntrack != NAT_CONNTRACK_OFF || host_wants_transparent(policy, IP_NONE);
}

/* On failure *ret_why is the reason with its fix. */
static int open_mechanism(struct privileged *privileged, const struct policy_nat *nat, const char **ret_why)
{
	int r = 0;

	privileged->mechanism = nat->conntrack;
	switch (nat->conntrack) {
	case NAT_CONNTRACK_OFF:
		break;
	case NAT_CONNTRACK_EXPECT:
		r = conntrack_open(&privileged->conntrack);
		*ret_why = "nat.conntrack: expect needs CAP_NET_ADMIN and the kernel module "
			   "nf_conntrack_netlink; start attlsd as root, and: "
			   "modprobe nf_conntrack_netlink nf_conntrack_ftp";
		break;
	case NAT_CONNTRACK_SET:
		r = nftset_open(nat->nft_set, &privileged->nftset);
		*ret_why =
		    r != -EINVAL
			? "nat.conntrack: set needs a netlink socket to nf_tables; start attlsd as root, "
			  "modprobe nf_tables, and let the service use AF_NETLINK"
			: "nat.nft_set has to name a set as \"family table set\", for example: inet attlsd data";
		break;
	}
	return r;
}

/* error NULL: why says it all. */
static void explain(const char *path, const char *why, const char *error)
{
	char text[1024];

	(void)snprintf(text, sizeof(text), "%s: %s%s%s%s", path, why, error == NULL ? "" : " (",
		       error == NULL ? "" : error, error == NULL ? "" : ")");
	log_text(text, strlen(text));
}

int privileged_start(struct privileged *privileged, const struct policy *policy, const char *path)
{
	const char *why = "transparent listeners and nat.conntrack need CAP_NET_ADMIN; "
			  "start attlsd as root, or give it the capability: setcap cap_net_admin+ep attlsd; "
			  "under systemd, run systemctl edit attlsd and add: [Service] "
			  "CapabilityBoundingSet=CAP_NET_ADMIN";
	int r = 0;

	privileged->net_admin = needs_net_admin(policy);
	if (privileged->net_admin && !capabilities_have_net_admin())
		r = -EPERM;
	if (r == 0)
		r = open_mechanism(privileged, &policy->nat, &why);
	if (r < 0)
		explain(path, why, strerror(-r));
	return r;
}

int privileged_allows(const struct privileged *privileged, const struct policy *policy, const char *path)
{
	const char *why = NULL;

	if (policy->nat.conntrack != privileged->mechanism)
		why = "nat.conntrack has changed: restart attlsd";
	else if (needs_net_admin(policy) && !privileged->net_admin)
		why = "a listener is now transparent: restart attlsd, which has dropped CAP_NET_ADMIN";
	if (why != NULL)
		explain(path, why, NULL);
	return why == NULL ? 0 : -EPERM;
}

const struct policy_rule *privileged_rule(const struct policy *policy, const struct admission_facts *facts)
{
	struct policy_flow flow = { .remote = facts->remote.addr,
				    .local = facts->local.addr,
				    .at_s = facts->began_s };

	if (facts->listener >= policy->nlisteners)
		return NULL;
	flow.listener = &policy->listeners[facts->listener];
	return policy_match(policy, &flow);
}

static bool in_range(uint16_t port, struct port_range range)
{
	range = netsock_range(range); /* without a range in the policy, the one that workers use */
	return port >= range.low && port <= range.high;
}

static const char not_client[] = "not-the-clients-address", not_server[] = "not-the-servers-address",
		  not_passive[] = "port-not-in-passivedataports", low[] = "low-port",
		  not_data[] = "not-the-data-port", before_login[] = "before-login", no_rule[] = "no-rule",
		  not_backend[] = "not-the-server", target[] = "target-without-need";

/* Is this address the server's? If its name has several, the worker tries one after the other. */
static bool is_server(const struct policy *policy, const struct admission_facts *facts,
		      const struct policy_rule *rule, const struct policy_server *server,
		      const struct ip_addr *addr)
{
	const struct ftp_setup_ends ends = { .listener = &policy->listeners[facts->listener],
					     .remote = facts->remote,
					     .local = facts->local };

	return ftp_setup_is_server(&ends, rule->backend, server, addr);
}

/*
 * With `address: original` the port depends on whether the client began with TLS. With
 * `tls: auto` only the worker knows that, so both ports are right.
 */
static bool is_server_port(const struct policy *policy, const struct admission_facts *facts,
			   const struct policy_rule *rule, const struct policy_server *server, uint16_t port)
{
	struct ftp_setup_ends ends = { .listener = &policy->listeners[facts->listener],
				       .remote = facts->remote,
				       .local = facts->local };
	enum listener_tls tls = ends.listener->tls;

	if (rule->backend->balanced)
		return server != NULL && server->endpoint.port == port;
	if (tls != LISTENER_IMPLICIT && ftp_setup_server(&ends, rule->backend).port == port)
		return true;
	ends.implicit = tls == LISTENER_IMPLICIT || tls == LISTENER_AUTO;
	return ftp_setup_server(&ends, rule->backend).port == port;
}

/* May this data connection go to the server? */
static const char *why_not_to_server(const struct policy *policy, const struct admission_facts *facts,
				     const struct policy_rule *rule, const struct policy_server *server,
				     const struct ip_endpoint *to)
{
	if (!is_server(policy, facts, rule, server, &to->addr))
		return not_backend;
	return to->port == 0 || (to->port < IP_PORT_LOW_LIMIT && !rule->backend->low_ports) ? low : NULL;
}

/* And this one to the client? As far as the rule lets PORT name other addresses and ports. */
static const char *why_not_to_client(const struct admission_facts *facts, const struct policy_rule *rule,
				     const struct ip_endpoint *to)
{
	if (rule->ftp->portcommandipaddr == NOREDIRECT && !ip_addr_equal(&to->addr, &facts->remote.addr))
		return not_client;
	return to->port < IP_PORT_LOW_LIMIT && rule->ftp->portcommandport == NOLOWPORTS ? low : NULL;
}

/*
 * Which sockets a session may ask for, by purpose: with whose address, at which port,
 * to whom, and when.
 */
static const char *why_no_socket(const struct policy *policy, const struct admission_facts *facts,
				 const struct policy_rule *rule, const struct policy_server *server,
				 const struct msg *msg)
{
	bool as_client = rule->backend->source == BACKEND_SOURCE_CLIENT &&
			 ip_addr_equal(&msg->local.addr, &facts->remote.addr);
	bool as_server = ip_addr_equal(&msg->local.addr, &facts->local.addr);
	bool dials = msg->remote.addr.family != IP_NONE;
	uint16_t port = msg->local.port;

	if (!policy->listeners[facts->listener].transparent)
		return "not-transparent";
	if (msg->purpose != PURPOSE_SERVER && !facts->logged_in)
		return before_login;
	switch ((enum msg_purpose)msg->purpose) {
	case PURPOSE_NONE:
		break;
	case PURPOSE_SERVER:
	case PURPOSE_DATA_DIAL_SERVER:
		if (!as_client)
			return not_client;
		if (port != 0)
			return "port-of-its-choice";
		if (msg->purpose == PURPOSE_SERVER)
			return is_server_port(policy, facts, rule, server, msg->remote.port) &&
				       is_server(policy, facts, rule, server, &msg->remote.addr)
				   ? NULL
				   : not_backend;
		return why_not_to_server(policy, facts, rule, server, &msg->remote);
	case PURPOSE_DATA_LISTEN_SERVER:
		if (!as_client)
			return not_client;
		return port < IP_PORT_LOW_LIMIT ? low : dials ? target : NULL;
	case PURPOSE_DATA_LISTEN_CLIENT:
		if (!as_server)
			return not_server;
		return !in_range(port, rule->ftp->passivedataports) ? not_passive : dials ? target : NULL;
	case PURPOSE_DATA_DIAL_CLIENT:
		if (!as_server)
			return not_server;
		if (rule->ftp->data_port == DATA_PORT_LOWER ? port + 1 != facts->local.port
							    : port != FTP_DATA_PORT)
			return not_data;
		return why_not_to_client(facts, rule, &msg->remote);
	case PURPOSE_DATA_DIAL_LOWER: /* not for transparent listeners, see why_no_lower_port() */
		return "transparent";
	}
	return "unknown-purpose";
}

/*
 * Does policy have this session's client dialled from the port below that of the
 * control connection? Behind a load balancer the monitor does not know the client, and
 * so not the rule: then one rule that says so is enough.
 */
static const char *why_no_lower_port(const struct policy *policy, const struct admission_facts *facts,
				     const struct policy_rule *rule, const struct msg *msg)
{
	const struct policy_listener *listener = &policy->listeners[facts->listener];
	bool lower = rule != NULL && rule->ftp->data_port == DATA_PORT_LOWER;

	for (size_t i = 0; listener->nproxies > 0 && i < policy->nrules; i++)
		lower = lower || policy->rules[i].ftp->data_port == DATA_PORT_LOWER;
	if (!lower || listener->transparent)
		return "not-in-this-policy";
	if (!facts->logged_in)
		return before_login;
	if (!ip_addr_equal(&msg->local.addr, &facts->local.addr))
		return not_server;
	if (msg->local.port == 0 || msg->local.port + 1 != facts->local.port)
		return not_data;
	/* the client's address is not known here if it connects through a load balancer */
	if (listener->nproxies > 0)
		return msg->remote.addr.family == IP_NONE ? not_client : NULL;
	return why_not_to_client(facts, rule, &msg->remote);
}

/*
 * Port 20 needs a capability that workers do not have, so the monitor binds it. It
 * also dials: a worker could connect a bound socket to any host.
 */
static void make_socket(const struct admission_facts *facts, const struct msg *msg, struct msg *answer,
			int *ret_fd)
{
	/* Not the client's own port: conntrack would take the two connections for one. */
	int fd = msg->purpose == PURPOSE_DATA_DIAL_LOWER
		     ? netsock_bind(&msg->local)
		     : netsock_bind_transparent(&msg->local, facts->remote.port);
	int r = fd < 0 ? fd : 0;

	if (r == 0 && msg->remote.addr.family != IP_NONE) {
		if (msg->purpose != PURPOSE_SERVER) /* a worker that dies must not end a transfer in order */
			netsock_reset_on_close(fd);
		r = netsock_connect(fd, &msg->remote);
		if (r < 0)
			fd_close(&fd);
	}
	answer->type = MSG_SOCKET_READY;
	answer->error = r;
	*ret_fd = r < 0 ? -1 : fd;
}

/*
 * What the firewall may be asked to let through: the client to a passive port, or
 * (active) us to the client, as far as the rule lets PORT name other addresses and
 * ports.
 */
static const char *why_no_announcement(const struct admission_facts *facts, const struct policy_rule *rule,
				       const struct msg *msg)
{
	if (!facts->logged_in)
		return before_login;
	if (!ip_addr_equal(&msg->local.addr, &facts->local.addr))
		return not_server;
	if (msg->active)
		return why_not_to_client(facts, rule, &msg->remote);
	if (!ip_addr_equal(&msg->remote.addr, &facts->remote.addr))
		return not_client;
	return in_range(msg->local.port, rule->ftp->passivedataports) ? NULL : not_passive;
}

static int announce(struct privileged *privileged, const struct announced *it)
{
	if (privileged->conntrack != NULL)
		return conntrack_expect(privileged->conntrack, &it->client, &it->server, &it->from, &it->to);
	if (privileged->nftset != NULL)
		return nftset_add(privileged->nftset, &it->from, &it->to);
	return 0;
}

/*
 * What became of an announcement that is no longer there: the kernel drops an expectation when its
 * connection comes, and anything when it is too old.
 */
static size_t outcome(const struct privileged *privileged, const struct announced *it)
{
	uint64_t limit_s = privileged->conntrack != NULL ? CONNTRACK_EXPECT_S : NFTSET_ELEMENT_S;

	if (privileged->nftset != NULL || loop_clock_us() - it->made_us >= limit_s * 1000000)
		return COUNT_EXPECTED_EXPIRED;
	return COUNT_EXPECTED_USED;
}

/* Fails if the connection has come, or the entry has timed out; both are fine. */
static void withdraw(struct privileged *privileged, struct announced *it)
{
	int r = 0;

	if (privileged->conntrack != NULL)
		r = conntrack_forget(privileged->conntrack, &it->client, &it->server, &it->from, &it->to);
	if (privileged->nftset != NULL)
		r = nftset_remove(privileged->nftset, &it->from, &it->to);
	count(EXPECTATIONS, r == 0 ? COUNT_EXPECTED_WITHDRAWN : outcome(privileged, it), 1);
	HASH_DEL(privileged->announced, it);
	free(it);
}

static struct announced *find(const struct privileged *privileged, uint64_t session)
{
	struct announced *it;

	HASH_FIND(hh, privileged->announced, &session, sizeof(session), it);
	return it;
}

/* Log the failure once, with its fix. Transfers go on, as far as the firewall lets them. */
static void log_failure(struct privileged *privileged, int r)
{
	const char *fix = "none known; see the error";

	if (privileged->failure_logged)
		return;
	privileged->failure_logged = true;
	if (privileged->nftset != NULL)
		fix = nftset_error(privileged->nftset);
	else if (r == -EOPNOTSUPP || r == -EINVAL)
		fix = "the control connection has no helper: "
		      "add  ct helper set \"ftp\"  to the firewall for the ports of the listeners";
	else if (r == -ENOENT)
		fix =
		    "the control connection is not tracked: is there a notrack rule, or a NAT that hides it?";
	log_event(LOG_LEVEL_WARNING, "announce-failed", LOG_TEXT("error", strerror(-r)),
		  LOG_TEXT("fix", fix));
}

static void do_announce(struct privileged *privileged, const struct admission_facts *facts,
			const struct msg *msg, struct msg *answer)
{
	struct announced *it = find(privileged, msg->session);

	answer->type = MSG_ANNOUNCED;
	if (it != NULL)
		withdraw(privileged, it);
	it = calloc(1, sizeof(*it));
	if (it == NULL) {
		answer->error = -ENOMEM;
		return;
	}
	it->session = msg->session;
	it->made_us = loop_clock_us();
	it->client = facts->remote;
	it->server = facts->local;
	it->from = msg->active ? facts->local.addr : facts->remote.addr;
	it->to = msg->active ? msg->remote : msg->local;
	HASH_ADD(hh, privileged->announced, session, sizeof(it->session), it);
	answer->error = announce(privileged, it);
	count(EXPECTED, 0, 1);
	if (answer->error < 0) {
		count(EXPECTATIONS, COUNT_EXPECTED_REFUSED, 1);
		log_failure(privileged, answer->error);
		HASH_DEL(privileged->announced, it);
		free(it);
	}
}

const char *privileged_request(struct privileged *privileged, const struct policy *policy,
			       const struct admission_facts *facts, const struct policy_server *server,
			       const struct msg *msg, struct msg *ret_answer, int *ret_fd)
{
	const struct policy_rule *rule = privileged_rule(policy, facts);
	const char *why;

	*ret_fd = -1;
	*ret_answer = (struct msg){
		.session = msg->session, .serial = msg->serial, .purpose = msg->purpose, .active = msg->active
	};
	if (msg->type == MSG_SOCKET && msg->purpose == PURPOSE_DATA_DIAL_LOWER) {
		why = facts->listener >= policy->nlisteners ? no_rule
							    : why_no_lower_port(policy, facts, rule, msg);
		if (why == NULL)
			make_socket(facts, msg, ret_answer, ret_fd);
		return why;
	}
	if (rule == NULL)
		return no_rule;
	switch (msg->type) {
	case MSG_SOCKET:
		why = why_no_socket(policy, facts, rule, server, msg);
		if (why == NULL)
			make_socket(facts, msg, ret_answer, ret_fd);
		return why;
	case MSG_ANNOUNCE:
		why = why_no_announcement(facts, rule, msg);
		if (why == NULL)
			do_announce(privileged, facts, msg, ret_answer);
		return why;
	case MSG_WITHDRAW:
		privileged_session_end(privileged, msg->session);
		return NULL;
	default:
		return "unknown-message";
	}
}

void privileged_session_end(struct privileged *privileged, uint64_t session)
{
	struct announced *it = find(privileged, session);

	if (it != NULL)
		withdraw(privileged, it);
}

void privileged_done(struct privileged *privileged)
{
	struct announced *it, *next;

	HASH_ITER (hh, privileged->announced, it, next)
		withdraw(privileged, it);
	conntrack_close(&privileged->conntrack);
	nftset_close(&privileged->nftset);
}
