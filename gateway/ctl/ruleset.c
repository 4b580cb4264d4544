/*
 * Reads the nftables rules of this host as JSON from libnftables, and searches the
 * rules one by one.
 */
#include "gateway/ctl/ruleset.h"

#include <errno.h>
#include <jansson.h>
#include <nftables/libnftables.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/util.h"
#include "gateway/ctl/ruleset-xt.h"
#include "gateway/host/capabilities.h"
#include "gateway/host/nfnetlink.h"

struct ruleset {
	json_t *items; /* the output of `nft -j list ruleset`: an array of objects with one key each */
};

int ruleset_parse(const char *text, struct ruleset **ret_ruleset)
{
	struct ruleset *ruleset = calloc(1, sizeof(*ruleset));
	json_t *root = ruleset == NULL ? NULL : json_loads(text, 0, NULL);
	int r = -EINVAL;

	if (ruleset == NULL)
		return -ENOMEM;
	ruleset->items = json_incref(json_object_get(root, "nftables"));
	if (json_is_array(ruleset->items)) {
		*ret_ruleset = ruleset;
		ruleset = NULL;
		r = 0;
	}
	json_decref(root);
	ruleset_free(&ruleset);
	return r;
}

int ruleset_load(struct ruleset **ret_ruleset)
{
	struct nft_ctx *nft;
	int r = nfnetlink_probe();

	if (r < 0)
		return r;
	if (!capabilities_have_net_admin()) /* libnftables would print to stderr */
		return -EPERM;
	r = -EIO;
	nft = nft_ctx_new(NFT_CTX_DEFAULT);
	if (nft == NULL || nft_ctx_buffer_output(nft) != 0 || nft_ctx_buffer_error(nft) != 0)
		goto out;
	nft_ctx_output_set_flags(nft, NFT_CTX_OUTPUT_JSON);
	errno = 0;
	if (nft_run_cmd_from_buffer(nft, "list ruleset") != 0) {
		r = errno == EPERM ? -EPERM : -EIO;
		goto out;
	}
	r = ruleset_parse(nft_ctx_get_output_buffer(nft), ret_ruleset);
	if (r == 0)
		ruleset_xt_replace((*ret_ruleset)->items);
out:
	if (nft != NULL)
		nft_ctx_free(nft);
	return r;
}

void ruleset_free(struct ruleset **ruleset)
{
	if (*ruleset == NULL)
		return;
	json_decref((*ruleset)->items);
	free(*ruleset);
	*ruleset = NULL;
}

bool ruleset_has_legacy(void)
{
	/* a line for each table that a program has used */
	static const char *const paths[] = { "/proc/net/ip_tables_names", "/proc/net/ip6_tables_names" };
	bool found = false;

	for (size_t i = 0; i < NELEM(paths); i++) {
		FILE *file = fopen(paths[i], "re");

		if (file == NULL)
			continue;
		found = found || fgetc(file) != EOF;
		(void)fclose(file);
	}
	return found;
}

const json_t *ruleset_items(const struct ruleset *ruleset)
{
	return ruleset->items;
}

const char *ruleset_text(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value != NULL ? value : "";
}

static const char *text(const json_t *object, const char *key)
{
	return ruleset_text(object, key);
}

static bool same(const json_t *a, const json_t *b, const char *key)
{
	return strcmp(text(a, key), text(b, key)) == 0;
}

static bool is_of_family(const json_t *object, enum ip_family family)
{
	const char *word = text(object, "family");

	return strcmp(word, "inet") == 0 || strcmp(word, family == IP_V6 ? "ip6" : "ip") == 0;
}

const json_t *ruleset_named(const struct ruleset *ruleset, const char *kind, const json_t *near,
			    const char *name)
{
	json_t *item;
	size_t i;

	json_array_foreach (ruleset->items, i, item) {
		const json_t *object = json_object_get(item, kind);

		if (object != NULL && same(object, near, "family") && same(object, near, "table") &&
		    strcmp(text(object, "name"), name) == 0)
			return object;
	}
	return NULL;
}

const json_t *ruleset_elements(const struct ruleset *ruleset, const json_t *rule, const char *name)
{
	const json_t *set = ruleset_named(ruleset, "set", rule, name);

	return json_object_get(set != NULL ? set : ruleset_named(ruleset, "map", rule, name), "elem");
}

