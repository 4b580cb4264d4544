/*
 * Walks the YAML tree along the tables of schema.c and fills the structs of types.h.
 * This file handles keys, sections and lists; the table in walk_field() names the
 * function that parses each type of value. Every fault is reported and skipped, so
 * that one run finds all of them.
 */
#include "policy/walk.h"

#include <stdint.h>
#include <string.h>

#include "policy/field.h"
#include "policy/locations.h"
#include "policy/member.h"
#include "policy/schema.h"
#include "policy/value.h"

#define KEYS_MAX 64 /* of one table; a test looks for each of them */

static void walk_field(struct parse_context *ctx, const struct field *f, const struct node *node,
		       void *object);

/* Count this key in a table and those below it; *ret_parent: the key of its table, NULL: the top level. */
static unsigned count_key(const struct schema *schema, const char *parent, const char *key,
			  const char **ret_parent)
{
	unsigned n = 0;

	for (const struct field *f = schema->fields; f->key != NULL; f++) {
		if (strcmp(f->key, key) == 0) {
			*ret_parent = parent;
			n++;
		}
		if (f->sub != NULL)
			n += count_key(f->sub, f->key, key, ret_parent);
	}
	return n;
}

/* The singular of a section is a key of another one: "keyring" is one of tls_actions. */
static bool lacks_plural(const char *key, const char *const *candidates)
{
	size_t len = strlen(key);

	while (*candidates != NULL &&
	       !(strncmp(*candidates, key, len) == 0 && strcmp(*candidates + len, "s") == 0))
		candidates++;
	return *candidates != NULL;
}

/* Beginners put the right key into the wrong section; everybody misspells keys. */
static const char *hint_of_key(struct parse_context *ctx, const char *key, const char *const *candidates)
{
	const char *parent = NULL;

	if (ctx->diags->nitems >= DIAGS_MAX || lacks_plural(key, candidates) ||
	    count_key(schema_root(), NULL, key, &parent) != 1)
		return parse_hint(ctx, key, candidates);
	return parse_make_hint(ctx, "; it belongs to ", parent == NULL ? "the top level" : parent, "");
}

static void refuse_unknown_key(struct parse_context *ctx, const struct schema *schema, const char *group,
			       const struct node *key)
{
	const char *keys[KEYS_MAX + 1] = { NULL };
	size_t n = 0;
	const char *hint;

	for (const struct field *f = schema->fields; f->key != NULL && n < KEYS_MAX; f++)
		keys[n++] = f->key;
	hint = hint_of_key(ctx, key->text, keys);
	if (ctx->name != NULL && group != NULL)
		parse_error(ctx, DIAG_UNKNOWN_KEY, key->mark, "unknown key \"%.40s\" in %s of %s \"%.40s\"%s",
			    key->text, group, ctx->section, ctx->name, hint);
	else if (ctx->name != NULL)
		parse_error(ctx, DIAG_UNKNOWN_KEY, key->mark, "unknown key \"%.40s\" in %s \"%.40s\"%s",
			    key->text, ctx->section, ctx->name, hint);
	else if (group != NULL)
		parse_error(ctx, DIAG_UNKNOWN_KEY, key->mark, "unknown key \"%.40s\" in %s%s", key->text,
			    group, hint);
	else
		parse_error(ctx, DIAG_UNKNOWN_KEY, key->mark, "unknown key \"%.40s\"%s", key->text, hint);
}

static void refuse_missing_key(struct parse_context *ctx, const struct field *f, const char *group,
			       struct diag_mark mark)
{
	if (ctx->name == NULL && group != NULL)
		parse_error(ctx, DIAG_MISSING_KEY, mark, "an entry of \"%s\" needs a value for \"%s\"", group,
			    f->key);
	else if (ctx->name != NULL)
		parse_error(ctx, DIAG_MISSING_KEY, mark, "%s \"%.40s\" needs a value for \"%s\"",
			    ctx->section, ctx->name, f->key);
	else
		parse_error(ctx, DIAG_MISSING_KEY, mark,
			    f->type == FIELD_OBJECTS ? "the policy needs \"%s\" with at least one entry"
						     : "the policy needs \"%s: 1\"",
			    f->key);
}

