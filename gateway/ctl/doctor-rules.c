/*
 * Checks the nftables rules: open ports, the helper of connection tracking, sets,
 * transparent listeners.
 */
#include "gateway/ctl/doctor-rules.h"

#include <stdio.h>
#include <string.h>

#include "gateway/base/util.h"
#include "gateway/ctl/doctor-report.h"
#include "gateway/ctl/ruleset.h"
#include "gateway/host/facts.h"
#include "gateway/net/netsock.h"

#define TABLE "inet attlsd"

static const char *family_word(enum ip_family family)
{
	return family == IP_V6 ? "ip6" : "ip";
}

void doctor_check_rules(struct doctor *doctor)
{
	if (doctor->ruleset != NULL) {
		doctor_ok(doctor, "the nftables rules can be read");
		return;
	}
	doctor_look(doctor, "run attlsctl doctor as root, or read: nft list ruleset");
	doctor_cannot_tell(doctor, "nftables does not show its rules, so they were not checked: %s",
			   strerror(-doctor->ruleset_error));
}

/* Without connection tracking, all passive ports have to be open all the time. */
static void check_passive_ports(struct doctor *doctor, enum ip_family family)
{
	char chain[RULESET_NAME_MAX];

	if (doctor->policy->nat.conntrack != NAT_CONNTRACK_OFF || !doctor_is_open(doctor->policy, family) ||
	    !ruleset_drops_input(doctor->ruleset, family, chain))
		return;
	for (size_t i = 0; i < doctor->policy->nftp_actions; i++) {
		const struct ftp_action *action = &doctor->policy->ftp_actions[i];
		struct port_range range = netsock_range(action->passivedataports);

		if (ruleset_accepts_port(doctor->ruleset, family, range.low) &&
		    ruleset_accepts_port(doctor->ruleset, family, range.high)) {
			doctor_ok(doctor, "ftp_action %s: ports %u-%u are open", action->name, range.low,
				  range.high);
			continue;
		}
		doctor_fix(doctor, "nft insert rule %s tcp dport %u-%u accept", chain, range.low, range.high);
		doctor_problem(doctor,
			       "ftp_action %s: no rule in chain %s accepts data connections to ports %u-%u",
			       action->name, chain, range.low, range.high);
	}
}

/* If input is dropped by default, control connections need a rule of their own. */
void doctor_check_input(struct doctor *doctor)
{
	check_passive_ports(doctor, IP_V4);
	check_passive_ports(doctor, IP_V6);
	for (size_t i = 0; i < doctor->policy->nlisteners; i++) {
		const struct policy_listener *listener = &doctor->policy->listeners[i];
		enum ip_family family = listener->endpoint.addr.family;
		uint16_t port = doctor_dialled_port(doctor, listener);
		char chain[RULESET_NAME_MAX];

		if (!listener->transparent && ip_addr_is_loopback(&listener->endpoint.addr))
			continue;
		if (!ruleset_drops_input(doctor->ruleset, family, chain) ||
		    ruleset_accepts_port(doctor->ruleset, family, port)) {
			doctor_ok(doctor, "listener %s: port %u is open", listener->name, port);
			continue;
		}
		doctor_fix(doctor, "nft insert rule %s tcp dport %u accept", chain, port);
		doctor_problem(doctor, "listener %s: no rule in chain %s accepts clients at port %u",
			       listener->name, chain, port);
	}
}

/* nf_nat_ftp acts on connections with helper and NAT, and would rewrite what attlsd sends. */
static void warn_of_rewriting(struct doctor *doctor, const struct policy_listener *listener, uint16_t port)
{
	if (listener->tls == LISTENER_IMPLICIT ||
	    !ruleset_translates(doctor->ruleset, listener->endpoint.addr.family, port))
		return;
	if (doctor->policy->nat.nadvertise > 0)
		doctor_fix(doctor, "take nat.advertise out of %s, or let clients dial attlsd without NAT",
			   doctor->path);
	else
		doctor_fix(doctor, "let clients dial attlsd without NAT on this host");
	doctor_warning(doctor,
		       "listener %s: port %u has the helper and NAT, "
		       "so nf_nat_ftp rewrites what attlsd sends in the clear (before AUTH, after CCC)",
		       listener->name, port);
}

