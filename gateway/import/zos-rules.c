/*
 * Finds the rules that are for FTP, puts them into z/OS's order, and makes a rule and the
 * listeners of its ports of each that is inbound. zos-outbound.c makes the others.
 */
#include "gateway/import/zos-rules.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/util.h"
#include "gateway/import/attls-tls.h"
#include "gateway/import/ebcdic.h"
#include "gateway/import/text.h"
#include "gateway/import/tls-parts.h"
#include "gateway/import/zos-outbound.h"
#include "gateway/import/zos-ports.h"
#include "gateway/import/zos-server.h"

#define FTP_PORT  21
#define PORTS_FEW 8 /* a rule with more ports is about data connections */
/* For FTP, in one import: more than a policy can hold (NODE_COUNT_MAX), so that none is left out unseen. */
#define RULES_MAX 2000

#define CLEAR                                                                                                \
	"With TTLSEnabled Off, z/OS leaves these connections in the clear. May these clients still log in "  \
	"without TLS?"
#define SERVER                                                                                                    \
	"Where does attlsd reach the FTP server in the clear? Give the address in \"backends\", or import again " \
	"with --backend"
#define IMPLICIT                                                                                             \
	"z/OS serves TLSPORT only if an FTP daemon listens to it. Does one? If not, remove this listener"
#define BOTH "This port has rules with implicit and with explicit TLS. Which is meant? tls: auto serves both"
#define MANY "The rule has too many addresses. Which networks does it need?"
#define HOME                                                                                                    \
	"These addresses belong to z/OS. If they do not move to attlsd's host, which addresses there do these " \
	"clients connect to? Give them in local_addr, or remove local_addr"
#define MANY_PORTS "The rule has too many ports. Which of them are for FTP?"
#define CLIENTS                                                                                              \
	"On z/OS, these rules are for some clients only, by their port, or the job or user of the server. "  \
	"attlsd cannot tell these clients apart: who needs the rules?"
#define FOR_ALL	   "the rule is for all clients, now"
#define ONLY_FIRST "only the first are here"
#define NO_JOB	   "there is no job and no user of z/OS; the rule names a backend"
#define LEFT_OUT   "the rule is left out, so that no other client is exempt from TLS"

static const char *backend(struct zos *zos)
{
	struct draft_object *object = draft_object(zos->draft, DRAFT_BACKENDS, ZOS_BACKEND);

	if (draft_get(object, "address") != NULL)
		return ZOS_BACKEND;
	if (zos->address != NULL)
		draft_set(zos->draft, object, "address", text_yaml(&zos->draft->arena, zos->address));
	else
		draft_decide(zos->draft, draft_assumed(zos->draft, "The FTP server", ""),
			     (struct draft_place){ object, "address", "127.0.0.1:2021" }, SERVER,
			     "not in the files");
	return ZOS_BACKEND;
}

static const char *listener_of(struct zos *zos, unsigned port, bool implicit, bool v6)
{
	struct arena *arena = &zos->draft->arena;
	const char *name = text_format(arena, "port%u%s", port, v6 ? "_v6" : "");
	struct draft_object *listener = draft_object(zos->draft, DRAFT_LISTENERS, name);

	if (draft_get(listener, "address") == NULL) {
		draft_set(zos->draft, listener, "address",
			  text_format(arena, v6 ? "\"[::]:%u\"" : "\"0.0.0.0:%u\"", port));
		draft_set(zos->draft, listener, "tls", implicit ? "implicit" : "explicit");
	} else if (strcmp(draft_get(listener, "tls"), implicit ? "implicit" : "explicit") != 0) {
		draft_decide(zos->draft, draft_assumed(zos->draft, "Port", text_format(arena, "%u", port)),
			     (struct draft_place){ listener, "tls", draft_get(listener, "tls") }, BOTH,
			     "rules disagree");
	}
	return name;
}

static int compare_rules(const void *a, const void *b)
{
	const struct zos_rule *x = a;
	const struct zos_rule *y = b;

	if (x->priority != y->priority)
		return x->priority > y->priority ? -1 : 1;
	return ebcdic_compare(x->block->name, y->block->name);
}

