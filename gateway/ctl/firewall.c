/*
 * Asks the rules on each interface where clients can come from, and knows the programs
 * that keep rules: each has its own way to let something in.
 */
#include "gateway/ctl/firewall.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "gateway/base/util.h"
#include "gateway/ctl/doctor-report.h"
#include "gateway/ctl/interfaces.h"
#include "gateway/ctl/ruleset.h"

#define INTERFACES_MAX 64
#define PORTS_TEXT_MAX 16
#define POLICY_PREFIX  "filter_IN_policy_"
#define ZONE_PREFIX    "filter_IN_" /* firewalld's chain for what a zone lets in */

/* Is there a chain whose name begins so in the table of `chain`? */
static bool has_chain(const struct ruleset *ruleset, const json_t *chain, const char *begins)
{
	json_t *item;
	size_t i;

	json_array_foreach (ruleset_items(ruleset), i, item) {
		const json_t *one = json_object_get(item, "chain");

		if (one != NULL && strcmp(ruleset_text(one, "table"), ruleset_text(chain, "table")) == 0 &&
		    strcmp(ruleset_text(one, "family"), ruleset_text(chain, "family")) == 0 &&
		    strncmp(ruleset_text(one, "name"), begins, strlen(begins)) == 0)
			return true;
	}
	return false;
}

static bool is_firewalld(const struct ruleset *ruleset, const json_t *chain)
{
	(void)ruleset;
	return strcmp(ruleset_text(chain, "table"), "firewalld") == 0;
}

static bool is_ufw(const struct ruleset *ruleset, const json_t *chain)
{
	return has_chain(ruleset, chain, "ufw-") || has_chain(ruleset, chain, "ufw6-");
}

/* iptables names its chains in capital letters, and has a table for each family. */
static bool is_iptables(const struct ruleset *ruleset, const json_t *chain)
{
	static const char *const names[] = { "INPUT", "FORWARD", "PREROUTING", "OUTPUT" };
	const char *family = ruleset_text(chain, "family");

	(void)ruleset;
	if (strcmp(family, "ip") != 0 && strcmp(family, "ip6") != 0)
		return false;
	for (size_t i = 0; i < NELEM(names); i++)
		if (strcmp(ruleset_text(chain, "name"), names[i]) == 0)
			return true;
	return false;
}

static bool is_any(const struct ruleset *ruleset, const json_t *chain)
{
	(void)ruleset, (void)chain;
	return true;
}

static const char *ports_text(char buf[static PORTS_TEXT_MAX], uint16_t low, uint16_t high, char between)
{
	if (low == high)
		(void)snprintf(buf, PORTS_TEXT_MAX, "%u", low);
	else
		(void)snprintf(buf, PORTS_TEXT_MAX, "%u%c%u", low, between, high);
	return buf;
}

/* The zone of the packet: the first of its chains that a packet is sent to. NULL: the default one. */
static const char *zone_of(const struct packet_barrier *barrier)
{
	for (size_t i = 0; i < barrier->npath; i++) {
		const char *name = ruleset_text(barrier->path[i], "name");

		if (strncmp(name, ZONE_PREFIX, strlen(ZONE_PREFIX)) == 0 &&
		    strncmp(name, POLICY_PREFIX, strlen(POLICY_PREFIX)) != 0)
			return name + strlen(ZONE_PREFIX);
	}
	return NULL;
}

static void open_firewalld(struct doctor *doctor, const struct packet_barrier *barrier, uint16_t low,
			   uint16_t high)
{
	const char *zone = zone_of(barrier);
	char ports[PORTS_TEXT_MAX];

	doctor_fix(doctor, "firewall-cmd --permanent%s%s --add-port=%s/tcp && firewall-cmd --reload",
		   zone == NULL ? "" : " --zone=", zone == NULL ? "" : zone,
		   ports_text(ports, low, high, '-'));
}

static void open_ufw(struct doctor *doctor, const struct packet_barrier *barrier, uint16_t low, uint16_t high)
{
	char ports[PORTS_TEXT_MAX];

	(void)barrier;
	doctor_fix(doctor, "ufw allow %s/tcp", ports_text(ports, low, high, ':'));
}

static const char *iptables_word(const struct packet_barrier *barrier)
{
	return strcmp(ruleset_text(barrier->chain, "family"), "ip6") == 0 ? "ip6tables" : "iptables";
}

static void open_iptables(struct doctor *doctor, const struct packet_barrier *barrier, uint16_t low,
			  uint16_t high)
{
	char ports[PORTS_TEXT_MAX];

	doctor_fix(doctor, "%s -t %s -I %s -p tcp --dport %s -j ACCEPT", iptables_word(barrier),
		   ruleset_text(barrier->chain, "table"), ruleset_text(barrier->chain, "name"),
		   ports_text(ports, low, high, ':'));
}

static void open_nft(struct doctor *doctor, const struct packet_barrier *barrier, uint16_t low, uint16_t high)
{
	char ports[PORTS_TEXT_MAX];

	doctor_fix(doctor, "nft insert rule %s %s %s tcp dport %s accept",
		   ruleset_text(barrier->chain, "family"), ruleset_text(barrier->chain, "table"),
		   ruleset_text(barrier->chain, "name"), ports_text(ports, low, high, '-'));
}

static void relate_nft(struct doctor *doctor, const struct packet_barrier *barrier)
{
	doctor_fix(doctor, "nft insert rule %s %s %s ct state related ct helper \"ftp\" accept",
		   ruleset_text(barrier->chain, "family"), ruleset_text(barrier->chain, "table"),
		   ruleset_text(barrier->chain, "name"));
}