void doctor_check_helper(struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->policy->nlisteners; i++) {
		const struct policy_listener *listener = &doctor->policy->listeners[i];
		uint16_t port = doctor_dialled_port(doctor, listener);

		if (ruleset_assigns_helper(doctor->ruleset, listener->endpoint.addr.family, port)) {
			doctor_ok(doctor, "listener %s: connections to port %u have the helper ftp",
				  listener->name, port);
			warn_of_rewriting(doctor, listener, port);
			continue;
		}
		doctor_fix(doctor,
			   "nft 'add table " TABLE "; add ct helper " TABLE
			   " ftp { type \"ftp\" protocol tcp; }; add chain " TABLE
			   " helper { type filter hook prerouting priority filter; }; add rule " TABLE
			   " helper tcp dport %u ct helper set \"ftp\"'",
			   port);
		doctor_problem(doctor,
			       "listener %s: no rule assigns the helper ftp to connections to port %u, "
			       "and the kernel accepts expectations only for connections with a helper",
			       listener->name, port);
	}
}

void doctor_check_related(struct doctor *doctor)
{
	static const enum ip_family families[] = { IP_V4, IP_V6 };

	for (size_t i = 0; i < NELEM(families); i++) {
		char chain[RULESET_NAME_MAX];

		if (!ruleset_drops_input(doctor->ruleset, families[i], chain))
			continue;
		if (ruleset_accepts_related(doctor->ruleset, families[i])) {
			doctor_ok(doctor, "IPv%d: a rule accepts related connections", families[i]);
			continue;
		}
		doctor_fix(doctor, "nft insert rule %s ct state related ct helper \"ftp\" accept", chain);
		doctor_problem(doctor,
			       "IPv%d: no rule accepts related connections, so expectations have no effect",
			       families[i]);
	}
}

/* The length of "family table" in "family table name". */
static int table_len(const char *name)
{
	const char *last = strrchr(name, ' ');

	return last == NULL ? (int)strlen(name) : (int)(last - name);
}

/* Set the fix for a set that is missing or of another type. */
static void fix_set(struct doctor *doctor, enum ip_family family, bool found)
{
	const char *name = doctor->policy->nat.nft_set;
	const char *more = family == IP_V6 ? "6" : "";
	const char *type = family == IP_V6 ? "ipv6_addr" : "ipv4_addr";
	char drop[DOCTOR_TEXT_MAX] = "";

	if (found)
		(void)snprintf(drop, sizeof(drop), "delete set %s%s; ", name, more);
	doctor_fix(doctor,
		   "nft '%sadd table %.*s; add set %s%s { "
		   "type %s . %s . inet_service; flags timeout; size 65535; }'",
		   drop, table_len(name), name, name, more, type, type);
}

static void check_set(struct doctor *doctor, enum ip_family family)
{
	const char *name = doctor->policy->nat.nft_set;
	const char *more = family == IP_V6 ? "6" : "";
	const char *word = family_word(family);
	int table = table_len(name);
	struct ruleset_set set;
	char chain[RULESET_NAME_MAX];
	bool drops = ruleset_drops_input(doctor->ruleset, family, chain);

	/*
	 * a rule can use only sets of its own table, and no table can accept a packet that
	 * another one drops
	 */
	if (drops && (table_len(chain) != table || strncmp(chain, name, (size_t)table) != 0)) {
		doctor_fix(doctor, "nat: { conntrack: set, nft_set: \"%.*s%s\" } in %s", table_len(chain),
			   chain, name + table, doctor->path);
		doctor_problem(doctor, "chain %s drops input and cannot use a set of another table, %s%s",
			       chain, name, more);
		return;
	}
	ruleset_find_set(doctor->ruleset, name, family, &set);
	if (!set.found || !set.right_type || !set.timeout) {
		fix_set(doctor, family, set.found);
		doctor_problem(doctor, "the set %s%s %s", name, more,
			       !set.found	 ? "does not exist"
			       : !set.right_type ? "does not have the type address . address . inet_service"
						 : "does not have the flag timeout");
		return;
	}
	if (set.used || !drops) {
		doctor_ok(doctor, "the set %s%s exists", name, more);
		return;
	}
	doctor_fix(doctor, "nft insert rule %s %s saddr . %s daddr . tcp dport @%s%s accept", chain, word,
		   word, name + table + 1, more);
	doctor_problem(doctor, "no rule uses the set %s%s", name, more);
}

