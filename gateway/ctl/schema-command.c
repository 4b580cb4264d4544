/*
 * attlsctl's command schema: a JSON Schema of the policy, or of the file of a node, made of
 * the tables of policy/schema.c and of the manual page, with which editors complete and check these.
 * It never refuses what attlsd accepts. What spans several keys only attlsd can check.
 */
#include "gateway/ctl/schema-command.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/util.h"
#include "gateway/ctl/schema-manual.h"
#include "gateway/ctl/schema-value.h"
#include "gateway/view/json-print.h"
#include "policy/policy.h"

#define DIALECT "https://json-schema.org/draft/2020-12/schema"

static bool has_required_key(const struct schema *schema)
{
	for (const struct field *f = schema->fields; f->key != NULL; f++)
		if (f->required)
			return true;
	return false;
}

/* A mapping; where nothing in it is needed, it may also be empty, which YAML calls null. */
static json_t *mapping(bool empty_ok)
{
	json_t *types = empty_ok ? json_pack("[s,s]", "object", "null") : json_string("object");

	return json_pack("{s:o*,s:b}", "type", types, "additionalProperties", false);
}

static json_t *table_schema(const struct schema *schema, const struct manual_part *section,
			    const struct manual_part *parent);

static json_t *objects_schema(const struct field *f, const struct manual_part *section,
			      const struct manual_part *entry)
{
	json_t *schema = mapping(!f->required);

	(void)json_object_set_new(
	    schema, "patternProperties",
	    json_pack("{s:o*}", SCHEMA_NAME_PATTERN, table_schema(f->sub, section, entry)));
	if (f->required)
		(void)json_object_set_new(schema, "minProperties", json_integer(1));
	return schema;
}

static json_t *list_schema(const struct field *f, const struct manual_part *section,
			   const struct manual_part *entry)
{
	const struct field *key = f->sub->fields;
	json_t *item = table_schema(f->sub, section, entry);
	json_t *single;

	if (f->mapping_ok)
		return json_pack("{s:[O,{s:s,s:o*}]}", "anyOf", item, "type", "array", "items", item);
	if (f->scalar_key == NULL)
		return json_pack("{s:s,s:o*}", "type", "array", "items", item);
	while (strcmp(key->key, f->scalar_key) != 0)
		key++;
	single = schema_value(key);
	return json_pack("{s:[o*,{s:s,s:{s:[O*,o*]}}]}", "anyOf", single, "type", "array", "items", "anyOf",
			 single, item);
}

/* What the manual page says; which names a reference may have, if the page does not say it. */
static void describe(json_t *schema, const struct field *f, const struct manual_part *entry)
{
	char *text = manual_text(entry);
	json_t *words = NULL;

	if (text != NULL && f->section != NULL && strstr(text, f->section) == NULL)
		words = json_sprintf("%s A name of %s.", text, f->section);
	else if (text != NULL && text[0] != '\0')
		words = json_string(text);
	if (words != NULL)
		(void)json_object_set_new(schema, "description", words);
	free(text);
}

static json_t *field_schema(const struct field *f, const struct manual_part *section,
			    const struct manual_part *entry)
{
	json_t *value;
	json_t *preset = schema_default(f);

	if (f->type == FIELD_GROUP)
		value = table_schema(f->sub, section, entry);
	else if (f->type == FIELD_LIST)
		value = list_schema(f, section, entry);
	else if (f->type == FIELD_OBJECTS)
		value = objects_schema(f, section, entry);
	else
		value = schema_value(f);
	describe(value, f, entry);
	if (preset != NULL)
		(void)json_object_set_new(value, "default", preset);
	return value;
}

/* `parent` is the entry of the key whose value this is. Both are NULL: it is the whole policy. */
static json_t *table_schema(const struct schema *table, const struct manual_part *section,
			    const struct manual_part *parent)
{
	json_t *schema = mapping(!has_required_key(table));
	json_t *properties = json_object();
	json_t *required = json_array();

	for (const struct field *f = table->fields; f->key != NULL; f++) {
		/* the keys of the top level are the sections of the page */
		struct manual_part own = section != NULL ? *section : manual_section(f->key);
		struct manual_part entry = section != NULL ? manual_entry(&own, parent, f->key) : own;

		(void)json_object_set_new(properties, f->key, field_schema(f, &own, &entry));
		if (f->required && f->instead == NULL)
			(void)json_array_append_new(required, json_string(f->key));
		else if (f->required)
			(void)json_object_set_new(
			    schema, "oneOf",
			    json_pack("[{s:[s]},{s:[s]}]", "required", f->key, "required", f->instead));
	}
	(void)json_object_set_new(schema, "properties", properties);
	if (json_array_size(required) > 0)
		(void)json_object_set(schema, "required", required);
	json_decref(required);
	return schema;
}

/* What the policy must have, the file of a node need not repeat. */
static void need_nothing(json_t *schema)
{
	static const char *const needs[] = { "required", "oneOf", "minProperties" };

	for (size_t i = 0; i < NELEM(needs); i++)
		(void)json_object_del(schema, needs[i]);
	(void)json_object_set_new(schema, "type", json_pack("[s,s]", "object", "null"));
}

/* Keep the keys that the file of a node may have. section: whose keys these are; NULL: the sections. */
static void keep_own(json_t *table, const char *section)
{
	json_t *properties = json_object_get(table, "properties");
	const char *key;
	json_t *value;
	void *next;

	need_nothing(table);
	json_object_foreach_safe (properties, next, key, value) {
		if (!policy_node_may_have(section != NULL ? section : key, section != NULL ? key : NULL))
			(void)json_object_del(properties, key);
		else /* without the key, the policy's value stays */
			(void)json_object_del(value, "default");
	}
}

static void make_own(json_t *table)
{
	const char *section;
	json_t *value;

	keep_own(table, NULL);
	json_object_foreach (json_object_get(table, "properties"), section, value) {
		json_t *names = json_object_get(value, "patternProperties");

		if (names != NULL) {
			need_nothing(value);
			value = json_object_get(names, SCHEMA_NAME_PATTERN);
		}
		keep_own(value, section);
	}
}

#define ABOUT_POLICY "The policy of the TLS gateway attlsd, see attlsd.yaml(5)."
#define ABOUT_NODE                                                                                            \
	"The settings of one gateway among several (attlsd -N), see attlsd.yaml(5). Each value takes the "    \
	"place of the policy's; without a key, the policy's value stays. Defaults and needed keys are those " \
	"of the policy."

int schema_command(bool of_node)
{
	json_t *schema = json_pack("{s:s,s:s,s:s}", "$schema", DIALECT, "title",
				   of_node ? "File of a node of attlsd" : "Policy of attlsd", "description",
				   of_node ? ABOUT_NODE : ABOUT_POLICY);
	json_t *table = table_schema(schema_root(), NULL, NULL);

	if (of_node)
		make_own(table);
	(void)json_object_update(schema, table);
	json_decref(table);
	return json_print(schema, stdout) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
