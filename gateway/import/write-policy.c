/*
 * Prints a draft as YAML. The questions come first, then the objects in the order in
 * which a policy has its sections. Comments have only characters that YAML takes for text.
 */
#include "gateway/import/write-policy.h"

#include <string.h>

#include "gateway/import/text.h"

#define WIDTH	      110
#define INDENT_KEY    4
#define INDENT_NAME   2
#define INDENT_TOP    0
#define PLACES_MAX    300 /* characters of the places of a question */
#define STATEMENT_MAX 200 /* characters of a statement in a comment */

/* A comment of as many lines as it needs. Later lines are set in. */
static void comment(FILE *out, int indent, const char *text)
{
	size_t room = (size_t)(WIDTH - indent - 2);
	const char *set_in = "";

	do {
		size_t n = strlen(text);

		if (n > room) {
			for (n = room; n > 0 && text[n] != ' ';)
				n--;
			if (n == 0) /* one long word */
				n = room + strcspn(text + room, " ");
		}
		(void)fprintf(out, "%*s# %s%.*s\n", indent, "", set_in, (int)n, text);
		set_in = "  ";
		text += n;
		text += strspn(text, " ");
	} while (text[0] != '\0');
}

const char *write_statement(struct draft *draft, const struct statement *st)
{
	struct arena *arena = &draft->arena;
	const char *value = st->secret && st->value[0] != '\0' ? "(not shown)" : st->value;
	const char *text = text_safe(arena, text_format(arena, "%s%s%.*s", st->keyword,
							value[0] != '\0' ? " " : "", STATEMENT_MAX, value));

	if (st->source == NULL)
		return text;
	if (st->last_line > st->mark.line)
		return text_format(arena, "%s:%u-%u: %s", text_safe(arena, st->source->diags.file),
				   st->mark.line, st->last_line, text);
	return text_format(arena, "%s:%u: %s", text_safe(arena, st->source->diags.file), st->mark.line, text);
}

static void print_account(struct draft *draft, const struct account *account, int indent, FILE *out)
{
	static const char *const says[FATE_COUNT] = {
		[FATE_CARRIED] = "",
		[FATE_DIFFERS] = " - differs: ",
		[FATE_NOTHING] = " - without meaning here: ",
		[FATE_DECIDE] = " - needs a decision",
	};
	struct arena *arena = &draft->arena;
	const char *text = text_safe(arena, account->text);
	const char *number =
	    account->number > 0 ? text_format(arena, " (question %u): ", account->number) : "";

	comment(out, indent,
		text_format(arena, "%s%s%s%s", write_statement(draft, account->statement),
			    says[account->fate], number, text));
}

static void print_accounts(struct draft *draft, const struct account *accounts, int indent, FILE *out)
{
	for (const struct account *one = accounts; one != NULL; one = one->next_here)
		print_account(draft, one, indent, out);
}

static void print_object(struct draft *draft, const struct draft_object *object, FILE *out)
{
	bool named = object->name[0] != '\0';
	int indent = named ? INDENT_KEY : INDENT_NAME;
	bool empty = true;

	for (const struct draft_key *key = object->keys; key != NULL; key = key->next)
		empty = empty && key->value == NULL;
	if (named)
		(void)fprintf(out, "%*s%s:%s\n", INDENT_NAME, "", text_yaml(&draft->arena, object->name),
			      empty ? " {}" : "");
	for (int values = 1; values >= 0; values--)
		for (const struct draft_key *key = object->keys; key != NULL; key = key->next) {
			if ((key->value != NULL) != (values == 1))
				continue;
			print_accounts(draft, key->accounts, indent, out);
			if (key->value != NULL)
				(void)fprintf(out, "%*s%s: %s\n", indent, "", key->name, key->value);
		}
}

static const char *place_of(struct draft *draft, const struct statement *st)
{
	if (st->source == NULL)
		return st->keyword;
	return text_format(&draft->arena, "%s:%u", text_safe(&draft->arena, st->source->diags.file),
			   st->mark.line);
}

/* Several accounts may have one place: rules share a key ring, for example. */
static bool has_place(const char *places, const char *place)
{
	size_t len = strlen(place);

	for (const char *at = strstr(places, place); at != NULL; at = strstr(at + 1, place))
		if ((at == places || at[-1] == ' ') && (at[len] == '\0' || at[len] == ','))
			return true;
	return false;
}

static void print_questions(struct draft *draft, FILE *out)
{
	struct arena *arena = &draft->arena;

	if (draft->questions == NULL) {
		comment(out, INDENT_TOP, "Nothing is left to decide.");
		return;
	}
	comment(out, INDENT_TOP, "Decide before this policy goes into force:");
	for (const struct draft_question *one = draft->questions; one != NULL; one = one->next) {
		const char *places = "";
		unsigned more = 0;

		for (const struct account *account = draft->accounts; account != NULL;
		     account = account->next) {
			const char *place;

			if (account->number != one->number)
				continue;
			place = place_of(draft, account->statement);
			if (has_place(places, place))
				continue;
			if (strlen(places) > PLACES_MAX)
				more++;
			else
				places = text_join(arena, places, ", ", place);
		}
		if (more > 0)
			places = text_format(arena, "%s and %u more", places, more);
		comment(out, INDENT_TOP,
			text_format(arena, "  %u. %s%s%s%s", one->number, text_safe(arena, one->text),
				    places[0] != '\0' ? " [" : "", places, places[0] != '\0' ? "]" : ""));
	}
}

static void print_server_changes(const struct draft *draft, FILE *out)
{
	const char *line = draft->server_changes;

	if (line == NULL)
		return;
	(void)fprintf(out, "#\n# Set in %s:\n", draft->server_file);
	while (*line != '\0') {
		size_t n = strcspn(line, "\n");

		(void)fprintf(out, "#:  %.*s\n", (int)n, line);
		line += n + (line[n] != '\0');
	}
}

void write_policy(struct draft *draft, const char *from, FILE *out)
{
	(void)fprintf(out, "# A policy for attlsd, made by attlsctl import from\n%s#\n", from);
	(void)fputs("# A comment above a key names each statement that it comes from.\n#\n", out);
	print_questions(draft, out);
	print_server_changes(draft, out);
	(void)fputs("version: 1\n", out);
	for (int i = 0; i < DRAFT_SECTIONS; i++) {
		if (draft->sections[i] == NULL)
			continue;
		(void)fprintf(out, "\n%s:\n", draft_section_name((enum draft_section)i));
		for (const struct draft_object *object = draft->sections[i]; object != NULL;
		     object = object->next)
			print_object(draft, object, out);
	}
	if (draft->elsewhere.accounts != NULL)
		(void)fputs("\n# Statements that belong to none of these:\n", out);
	print_accounts(draft, draft->elsewhere.accounts, INDENT_TOP, out);
}
