/*
 * Parses names of Kerberos principals. A name is compared as it is written, so it has
 * its realm, and no escapes: GSSAPI shows a principal with blanks, slashes or at signs
 * in its parts with backslashes, and none of those is taken for another one.
 */
#include "policy/field.h"

#include <string.h>

#include "policy/member.h"
#include "policy/types.h"

static bool is_principal(const struct node *n)
{
	const char *at = memchr(n->text, '@', n->len);

	if (n->len > PRINCIPAL_MAX || at == NULL || at == n->text || at + 1 == n->text + n->len ||
	    memchr(at + 1, '@', n->len - (size_t)(at + 1 - n->text)) != NULL)
		return false;
	for (size_t i = 0; i < n->len; i++)
		if ((unsigned char)n->text[i] <= ' ' || n->text[i] == 0x7f || n->text[i] == '\\')
			return false;
	return true;
}

void field_parse_principals(struct parse_context *ctx, const struct field *f, const struct node *n,
			    void *object)
{
	const char **principals;
	size_t i = 0;

	if (!field_is_list(ctx, f, n, false))
		return;
	principals = arena_alloc(ctx->arena, node_list_count(n), sizeof(*principals));
	if (principals == NULL)
		return;
	for (const struct node *item = node_list_first(n); item != NULL; item = node_list_next(n, item)) {
		if (!field_is_scalar(ctx, f, item))
			continue;
		if (is_principal(item))
			principals[i++] = arena_strndup(ctx->arena, item->text, item->len);
		else
			parse_error(ctx, DIAG_BAD_PRINCIPAL, item->mark,
				    "\"%s\" must be names with a realm, such as user@EXAMPLE.COM, not "
				    "\"%.60s\"",
				    f->key, item->text);
	}
	*(const char ***)member_of(object, f->offset) = principals;
	*(size_t *)member_of(object, f->count_offset) = i;
}
