/*
 * Plays a packet through chains as the kernel would, rule by rule and with jumps.
 * Where a condition depends on the client, or is not understood, both ways are
 * followed, and the answers joined.
 */
#include "gateway/ctl/packet-rules.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/util.h"
#include "gateway/ctl/ruleset.h"

#define STEPS_MAX 200000 /* rules that are looked at for one packet */
#define DEPTH_MAX 32	 /* jumps in each other; the kernel allows 16 */

static enum packet_match least(enum packet_match a, enum packet_match b)
{
	return a < b ? a : b;
}

/* An effect of a rule on the packet, as far as the rule applies. */
static void set(const struct packet_walker *walker, enum packet_match *effect, enum packet_match met)
{
	met = least(met, walker->arrival);
	if (met > *effect)
		*effect = met;
}

static void set_mark(struct packet_walker *walker, const json_t *mangle, enum packet_match met)
{
	const json_t *key = json_object_get(mangle, "key"), *value = json_object_get(mangle, "value");

	if (strcmp(ruleset_text(json_object_get(key, "ct"), "key"), "mark") == 0)
		walker->packet.ct_mark_unknown = true;
	if (strcmp(ruleset_text(json_object_get(key, "meta"), "key"), "mark") != 0)
		return;
	walker->packet.mark_unknown = least(met, walker->arrival) != PACKET_YES || !json_is_integer(value);
	walker->packet.mark = (uint32_t)json_integer_value(value);
}

/* conntrack looks at packets at this priority. It has to be told before to leave one alone... */
#define CONNTRACK_PRIORITY (-200)

static void set_untracked(struct packet_walker *walker, const json_t *rule, enum packet_match met)
{
	if (walker->priority >= CONNTRACK_PRIORITY)
		return;
	set(walker, &walker->packet.untracked, met);
	walker->packet.untracked_by = rule;
}

/* ...and before it knows a connection, only iptables can choose a helper. */
static void set_helper(struct packet_walker *walker, const json_t *rule, const json_t *name,
		       enum packet_match met)
{
	const char *word = json_string_value(name);

	if (strcmp(ruleset_text(name, "type"), "ftp") == 0) /* a target of iptables */
		set(walker, &walker->packet.helper, met);
	else if (word != NULL && walker->priority > CONNTRACK_PRIORITY &&
		 strcmp(ruleset_text(ruleset_named(walker->ruleset, "ct helper", rule, word), "type"),
			"ftp") == 0)
		set(walker, &walker->packet.helper, met);
}

static void set_diverted(struct packet_walker *walker, const json_t *rule, enum packet_match met)
{
	set(walker, &walker->packet.diverted, met);
	walker->packet.diverted_by = rule;
}

/* What a statement is, beside an effect. */
enum statement {
	STATEMENT_UNKNOWN = 0,
	STATEMENT_PLAIN, /* it decides nothing */
	STATEMENT_MATCH,
	STATEMENT_LIMIT, /* a condition that normal traffic meets, and does not if inverted */
	STATEMENT_ACCEPT,
	STATEMENT_STOP,
	STATEMENT_RETURN,
	STATEMENT_JUMP,
	STATEMENT_GOTO,
	STATEMENT_MAP,
	STATEMENT_TRANSLATE,
	STATEMENT_MARK,
	STATEMENT_NOTRACK,
	STATEMENT_HELPER,
	STATEMENT_TPROXY,
};