/* Parse the default as if it were in the file; words separated by spaces are a list. */
static void apply_default(struct parse_context *ctx, const struct field *f, void *object)
{
	struct node list = { .kind = NODE_SEQUENCE, .text = "" };
	struct node items[2] = { { .kind = NODE_SCALAR }, { .kind = NODE_SCALAR } };
	const char *rest = f->default_text;

	if (f->default_text == NULL)
		return;
	if (f->type != FIELD_SET) {
		items[0].text = f->default_text;
		items[0].len = strlen(f->default_text);
		walk_field(ctx, f, &items[0], object);
		return;
	}
	for (size_t i = 0; i < 2 && *rest != '\0'; i++) {
		items[i].len = strcspn(rest, " ");
		items[i].text = arena_strndup(ctx->scratch, rest, items[i].len);
		if (items[i].text == NULL)
			return;
		rest += items[i].len + strspn(rest + items[i].len, " ");
		if (i > 0)
			items[i - 1].next = &items[i];
		list.count++;
	}
	list.first = &items[0];
	walk_field(ctx, f, &list, object);
}

/* Parse a mapping by a table. Messages name `group`, unless it is NULL: then the mapping is an object. */
static void walk_fields(struct parse_context *ctx, const struct schema *schema, const char *group,
			const struct node *node, struct diag_mark mark, void *object)
{
	for (const struct node *n = node->first; n != NULL; n = n->next) {
		if (n->key->kind == NODE_BAD)
			ctx->faults++;
		else if (schema_find(schema, n->key->text) == NULL)
			refuse_unknown_key(ctx, schema, group, n->key);
	}
	for (const struct field *f = schema->fields; f->key != NULL; f++) {
		static const struct node nothing = { .kind = NODE_MAPPING, .text = "" };
		const struct node *value = node_member(node, f->key);

		if (value != NULL) {
			struct location *location =
			    locations_add(ctx->locations, ctx->arena, object, f->key, value->key->mark);
			size_t faults = ctx->faults;

			walk_field(ctx, f, value, object);
			if (f->instead != NULL && node_member(node, f->instead) != NULL)
				parse_error(ctx, DIAG_ONE_OF_TWO, value->key->mark,
					    "give \"%s\" or \"%s\", not both", f->key, f->instead);
			if (location != NULL)
				location->faulty = ctx->faults > faults;
			if (f->mark_offset != 0)
				*(struct diag_mark *)member_of(object, f->mark_offset) = value->mark;
		} else if (f->required && (f->instead == NULL || node_member(node, f->instead) == NULL)) {
			refuse_missing_key(ctx, f, group, mark);
		} else if (f->type == FIELD_GROUP) {
			walk_field(ctx, f, &nothing, object);
		} else {
			apply_default(ctx, f, object);
		}
	}
}

/* Is it a mapping, or "key:" without a value, which is an empty one? Reports a fault if not. */
static bool is_mapping(struct parse_context *ctx, const char *part, const char *what, const struct node *node)
{
	if (node->kind == NODE_BAD)
		ctx->faults++;
	else if (node->kind != NODE_MAPPING && !node_is_empty(node))
		parse_error(ctx, DIAG_NOT_A_MAPPING, node->mark,
			    "%s\"%.40s\" must be a mapping of keys to values%s", part, what,
			    node->kind == NODE_SCALAR && strchr(node->text, ':') != NULL
				? "; a colon after a key must be followed by a space"
				: "");
	else
		return true;
	return false;
}

static void walk_group(struct parse_context *ctx, const struct field *f, const struct node *node,
		       void *object)
{
	if (is_mapping(ctx, "", f->key, node))
		walk_fields(ctx, f->sub, f->key, node, node->mark, member_of(object, f->offset));
}