static bool is_outbound(const struct attls_block *block, const struct attls_merged *merged)
{
	const char *direction = attls_find(block, "Direction")->st.value;

	if (!text_is(direction, "Both"))
		return text_is(direction, "Outbound");
	return text_is(attls_merged_value(merged, "HandshakeRole", "Server"), "Client");
}

static bool is_for_ftp(const struct zos *zos, const struct zos_rule *rule)
{
	const struct attls_item *job = attls_find(rule->block, "Jobname");
	bool named = job != NULL && text_begins(job->st.value, "FTP");
	bool controlled = text_is(attls_merged_value(&rule->merged, "ApplicationControlled", "Off"), "On") &&
			  text_is(attls_merged_value(&rule->merged, "SecondaryMap", "Off"), "On");
	unsigned tlsport = zos_tlsport(rule->outbound ? zos->client : zos->server);

	if (rule->ports.count == 0)
		return named || (job == NULL && (controlled || rule->merged.environment == NULL));
	if (attls_ports_have(&rule->ports, FTP_PORT) ||
	    (tlsport != 0 && attls_ports_have(&rule->ports, tlsport)))
		return true;
	return attls_ports_count(&rule->ports) <= PORTS_FEW && (named || controlled);
}

static bool take_rule(struct zos *zos, struct attls_block *block, struct zos_rule *rule)
{
	const struct attls_item *priority = attls_find(block, "Priority");
	uint64_t number = 1;

	*rule = (struct zos_rule){ .block = block };
	attls_merge(zos->draft, block, &rule->merged);
	rule->outbound = is_outbound(block, &rule->merged);
	attls_ports(block, rule->outbound ? "Remote" : "Local", &rule->ports);
	attls_ports(block, rule->outbound ? "Local" : "Remote", &rule->clients);
	if (priority != NULL)
		(void)text_number(priority->st.value, 1, UINT32_MAX, &number); /* parsed before */
	rule->priority = (unsigned)number;
	return is_for_ftp(zos, rule);
}

/* Does attlsd's order, by the bytes of the policy's names, lead to the same rules? */
static bool keeps_order(const struct zos_rule *rules, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (rules[i - 1].priority == rules[i].priority &&
		    strcmp(rules[i - 1].name, rules[i].name) >= 0)
			return false;
	return true;
}

/* Is this more than the ports of FTP servers: a range for data connections, or all ports? */
static bool is_wide(const struct attls_ports *ports)
{
	return ports->count == 0 || attls_ports_count(ports) > PORTS_FEW;
}

/* Of a wide range, those of FTP. A rule without ports has port 21, too. */
static struct attls_ports ftp_ports(const struct attls_ports *ports, unsigned tlsport)
{
	const unsigned ftp[] = { FTP_PORT, tlsport };
	struct attls_ports found = { .count = 0 };

	for (size_t i = 0; i < NELEM(ftp); i++) {
		bool has = attls_ports_have(ports, ftp[i]) || (ports->count == 0 && i == 0);

		if (has && ftp[i] != 0 && !(i > 0 && ftp[i] == FTP_PORT)) {
			found.ranges[found.count].low = found.ranges[found.count].high = (uint16_t)ftp[i];
			found.count++;
		}
	}
	return found;
}

/* Listeners for all ports of a rule, as a list of YAML. */
static const char *listeners(struct zos *zos, const struct zos_rule *rule, bool v6)
{
	unsigned tlsport = zos_tlsport(zos->server);
	bool at_once = rule->merged.environment != NULL &&
		       text_is(attls_merged_value(&rule->merged, "ApplicationControlled", "Off"), "Off");
	struct attls_ports ports = is_wide(&rule->ports) ? ftp_ports(&rule->ports, tlsport) : rule->ports;
	const char *list = NULL;

	for (unsigned i = 0; i < attls_ports_count(&ports); i++) {
		unsigned port = attls_ports_at(&ports, i);
		bool implicit = at_once || port == tlsport;

		zos->implicit_at_once = zos->implicit_at_once || at_once;
		list = tls_parts_append(zos->draft, list, listener_of(zos, port, implicit, false));
		if (v6)
			list = tls_parts_append(zos->draft, list, listener_of(zos, port, implicit, true));
	}
	return list;
}

