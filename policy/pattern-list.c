/*
 * Parses the patterns of names of users. Clients cannot log in with blanks or control
 * characters in a name, so a pattern has none.
 */
#include "policy/field.h"

#include <ctype.h>

#include "policy/member.h"
#include "policy/types.h"

#define PATTERN_MAX 64

void field_parse_patterns(struct parse_context *ctx, const struct field *f, const struct node *n,
			  void *object)
{
	struct name_list *list = member_of(object, f->offset);
	const char **names;

	if (!field_is_list(ctx, f, n, false))
		return;
	names = arena_alloc(ctx->arena, node_list_count(n), sizeof(*names));
	if (names == NULL)
		return;
	for (const struct node *item = node_list_first(n); item != NULL; item = node_list_next(n, item)) {
		bool sound = item->kind == NODE_SCALAR && item->len <= PATTERN_MAX;

		if (!field_is_scalar(ctx, f, item))
			continue;
		for (size_t i = 0; i < item->len; i++)
			sound = sound && isgraph((unsigned char)item->text[i]);
		if (sound)
			names[list->n++] = arena_strndup(ctx->arena, item->text, item->len);
		else
			parse_error(ctx, DIAG_BAD_NAME, item->mark,
				    "\"%s\" must be names of users without blanks, of at most %d characters, "
				    "perhaps with * or ?, not \"%.80s\"",
				    f->key, PATTERN_MAX, item->text);
	}
	list->names = names;
}
