/*
 * Warnings about single values that other values of the policy make useless, or that
 * leave a door open. A warning stops nothing, so each names what to change.
 */
#include "policy/rule-effect.h"

#include "policy/rule-check.h"

#include <stdbool.h>

static void warn_limits(const struct check *c)
{
	const struct policy_daemon *daemon = &c->policy->daemon;

	if (check_is_given(c, daemon, "sessions_per_source") &&
	    daemon->limit_sessions_per_source > daemon->limit_sessions)
		check_warn(
		    c, DIAG_NO_EFFECT, daemon, "sessions_per_source",
		    "\"sessions_per_source\" has no effect: \"sessions\" is smaller, so one source can take all of "
		    "them");
	if (check_is_given(c, daemon, "unauthenticated_per_source") &&
	    daemon->limit_unauthenticated_per_source > daemon->limit_sessions_per_source)
		check_warn(
		    c, DIAG_NO_EFFECT, daemon, "unauthenticated_per_source",
		    "\"unauthenticated_per_source\" has no effect: \"sessions_per_source\" is smaller");
}

static void warn_nat(const struct check *c)
{
	const struct policy_nat *nat = &c->policy->nat;

	if (check_is_given(c, nat, "nft_set") && nat->conntrack != NAT_CONNTRACK_SET)
		check_warn(c, DIAG_NO_EFFECT, nat, "nft_set",
			   "\"nft_set\" has no effect unless \"conntrack\" is set");
	if (nat->advertise_ports.low > 0 && nat->nadvertise == 0)
		check_warn(c, DIAG_NO_EFFECT, nat, "advertise_ports",
			   "\"advertise_ports\" has no effect without \"advertise\"");
}

static void warn_keyring(const struct check *c, const struct policy_keyring *ring)
{
	if (ring->trust == NULL && !ring->trust_system)
		return;
	for (size_t i = 0; i < c->policy->ntls_actions; i++) {
		const struct tls_action *tls = &c->policy->tls_actions[i];

		if (tls->keyring == ring && tls->role != ROLE_SERVER)
			return;
	}
	check_warn(
	    c, DIAG_NO_EFFECT, ring, "trust",
	    "\"trust\" of keyrings \"%s\" has no effect: no tls_actions with it verifies certificates; set "
	    "\"handshake_role\" to server_with_client_auth or client",
	    ring->name);
}

/* Does a rule with this action have a listener for implicit TLS? Without rules, anything may come. */
static bool has_implicit(const struct check *c, const struct ftp_action *ftp)
{
	bool used = false;

	for (size_t i = 0; i < c->policy->nrules; i++) {
		const struct policy_rule *rule = &c->policy->rules[i];
		const struct policy_listener *listener;

		if (rule->ftp != ftp)
			continue;
		used = true;
		for (size_t j = 0; (listener = check_next_listener(c, rule, &j)) != NULL;)
			if (listener->tls == LISTENER_IMPLICIT || listener->tls == LISTENER_AUTO)
				return true;
	}
	return !used;
}

/* Levels of some users that they need not meet if they leave out TLS. */
static void warn_per_user(const struct check *c, const struct ftp_action *ftp)
{
	for (size_t i = 0; i < ftp->nper_user; i++) {
		const struct ftp_per_user *entry = &ftp->per_user[i];
		bool levels = check_is_given(c, entry, "secure_ctrlconn") ||
			      check_is_given(c, entry, "secure_dataconn");

		if (entry->action == NULL || entry->action->secure_ftp != SECURE_FTP_ALLOWED)
			continue;
		if (check_is_given(c, entry, "secure_login") && !ftp_action_needs_tls(entry->action))
			check_warn(
			    c, DIAG_NO_EFFECT, entry, "secure_login",
			    "\"secure_login\" in \"per_user\" does not apply to clients without TLS; set "
			    "\"secure_ftp\" of the entry to required");
		if (levels && ftp->data_policy_scope == DATA_POLICY_PROTECTED)
			check_warn(
			    c, DIAG_DATA_SCOPE, entry,
			    check_is_given(c, entry, "secure_ctrlconn") ? "secure_ctrlconn"
									: "secure_dataconn",
			    "with \"data_policy_scope: protected\", the levels of an entry of \"per_user\" do "
			    "not apply to clients without TLS; set \"secure_ftp\" of the entry to required");
	}
}

