#include "gateway/monitor/totals.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

#define CELL(family, index) (COUNT_AT_##family + (index))

static struct policy_listener listeners[] = { { .name = "one", .index = 0 }, { .name = "two", .index = 1 } };
static struct policy_listener swapped[] = { { .name = "two", .index = 0 }, { .name = "one", .index = 1 } };
static const struct policy first = { .listeners = listeners, .nlisteners = 2 };
static const struct policy second = { .listeners = swapped, .nlisteners = 2 };

struct fixture {
	struct totals totals;
	struct counters sum;
	struct counted counted;
	struct totals_map map;
};

static struct fixture *setup(void)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_int_equal(counted_open(&f->counted), 0);
	totals_map(&f->totals, &first, &f->map);
	return f;
}

static void teardown(struct fixture *f)
{
	counted_close(&f->counted);
	free(f);
}

static uint64_t sum_of(struct fixture *f, size_t cell, size_t sessions)
{
	memset(&f->sum, 0, sizeof(f->sum));
	totals_add_own(&f->sum, &f->totals);
	totals_add(&f->sum, &f->counted, &f->map, sessions, true);
	return count_read(&f->sum, cell);
}

/* What a worker has counted stays when it dies, and a name keeps its place in another policy. */
static void test_deaths_and_names(void **state)
{
	struct fixture *f = setup();

	(void)state;
	count_write(f->counted.live, CELL(SESSIONS_STARTED, 1), 5);
	count_write(f->counted.live, CELL(LISTENER_SESSIONS, 1), 5);
	assert_int_equal(sum_of(f, CELL(SESSIONS_STARTED, 1), 9), 5);
	assert_int_equal(sum_of(f, CELL(LISTENER_SESSIONS, 1), 9), 5);
	totals_bury(&f->totals, &f->counted, &f->map);
	assert_int_equal(sum_of(f, CELL(SESSIONS_STARTED, 1), 9), 5);
	assert_int_equal(sum_of(f, CELL(LISTENER_SESSIONS, 1), 9), 0);

	totals_map(&f->totals, &second, &f->map);
	count_write(f->counted.live, CELL(SESSIONS_STARTED, 0), 2);
	assert_int_equal(sum_of(f, CELL(SESSIONS_STARTED, 1), 9), 7);
	assert_int_equal(sum_of(f, CELL(SESSIONS_STARTED, 0), 9), 0);
	teardown(f);
}

/* More names than places: all others count together. */
static void test_many_names(void **state)
{
	struct fixture *f = setup();
	char name[16];

	(void)state;
	for (size_t i = 0; i < 2 * COUNT_NAMES; i++) {
		(void)snprintf(name, sizeof(name), "n%zu", i);
		assert_int_equal(totals_place(&f->totals, COUNT_KIND_RULE, name, ""),
				 i < COUNT_NAMES_OTHER ? i : COUNT_NAMES_OTHER);
	}
	assert_int_equal(totals_place(&f->totals, COUNT_KIND_RULE, "n3", ""), 3);
	teardown(f);
}

/* A taken-over worker writes what it likes. */
static void test_lies(void **state)
{
	struct fixture *f = setup();
	struct counters *live = f->counted.live;
	size_t cell = CELL(SESSIONS_STARTED, 0);
	uint64_t before, after;

	(void)state;
	count_write(live, cell, 7);
	assert_int_equal(sum_of(f, cell, 9), 7);
	count_write(live, cell, 3); /* it takes back */
	assert_int_equal(sum_of(f, cell, 9), 7);
	for (int i = 0; i < 1000; i++) { /* many such workers: no sum wraps */
		memset(live, 0xff, sizeof(*live));
		before = sum_of(f, cell, 9);
		totals_bury(&f->totals, &f->counted, &f->map);
		after = sum_of(f, cell, 9);
		assert_true(after >= before && after <= INT64_MAX);
	}
	count_write(live, CELL(LISTENER_SESSIONS, 0), UINT64_MAX); /* a gauge below zero */
	assert_int_equal(sum_of(f, CELL(LISTENER_SESSIONS, 0), 9), 0);
	count_write(live, CELL(LISTENER_SESSIONS, 0), 1000000);
	assert_int_equal(sum_of(f, CELL(LISTENER_SESSIONS, 0), 9), 9);
	teardown(f);
}