bool ruleset_is_named(const json_t *near, const char *name, const char *full)
{
	char own[RULESET_NAME_MAX];

	(void)snprintf(own, sizeof(own), "%s %s %s", text(near, "family"), text(near, "table"), name);
	return strcmp(own, full) == 0;
}

/* The value of a statement of this kind in the rule. */
static const json_t *statement(const json_t *rule, const char *kind)
{
	json_t *one;
	size_t i;

	json_array_foreach (json_object_get(rule, "expr"), i, one) {
		const json_t *found = json_object_get(one, kind);

		if (found != NULL)
			return found;
	}
	return NULL;
}

/* The next rule at or after *i, which moves on. */
static const json_t *next_rule(const struct ruleset *ruleset, enum ip_family family, size_t *i)
{
	while (*i < json_array_size(ruleset->items)) {
		const json_t *rule = json_object_get(json_array_get(ruleset->items, (*i)++), "rule");

		if (rule != NULL && is_of_family(rule, family))
			return rule;
	}
	return NULL;
}

/* Does this text occur anywhere in the value? */
static bool mentions(const json_t *value, const char *word)
{
	const char *key;
	json_t *one;
	size_t i;

	if (json_is_string(value))
		return strcmp(json_string_value(value), word) == 0;
	json_array_foreach (value, i, one)
		if (mentions(one, word))
			return true;
	/* jansson cannot iterate over a const */
	json_object_foreach ((json_t *)(uintptr_t)value, key, one)
		if (mentions(one, word))
			return true;
	return false;
}

static void add_range(struct ruleset_ports *ports, const json_t *low, const json_t *high)
{
	if (ports->n == RULESET_RANGES_MAX) {
		ports->any = true; /* too many to compare: assume a match, not a false alarm */
		return;
	}
	ports->ranges[ports->n].low = (uint16_t)json_integer_value(low);
	ports->ranges[ports->n].high = (uint16_t)json_integer_value(high);
	ports->n++;
}

/* A port, a range, or a list of both; the elements of named sets come in the same form. */
static void add_ports(struct ruleset_ports *ports, const json_t *value)
{
	const json_t *range = json_object_get(value, "range");
	const json_t *set = json_object_get(value, "set");
	json_t *one;
	size_t i;

	if (json_is_integer(value))
		add_range(ports, value, value);
	else if (range != NULL)
		add_range(ports, json_array_get(range, 0), json_array_get(range, 1));
	json_array_foreach (set != NULL ? set : value, i, one)
		if (!json_is_array(one))
			add_ports(ports, one);
}

static bool is_port_field(const json_t *left)
{
	const json_t *payload = json_object_get(left, "payload");

	return strcmp(text(payload, "field"), "dport") == 0;
}

static void ports_of(const struct ruleset *ruleset, const json_t *rule, struct ruleset_ports *ports)
{
	json_t *one;
	size_t i;

	*ports = (struct ruleset_ports){ .any = true };
	json_array_foreach (json_object_get(rule, "expr"), i, one) {
		const json_t *match = json_object_get(one, "match");
		const json_t *right = json_object_get(match, "right");

		if (match == NULL || !is_port_field(json_object_get(match, "left")) ||
		    strcmp(text(match, "op"), "!=") == 0)
			continue;
		ports->any = false;
		if (json_is_string(right) && json_string_value(right)[0] == '@')
			add_ports(ports, json_object_get(ruleset_named(ruleset, "set", rule,
								       json_string_value(right) + 1),
							 "elem"));
		else
			add_ports(ports, right);
	}
}

bool ruleset_ports_have(const struct ruleset_ports *ports, uint16_t port)
{
	for (size_t i = 0; i < ports->n; i++)
		if (port >= ports->ranges[i].low && port <= ports->ranges[i].high)
			return true;
	return ports->any;
}

static bool is_for_port(const struct ruleset *ruleset, const json_t *rule, uint16_t port)
{
	struct ruleset_ports ports;

	ports_of(ruleset, rule, &ports);
	return ruleset_ports_have(&ports, port);
}

