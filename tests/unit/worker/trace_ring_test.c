#include "gateway/worker/trace-ring.h"

#include "tests/unit/unit.h"

static uint64_t dropped;

static void on_drop(struct trace_ring *ring, uint64_t at, const struct trace_record *record)
{
	assert_true(at >= ring->tail);
	assert_int_equal(record->readers, 1);
	dropped++;
}

/* Records of all lengths come back whole and in order, the newest ones, and each that went was told. */
static void keeps_the_newest(void **state)
{
	struct trace_ring ring;
	uint64_t n = 0, first = 0, at;
	struct trace_record *record;

	(void)state;
	dropped = 0;
	assert_int_equal(trace_ring_init(&ring, TRACE_RING_MIN + 5, on_drop), 0);
	assert_int_equal(ring.size % 8, 0);
	for (; n < 50000; n++) {
		size_t len = (size_t)(n * 7919 % 481);

		record = trace_ring_add(&ring, len);
		record->session = n;
		record->readers = 1;
		record->kind = 1;
		memset(record->text, (int)(n % 251), len);
		if (n % 997 != 0)
			continue;
		first = 0;
		at = 0;
		for (uint64_t want = dropped; (record = trace_ring_at(&ring, &at)) != NULL; want++) {
			assert_int_equal(record->session, want);
			assert_int_equal(record->len, want * 7919 % 481);
			for (size_t i = 0; i < record->len; i++)
				assert_int_equal((unsigned char)record->text[i], want % 251);
			at = trace_ring_after(at, record);
			first = want;
		}
		assert_int_equal(first, n);
		assert_true(ring.head - ring.tail <= ring.size);
	}
	assert_true(dropped > 40000);
	trace_ring_done(&ring);
	assert_null(ring.bytes);
}

static void an_empty_ring_has_nothing(void **state)
{
	struct trace_ring ring;
	uint64_t at = 0;

	(void)state;
	assert_int_equal(trace_ring_init(&ring, TRACE_RING_MIN, on_drop), 0);
	assert_null(trace_ring_at(&ring, &at));
	trace_ring_done(&ring);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_the_newest),
		cmocka_unit_test(an_empty_ring_has_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
