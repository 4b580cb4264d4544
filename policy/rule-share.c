/*
 * Checks what passivedatashare: source needs. The monitor finds the session of a data
 * connection by the client's address, so nothing else may hide or replace that address.
 */
#include "policy/rule-share.h"

#include <stdbool.h>

#include "policy/nelem.h"
#include "policy/rule-check.h"
#include "policy/shared-ports.h"

static bool shares(const struct check *c, const struct ftp_action *ftp)
{
	return check_is_valid(c, ftp) && ftp->passivedatashare == PASSIVEDATASHARE_SOURCE;
}

static void check_action(const struct check *c, const struct ftp_action *ftp)
{
	unsigned nports = port_range_size(&ftp->passivedataports);

	if (nports == 0)
		check_error(c, DIAG_MISSING_KEY, ftp, "passivedatashare",
			    "\"passivedatashare: source\" of ftp_actions \"%s\" needs \"passivedataports\"; "
			    "add it",
			    ftp->name);
	else if (nports > SHARED_PORTS_MAX)
		check_error(c, DIAG_SHARED_PORTS, ftp, "passivedataports",
			    "\"passivedataports\" of ftp_actions \"%s\" has %u ports, and with "
			    "\"passivedatashare: source\" it may have %u: attlsd keeps all of them open",
			    ftp->name, nports, (unsigned)SHARED_PORTS_MAX);
	if (ftp->passivedataconn == REDIRECT_UNRESTRICTED)
		check_error(c, DIAG_SHARED_PORTS, ftp, "passivedataconn",
			    "\"passivedatashare: source\" of ftp_actions \"%s\" needs \"passivedataconn: "
			    "noredirect\": only the address says whose connection it is",
			    ftp->name);
}

static bool overlap(const struct port_range *a, const struct port_range *b)
{
	return a->low != 0 && b->low != 0 && a->low <= b->high && b->low <= a->high;
}

/* A worker cannot listen on a port that the monitor keeps open. */
static void check_overlap(const struct check *c, const struct ftp_action *ftp)
{
	for (size_t i = 0; i < c->policy->nftp_actions; i++) {
		const struct ftp_action *other = &c->policy->ftp_actions[i];

		if (!check_is_valid(c, other) || other->passivedatashare == PASSIVEDATASHARE_SOURCE ||
		    !overlap(&ftp->passivedataports, &other->passivedataports))
			continue;
		check_error(c, DIAG_SHARED_PORTS, other, "passivedataports",
			    "\"passivedataports\" of ftp_actions \"%s\" and \"%s\" overlap, but only \"%s\" "
			    "has \"passivedatashare: source\"; let them differ, or share both",
			    ftp->name, other->name, ftp->name);
		return;
	}
}

static void check_rule(const struct check *c, const struct policy_rule *rule)
{
	const struct policy_listener *listener;

	for (size_t i = 0; (listener = check_next_listener(c, rule, &i)) != NULL;) {
		if (!listener->transparent || !check_is_valid(c, listener))
			continue;
		check_error(
		    c, DIAG_SHARED_PORTS, rule->ftp, "passivedatashare",
		    "\"passivedatashare: source\" of ftp_actions \"%s\" is not possible on the "
		    "transparent listeners \"%s\", whose clients dial addresses of other hosts; leave it "
		    "out of rules \"%s\"",
		    rule->ftp->name, listener->name, rule->name);
		return;
	}
}

void rule_share_check(const struct policy *policy, const struct locations *locations, struct diags *diags)
{
	const struct check c = { .policy = policy, .locations = locations, .diags = diags };
	struct ip_endpoint sockets[SHARED_SOCKETS_MAX];
	const struct ftp_action *last = NULL;
	size_t nsockets;

	for (size_t i = 0; i < policy->nftp_actions; i++) {
		if (!shares(&c, &policy->ftp_actions[i]))
			continue;
		last = &policy->ftp_actions[i];
		check_action(&c, last);
		check_overlap(&c, last);
	}
	for (size_t i = 0; i < policy->nrules; i++)
		if (check_is_valid(&c, &policy->rules[i]) && shares(&c, policy->rules[i].ftp))
			check_rule(&c, &policy->rules[i]);
	if (last == NULL || diags->nerrors > 0) /* objects may be incomplete */
		return;
	nsockets = policy_shared_ports(policy, sockets, NELEM(sockets));
	if (nsockets > SHARED_SOCKETS_MAX)
		check_error(
		    &c, DIAG_SHARED_PORTS, last, "passivedatashare",
		    "\"passivedatashare: source\" keeps a socket open for each port and each address of a "
		    "listener, and these are more than %u; use fewer ports",
		    (unsigned)SHARED_SOCKETS_MAX);
}

static void warn_rule(const struct check *c, const struct policy_rule *rule)
{
	const struct policy_listener *listener;

	for (size_t i = 0; (listener = check_next_listener(c, rule, &i)) != NULL;)
		if (listener->proxy_data) {
			check_warn(
			    c, DIAG_SHARED_PORTS, rule->ftp, "passivedatashare",
			    "data connections through the load balancers of listeners \"%s\" all have "
			    "their address, so with \"passivedatashare: source\" all sessions together "
			    "have %u at a time that wait for a client; more wait for each other",
			    listener->name, port_range_size(&rule->ftp->passivedataports));
			return;
		}
}

void rule_share_warn(const struct policy *policy, const struct locations *locations, struct diags *diags)
{
	const struct check c = { .policy = policy, .locations = locations, .diags = diags };

	for (size_t i = 0; i < policy->nrules; i++)
		if (policy->rules[i].ftp->passivedatashare == PASSIVEDATASHARE_SOURCE)
			warn_rule(&c, &policy->rules[i]);
}
