/*
 * Prints the accounts of a draft as a table in Markdown, or as JSON. Passwords are in
 * neither.
 */
#include "gateway/import/write-report.h"

#include <jansson.h>
#include <string.h>

#include "gateway/import/text.h"
#include "gateway/view/json-print.h"

/* A cell of a table: Markdown must not take its text for anything else. */
static const char *cell(struct draft *draft, const char *text)
{
	const char *safe = text_safe(&draft->arena, text);
	char *made = text_alloc(&draft->arena, 2 * strlen(safe) + 1, 1);
	char *to = made;

	for (; *safe != '\0'; safe++) {
		if (strchr("\\|*_`<>[]#&", *safe) != NULL)
			*to++ = '\\';
		*to++ = *safe;
	}
	return made;
}

static const char *value_of(const struct statement *st)
{
	return st->secret && st->value[0] != '\0' ? "(not shown)" : st->value;
}

static const char *place_of(struct draft *draft, const struct statement *st)
{
	if (st->source == NULL)
		return "(not in the files)";
	if (st->last_line > st->mark.line)
		return text_format(&draft->arena, "%s:%u-%u", st->source->diags.file, st->mark.line,
				   st->last_line);
	return text_format(&draft->arena, "%s:%u", st->source->diags.file, st->mark.line);
}

static void print_row(struct draft *draft, const struct account *account, FILE *out)
{
	const struct statement *st = account->statement;

	(void)fprintf(out, "| %s |", cell(draft, place_of(draft, st)));
	(void)fprintf(out, " %s |", cell(draft, st->where));
	(void)fprintf(out, " %s |", cell(draft, st->keyword));
	(void)fprintf(out, " %s |", cell(draft, value_of(st)));
	(void)fprintf(out, " %s |", draft_fate_name(account->fate));
	(void)fprintf(out, " %s |", account->became != NULL ? cell(draft, account->became) : "");
	(void)fprintf(out, " %s", cell(draft, account->text));
	if (account->number > 0)
		(void)fprintf(out, "%squestion %u", account->text[0] != '\0' ? "; " : "", account->number);
	(void)fputs(" |\n", out);
}

void write_report(struct draft *draft, const char *from, FILE *out)
{
	size_t counts[FATE_COUNT] = { 0 };

	for (const struct account *one = draft->accounts; one != NULL; one = one->next)
		counts[one->fate]++;
	(void)fprintf(out, "# What attlsctl import made of each statement\n\n```\n%s```\n\n", from);
	for (int i = FATE_CARRIED; i < FATE_COUNT; i++)
		(void)fprintf(out, "* %s: %zu\n", draft_fate_name((enum fate)i), counts[i]);
	(void)fputs("\n## Questions\n\n", out);
	if (draft->questions == NULL)
		(void)fputs("None.\n", out);
	for (const struct draft_question *one = draft->questions; one != NULL; one = one->next)
		(void)fprintf(out, "%u. %s\n", one->number, cell(draft, one->text));
	(void)fputs(
	    "\n## Statements\n\n"
	    "| Place | In | Statement | Value | What becomes of it | In the policy | What attlsd does |\n"
	    "|---|---|---|---|---|---|---|\n",
	    out);
	for (const struct account *one = draft->accounts; one != NULL; one = one->next)
		print_row(draft, one, out);
}

static json_t *string_or_null(struct draft *draft, const char *text)
{
	return text != NULL && text[0] != '\0' ? json_string(text_safe(&draft->arena, text)) : json_null();
}

static json_t *row_to_json(struct draft *draft, const struct account *account)
{
	const struct statement *st = account->statement;

	return json_pack("{s:o,s:i,s:i,s:o,s:o,s:o,s:s,s:o,s:o,s:o}", "file",
			 string_or_null(draft, st->source != NULL ? st->source->diags.file : NULL), "line",
			 (int)st->mark.line, "column", (int)st->mark.column, "in",
			 string_or_null(draft, st->where), "statement", string_or_null(draft, st->keyword),
			 "value", string_or_null(draft, value_of(st)), "fate", draft_fate_name(account->fate),
			 "became", string_or_null(draft, account->became), "text",
			 string_or_null(draft, account->text), "question",
			 account->number > 0 ? json_integer(account->number) : json_null());
}

int write_report_json(struct draft *draft, FILE *out)
{
	json_t *questions = json_array();
	json_t *rows = json_array();

	for (const struct draft_question *one = draft->questions; one != NULL; one = one->next)
		(void)json_array_append_new(questions,
					    json_pack("{s:i,s:s}", "number", (int)one->number, "question",
						      text_safe(&draft->arena, one->text)));
	for (const struct account *one = draft->accounts; one != NULL; one = one->next)
		(void)json_array_append_new(rows, row_to_json(draft, one));
	return json_print(json_pack("{s:o,s:o}", "questions", questions, "statements", rows), out);
}