static void relate_iptables(struct doctor *doctor, const struct packet_barrier *barrier)
{
	doctor_fix(doctor,
		   "%s -t %s -I %s -p tcp -m conntrack --ctstate RELATED -m helper --helper ftp -j ACCEPT",
		   iptables_word(barrier), ruleset_text(barrier->chain, "table"),
		   ruleset_text(barrier->chain, "name"));
}

static void relate_firewalld(struct doctor *doctor, const struct packet_barrier *barrier)
{
	(void)barrier;
	doctor_fix(doctor, "firewall-cmd --reload # firewalld lets related connections in by itself");
}

static void relate_ufw(struct doctor *doctor, const struct packet_barrier *barrier)
{
	(void)barrier;
	doctor_fix(doctor, "in /etc/ufw/before.rules and before6.rules, accept --ctstate RELATED,ESTABLISHED "
			   "as the files of the package do, then: ufw reload");
}

/* The programs that keep rules; the first that fits a chain. */
static const struct owner {
	bool (*keeps)(const struct ruleset *ruleset, const json_t *chain);
	void (*open)(struct doctor *doctor, const struct packet_barrier *barrier, uint16_t low,
		     uint16_t high);
	void (*relate)(struct doctor *doctor, const struct packet_barrier *barrier);
	const char *list; /* the command that shows its rules; NULL: nft */
	bool plain;
} owners[] = {
	{ is_firewalld, open_firewalld, relate_firewalld, "firewall-cmd --list-all-zones", false },
	{ is_ufw, open_ufw, relate_ufw, "ufw status verbose", false },
	{ is_iptables, open_iptables, relate_iptables, "iptables-save; ip6tables-save", false },
	{ is_any, open_nft, relate_nft, NULL, true },
};

static const struct owner *owner_of(const struct doctor *doctor, const json_t *chain)
{
	size_t i = 0;

	while (!owners[i].keeps(doctor->ruleset, chain))
		i++;
	return &owners[i];
}

void firewall_fix_port(struct doctor *doctor, const struct packet_barrier *barrier, uint16_t low,
		       uint16_t high)
{
	owner_of(doctor, barrier->chain)->open(doctor, barrier, low, high);
}

void firewall_fix_related(struct doctor *doctor, const struct packet_barrier *barrier)
{
	owner_of(doctor, barrier->chain)->relate(doctor, barrier);
}

bool firewall_is_plain(const struct doctor *doctor, const struct packet_barrier *barrier)
{
	return owner_of(doctor, barrier->chain)->plain;
}

const char *firewall_describe(const struct packet_barrier *barrier, char *buf, size_t size)
{
	const json_t *at = barrier->rule != NULL ? barrier->rule : barrier->chain;
	const char *name = ruleset_text(at, barrier->rule != NULL ? "chain" : "name");

	if (barrier->rule == NULL)
		(void)snprintf(buf, size, "the policy of chain %s %s %s", ruleset_text(at, "family"),
			       ruleset_text(at, "table"), name);
	else
		(void)snprintf(buf, size, "a rule of chain %s %s %s (handle %lld)",
			       ruleset_text(at, "family"), ruleset_text(at, "table"), name,
			       (long long)json_integer_value(json_object_get(at, "handle")));
	return buf;
}

void firewall_cannot_tell(struct doctor *doctor, const struct packet_walk *walk, const char *question)
{
	const struct packet_barrier at = { .chain = walk->rule, .rule = walk->rule };
	const char *list;
	char where[DOCTOR_TEXT_MAX / 2];

	if (walk->rule == NULL) {
		doctor_look(doctor, "nft list ruleset");
		doctor_cannot_tell(doctor, "%s: the rules are too many to follow", question);
		return;
	}
	list = owner_of(doctor, walk->rule)->list;
	if (list != NULL)
		doctor_look(doctor, "%s", list);
	else
		doctor_look(doctor, "nft -a list chain %s %s %s", ruleset_text(walk->rule, "family"),
			    ruleset_text(walk->rule, "table"), ruleset_text(walk->rule, "chain"));
	(void)firewall_describe(&at, where, sizeof(where));
	if (walk->way == PACKET_FEW)
		doctor_cannot_tell(doctor, "%s: %s lets in only some clients, and does not name the port",
				   question, where);
	else
		doctor_cannot_tell(doctor, "%s: %s depends on \"%s\", which doctor does not understand",
				   question, where, walk->what == NULL ? "something" : walk->what);
}

static void keep_best(struct packet_walk *best, const struct packet_walk *walk, bool first)
{
	if (first || walk->way > best->way)
		*best = *walk;
}

struct packet_walk firewall_ask(const struct doctor *doctor, const struct packet *packet,
				const struct ip_addr *to, const char *const *hooks)
{
	struct interface_address here[INTERFACES_MAX];
	size_t n = interfaces_list(packet->family, here, NELEM(here)), asked = 0;
	struct packet_walk best = { .way = PACKET_SHUT }, walk;
	struct packet one = *packet;

	for (size_t i = 0; i < n; i++) {
		if (to->family != IP_NONE && !ip_addr_is_any(to) && !ip_addr_equal(to, &here[i].addr))
			continue;
		one.from = here[i].name;
		if (to->family != IP_NONE)
			one.dest = (struct packet_addresses){ here[i].addr, here[i].addr };
		walk = packet_walk(doctor->ruleset, &one, hooks);
		keep_best(&best, &walk, asked++ == 0);
	}
	best.packet.from = NULL; /* its name ends here */
	if (asked > 0)
		return best;
	/* an address that is not here now: it may come to any interface */
	one = *packet;
	if (to->family != IP_NONE && !ip_addr_is_any(to))
		one.dest = (struct packet_addresses){ *to, *to };
	return packet_walk(doctor->ruleset, &one, hooks);
}
