/*
 * Keeps the policy under construction as objects with keys, and with each key the accounts
 * of the statements that it came from. This file is the only writer of a draft.
 */
#include "gateway/import/draft.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/import/text.h"

static const char *const section_names[] = {
	[DRAFT_DAEMON] = "daemon",
	[DRAFT_KEYRINGS] = "keyrings",
	[DRAFT_TLS_ACTIONS] = "tls_actions",
	[DRAFT_FTP_ACTIONS] = "ftp_actions",
	[DRAFT_BACKENDS] = "backends",
	[DRAFT_LISTENERS] = "listeners",
	[DRAFT_NAT] = "nat",
	[DRAFT_RULES] = "rules",
	[DRAFT_USERS] = "users",
};

static const char *const fate_names[] = {
	[FATE_CARRIED] = "carried over",
	[FATE_DIFFERS] = "carried over with a difference",
	[FATE_NOTHING] = "without meaning here",
	[FATE_DECIDE] = "needs a decision",
};

const char *draft_section_name(enum draft_section section)
{
	return section_names[section];
}

const char *draft_fate_name(enum fate fate)
{
	return fate_names[fate];
}

struct draft_object *draft_find(const struct draft *draft, enum draft_section section, const char *name)
{
	for (struct draft_object *object = draft->sections[section]; object != NULL; object = object->next)
		if (strcmp(object->name, name) == 0)
			return object;
	return NULL;
}

struct draft_object *draft_object(struct draft *draft, enum draft_section section, const char *name)
{
	struct draft_object *object = draft_find(draft, section, name);
	struct draft_object **last = &draft->sections[section];

	if (object != NULL)
		return object;
	object = text_alloc(&draft->arena, 1, sizeof(*object));
	object->section = section;
	object->name = name;
	while (*last != NULL)
		last = &(*last)->next;
	*last = object;
	return object;
}

const char *draft_free_name(struct draft *draft, enum draft_section section, const char *name)
{
	const char *candidate = name;

	for (unsigned i = 2; draft_find(draft, section, candidate) != NULL; i++)
		candidate = text_format(&draft->arena, "%.*s_%u", 26, name, i);
	return candidate;
}

static struct draft_key *find_key(const struct draft_object *object, const char *name)
{
	for (struct draft_key *key = object->keys; key != NULL; key = key->next)
		if (strcmp(key->name, name) == 0)
			return key;
	return NULL;
}

const char *draft_get(const struct draft_object *object, const char *key)
{
	const struct draft_key *found = find_key(object, key);

	return found != NULL ? found->value : NULL;
}

static struct draft_key *add_key(struct draft *draft, struct draft_object *object, const char *name)
{
	struct draft_key *key = find_key(object, name);
	struct draft_key **last = &object->keys;

	if (key != NULL)
		return key;
	key = text_alloc(&draft->arena, 1, sizeof(*key));
	key->name = name;
	while (*last != NULL)
		last = &(*last)->next;
	*last = key;
	return key;
}

void draft_set(struct draft *draft, struct draft_object *object, const char *key, const char *value)
{
	add_key(draft, object, key)->value = value;
}

static unsigned ask(struct draft *draft, const char *text)
{
	struct draft_question **last = &draft->questions;
	unsigned number = 1;

	for (; *last != NULL; last = &(*last)->next) {
		if (strcmp((*last)->text, text) == 0)
			return (*last)->number;
		number++;
	}
	*last = text_alloc(&draft->arena, 1, sizeof(**last));
	(*last)->text = text;
	(*last)->number = number;
	return number;
}

static const char *became(struct draft *draft, struct draft_place place)
{
	const char *section;

	if (place.object == NULL || place.value == NULL)
		return NULL;
	section = draft_section_name(place.object->section);
	if (place.object->name[0] == '\0')
		return text_format(&draft->arena, "%s.%s: %s", section, place.key, place.value);
	return text_format(&draft->arena, "%s.%s.%s: %s", section, place.object->name, place.key,
			   place.value);
}

static void add(struct draft *draft, struct statement *statement, struct draft_place place,
		const struct account *made)
{
	struct account *account = text_alloc(&draft->arena, 1, sizeof(*account));
	struct draft_key *key = &draft->elsewhere;

	*account = *made;
	account->statement = statement;
	account->became = became(draft, place);
	if (made->question != NULL)
		account->number = ask(draft, made->question);
	if (place.object != NULL) {
		key = add_key(draft, place.object, place.key != NULL ? place.key : "");
		if (place.value != NULL)
			key->value = place.value;
	}
	*(key->last != NULL ? &key->last->next_here : &key->accounts) = account;
	key->last = account;
	*(draft->last != NULL ? &draft->last->next : &draft->accounts) = account;
	draft->last = account;
	statement->naccounts++;
}

__attribute__((format(printf, 2, 0))) static const char *format(struct draft *draft, const char *fmt,
								va_list ap)
{
	char *made = NULL;
	const char *copy;

	if (vasprintf(&made, fmt, ap) < 0)
		return "";
	copy = text_copy(&draft->arena, made, strlen(made));
	free(made);
	return copy;
}

void draft_carry(struct draft *draft, struct statement *statement, struct draft_place place)
{
	const struct account account = { .fate = FATE_CARRIED, .text = "" };

	add(draft, statement, place, &account);
}

void draft_differ(struct draft *draft, struct statement *statement, struct draft_place place, const char *fmt,
		  ...)
{
	struct account account = { .fate = FATE_DIFFERS };
	va_list ap;

	va_start(ap, fmt);
	account.text = format(draft, fmt, ap);
	va_end(ap);
	add(draft, statement, place, &account);
}

void draft_drop(struct draft *draft, struct statement *statement, struct draft_object *near, const char *fmt,
		...)
{
	struct account account = { .fate = FATE_NOTHING };
	va_list ap;

	va_start(ap, fmt);
	account.text = format(draft, fmt, ap);
	va_end(ap);
	add(draft, statement, (struct draft_place){ .object = near }, &account);
}

void draft_decide(struct draft *draft, struct statement *statement, struct draft_place place,
		  const char *question, const char *fmt, ...)
{
	struct account account = { .fate = FATE_DECIDE, .question = question };
	va_list ap;

	va_start(ap, fmt);
	account.text = format(draft, fmt, ap);
	va_end(ap);
	add(draft, statement, place, &account);
}

struct statement *draft_assumed(struct draft *draft, const char *keyword, const char *value)
{
	struct statement *statement = text_alloc(&draft->arena, 1, sizeof(*statement));

	*statement = (struct statement){ .keyword = keyword, .value = value, .where = "" };
	return statement;
}

void draft_done(struct draft *draft)
{
	arena_done(&draft->arena);
	*draft = (struct draft){ 0 };
}
