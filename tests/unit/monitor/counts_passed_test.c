/* Counters of one attlsd become those of the next, whatever either knows. */
#include "gateway/monitor/counts-passed.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/util.h"
#include "tests/unit/unit.h"

#define CELL(family, index) (COUNT_AT_##family + (index))

struct side {
	struct totals totals;
	struct counters page;
};

static struct side *side_new(const char *const *listeners)
{
	struct side *side = calloc(1, sizeof(*side));

	assert_non_null(side);
	for (size_t i = 0; listeners != NULL && listeners[i] != NULL; i++)
		(void)totals_place(&side->totals, COUNT_KIND_LISTENER, listeners[i], "");
	return side;
}

static struct handover_reader sealed(struct handover_writer *writer)
{
	struct handover_reader reader;
	int fd = handover_seal(writer);

	assert_true(fd >= 0);
	assert_int_equal(handover_open(fd, &reader), 0);
	assert_int_equal(close(fd), 0);
	return reader;
}

static void pass(const struct side *from, struct side *to, int32_t written, int32_t read)
{
	struct counts_passed *counts = counts_passed_new();
	struct handover_writer writer = { .bytes = NULL };
	struct handover_reader reader;

	counts_passed_add(counts, &from->page, &from->totals, written);
	counts_passed_write(&counts, &writer);
	reader = sealed(&writer);
	counts_passed_read(&reader, read, &to->totals, &to->page);
	handover_close(&reader);
}

/* Every cell of every family, between two that are alike. */
static void all_cells(void **state)
{
	struct side *from = side_new(NULL), *to = side_new(NULL);
	char name[16];

	(void)state;
	for (size_t kind = 0; kind < COUNT_KINDS; kind++)
		for (size_t i = 0; i < COUNT_NAMES_OTHER; i++) {
			(void)snprintf(name, sizeof(name), "n%zu", i);
			(void)totals_place(&from->totals, (enum count_kind)kind, name, "second");
		}
	for (size_t cell = 0; cell < COUNT_CELLS; cell++)
		count_write(&from->page, cell, cell + 1);
	for (size_t i = 0; i < COUNT_FAMILIES; i++)
		if (count_families[i].type == COUNT_TYPE_SPARSE)
			for (size_t cell = 0; cell < count_families[i].cells; cell++)
				count_write(&from->page, count_families[i].at + cell, 0);
	pass(from, to, 0, 0);
	for (size_t i = 0; i < COUNT_FAMILIES; i++)
		for (size_t cell = count_families[i].at;
		     cell < count_families[i].at + count_families[i].cells; cell++)
			assert_int_equal(count_read(&to->page, cell),
					 totals_only_grows(count_families[i].type) &&
						 count_families[i].type != COUNT_TYPE_SPARSE
					     ? cell + 1
					     : 0);
	free(from);
	free(to);
}

static void combinations(void **state)
{
	struct side *from = side_new(NULL), *to = side_new(NULL);
	const uint8_t values[COUNT_LABELS_MAX] = { COUNT_LEG_SERVER,  COUNT_CONNECTION_DATA,
						   COUNT_VERSION_1_3, 2,
						   COUNT_TABLE_OTHER, COUNT_RESUMED_YES };
	const size_t others = COUNT_LAST_HANDSHAKES;

	(void)state;
	count_write(&from->page, count_sparse_cell(&from->page, COUNT_HANDSHAKES, values), 7);
	count_write(&from->page, others, 9);
	/* the reader has another combination in that place */
	count_write(&to->page,
		    count_sparse_cell(&to->page, COUNT_HANDSHAKES, (const uint8_t[COUNT_LABELS_MAX]){ 0 }),
		    3);
	pass(from, to, 0, 0);
	assert_int_equal(count_read(&to->page, count_sparse_cell(&to->page, COUNT_HANDSHAKES, values)), 7);
	assert_int_equal(count_read(&to->page, others), 9);
	free(from);
	free(to);
}

