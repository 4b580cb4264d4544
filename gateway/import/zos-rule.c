/*
 * One rule of AT-TLS, as far as inbound and outbound rules have the same: its conditions,
 * priority and direction, and what has no meaning here.
 */
#include "gateway/import/zos-rule.h"

#include <string.h>

#include "gateway/base/util.h"
#include "gateway/import/attls-time.h"
#include "gateway/import/attls-tls.h"
#include "gateway/import/text.h"

#define TIME "the rule applies more often than on z/OS: say the same with masks and ranges of match.time"

enum zos_condition zos_rule_condition(const struct attls_item *item)
{
	static const struct {
		const char *prefix, *part;
		enum zos_condition condition;
	} words[] = {
		{ "Local", "Addr", ZOS_LOCAL_ADDR },
		{ "Local", "Port", ZOS_LOCAL_PORT },
		{ "Remote", "Addr", ZOS_REMOTE_ADDR },
		{ "Remote", "Port", ZOS_REMOTE_PORT },
		{ "Jobname", "", ZOS_JOB },
		{ "Userid", "", ZOS_USER },
	};

	for (size_t i = 0; i < NELEM(words); i++)
		if (text_begins(item->st.keyword, words[i].prefix) &&
		    strcasestr(item->st.keyword, words[i].part) != NULL)
			return words[i].condition;
	return ZOS_NO_CONDITION;
}

static void account(struct zos *zos, struct statement *st, const struct zos_kept *kept)
{
	if (kept->question != NULL)
		draft_decide(zos->draft, st, kept->place, kept->question, "%s", kept->note);
	else if (kept->nothing)
		draft_drop(zos->draft, st, kept->place.object, "%s", kept->note);
	else if (kept->note != NULL)
		draft_differ(zos->draft, st, kept->place, "%s", kept->note);
	else
		draft_carry(zos->draft, st, kept->place);
}

/* A condition and all that is in it. Shared blocks are accounted for once. */
static void account_condition(struct zos *zos, struct attls_item *item, struct draft_object *object,
			      const struct zos_kept *kept)
{
	account(zos, &item->st, kept);
	if (item->block == NULL || (item->block->outer == NULL && item->block->head.naccounts > 0))
		return;
	attls_tls_account_head(zos, item->block, object);
	for (struct attls_item *inner = item->block->items; inner != NULL; inner = inner->next)
		if (inner->row != NULL || inner->block != NULL)
			account_condition(zos, inner, object, kept);
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

static void account_direction(struct zos *zos, struct attls_item *item, struct draft_object *object)
{
	struct draft_place place = { object, "direction", draft_get(object, "direction") };

	if (text_is(place.value, item->st.value))
		draft_carry(zos->draft, &item->st, place);
	else
		draft_differ(zos->draft, &item->st, place,
			     "data connections always have the policy of their control connection");
}

/* Of several actions of one kind, the last one counts. */
static void account_action(struct zos *zos, const struct zos_rule *rule, struct attls_item *item,
			   struct draft_object *object)
{
	if (item->block == rule->merged.group || item->block == rule->merged.environment ||
	    item->block == rule->merged.connection)
		draft_carry(zos->draft, &item->st,
			    (struct draft_place){ object, "tls", draft_get(object, "tls") });
	else
		draft_drop(zos->draft, &item->st, object, "a later line has it again");
}

void zos_rule_account(struct zos *zos, const struct zos_rule *rule, struct draft_object *object,
		      const char *match, const struct zos_kept kept[static ZOS_CONDITIONS])
{
	struct draft *draft = zos->draft;

	draft_carry(draft, &rule->block->head, (struct draft_place){ .object = object });
	for (struct attls_item *item = rule->block->items; item != NULL; item = item->next) {
		enum attls_kind kind = item->block != NULL ? item->block->kind : ATTLS_NONE;
		const char *keyword = item->st.keyword;
		enum zos_condition condition = zos_rule_condition(item);

		if (item->st.naccounts > 0)
			continue;
		if (kind == ATTLS_TIME)
			account_time(zos, item, object, match);
		else if (kind == ATTLS_GROUP || kind == ATTLS_ENVIRONMENT || kind == ATTLS_CONNECTION)
			account_action(zos, rule, item, object);
		else if (item->row == NULL && item->block == NULL)
			draft_decide(draft, &item->st, (struct draft_place){ .object = object }, ZOS_UNKNOWN,
				     "unknown to attlsctl");
		else if (attls_is_condition(item, NULL))
			account_condition(zos, item, object, &kept[condition]);
		else if (item != attls_find(rule->block, keyword))
			draft_drop(draft, &item->st, object, "a later line has it again");
		else if (condition != ZOS_NO_CONDITION)
			account(zos, &item->st, &kept[condition]);
		else if (text_is(keyword, "Priority"))
			account_priority(zos, rule, item, object);
		else
			account_direction(zos, item, object);
	}
}
