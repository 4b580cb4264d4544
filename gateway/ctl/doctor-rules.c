/*
 * Checks the nftables rules: can they be read, the helper of connection tracking, sets,
 * transparent listeners. doctor-input.c checks what they let through.
 */
#include "gateway/ctl/doctor-rules.h"

#include <stdio.h>
#include <string.h>

#include "gateway/base/util.h"
#include "gateway/ctl/doctor-report.h"
#include "gateway/ctl/firewall.h"
#include "gateway/ctl/interfaces.h"
#include "gateway/ctl/ruleset.h"
#include "gateway/host/facts.h"

#define TABLE	       "inet attlsd"
#define INTERFACES_MAX 64

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

/* Is the packet of a client that opens a control connection given the helper? */
static enum packet_match has_helper(const struct doctor *doctor, const struct policy_listener *listener,
				    uint16_t port, struct packet_walk *ret_walk)
{
	const struct packet packet = { .family = listener->endpoint.addr.family, .low = port, .high = port };
	const struct ip_addr *to = &listener->endpoint.addr;

	*ret_walk = firewall_ask(doctor, &packet, listener->transparent ? &(struct ip_addr){ 0 } : to,
				 packet_hooks_prerouting);
	return ret_walk->packet.helper;
}

void doctor_check_helper(struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->policy->nlisteners; i++) {
		const struct policy_listener *listener = &doctor->policy->listeners[i];
		uint16_t port = doctor_dialled_port(doctor, listener);
		struct packet_walk walk;
		enum packet_match helped;

		if (!doctor_is_dialled(listener))
			continue;
		helped = has_helper(doctor, listener, port, &walk);
		if (helped == PACKET_UNKNOWN) {
			doctor_look(doctor, "nft list ruleset | grep 'ct helper set'");
			doctor_cannot_tell(doctor,
					   "listener %s: whether connections to port %u have the helper ftp",
					   listener->name, port);
			continue;
		}
		if (helped != PACKET_NO) {
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

/*
 * Does the set exist? The rule that uses it is found with the data connections, in
 * doctor-input.c.
 */
bool doctor_check_one_set(struct doctor *doctor, enum ip_family family)
{
	const char *name = doctor->policy->nat.nft_set;
	const char *more = family == IP_V6 ? "6" : "";
	struct ruleset_set set;

	ruleset_find_set(doctor->ruleset, name, family, &set);
	if (set.found && set.right_type && set.timeout) {
		doctor_ok(doctor, "the set %s%s exists", name, more);
		return true;
	}
	fix_set(doctor, family, set.found);
	doctor_problem(doctor, "the set %s%s %s", name, more,
		       !set.found	 ? "does not exist"
		       : !set.right_type ? "does not have the type address . address . inet_service"
					 : "does not have the flag timeout");
	return false;
}

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

/* Does a tproxy rule see the packets of clients, on any interface? */
static enum packet_match is_diverted(const struct doctor *doctor, const struct policy_listener *listener)
{
	enum ip_family family = listener->endpoint.addr.family;
	uint16_t port = doctor_dialled_port(doctor, listener);
	struct packet packet = { .family = family, .low = port, .high = port };
	struct interface_address here[INTERFACES_MAX];
	size_t n = interfaces_list(family, here, NELEM(here));
	enum packet_match best = PACKET_NO;

	for (size_t i = 0; i < n; i++) {
		struct packet_walk walk;

		packet.from = here[i].name;
		walk = packet_walk(doctor->ruleset, &packet, packet_hooks_prerouting);
		if (walk.packet.diverted > best)
			best = walk.packet.diverted;
	}
	return best;
}

static void report_diverted(struct doctor *doctor, const struct policy_listener *listener)
{
	enum packet_match diverted = is_diverted(doctor, listener);

	doctor->fix[0] = '\0';
	switch (diverted) {
	case PACKET_NO:
		doctor_fix(doctor, "put the tproxy rule before the rules that accept or drop these packets: "
				   "nft -a list ruleset");
		doctor_problem(doctor, "listener %s: connections to port %u do not reach the tproxy rule",
			       listener->name, doctor_dialled_port(doctor, listener));
		break;
	case PACKET_UNKNOWN:
		doctor_look(doctor, "nft list ruleset | grep tproxy");
		doctor_cannot_tell(doctor,
				   "listener %s: whether connections to port %u reach the tproxy rule",
				   listener->name, doctor_dialled_port(doctor, listener));
		break;
	case PACKET_SOME:
	case PACKET_YES:
		doctor_ok(doctor, "listener %s: a tproxy rule passes connections to port %u", listener->name,
			  doctor_dialled_port(doctor, listener));
		break;
	}
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
		report_diverted(doctor, listener);
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
