/*
 * Merges the file of one gateway into the tree of the policy, before anything else looks at that:
 * all checks see the values as if the policy had them, and their marks name the right file.
 */
#include "policy/own-values.h"

#include <stdio.h>
#include <string.h>

#define KEY_MAX 160

static const struct {
	const char *section, *key;
	bool named; /* the section has objects with names, and they have the key */
} allowed[] = {
	{ "daemon", "node", false },	     { "nat", "advertise", false },
	{ "nat", "advertise_ports", false }, { "ftp_actions", "passivedataports", true },
	{ "listeners", "address", true },
};
#define ALLOWED                                                                                              \
	"daemon.node, nat.advertise, nat.advertise_ports, ftp_actions.*.passivedataports and "               \
	"listeners.*.address"

struct merge {
	struct policy *policy;
	struct arena *arena;
	struct diags *diags;
};

bool own_values_allow(const char *section, const char *key, bool *ret_named)
{
	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
		if (strcmp(allowed[i].section, section) == 0 &&
		    (key == NULL || strcmp(allowed[i].key, key) == 0)) {
			if (ret_named != NULL)
				*ret_named = allowed[i].named;
			return true;
		}
	return false;
}

static void refuse(struct merge *merge, const struct node *member, const char *key)
{
	diags_add(merge->diags, DIAG_ERROR, DIAG_NODE_KEY, member->key->mark,
		  "\"%s\" belongs in the policy, which all gateways share; this file may only have " ALLOWED,
		  key);
}

/* "key:" without a value is no fault, but has nothing to take. */
static bool is_mapping(struct merge *merge, const struct node *node, const char *name)
{
	if ((node->kind == NODE_SCALAR || node->kind == NODE_SEQUENCE) && !node_is_empty(node))
		diags_add(merge->diags, DIAG_ERROR, DIAG_NOT_A_MAPPING, node->mark,
			  "\"%s\" must be a mapping of keys to values", name);
	return node->kind == NODE_MAPPING; /* NODE_BAD was reported */
}

/* Can values go into this part of the policy? In "key:" without a value as well: there, it is a mapping. */
static bool can_have_keys(struct node *of_policy)
{
	if (node_is_empty(of_policy))
		of_policy->kind = NODE_MAPPING;
	return of_policy->kind == NODE_MAPPING; /* else a fault of the policy, which its own checks report */
}

static struct node *find(const struct node *mapping, const char *key)
{
	struct node *one = mapping->first;

	while (one != NULL && strcmp(one->key->text, key) != 0)
		one = one->next;
	return one;
}

static void append(struct node *mapping, struct node *member)
{
	member->next = NULL;
	if (mapping->last != NULL)
		mapping->last->next = member;
	else
		mapping->first = member;
	mapping->last = member;
	mapping->count++;
}

static void take_out(struct node *mapping, const struct node *member)
{
	struct node *before = NULL;

	for (struct node *one = mapping->first; one != member; one = one->next)
		before = one;
	if (before != NULL)
		before->next = member->next;
	else
		mapping->first = member->next;
	if (mapping->last == member)
		mapping->last = before;
	mapping->count--;
}

/* object: what has the key; NULL: the section itself. */
static void take(struct merge *merge, struct node *to, const struct node *section, const struct node *object,
		 struct node *member)
{
	char key[KEY_MAX];
	int len =
	    snprintf(key, sizeof(key), "%.40s%s%.40s.%.60s", section->key->text, object != NULL ? "." : "",
		     object != NULL ? object->key->text : "", member->key->text);
	const struct node *before;

	if (!own_values_allow(section->key->text, member->key->text, NULL)) {
		refuse(merge, member, key);
		return;
	}
	before = find(to, member->key->text);
	if (before != NULL)
		take_out(to, before);
	append(to, member);
	if (merge->policy->own != NULL)
		merge->policy->own[merge->policy->nown++] = (struct policy_own_value){
			.key = arena_strndup(merge->arena, key, (size_t)len),
			.mark = member->mark,
		};
}

static void take_all(struct merge *merge, struct node *to, const struct node *section,
		     const struct node *object, const struct node *from)
{
	struct node *next;

	for (struct node *member = from->first; member != NULL; member = next) {
		next = member->next; /* it moves */
		take(merge, to, section, object, member);
	}
}

/* The objects of a section are those of the policy: this file makes none. */
static void take_objects(struct merge *merge, const struct node *to, const struct node *section)
{
	for (struct node *object = section->first; object != NULL; object = object->next) {
		struct node *found = to != NULL ? find(to, object->key->text) : NULL;

		if (found == NULL)
			diags_add(merge->diags, DIAG_ERROR, DIAG_UNDEFINED_NAME, object->key->mark,
				  "the policy has no \"%s\" in %s", object->key->text, section->key->text);
		else if (is_mapping(merge, object, object->key->text) && can_have_keys(found))
			take_all(merge, found, section, object, object);
	}
}

static void take_section(struct merge *merge, struct node *tree, struct node *section, bool named)
{
	struct node *to = find(tree, section->key->text);

	if (to != NULL && !can_have_keys(to))
		return;
	if (named) {
		take_objects(merge, to, section);
		return;
	}
	if (to == NULL) {
		to = arena_alloc(merge->arena, 1, sizeof(*to));
		if (to == NULL)
			return;
		*to = (struct node){
			.kind = NODE_MAPPING, .mark = section->mark, .text = "", .key = section->key
		};
		append(tree, to);
	}
	take_all(merge, to, section, NULL, section);
}

/* NODE_DEPTH_MAX bounds the depth. */
static void stamp(struct node *node)
{
	node->mark.file = DIAG_OWN;
	if (node->key != NULL)
		node->key->mark.file = DIAG_OWN;
	for (struct node *one = node->first; one != NULL; one = one->next)
		stamp(one);
}

/* At most so many values are taken. */
static size_t count_values(const struct node *own)
{
	size_t n = 0;

	for (const struct node *section = own->first; section != NULL; section = section->next) {
		n += section->count;
		for (const struct node *object = section->first; object != NULL; object = object->next)
			n += object->count;
	}
	return n;
}

void own_values_merge(struct node *tree, struct node *own, struct policy *policy, struct arena *arena,
		      struct diags *diags)
{
	struct merge merge = { policy, arena, diags };
	struct node *next;
	bool named;

	stamp(own);
	if (!is_mapping(&merge, own, "the file of a node") || tree->kind != NODE_MAPPING)
		return;
	policy->own = arena_alloc(arena, count_values(own) + 1, sizeof(*policy->own));
	for (struct node *section = own->first; section != NULL; section = next) {
		next = section->next;
		if (!own_values_allow(section->key->text, NULL, &named))
			refuse(&merge, section, section->key->text);
		else if (is_mapping(&merge, section, section->key->text))
			take_section(&merge, tree, section, named);
	}
}
