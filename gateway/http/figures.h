/* Reads single figures out of what attlsd has counted, by the names that /metrics shows. */
#ifndef ATTLSD_GATEWAY_HTTP_FIGURES_H
#define ATTLSD_GATEWAY_HTTP_FIGURES_H

#include "gateway/view/metrics.h"

/* One value that is not 0. */
struct figure {
	const char *labels[COUNT_LABELS_MAX]; /* the text of each label of the family, in its order */
	const char *second;		      /* of a label with two names; "" otherwise */
	uint64_t value;
};

typedef void figure_fn(void *context, const struct figure *figure);

/* Call fn with each value of a family; a family that does not exist has none. */
void figures_each(const struct metrics *metrics, const char *family, figure_fn *fn, void *context);

/* The sum of all, or of those whose label `at` has this text. */
uint64_t figures_sum(const struct metrics *metrics, const char *family, size_t at, const char *text);

#endif