static const struct {
	const char *name;
	enum statement is;
} statements[] = {
	{ "match", STATEMENT_MATCH },	     { "counter", STATEMENT_PLAIN },
	{ "log", STATEMENT_PLAIN },	     { "comment", STATEMENT_PLAIN },
	{ "set", STATEMENT_PLAIN },	     { "map", STATEMENT_PLAIN },
	{ "last", STATEMENT_PLAIN },	     { "flow", STATEMENT_PLAIN },
	{ "dup", STATEMENT_PLAIN },	     { "secmark", STATEMENT_PLAIN },
	{ "ct timeout", STATEMENT_PLAIN },   { "ct expectation", STATEMENT_PLAIN },
	{ "limit", STATEMENT_LIMIT },	     { "quota", STATEMENT_LIMIT },
	{ "ct count", STATEMENT_LIMIT },     { "accept", STATEMENT_ACCEPT },
	{ "continue", STATEMENT_PLAIN },     { "drop", STATEMENT_STOP },
	{ "reject", STATEMENT_STOP },	     { "return", STATEMENT_RETURN },
	{ "jump", STATEMENT_JUMP },	     { "goto", STATEMENT_GOTO },
	{ "vmap", STATEMENT_MAP },	     { "dnat", STATEMENT_TRANSLATE },
	{ "redirect", STATEMENT_TRANSLATE }, { "snat", STATEMENT_ACCEPT },
	{ "masquerade", STATEMENT_ACCEPT },  { "mangle", STATEMENT_MARK },
	{ "notrack", STATEMENT_NOTRACK },    { "ct helper", STATEMENT_HELPER },
	{ "tproxy", STATEMENT_TPROXY },
};

static enum statement kind_of(const char *name)
{
	for (size_t i = 0; i < NELEM(statements); i++)
		if (strcmp(statements[i].name, name) == 0)
			return statements[i].is;
	return STATEMENT_UNKNOWN;
}

static struct packet_outcome walk_chain(struct packet_walker *walker, const json_t *near, const char *name)
{
	const json_t *chain = ruleset_named(walker->ruleset, "chain", near, name);

	if (chain != NULL && walker->arrival == PACKET_YES && walker->npath < PACKET_PATH_MAX)
		walker->path[walker->npath++] = chain;
	return chain == NULL ? packet_unclear : packet_rules_walk(walker, chain);
}

/* How a rule ends for a packet that meets it. */
struct ending {
	struct packet_outcome outcome;
	bool decides; /* the packet does not go on to the next rule unless a chain returns it */
	bool goes;    /* goto: a chain that returns it leads to the end of this one */
};

/* A verdict, given by a statement or an element of a map: { "jump": { "target": ... } }. */
static struct ending take_verdict(struct packet_walker *walker, const json_t *rule, enum packet_match met,
				  enum statement kind, const json_t *value)
{
	struct ending ending = { .outcome = packet_falls, .decides = true, .goes = true };
	enum packet_match arrival = walker->arrival;

	switch (kind) {
	case STATEMENT_ACCEPT:
		ending.outcome = packet_accepts;
		break;
	case STATEMENT_STOP:
		ending.outcome = packet_stops;
		walker->shut_by = rule;
		break;
	case STATEMENT_RETURN:
		break;
	case STATEMENT_JUMP:
	case STATEMENT_GOTO:
		walker->arrival = least(arrival, met);
		ending.outcome = walk_chain(walker, rule, ruleset_text(value, "target"));
		walker->arrival = arrival;
		ending.goes = kind == STATEMENT_GOTO;
		break;
	case STATEMENT_PLAIN:
		ending.decides = false;
		break;
	case STATEMENT_UNKNOWN:
	case STATEMENT_MATCH:
	case STATEMENT_LIMIT:
	case STATEMENT_MAP:
	case STATEMENT_TRANSLATE:
	case STATEMENT_MARK:
	case STATEMENT_NOTRACK:
	case STATEMENT_HELPER:
	case STATEMENT_TPROXY:
		ending.outcome = packet_unclear;
		break;
	}
	return ending;
}

static const json_t *first_value(const json_t *object, const char **ret_key)
{
	void *at = json_object_iter((json_t *)(uintptr_t)object); /* jansson cannot iterate over a const */

	*ret_key = at == NULL ? "" : json_object_iter_key(at);
	return at == NULL ? NULL : json_object_iter_value(at);
}

static const json_t *elements_of(const struct packet_walker *walker, const json_t *rule, const json_t *data)
{
	const char *word = json_string_value(data);

	if (word != NULL && word[0] == '@')
		return ruleset_elements(walker->ruleset, rule, word + 1);
	return json_object_get(data, "set");
}