static void *new_array(struct parse_context *ctx, const struct field *f, size_t n, void *object)
{
	void *array = arena_alloc(ctx->arena, n, f->sub->size);

	if (array != NULL) {
		*(void **)member_of(object, f->offset) = array;
		*(size_t *)member_of(object, f->count_offset) = n;
	}
	return array;
}

/* A single value instead of an entry means a mapping with one key, f->scalar_key. */
static void walk_scalar(struct parse_context *ctx, const struct field *f, const struct node *node, void *item)
{
	struct node key = {
		.kind = NODE_SCALAR, .mark = node->mark, .text = f->scalar_key, .len = strlen(f->scalar_key)
	};
	struct node value = *node;
	const struct node entry = { .kind = NODE_MAPPING,
				    .mark = node->mark,
				    .text = "",
				    .first = &value,
				    .last = &value,
				    .count = 1 };

	value.key = &key;
	value.next = NULL;
	walk_fields(ctx, f->sub, f->key, &entry, node->mark, item);
}

static void walk_entry(struct parse_context *ctx, const struct field *f, const struct node *n, void *item)
{
	if (f->sub->mark_offset != 0)
		*(struct diag_mark *)member_of(item, f->sub->mark_offset) = n->mark;
	if (n->kind == NODE_SCALAR && f->scalar_key != NULL)
		walk_scalar(ctx, f, n, item);
	else if (is_mapping(ctx, "an entry of ", f->key, n))
		walk_fields(ctx, f->sub, f->key, n, n->mark, item);
}

static void walk_list(struct parse_context *ctx, const struct field *f, const struct node *node, void *object)
{
	char *item;

	if (node->kind == NODE_BAD) {
		ctx->faults++;
		return;
	}
	if (node->kind == NODE_SCALAR && f->scalar_key != NULL) {
		item = new_array(ctx, f, 1, object);
		if (item != NULL)
			walk_scalar(ctx, f, node, item);
		return;
	}
	if (node->kind == NODE_MAPPING && f->mapping_ok) {
		item = new_array(ctx, f, 1, object);
		if (item != NULL)
			walk_entry(ctx, f, node, item);
		return;
	}
	if (node->kind != NODE_SEQUENCE || (node->count == 0 && f->required)) {
		const struct field *needed = f->sub->fields;

		while (needed->key != NULL && !needed->required)
			needed++;
		if (needed->key == NULL) /* any of them will do */
			needed = f->sub->fields;
		parse_error(ctx, DIAG_NOT_A_LIST, node->mark, "\"%s\" must be a list: [ { %s: ... } ]",
			    f->key, needed->key);
		return;
	}
	item = new_array(ctx, f, node->count, object);
	for (const struct node *n = node->first; n != NULL && item != NULL; n = n->next) {
		walk_entry(ctx, f, n, item);
		item += f->sub->size;
	}
}

static void walk_object(struct parse_context *ctx, const struct schema *schema, const struct node *node,
			void *object)
{
	struct location *location = locations_add(ctx->locations, ctx->arena, object, NULL, node->key->mark);
	size_t faults = ctx->faults;

	ctx->name = node->key->text;
	*(const char **)member_of(object, schema->name_offset) =
	    arena_strndup(ctx->arena, ctx->name, node->key->len);
	if (schema->mark_offset != 0)
		*(struct diag_mark *)member_of(object, schema->mark_offset) = node->key->mark;
	if (!value_is_name(node->key->text, node->key->len))
		parse_error(ctx, DIAG_BAD_NAME, node->key->mark,
			    "\"%.40s\" is not a valid name: use 1 to 32 letters, digits and _ . -",
			    ctx->name);
	if (is_mapping(ctx, "", ctx->name, node))
		walk_fields(ctx, schema, NULL, node, node->key->mark, object);
	if (location != NULL)
		location->faulty = ctx->faults > faults;
}

