/*
 * Writes each counter that is not 0 as a row of places in a list of texts, and finds the cells of
 * such rows. The writer is root's monitor, but of another version.
 */
#include "gateway/monitor/counts-passed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/util.h"

#define TEXTS_MAX 16384
/* The most that one row takes: its family, its labels, and the second part of a name. */
#define TEXTS_A_ROW  (COUNT_LABELS_MAX + 2)
#define ROWS_INITIAL 1024

_Static_assert(NELEM(((struct handover_count *)0)->labels) == COUNT_LABELS_MAX, "all labels fit");

struct counts_passed {
	struct handover_text texts[TEXTS_MAX]; /* the first is "" */
	size_t ntexts;
	struct handover_count *rows;
	size_t n, cap;
	/* where a text is, 0: it has no place yet */
	uint16_t families[COUNT_FAMILIES];
	uint16_t values[COUNT_LABELS][COUNT_TABLE_OTHER + 1];
	uint16_t names[COUNT_KINDS][COUNT_NAMES][2];
	int error;
};

struct counts_passed *counts_passed_new(void)
{
	struct counts_passed *counts = calloc(1, sizeof(*counts));

	if (counts != NULL)
		counts->ntexts = 1;
	return counts;
}

static uint16_t place_of(struct counts_passed *counts, uint16_t *known, const char *text)
{
	if (*known != 0 || text == NULL || text[0] == '\0')
		return *known;
	if (counts->ntexts == TEXTS_MAX) {
		counts->error = -EMSGSIZE;
		return 0;
	}
	*known = (uint16_t)counts->ntexts++;
	(void)strncpy(counts->texts[*known].text, text, sizeof(counts->texts[0].text) - 1);
	return *known;
}

/* A value of a label, or a name, whose place of all others has no text. */
static void put_label(struct counts_passed *counts, struct handover_count *row, size_t i,
		      enum count_label label, size_t value, const struct totals *totals)
{
	enum count_kind kind;

	if (!count_is_names(label, &kind)) {
		row->labels[i] =
		    place_of(counts, &counts->values[label][value], count_value_text(label, value));
		return;
	}
	if (value >= totals->names[kind].n)
		return;
	row->labels[i] =
	    place_of(counts, &counts->names[kind][value][0], totals->names[kind].items[value].first);
	row->second =
	    place_of(counts, &counts->names[kind][value][1], totals->names[kind].items[value].second);
}

static struct handover_count *new_row(struct counts_passed *counts, size_t family, int32_t process,
				      uint64_t value)
{
	if (counts->n == counts->cap) {
		size_t cap = counts->cap == 0 ? ROWS_INITIAL : counts->cap * 2;
		struct handover_count *rows = realloc(counts->rows, cap * sizeof(*rows));

		if (rows == NULL) {
			counts->error = -ENOMEM;
			return NULL;
		}
		counts->rows = rows;
		counts->cap = cap;
	}
	counts->rows[counts->n] = (struct handover_count){
		.process = process,
		.value = value,
		.family = place_of(counts, &counts->families[family], count_families[family].name),
	};
	return &counts->rows[counts->n++];
}

/* How many cells of a family belong to one combination of labels: those of a histogram. */
static size_t cells_of(const struct count_family_info *family)
{
	return family->type == COUNT_TYPE_HISTOGRAM ? family->nbounds + 2 : 1;
}

static void add_cell(struct counts_passed *counts, size_t i, size_t offset, uint64_t value,
		     const struct totals *totals, int32_t process)
{
	const struct count_family_info *family = &count_families[i];
	struct handover_count *row = new_row(counts, i, process, value);
	size_t index = offset / cells_of(family);

	if (row == NULL)
		return;
	row->bucket = (uint16_t)(offset % cells_of(family));
	row->buckets = (uint16_t)cells_of(family);
	for (size_t label = COUNT_LABELS_MAX; label > 0; label--) {
		size_t n = count_values(family->labels[label - 1]);

		if (family->labels[label - 1] != COUNT_LABEL_NONE)
			put_label(counts, row, label - 1, family->labels[label - 1], index % n, totals);
		index /= n;
	}
}

static void add_sparse(struct counts_passed *counts, const struct counters *page, size_t i, int32_t process)
{
	uint8_t values[COUNT_LABELS_MAX];
	size_t cell;

	for (size_t place = 0; place < COUNT_PLACES; place++) {
		struct handover_count *row;

		if (!count_sparse_place(page, (enum count_family)i, place, values, &cell) ||
		    count_read(page, cell) == 0)
			continue;
		row = new_row(counts, i, process, count_read(page, cell));
		for (size_t label = 0; row != NULL && label < COUNT_LABELS_MAX; label++)
			if (count_families[i].labels[label] != COUNT_LABEL_NONE && place < COUNT_PLACES - 1)
				put_label(counts, row, label, count_families[i].labels[label], values[label],
					  NULL);
	}
}

void counts_passed_add(struct counts_passed *counts, const struct counters *page, const struct totals *totals,
		       int32_t process)
{
	for (size_t i = 0; i < COUNT_FAMILIES && counts->error == 0; i++) {
		const struct count_family_info *family = &count_families[i];

		if (family->type == COUNT_TYPE_SPARSE)
			add_sparse(counts, page, i, process);
		else if (totals_only_grows(family->type))
			for (size_t offset = 0; offset < family->cells; offset++)
				if (count_read(page, family->at + offset) > 0)
					add_cell(counts, i, offset, count_read(page, family->at + offset),
						 totals, process);
	}
}

