/*
 * Plays the packets of clients through the firewall: those that open control and data
 * connections must get in, and conntrack must see them if attlsd relies on it.
 */
#include "gateway/ctl/doctor-input.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "gateway/base/util.h"
#include "gateway/ctl/doctor-report.h"
#include "gateway/ctl/doctor-rules.h"
#include "gateway/ctl/firewall.h"
#include "gateway/ctl/ruleset.h"
#include "gateway/net/netsock.h"

#define SUBJECT_MAX 160

/* Connections of clients that must get in. */
struct wanted {
	const struct policy_listener *listener;
	uint16_t low, high;
	char subject[SUBJECT_MAX];
	void (*fix)(struct doctor *doctor, const struct wanted *wanted, const struct packet_barrier *barrier);
};

/* A transparent listener's clients dial addresses of other hosts. */
static const struct ip_addr *dialled_address(const struct policy_listener *listener)
{
	static const struct ip_addr unknown = { .family = IP_NONE };

	return listener->transparent ? &unknown : &listener->endpoint.addr;
}

static struct packet packet_for(const struct wanted *wanted)
{
	return (struct packet){ .family = wanted->listener->endpoint.addr.family,
				.low = wanted->low,
				.high = wanted->high };
}

/* One problem for each chain that stops it, since each needs a fix of its own. */
static void report_shut(struct doctor *doctor, const struct packet_walk *walk, const struct wanted *wanted)
{
	char where[DOCTOR_TEXT_MAX / 2];

	for (size_t i = 0; i < walk->nbarriers; i++) {
		wanted->fix(doctor, wanted, &walk->barriers[i]);
		doctor_problem(doctor, "%s: %s stops them", wanted->subject,
			       firewall_describe(&walk->barriers[i], where, sizeof(where)));
	}
}

static void report(struct doctor *doctor, const struct packet_walk *walk, const struct wanted *wanted)
{
	if (walk->packet.translated != PACKET_NO && walk->way != PACKET_SHUT) {
		doctor_look(doctor, "nft list ruleset | grep -E 'dnat|redirect'");
		doctor_cannot_tell(doctor, "%s: a rule changes where they go", wanted->subject);
		return;
	}
	switch (walk->way) {
	case PACKET_SHUT:
		report_shut(doctor, walk, wanted);
		break;
	case PACKET_UNSURE:
	case PACKET_FEW:
		firewall_cannot_tell(doctor, walk, wanted->subject);
		break;
	case PACKET_OPEN_TO_SOME:
		doctor_ok(doctor, "%s: the firewall lets them in, but not from all clients", wanted->subject);
		break;
	case PACKET_OPEN:
		doctor_ok(doctor, "%s: the firewall lets them in", wanted->subject);
		break;
	}
}

static void fix_port(struct doctor *doctor, const struct wanted *wanted, const struct packet_barrier *barrier)
{
	firewall_fix_port(doctor, barrier, wanted->low, wanted->high);
}

static void fix_related(struct doctor *doctor, const struct wanted *wanted,
			const struct packet_barrier *barrier)
{
	(void)wanted;
	firewall_fix_related(doctor, barrier);
}

/* The length of "family table" in "family table name". */
static size_t table_len(const char *name)
{
	const char *last = strrchr(name, ' ');

	return last == NULL ? strlen(name) : (size_t)(last - name);
}

/* A rule can use only sets of its own table, and no table can accept a packet that another one drops. */
static bool can_use_set(const struct doctor *doctor, const struct packet_barrier *barrier)
{
	const char *name = doctor->policy->nat.nft_set;
	char table[RULESET_NAME_MAX];

	(void)snprintf(table, sizeof(table), "%s %s", ruleset_text(barrier->chain, "family"),
		       ruleset_text(barrier->chain, "table"));
	return strlen(table) == table_len(name) && strncmp(table, name, strlen(table)) == 0;
}

