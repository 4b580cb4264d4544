/* The state of a server is that of the last minutes. */
#include "gateway/http/backends.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

static struct metrics metrics;
static struct backends backends;

static void set(uint64_t connected, uint64_t refused, uint64_t failures)
{
	const size_t at = COUNT_AT_CONNECTS;

	(void)snprintf(metrics.names[COUNT_KIND_BACKEND][0].first, sizeof(metrics.names[0][0].first), "mvs");
	count_write(&metrics.values, at + COUNT_DIAL_CONNECTED, connected);
	count_write(&metrics.values, at + COUNT_DIAL_REFUSED, refused);
	count_write(&metrics.values, COUNT_AT_DOWN, failures);
}

static int start(void **state)
{
	(void)state;
	memset(&metrics, 0, sizeof(metrics));
	memset(&backends, 0, sizeof(backends));
	metrics.gateway.counted_ms = 3600000;
	return 0;
}

static void assert_state(const char *wanted, json_int_t last_failure)
{
	json_t *list = backends_json(&backends, &metrics);
	json_t *only = json_array_get(list, 0);

	assert_int_equal(json_array_size(list), 1);
	assert_string_equal(json_string_value(json_object_get(only, "state")), wanted);
	assert_int_equal(json_integer_value(json_object_get(only, "last_failure")), last_failure);
	json_decref(list);
}

static void an_address_is_that_of_its_name(void **state)
{
	static const char addresses[] = "other\0one:21\0mvs\0two:21, three:21\0";
	json_t *list;

	(void)state;
	set(1, 0, 0);
	assert_state("unknown", 0);
	backends.addresses = addresses;
	list = backends_json(&backends, &metrics);
	assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "address")),
			    "two:21, three:21");
	json_decref(list);
	backends.addresses = "another\0one:21\0";
	list = backends_json(&backends, &metrics);
	assert_true(json_is_null(json_object_get(json_array_get(list, 0), "address")));
	json_decref(list);
}

static void nothing_is_known_at_first(void **state)
{
	(void)state;
	set(5, 0, 0);
	assert_state("unknown", 0);
	backends_sample(&backends, &metrics, 100);
	assert_state("unknown", 0); /* the connects were before */
}

static void only_what_came_lately_counts(void **state)
{
	(void)state;
	set(1000, 0, 0);
	backends_sample(&backends, &metrics, 100);
	set(1000, 2, 1);
	assert_state("down", 0); /* at once; its time comes with the sample */
	backends_sample(&backends, &metrics, 110);
	assert_state("down", 110);
	set(1001, 2, 1);
	assert_state("up", 110); /* at once */
	for (size_t i = 0; i < BACKENDS_SAMPLES; i++)
		backends_sample(&backends, &metrics, 120 + i);
	assert_state("unknown", 110); /* nobody has asked for minutes */
	set(1001, 3, 2);
	backends_sample(&backends, &metrics, 500);
	assert_state("down", 500);
}

static void failures_before_the_first_sample_have_no_time(void **state)
{
	(void)state;
	set(0, 9, 9);
	backends_sample(&backends, &metrics, 100);
	assert_state("unknown", 0);
}

static void a_young_attlsd_knows_all(void **state)
{
	(void)state;
	metrics.gateway.counted_ms = 2000;
	set(0, 1, 1);
	backends_sample(&backends, &metrics, 100);
	assert_state("down", 100);
	set(1, 1, 1);
	assert_state("up", 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(an_address_is_that_of_its_name, start),
		cmocka_unit_test_setup(nothing_is_known_at_first, start),
		cmocka_unit_test_setup(only_what_came_lately_counts, start),
		cmocka_unit_test_setup(a_young_attlsd_knows_all, start),
		cmocka_unit_test_setup(failures_before_the_first_sample_have_no_time, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
