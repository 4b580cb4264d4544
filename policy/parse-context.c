/*
 * Hints that end an error message, such as "did you mean". Every parser in this
 * folder uses them through its parse context.
 */
#include "policy/parse-context.h"

#include <stdio.h>
#include <string.h>

const char *parse_make_hint(struct parse_context *ctx, const char *before, const char *word,
			    const char *after)
{
	size_t size = strlen(before) + strlen(word) + strlen(after) + 1;
	char *text = arena_alloc(ctx->scratch, size, 1);

	if (text == NULL)
		return "";
	(void)snprintf(text, size, "%s%s%s", before, word, after); /* it fits */
	return text;
}

const char *parse_hint(struct parse_context *ctx, const char *word, const char *const *candidates)
{
	const char *found;

	/* No search for faults that are not kept: a hostile file could make that slow. */
	if (ctx->diags->nitems >= DIAGS_MAX)
		return "";
	found = diag_suggest(word, candidates);
	ctx->meant = found;
	return found == NULL ? "" : parse_make_hint(ctx, "; did you mean \"", found, "\"?");
}

void parse_add_fix(struct parse_context *ctx)
{
	if (ctx->meant != NULL)
		diags_fix(ctx->diags, ctx->meant);
	ctx->meant = NULL;
}