static void fix_set(struct doctor *doctor, const struct wanted *wanted, const struct packet_barrier *barrier)
{
	const char *name = doctor->policy->nat.nft_set;
	const char *family = ruleset_text(barrier->chain, "family");
	const char *table = ruleset_text(barrier->chain, "table");
	enum ip_family of = wanted->listener->endpoint.addr.family;
	const char *word = of == IP_V6 ? "ip6" : "ip";

	if (!firewall_is_plain(doctor, barrier))
		doctor_fix(doctor, "nat: { conntrack: expect } in %s, since another program keeps the rules",
			   doctor->path);
	else if (!can_use_set(doctor, barrier))
		doctor_fix(doctor, "nat: { conntrack: set, nft_set: \"%s %s%s\" } in %s", family, table,
			   name + table_len(name), doctor->path);
	else
		doctor_fix(doctor, "nft insert rule %s %s %s %s saddr . %s daddr . tcp dport @%s%s accept",
			   family, table, ruleset_text(barrier->chain, "name"), word, word,
			   name + table_len(name) + 1, of == IP_V6 ? "6" : "");
}

/* Control connections. */
static void check_listener(struct doctor *doctor, const struct policy_listener *listener)
{
	uint16_t port = doctor_dialled_port(doctor, listener);
	struct wanted wanted = { .listener = listener, .low = port, .high = port, .fix = fix_port };
	struct packet packet = packet_for(&wanted);
	struct packet_walk walk;

	(void)snprintf(wanted.subject, sizeof(wanted.subject), "listener %s: connections to port %u",
		       listener->name, port);
	walk = firewall_ask(doctor, &packet, dialled_address(listener), packet_hooks_input);
	report(doctor, &walk, &wanted);
}

/* Which ftp_actions. Connections to shared ports are not announced, so they need a rule of their own. */
enum which { ALL_ACTIONS = 0, THAT_SHARE, THAT_DO_NOT_SHARE };

static bool is_one(const struct ftp_action *action, enum which which)
{
	bool shares = action->passivedatashare == PASSIVEDATASHARE_SOURCE;

	return which == ALL_ACTIONS || shares == (which == THAT_SHARE);
}

/*
 * Call `check` for the data connections of each listener and ftp_action. Listeners with
 * one address, and actions with one range, are one to the firewall.
 */
static void for_data(struct doctor *doctor, enum which which,
		     void (*fix)(struct doctor *doctor, const struct wanted *wanted,
				 const struct packet_barrier *barrier),
		     void (*check)(struct doctor *doctor, const struct wanted *wanted))
{
	const struct policy *policy = doctor->policy;

	for (size_t i = 0; i < policy->nlisteners; i++) {
		const struct policy_listener *listener = &policy->listeners[i];
		bool seen = !doctor_is_dialled(listener);

		for (size_t k = 0; k < i && !seen; k++)
			seen = doctor_is_dialled(&policy->listeners[k]) &&
			       ip_addr_equal(&policy->listeners[k].endpoint.addr, &listener->endpoint.addr);
		for (size_t k = 0; k < policy->nftp_actions && !seen; k++) {
			struct port_range range = netsock_range(policy->ftp_actions[k].passivedataports);
			struct wanted wanted = {
				.listener = listener, .low = range.low, .high = range.high, .fix = fix
			};
			bool same = false;

			for (size_t j = 0; j < k && !same; j++) {
				struct port_range other =
				    netsock_range(policy->ftp_actions[j].passivedataports);

				same = other.low == range.low && other.high == range.high;
			}
			(void)snprintf(wanted.subject, sizeof(wanted.subject),
				       "listener %s: data connections to ports %u-%u", listener->name,
				       range.low, range.high);
			if (!same && is_one(&policy->ftp_actions[k], which))
				check(doctor, &wanted);
		}
	}
}

static void check_range(struct doctor *doctor, const struct wanted *wanted)
{
	struct packet packet = packet_for(wanted);
	struct packet_walk walk;

	packet.transparent = wanted->listener->transparent;
	walk = firewall_ask(doctor, &packet, dialled_address(wanted->listener), packet_hooks_input);
	report(doctor, &walk, wanted);
}

void doctor_check_input(struct doctor *doctor)
{
	if (doctor->ruleset == NULL) {
		doctor_look(doctor, "run attlsctl doctor as root, or read: nft list ruleset");
		doctor_cannot_tell(doctor, "whether the firewall lets clients in: cannot read its rules: %s",
				   strerror(-doctor->ruleset_error));
		return;
	}
	if (ruleset_has_legacy()) {
		doctor_look(doctor, "iptables-legacy-save; ip6tables-legacy-save");
		doctor_cannot_tell(doctor,
				   "iptables-legacy has rules on this host, which doctor does not read");
	}
	for (size_t i = 0; i < doctor->policy->nlisteners; i++)
		if (doctor_is_dialled(&doctor->policy->listeners[i]))
			check_listener(doctor, &doctor->policy->listeners[i]);
	for_data(doctor, doctor->policy->nat.conntrack == NAT_CONNTRACK_OFF ? ALL_ACTIONS : THAT_SHARE,
		 fix_port, check_range);
}