static const char *match_of(struct zos *zos, const struct zos_rule *rule, const struct attls_addresses *local,
			    const struct attls_addresses *remote)
{
	struct arena *arena = &zos->draft->arena;
	const char *match = text_format(arena, "listener: %s", listeners(zos, rule, local->v6 || remote->v6));

	if (remote->list != NULL)
		match = text_format(arena, "%s, remote_addr: %s", match, remote->list);
	if (local->list != NULL)
		match = text_format(arena, "%s, local_addr: %s", match, local->list);
	return text_format(arena, "{ %s }", match);
}

/* An action for clients that z/OS exempts from TLS. */
static void exempt(struct zos *zos, const struct zos_rule *rule, struct draft_object *object)
{
	struct draft_object *clear = draft_object(zos->draft, DRAFT_FTP_ACTIONS, ZOS_CLEAR);
	struct attls_item *enabled = attls_merged_find(&rule->merged, "TTLSEnabled");

	draft_set(zos->draft, clear, "extensions", "[]");
	draft_set(zos->draft, clear, "secure_ftp", "allowed");
	draft_set(zos->draft, clear, "secure_ctrlconn", "clear");
	draft_set(zos->draft, clear, "secure_dataconn", "clear");
	draft_decide(zos->draft, &enabled->st, (struct draft_place){ object, "ftp", ZOS_CLEAR }, CLEAR,
		     "the rule has an action of its own, which allows it");
	for (struct attls_use *use = rule->merged.uses; use != NULL; use = use->next)
		if (use->item->st.naccounts == 0)
			draft_drop(zos->draft, &use->item->st, object, "TTLSEnabled is Off");
	attls_tls_account_head(zos, rule->merged.group, object);
}

/* A condition that no policy has: the ports of clients, and jobs and users that tell rules apart. */
static bool is_lost(const struct zos_rule *rule, enum zos_condition condition)
{
	return (condition == ZOS_REMOTE_PORT && !attls_ports_are_all_of_clients(&rule->clients)) ||
	       (condition == ZOS_JOB && rule->by_job) || (condition == ZOS_USER && rule->by_user);
}

/* z/OS leaves its connections in the clear. */
static bool is_exempt(const struct zos_rule *rule)
{
	return rule->merged.environment == NULL ||
	       text_is(attls_merged_value(&rule->merged, "TTLSEnabled", "On"), "Off");
}

/* What becomes of the conditions of an inbound rule. */
static void keep(const struct zos_rule *rule, struct draft_place match, const struct attls_addresses *local,
		 const struct attls_addresses *remote, struct zos_kept kept[static ZOS_CONDITIONS])
{
	bool wide = rule->ports.count > 0 && is_wide(&rule->ports);

	for (int i = 0; i < ZOS_CONDITIONS; i++)
		kept[i] = (struct zos_kept){ .place = match,
					     .note = i == ZOS_JOB || i == ZOS_USER ? NO_JOB : NULL,
					     .nothing = i == ZOS_JOB || i == ZOS_USER };
	for (int i = 0; i < ZOS_CONDITIONS; i++)
		if (is_lost(rule, (enum zos_condition)i))
			kept[i] = (struct zos_kept){ match, CLIENTS, FOR_ALL, false };
	if (wide)
		kept[ZOS_LOCAL_PORT].note = "only the ports of FTP have a listener";
	if (rule->ports.too_many)
		kept[ZOS_LOCAL_PORT] = (struct zos_kept){ match, MANY_PORTS, ONLY_FIRST, false };
	if (local->list != NULL)
		kept[ZOS_LOCAL_ADDR] = (struct zos_kept){ match, HOME, "as on z/OS", false };
	if (local->too_many)
		kept[ZOS_LOCAL_ADDR] = (struct zos_kept){ match, MANY, ONLY_FIRST, false };
	if (remote->too_many)
		kept[ZOS_REMOTE_ADDR] = (struct zos_kept){ match, MANY, ONLY_FIRST, false };
}