void counts_passed_write(struct counts_passed **counts, struct handover_writer *writer)
{
	if (*counts == NULL)
		return;
	if ((*counts)->error < 0 && writer->error == 0)
		writer->error = (*counts)->error;
	handover_write(writer, HANDOVER_TEXTS, (*counts)->texts, sizeof((*counts)->texts[0]),
		       (*counts)->ntexts);
	handover_write(writer, HANDOVER_COUNTS, (*counts)->rows, sizeof((*counts)->rows[0]), (*counts)->n);
	free((*counts)->rows);
	free(*counts);
	*counts = NULL;
}

/* --- the reader --- */

struct passed {
	struct handover_text *texts;
	size_t ntexts;
	struct totals *totals;
};

static const char *text_at(const struct passed *passed, uint16_t place)
{
	return place < passed->ntexts ? passed->texts[place].text : "";
}

static const struct count_family_info *find_family(const char *name)
{
	for (size_t i = 0; i < COUNT_FAMILIES; i++)
		if (strncmp(count_families[i].name, name, sizeof(((struct handover_text *)0)->text) - 1) == 0)
			return &count_families[i];
	return NULL;
}

/* What a value is called here; one that this attlsd does not know becomes the last, if that is for others. */
static bool find_value(enum count_label label, const char *text, size_t *ret_value)
{
	size_t n = count_values(label);
	const char *last = count_value_text(label, n - 1);

	for (size_t i = 0; i < n; i++) {
		const char *here = count_value_text(label, i);

		if (here == NULL || strncmp(here, text, sizeof(((struct handover_text *)0)->text) - 1) != 0)
			continue;
		*ret_value = n - 1 == COUNT_TABLE_OTHER && strcmp(here, "other") == 0 ? COUNT_TABLE_OTHER : i;
		return true;
	}
	*ret_value = n - 1;
	return last != NULL && strcmp(last, "other") == 0;
}

static bool find_label(const struct passed *passed, const struct handover_count *row, size_t i,
		       enum count_label label, size_t *ret_value)
{
	const char *text = text_at(passed, row->labels[i]);
	enum count_kind kind;

	*ret_value = 0;
	if (label == COUNT_LABEL_NONE)
		return true;
	if (!count_is_names(label, &kind))
		return find_value(label, text, ret_value);
	*ret_value = text[0] == '\0' ? COUNT_NAMES_OTHER
				     : totals_place(passed->totals, kind, text, text_at(passed, row->second));
	return true;
}

/* Returns false if there is none here. */
static bool find_cell(const struct passed *passed, const struct handover_count *row, struct counters *page,
		      size_t *ret_cell)
{
	const struct count_family_info *family = find_family(text_at(passed, row->family));
	uint8_t values[COUNT_LABELS_MAX];
	size_t index = 0;

	if (family == NULL || !(totals_only_grows(family->type)))
		return false;
	if (family->type != COUNT_TYPE_SPARSE &&
	    (row->buckets != cells_of(family) || row->bucket >= row->buckets))
		return false;
	if (family->type == COUNT_TYPE_SPARSE && row->labels[0] == 0) { /* all others */
		*ret_cell = family->at + family->cells - 1;
		return true;
	}
	for (size_t i = 0; i < COUNT_LABELS_MAX; i++) {
		size_t value;

		if (!find_label(passed, row, i, family->labels[i], &value))
			return false;
		values[i] = (uint8_t)value;
		index = index * count_values(family->labels[i]) + value;
	}
	*ret_cell = family->type == COUNT_TYPE_SPARSE
			? count_sparse_cell(page, (enum count_family)(family - count_families), values)
			: family->at + index * cells_of(family) + row->bucket;
	return true;
}

void counts_passed_read(const struct handover_reader *reader, int32_t process, struct totals *totals,
			struct counters *page)
{
	size_t n = handover_count(reader, HANDOVER_COUNTS);
	struct passed passed = { .ntexts = handover_count(reader, HANDOVER_TEXTS), .totals = totals };
	struct handover_count *rows = calloc(n + 1, sizeof(*rows));
	struct counters *sum = calloc(1, sizeof(*sum));

	passed.texts = calloc(passed.ntexts + 1, sizeof(*passed.texts));
	if (rows != NULL && sum != NULL && passed.texts != NULL) {
		n = handover_read(reader, HANDOVER_COUNTS, rows, sizeof(*rows), n);
		passed.ntexts =
		    handover_read(reader, HANDOVER_TEXTS, passed.texts, sizeof(*passed.texts), passed.ntexts);
		for (size_t i = 0; i < passed.ntexts; i++)
			passed.texts[i].text[sizeof(passed.texts[i].text) - 1] = '\0';
		for (size_t i = 0; i < n; i++) {
			size_t cell;

			/* two values that this attlsd does not know have one place here */
			if (rows[i].process == process && find_cell(&passed, &rows[i], sum, &cell))
				totals_add_cell(sum, cell, rows[i].value);
		}
		totals_lift(page, sum);
	}
	free(rows);
	free(sum);
	free(passed.texts);
}
