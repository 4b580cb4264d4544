/*
 * What attlsd counts (counters.def): a page of numbers for each process. A worker
 * writes into its own page, which it shares with the monitor, and the monitor adds the
 * pages up. To count is one addition in memory, without locks and system calls.
 */
#ifndef ATTLSD_GATEWAY_BASE_COUNTERS_H
#define ATTLSD_GATEWAY_BASE_COUNTERS_H

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Names of one kind (rules, for example) that have values of their own; the last place is that of all others.
 */
#define COUNT_NAMES	  256
#define COUNT_NAMES_OTHER (COUNT_NAMES - 1)
/* Places of a sparse family; the last one is that of all combinations without a place. */
#define COUNT_PLACES	 256
#define COUNT_LABELS_MAX 6
#define COUNT_BOUNDS_MAX 12
/* The value of KEY for a refusal that no key decides. */
#define COUNT_KEY_NONE 0
/* A value of a TABLE that is not in it. */
#define COUNT_TABLE_OTHER 255

/* Labels. */
enum count_label {
	COUNT_LABEL_NONE = 0,
#define LABEL(id, name, values)	  COUNT_LABEL_##id,
#define WORDS(id, name, values)	  COUNT_LABEL_##id,
#define NAMES(id, name, second)	  COUNT_LABEL_##id,
#define TABLE(id, name, function) COUNT_LABEL_##id,
#include "gateway/base/counters.def"
	COUNT_LABELS
};

/* Kinds of names. */
enum count_kind {
#define NAMES(id, name, second) COUNT_KIND_##id,
#include "gateway/base/counters.def"
	COUNT_KINDS
};

/* The values of each label, and COUNT_N_..., how many there are. */
enum { COUNT_N_NONE = 1 };
#define V(id, text)		  COUNT_##id,
#define LABEL(id, name, values)	  enum { values COUNT_N_##id };
#define WORDS(id, name, values)	  enum { values COUNT_N_##id };
#define NAMES(id, name, second)	  enum { COUNT_N_##id = COUNT_NAMES };
#define TABLE(id, name, function) enum { COUNT_N_##id = COUNT_TABLE_OTHER + 1 };
#define BOUNDS(id, n, ...)	  enum { COUNT_BOUNDS_##id = (n) };
#include "gateway/base/counters.def"
#undef V

enum count_family {
#define FAMILY(id, type, name, unit, a, b, c, help) COUNT_##id,
#define HISTOGRAM(id, name, unit, bounds, a, help)  COUNT_##id,
#define SPARSE(id, name, a, b, c, d, e, f, help)    COUNT_##id,
#include "gateway/base/counters.def"
	COUNT_FAMILIES
};

/*
 * Where the numbers of each family begin. A histogram has, for each value of its label, a
 * number for each bound, one for what is above them, and the sum. A place of a sparse family
 * has its combination and its count.
 */
#define COUNT_RANGE(id, cells) COUNT_AT_##id, COUNT_LAST_##id = COUNT_AT_##id + (cells)-1,
enum {
#define FAMILY(id, type, name, unit, a, b, c, help) COUNT_RANGE(id, COUNT_N_##a *COUNT_N_##b *COUNT_N_##c)
#define HISTOGRAM(id, name, unit, bounds, a, help)  COUNT_RANGE(id, (COUNT_BOUNDS_##bounds + 2) * COUNT_N_##a)
#define SPARSE(id, name, a, b, c, d, e, f, help)    COUNT_RANGE(id, 2 * COUNT_PLACES)
#include "gateway/base/counters.def"
	COUNT_CELLS
};

struct counters {
	_Atomic uint64_t cells[COUNT_CELLS];
};

enum count_type {
	COUNT_TYPE_COUNTER = 0,
	COUNT_TYPE_GAUGE,
	COUNT_TYPE_STATE,
	COUNT_TYPE_FACT,
	COUNT_TYPE_MAYBE,
	COUNT_TYPE_TIME,
	COUNT_TYPE_INFO,
	COUNT_TYPE_HISTOGRAM,
	COUNT_TYPE_SPARSE
};

struct count_family_info {
	const char *name, *unit, *help;
	enum count_type type;
	enum count_label labels[COUNT_LABELS_MAX]; /* COUNT_LABEL_NONE after the last */
	size_t at, cells;			   /* its part of the page */
	const uint64_t *bounds;			   /* of a histogram */
	size_t nbounds;
};

extern const struct count_family_info count_families[COUNT_FAMILIES];

/* How many values the label has. */
size_t count_values(enum count_label label);
/* Is it a label of NAMES? */
bool count_is_names(enum count_label label, enum count_kind *ret_kind);
/* Its name; second: that of the second name, "" if it has none. */
const char *count_label_name(enum count_label label, bool second);
/* One of its values; NULL for a label of NAMES. */
const char *count_value_text(enum count_label label, size_t value);
/* The value of WORDS that has this text, or else "other". */
size_t count_value(enum count_label label, const char *text);

/*
 * The page of this process, and which process it is. A private page at first, so that
 * nothing needs a setup. The only global that changes: everything counts, down to the
 * loop and the log, and none of it is a decision.
 */
extern struct counters *count_page;
extern unsigned count_process; /* COUNT_PROCESS_... */

/* What a number of a family stands for. The 0 of a family of COUNT_TYPE_MAYBE stands for none. */
static inline uint64_t count_meaning(const struct count_family_info *family, uint64_t value)
{
	return family->type == COUNT_TYPE_MAYBE && value > 0 ? value - 1 : value;
}

/* Count on this page from now on: it is a worker's. */
void count_use(struct counters *page);

static inline uint64_t count_read(const struct counters *page, size_t cell)
{
	return atomic_load_explicit(&page->cells[cell], memory_order_relaxed);
}

static inline void count_write(struct counters *page, size_t cell, uint64_t value)
{
	atomic_store_explicit(&page->cells[cell], value, memory_order_relaxed);
}

/* Nobody else writes into this page, so this needs no locked addition. */
static inline void count_cell(size_t cell, uint64_t n)
{
	count_write(count_page, cell, count_read(count_page, cell) + n);
}

/* count(SESSIONS_ENDED, COUNT_END_QUIT, 1); the index of a combination of labels: (a * COUNT_N_B + b) *
 * COUNT_N_C
 * + c. A gauge goes down by -1. */
#define count(family, index, n)                                                                              \
	do {                                                                                                 \
		size_t count_index_ = (index);                                                               \
		assert(count_index_ <= COUNT_LAST_##family - COUNT_AT_##family);                             \
		count_cell(COUNT_AT_##family + count_index_, (uint64_t)(n));                                 \
	} while (0)

/* Of a histogram: one more of this value, in microseconds or without a unit. */
void count_observe(enum count_family family, size_t index, uint64_t value);

/*
 * Of a sparse family: where the count of this combination is. The first call for it takes a
 * place; without room it is the place of all others.
 */
size_t count_sparse_cell(struct counters *page, enum count_family family,
			 const uint8_t values[static COUNT_LABELS_MAX]);

/*
 * The combination in a place, and where its count is. In the last place all values are
 * COUNT_TABLE_OTHER. False: the place is empty, or a taken-over worker has written nonsense into it.
 */
bool count_sparse_place(const struct counters *page, enum count_family family, size_t place,
			uint8_t ret_values[static COUNT_LABELS_MAX], size_t *ret_cell);

/* The place of the policy's index-th name of a kind. */
static inline size_t count_place(size_t index)
{
	return index < COUNT_NAMES_OTHER ? index : COUNT_NAMES_OTHER;
}

#endif
