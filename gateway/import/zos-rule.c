/*
 * One rule of AT-TLS, as far as inbound and outbound rules have the same: its conditions,
 * priority and direction, and what has no meaning here.
 */
#include "gateway/import/zos-rule.h"

#include <string.h>

#include "gateway/import/attls-time.h"
#include "gateway/import/attls-tls.h"
#include "gateway/import/text.h"

#define TIME "the rule applies more often than on z/OS: say the same with masks and ranges of match.time"

/* A condition and all that is in it. Shared blocks are accounted for once. */
static void account_condition(struct zos *zos, struct attls_item *item, struct draft_object *object,
			      const char *match)
{
	struct draft_place place = { object, "match", match };

	draft_carry(zos->draft, &item->st, place);
	if (item->block == NULL || (item->block->outer == NULL && item->block->head.naccounts > 0))
		return;
	attls_tls_account_head(zos, item->block, object);
	for (struct attls_item *inner = item->block->items; inner != NULL; inner = inner->next)
		if (inner->row != NULL || inner->block != NULL)
			account_condition(zos, inner, object, match);
}

/* Parameters that match.time does not have: without them the condition is wider. */
static void account_time(struct zos *zos, struct attls_item *item, struct draft_object *object,
			 const char *match)
{
	struct draft_place place = { object, "match", match };

	draft_carry(zos->draft, &item->st, place);
	if (item->block->outer == NULL && item->block->head.naccounts > 0)
		return;
	attls_tls_account_head(zos, item->block, object);
	for (struct attls_item *inner = item->block->items; inner != NULL; inner = inner->next) {
		if (!attls_time_has(inner->st.keyword))
			draft_decide(zos->draft, &inner->st, place, TIME, "not carried over");
		else if (inner != attls_find(item->block, inner->st.keyword))
			draft_drop(zos->draft, &inner->st, object, "a later line has it again");
		else
			draft_carry(zos->draft, &inner->st, place);
	}
}

const char *zos_rule_match(struct zos *zos, const struct zos_rule *rule, const char *match)
{
	const char *times = attls_times(zos->draft, rule->block);
	struct arena *arena = &zos->draft->arena;

	if (times == NULL)
		return match;
	if (match == NULL)
		return text_format(arena, "{ time: %s }", times);
	return text_format(arena, "%.*s, time: %s }", (int)(strlen(match) - strlen(" }")), match, times);
}

static void account_priority(struct zos *zos, const struct zos_rule *rule, struct attls_item *item,
			     struct draft_object *object)
{
	struct draft_place place = { object, "priority", draft_get(object, "priority") };

	if (text_is(place.value, item->st.value))
		draft_carry(zos->draft, &item->st, place);
	else
		draft_differ(zos->draft, &item->st, place,
			     "new numbers keep z/OS's order of %s, whose names EBCDIC sorts in another way",
			     rule->block->name);
}

void zos_rule_account(struct zos *zos, const struct zos_rule *rule, struct draft_object *object,
		      const char *match)
{
	struct draft *draft = zos->draft;

	draft_carry(draft, &rule->block->head, (struct draft_place){ .object = object });
	for (struct attls_item *item = rule->block->items; item != NULL; item = item->next) {
		enum attls_kind kind = item->block != NULL ? item->block->kind : ATTLS_NONE;
		const char *keyword = item->st.keyword;

		if (item->st.naccounts > 0)
			continue;
		if (kind == ATTLS_TIME)
			account_time(zos, item, object, match);
		else if (attls_is_condition(item, NULL))
			account_condition(zos, item, object, match);
		else if (kind == ATTLS_GROUP || kind == ATTLS_ENVIRONMENT || kind == ATTLS_CONNECTION)
			draft_carry(draft, &item->st,
				    (struct draft_place){ object, "tls", draft_get(object, "tls") });
		else if (item != attls_find(rule->block, keyword) && item->row != NULL)
			draft_drop(draft, &item->st, object, "a later line has it again");
		else if (text_is(keyword, "Priority"))
			account_priority(zos, rule, item, object);
		else if (text_is(keyword, "Direction"))
			draft_carry(
			    draft, &item->st,
			    (struct draft_place){ object, "direction", draft_get(object, "direction") });
		else
			draft_drop(draft, &item->st, object,
				   "there is no job and no user of z/OS; the rule names a backend");
	}
}
