/*
 * Collects the faults of a policy file and prints them with their source line and
 * a caret. The file is hostile input: whatever it contains, the terminal must not
 * act on it, and the number of stored faults is limited.
 */
#include "policy/diag.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "policy/utf8.h"

/* Of a longer source line, this many characters are shown, this many of them before the caret. */
#define LINE_SHOWN  120
#define LINE_BEFORE 80

/*
 * A policy must not have a PIN in it (pin-value= in a URI of PKCS #11). The message that says so must not
 * show it, nor any other about its line. Stars of the same number keep the columns.
 */
static void hide_pins(char *text, size_t len)
{
	static const char name[] = "pin-value=", ends[] = "&;?\"',]} \t\r\n";
	char *end = text + len, *at = text;

	while ((at = memmem(at, (size_t)(end - at), name, sizeof(name) - 1)) != NULL)
		for (at += sizeof(name) - 1; at < end && strchr(ends, *at) == NULL;
		     at++) /* a NUL ends it, too */
			*at = '*';
}

int diags_init(struct diags *diags, const char *file, const char *source, size_t len)
{
	*diags = (struct diags){ .source_len = len };
	diags->file = strdup(file);
	diags->source = malloc(len + 1);
	if (diags->file == NULL || diags->source == NULL) {
		diags_done(diags);
		return -ENOMEM;
	}
	if (len > 0)
		memcpy(diags->source, source, len);
	diags->source[len] = '\0';
	hide_pins(diags->source, len);
	return 0;
}

void diags_done(struct diags *diags)
{
	for (size_t i = 0; i < diags->nitems; i++) {
		free(diags->items[i].message);
		free(diags->items[i].fix);
		free(diags->items[i].other.file);
		free(diags->items[i].other.message);
	}
	free(diags->items);
	free(diags->source);
	free(diags->file);
	free(diags->own.source);
	free(diags->own.file);
	*diags = (struct diags){ 0 };
}

int diags_add_own(struct diags *diags, const char *file, const char *source, size_t len)
{
	diags->own.file = strdup(file);
	diags->own.source = malloc(len + 1);
	if (diags->own.file == NULL || diags->own.source == NULL)
		return -ENOMEM; /* diags_done() frees the other one */
	if (len > 0)
		memcpy(diags->own.source, source, len);
	diags->own.source[len] = '\0';
	hide_pins(diags->own.source, len);
	diags->own.len = len;
	return 0;
}

static bool is_own(const struct diags *diags, struct diag_mark mark)
{
	return mark.file == DIAG_OWN && diags->own.source != NULL;
}

const char *diags_file(const struct diags *diags, struct diag_mark mark)
{
	return is_own(diags, mark) ? diags->own.file : diags->file;
}

const char *diags_source(const struct diags *diags, struct diag_mark mark, size_t *ret_len)
{
	*ret_len = is_own(diags, mark) ? diags->own.len : diags->source_len;
	return is_own(diags, mark) ? diags->own.source : diags->source;
}

void diags_add(struct diags *diags, enum diag_level level, enum diag_code code, struct diag_mark mark,
	       const char *fmt, ...)
{
	struct diag item = { .level = level, .code = code, .mark = mark };
	struct diag *items;
	va_list ap;
	int r;

	assert(code != DIAG_NO_CODE);
	if (diags->reading != 0)
		item.mark.file = diags->reading;
	diags->kept = false;
	/* Counted first: when memory runs out, a fault may lose its text but not its effect. */
	if (level == DIAG_ERROR)
		diags->nerrors++;
	if (diags->nitems >= DIAGS_MAX)
		return;
	items = realloc(diags->items, (diags->nitems + 1) * sizeof(*items));
	if (items == NULL)
		return;
	diags->items = items;
	va_start(ap, fmt);
	r = vasprintf(&item.message, fmt, ap);
	va_end(ap);
	if (r < 0)
		return;
	hide_pins(item.message, strlen(item.message));
	items[diags->nitems++] = item;
	diags->kept = true;
}

void diags_see(struct diags *diags, const char *file, struct diag_mark mark, const char *fmt, ...)
{
	struct diag_place other = { .mark = mark };
	va_list ap;
	int r;

	if (!diags->kept || (file == NULL && mark.line == 0))
		return;
	assert(diags->items[diags->nitems - 1].other.message == NULL);
	if (file != NULL && (other.file = strdup(file)) == NULL)
		return;
	va_start(ap, fmt);
	r = vasprintf(&other.message, fmt, ap);
	va_end(ap);
	if (r < 0) {
		free(other.file);
		return;
	}
	hide_pins(other.message, strlen(other.message));
	diags->items[diags->nitems - 1].other = other;
}

void diags_fix(struct diags *diags, const char *text)
{
	if (diags->kept && diags->items[diags->nitems - 1].fix == NULL)
		diags->items[diags->nitems - 1].fix = strdup(text);
}