static void inbound(struct zos *zos, const struct zos_rule *rule, struct draft_object *object)
{
	struct zos_kept kept[ZOS_CONDITIONS];
	struct attls_addresses local, remote;
	const char *match;

	attls_addresses(zos->draft, rule->block, "Local", &local);
	attls_addresses(zos->draft, rule->block, "Remote", &remote);
	match = zos_rule_match(zos, rule, match_of(zos, rule, &local, &remote));
	draft_set(zos->draft, object, "direction", "inbound");
	draft_set(zos->draft, object, "match", match);
	draft_set(zos->draft, object, "ftp", ZOS_SERVER);
	if (is_exempt(rule))
		exempt(zos, rule, object);
	else
		draft_set(zos->draft, object, "tls",
			  text_yaml(&zos->draft->arena, attls_tls(zos, &rule->merged, false)->name));
	draft_set(zos->draft, object, "backend", backend(zos));
	keep(rule, (struct draft_place){ object, "match", match }, &local, &remote, kept);
	zos_rule_account(zos, rule, object, match, kept);
}

/* Without a rule of AT-TLS for the server: one rule for its ports. */
static void assume_rule(struct zos *zos)
{
	struct draft_object *rule = draft_object(zos->draft, DRAFT_RULES, "everyone");
	struct ftp_data_statement *port = zos->server != NULL ? ftp_data_find(zos->server, "TLSPORT") : NULL;
	unsigned tlsport = zos_tlsport(zos->server);
	const char *list = tls_parts_append(zos->draft, NULL, listener_of(zos, FTP_PORT, false, false));

	if (port != NULL && tlsport != 0) {
		const char *name = listener_of(zos, tlsport, true, false);
		struct draft_object *listener = draft_find(zos->draft, DRAFT_LISTENERS, name);

		draft_decide(zos->draft, &port->st,
			     (struct draft_place){ listener, "address", draft_get(listener, "address") },
			     IMPLICIT, "a listener of its own");
		list = tls_parts_append(zos->draft, list, name);
	}
	zos_server_tls(zos);
	draft_set(zos->draft, rule, "match", text_format(&zos->draft->arena, "{ listener: %s }", list));
	draft_set(zos->draft, rule, "direction", "inbound");
	draft_set(zos->draft, rule, "tls", ZOS_SERVER);
	draft_set(zos->draft, rule, "ftp", ZOS_SERVER);
	draft_set(zos->draft, rule, "backend", backend(zos));
}

/* Rules that exempt clients still need a TLS action, since their listeners serve others, too. */
static void finish_inbound(struct zos *zos)
{
	const struct draft_object *any = NULL;
	struct draft_object *ftp = draft_find(zos->draft, DRAFT_FTP_ACTIONS, ZOS_SERVER);
	struct ftp_data_statement *port = zos->server != NULL ? ftp_data_find(zos->server, "TLSPORT") : NULL;

	for (const struct zos_made *made = zos->made; made != NULL; made = made->next)
		if (!made->client)
			any = made->tls;
	for (struct draft_object *rule = zos->draft->sections[DRAFT_RULES]; rule != NULL; rule = rule->next) {
		if (draft_get(rule, "tls") != NULL || strcmp(draft_get(rule, "direction"), "inbound") != 0)
			continue;
		if (any == NULL) {
			zos_server_tls(zos);
			any = draft_find(zos->draft, DRAFT_TLS_ACTIONS, ZOS_SERVER);
		}
		draft_set(zos->draft, rule, "tls", text_yaml(&zos->draft->arena, any->name));
	}
	if (port != NULL && port->st.naccounts == 0)
		draft_differ(zos->draft, &port->st, (struct draft_place){ .object = ftp },
			     "the port of a listener with tls: implicit, if a rule of AT-TLS has this port");
	if (zos->implicit_at_once && draft_get(ftp, "secureimplicitzos") != NULL)
		draft_differ(zos->draft, draft_assumed(zos->draft, "ApplicationControlled", "Off"),
			     (struct draft_place){ ftp, "secureimplicitzos", "false" },
			     "AT-TLS starts TLS before the FTP server can greet");
}

