/*
 * Walks a packet through the base chains of each hook in the order of their
 * priorities, and through a range of ports part by part.
 */
#include "gateway/ctl/packet-walk.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/util.h"
#include "gateway/ctl/packet-rules.h"
#include "gateway/ctl/ruleset.h"

#define CHAINS_MAX 64  /* base chains of one hook */
#define PARTS_MAX  256 /* pieces of a range of ports */

const char *const packet_hooks_input[] = { "ingress", "prerouting", "input", NULL };
const char *const packet_hooks_forward[] = { "ingress", "prerouting", "forward", NULL };
const char *const packet_hooks_output[] = { "output", NULL };
const char *const packet_hooks_prerouting[] = { "ingress", "prerouting", NULL };

static bool is_of_family(const json_t *chain, enum ip_family family)
{
	static const struct {
		const char *word;
		enum ip_family family; /* IP_NONE: both */
	} words[] = { { "inet", IP_NONE }, { "netdev", IP_NONE }, { "ip", IP_V4 }, { "ip6", IP_V6 } };
	const char *word = ruleset_text(chain, "family");

	for (size_t i = 0; i < NELEM(words); i++)
		if (strcmp(words[i].word, word) == 0)
			return words[i].family == IP_NONE || words[i].family == family;
	return false;
}

/* A chain of one interface, or of several. */
static bool is_of_device(const json_t *chain, const char *device)
{
	const json_t *dev = json_object_get(chain, "dev");
	json_t *one;
	size_t i;

	if (dev == NULL || device == NULL)
		return true;
	if (json_is_string(dev))
		return strcmp(json_string_value(dev), device) == 0;
	json_array_foreach (dev, i, one)
		if (json_is_string(one) && strcmp(json_string_value(one), device) == 0)
			return true;
	return false;
}

/* Older versions of nft do not say in JSON for which interface a chain is. */
static bool is_of_unknown_device(const json_t *chain)
{
	return strcmp(ruleset_text(chain, "hook"), "ingress") == 0 && json_object_get(chain, "dev") == NULL;
}

static int by_priority(const void *a, const void *b)
{
	json_int_t left = json_integer_value(json_object_get(*(const json_t *const *)a, "prio"));
	json_int_t right = json_integer_value(json_object_get(*(const json_t *const *)b, "prio"));

	return (left > right) - (left < right);
}

static void add_barrier(const struct packet_walker *walker, struct packet_walk *walk, const json_t *chain,
			const json_t *rule)
{
	struct packet_barrier *barrier = &walk->barriers[walk->nbarriers++];

	*barrier = (struct packet_barrier){ .chain = chain, .rule = rule, .npath = walker->npath };
	memcpy(barrier->path, walker->path, sizeof(barrier->path));
}

static void walk_base_chain(struct packet_walker *walker, struct packet_walk *walk, const json_t *chain)
{
	struct packet_outcome outcome;
	bool drops = strcmp(ruleset_text(chain, "policy"), "drop") == 0;
	enum packet_way way;

	walker->shut_by = NULL;
	walker->npath = 0;
	walker->priority = json_integer_value(json_object_get(chain, "prio"));
	walker->arrival = PACKET_YES;
	outcome = packet_rules_walk(walker, chain);
	way = outcome.to[drops ? PACKET_SHUT : PACKET_OPEN];
	if (way < PACKET_OPEN && is_of_unknown_device(chain)) {
		way = PACKET_UNSURE;
		walker->unsure = walker->shut_by != NULL ? walker->shut_by : chain;
		walker->look.what = "device";
	}
	if (way == PACKET_SHUT && walk->nbarriers < PACKET_BARRIERS_MAX)
		add_barrier(walker, walk, chain,
			    outcome.to[PACKET_OPEN] == PACKET_SHUT ? walker->shut_by : NULL);
	if (way < walk->way) {
		walk->way = way;
		walk->rule = way == PACKET_UNSURE ? walker->unsure : walker->chooses;
	}
}

static void walk_hook(struct packet_walker *walker, struct packet_walk *walk, const char *hook)
{
	const json_t *items = ruleset_items(walker->ruleset), *chains[CHAINS_MAX];
	size_t n = 0;
	json_t *item;
	size_t i;

	json_array_foreach (items, i, item) {
		const json_t *chain = json_object_get(item, "chain");

		if (chain == NULL || strcmp(ruleset_text(chain, "hook"), hook) != 0 ||
		    !is_of_family(chain, walker->packet.family) || !is_of_device(chain, walker->packet.from))
			continue;
		if (n == CHAINS_MAX)
			walker->lost = true;
		else
			chains[n++] = chain;
	}
	qsort(chains, n, sizeof(chains[0]), by_priority);
	for (i = 0; i < n; i++)
		walk_base_chain(walker, walk, chains[i]);
}

/* For a range of ports that is as one to all rules; otherwise *ret_split is where it is not. */
static struct packet_walk walk_once(const struct ruleset *ruleset, const struct packet *packet,
				    const char *const *hooks, uint16_t *ret_split)
{
	struct packet_walker walker = { .ruleset = ruleset, .packet = *packet };
	struct packet_walk walk = { .way = PACKET_OPEN };

	walker.look = (struct packet_look){ .packet = &walker.packet, .ruleset = ruleset };
	for (size_t i = 0; hooks[i] != NULL; i++)
		walk_hook(&walker, &walk, hooks[i]);
	walk.packet = walker.packet;
	walk.what = walk.way == PACKET_UNSURE ? walker.look.what : NULL;
	*ret_split = walker.look.split;
	if (walker.lost) {
		walk.way = PACKET_UNSURE;
		walk.rule = NULL;
		walk.what = NULL;
	}
	return walk;
}

/* What rules do to some ports of a range, they do to the range. */
static void add_effects(struct packet *packet, const struct packet *part)
{
	if (part->untracked > packet->untracked) {
		packet->untracked = part->untracked;
		packet->untracked_by = part->untracked_by;
	}
	if (part->translated > packet->translated)
		packet->translated = part->translated;
}

struct packet_walk packet_walk(const struct ruleset *ruleset, const struct packet *packet,
			       const char *const *hooks)
{
	struct packet part = *packet;
	struct packet_walk worst = { .way = PACKET_OPEN }, walk;
	bool first = true;
	uint16_t split;

	for (size_t n = 0; n < PARTS_MAX; n++) {
		walk = walk_once(ruleset, &part, hooks, &split);
		if (split > part.low && split <= part.high) { /* look at the lower part alone */
			part.high = (uint16_t)(split - 1);
			continue;
		}
		if (first || walk.way < worst.way) {
			add_effects(&walk.packet, &worst.packet);
			worst = walk;
		} else {
			add_effects(&worst.packet, &walk.packet);
		}
		first = false;
		if (part.high == packet->high)
			return worst;
		part.low = (uint16_t)(part.high + 1);
		part.high = packet->high;
	}
	return (struct packet_walk){ .packet = part, .way = PACKET_UNSURE };
}
