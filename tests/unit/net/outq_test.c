#include "gateway/net/outq.h"

#include <errno.h>

#include "tests/unit/unit.h"

#define LENT_BYTES ((size_t)544 * 1024)
#define LIMIT	   ((size_t)4 * 1024 * 1024)

/* What is added and sent in turn, and the buffer that there is then. */
static const struct {
	const char *name;
	size_t add[3];
	size_t use; /* before the last add */
	bool shrink;
	int want;
	size_t want_len, want_cap;
} cases[] = {
	{ "nothing", { 0 }, 0, true, 0, 0, 0 },
	{ "a few bytes", { 10, 20, 30 }, 0, false, 0, 60, LENT_BYTES },
	{ "a slow peer", { 10, 20, 30 }, 15, true, 0, 45, 4096 },
	{ "a slow peer with more", { 100000, 1, 1 }, 2, true, 0, 100000, 100000 },
	{ "too much to shrink", { LENT_BYTES / 2, 1, 0 }, 0, true, 0, LENT_BYTES / 2 + 1, LENT_BYTES },
	{ "as much as is lent", { LENT_BYTES, 0, 0 }, 0, true, 0, LENT_BYTES, LENT_BYTES },
	{ "more", { LENT_BYTES, 1, 0 }, 0, true, 0, LENT_BYTES + 1, 2 * LENT_BYTES },
	{ "at once", { 3 * LENT_BYTES, 0, 0 }, 0, false, 0, 3 * LENT_BYTES, 4 * LENT_BYTES },
	{ "too much", { LENT_BYTES, LIMIT, 0 }, 0, false, -ENOBUFS, LENT_BYTES, LENT_BYTES },
};

static void check_bytes(const char *name, const struct outq *outq, size_t from)
{
	for (size_t i = 0; i < outq_len(outq); i++)
		if (outq_at(outq)[i] != (uint8_t)(from + i))
			fail_msg("%s: byte %zu is %d", name, i, outq_at(outq)[i]);
}

static void test_sizes(void **state)
{
	uint8_t *bytes = malloc(LIMIT + 256);

	(void)state;
	assert_non_null(bytes);
	for (size_t i = 0; i < LIMIT + 256; i++)
		bytes[i] = (uint8_t)i;
	for (size_t i = 0; i < NELEM(cases); i++) {
		struct outq outq = { .bytes = NULL };
		size_t added = 0;
		int r = 0;

		for (size_t j = 0; j < NELEM(cases[i].add) && r == 0; j++) {
			if (j == NELEM(cases[i].add) - 1)
				outq_use(&outq, cases[i].use);
			if (cases[i].add[j] > 0)
				r = outq_add(&outq, bytes + added % 256, cases[i].add[j]);
			if (r == 0)
				added += cases[i].add[j];
		}
		if (cases[i].shrink)
			outq_shrink(&outq);
		if (r != cases[i].want || outq_len(&outq) != cases[i].want_len ||
		    outq.cap != cases[i].want_cap || outq_is_empty(&outq) != (cases[i].want_len == 0))
			fail_msg("%s: result %d, %zu bytes in %zu", cases[i].name, r, outq_len(&outq),
				 outq.cap);
		check_bytes(cases[i].name, &outq, cases[i].use);
		outq_free(&outq);
		assert_null(outq.bytes);
		assert_int_equal(outq.cap, 0);
	}
	free(bytes);
}

/* Queues share one buffer; a queue that needs one meanwhile allocates its own. */
static void test_the_lent_buffer(void **state)
{
	uint8_t *lent = NULL, *first;
	struct outq a = { .lent = &lent }, b = { .lent = &lent };

	(void)state;
	assert_int_equal(outq_add(&a, (const uint8_t *)"a", 1), 0);
	first = a.bytes;
	outq_free(&a);
	assert_ptr_equal(lent, first);
	assert_ptr_equal(a.lent, &lent);
	assert_int_equal(outq_add(&b, (const uint8_t *)"b", 1), 0);
	assert_ptr_equal(b.bytes, first);
	assert_null(lent);
	assert_int_equal(outq_add(&a, (const uint8_t *)"a", 1), 0);
	assert_ptr_not_equal(a.bytes, first);
	outq_shrink(&b); /* b is slow */
	assert_ptr_equal(lent, first);
	assert_ptr_not_equal(b.bytes, first);
	assert_int_equal(*outq_at(&b), 'b');
	outq_free(&a); /* there is one already */
	assert_ptr_equal(lent, first);
	outq_free(&b);
	assert_ptr_equal(lent, first);
	free(lent);
}

/* What is as small as a line of a control connection may be a password: nothing of it stays in the buffer. */
static void test_passwords_are_wiped(void **state)
{
	static const char line[] = "PASS secret\r\n";
	uint8_t *lent = NULL;
	struct outq outq = { .lent = &lent };

	(void)state;
	assert_int_equal(outq_add(&outq, (const uint8_t *)line, sizeof(line)), 0);
	outq_use(&outq, sizeof(line));
	outq_free(&outq);
	assert_non_null(lent);
	for (size_t i = 0; i < sizeof(line); i++)
		assert_int_equal(lent[i], 0);
	free(lent);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_the_lent_buffer),
		cmocka_unit_test(test_passwords_are_wiped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