static void warn_ftp_action(const struct check *c, const struct ftp_action *ftp)
{
	const struct port_range *ports = &ftp->passivedataports;
	unsigned nports = ports->low > 0 ? ports->high - ports->low + 1u : UINT16_MAX;

	if (check_is_given(c, ftp, "dswaitinterval") && ftp->dswaittime_min == 0)
		check_warn(c, DIAG_NO_EFFECT, ftp, "dswaitinterval",
			   "\"dswaitinterval\" has no effect while \"dswaittime\" is 0");
	if (ftp->dswaittime_min > 0 && ftp->dswaitinterval_s > ftp->dswaittime_min * 60)
		check_warn(c, DIAG_NO_EFFECT, ftp, "dswaitinterval",
			   "\"dswaitinterval\" is longer than \"dswaittime\", so nothing is tried again");
	if (ftp->secureimplicitzos && !has_implicit(c, ftp))
		check_warn(
		    c, DIAG_NO_EFFECT, ftp, "secureimplicitzos",
		    "\"secureimplicitzos\" has no effect: no rule with ftp_actions \"%s\" has an implicit listener",
		    ftp->name);
	if (ftp->secure_login != SECURE_LOGIN_NO_CLIENT_AUTH && ftp->secure_ftp == SECURE_FTP_ALLOWED)
		check_warn(
		    c, DIAG_NO_EFFECT, ftp, "secure_login",
		    "\"secure_login\" does not apply to clients without TLS; set \"secure_ftp\" to required");
	if (nports < c->policy->daemon.workers && ftp->passivedatashare == PASSIVEDATASHARE_NONE)
		check_warn(
		    c, DIAG_FEW_PORTS, ftp, "passivedataports",
		    "\"passivedataports\" has %u ports for %u workers, so clients get 425 while others transfer; "
		    "use more ports",
		    nports, c->policy->daemon.workers);
}

static bool has_optional_password(const struct policy *policy)
{
	for (size_t i = 0; i < policy->nftp_actions; i++)
		if (policy->ftp_actions[i].secure_password == SECURE_PASSWORD_OPTIONAL ||
		    policy->ftp_actions[i].secure_password_kerberos == SECURE_PASSWORD_OPTIONAL)
			return true;
	return false;
}

static bool has_family(const struct ip_range *ranges, size_t n, enum ip_family family)
{
	for (size_t i = 0; i < n; i++)
		if (ranges[i].low.family == family)
			return true;
	return n == 0;
}

static bool has_local(const struct policy_rule *rule, const struct policy_listener *listener)
{
	const struct ip_addr *own = &listener->endpoint.addr;

	if (listener->transparent || ip_addr_is_any(own))
		return has_family(rule->local_addrs, rule->nlocal_addrs, own->family);
	for (size_t i = 0; i < rule->nlocal_addrs; i++)
		if (ip_range_contains(&rule->local_addrs[i], own))
			return true;
	return rule->nlocal_addrs == 0;
}

/* Addresses that no connection to the rule's listeners can have. Behind a load balancer, they come from its
 * header. */
static void warn_addresses(const struct check *c, const struct policy_rule *rule)
{
	const struct policy_listener *listener;

	for (size_t i = 0; (listener = check_next_listener(c, rule, &i)) != NULL;)
		if (listener->nproxies > 0 ||
		    (has_family(rule->remote_addrs, rule->nremote_addrs, listener->endpoint.addr.family) &&
		     has_local(rule, listener)))
			return;
	diags_add(
	    c->diags, DIAG_WARNING, DIAG_NEVER_MATCHES, rule->mark,
	    "rules \"%s\" can never match: no connection to its listeners has such a \"remote_addr\" and "
	    "\"local_addr\"",
	    rule->name);
}

void rule_effect_warn(const struct policy *policy, const struct locations *locations, struct diags *diags)
{
	const struct check c = { .policy = policy, .locations = locations, .diags = diags };

	warn_limits(&c);
	warn_nat(&c);
	for (size_t i = 0; i < policy->nkeyrings; i++)
		warn_keyring(&c, &policy->keyrings[i]);
	for (size_t i = 0; i < policy->nftp_actions; i++) {
		warn_ftp_action(&c, &policy->ftp_actions[i]);
		warn_per_user(&c, &policy->ftp_actions[i]);
	}
	for (size_t i = 0; i < policy->nusers; i++)
		if (policy->users[i].password_file != NULL && !has_optional_password(policy))
			check_warn(&c, DIAG_NO_EFFECT, &policy->users[i], "password_file",
				   "\"password_file\" has no effect unless \"secure_password\" or "
				   "\"secure_password_kerberos\" of an ftp_actions is optional");
	for (size_t i = 0; i < policy->nrules; i++)
		warn_addresses(&c, &policy->rules[i]);
}
