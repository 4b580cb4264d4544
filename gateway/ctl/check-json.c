/*
 * Prints the faults of a policy for programs, in the form in which language servers tell editors:
 * a document for the policy, and one for each other file in which the cause of a fault is, such as
 * a certificate. It has the same faults in the same order as the text that people read.
 */
#include "gateway/ctl/check-json.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "gateway/ctl/check-range.h"
#include "gateway/ctl/file-uri.h"

#define SOURCE "attlsd"

/* What JSON needs of a message; the text of a fault may quote a path in any encoding. */
static json_t *text_of(const char *text)
{
	char *safe = diag_safe_text(text);
	json_t *json = safe == NULL ? NULL : json_string(safe);

	free(safe);
	return json;
}

static json_t *uri_of(const char *path)
{
	char *uri = file_uri(path);
	json_t *json = uri == NULL ? NULL : json_string(uri);

	free(uri);
	return json;
}

static json_t *position(struct check_position at)
{
	return json_pack("{s:i,s:i}", "line", (int)at.line, "character", (int)at.character);
}

/* Another file is not read for this: it may be a private key or a password. */
static json_t *range_of(const struct diags *diags, const char *file, struct diag_mark mark)
{
	struct check_range range = { { 0, 0 }, { 0, 0 } };

	size_t len;
	const char *source = diags_source(diags, mark, &len);

	if (file == NULL)
		range = check_range_of(source, len, mark);
	else if (mark.line > 0)
		range.start = range.end = (struct check_position){ mark.line - 1, mark.column - 1 };
	return json_pack("{s:o,s:o}", "start", position(range.start), "end", position(range.end));
}

static int severity(enum diag_level level)
{
	switch (level) {
	case DIAG_ERROR:
		return 1;
	case DIAG_WARNING:
		return 2;
	case DIAG_NOTE:
		return 3;
	}
	return 1;
}

/* A list with one DiagnosticRelatedInformation. */
static json_t *related(const struct diags *diags, const char *file, struct diag_mark mark,
		       const char *message)
{
	return json_pack("[{s:{s:o,s:o},s:o}]", "location", "uri",
			 uri_of(file != NULL ? file : diags_file(diags, mark)), "range",
			 range_of(diags, file, mark), "message", text_of(message));
}

/* NULL: no memory. */
static json_t *diagnostic(const struct diags *diags, const struct diag *item, const char *file)
{
	const struct diag_place *other = &item->other;
	json_t *json =
	    json_pack("{s:o,s:i,s:s,s:s,s:o}", "range",
		      file == NULL ? range_of(diags, NULL, item->mark) : range_of(diags, file, other->mark),
		      "severity", severity(item->level), "code", diag_code_name(item->code), "source", SOURCE,
		      "message", text_of(item->message));
	int r = 0;

	if (json != NULL && file != NULL)
		r = json_object_set_new(json, "relatedInformation",
					related(diags, NULL, item->mark, "the policy names it here"));
	else if (json != NULL && other->message != NULL)
		r = json_object_set_new(json, "relatedInformation",
					related(diags, other->file, other->mark, other->message));
	if (r == 0 && json != NULL && file == NULL && item->fix != NULL)
		r = json_object_set_new(json, "data",
					json_pack("{s:{s:o,s:s}}", "edit", "range",
						  range_of(diags, NULL, item->mark), "newText", item->fix));
	if (r != 0) {
		json_decref(json);
		return NULL;
	}
	return json;
}

/* Faults that were found after there was no room for more. NULL: no memory. */
static json_t *more(const struct diags *diags, size_t n)
{
	struct diag item = { .level = DIAG_ERROR, .code = DIAG_MORE_ERRORS };
	char text[64];

	(void)snprintf(text, sizeof(text), "%zu more error%s not shown", n, n == 1 ? " is" : "s are");
	item.message = text;
	return diagnostic(diags, &item, NULL);
}

/* file: only what has its cause there; NULL: everything. */
static int print_file(const struct diags *diags, const struct diag *const *items, size_t n, size_t unseen,
		      const char *file, FILE *out)
{
	/* the faults in the file of this node are about their own places */
	bool own = file != NULL && file == diags->own.file;
	const char *other = own ? NULL : file;
	json_t *list = json_array();
	json_t *document =
	    json_pack("{s:o,s:o}", "uri", uri_of(file != NULL ? file : diags->file), "diagnostics", list);
	int r = document == NULL ? -1 : 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		if (other == NULL ? file == NULL ? items[i]->mark.file == 0 : items[i]->mark.file != 0
				  : (items[i]->other.file != NULL && strcmp(items[i]->other.file, file) == 0))
			r = json_array_append_new(list, diagnostic(diags, items[i], other));
	if (r == 0 && file == NULL && unseen > 0)
		r = json_array_append_new(list, more(diags, unseen));
	if (r == 0)
		r = json_dumpf(document, out, JSON_COMPACT);
	json_decref(document);
	return r == 0 && fputc('\n', out) != EOF ? 0 : -1;
}

/* A document about a folder, or a file that is not there, would help nobody. */
static bool is_first(const struct diag *const *items, size_t at)
{
	const char *file = items[at]->other.file;
	struct stat st;

	if (file == NULL || stat(file, &st) == -1 || !S_ISREG(st.st_mode))
		return false;
	for (size_t i = 0; i < at; i++)
		if (items[i]->other.file != NULL && strcmp(items[i]->other.file, file) == 0)
			return false;
	return true;
}

int check_json_print(const struct diags *diags, bool notes, FILE *out)
{
	const struct diag *items[2 * DIAGS_MAX];
	size_t n = diags_sort(diags, false, items);
	size_t unseen = diags->nerrors;
	int r;

	if (notes)
		n += diags_sort(diags, true, items + n);
	for (size_t i = 0; i < n; i++)
		unseen -= items[i]->level == DIAG_ERROR;
	r = print_file(diags, items, n, unseen, NULL, out);
	if (r == 0 && diags->own.file != NULL)
		r = print_file(diags, items, n, 0, diags->own.file, out);
	for (size_t i = 0; r == 0 && i < n; i++)
		if (is_first(items, i))
			r = print_file(diags, items, n, 0, items[i]->other.file, out);
	return r;
}
