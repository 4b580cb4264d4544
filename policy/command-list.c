/*
 * Parses `commands_allowed` and `commands_denied`: lists of FTP commands, alone or
 * with their first argument ("SITE EXEC"). They are stored in upper case, because
 * ftp-alg/ compares them with verbs in upper case.
 */
#include "policy/field.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "policy/member.h"

/* The longest verb, and the longest argument of SITE, that can be listed. */
#define COMMAND_WORD_MAX 16

/* "dele" or "site exec": one or two words of letters and digits with one space between them. */
static bool is_command(const char *text, size_t len)
{
	const char *blank = memchr(text, ' ', len);
	size_t first = blank != NULL ? (size_t)(blank - text) : len;
	size_t second = len - first;

	if (first == 0 || first > COMMAND_WORD_MAX || second == 1 || second > COMMAND_WORD_MAX + 1)
		return false;
	for (size_t i = 0; i < len; i++)
		if (i != first && !isalnum((unsigned char)text[i]))
			return false;
	return true;
}

void field_parse_commands(struct parse_context *ctx, const struct field *f, const struct node *n,
			  void *object)
{
	struct command_list *list = member_of(object, f->offset);
	const char **names;
	size_t i = 0;

	if (!field_is_list(ctx, f, n, false))
		return;
	names = arena_alloc(ctx->arena, node_list_count(n) + 1, sizeof(*names));
	if (names == NULL)
		return;
	for (const struct node *item = node_list_first(n); item != NULL; item = node_list_next(n, item)) {
		char *name;

		if (!field_is_scalar(ctx, f, item))
			continue;
		if (!is_command(item->text, item->len)) {
			parse_error(
			    ctx, DIAG_BAD_COMMAND, item->mark,
			    "\"%s\" must be FTP commands such as DELE or \"SITE EXEC\", not \"%.60s\"",
			    f->key, item->text);
			continue;
		}
		name = arena_strndup(ctx->arena, item->text, item->len);
		for (char *c = name; c != NULL && *c != '\0'; c++)
			*c = (char)toupper((unsigned char)*c);
		names[i++] = name;
	}
	list->names = names;
	list->n = i;
}
