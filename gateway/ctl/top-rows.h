/*
 * The sessions as `attlsctl top` lists them: which ones, in which order, and the texts of
 * a row. It knows no terminal.
 */
#ifndef ATTLSD_GATEWAY_CTL_TOP_ROWS_H
#define ATTLSD_GATEWAY_CTL_TOP_ROWS_H

#include <stddef.h>
#include <stdint.h>

#include "gateway/view/client-answers.h"

enum top_sort { TOP_SORT_RATE = 0, TOP_SORT_AGE, TOP_SORT_BYTES, TOP_SORTS };

#define TOP_SEARCH_MAX 32

/* "rate" */
const char *top_sort_name(enum top_sort sort);

/* Sort the sessions, the largest first; equal ones by number. */
void top_rows_sort(struct answers *answers, enum top_sort sort);

/*
 * Move those that have the text in a column to the front, in their order. Returns how
 * many; "" lets all through.
 */
size_t top_rows_search(struct answers *answers, const char *text);

/* A bar of `width` cells; text: "#####....." or, with `utf8`, blocks. */
#define TOP_BAR_CELLS 8
#define TOP_BAR_MAX   (TOP_BAR_CELLS * 3 + 1)
const char *top_rows_bar(int percent, bool utf8, char buf[static TOP_BAR_MAX]);

/* One row of `width` columns: printable ASCII, and the bar. -1: the row of headings. */
#define TOP_ROW_MAX 512
const char *top_rows_format(const struct answer_session *session, size_t width, bool utf8,
			    char buf[static TOP_ROW_MAX]);
const char *top_rows_heading(size_t width, char buf[static TOP_ROW_MAX]);

#endif
