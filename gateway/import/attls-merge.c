/*
 * Walks from a rule through its three actions. A block of cipher suites or signatures
 * replaces that of a lower level as a whole; all other parameters count one by one.
 */
#include "gateway/import/attls-merge.h"

#include <string.h>

#include "gateway/import/text.h"

#define ROWS_MAX 256

struct walk {
	struct draft *draft;
	struct attls_merged *merged;
	struct attls_use *counts[ROWS_MAX]; /* by the index of the row */
};

/* Repeated lines of these make one list. */
static bool is_list(const struct attls_block *block)
{
	return block->kind == ATTLS_CIPHER || block->kind == ATTLS_SIGNATURE;
}

static struct attls_use *add_use(struct walk *walk, struct attls_item *item, const struct attls_block *by)
{
	struct attls_merged *merged = walk->merged;
	struct attls_use *use = text_alloc(&walk->draft->arena, 1, sizeof(*use));

	use->item = item;
	use->by = by;
	*(merged->last != NULL ? &merged->last->next : &merged->uses) = use;
	merged->last = use;
	return use;
}

/* A later line, or one of a higher level, takes the place of the one that counted. */
static void override(struct walk *walk, struct attls_use *use, const struct attls_block *by)
{
	size_t index = (size_t)(use->item->row - attls_row_at(0));

	if (index >= ROWS_MAX)
		return;
	if (walk->counts[index] != NULL)
		walk->counts[index]->by = by;
	walk->counts[index] = use;
}

/* The block of this kind that a connection action has, if that is not the level of the walk. */
static const struct attls_block *over(const struct walk *walk, enum attls_kind kind, bool connection)
{
	if (connection || walk->merged->connection == NULL)
		return NULL;
	for (const struct attls_item *item = walk->merged->connection->items; item != NULL; item = item->next)
		if (item->block != NULL && item->block->kind == kind)
			return item->block;
	return NULL;
}

static void collect(struct walk *walk, struct attls_block *block, const struct attls_block *by,
		    bool connection)
{
	for (struct attls_item *item = block->items; item != NULL; item = item->next) {
		struct attls_use *use;

		if (item->block != NULL) {
			const struct attls_block *instead =
			    is_list(item->block) ? over(walk, item->block->kind, connection) : NULL;

			(void)add_use(walk, item, instead != NULL ? instead : by);
			collect(walk, item->block, instead != NULL ? instead : by, connection);
			continue;
		}
		use = add_use(walk, item, by);
		if (item->row != NULL && item->row->value != ATTLS_IGNORED && by == NULL && !is_list(block))
			override(walk, use, block);
	}
}

static struct attls_block *action(const struct attls_block *rule, enum attls_kind kind)
{
	struct attls_block *found = NULL;

	for (const struct attls_item *item = rule->items; item != NULL; item = item->next)
		if (item->block != NULL && item->block->kind == kind)
			found = item->block;
	return found;
}

void attls_merge(struct draft *draft, const struct attls_block *rule, struct attls_merged *ret)
{
	struct walk walk = { .draft = draft, .merged = ret };

	*ret = (struct attls_merged){ .group = action(rule, ATTLS_GROUP),
				      .environment = action(rule, ATTLS_ENVIRONMENT),
				      .connection = action(rule, ATTLS_CONNECTION) };
	if (ret->group != NULL)
		collect(&walk, ret->group, NULL, false);
	if (ret->environment != NULL)
		collect(&walk, ret->environment, NULL, false);
	if (ret->connection != NULL)
		collect(&walk, ret->connection, NULL, true);
}

struct attls_item *attls_merged_find(const struct attls_merged *merged, const char *keyword)
{
	for (const struct attls_use *use = merged->uses; use != NULL; use = use->next)
		if (use->by == NULL && use->item->row != NULL && text_is(use->item->row->keyword, keyword))
			return use->item;
	return NULL;
}

const char *attls_merged_value(const struct attls_merged *merged, const char *keyword, const char *instead)
{
	const struct attls_item *item = attls_merged_find(merged, keyword);

	return item != NULL ? item->st.value : instead;
}