/* Copy text to out, with '?' for each character that a terminal might act on. */
static void print_safe(FILE *out, const char *text, size_t len, size_t max_chars)
{
	size_t at = 0;

	for (size_t chars = 0; at < len && chars < max_chars; chars++) {
		uint32_t rune;
		size_t n = utf8_decode(text + at, len - at, &rune);

		if (rune == '\t' || utf8_is_printable(rune))
			(void)fwrite(text + at, 1, n, out);
		else
			(void)fputc('?', out);
		at += n;
	}
}

/* Find a line by its number, from 1. */
static bool find_line(const struct diags *diags, struct diag_mark mark, const char **ret_start,
		      size_t *ret_len)
{
	size_t source_len;
	const char *at = diags_source(diags, mark, &source_len);
	const char *end = at + source_len;

	for (uint32_t i = 1;; i++) {
		const char *start = at;
		size_t gap = 0;

		while (at < end && (gap = utf8_line_break(at, (size_t)(end - at))) == 0)
			at++;
		if (i == mark.line) {
			*ret_start = start;
			*ret_len = (size_t)(at - start);
			return true;
		}
		if (at == end)
			return false;
		at += gap;
	}
}

static void print_source(const struct diags *diags, struct diag_mark mark, FILE *out)
{
	size_t before = mark.column > 0 ? mark.column - 1 : 0; /* characters left of the caret */
	size_t skip = before > LINE_BEFORE ? before - LINE_BEFORE : 0;
	const char *text;
	size_t len;

	if (mark.line == 0 || !find_line(diags, mark, &text, &len))
		return;
	if (mark.line == 1 && len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3; /* a byte order mark is not a character of the line */
		len -= 3;
	}
	for (size_t i = 0; i < skip && len > 0; i++) {
		uint32_t rune;
		size_t n = utf8_decode(text, len, &rune);

		text += n;
		len -= n;
	}
	(void)fputs("    ", out);
	print_safe(out, text, len, LINE_SHOWN);
	(void)fputs("\n    ", out);
	for (size_t i = skip; i < before; i++) {
		uint32_t rune = ' ';

		if (len > 0) {
			size_t n = utf8_decode(text, len, &rune);

			text += n;
			len -= n;
		}
		(void)fputc(rune == '\t' ? '\t' : ' ', out);
	}
	(void)fputs("^\n", out);
}

/* By mark; faults with the same mark stay in the order in which they were found. */
static int compare_items(const void *a, const void *b)
{
	const struct diag *const *pa = a;
	const struct diag *const *pb = b;
	const struct diag *x = *pa;
	const struct diag *y = *pb;

	if (x->mark.file != y->mark.file)
		return x->mark.file < y->mark.file ? -1 : 1;
	if (x->mark.line != y->mark.line)
		return x->mark.line < y->mark.line ? -1 : 1;
	if (x->mark.column != y->mark.column)
		return x->mark.column < y->mark.column ? -1 : 1;
	return x < y ? -1 : x > y;
}

static bool same_mark(struct diag_mark a, struct diag_mark b)
{
	return a.file == b.file && a.line == b.line && a.column == b.column;
}

const char *diag_level_name(enum diag_level level)
{
	switch (level) {
	case DIAG_ERROR:
		return "error";
	case DIAG_WARNING:
		return "warning";
	case DIAG_NOTE:
		return "note";
	}
	return "";
}

const char *diag_code_name(enum diag_code code)
{
	static const char *const names[] = {
#define DIAG_CODE(id, name, meaning) [DIAG_##id] = name,
#include "policy/diag-codes.def"
#undef DIAG_CODE
	};

	return names[code];
}

size_t diags_sort(const struct diags *diags, bool notes, const struct diag *order[static DIAGS_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < diags->nitems; i++)
		if ((diags->items[i].level == DIAG_NOTE) == notes)
			order[n++] = &diags->items[i];
	qsort(order, n, sizeof(const struct diag *), compare_items);
	return n;
}

char *diag_safe_text(const char *text)
{
	char *safe = NULL;
	size_t size;
	FILE *out = open_memstream(&safe, &size);

	if (out == NULL)
		return NULL;
	print_safe(out, text, strlen(text), SIZE_MAX);
	if (fclose(out) == 0)
		return safe;
	free(safe);
	return NULL;
}

static void print_some(const struct diags *diags, bool notes, FILE *out)
{
	const struct diag *order[DIAGS_MAX];
	size_t n = diags_sort(diags, notes, order);

	for (size_t i = 0; i < n; i++) {
		const struct diag *item = order[i];

		(void)fputs(diags_file(diags, item->mark), out);
		if (item->mark.line > 0)
			(void)fprintf(out, ":%u:%u", item->mark.line, item->mark.column);
		(void)fputs(": ", out);
		if (item->level != DIAG_ERROR)
			(void)fprintf(out, "%s: ", diag_level_name(item->level));
		print_safe(out, item->message, strlen(item->message), SIZE_MAX);
		(void)fputc('\n', out);
		/* several faults at one mark: show the line once */
		if (i + 1 == n || !same_mark(item->mark, order[i + 1]->mark))
			print_source(diags, item->mark, out);
	}
}

void diags_print(const struct diags *diags, FILE *out)
{
	print_some(diags, false, out);
}

void diags_print_notes(const struct diags *diags, FILE *out)
{
	print_some(diags, true, out);
}
