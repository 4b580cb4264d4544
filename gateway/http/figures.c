/*
 * Walks through the values of a family of counters, and puts the texts of their labels
 * beside them. Families are found by name, since the tables of counters.def grow.
 */
#include "gateway/http/figures.h"

#include <string.h>

static const struct count_family_info *find(const char *name)
{
	for (size_t i = 0; i < COUNT_FAMILIES; i++)
		if (strcmp(count_families[i].name, name) == 0)
			return &count_families[i];
	return NULL;
}

static const char *text_of(const struct metrics *metrics, enum count_label label, size_t value,
			   const char **ret_second)
{
	enum count_kind kind;
	const char *text;

	if (!count_is_names(label, &kind)) {
		text = count_value_text(label, value);
		return text != NULL ? text : "other";
	}
	if (value >= COUNT_NAMES_OTHER)
		return "other";
	*ret_second = metrics->names[kind][value].second;
	return metrics->names[kind][value].first;
}

static void tell(const struct metrics *metrics, const struct count_family_info *family, const size_t *values,
		 uint64_t value, figure_fn *fn, void *context)
{
	struct figure figure = { .second = "", .value = value };

	for (size_t i = 0; i < COUNT_LABELS_MAX && family->labels[i] != COUNT_LABEL_NONE; i++)
		figure.labels[i] = text_of(metrics, family->labels[i], values[i], &figure.second);
	fn(context, &figure);
}

static void each_place(const struct metrics *metrics, const struct count_family_info *family, figure_fn *fn,
		       void *context)
{
	enum count_family number = (enum count_family)(family - count_families);

	for (size_t place = 0; place < COUNT_PLACES; place++) {
		uint8_t at[COUNT_LABELS_MAX];
		size_t values[COUNT_LABELS_MAX], cell;

		if (!count_sparse_place(&metrics->values, number, place, at, &cell) ||
		    count_read(&metrics->values, cell) == 0)
			continue;
		for (size_t i = 0; i < COUNT_LABELS_MAX; i++)
			values[i] = at[i];
		tell(metrics, family, values, count_read(&metrics->values, cell), fn, context);
	}
}

void figures_each(const struct metrics *metrics, const char *name, figure_fn *fn, void *context)
{
	const struct count_family_info *family = find(name);

	if (family == NULL || family->type == COUNT_TYPE_HISTOGRAM)
		return;
	if (family->type == COUNT_TYPE_SPARSE) {
		each_place(metrics, family, fn, context);
		return;
	}
	for (size_t cell = 0; cell < family->cells; cell++) {
		uint64_t value = count_read(&metrics->values, family->at + cell);
		size_t values[COUNT_LABELS_MAX] = { 0 };
		size_t rest = cell;

		if (value == 0)
			continue;
		for (size_t i = COUNT_LABELS_MAX; i-- > 0;) {
			size_t n =
			    family->labels[i] == COUNT_LABEL_NONE ? 1 : count_values(family->labels[i]);

			values[i] = rest % n;
			rest /= n;
		}
		tell(metrics, family, values, count_meaning(family, value), fn, context);
	}
}

struct sum {
	size_t at;
	const char *text;
	uint64_t value;
};

static void add(void *context, const struct figure *figure)
{
	struct sum *sum = context;

	if (sum->text == NULL ||
	    (figure->labels[sum->at] != NULL && strcmp(figure->labels[sum->at], sum->text) == 0))
		sum->value += figure->value;
}

uint64_t figures_sum(const struct metrics *metrics, const char *family, size_t at, const char *text)
{
	struct sum sum = { .at = at, .text = text };

	figures_each(metrics, family, add, &sum);
	return sum.value;
}