static void test_doubts(void **state)
{
	static const struct {
		const char *family;
		size_t cell;
		uint64_t value;
	} rows[] = {
		{ "sessions_started", CELL(SESSIONS_STARTED, 3), UINT64_C(1) << 57 },
		{ "loop_lag", CELL(LOOP_LAG, 2), UINT64_MAX },
		{ "sessions", CELL(SESSIONS, 2), (uint64_t)-1 },
		{ "certificate_expiry_timestamp", CELL(CERTIFICATE_EXPIRY, 0), UINT64_MAX },
		{ "handshakes", CELL(HANDSHAKES, 4), 12345 }, /* a combination that does not exist */
		{ "tls_alerts", CELL(ALERTS, 5), UINT64_MAX },
	};

	(void)state;
	for (size_t i = 0; i < NELEM(rows); i++) {
		struct fixture *f = setup();

		(void)sum_of(f, 0, 9);
		assert_null(totals_doubt(&f->counted));
		count_write(f->counted.live, rows[i].cell, rows[i].value);
		(void)sum_of(f, 0, 9);
		assert_string_equal(totals_doubt(&f->counted), rows[i].family);
		(void)sum_of(f, 0, 9);
		assert_null(totals_doubt(&f->counted)); /* once is enough */
		totals_bury(&f->totals, &f->counted, &f->map);
		(void)sum_of(f, 0, 9);
		assert_null(totals_doubt(&f->counted)); /* another worker has the place */
		teardown(f);
	}
}

static void test_a_page_with_garbage_counts_no_more(void **state)
{
	struct fixture *f = setup();
	struct counters *live = f->counted.live;

	(void)state;
	count_write(live, CELL(SESSIONS_STARTED, 0), 7);
	count_write(live, CELL(LISTENER_SESSIONS, 0), 3);
	assert_int_equal(sum_of(f, CELL(SESSIONS_STARTED, 0), 9), 7);
	count_write(live, CELL(SESSIONS_STARTED, 0), 1000);
	count_write(live, CELL(TRANSFERS, 0), UINT64_MAX);
	assert_int_equal(sum_of(f, CELL(SESSIONS_STARTED, 0), 9), 7);
	assert_int_equal(sum_of(f, CELL(TRANSFERS, 0), 9), 0);
	assert_int_equal(sum_of(f, CELL(LISTENER_SESSIONS, 0), 9), 0);
	totals_bury(&f->totals, &f->counted, &f->map);
	assert_int_equal(sum_of(f, CELL(SESSIONS_STARTED, 0), 9), 7);
	count_write(live, CELL(SESSIONS_STARTED, 0), 2); /* of another worker */
	assert_int_equal(sum_of(f, CELL(SESSIONS_STARTED, 0), 9), 9);
	teardown(f);
}

static void test_a_number_that_was_taken_back_is_doubted(void **state)
{
	struct fixture *f = setup();

	(void)state;
	count_write(f->counted.live, CELL(SESSIONS_STARTED, 0), 7);
	(void)sum_of(f, 0, 9);
	count_write(f->counted.live, CELL(SESSIONS_STARTED, 0), 6);
	(void)sum_of(f, 0, 9);
	assert_string_equal(totals_doubt(&f->counted), "sessions_started");
	teardown(f);
}

/* In the page of a sparse family, too. */
static void test_sparse_lies(void **state)
{
	const uint8_t values[COUNT_LABELS_MAX] = {
		COUNT_LEG_SERVER, COUNT_CONNECTION_DATA, COUNT_VERSION_1_3, 3, 4, COUNT_RESUMED_YES
	};
	struct fixture *f = setup();
	struct counters *live = f->counted.live;
	size_t cell = count_sparse_cell(live, COUNT_HANDSHAKES, values), place;
	uint8_t found[COUNT_LABELS_MAX];
	uint64_t n = 0;

	(void)state;
	count_write(live, cell, 4);
	(void)sum_of(f, 0, 9);
	assert_true(count_sparse_place(&f->sum, COUNT_HANDSHAKES, 0, found, &cell));
	assert_memory_equal(found, values, sizeof(values));
	assert_int_equal(count_read(&f->sum, cell), 4);

	for (uint64_t round = 0; round < 300; round++) {
		for (place = 0; place < COUNT_PLACES;
		     place++) { /* combinations that do not exist, or too many */
			count_write(live, COUNT_AT_HANDSHAKES + 2 * place, round * 7919 + place * 104729);
			count_write(live, COUNT_AT_HANDSHAKES + 2 * place + 1, UINT64_MAX);
		}
		(void)sum_of(f, 0, 9);
	}
	totals_bury(&f->totals, &f->counted, &f->map);
	(void)sum_of(f, 0, 9);
	for (place = 0; place < COUNT_PLACES - 1; place++)
		n += count_sparse_place(&f->sum, COUNT_HANDSHAKES, place, found, &cell) ? 1 : 0;
	assert_true(n <= COUNT_PLACES);
	assert_true(count_sparse_place(&f->sum, COUNT_HANDSHAKES, 0, found, &cell));
	assert_true(count_read(&f->sum, cell) >= 4);
	teardown(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_deaths_and_names),
		cmocka_unit_test(test_many_names),
		cmocka_unit_test(test_lies),
		cmocka_unit_test(test_sparse_lies),
		cmocka_unit_test(test_doubts),
		cmocka_unit_test(test_a_page_with_garbage_counts_no_more),
		cmocka_unit_test(test_a_number_that_was_taken_back_is_doubted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