/* Check the set of each family that clients can use. */
void doctor_check_set(struct doctor *doctor)
{
	bool seen4 = false, seen6 = false;

	for (size_t i = 0; i < doctor->policy->nlisteners; i++) {
		seen4 = seen4 || doctor->policy->listeners[i].endpoint.addr.family == IP_V4;
		seen6 = seen6 || doctor->policy->listeners[i].endpoint.addr.family == IP_V6;
	}
	if (seen4)
		check_set(doctor, IP_V4);
	if (seen6)
		check_set(doctor, IP_V6);
}

/* An address in nft's notation: IPv6 in brackets. */
static void fix_tproxy(struct doctor *doctor, const struct policy_listener *listener)
{
	char to[IP_TEXT_MAX];
	enum ip_family family = listener->endpoint.addr.family;

	(void)ip_endpoint_format(&listener->endpoint, to);
	doctor_fix(doctor,
		   "nft 'add table " TABLE "; add chain " TABLE
		   " divert { type filter hook prerouting priority dstnat + 1; }; add rule " TABLE
		   " divert %s daddr SERVERS tcp dport %u tproxy %s to %s meta mark set 1 accept'",
		   family_word(family), doctor_dialled_port(doctor, listener), family_word(family), to);
}

void doctor_check_tproxy(struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->policy->nlisteners; i++) {
		const struct policy_listener *listener = &doctor->policy->listeners[i];
		const struct ip_endpoint *at = &listener->endpoint;
		struct ruleset_tproxy tproxy;
		struct ip_addr to;

		if (!listener->transparent)
			continue;
		fix_tproxy(doctor, listener);
		if (!ruleset_find_tproxy(doctor->ruleset, at->addr.family, at->port, &tproxy)) {
			doctor_problem(doctor, "listener %s: no tproxy rule passes connections to port %u",
				       listener->name, at->port);
			continue;
		}
		if (tproxy.addr[0] != '\0' && !ip_addr_is_any(&at->addr) &&
		    (ip_addr_parse(tproxy.addr, strlen(tproxy.addr), &to) < 0 ||
		     !ip_addr_equal(&to, &at->addr))) {
			doctor_problem(doctor, "listener %s: the tproxy rule passes connections to %s",
				       listener->name, tproxy.addr);
			continue;
		}
		if (!tproxy.marks) {
			doctor_problem(
			    doctor, "listener %s: the tproxy rule sets no mark, so the packets are forwarded",
			    listener->name);
			continue;
		}
		doctor->fix[0] = '\0';
		doctor_ok(doctor, "listener %s: a tproxy rule passes connections to port %u", listener->name,
			  doctor_dialled_port(doctor, listener));
	}
}

void doctor_check_socket(struct doctor *doctor)
{
	static const enum ip_family families[] = { IP_V4, IP_V6 };

	for (size_t i = 0; i < NELEM(families); i++) {
		uint32_t mark;
		bool marks;

		if (!host_wants_transparent(doctor->policy, families[i]))
			continue;
		if (ruleset_find_socket(doctor->ruleset, families[i], &marks, &mark)) {
			doctor_ok(doctor, "IPv%d: a rule keeps packets for attlsd's own sockets on this host",
				  families[i]);
			continue;
		}
		doctor_fix(doctor,
			   "nft 'add table " TABLE "; add chain " TABLE
			   " divert { type filter hook prerouting priority dstnat + 1; }; insert rule " TABLE
			   " divert meta l4proto tcp socket transparent 1 meta mark set 1 accept'");
		doctor_problem(doctor,
			       "IPv%d: no rule keeps packets for attlsd's own sockets on this host "
			       "(socket transparent): answers of servers, and data connections, get lost",
			       families[i]);
	}
}