static void walk_objects(struct parse_context *ctx, const struct field *f, const struct node *node,
			 void *object)
{
	const struct schema *schema = f->sub;
	char *item;
	size_t i = 0;

	if (!is_mapping(ctx, "", f->key, node))
		return;
	if (node->count == 0 && f->required)
		parse_error(ctx, DIAG_EMPTY_LIST, node->mark, "\"%s\" needs at least one entry", f->key);
	item = new_array(ctx, f, node->count, object);
	ctx->section = f->key;
	for (const struct node *n = node->first; n != NULL && item != NULL; n = n->next) {
		if (n->key->kind == NODE_BAD)
			ctx->faults++; /* a duplicate: its place in the array stays empty, which no check
					takes for an object */
		else
			walk_object(ctx, schema, n, item);
		if (schema->index_offset != 0)
			*(size_t *)member_of(item, schema->index_offset) = i;
		i++;
		item += schema->size;
	}
	ctx->section = NULL;
	ctx->name = NULL;
}

static void walk_field(struct parse_context *ctx, const struct field *f, const struct node *node,
		       void *object)
{
	static field_fn *const parsers[] = {
		[FIELD_UINT] = field_parse_uint,
		[FIELD_BOOL] = field_parse_bool,
		[FIELD_ENUM] = field_parse_enum,
		[FIELD_SET] = field_parse_set,
		[FIELD_DURATION] = field_parse_duration,
		[FIELD_STRING] = field_parse_string,
		[FIELD_PATH] = field_parse_path,
		[FIELD_KEY] = field_parse_key,
		[FIELD_TRUST] = field_parse_trust,
		[FIELD_NAME] = field_parse_name,
		[FIELD_PORT_RANGE] = field_parse_port_range,
		[FIELD_ADVERTISE] = field_parse_advertise,
		[FIELD_ENDPOINT] = field_parse_endpoint,
		[FIELD_HTTP] = field_parse_http,
		[FIELD_BACKEND] = field_parse_backend,
		[FIELD_SERVER] = field_parse_server,
		[FIELD_SOURCE] = field_parse_source,
		[FIELD_HOST] = field_parse_host,
		[FIELD_HOSTS] = field_parse_hosts,
		[FIELD_PINS] = field_parse_pins,
		[FIELD_PRINCIPALS] = field_parse_principals,
		[FIELD_NETS] = field_parse_nets,
		[FIELD_DAYS] = field_parse_days,
		[FIELD_TIMES] = field_parse_times,
		[FIELD_PERIOD] = field_parse_period,
		[FIELD_ZONE] = field_parse_zone,
		[FIELD_PATTERNS] = field_parse_patterns,
		[FIELD_COMMANDS] = field_parse_commands,
		[FIELD_ACCESS] = field_parse_access_path,
		[FIELD_WHO] = field_parse_who,
		[FIELD_CIPHERS] = field_parse_ciphers,
		[FIELD_SUITES] = field_parse_ciphers,
		[FIELD_GROUPS] = field_parse_tls_names,
		[FIELD_SIGNATURES] = field_parse_tls_names,
		[FIELD_REF] = field_parse_ref,
		[FIELD_REFS] = field_parse_refs,
		[FIELD_GROUP] = walk_group,
		[FIELD_LIST] = walk_list,
		[FIELD_OBJECTS] = walk_objects,
	};

	parsers[f->type](ctx, f, node, object);
}

void walk_policy(struct parse_context *ctx, const struct node *root)
{
	if (root->kind != NODE_MAPPING) {
		if (root->kind != NODE_BAD)
			parse_error(ctx, DIAG_NOT_A_MAPPING, root->mark,
				    "a policy must be a mapping; start with \"version: 1\"");
		return;
	}
	walk_fields(ctx, schema_root(), NULL, root, root->mark, ctx->policy);
}