/* The verdict that a map has for the packet; from the last element to the first, as `join` needs it. */
static struct ending take_map(struct packet_walker *walker, const json_t *rule, enum packet_match met,
			      const json_t *vmap)
{
	const json_t *key = json_object_get(vmap, "key");
	const json_t *list = elements_of(walker, rule, json_object_get(vmap, "data"));
	struct ending ending = { .outcome = packet_falls };
	const char *word;

	for (size_t i = json_array_size(list); i-- > 0;) {
		const json_t *pair = json_array_get(list, i);
		enum packet_match is = packet_is(&walker->look, rule, key, json_array_get(pair, 0));
		const json_t *value = first_value(json_array_get(pair, 1), &word);
		enum statement kind = kind_of(word);
		struct ending one;

		if (is == PACKET_NO)
			continue;
		one = take_verdict(walker, rule, least(met, is), kind, value);
		/* these lead to the end of the chain, and a packet without an element to the next rule */
		if ((kind == STATEMENT_GOTO || kind == STATEMENT_RETURN) && !packet_is_final(&one.outcome))
			is = PACKET_UNKNOWN;
		if (is == PACKET_UNKNOWN && walker->unsure == NULL)
			walker->unsure = rule;
		ending.decides = true;
		ending.outcome = is == PACKET_YES
				     ? one.outcome
				     : packet_join(is, packet_names_port(key), &one.outcome, &ending.outcome);
	}
	return ending;
}

/* What one rule does with the packet. */
struct judged {
	enum packet_match met;
	bool names_port;
	struct ending ending;
};

static bool is_port_match(const json_t *match)
{
	return packet_names_port(json_object_get(match, "left")) &&
	       strcmp(ruleset_text(match, "op"), "!=") != 0;
}

static void judge_statement(struct packet_walker *walker, const json_t *rule, const char *name,
			    const json_t *value, struct judged *judged)
{
	enum statement kind = kind_of(name);
	enum packet_match met = judged->met;

	switch (kind) {
	case STATEMENT_PLAIN:
		return;
	case STATEMENT_MATCH:
		met = packet_meets(&walker->look, rule, value);
		judged->met = least(met, judged->met);
		judged->names_port = judged->names_port || is_port_match(value);
		return;
	case STATEMENT_LIMIT:
		if (json_is_true(json_object_get(value, "inv")))
			judged->met = PACKET_NO;
		return;
	case STATEMENT_MARK:
		set_mark(walker, value, met);
		return;
	case STATEMENT_NOTRACK:
		set_untracked(walker, rule, met);
		return;
	case STATEMENT_HELPER:
		set_helper(walker, rule, value, met);
		return;
	case STATEMENT_TPROXY:
		/* without a socket, nft's rule ends here, and iptables' drops the packet */
		if (walker->packet.forwarded && json_is_true(json_object_get(value, "drops")))
			judged->ending = take_verdict(walker, rule, met, STATEMENT_STOP, value);
		else if (walker->packet.forwarded)
			judged->met = PACKET_NO;
		else
			set_diverted(walker, rule, met);
		return;
	case STATEMENT_TRANSLATE:
		set(walker, &walker->packet.translated, met);
		judged->ending = take_verdict(walker, rule, met, STATEMENT_ACCEPT, value);
		return;
	case STATEMENT_MAP:
		judged->ending = take_map(walker, rule, met, value);
		judged->names_port = judged->names_port || packet_names_port(json_object_get(value, "key"));
		return;
	case STATEMENT_UNKNOWN:
		if (walker->look.what == NULL && met != PACKET_NO)
			walker->look.what = strcmp(name, "xt") == 0 ? ruleset_text(value, "name") : name;
		if (walker->unsure == NULL)
			walker->unsure = rule;
		judged->met = least(met, PACKET_UNKNOWN);
		if (strcmp(ruleset_text(value, "type"), "match") == 0) /* of iptables: a condition alone */
			return;
		judged->ending = (struct ending){ .outcome = packet_unclear, .decides = true, .goes = true };
		return;
	case STATEMENT_ACCEPT:
	case STATEMENT_STOP:
	case STATEMENT_RETURN:
	case STATEMENT_JUMP:
	case STATEMENT_GOTO:
		judged->ending = take_verdict(walker, rule, met, kind, value);
		return;
	}
}