static bool sets_mark(const json_t *rule, uint32_t *ret_mark)
{
	const json_t *mangle = statement(rule, "mangle");
	const json_t *value = json_object_get(mangle, "value");
	const json_t * or = json_object_get(value, "|");

	if (!mentions(json_object_get(mangle, "key"), "mark"))
		return false;
	*ret_mark = (uint32_t)json_integer_value(or == NULL ? value : json_array_get(or, 1));
	return true;
}

const json_t *ruleset_tproxy_rule(const struct ruleset *ruleset, enum ip_family family, uint16_t port)
{
	const json_t *rule;

	for (size_t i = 0; (rule = next_rule(ruleset, family, &i)) != NULL;) {
		const json_t *tproxy = statement(rule, "tproxy");
		const char *word = text(tproxy, "family");

		if (tproxy != NULL && json_integer_value(json_object_get(tproxy, "port")) == port &&
		    (word[0] == '\0' || strcmp(word, family == IP_V6 ? "ip6" : "ip") == 0))
			return rule;
	}
	return NULL;
}

bool ruleset_find_tproxy(const struct ruleset *ruleset, enum ip_family family, uint16_t port,
			 struct ruleset_tproxy *ret)
{
	const json_t *rule = ruleset_tproxy_rule(ruleset, family, port);

	if (rule == NULL)
		return false;
	*ret = (struct ruleset_tproxy){ .marks = false };
	ports_of(ruleset, rule, &ret->dialled);
	ret->marks = sets_mark(rule, &ret->mark);
	(void)snprintf(ret->addr, sizeof(ret->addr), "%s", text(statement(rule, "tproxy"), "addr"));
	return true;
}

static bool asks_for_socket(const json_t *rule)
{
	json_t *one;
	size_t i;

	json_array_foreach (json_object_get(rule, "expr"), i, one) {
		const json_t *left = json_object_get(json_object_get(one, "match"), "left");

		if (strcmp(text(json_object_get(left, "socket"), "key"), "transparent") == 0)
			return true;
	}
	return false;
}

bool ruleset_find_socket(const struct ruleset *ruleset, enum ip_family family, bool *ret_marks,
			 uint32_t *ret_mark)
{
	const json_t *rule;

	for (size_t i = 0; (rule = next_rule(ruleset, family, &i)) != NULL;) {
		if (!asks_for_socket(rule))
			continue;
		*ret_marks = sets_mark(rule, ret_mark);
		return true;
	}
	return false;
}

bool ruleset_translates(const struct ruleset *ruleset, enum ip_family family, uint16_t port)
{
	const json_t *rule;

	for (size_t i = 0; (rule = next_rule(ruleset, family, &i)) != NULL;) {
		const json_t *to = statement(rule, "dnat");
		const json_t *target;

		if (to == NULL)
			to = statement(rule, "redirect");
		if (to == NULL)
			continue;
		target = json_object_get(to, "port");
		if (is_for_port(ruleset, rule, port) ||
		    (target != NULL && json_integer_value(target) == port))
			return true;
	}
	return false;
}

static bool has_type(const json_t *set, enum ip_family family)
{
	const json_t *type = json_object_get(set, "type");
	const char *addr = family == IP_V6 ? "ipv6_addr" : "ipv4_addr";
	const char *want[] = { addr, addr, "inet_service" };

	for (size_t i = 0; i < NELEM(want); i++) {
		const char *got = json_string_value(json_array_get(type, i));

		if (got == NULL || strcmp(got, want[i]) != 0)
			return false;
	}
	return json_array_size(type) == NELEM(want);
}

void ruleset_find_set(const struct ruleset *ruleset, const char *name, enum ip_family family,
		      struct ruleset_set *ret)
{
	char full[RULESET_NAME_MAX], this[RULESET_NAME_MAX];
	json_t *item;
	size_t i;

	*ret = (struct ruleset_set){ .found = false };
	(void)snprintf(full, sizeof(full), "%s%s", name, family == IP_V6 ? "6" : "");
	json_array_foreach (ruleset->items, i, item) {
		const json_t *set = json_object_get(item, "set");

		if (set == NULL)
			continue;
		(void)snprintf(this, sizeof(this), "%s %s %s", text(set, "family"), text(set, "table"),
			       text(set, "name"));
		if (strcmp(this, full) != 0)
			continue;
		ret->found = true;
		ret->right_type = has_type(set, family);
		ret->timeout = mentions(json_object_get(set, "flags"), "timeout");
	}
}