static void check_related(struct doctor *doctor, const struct wanted *wanted)
{
	struct packet packet = packet_for(wanted);
	struct packet_walk walk;

	packet.related = true;
	packet.transparent = wanted->listener->transparent;
	walk = firewall_ask(doctor, &packet, dialled_address(wanted->listener), packet_hooks_input);
	report(doctor, &walk, wanted);
}

void doctor_check_related(struct doctor *doctor)
{
	for_data(doctor, THAT_DO_NOT_SHARE, fix_related, check_related);
}

static void check_set(struct doctor *doctor, const struct wanted *wanted)
{
	struct packet packet = packet_for(wanted);
	enum ip_family family = packet.family;
	char name[RULESET_NAME_MAX];
	struct packet_walk walk;

	(void)snprintf(name, sizeof(name), "%s%s", doctor->policy->nat.nft_set, family == IP_V6 ? "6" : "");
	packet.set = name;
	packet.transparent = wanted->listener->transparent;
	walk = firewall_ask(doctor, &packet, dialled_address(wanted->listener), packet_hooks_input);
	if (walk.way == PACKET_SHUT && !can_use_set(doctor, &walk.barriers[0])) {
		report(doctor, &walk, wanted);
		return;
	}
	if (doctor_check_one_set(doctor, family))
		report(doctor, &walk, wanted);
}

void doctor_check_set(struct doctor *doctor)
{
	for_data(doctor, THAT_DO_NOT_SHARE, fix_set, check_set);
}

/* Set the fix: take the rule out that hides packets from conntrack. */
static void fix_untracked(struct doctor *doctor, const json_t *rule)
{
	doctor_fix(doctor,
		   "nft delete rule %s %s %s handle %lld # and remove it from the file that it comes from",
		   ruleset_text(rule, "family"), ruleset_text(rule, "table"), ruleset_text(rule, "chain"),
		   (long long)json_integer_value(json_object_get(rule, "handle")));
}

/* Returns true if conntrack sees these packets for sure. */
static bool report_tracking(struct doctor *doctor, const struct packet_walk *walk, const char *subject)
{
	const struct packet_barrier at = { .rule = walk->packet.untracked_by };
	char where[DOCTOR_TEXT_MAX / 2];

	if (walk->packet.untracked == PACKET_NO)
		return true;
	(void)firewall_describe(&at, where, sizeof(where));
	if (walk->packet.untracked == PACKET_UNKNOWN) {
		doctor_look(doctor, "nft list ruleset | grep notrack");
		doctor_cannot_tell(doctor, "%s: whether %s hides them from conntrack (notrack)", subject,
				   where);
		return false;
	}
	fix_untracked(doctor, at.rule);
	doctor_problem(doctor, "%s: %s hides them from conntrack (notrack), which nat.conntrack needs",
		       subject, where);
	return false;
}

static void check_tracking(struct doctor *doctor, const struct wanted *wanted)
{
	struct packet packet = packet_for(wanted);
	struct packet reply = { .family = packet.family, .source = wanted->low };
	const struct ip_addr *to = dialled_address(wanted->listener);
	struct packet_walk walk = firewall_ask(doctor, &packet, to, packet_hooks_prerouting);

	if (!report_tracking(doctor, &walk, wanted->subject))
		return;
	walk = packet_walk(doctor->ruleset, &reply, packet_hooks_output);
	if (report_tracking(doctor, &walk, wanted->subject))
		doctor_ok(doctor, "%s: no rule hides them from conntrack", wanted->subject);
}

void doctor_check_tracking(struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->policy->nlisteners; i++) {
		const struct policy_listener *listener = &doctor->policy->listeners[i];
		uint16_t port = doctor_dialled_port(doctor, listener);
		struct wanted wanted = { .listener = listener, .low = port, .high = port };

		(void)snprintf(wanted.subject, sizeof(wanted.subject), "listener %s: connections to port %u",
			       listener->name, port);
		if (doctor_is_dialled(listener))
			check_tracking(doctor, &wanted);
	}
	for_data(doctor, THAT_DO_NOT_SHARE, NULL, check_tracking);
}