/* Names have other places there; values stay with their names, and only grow. */
static void names(void **state)
{
	const char *const old[] = { "one", "two", NULL }, *const new[] = { "three", "two", NULL };
	struct side *from = side_new(old), *to = side_new(new);

	(void)state;
	count_write(&from->page, CELL(SESSIONS_STARTED, 0), 11);
	count_write(&from->page, CELL(SESSIONS_STARTED, 1), 22);
	count_write(&from->page, CELL(SESSIONS_STARTED, COUNT_NAMES_OTHER), 33);
	count_write(&from->page, CELL(LISTENER_SESSIONS, 1), 5); /* goes up and down */
	pass(from, to, 0, 0);
	assert_int_equal(count_read(&to->page, CELL(SESSIONS_STARTED, 0)), 0);
	assert_int_equal(count_read(&to->page, CELL(SESSIONS_STARTED, 1)), 22);
	assert_int_equal(count_read(&to->page, CELL(SESSIONS_STARTED, 2)), 11);
	assert_int_equal(count_read(&to->page, CELL(SESSIONS_STARTED, COUNT_NAMES_OTHER)), 33);
	assert_int_equal(count_read(&to->page, CELL(LISTENER_SESSIONS, 1)), 0);
	assert_string_equal(to->totals.names[COUNT_KIND_LISTENER].items[2].first, "one");
	count_write(&from->page, CELL(SESSIONS_STARTED, 1), 21);
	pass(from, to, 0, 0);
	assert_int_equal(count_read(&to->page, CELL(SESSIONS_STARTED, 1)), 22);
	pass(from, to, 4711, 0); /* another process has counted it */
	pass(from, to, 0, 4711);
	assert_int_equal(count_read(&to->page, CELL(SESSIONS_STARTED, 1)), 22);
	free(from);
	free(to);
}

/* What the writer knows, and the reader does not. */
static void other_versions(void **state)
{
	static const struct handover_text texts[] = { { "" },	     { "transfers" }, { "upload" },
						      { "P" },	     { "melted" },    { "no such family" },
						      { "sideways" } };
	static const struct handover_count rows[] = {
		{ .family = 1, .labels = { 2, 3, 4 }, .buckets = 1, .value = 5 },   /* a new result */
		{ .family = 1, .labels = { 2, 3, 5 }, .buckets = 1, .value = 2 },   /* and another one */
		{ .family = 1, .labels = { 6, 3, 4 }, .buckets = 1, .value = 100 }, /* a new direction */
		{ .family = 5, .labels = { 2, 3, 4 }, .buckets = 1, .value = 100 },
		{ .family = 99, .labels = { 99, 99, 99 }, .buckets = 1, .value = 100 },
		{ .family = 1, .labels = { 2, 3, 4 }, .bucket = 1, .buckets = 2, .value = 100 },
		{ .family = 1, .labels = { 2, 3, 4 }, .bucket = 1, .buckets = 1, .value = 100 },
	};
	struct handover_writer writer = { .bytes = NULL };
	struct handover_reader reader;
	struct side *to = side_new(NULL);
	uint64_t sum = 0;

	(void)state;
	handover_write(&writer, HANDOVER_TEXTS, texts, sizeof(texts[0]), NELEM(texts));
	handover_write(&writer, HANDOVER_COUNTS, rows, sizeof(rows[0]), NELEM(rows));
	reader = sealed(&writer);
	counts_passed_read(&reader, 0, &to->totals, &to->page);
	handover_close(&reader);
	for (size_t cell = 0; cell < COUNT_CELLS; cell++)
		sum += count_read(&to->page, cell);
	assert_int_equal(sum, 7);
	assert_int_equal(count_read(&to->page, CELL(TRANSFERS, (COUNT_DIRECTION_UPLOAD * COUNT_N_CLIENT_PROT +
								COUNT_CLIENT_PROT_P) *
								       COUNT_N_TRANSFER_RESULT +
								   COUNT_TRANSFER_OTHER)),
			 7);
	free(to);
}

/* An attlsd that passes no counters on. */
static void none(void **state)
{
	const struct handover_numbers numbers = { .generation = 1 };
	struct handover_writer writer = { .bytes = NULL };
	struct handover_reader reader;
	struct side *to = side_new(NULL);

	(void)state;
	handover_write(&writer, HANDOVER_NUMBERS, &numbers, sizeof(numbers), 1);
	reader = sealed(&writer);
	count_write(&to->page, CELL(RELOADS, 0), 4);
	counts_passed_read(&reader, 0, &to->totals, &to->page);
	handover_close(&reader);
	assert_int_equal(count_read(&to->page, CELL(RELOADS, 0)), 4);
	free(to);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_cells),	  cmocka_unit_test(combinations), cmocka_unit_test(names),
		cmocka_unit_test(other_versions), cmocka_unit_test(none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
