/*
 * Parses names that refer to an object of another section, such as a rule's
 * backend, into pointers. The order of the tables in schema.c ensures that the
 * other section was read before.
 */
#include "policy/field.h"

#include <assert.h>
#include <string.h>

#include "policy/member.h"
#include "policy/schema.h"

static const char *name_of(const struct schema *schema, void *object)
{
	return *(const char **)member_of(object, schema->name_offset);
}

/* The array of a section's objects, *ret_n of them. */
static char *section_objects(struct parse_context *ctx, const struct field *section, size_t *ret_n)
{
	*ret_n = member_load_count(ctx->policy, section->count_offset);
	return *(char **)member_of(ctx->policy, section->offset);
}

static void refuse_dangling(struct parse_context *ctx, const struct field *section, const struct node *n)
{
	size_t count;
	char *objects = section_objects(ctx, section, &count);
	const char **names = arena_alloc(ctx->scratch, count + 1, sizeof(*names));
	const char *hint;

	if (names == NULL)
		return;
	for (size_t i = 0; i < count; i++)
		names[i] = name_of(section->sub, objects + i * section->sub->size);
	hint = parse_hint(ctx, n->text, names);
	parse_error(ctx, DIAG_UNDEFINED_NAME, n->mark, "there is no \"%.40s\" in %s%s", n->text, section->key,
		    hint[0] != '\0' ? hint : "; define it there");
}

/* Reports a fault and returns NULL when there is no such object. */
static void *resolve(struct parse_context *ctx, const struct field *f, const struct node *n)
{
	const struct field *section = schema_find(schema_root(), f->section);
	char *objects;
	size_t count;

	assert(section != NULL && section->type == FIELD_OBJECTS);
	if (!field_is_scalar(ctx, f, n))
		return NULL;
	objects = section_objects(ctx, section, &count);
	for (size_t i = 0; i < count; i++) {
		const char *name = name_of(section->sub, objects + i * section->sub->size);

		if (name != NULL && strcmp(name, n->text) == 0)
			return objects + i * section->sub->size;
	}
	refuse_dangling(ctx, section, n);
	return NULL;
}

void field_parse_ref(struct parse_context *ctx, const struct field *f, const struct node *n, void *object)
{
	*(void **)member_of(object, f->offset) = resolve(ctx, f, n);
}

void field_parse_refs(struct parse_context *ctx, const struct field *f, const struct node *n, void *object)
{
	void **array;
	size_t count = 0;

	if (!field_is_list(ctx, f, n, false))
		return;
	array = arena_alloc(ctx->arena, node_list_count(n), sizeof(*array));
	if (array == NULL)
		return;
	for (const struct node *item = node_list_first(n); item != NULL; item = node_list_next(n, item)) {
		array[count] = resolve(ctx, f, item);
		if (array[count] != NULL)
			count++;
	}
	*(void ***)member_of(object, f->offset) = array;
	*(size_t *)member_of(object, f->count_offset) = count;
}