/*
 * Does the job or user make a difference: because another rule for the same port has another, or none? On the
 * way out it always does, since it is that of the client.
 */
static bool separates(const struct zos_rule *rules, size_t n, const struct zos_rule *rule,
		      const char *keyword)
{
	const struct attls_item *mine = attls_find(rule->block, keyword);

	if (mine == NULL || text_is(mine->st.value, "*"))
		return false;
	for (size_t i = 0; i < n && !rule->outbound; i++) {
		const struct attls_item *other = attls_find(rules[i].block, keyword);

		if (!rules[i].outbound && attls_ports_meet(&rules[i].ports, &rule->ports) &&
		    (other == NULL || !text_is(other->st.value, mine->st.value)))
			return true;
	}
	return rule->outbound;
}

/*
 * An exemption from TLS for some clients must not become one for all. Without the rule, its clients get the
 * next one.
 */
static bool leave_out(struct zos *zos, const struct zos_rule *rule)
{
	bool lost = false;

	for (int i = 0; i < ZOS_CONDITIONS; i++)
		lost = lost || is_lost(rule, (enum zos_condition)i);
	if (rule->outbound || !is_exempt(rule) || !lost)
		return false;
	zos->left_out = true;
	draft_decide(zos->draft, &rule->block->head, (struct draft_place){ 0 }, CLIENTS, LEFT_OUT);
	for (struct attls_item *item = rule->block->items; item != NULL; item = item->next)
		if (is_lost(rule, zos_rule_condition(item)))
			draft_decide(zos->draft, &item->st, (struct draft_place){ 0 }, CLIENTS,
				     "the rule is left out");
		else
			draft_drop(zos->draft, &item->st, NULL, "the rule is left out");
	return true;
}

static size_t keep_rules(struct zos *zos, struct zos_rule *rules, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (!leave_out(zos, &rules[i]))
			rules[kept++] = rules[i];
	return kept;
}

static void emit(struct zos *zos, struct zos_rule *rules, size_t n)
{
	bool renumber = !keeps_order(rules, n);

	for (size_t i = 0; i < n; i++) {
		struct draft_object *object = draft_object(zos->draft, DRAFT_RULES, rules[i].name);

		draft_set(zos->draft, object, "priority",
			  text_format(&zos->draft->arena, "%u",
				      renumber ? 10 * (unsigned)(n - i) : rules[i].priority));
		if (rules[i].outbound)
			zos_outbound(zos, &rules[i], object);
		else
			inbound(zos, &rules[i], object);
	}
}

void zos_rules(struct zos *zos)
{
	struct zos_rule *rules = text_alloc(&zos->draft->arena, RULES_MAX, sizeof(*rules));
	size_t n = 0;

	for (struct attls_block *block = zos->attls != NULL ? zos->attls->blocks : NULL; block != NULL;
	     block = block->next)
		if (block->kind == ATTLS_RULE && block->replaced == NULL && n < RULES_MAX &&
		    take_rule(zos, block, &rules[n]))
			n++;
	for (size_t i = 0; i < n; i++) {
		rules[i].by_job = separates(rules, n, &rules[i], "Jobname");
		rules[i].by_user = separates(rules, n, &rules[i], "Userid");
	}
	n = keep_rules(zos, rules, n);
	qsort(rules, n, sizeof(*rules), compare_rules);
	for (size_t i = 0; i < n; i++) {
		rules[i].name = text_name(&zos->draft->arena, rules[i].block->name, "rule");
		rules[i].name = draft_free_name(zos->draft, DRAFT_RULES, rules[i].name);
		(void)draft_object(zos->draft, DRAFT_RULES, rules[i].name);
		zos->has_inbound = zos->has_inbound || !rules[i].outbound;
	}
	if (zos->has_inbound || zos->server != NULL)
		zos_server_ftp(zos);
	emit(zos, rules, n);
	if (!zos->has_inbound && zos->server != NULL)
		assume_rule(zos);
	if (zos->has_inbound || zos->server != NULL)
		finish_inbound(zos);
	if (zos->client != NULL && zos->outbound == 0)
		zos_outbound_without_rule(zos);
	zos_ports(zos);
}