static struct judged judge(struct packet_walker *walker, const json_t *rule)
{
	struct judged judged = { .met = PACKET_YES, .ending = { .outcome = packet_falls } };
	const char *name;
	json_t *one;
	size_t i;

	json_array_foreach (json_object_get(rule, "expr"), i, one) {
		const json_t *value = first_value(one, &name);

		judge_statement(walker, rule, name, value, &judged);
		if (judged.met == PACKET_NO)
			break;
	}
	if (judged.met == PACKET_UNKNOWN && walker->unsure == NULL && walker->look.split == 0)
		walker->unsure = rule;
	if (judged.met == PACKET_SOME && judged.ending.decides)
		walker->chooses = rule;
	return judged;
}

/* The next rule of this chain at or after *i, which moves past it. */
static const json_t *next_rule(const struct packet_walker *walker, const json_t *chain, size_t *i)
{
	const json_t *items = ruleset_items(walker->ruleset);
	static const char *const same[][2] = { { "family", "family" },
					       { "table", "table" },
					       { "chain", "name" } };

	while (*i < json_array_size(items)) {
		const json_t *rule = json_object_get(json_array_get(items, (*i)++), "rule");
		bool found = rule != NULL;

		for (size_t k = 0; found && k < NELEM(same); k++)
			found = strcmp(ruleset_text(rule, same[k][0]), ruleset_text(chain, same[k][1])) == 0;
		if (found)
			return rule;
	}
	return NULL;
}

/* The rules of a chain that decide something for the packet, in order. */
struct deciding {
	struct judged *rules;
	size_t n, room;
};

static bool add(struct deciding *deciding, const struct judged *judged)
{
	if (deciding->n == deciding->room) {
		size_t room = deciding->room * 2 + 8;
		struct judged *more = realloc(deciding->rules, room * sizeof(*more));

		if (more == NULL)
			return false;
		deciding->rules = more;
		deciding->room = room;
	}
	deciding->rules[deciding->n++] = *judged;
	return true;
}

/* From the last rule to the first, since what follows a rule decides with it. */
static struct packet_outcome fold(const struct deciding *deciding)
{
	struct packet_outcome rest = packet_falls;

	for (size_t i = deciding->n; i-- > 0;) {
		const struct judged *judged = &deciding->rules[i];
		struct packet_outcome taken = judged->ending.goes
						  ? judged->ending.outcome
						  : packet_then(&judged->ending.outcome, &rest);

		taken.names_port = taken.names_port || judged->names_port;
		rest = judged->met == PACKET_YES
			   ? taken
			   : packet_join(judged->met, judged->names_port, &taken, &rest);
	}
	return rest;
}

static struct packet_outcome walk_rules(struct packet_walker *walker, const json_t *chain)
{
	enum packet_match arrival = walker->arrival;
	struct deciding deciding = { .n = 0 };
	struct packet_outcome outcome;
	const json_t *rule;
	size_t i = 0;

	while ((rule = next_rule(walker, chain, &i)) != NULL) {
		struct judged judged;

		if (++walker->steps > STEPS_MAX) {
			walker->lost = true;
			break;
		}
		judged = judge(walker, rule);
		if (judged.met == PACKET_NO || !judged.ending.decides)
			continue;
		if (!add(&deciding, &judged)) {
			walker->lost = true;
			break;
		}
		if (judged.met == PACKET_YES &&
		    (judged.ending.goes || packet_is_final(&judged.ending.outcome)))
			break; /* no packet comes further */
		if (judged.met != PACKET_YES)
			walker->arrival = least(walker->arrival, judged.met);
	}
	walker->arrival = arrival;
	outcome = fold(&deciding);
	free(deciding.rules);
	return outcome;
}

struct packet_outcome packet_rules_walk(struct packet_walker *walker, const json_t *chain)
{
	struct packet_outcome outcome;

	if (walker->depth == DEPTH_MAX) {
		walker->lost = true;
		return packet_unclear;
	}
	walker->depth++;
	outcome = walk_rules(walker, chain);
	walker->depth--;
	return outcome;
}
