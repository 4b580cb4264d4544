#include "gateway/base/counters.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

static bool is_name(const char *text)
{
	for (const char *c = text; *c != '\0'; c++)
		if (!islower((unsigned char)*c) && !isdigit((unsigned char)*c) && *c != '_')
			return false;
	return text[0] != '\0';
}

/* The conventions of Prometheus and OpenMetrics that hold for every family, and the rules of counters.def. */
static void test_families(void **state)
{
	size_t next = 0;

	(void)state;
	for (size_t i = 0; i < COUNT_FAMILIES; i++) {
		const struct count_family_info *family = &count_families[i];
		size_t names = 0;

		assert_true(family == &count_families[COUNT_NODE] ||
			    is_name(family->name)); /* that one is "attlsd" */
		assert_null(strstr(family->name, "total"));
		assert_true(strcmp(family->unit, "") == 0 || strcmp(family->unit, "seconds") == 0 ||
			    strcmp(family->unit, "bytes") == 0);
		assert_null(strpbrk(family->help, "\"\\\n"));
		assert_int_equal(family->help[strlen(family->help) - 1], '.');
		assert_int_equal(family->at, next); /* no family overlaps another */
		next += family->cells;
		for (size_t j = i + 1; j < COUNT_FAMILIES; j++)
			assert_string_not_equal(family->name, count_families[j].name);
		for (size_t j = 0; j < COUNT_LABELS_MAX && family->labels[j] != COUNT_LABEL_NONE; j++) {
			enum count_kind kind;

			assert_true(is_name(count_label_name(family->labels[j], false)));
			names += count_is_names(family->labels[j], &kind);
			assert_true(!count_is_names(family->labels[j], &kind) || j == 0);
		}
		assert_true(names <= 1);
		for (size_t j = 1; j < family->nbounds; j++)
			assert_true(family->bounds[j] > family->bounds[j - 1]);
	}
	assert_int_equal(next, COUNT_CELLS);
}

/* Labels have each value once, and a text that nobody expected is "other". */
static void test_labels(void **state)
{
	(void)state;
	for (enum count_label label = COUNT_LABEL_NONE + 1; label < COUNT_LABELS; label++) {
		/* of the replies with one key, only the first counts */
		size_t n = label == COUNT_LABEL_KEY ? 0 : count_values(label);

		for (size_t i = 0; i < n; i++)
			for (size_t j = i + 1; count_value_text(label, i) != NULL && j < n; j++)
				if (strcmp(count_value_text(label, i), "other") != 0)
					assert_string_not_equal(count_value_text(label, i),
								count_value_text(label, j));
	}
	assert_int_equal(count_value(COUNT_LABEL_END, "quit"), COUNT_END_QUIT);
	assert_int_equal(count_value(COUNT_LABEL_END, "what nobody has thought of"), COUNT_END_OTHER);
	assert_string_equal(count_value_text(COUNT_LABEL_CIPHER, COUNT_TABLE_OTHER), "other");
}

#define WORDS(id, name, values)                                                                              \
	assert_string_equal(count_value_text(COUNT_LABEL_##id, COUNT_N_##id - 1), "other");
static void test_other_is_last(void **state)
{
	(void)state;
#include "gateway/base/counters.def"
}

static void test_histogram(void **state)
{
	const struct count_family_info *family = &count_families[COUNT_LOOP_LAG];
	size_t at = family->at + COUNT_PROCESS_MONITOR * (family->nbounds + 2);

	(void)state;
	count_observe(COUNT_LOOP_LAG, COUNT_PROCESS_MONITOR, family->bounds[0]);
	count_observe(COUNT_LOOP_LAG, COUNT_PROCESS_MONITOR, family->bounds[0] + 1);
	count_observe(COUNT_LOOP_LAG, COUNT_PROCESS_MONITOR, UINT32_MAX);
	assert_int_equal(count_read(count_page, at), 1);
	assert_int_equal(count_read(count_page, at + 1), 1);
	assert_int_equal(count_read(count_page, at + family->nbounds), 1);
	assert_int_equal(count_read(count_page, at + family->nbounds + 1),
			 2 * family->bounds[0] + 1 + UINT32_MAX);
}

/* Each combination has a place of its own until there is no room. */
static void test_sparse(void **state)
{
	struct counters *page = calloc(1, sizeof(*page));
	uint8_t values[COUNT_LABELS_MAX] = { 0 }, found[COUNT_LABELS_MAX];
	size_t cell;

	(void)state;
	assert_non_null(page);
	for (size_t i = 0; i < 2 * COUNT_PLACES; i++) {
		values[3] = (uint8_t)(i % 256);
		values[4] = (uint8_t)(i / 256);
		cell = count_sparse_cell(page, COUNT_HANDSHAKES, values);
		count_write(page, cell, count_read(page, cell) + 1);
		assert_int_equal(count_sparse_cell(page, COUNT_HANDSHAKES, values), cell);
	}
	for (size_t place = 0; place < COUNT_PLACES - 1; place++) {
		assert_true(count_sparse_place(page, COUNT_HANDSHAKES, place, found, &cell));
		assert_int_equal(found[3], place);
		assert_int_equal(count_read(page, cell), 1);
	}
	assert_true(count_sparse_place(page, COUNT_HANDSHAKES, COUNT_PLACES - 1, found, &cell));
	assert_int_equal(found[0], COUNT_TABLE_OTHER);
	assert_int_equal(count_read(page, cell), COUNT_PLACES + 1);
	free(page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_families),      cmocka_unit_test(test_labels),
		cmocka_unit_test(test_other_is_last), cmocka_unit_test(test_histogram),
		cmocka_unit_test(test_sparse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
